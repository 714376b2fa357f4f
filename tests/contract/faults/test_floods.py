"""Answers that are made to cost memory or time: what they cost is bounded."""

from __future__ import annotations

import asyncio
import gc
import itertools
import resource
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from langchain_g4f.core.limits import MIB
from langchain_g4f.errors import APIError, MalformedStreamError, ServerError, TooLargeError
from tests.contract.faults import chat_ui_script as hc
from tests.contract.faults.byte_server import Action, ByteServer, ChunkedWriter, Exchange, routes
from tests.contract.faults.harness import ask, assert_given_up, begin, closed, end, fail, read
from tests.contract.faults.registry import PATIENT, STREAMS, Provider, fault


@pytest.fixture
def peak() -> Iterator[Callable[[], int]]:
    """Tells how many bytes of Python's memory the test has taken at most."""
    for form in (_GZIP, _ZLIB):  # made once, and not counted
        bomb(form)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    yield lambda: tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()


# --- row 31: a line without an end ---------------------------------------------------------------


@fault(31)
@pytest.mark.usefixtures("eighth_of_the_sizes")
async def test_line_without_an_end_is_too_large(
    provider: Provider, way: str, peak: Callable[[], int]
) -> None:
    """After 8 MiB of it (here 1) the answer is given up; memory stays within three times that."""

    def endless(_exchange: Exchange, stream: ChunkedWriter) -> None:
        beginning, _, _ = provider.token("@").partition(b"@")
        stream.chunk(beginning)
        while True:
            stream.chunk(b"x" * 65536)

    pieces = [*provider.start, provider.token("Hello")]
    with provider.server(answer=provider.answering(*pieces, then=endless)) as server:
        error = await fail(provider.model(server), way, TooLargeError, host=None)
        assert peak() < 3 * MIB
        assert await closed(provider, server, provider.answer)
        assert provider.asked(server) == (*provider.good_call, *provider.abort)
    assert error.partial_text == "Hello"
    assert not error.is_retryable


# --- row 32: answers that are coded although no coding was asked for -----------------------------

SIZE = 32 * MIB
_GZIP, _ZLIB = 31, 15  # what zlib calls them
HELLO_IN_BROTLI = b"\x0b\x02\x80hello\x03"


@lru_cache(maxsize=2)
def bomb(form: int) -> bytes:
    """32 MiB of blank lines, in less than 1."""
    coder = zlib.compressobj(1, zlib.DEFLATED, form)
    blank = (b" " * 1023 + b"\n") * 1024
    return b"".join(coder.compress(blank) for _ in range(SIZE // MIB)) + coder.flush()


CODINGS: dict[str, Callable[[], bytes]] = {
    "gzip": lambda: bomb(_GZIP),
    "deflate": lambda: bomb(_ZLIB),
    "gzip, gzip": lambda: bomb(_GZIP),
    "br": lambda: HELLO_IN_BROTLI,
    "x-unheard-of": lambda: b"hello",
}


def coded(coding: str, content_type: str, status: int = 200) -> Action:
    """Answer in this coding."""
    body = CODINGS[coding]()
    headers = [("Content-Encoding", coding)]
    return lambda exchange: exchange.respond(status, body, headers, content_type)


@fault(32, coding=list(CODINGS))
async def test_coded_answer_is_refused_and_not_decoded(
    provider: Provider, way: str, coding: str, peak: Callable[[], int]
) -> None:
    """Whichever request is answered so: none of them asks for a coding."""
    for part in provider.good_call:
        with provider.server(**{part: coded(coding, provider.content_type)}) as server:
            error = await fail(provider.model(server), way, MalformedStreamError, host=None)
            assert provider.asked(server)[: len(provider.until(part))] == provider.until(part)
            assert {each.header("accept-encoding") for each in server.requests} == {"identity"}
        assert f"coded as {coding!r}, which was not asked for" in str(error)
        assert error.partial_text == ""
    assert peak() < 8 * MIB


@fault(32)
async def test_coded_error_and_coded_transfer_are_not_decoded_either(
    provider: Provider, way: str, peak: Callable[[], int]
) -> None:
    """An error is told by its status; no chunk of the other place in HTTP for a coding is text."""
    with provider.server(answer=coded("gzip", "text/plain", 500)) as server:
        refused = await fail(provider.model(server), way, ServerError, host=None)
        assert provider.asked(server) == provider.refused(provider.answer, code=500)
    assert (refused.status_code, refused.body) == (500, "")
    assert str(refused).endswith("was answered with 500")

    def act(exchange: Exchange) -> None:
        body = bomb(_GZIP)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {provider.content_type}\r\n"
        exchange.send(head.encode() + b"Transfer-Encoding: gzip, chunked\r\n\r\n")
        exchange.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))

    with provider.server(answer=act) as server:
        error = await fail(provider.model(server), way, APIError, host=None, subclass=True)
        assert await closed(provider, server, provider.answer)
    assert error.partial_text == ""
    assert peak() < 8 * MIB


