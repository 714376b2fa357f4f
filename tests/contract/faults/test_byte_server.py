"""The byte-scripted server, and the chat-ui script on it."""

import contextlib
import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.contract.faults import chat_ui_script
from tests.contract.faults.byte_server import ByteServer, Exchange, routes
from tests.contract.faults.chat_ui_script import CONVERSATION_ID, ROOT_MESSAGE_ID, chat_ui

CHAT_TEXT = Path(__file__).parents[3] / "cassettes" / "huggingchat" / "chat-text.yaml"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def connect(server: ByteServer) -> socket.socket:
    """Open a bare connection."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=5)


def read_all(sock: socket.socket) -> bytes:
    """Read to the end of the connection."""
    return b"".join(iter(lambda: sock.recv(65536), b""))


def wait_for_request(server: ByteServer) -> None:
    """Wait until a request is in its handler's hands."""
    while not server.requests:
        time.sleep(0.01)


def ok(exchange: Exchange) -> None:
    """Answer with an empty body."""
    exchange.respond(200)


@pytest.mark.proves("promise:byte-server")
def test_sent_bytes_arrive_as_they_are() -> None:
    """What is not HTTP is not made HTTP."""

    def handler(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort")
        exchange.close()

    with ByteServer(handler) as server:
        with connect(server) as sock:
            sock.sendall(GET)
            assert read_all(sock) == b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"
        with pytest.raises(httpx.RemoteProtocolError, match="received 5 bytes, expected 9"):
            httpx.get(server.url)
        # It was the server that closed.
        assert server.closings == {}


def test_stream_is_chunked_as_it_was_written_and_empty_chunks_are_left_out() -> None:
    """Each chunk is a chunk; an empty one would end the stream."""

    def handler(exchange: Exchange) -> None:
        stream = exchange.start_stream()
        for data in (b"a", b"", b"0123456789abcdef", b""):
            stream.chunk(data)
        stream.end()
        exchange.close()

    with ByteServer(handler) as server, connect(server) as sock:
        sock.sendall(GET)
        head, _, body = read_all(sock).partition(b"\r\n\r\n")
    assert body == b"1\r\na\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"
    assert head.endswith(b"Content-Type: application/jsonl\r\nTransfer-Encoding: chunked")


def test_reset_breaks_the_connection_after_what_was_sent() -> None:
    """A reset is an error to the reader, unlike an early end."""

    def handler(exchange: Exchange) -> None:
        exchange.start_stream().chunk(b"x")
        exchange.hold(0.05)
        exchange.reset()

    with ByteServer(handler) as server, httpx.stream("GET", server.url) as response:
        chunks = response.iter_raw()
        assert next(chunks) == b"x"
        with pytest.raises(httpx.ReadError):
            next(chunks)


def test_hold_ends_as_soon_as_the_client_closes() -> None:
    """The close is seen while nothing is sent, and its time is kept."""
    held: list[bool] = []
    with ByteServer(lambda x: held.append(x.hold(30))) as server:
        with connect(server) as sock:
            sock.sendall(GET)
            wait_for_request(server)
            assert not server.wait_closed(0.1)
            assert server.connections_open == 1
        closed = time.monotonic()
        assert server.wait_closed(1)
        assert server.connections_open == 0
    assert held == [True]
    assert abs(server.closings[1] - closed) < 1


def flood(exchange: Exchange) -> None:
    """Fill the socket of a client that does not read."""
    exchange.send(b"x" * 100_000_000)


def hold(exchange: Exchange) -> None:
    """Hold for longer than any test."""
    assert exchange.hold(1000)
    exchange.respond(200)


@pytest.mark.parametrize(
    ("handler", "request_bytes"),
    [(flood, GET), (hold, GET), (Exchange.never_answer, GET), (ok, GET[:5]), (ok, b"")],
)
def test_server_ends_soon_and_leaves_no_thread(handler: Any, request_bytes: bytes) -> None:
    """Neither a waiting handler nor a silent client holds the test up."""
    threads = set(threading.enumerate())
    with contextlib.ExitStack() as clients:
        with ByteServer(handler) as server:
            clients.enter_context(connect(server)).sendall(request_bytes)
            if request_bytes == GET:
                wait_for_request(server)
            started = time.monotonic()
        assert time.monotonic() - started < 5
    assert set(threading.enumerate()) <= threads  # one of an earlier test may have ended
    # The end of the server is not the client's.
    assert server.closings == {}
    with pytest.raises(ConnectionRefusedError):
        connect(server)


def test_failure_of_a_handler_is_raised_by_the_with_block() -> None:
    """An assertion in a handler fails the test, and the client is not left waiting."""

    def handler(exchange: Exchange) -> None:
        assert exchange.path == "/right"

    with (
        pytest.raises(AssertionError, match="/wrong"),
        ByteServer(handler) as server,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        httpx.get(server.url + "/wrong")


def test_routes_take_the_first_match_and_one_action_per_call() -> None:
    """A list is used up to its last action, which repeats; calls are counted by route."""

    def status(code: int) -> Any:
        return lambda exchange: exchange.respond(code)

    table = {
        ("GET", r"^/a$"): [status(500), status(201)],
        ("GET", r"^/a"): status(202),
        ("POST", r"^/a$"): status(203),
    }
    with ByteServer(routes(table)) as server, httpx.Client(base_url=server.url) as client:
        assert [client.get("/a?q").status_code for _ in range(3)] == [500, 201, 201]
        assert client.get("/ab").status_code == 202
        assert client.post("/a").status_code == 203
        assert client.get("/b/a").status_code == 404
        assert (server.count("GET", r"^/a$"), server.count("GET", "a")) == (3, 5)
        assert server.count("DELETE", "") == 0


def shape(value: Any) -> Any:
    """Replace what differs between conversations by its type."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else type(value)


def recorded_bodies() -> list[bytes]:
    """Give the response bodies of the recorded chat."""
    recording = yaml.load(CHAT_TEXT.read_bytes(), yaml.CSafeLoader)
    return [each["response"]["body"]["string"].encode() for each in recording["interactions"]]


def test_chat_ui_lines_are_those_of_the_recording() -> None:
    """Padding, line ends and blanks are the real server's."""
    assert recorded_bodies()[2] == b"".join(
        [
            chat_ui_script.STARTED,
            chat_ui_script.KEEP_ALIVE,
            chat_ui_script.line({"type": "title", "title": "Title: Hello there"}),
            *map(
                chat_ui_script.token,
                ["Echo", " (lab/text-small,", " turn", " 1):", " Hello", " there"],
            ),
            chat_ui_script.final("Echo (lab/text-small, turn 1): Hello there"),
            chat_ui_script.FINISHED,
        ]
    )


def test_chat_ui_create_has_the_recorded_shape() -> None:
    """The conversation is superjson in a string, and holds what the client asked for."""
    create, read, *_ = recorded_bodies()
    with ByteServer(chat_ui()) as server, httpx.Client(base_url=server.url) as client:
        response = client.post("/chat/conversation", json={"model": "m/n", "preprompt": "Be kind"})
        assert client.cookies["hf-chat"]
        assert shape(response.json()) == shape(json.loads(create))
        embedded = json.loads(response.json()["conversation"])
        assert shape(embedded) == shape(json.loads(json.loads(create)["conversation"]))
        assert embedded["json"]["model"] == "m/n"
        assert embedded["json"]["messages"][0]["content"] == "Be kind"
        assert embedded["json"]["rootMessageId"] == ROOT_MESSAGE_ID
        answer = client.get(f"/chat/api/v2/conversations/{CONVERSATION_ID}").json()
        assert shape(answer) == shape(json.loads(read))
