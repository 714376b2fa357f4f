"""What the drivers are run against: a service that answers from a table, and plans of a few lines.

Requests do not leave the process. Time is a number that answers may advance, but for waits, which
are real and short.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from langchain_g4f.auth.cookies import Cookies
from langchain_g4f.core.cache import Cache
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.events import Event, Finish, Progress, Text
from langchain_g4f.core.http import Request, ResponseHead, RetryWhen
from langchain_g4f.core.limits import Clocks, Limits, Sizes
from langchain_g4f.core.locks import KeyedLocks
from langchain_g4f.core.plan import MakeRequest, Plan
from langchain_g4f.errors import MalformedStreamError, ServerError
from langchain_g4f.run import arun, run
from langchain_g4f.transport.client import AsyncClient, SyncClient
from langchain_g4f.transport.retry import RetryBudget

URL = "http://service.example"
MODES = ("sync", "async")

Piece = bytes | float | BaseException


class Hang:
    """A piece that does not come; only for the async world, where a wait can be given up."""


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, service: FakeService, pieces: Sequence[Piece | Hang]) -> None:
        self._service, self._pieces = service, pieces
        self._closed = False
        service.open_bodies += 1

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
            elif isinstance(piece, BaseException):
                raise piece
            else:
                assert not isinstance(piece, Hang)
                self._service.now += piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Hang):
                await asyncio.Event().wait()
                continue
            for data in _Body(self._service, [piece])._once():
                yield data
            await asyncio.sleep(0)

    def _once(self) -> Iterator[bytes]:
        self.close()
        yield from self

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._service.open_bodies -= 1

    async def aclose(self) -> None:
        await asyncio.sleep(0)
        self.close()


@dataclass
class Reply:
    """An answer, or a failure to answer.

    Attributes:
        pieces: The body, in chunks; a number lets so much time pass, an exception is raised.
        fails: Raised instead of an answer.
        sent: Whether the request was sent before that.
        look: Called when the request has been sent.
        takes: Time that passes before the answer, on the clock of the service.
        delay_s: The same, on all clocks.
        hangs: Whether it never answers.
    """

    pieces: Sequence[Piece | Hang] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    fails: BaseException | None = None
    sent: bool = True
    look: Callable[[], object] = lambda: None
    takes: float = 0
    delay_s: float = 0
    hangs: bool = False


OK = Reply()


class FakeService(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers by path; several replies are given one after the other, the last for ever.

    Attributes:
        asked: The paths, in order.
        requests: The requests.
        open_bodies: How many answers are not closed.
        now: The time, in seconds.
    """

    def __init__(self, **table: Reply | Sequence[Reply]) -> None:
        self._table = {
            path: iter([reply] if isinstance(reply, Reply) else reply)
            for path, reply in table.items()
        }
        self._latest: dict[str, Reply] = {}
        self.requests: list[httpx.Request] = []
        self.open_bodies = 0
        self.now = 1000.0

    @property
    def asked(self) -> list[str]:
        return [request.url.path.strip("/") for request in self.requests]

    def _reply(self, request: httpx.Request) -> Reply:
        path = request.url.path.strip("/")
        self.requests.append(request)
        self._latest[path] = next(self._table.get(path, iter(())), self._latest.get(path, OK))
        return self._latest[path]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        reply = self._reply(request)
        if reply.sent:
            assert isinstance(request.stream, httpx.SyncByteStream)
            list(request.stream)
        assert not reply.hangs
        time.sleep(reply.delay_s)
        return self._answer(reply)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        reply = self._reply(request)
        if reply.sent:
            assert isinstance(request.stream, httpx.AsyncByteStream)
            _ = [part async for part in request.stream]
        if reply.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(reply.delay_s)
        return self._answer(reply)

    def _answer(self, reply: Reply) -> httpx.Response:
        reply.look()
        self.now += reply.takes
        if reply.fails is not None:
            raise reply.fails
        body = _Body(self, reply.pieces)
        return httpx.Response(reply.status, headers=dict(reply.headers), stream=body)

    # -- what belongs to a call --------------------------------------------------

    def context(
        self,
        *,
        clocks: Clocks | None = None,
        sizes: Sizes | None = None,
        max_retries: int = 2,
        cookies: Mapping[str, str] | None = None,
        locks: KeyedLocks | None = None,
    ) -> CallContext:
        return CallContext(
            provider="example",
            limits=Limits(clocks=clocks or Clocks(), sizes=sizes or Sizes()),
            max_retries=max_retries,
            cookies=Cookies(URL, cookies),
            locks=locks or KeyedLocks(),
            cache=Cache(),
            clock=lambda: self.now,
            wall_clock=lambda: 1_700_000_000.0,
            random=random.Random(1),
            new_id=lambda: "id",
        )

    def call(
        self,
        mode: str,
        plan: Plan,
        context: CallContext | None = None,
        budget: RetryBudget | None = None,
    ) -> Call:
        return Call(mode, plan, context or self.context(), self, budget or RetryBudget())


