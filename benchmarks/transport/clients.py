"""One interface to plain httpx and to browser impersonation, sync and async."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

import httpx

from langchain_g4f.transport.impersonate import CurlTransport, ImpersonateConfig, SyncCurlTransport

TARGET = "chrome"
NAMES = ("httpx sync", "httpx async", "impersonate sync", "impersonate async")
PATIENCE_S = 30.0

T = TypeVar("T")


class Contender:
    """A client with blocking methods, whether it is sync or async inside."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._runner = asyncio.Runner() if name.endswith("async") else None
        curl = name.startswith("impersonate")
        config = ImpersonateConfig(TARGET)
        if self._runner is None:
            self._sync = httpx.Client(transport=SyncCurlTransport(config) if curl else None)
        else:
            self._async = httpx.AsyncClient(transport=CurlTransport(config) if curl else None)
        self._response: Any = None
        self._chunks: Any = None

    @property
    def is_async(self) -> bool:
        """Whether it runs on an event loop."""
        return self._runner is not None

    def _await(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._runner is not None
        return self._runner.run(work)

    def open(self, url: str, timeout_s: float | None = PATIENCE_S) -> None:
        """Send a request, and read the head of its answer."""
        if self._runner is None:
            request = self._sync.build_request("GET", url, timeout=timeout_s)
            self._response = self._sync.send(request, stream=True)
            self._chunks = self._response.iter_raw()
        else:
            request = self._async.build_request("GET", url, timeout=timeout_s)
            self._response = self._await(self._async.send(request, stream=True))
            self._chunks = self._response.aiter_raw()

    def read(self) -> bytes:
        """The next bytes of the answer, empty at its end."""
        if self._runner is None:
            return next(self._chunks, b"")
        return self._await(_next(self._chunks))

    def read_lines(self, seen: Callable[[int], None]) -> int:
        """Read to the end; returns the number of lines, and reports it to ``seen`` meanwhile."""
        count = 0
        if self._runner is None:
            for data in self._chunks:
                count += data.count(b"\n")
                seen(count)
            return count
        return self._await(_read_lines(self._chunks, seen))

    def close(self) -> None:
        """Close the answer."""
        if self._runner is None:
            self._response.close()
        else:
            self._await(self._response.aclose())

    def rest(self, seconds: float) -> None:
        """Wait; the event loop of an async client keeps running."""
        if self._runner is None:
            time.sleep(seconds)
        else:
            self._await(asyncio.sleep(seconds))

    def cancel(self, url: str, asked: threading.Event) -> float:
        """Cancel a request that the service has received; returns the time on `perf_counter`."""

        async def work() -> float:
            task = asyncio.ensure_future(self._async.get(url, timeout=PATIENCE_S))
            await asyncio.to_thread(asked.wait, PATIENCE_S)
            begun = time.perf_counter()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await asyncio.sleep(0.05)
            return begun

        return self._await(work())

    def end(self) -> None:
        """Close the client."""
        if self._runner is None:
            self._sync.close()
        else:
            self._runner.close()


async def _next(chunks: AsyncIterator[bytes]) -> bytes:
    return await anext(chunks, b"")


async def _read_lines(chunks: AsyncIterator[bytes], seen: Callable[[int], None]) -> int:
    count = 0
    async for data in chunks:
        count += data.count(b"\n")
        seen(count)
    return count
