"""The recordings of both versions of the server, and models on them."""

from __future__ import annotations

import asyncio
import itertools
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import APIError
from tests.contract.recordings.replay import (
    Replayer,
    Routed,
    SentRequest,
    Transport,
    UploadedFile,
    load,
)
from tests.contract.recordings.suite import CASSETTES, CHUNKINGS, WAYS, ask

CURRENT, LEGACY = "huggingchat", "huggingchat-legacy"
TEXT, VISION, REASONER = "lab/text-small", "lab/vision-tools", "lab/reasoner"
MODELS = ["omni", TEXT, VISION, REASONER]
LEGACY_MODELS = [TEXT, VISION, REASONER]
COOKIES = "hf-chat=00000000-0000-4000-8000-000000000001"
"""The identity of most recordings."""
THOUGHTS = "First I look at the question. Then I answer it."

by_chunking = pytest.mark.parametrize("chunking", CHUNKINGS)
by_way = pytest.mark.parametrize("way", WAYS)
by_stream = pytest.mark.parametrize("way", ["stream", "astream"])
by_mode = pytest.mark.parametrize(
    ("way", "chunking"),
    [("invoke", "whole"), ("ainvoke", "bytes"), ("stream", "bytes"), ("astream", "whole")],
)
"""Each way to ask, and each way to cut the answer with a sync and an async one."""
by_stream_mode = pytest.mark.parametrize(
    ("way", "chunking"), [("stream", "bytes"), ("astream", "whole")]
)


def proves(*names: str) -> pytest.MarkDecorator:
    """The mark of a test that replays these recordings."""
    return pytest.mark.proves(*(f"cassette:{name}" for name in names))


def by_version(name: str) -> pytest.MarkDecorator:
    """The recordings of this name on both versions of the server."""
    names = [f"{version}/{name}" for version in (CURRENT, LEGACY)]
    return pytest.mark.parametrize("recording", [pytest.param(n, marks=proves(n)) for n in names])


def play(name: str, chunking: str = "whole", **options: Any) -> Replayer:
    """A replayer of a recording."""
    return load(CASSETTES / f"{name}.yaml")(chunking=chunking, **options)


def model_on(
    replayer: Replayer, transport: Transport | None = None, **settings: Any
) -> ChatHuggingChat:
    """A model on the server that was recorded, reached by the replayer or another transport."""
    host = replayer.recorded[0].headers["host"]
    transport = transport or replayer
    defaults: dict[str, Any] = {
        "base_url": f"http://{host}/chat",
        "max_retries": 0,
        "http_client": httpx.Client(transport=transport),
        "http_async_client": httpx.AsyncClient(transport=transport),
    }
    return ChatHuggingChat(**defaults | settings)


def with_models(transport: Transport, listed: str = "huggingchat/models-list-v2") -> Routed:
    """A server that is recorded, and its list of models, which is another recording."""
    models = play(listed)
    path = models.recorded[0].path
    return Routed(lambda request: models if request.url.path == path else transport)


def with_deletions(transport: Transport, deleted: list[str]) -> Routed:
    """A recorded server that lets conversations be deleted, which the recording client did not.

    Args:
        transport: The server.
        deleted: Gets the path of each.
    """

    def delete(request: httpx.Request) -> httpx.Response:
        deleted.append(request.url.path)
        return httpx.Response(200)

    deleting = httpx.MockTransport(delete)
    return Routed(lambda request: deleting if request.method == "DELETE" else transport)


def legacy_server(transport: Transport) -> Routed:
    """A recorded server of the older generation, its list of models, and its page.

    Servers show that page under each path they do not know (9.2). Few recordings hold it, for
    the recording client never asked.
    """
    pages = play("huggingchat-legacy/api-v2-on-legacy-server")
    unknown = httpx.MockTransport(lambda _: pages.response(3))
    known = with_models(transport, "huggingchat-legacy/models-list-plain")
    return Routed(lambda request: unknown if "/api/v2/" in request.url.path else known)


def model_for(recording: str, replayer: Replayer, **settings: Any) -> ChatHuggingChat:
    """A model on the server of this recording, with the server's list of models."""
    legacy = recording.startswith(LEGACY)
    server = legacy_server(replayer) if legacy else with_models(replayer)
    return model_on(replayer, server, **settings)


