"""Properties 1 and 4: how the network cuts an answer changes nothing, and a cut is no end."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk

from langchain_g4f import ChatHuggingChat
from langchain_g4f.chat_models import client as model_client
from langchain_g4f.core.events import Finish
from langchain_g4f.errors import G4FError
from langchain_g4f.text.think import without_reasoning
from tests.contract.properties.answers import (
    EVENTS,
    LINES,
    Answer,
    cuts,
    decode,
    good_answers,
    in_pieces,
    recorded_answers,
)

BASE_URL = "http://127.0.0.1/chat"
ANSWERS = recorded_answers()
PIECES = st.sampled_from(ANSWERS).flatmap(
    lambda answer: st.tuples(st.just(answer), cuts(answer.told))
)
SENT = [answer for answer in ANSWERS if answer.kind == LINES]


def test_recorded_answers_of_both_folders_are_all_found() -> None:
    """The properties below speak of some hundred answers, six of them re-attached streams."""
    assert sum(answer.kind != LINES for answer in ANSWERS) == 6
    assert sum(answer.legacy for answer in ANSWERS) == 33
    assert len(ANSWERS) == 119


@pytest.mark.proves("property:1", "fault:18:HC", "fault:19:HC")
@given(cutting=PIECES)
def test_answer_cut_anywhere_gives_the_same_events(cutting: tuple[Answer, list[bytes]]) -> None:
    """The events, and the error if it ends in one, are those of the whole."""
    answer, pieces = cutting
    assert (
        decode(answer.decoder(), pieces).outcome == decode(answer.decoder(), [answer.told]).outcome
    )


@pytest.mark.proves("property:1")
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.name)
def test_every_answer_in_pieces_of_each_small_size_gives_the_same_events(answer: Answer) -> None:
    """Single bytes included, and padding as it was recorded."""
    whole = decode(answer.decoder(), [answer.body]).outcome
    assert decode(answer.decoder(), [answer.told]).outcome == whole
    assert decode(answer.decoder(), in_pieces(answer.body, 4096)).outcome == whole
    for size in (1, 2, 3, 5, 7, 16):
        assert decode(answer.decoder(), in_pieces(answer.told, size)).outcome == whole


class _Server(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Creates a conversation, and answers the message with these pieces; knows nothing else."""

    def __init__(self, pieces: list[bytes], *, legacy: bool) -> None:
        self._pieces, self._legacy = pieces, legacy

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._answer(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self._answer(request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        match request.method, request.url.path.removeprefix("/chat"):
            case "POST", "/conversation":
                created = {"conversationId": "1"}
                if not self._legacy:
                    created["conversation"] = json.dumps({"json": {"rootMessageId": "2"}})
                return _response(200, "application/json", [json.dumps(created).encode()])
            case "POST", "/conversation/1":
                return _response(200, LINES, self._pieces)
            case "GET", "/conversation/1/__data.json" if self._legacy:
                page = [{"rootMessageId": 1, "messages": 2}, "2", []]
                body = {"type": "data", "nodes": [{"type": "data", "data": page}]}
                return _response(200, "text/sveltekit-data", [json.dumps(body).encode()])
            case "GET", path if self._legacy and path.startswith("/api/v2/"):
                return _response(200, "text/html", [b"<html>"])
            case _:
                return _response(404, "application/json", [b'{"message":"Not found"}'])


class _Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


def _response(status: int, kind: str, pieces: list[bytes]) -> httpx.Response:
    return httpx.Response(status, headers={"content-type": kind}, stream=_Pieces(pieces))


def _model(answer: Answer, pieces: list[bytes]) -> ChatHuggingChat:
    model_client._cache.clear()
    transport = _Server(pieces, legacy=answer.legacy)
    model = ChatHuggingChat(
        base_url=BASE_URL,
        model="m",
        http_client=httpx.Client(transport=transport),
        http_async_client=httpx.AsyncClient(transport=transport),
    )
    model._state.new_id = iter(["run", *["id"] * 9]).__next__
    return model


@pytest.mark.proves("property:1", "promise:drivers-agree")
@given(
    cutting=st.sampled_from(SENT).flatmap(
        lambda answer: st.tuples(st.just(answer), cuts(answer.told))
    )
)
async def test_answer_cut_anywhere_gives_the_same_chunks_sync_and_async(
    cutting: tuple[Answer, list[bytes]],
) -> None:
    """Through the public class, chunk for chunk, and the same error at the same place."""
    answer, pieces = cutting
    blocking = _chunks(_model(answer, pieces))
    assert await _achunks(_model(answer, pieces)) == blocking
    whole, error = _chunks(_model(answer, [answer.told]))
    assert (_joined(whole), error) == (_joined(blocking[0]), blocking[1])


Outcome = tuple[list[Any], object]


def _chunks(model: ChatHuggingChat) -> Outcome:
    found: list[AIMessageChunk] = []
    try:
        found.extend(model.stream("hi"))
    except G4FError as error:
        return _told(found), (type(error), str(error), vars(error))
    return _told(found), None


async def _achunks(model: ChatHuggingChat) -> Outcome:
    found: list[AIMessageChunk] = []
    try:
        async for chunk in model.astream("hi"):
            found.append(chunk)  # noqa: PERF401 -- it may fail, and what came before counts
    except G4FError as error:
        return _told(found), (type(error), str(error), vars(error))
    return _told(found), None


def _told(chunks: list[AIMessageChunk]) -> list[Any]:
    return [chunk.model_dump(exclude={"id"}) for chunk in chunks]


def _joined(chunks: list[Any]) -> str:
    return "".join(chunk["content"] for chunk in chunks)


GOOD = good_answers()
CUT_OFF = st.sampled_from(GOOD).flatmap(
    lambda answer: st.tuples(st.just(answer), st.integers(0, len(answer.told) - 1))
)


def _has_final_answer(prefix: bytes, kind: str) -> bool:
    """Whether a whole `finalAnswer` is in there; read without the code under test."""
    lines = prefix.decode(errors="replace").split("\n")
    if kind == EVENTS:  # an event counts once a blank line ends it
        blocks = "\n".join(lines).split("\n\n")[:-1]
        lines = [line[6:] for block in blocks for line in block.split("\n") if line[:6] == "data: "]
    return any(_type(line) == "finalAnswer" for line in lines)


def _type(line: str) -> object:
    try:
        return json.loads(line.strip(" \0"))["type"]
    except (ValueError, KeyError):
        return None


@pytest.mark.proves("property:4", "fault:15:HC", "obligation:huggingchat:10")
@given(case=CUT_OFF, data=st.data())
def test_answer_cut_off_anywhere_finishes_only_with_its_final_answer(
    case: tuple[Answer, int], data: st.DataObject
) -> None:
    """Neither as stopped nor otherwise; and what was said until then is what was said."""
    answer, length = case
    prefix = answer.told[:length]
    part = decode(answer.decoder(), data.draw(cuts(prefix)))
    whole = decode(answer.decoder(), [answer.told])
    assert part.finished == bool(part.finishes) == _has_final_answer(prefix, answer.kind)
    open_end = decode(answer.decoder(), [prefix], close=False)
    assert open_end.events == whole.events[: len(open_end.events)]
    assert whole.text.startswith(open_end.text)


@pytest.mark.proves("property:4")
@pytest.mark.parametrize("answer", GOOD[::4], ids=lambda answer: answer.name)
def test_good_answer_cut_off_at_its_line_ends_finishes_only_with_its_final_answer(
    answer: Answer,
) -> None:
    """The places where a cut looks most like an end."""
    ends = [at for at, byte in enumerate(answer.told) if byte in b"\n}"]
    for end in ends:
        for length in (end, end + 1):
            prefix = answer.told[:length]
            finishes = decode(answer.decoder(), [prefix]).finishes
            assert ("stop" in finishes) == _has_final_answer(prefix, answer.kind)


@pytest.mark.proves("property:4", "obligation:huggingchat:11")
@given(
    tokens=st.lists(st.text("a <think>/\n", min_size=1, max_size=12), min_size=1, max_size=6),
    data=st.data(),
)
def test_made_up_answer_cut_off_anywhere_never_finishes(
    tokens: list[str], data: st.DataObject
) -> None:
    """Whatever is said, reasoning and half tags included; and whole it is the final answer."""
    said = "".join(tokens)
    updates = [
        *({"type": "stream", "token": token.ljust(16, "\0")} for token in tokens),
        {"type": "finalAnswer", "text": said.strip(), "interrupted": False},
    ]
    body = b"".join(json.dumps(update).encode() + b"\n" for update in updates)
    answer = Answer("made up", LINES, body)
    length = data.draw(st.integers(0, len(body) - 2))  # without its LF it is complete
    part = decode(answer.decoder(), data.draw(cuts(body[:length])))
    assert not part.finished
    assert not part.finishes
    whole = decode(answer.decoder(), data.draw(cuts(body)))
    assert whole.events[-1] == Finish("stop")
    assert whole.text.strip() == without_reasoning(said).strip()
