"""The replayer of recorded conversations: it never guesses, and never gives a stale answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.contract.recordings.replay import Chunking, Cut, Replayer, Routed, UploadedFile, load

CASSETTES = Path(__file__).parents[3] / "cassettes" / "huggingchat"
ORIGIN = "http://127.0.0.1:9"
TEXT = CASSETTES / "chat-text.yaml"
TEXT_CONVERSATION = "/chat/conversation/6afff9ab977cd9b5eedcd01d"
TEXT_READ = "/chat/api/v2/conversations/6afff9ab977cd9b5eedcd01d"
TEXT_DATA = {"inputs": "Hello there", "id": "3a363297-56eb-460e-8091-1df43d0207ce"}
PADDING = b" " * 4096
STOPPED = CASSETTES / "stop-generating.yaml"
STOPPED_CONVERSATION = "/chat/conversation/6afff9ba977cd9b5eedcd149"
STOPPED_DATA = {
    "inputs": "count [[long:100]][[pace:100]]",
    "id": "c620915e-a2ff-4854-9293-4332c0a6c3dc",
}


def client_of(replayer: Replayer) -> httpx.Client:
    """Make a client that knows no other server."""
    return httpx.Client(transport=replayer, base_url=ORIGIN)


def form(data: object) -> dict[str, tuple[None, str]]:
    """Make a multipart form with the one part `data`: text as it is, anything else as JSON."""
    return {"data": (None, data if isinstance(data, str) else json.dumps(data))}


def recorded(path: Path) -> list[dict[str, Any]]:
    """Read the interactions, not through the replayer."""
    return list(yaml.load(path.read_bytes(), yaml.CSafeLoader)["interactions"])


def request_of(interaction: dict[str, Any]) -> httpx.Request:
    """Make the request that was recorded."""
    request = interaction["request"]
    headers = {name: values[0] for name, values in request["headers"].items()}
    return httpx.Request(
        request["method"], request["uri"], headers=headers, content=request["body"]
    )


def body_of(interaction: dict[str, Any]) -> bytes:
    """Give the recorded body's bytes."""
    content: str | bytes = interaction["response"]["body"]["string"]
    return content.encode() if isinstance(content, str) else content


@pytest.mark.parametrize("path", sorted(CASSETTES.glob("*.yaml")), ids=lambda path: path.stem)
def test_recording_replayed_with_its_own_requests_gives_its_own_responses(path: Path) -> None:
    """Each recorded request is answered by its own interaction, byte for byte."""
    replayer = load(path)()
    with client_of(replayer) as client:
        for interaction in recorded(path):
            response = client.send(request_of(interaction))
            assert response.status_code == interaction["response"]["status"]["code"]
            assert response.reason_phrase == interaction["response"]["status"]["message"]
            assert response.content == body_of(interaction)
    played = [request.interaction for request in replayer.requests]
    assert played == list(range(len(recorded(path))))
    assert not replayer.unplayed


@pytest.mark.proves("promise:replay-chunking")
@pytest.mark.parametrize("chunking", ["whole", "bytes"])
async def test_async_client_gets_the_same_bytes_in_the_asked_chunking(chunking: Chunking) -> None:
    """One class serves both kinds of client; the chunking changes no byte."""
    replayer = load(TEXT)(chunking=chunking)
    expected = body_of(recorded(TEXT)[2])
    async with httpx.AsyncClient(transport=replayer, base_url=ORIGIN) as client:
        data = form(TEXT_DATA)
        async with client.stream("POST", TEXT_CONVERSATION, files=data) as response:
            chunks = [chunk async for chunk in response.aiter_raw()]
    assert b"".join(chunks) == expected
    assert len(chunks) == (1 if chunking == "whole" else len(expected) - len(PADDING) + 1)


@pytest.mark.proves("promise:replay-forward-only")
def test_skipped_read_is_not_given_to_a_later_request() -> None:
    """After the send, a read gets the conversation as it was then, not as it was before."""
    replayer = load(TEXT)()
    with client_of(replayer) as client:
        client.post(TEXT_CONVERSATION, files=form(TEXT_DATA))
        assert len(client.get(TEXT_READ).json()["json"]["messages"]) == 3
        with pytest.raises(AssertionError, match="No recorded answer is left"):
            client.get(TEXT_READ)
    assert [request.interaction for request in replayer.requests] == [2, 3]
    assert list(replayer.unplayed) == [0, 1]


