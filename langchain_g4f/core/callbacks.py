"""Callbacks of the caller, which may be coroutine functions, from any thread or event loop."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Awaitable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run_blocking(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; a running event loop of the thread does not matter."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    context = contextvars.copy_context()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(context.run, asyncio.run, work).result()


async def awaited(result: object) -> object:
    """What a callback returns; what a coroutine function returns is awaited."""
    return await result if inspect.isawaitable(result) else result


class Caller:
    """Where a call was made, so that its callbacks are awaited there.

    Made on the thread of the call: in an async call, on that of its event loop.
    """

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._loop: asyncio.AbstractEventLoop | None = None
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            return

    def wait(self, result: object) -> object:
        """What a callback returns; what is to be awaited is, on the loop of an async call."""
        if not isinstance(result, Awaitable):
            return result
        if self._loop is None or self._thread == threading.get_ident():  # the call is blocking
            return run_blocking(awaited(result))
        return asyncio.run_coroutine_threadsafe(awaited(result), self._loop).result()


__all__ = ["Caller", "awaited", "run_blocking"]
