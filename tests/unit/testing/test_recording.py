"""What is kept of every request that arrives."""

from __future__ import annotations

import socket

import pytest

from langchain_g4f.testing import RecordedFile, RecordedRequest, Sandbox
from tests.unit.testing.chat import Chat


def received(kind: str, body: bytes) -> RecordedRequest:
    """Return a request with this body."""
    record = RecordedRequest("POST", "/chat", {}, {"content-type": kind})
    record.take_body(body)
    return record


def test_multipart_forms_are_split_into_fields_and_files() -> None:
    """Names may hold semicolons and any letters; contents may hold line ends."""
    body = (
        b"preamble\r\n--b\r\n"
        b'Content-Disposition: form-data; name="data"\r\n\r\n{"a": 1}\r\n\r\n\r\n--b\r\n'
        b'Content-Disposition: form-data; name="files"; filename="base64;a ; \xc5\xbc%22.png"\r\n'
        b"Content-Type: image/png\r\n\r\nAA\r\n--c\r\n\r\n--b--\r\nepilogue"
    )
    record = received('multipart/form-data; boundary="b"', body)
    assert record.form == {"data": '{"a": 1}\r\n\r\n'}
    file = RecordedFile("files", 'base64;a ; ż".png', "image/png", b"AA\r\n--c\r\n")
    assert record.files == [file]


def test_a_multipart_form_without_boundary_has_no_parts() -> None:
    """The body is kept all the same."""
    record = received("multipart/form-data", b"--b\r\n")
    assert (record.form, record.files, record.body) == ({}, [], b"--b\r\n")


def test_json_and_url_encoded_bodies_are_parsed_where_they_parse() -> None:
    """A body that does not parse is kept as bytes."""
    assert received("application/json; charset=utf-8", b'{"a": 1}').json == {"a": 1}
    assert received("application/json", b"{").json is None
    assert received("application/x-www-form-urlencoded", b"a=1&b=").form == {"a": "1", "b": ""}


def test_requests_are_recorded_in_order_with_their_outcome() -> None:
    """Method, path, query, headers, cookies, status, and that the answer was complete."""
    with Sandbox() as sandbox, Chat(sandbox, {"hf-chat": "me"}) as chat:
        chat.http.get("/api/v2/conversations?p=1&q=a%20b", headers={"X-Name": "Value"})
        chat.http.get("/api/v2/models/no%20such")
    first, second = sandbox.requests
    assert (first.method, first.path) == ("GET", "/chat/api/v2/conversations")
    assert first.query == {"p": "1", "q": "a b"}
    assert first.headers["x-name"] == "Value"
    assert first.cookies == {"hf-chat": "me"}
    assert (first.status, first.finished, first.closed_early) == (200, True, False)
    assert (second.path, second.status) == ("/chat/api/v2/models/no such", 404)


def test_a_send_is_recorded_with_its_fields() -> None:
    """The data part and the files are there as sent."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        chat.say("Hi", ("base64;a.txt", b"QQ==", "text/plain"))
    sent = sandbox.requests[-1]
    assert '"inputs": "Hi"' in sent.form["data"]
    assert sent.files == [RecordedFile("files", "base64;a.txt", "text/plain", b"QQ==")]
    assert sandbox.requests[0].json == {"model": "sandbox/text-small"}


def test_a_client_that_leaves_while_sending_is_recorded() -> None:
    """Its request has no answer."""
    with Sandbox() as sandbox:
        port = int(sandbox.origin.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(
                b"POST /chat/conversation HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{"
            )
            sandbox.wait_until(lambda: sandbox.requests)
        sandbox.wait_until(lambda: sandbox.requests[0].closed_early)
    assert sandbox.requests[0].status is None


def test_waiting_for_what_never_happens_times_out() -> None:
    """The wait is bounded."""
    with Sandbox() as sandbox, pytest.raises(TimeoutError):
        sandbox.wait_until(lambda: False, timeout_s=0.01)