def test_write_recorded_before_the_stream_it_stopped_is_played_after_it_once() -> None:
    """A stop is recorded before the stream it ends, and is sent while that stream is read."""
    replayer = load(STOPPED)()
    with client_of(replayer) as client:
        client.post("/chat/conversation", json={"model": "lab/text-small"})
        client.post(STOPPED_CONVERSATION, files=form(STOPPED_DATA))
        assert client.post(STOPPED_CONVERSATION + "/stop-generating").status_code == 200
        assert client.get("/chat/api/v2/conversations/6afff9ba977cd9b5eedcd149").is_success
        with pytest.raises(AssertionError, match="stop-generating"):
            client.post(STOPPED_CONVERSATION + "/stop-generating")
    assert [request.interaction for request in replayer.requests] == [0, 3, 2, 4]


def test_other_query_is_another_address() -> None:
    """A request with the recorded path but without its query is not that request."""
    replayer = load(CASSETTES / "resume-after-client-disconnect.yaml")()
    path = "/chat/conversation/6afff9bd977cd9b5eedcd163/stream"
    generation = "903ae0ee-fffe-4438-8c69-e6b2bc0cac64"
    queries: tuple[dict[str, str | int], ...] = (
        {},
        {"generationId": generation},
        {"generationId": generation, "fromSeq": 5},
    )
    with client_of(replayer) as client:
        for query in queries:
            with pytest.raises(AssertionError):
                client.get(path, params=query)
        # The order of a query's keys says nothing.
        assert client.get(path, params={"fromSeq": 4, "generationId": generation}).is_success


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="the default may be left out"),
        pytest.param({"is_retry": False}, id="or be sent"),
        pytest.param({"generationId": "x"}, id="a key that was not recorded"),
    ],
)
def test_json_with_all_recorded_values_matches(more: dict[str, object]) -> None:
    """A client has to say what was recorded and may say more."""
    with client_of(load(TEXT)()) as client:
        assert client.post(TEXT_CONVERSATION, files=form(TEXT_DATA | more)).is_success


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(TEXT_DATA | {"is_retry": True}, id="not the default"),
        pytest.param(TEXT_DATA | {"inputs": "Hi"}, id="another value"),
        pytest.param({"inputs": "Hello there"}, id="a recorded key is missing"),
        pytest.param(["Hello there"], id="not an object"),
        pytest.param("Hello there", id="not JSON"),
    ],
)
def test_json_without_a_recorded_value_does_not_match(data: object) -> None:
    """A client that says something else does not get the answer to what was said."""
    with client_of(load(TEXT)()) as client, pytest.raises(AssertionError):
        client.post(TEXT_CONVERSATION, files=form(data))


@pytest.mark.proves("promise:replay-forward-only")
def test_refusal_lists_the_request_and_what_is_left() -> None:
    """The message shows what was asked, what could still be asked, and what has been passed."""
    replayer = load(STOPPED)()
    with client_of(replayer) as client:
        client.post(STOPPED_CONVERSATION, files=form(STOPPED_DATA))
        with pytest.raises(AssertionError) as refusal:
            client.patch("/chat/elsewhere?a=b", json={"title": "T"})
    message = str(refusal.value)
    assert "left for PATCH /chat/elsewhere?a=b {'title': 'T'}" in message
    assert "\n  2 (passed) POST /chat/conversation/6afff9ba977cd9b5eedcd149/stop-gen" in message
    assert "\n  4 GET /chat/api/v2/conversations/6afff9ba977cd9b5eedcd149" in message
    assert "\n  3 " not in message
    # Known also where the client swallowed the error.
    assert replayer.refused == [message]


def test_address_other_than_loopback_is_refused() -> None:
    """The port is free, the host is not: a test never speaks to a public service."""
    replayer = load(TEXT)()
    with client_of(replayer) as client:
        with pytest.raises(AssertionError, match="huggingface"):
            client.get("https://huggingface.co" + TEXT_READ)
        assert client.get("http://127.0.0.1:1" + TEXT_READ).is_success


def test_stream_closed_midway_says_so_and_gives_no_more() -> None:
    """The replayer shows how far a reader came, and that it let go."""
    replayer = load(TEXT)(chunking="bytes")
    with client_of(replayer) as client, client.stream("GET", TEXT_READ) as response:
        chunks = response.iter_raw()
        assert next(chunks) + next(chunks) == b'{"'
        assert [played.stream.closed for played in replayer.requests] == [False]
        response.close()
        assert [played.stream.closed for played in replayer.requests] == [True]
        with pytest.raises(httpx.StreamClosed):
            next(chunks)
    assert [played.stream.delivered for played in replayer.requests] == [2]


