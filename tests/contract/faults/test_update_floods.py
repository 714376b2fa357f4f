"""Answers of a chat-ui server that name ever new things: what is kept of them is bounded."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from langchain_g4f.core.limits import MIB
from langchain_g4f.errors import TooLargeError
from tests.contract.faults import chat_ui_script as hc
from tests.contract.faults.byte_server import ByteServer, ChunkedWriter, Exchange
from tests.contract.faults.harness import ask, by_turns, fail
from tests.contract.faults.registry import Provider, fault

SENT = 2 * MIB
_LINES = 2_000


def unknown(number: int) -> bytes:
    """An update of a type that no other has."""
    return b'{"type":"kind-%d"}\n' % number


def tool(number: int) -> bytes:
    """News of a tool run that no other is about."""
    return b'{"type":"tool","subtype":"eta","uuid":"%d"}\n' % number


def link(number: int) -> bytes:
    """A page that was found, and no other is."""
    page = b'{"link":"https://example.org/%d"}' % number
    return b'{"type":"webSearch","subtype":"sources","sources":[%s]}\n' % page


class Flood:
    """A server that sends so many bytes before the end of its answer.

    Args:
        line: Makes the line of a number.
    """

    def __init__(self, line: Callable[[int], bytes]) -> None:
        self.sent = 0
        self._line = line

    def __call__(self, _exchange: Exchange, stream: ChunkedWriter) -> None:
        number = 0
        while self.sent < SENT:
            lines = b"".join(map(self._line, range(number, number + _LINES)))
            number += _LINES
            self.sent += len(lines)
            stream.chunk(lines)
        stream.chunk(hc.token("Hello") + hc.final("Hello") + hc.FINISHED)
        stream.end()


@pytest.fixture(autouse=True)
def _traced() -> object:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def serve(provider: Provider, flood: Flood) -> ByteServer:
    """Make a server whose answer is this flood."""
    return provider.server(send=provider.answering(hc.STARTED, then=flood))


@fault(57, only="HC")
@by_turns
async def test_ever_new_kinds_of_updates_take_no_room(provider: Provider, way: str) -> None:
    """What is not known is skipped; only the first kinds are counted by name."""
    flood = Flood(unknown)
    with serve(provider, flood) as server:
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        answer = await ask(provider.model(server, timeout=60), way)
        _, peak = tracemalloc.get_traced_memory()
    assert answer.text == "Hello"
    assert peak - before < 4 * flood.sent


@fault(57, only="HC")
@pytest.mark.parametrize("line", [tool, link])
@by_turns
async def test_answer_that_names_too_much_is_refused(
    provider: Provider, way: str, line: Callable[[int], bytes]
) -> None:
    """Tool runs and sources are kept by name, ten thousand of them and no more."""
    flood = Flood(line)
    with serve(provider, flood) as server:
        model = provider.model(server, timeout=60)
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        error = await fail(model, way, TooLargeError, host=None)
        _, peak = tracemalloc.get_traced_memory()
    assert "more than 10000" in str(error)
    assert peak - before < 4 * SENT
