"""What a test can change about a recording: where answers end, and what somebody else did."""

import httpx
import pytest

from tests.contract.recordings.replay import Chunking, Cut, Routed, load
from tests.contract.recordings.test_replay import (
    STOPPED,
    STOPPED_CONVERSATION,
    STOPPED_DATA,
    TEXT,
    TEXT_CONVERSATION,
    TEXT_DATA,
    TEXT_READ,
    body_of,
    client_of,
    form,
    recorded,
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


def test_interaction_of_somebody_else_is_neither_played_nor_left() -> None:
    """What another client did in a recording is passed over, a read as well as a write."""
    replayer = load(STOPPED)()
    replayer.skip(0, 1, 2)
    with client_of(replayer) as client:
        with pytest.raises(AssertionError):
            client.post("/chat/conversation", json={"model": "lab/text-small"})
        assert client.post(STOPPED_CONVERSATION, files=form(STOPPED_DATA)).is_success
    assert list(replayer.unplayed) == [4]


def test_ignore_names_what_else_may_be_left_out() -> None:
    """A test can say which recorded value a client need not send."""
    replayer = load(TEXT)(ignore={"is_retry": False, "inputs": "Hello there"})
    with client_of(replayer) as client:
        assert client.post(TEXT_CONVERSATION, files=form({"id": TEXT_DATA["id"]})).is_success


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
