"""The providers under test: how to build a model for a byte server, and its good server in parts.

Tests of the generic rows of the matrix are written against an entry, so that a provider gets them
by adding one to `PROVIDERS`. A *part* is a request that the provider's server answers, by a name
of its own; a fault is a good server with one part replaced.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import pytest

from langchain_g4f import ChatHuggingChat, Clocks
from langchain_g4f.chat_models.base import BaseChatG4F
from tests.fault_tests import chat_ui_script as hc
from tests.fault_tests.byte_server import Action, ByteServer, ChunkedWriter, Exchange, routes

Part = Action | Sequence[Action]
After = Callable[[Exchange, ChunkedWriter], None]

CANARY = "canary-f3a91c77d2"
"""A part of every credential; it may turn up in cookies sent to the service and nowhere else."""

PATIENT = Clocks(
    connect=5, pool=5, write=5, first_event=5, silence=5, idle=5, linger=2, abort=1, total=20
)
"""Clocks that do not run out unless something is wrong."""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """What the tests have to know of a provider.

    Attributes:
        key: Its column in the matrix.
        name: How errors call it.
        build: Makes a model for a server's address.
        serve: Makes the good server, with some of its parts replaced.
        parts: Method and path of each part.
        good_call: The parts that a call asks, in order.
        unasked: The parts that a call asks when no model is set.
        answer: The part that gives the answer.
        abort: The parts that are asked to end an unfinished answer.
        after_cut: The parts that are asked when the answer's connection broke.
        content_type: Of the answer.
        start: What an answer begins with, before its text.
        heartbeat: What says only that the connection is alive.
        unknown: Something of a kind that is not known.
        token: A piece of text.
        end: What ends the answer, given its text; the first piece is the terminal event.
        cookies: What the model sends to the service, and to no other.
    """

    key: str
    name: str
    build: Callable[..., BaseChatG4F]
    serve: Callable[[Mapping[str, Part]], Action]
    parts: Mapping[str, tuple[str, str]]
    good_call: tuple[str, ...]
    unasked: tuple[str, ...]
    answer: str
    abort: tuple[str, ...]
    after_cut: tuple[str, ...]
    content_type: str
    start: tuple[bytes, ...]
    heartbeat: bytes
    unknown: bytes
    token: Callable[[str], bytes]
    end: Callable[[str], tuple[bytes, ...]]
    cookies: Mapping[str, str]

    def __repr__(self) -> str:
        return self.key

    def server(self, /, **parts: Part) -> ByteServer:
        """Make a good server, but for these parts; `answer` stands for the one of this name."""
        if "answer" in parts:
            parts[self.answer] = parts.pop("answer")
        return ByteServer(self.serve(parts))

    @cached_property
    def good(self) -> Action:
        """What the good server does with any request."""
        return self.serve({})

    def model(self, server: ByteServer, **settings: Any) -> BaseChatG4F:
        """Make a model for this server."""
        return self.build(server.url, **{"timeout": PATIENT, **settings})

    def part_of(self, request: Exchange) -> str:
        """Name the part that a request asks."""
        for name, (method, pattern) in self.parts.items():
            if method == request.method and re.search(pattern, request.path):
                return name
        return f"{request.method} {request.path}"

    def asked(self, server: ByteServer) -> tuple[str, ...]:
        """Name the parts that were asked, in order."""
        return tuple(self.part_of(request) for request in tuple(server.requests))

    def until(self, part: str, call: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Name the parts of a good call (or of this one) that comes to a part and no further."""
        call = call or self.good_call
        return call[: call.index(part) + 1]

    def whole(self, *texts: str) -> tuple[bytes, ...]:
        """Make the pieces of a whole answer."""
        return (*self.start, *map(self.token, texts), *self.end("".join(texts)))

    def answering(self, *pieces: bytes, then: After | None = None) -> Action:
        """Answer with these pieces, each in a chunk; then end well, or do what is said."""

        def act(exchange: Exchange) -> None:
            stream = exchange.start_stream(content_type=self.content_type)
            for piece in pieces:
                stream.chunk(piece)
            (then or end)(exchange, stream)

        return act


def end(_exchange: Exchange, stream: ChunkedWriter) -> None:
    """End the body in order."""
    stream.end()