Serve = Callable[..., FakeService]
"""Makes services of a test; see the fixture `serve`."""


class Call:
    """One call by either driver, used step by step."""

    def __init__(
        self, mode: str, plan: Plan, context: CallContext, service: FakeService, budget: RetryBudget
    ) -> None:
        self.sync: Any = None
        if mode == "sync":
            client = SyncClient(httpx.Client(transport=service))
            client.budget = budget
            self.sync = run(plan, context, client)
        else:
            self.client = AsyncClient(httpx.AsyncClient(transport=service))
            self.client.budget = budget
            self.events = arun(plan, context, self.client)

    async def next(self) -> Event:
        """The next event; StopAsyncIteration at the end."""
        if self.sync is None:
            return await anext(self.events)
        for event in self.sync:
            return event  # type: ignore[no-any-return]
        raise StopAsyncIteration

    async def all(self) -> list[Event]:
        """Every event to the end."""
        found: list[Event] = []
        await self.into(found)
        return found

    async def into(self, found: list[Event]) -> None:
        """Every event to the end or the error, collected here."""
        if self.sync is not None:
            found.extend(self.sync)
            return
        async for event in self.events:
            found.append(event)  # noqa: PERF401 -- what came before an error counts

    async def close(self) -> None:
        if self.sync is None:
            await self.events.aclose()
        else:
            self.sync.close()


# -- the wire of the service: one character is one event -------------------------------------------


class Decoder:
    """``.`` ends the answer, ``!`` the stream as well, ``-`` says nothing, the rest is text.

    ``?`` is not in the format, ``*`` an error in band, ``~`` some progress.
    """

    def __init__(self, head: ResponseHead) -> None:
        if head.headers.content_type == "text/html":
            raise MalformedStreamError("expected text, got text/html")
        self.finished = False
        self.complete = False
        self.closed = False

    def feed(self, data: bytes) -> Iterator[Event]:
        for character in data.decode():
            match character:
                case "." | "!":
                    first = not self.finished
                    self.finished, self.complete = True, character == "!"
                    if first:
                        yield Finish()
                case "-":
                    pass
                case "~":
                    yield Progress("started")
                case "?":
                    raise MalformedStreamError("no such thing as ?")
                case "*":
                    self.finished = True
                    raise ServerError("it failed", status_code=500)
                case _:
                    yield Text(character)

    def close(self) -> Iterator[Event]:
        self.closed = True
        return iter(())


def request(
    path: str, *, retry: RetryWhen = RetryWhen.NOT_SENT, method: str = "POST", **headers: str
) -> MakeRequest:
    """Makes requests for a path of the service."""
    return lambda: Request(method, f"{URL}/{path}", headers, b"body", retry, f"do {path}")


def texts(events: Sequence[Event]) -> str:
    """The text of the events."""
    return "".join(event.text for event in events if isinstance(event, Text))
