"""The chat models that are compared: a bare one and ChatG4F, on generators of the same words.

There is no network and no g4f, so the times show what LangChain and this package add to each word.
"""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator, Callable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from benchmarks.floor import FloorModel
from langchain_g4f import ChatG4F

if TYPE_CHECKING:
    import asyncio

    from langchain_core.language_models import BaseChatModel

FLOOR = "LangChain floor"
NATIVE, THREAD = "ChatG4F, async provider", "ChatG4F, blocking provider"
MODES = ("async", "sync")
Key = tuple[str, str]
"""Name of the chat model, and mode."""
Taker = Callable[[], "tuple[str, float]"]
"""Reads one answer; returns its text, and the CPU seconds of all threads of this process."""
_text = attrgetter("text")


class Words:
    """Answers with the same words each time; the base of the providers, and the floor's client.

    Args:
        count: Words of an answer.
    """

    working = True
    supports_message_history = True
    __name__ = "Words"

    def __init__(self, count: int) -> None:
        self._words = [f"word{number} " for number in range(count)]

    @property
    def whole(self) -> str:
        """The text of an answer."""
        return "".join(self._words)

    def stream(self, _prompt: str) -> Iterator[str]:
        """The words, one by one."""
        yield from self._words

    async def astream(self, _prompt: str) -> AsyncIterator[str]:
        """The words, one by one, asynchronously."""
        for word in self._words:
            yield word


class AsyncWords(Words):
    """A provider with an async generator, like most."""

    def create_async_generator(
        self, model: str, _messages: list[dict[str, Any]], **_: object
    ) -> AsyncIterator[str]:
        """Answer."""
        return self.astream(model)


class BlockingWords(Words):
    """A provider with a plain generator, which ChatG4F must iterate in a thread."""

    def create_completion(
        self, model: str, _messages: list[dict[str, Any]], **_: object
    ) -> Iterator[str]:
        """Answer."""
        return self.stream(model)


def contenders(count: int, runner: asyncio.Runner) -> dict[Key, Taker]:
    """All chat models, with answers of ``count`` words."""
    models: dict[str, BaseChatModel] = {
        FLOOR: FloorModel(raw=Words(count)),
        NATIVE: ChatG4F(provider=AsyncWords(count)),
        THREAD: ChatG4F(provider=BlockingWords(count)),
    }
    found: dict[Key, Taker] = {}
    for name, model in models.items():
        found[name, "async"] = _awaited(model, runner)
        found[name, "sync"] = _blocking(model)
    return found


def _blocking(model: BaseChatModel) -> Taker:
    def take() -> tuple[str, float]:
        gc.collect()
        begun = time.process_time()
        text = "".join(map(_text, model.stream("Go!")))
        return text, time.process_time() - begun

    return take


def _awaited(model: BaseChatModel, runner: asyncio.Runner) -> Taker:
    async def answer() -> str:
        return "".join([chunk.text async for chunk in model.astream("Go!")])

    def take() -> tuple[str, float]:
        gc.collect()
        begun = time.process_time()
        text = runner.run(answer())
        return text, time.process_time() - begun

    return take