def played(replayer: Replayer) -> list[int]:
    """Which interactions were played, in order."""
    return [request.interaction for request in replayer.requests]


def said(recording: str, *messages: tuple[str, str]) -> str:
    """What the recorded model answers when it is to repeat what it was told."""
    before = [("system", "")] if recording.startswith(LEGACY) else []
    return json.dumps([{"role": role, "text": text} for role, text in [*before, *messages]])


def name_runs(model: ChatHuggingChat, *run_ids: str) -> None:
    """Let the model name its runs as in the recording; the ids between them are boundaries."""
    others = (str(uuid.UUID(int=number)) for number in itertools.count())
    named = itertools.chain.from_iterable((run_id, next(others)) for run_id in run_ids)
    ids = itertools.chain(named, others)
    model._state.new_id = lambda: next(ids)


@dataclass(frozen=True)
class Refused:
    """A recorded conversation that the caller cannot continue.

    Attributes:
        recording: Name of the recording.
        conversation: Id of the conversation.
        skipped: Interactions of other clients before that.
        error: Class of the error that the caller gets.
        status: HTTP status of the server.
    """

    recording: str
    conversation: str
    skipped: tuple[int, ...]
    error: type[APIError]
    status: int


def refused(*found: Refused) -> pytest.MarkDecorator:
    """Each of them, marked with its recording."""
    cases = [pytest.param(each, id=each.recording, marks=proves(each.recording)) for each in found]
    return pytest.mark.parametrize("refused", cases)


def handle_of(
    replayer: Replayer, conversation: str, *, anchor: str = "none", position: int = 0
) -> AIMessage:
    """An answer of which a caller has only the handle."""
    handle = {
        "provider": "huggingchat",
        "server": f"http://{replayer.recorded[0].headers['host']}/chat",
        "conversation": conversation,
        "anchor": anchor,
        "position": position,
        "run_id": "00000000-0000-4000-8000-00000000000a",
        "digest": "",
    }
    return AIMessage("", response_metadata={"conversation": handle, "finish_reason": "stop"})


async def converse(model: ChatHuggingChat, way: str, questions: Sequence[Any]) -> list[BaseMessage]:
    """Ask one question after the other, each with all that was said before it."""
    history: list[BaseMessage] = []
    for question in questions:
        history.append(HumanMessage(question))
        history.append(await ask(model, history, way))
    return history


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait for what the event loop does a few turns after a generator was closed."""
    async with asyncio.timeout(1):
        while not condition():  # noqa: ASYNC110 -- there is no event to wait for
            await asyncio.sleep(0.001)


def assert_as_recorded(replayer: Replayer, *, labels: bool = True) -> None:
    """Nothing was asked that the recording does not hold, and all was said that it holds.

    What is compared: the fields of each body, its files byte by byte, the origin, and the cookie
    once the server gave one. Beyond the recording, a client may name its run, and say that it
    wants no tool servers: the recorded server's operator had none, so that it was left out.

    Args:
        replayer: Of the recording.
        labels: Whether the files have to be called what they were called.
    """
    assert not replayer.refused
    for number, played in enumerate(replayer.requests):
        recorded = replayer.recorded[played.interaction]
        if recorded.fields:
            assert played.fields.keys() == recorded.fields.keys()
            assert files(played, labels=labels) == files(recorded, labels=labels)
            assert played.headers["origin"] == recorded.headers["origin"]
        if isinstance(recorded.json, dict):
            free = {"generationId", "selectedMcpServerNames"} - recorded.json.keys()
            assert "selectedMcpServerNames" not in free or not played.json.get(
                "selectedMcpServerNames"
            )
            said = {key: value for key, value in played.json.items() if key not in free}
            assert said == recorded.json
        if number and "cookie" in recorded.headers:
            assert played.headers["cookie"] == recorded.headers["cookie"]


def files(request: SentRequest, *, labels: bool) -> list[UploadedFile]:
    """The files of a request, with or without what they are called."""
    return [file if labels else file._replace(content_type=None) for file in request.files]