def reset(exchange: Exchange, _stream: ChunkedWriter) -> None:
    """Break the connection, once what was sent has been read."""
    exchange.hold(0.03)
    exchange.reset()


def cut(exchange: Exchange, _stream: ChunkedWriter) -> None:
    """Close the connection inside the body."""
    exchange.close()


def hang(exchange: Exchange, _stream: ChunkedWriter) -> None:
    """Keep the connection and say nothing."""
    exchange.never_answer()


def fault(*rows: int, only: str = "") -> pytest.MarkDecorator:
    """Run a test for each provider that has these rows of the matrix."""
    chosen = [p for p in PROVIDERS if only in ("", p.key)]
    return pytest.mark.parametrize(
        "provider",
        [
            pytest.param(
                provider,
                id=provider.key,
                marks=pytest.mark.proves(*(f"fault:{row}:{provider.key}" for row in rows)),
            )
            for provider in chosen
        ],
    )


# --- HuggingChat ---------------------------------------------------------------------------------

_HC_MODELS = ("omni", "lab/text-small", "lab/vision-tools")
_HC_COOKIES = {"hf-chat": f"{CANARY}-session", "token": f"{CANARY}-site"}
_ID = "[0-9a-f]{24}"


def _hc_models(exchange: Exchange) -> None:
    entries = [{"id": name, "name": name, "unlisted": False} for name in _HC_MODELS]
    exchange.respond(200, hc.encode({"json": entries, "meta": {"values": {}, "v": 1}}))


def _hc_serve(parts: Mapping[str, Part]) -> Action:
    good: dict[str, Part] = {
        "models": _hc_models,
        "plain_models": _not_found,
        "create": _hc_create(itertools.count(1)),
        "send": hc.answer_ok,
        "stop": hc.stop_ok,
        "reattach": hc.reattach_gone,
        "read": hc.read_ok,
        "delete": hc.delete_ok,
    }
    assert parts.keys() <= good.keys()
    return routes({HUGGINGCHAT.parts[name]: part for name, part in (good | dict(parts)).items()})


def _hc_create(numbers: Iterator[int]) -> Action:
    """Create a conversation of its own for each call."""

    def act(exchange: Exchange) -> None:
        asked = json.loads(exchange.body)
        conversation = hc.conversation(asked["model"], asked.get("preprompt", ""))
        name = conversation["json"]["id"] = f"{next(numbers):024x}"
        created = {"conversationId": name, "conversation": hc.encode(conversation).decode()}
        exchange.respond(200, hc.encode(created), (("Set-Cookie", f"{hc.SESSION_COOKIE}; Path=/"),))

    return act


def _not_found(exchange: Exchange) -> None:
    exchange.respond(404, b'{"message":"Not found"}')


def _hc_model(url: str, **settings: Any) -> ChatHuggingChat:
    return ChatHuggingChat(
        **{
            "base_url": f"{url}/chat",
            "model": "lab/text-small",
            "cookies": _HC_COOKIES,
            **settings,
        }
    )


HUGGINGCHAT = Provider(
    key="HC",
    name="huggingchat",
    build=_hc_model,
    serve=_hc_serve,
    parts=MappingProxyType(
        {
            "models": ("GET", r"^/chat/api/v2/models$"),
            "plain_models": ("GET", r"^/chat/api/models$"),
            "create": ("POST", r"^/chat/conversation$"),
            "send": ("POST", rf"^/chat/conversation/{_ID}$"),
            "stop": ("POST", rf"^/chat/conversation/{_ID}/stop-generating$"),
            "reattach": ("GET", rf"^/chat/conversation/{_ID}/stream$"),
            "read": ("GET", rf"^/chat/api/v2/conversations/{_ID}$"),
            "delete": ("DELETE", rf"/conversations?/{_ID}$"),
        }
    ),
    good_call=("create", "send"),
    unasked=("models", "create", "send"),
    answer="send",
    abort=("stop",),
    after_cut=("read", "reattach"),
    content_type="application/jsonl",
    start=(hc.STARTED,),
    heartbeat=hc.KEEP_ALIVE,
    unknown=hc.line({"type": "weather", "sun": True}),
    token=hc.token,
    end=lambda text: (hc.final(text), hc.FINISHED),
    cookies=_HC_COOKIES,
)

PROVIDERS = (HUGGINGCHAT,)
