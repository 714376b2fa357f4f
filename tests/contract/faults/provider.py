"""What the tests have to know of a provider, and what its server does at the end of an answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from langchain_g4f import Clocks
from langchain_g4f.chat_models.base import BaseChatG4F
from tests.contract.faults.byte_server import Action, ByteServer, ChunkedWriter, Exchange
from tests.contract.faults.multipart import Uploaded

Part = Action | Sequence[Action]
After = Callable[[Exchange, ChunkedWriter], None]
Hear = Callable[[Exchange, bytes], None]

CANARY = "canary-f3a91c77d2"
"""A part of every credential; it may turn up in what is sent to its service and nowhere else."""

PATIENT = Clocks(
    connect=5, pool=5, write=5, first_event=5, silence=5, idle=5, linger=2, abort=1, total=20
)
"""Clocks that do not run out unless something is wrong."""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """What the tests have to know of a provider.

    A *part* is a request that the provider's server answers, by a name of its own; a fault is a
    good server with one part replaced.

    Attributes:
        key: Its column in the matrix.
        name: How errors call it.
        build: Makes a model for a server's address.
        serve: Makes the good server, with some of its parts replaced.
        parts: Method and path of each part.
        good_call: The parts that a first call asks, in order.
        again: The parts that a later call asks.
        full_call: The parts of a call that asks as many as it can.
        full_settings: Of the model that makes such a call.
        full_prompt: What such a call says.
        create: The first part that is more than a read.
        repeated: The parts that are asked again when a gateway fails.
        message: The part that takes the message, and begins what an abort ends.
        answer: The part that gives the answer.
        hearing: Makes the parts of a server that answers with the message at hand.
        abort: The parts that are asked to end an unfinished answer.
        after_refusal: The parts that are asked when the message is refused: nothing stays of it.
        after_cut: The parts that are asked when the answer's connection broke.
        after_silent_cut: The same, where the answer had not said anything.
        content_type: Of the answer.
        start: What an answer begins with, before its text.
        line: Makes an event of these bytes.
        heartbeat: What says only that the connection is alive.
        unknown: Something of a kind that is not known.
        failure: What reports a failure.
        token: A piece of text.
        end: What ends the answer, given its text; the first piece is the terminal event. Nothing
            where the end of the body is all there is.
        finish_reason: Of an answer that came to its end.
        cookies: What the model sends to the service, and to no other.
        authorization: The same, in the header of that name.
        login: Where to log in, for a server's address.
        credentials: All that is secret in a model.
        unsupported: Blocks that the service does not take, and what is named of them.
        image_parts: The parts that differ on a server whose model takes images.
        image_settings: Of the model that takes them.
        before_image: The parts that are asked before an image is looked at.
        received: The images that a server got.
        curl: Whether its models make their requests as a browser does, and not with httpx.
    """

    key: str
    name: str
    build: Callable[..., BaseChatG4F]
    serve: Callable[[Mapping[str, Part]], Action]
    parts: Mapping[str, tuple[str, str]]
    good_call: tuple[str, ...]
    again: tuple[str, ...]
    full_call: tuple[str, ...]
    full_settings: Mapping[str, Any]
    full_prompt: Any
    create: str
    repeated: tuple[str, ...] = ()
    message: str
    answer: str
    hearing: Callable[[Hear], Mapping[str, Part]]
    abort: tuple[str, ...] = ()
    after_refusal: tuple[str, ...] = ()
    after_cut: tuple[str, ...] = ()
    after_silent_cut: tuple[str, ...] = ()
    content_type: str
    start: tuple[bytes, ...] = ()
    line: Callable[[bytes], bytes]
    heartbeat: bytes
    unknown: bytes
    failure: bytes
    token: Callable[[str], bytes]
    end: Callable[[str], tuple[bytes, ...]] = lambda _: ()
    finish_reason: str = "stop"
    cookies: Mapping[str, str]
    authorization: str | None
    login: Callable[[str], str]
    credentials: tuple[str, ...]
    unsupported: Mapping[str, tuple[dict[str, Any], str]]
    image_parts: Mapping[str, Part] = field(default_factory=dict)
    image_settings: Mapping[str, Any] = field(default_factory=dict)
    before_image: tuple[str, ...] = ()
    received: Callable[[Sequence[Exchange]], list[Uploaded]] = lambda _: []
    curl: bool = False

    def __repr__(self) -> str:
        return f"{self.key}-curl" if self.curl else self.key

    def on_curl(self) -> Provider:
        """The same provider, whose models look like a browser on the wire."""

        def build(url: str, **settings: Any) -> BaseChatG4F:
            return self.build(url, **{"impersonate": "chrome", **settings})

        return replace(self, build=build, curl=True)

    def server(self, /, **parts: Part) -> ByteServer:
        """Make a good server, but for these parts; `answer` stands for the one of this name."""
        if "answer" in parts:
            parts[self.answer] = parts.pop("answer")
        return ByteServer(self.serve(parts))

    @property
    def marks_end(self) -> bool:
        """Whether an answer says that it is whole."""
        return bool(self.end(""))

    @property
    def begins_with_message(self) -> bool:
        """Whether the first request of a call is the one that has the caller's text."""
        return self.create == self.good_call[0]

    @cached_property
    def good(self) -> Action:
        """What the good server does with any request."""
        return self.serve({})

    def model(self, server: ByteServer, **settings: Any) -> BaseChatG4F:
        """Make a model for this server."""
        return self.build(server.url, **{"timeout": PATIENT, **settings})

    def full_model(self, server: ByteServer, **settings: Any) -> BaseChatG4F:
        """Make the model of the full call."""
        return self.model(server, **{**self.full_settings, **settings})

    def part_of(self, request: Exchange) -> str:
        """Name the part that a request asks."""
        for name, (method, pattern) in self.parts.items():
            if method == request.method and re.search(pattern, request.path):
                return name
        return f"{request.method} {request.path}"

    def asked(self, server: ByteServer) -> tuple[str, ...]:
        """Name the parts that were asked, in order."""
        return tuple(self.part_of(request) for request in tuple(server.requests))

    def sent(self, server: ByteServer, part: str) -> list[Exchange]:
        """The requests that asked this part."""
        return [each for each in tuple(server.requests) if self.part_of(each) == part]

    def calls(self, count: int) -> tuple[str, ...]:
        """Name the parts of so many good calls, one after the other."""
        return self.good_call + self.again * (count - 1)

    def until(self, part: str, call: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Name the parts of a good call (or of this one) that comes to a part and no further."""
        call = call or self.good_call
        return call[: call.index(part) + 1]

    def refused(self, part: str, call: tuple[str, ...] = (), *, code: int = 400) -> tuple[str, ...]:
        """Name the parts of a call in which a part is refused: what has begun is ended.

        Args:
            part: The part.
            call: The parts of a whole call, where it is not a good one.
            code: The status it is refused with; one of 500 or more may come after the message
                was taken.
        """
        asked = self.until(part, call)
        if part == self.message and code < 500:
            return (*asked, *self.after_refusal)
        return (*asked, *self.abort) if self.message in asked[:-1] else asked

    def unheard(self, part: str) -> tuple[str, ...]:
        """Name the parts of a good call in which it is not known what became of a part."""
        asked = self.until(part)
        return (*asked, *self.abort) if self.answer in asked else asked

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
