"""Answers that are coded although nobody asked for it: refused, and never decoded."""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache

import pytest

from langchain_g4f.errors import APIError, MalformedStreamError, ServerError
from tests.contract.faults.byte_server import Action, Exchange
from tests.contract.faults.harness import by_call, by_turns, closed, fail
from tests.contract.faults.registry import Provider, fault

MIB = 1 << 20
SIZE = 100 * MIB
_GZIP, _ZLIB = 31, 15  # what zlib calls them
HELLO_IN_BROTLI = b"\x0b\x02\x80hello\x03"


@lru_cache(maxsize=2)
def bomb(form: int) -> bytes:
    """100 MiB of blank lines, in less than 1."""
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


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Let the test keep to a small part of what a bomb decodes to."""
    for form in (_GZIP, _ZLIB):
        bomb(form)
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * MIB


def coded(coding: str, content_type: str, status: int = 200) -> Action:
    """Answer in this coding."""
    body = CODINGS[coding]()
    headers = [("Content-Encoding", coding)]
    return lambda exchange: exchange.respond(status, body, headers, content_type)


@fault(32)
@by_turns
@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.usefixtures("little_memory")
async def test_coded_answer_is_refused_and_not_decoded(
    provider: Provider, way: str, coding: str
) -> None:
    """Whichever request is answered so: none of them asks for a coding."""
    for part in provider.good_call:
        with provider.server(**{part: coded(coding, provider.content_type)}) as server:
            error = await fail(provider.model(server), way, MalformedStreamError, host=None)
            assert provider.asked(server)[: len(provider.until(part))] == provider.until(part)
            assert {each.header("accept-encoding") for each in server.requests} == {"identity"}
        assert f"coded as {coding!r}, which was not asked for" in str(error)
        assert error.partial_text == ""


@fault(32)
@by_call
@pytest.mark.usefixtures("little_memory")
async def test_coded_error_is_told_by_its_status(provider: Provider, way: str) -> None:
    """Its body is neither decoded nor shown."""
    with provider.server(answer=coded("gzip", "text/plain", 500)) as server:
        error = await fail(provider.model(server), way, ServerError, host=None)
        assert provider.asked(server) == provider.refused(provider.answer, code=500)
    assert (error.status_code, error.body) == (500, "")
    assert str(error).endswith("was answered with 500")


@fault(32)
@by_call
@pytest.mark.usefixtures("little_memory")
async def test_coded_transfer_is_not_decoded_either(provider: Provider, way: str) -> None:
    """The other place in HTTP for a coding; no chunk of it is an answer."""

    def act(exchange: Exchange) -> None:
        body = bomb(_GZIP)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {provider.content_type}\r\n"
        exchange.send(head.encode() + b"Transfer-Encoding: gzip, chunked\r\n\r\n")
        exchange.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))

    with provider.server(answer=act) as server:
        error = await fail(provider.model(server), way, APIError, host=None, subclass=True)
        assert await closed(provider, server, provider.answer)
    assert error.partial_text == ""
