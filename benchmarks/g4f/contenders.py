"""Who is measured: a bare chat model and ChatG4F, over generators of the same words, right here.

No network and no g4f: what is left is what LangChain and this package add to each word.
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
"""Name and mode."""
Taker = Callable[[], "tuple[str, float]"]
"""Takes one answer: its text, and the CPU of this process, all threads, in seconds."""
_text = attrgetter("text")


class Words:
    """A provider of these words, and what the floor reads.

    Attributes:
        count: How many an answer has.
    """

    working = True
    supports_message_history = True
    __name__ = "Words"

    def __init__(self, count: int) -> None:
        self._words = [f"word{number} " for number in range(count)]

    @property
    def whole(self) -> str:
        """All of them."""
        return "".join(self._words)

    def stream(self, _prompt: str) -> Iterator[str]:
        """One by one."""
        yield from self._words

    async def astream(self, _prompt: str) -> AsyncIterator[str]:
        """The same."""
        for word in self._words:
            yield word


class AsyncWords(Words):
    """An async generator, as most providers are."""

    def create_async_generator(
        self, model: str, _messages: list[dict[str, Any]], **_: object
    ) -> AsyncIterator[str]:
        """Answer."""
        return self.astream(model)


class BlockingWords(Words):
    """A plain generator, which has to be iterated in a thread."""

    def create_completion(
        self, model: str, _messages: list[dict[str, Any]], **_: object
    ) -> Iterator[str]:
        """Answer."""
        return self.stream(model)


def contenders(count: int, runner: asyncio.Runner) -> dict[Key, Taker]:
    """Everybody, with answers of so many words."""
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
