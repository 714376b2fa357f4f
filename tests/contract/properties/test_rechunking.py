"""Property 1: how the network cuts an answer changes nothing."""

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
from langchain_g4f.errors import G4FError
from tests.contract.properties.answers import (
    LINES,
    Answer,
    cuts,
    decode,
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