# --- row 37: the caller rests, and the service goes on as fast as it can -------------------------

OFFERED = 200 * MIB
REST_S = 0.2


class Unread:
    """An answer that never waits for its reader, of numbered pieces of text.

    Attributes:
        sent: How many bytes of it were taken by the network.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.sent = 0

    @staticmethod
    def text(number: int) -> str:
        """A piece of the answer."""
        return f"{number} {'x' * 16_000}"

    def __call__(self, exchange: Exchange) -> None:
        self._provider.answering(*self._provider.start, then=self._go_on)(exchange)

    def _go_on(self, _exchange: Exchange, stream: ChunkedWriter) -> None:
        for number in itertools.count():
            piece = self._provider.token(self.text(number))
            stream.chunk(piece)
            self.sent += len(piece)
            if self.sent > OFFERED:
                return

    async def stands_still(self) -> None:
        """Wait until nothing has been taken for a while."""
        sent, since = self.sent, time.monotonic()
        while time.monotonic() - since < REST_S:
            await asyncio.sleep(0.02)
            if self.sent != sent:
                sent, since = self.sent, time.monotonic()


def resident() -> int:
    """Memory of this process, in bytes; curl's is in no account of Python's."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


async def growth_at_rest(provider: Provider, way: str) -> int:
    """How much memory an answer takes whose reader rests, in bytes; it goes on afterwards."""
    flood = Unread(provider)
    clocks = replace(PATIENT, silence=REST_S / 2)
    with provider.server(answer=flood) as server:
        before = resident()
        stream = begin(provider.model(server, timeout=clocks), way)
        (first,) = await read(stream, 1)
        assert flood.text(0).startswith(first)  # the end of it may still change
        await flood.stands_still()
        growth = resident() - before
        assert 0 < flood.sent < OFFERED
        offered = "".join(flood.text(number) for number in range(110))
        assert offered.startswith(first + "".join(await read(stream, 100)))
        await end(stream)
        await assert_given_up(provider, server)
    return growth


@fault(37, ways=STREAMS)
async def test_unread_answer_stays_at_the_service(provider: Provider, way: str) -> None:
    """A rest costs no memory and no answer: it goes on where it stood, after any clock."""
    await growth_at_rest(provider, way)  # what the first answer takes, and keeps
    assert await growth_at_rest(provider, way) < 16 * MIB


# --- row 57: a chat-ui server names ever new things ----------------------------------------------

Flood = tuple[int, bytes, type[APIError] | None]

FLOODS: dict[str, Flood] = {
    "unknown types": (40_000, b'{"type":"kind-%d"}\n', None),
    "tool runs": (12_000, b'{"type":"tool","subtype":"eta","uuid":"%d"}\n', TooLargeError),
    "links": (
        12_000,
        b'{"type":"webSearch","subtype":"sources","sources":[{"link":"https://example.org/%d"}]}\n',
        TooLargeError,
    ),
}
"""How many lines, their form, and the error that they end in."""


@fault(57, only="HC", case=FLOODS)
async def test_answer_that_names_ever_new_things_takes_no_room(
    provider: Provider, way: str, case: Flood, peak: Callable[[], int]
) -> None:
    """Only the first unknown kinds are counted; ten thousand runs and sources, and no more."""
    count, line, kind = case

    def flood(_exchange: Exchange, stream: ChunkedWriter) -> None:
        for start in range(0, count, 2_000):
            stream.chunk(b"".join(line % number for number in range(start, start + 2_000)))
        stream.chunk(hc.token("Hello") + hc.final("Hello") + hc.FINISHED)
        stream.end()

    clocks = replace(PATIENT, idle=50, total=50)
    with provider.server(send=provider.answering(hc.STARTED, then=flood)) as server:
        model = provider.model(server, timeout=clocks)
        if kind:
            assert "more than 10000" in str(await fail(model, way, kind, host=None))
        else:
            assert (await ask(model, way)).text == "Hello"
    assert peak() < (8 * MIB if kind else 4 * MIB)


# --- row 58: a page that is made to be slow to search --------------------------------------------


async def whoami(model: Any, way: str) -> object:
    """Who is logged in, blocking or awaiting."""
    return model.whoami() if way == "invoke" else await model.awhoami()


@fault(58, only="HC", unit=["<form action=", "<form action=/a ", "action=", "<form "])
async def test_page_made_to_be_slow_to_search_is_searched_at_once(
    provider: Provider, way: str, unit: str
) -> None:
    """A size that took minutes."""
    page = (unit * (400_000 // len(unit))).encode()
    handler = routes(
        {
            ("GET", "/api/v2/user$"): lambda x: x.respond(404),
            ("GET", "/chat/$"): lambda x: x.respond(200, page, content_type="text/html"),
        }
    )
    with ByteServer(handler) as server:
        since = time.thread_time()
        assert await whoami(provider.model(server), way) is None
        assert time.thread_time() - since < 1