def test_headers_keep_each_cookie_and_drop_the_framing() -> None:
    """Several set-cookie lines stay several; the joined body has neither chunks nor a coding."""
    path = CASSETTES / "auth-login-flow.yaml"
    with client_of(load(path)()) as client:
        response = client.send(request_of(recorded(path)[0]))
        names = [line.partition("=")[0] for line in response.headers.get_list("set-cookie")]
        assert names == ["hf-chat", "hfChat-codeVerifier"]
        assert "transfer-encoding" not in response.headers
        assert "content-length" not in response.headers


def test_played_request_holds_what_was_sent() -> None:
    """A test can look at the parts of each request."""
    path = CASSETTES / "chat-two-images.yaml"
    replayer = load(path)()
    send = request_of(recorded(path)[2])
    data = send.content.partition(b"\r\n\r\n")[2].partition(b"\r\n")[0].decode()
    files = [
        ("files", ("base64;a.png", b"AA==", "image/png")),
        ("files", ("base64;b ; żółw.png", b"\r\n--\xff", "image/png")),
    ]
    with client_of(replayer) as client:
        headers = {"origin": ORIGIN}
        client.post(send.url.path, data={"data": data}, files=files, headers=headers)
        with pytest.raises(AssertionError):
            client.get(send.url.path, params={"p": 1})
    (played,) = replayer.requests
    assert (played.method, played.path, str(played.query)) == ("POST", send.url.path, "")
    assert (played.interaction, played.headers["origin"]) == (2, ORIGIN)
    assert played.json["inputs"] == "Compare"
    assert list(played.fields) == ["data"]
    assert played.files == (
        UploadedFile("files", "base64;a.png", "image/png", b"AA=="),
        UploadedFile("files", "base64;b ; żółw.png", "image/png", b"\r\n--\xff"),
    )


@pytest.mark.parametrize("chunking", ["whole", "bytes"])
def test_cut_answer_breaks_or_ends_where_it_is_told_to(chunking: Chunking) -> None:
    """A connection can break behind given bytes, or at the end, or be closed in good order."""
    read = body_of(recorded(TEXT)[1])
    cuts = {0: Cut(), 1: Cut(after=b"messages", broken=False)}
    replayer = load(TEXT)(chunking=chunking, cut=cuts)
    with client_of(replayer) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.post("/chat/conversation", json={"model": "lab/text-small"})
        assert client.get(TEXT_READ).content == read[: read.index(b"messages") + 8]
    assert replayer.requests[0].stream.delivered == len(body_of(recorded(TEXT)[0]))


def test_cut_behind_bytes_that_are_not_there_is_refused() -> None:
    """A typo in a test does not turn a cut answer into a whole one."""
    replayer = load(TEXT)(cut={1: Cut(after=b"nowhere")})
    with client_of(replayer) as client, pytest.raises(AssertionError, match="nowhere"):
        client.get(TEXT_READ)


def test_interaction_of_another_client_is_neither_played_nor_left() -> None:
    """What another client did in a recording is passed over, a read as well as a write."""
    replayer = load(STOPPED)()
    replayer.skip(0, 1, 2)
    with client_of(replayer) as client:
        with pytest.raises(AssertionError):
            client.post("/chat/conversation", json={"model": "lab/text-small"})
        assert client.post(STOPPED_CONVERSATION, files=form(STOPPED_DATA)).is_success
    assert list(replayer.unplayed) == [4]


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_requests_go_where_they_are_routed_to(kind: str) -> None:
    """Two recordings can be one server, for both kinds of client."""
    replayer, elsewhere = load(TEXT)(), load(STOPPED)()
    transport = Routed(lambda request: elsewhere if "cd149" in request.url.path else replayer)
    address = "http://127.0.0.1:9" + TEXT_READ
    stop = f"http://127.0.0.1:9{STOPPED_CONVERSATION}/stop-generating"
    for request in (httpx.Request("GET", address), httpx.Request("POST", stop)):
        if kind == "sync":
            assert transport.handle_request(request).is_success
        else:
            assert (await transport.handle_async_request(request)).is_success
    assert [each.interaction for each in replayer.requests] == [1]
    assert [each.interaction for each in elsewhere.requests] == [2]
