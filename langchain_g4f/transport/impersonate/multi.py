"""Runs transfers on an event loop and keeps their connections for the next ones."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
from curl_cffi import AsyncCurl, Curl, CurlECode, CurlError, CurlMOpt, ffi, lib

if TYPE_CHECKING:
    from langchain_g4f.transport.impersonate.transfer import Transfer

_IDLE_CONNECTIONS = 50


class Multi(AsyncCurl):
    """curl's multi handle; to be made, used and closed on the loop it is for."""

    def __init__(self) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self._set_number(CurlMOpt.MAXCONNECTS, _IDLE_CONNECTIONS)
        # closing would wait for name look-ups that were given up
        self._set_number(CurlMOpt.QUICK_EXIT, 1)
        self._running: dict[Curl, Transfer] = {}

    def _set_number(self, option: CurlMOpt, value: int) -> None:
        """`AsyncCurl.setopt` gives curl the address of a number, which it takes for the number."""
        lib.curl_multi_setopt(self._curlm, option, ffi.cast("void *", value))

    async def _force_timeout(self) -> None:
        """Curl says by its timer when it wants to be called: no polling, and no task for it."""

    def start(self, transfer: Transfer) -> None:
        """Begin a transfer, which is told its end unless it is stopped."""
        try:
            self.add_handle(transfer.curl)
        except CurlError:
            transfer.ended(CurlECode.FAILED_INIT)
        else:
            self._running[transfer.curl] = transfer
            transfer.began(self.stop)

    def stop(self, transfer: Transfer) -> None:
        """Give a transfer up, and with it the connection, unless others share that."""
        if self._running.pop(transfer.curl, None) is not None:
            self.remove_handle(transfer.curl)

    def set_result(self, curl: Curl) -> None:
        """Called by `AsyncCurl`: all went well."""
        self._end(curl, CurlECode.OK)

    def set_exception(self, curl: Curl, exception: BaseException) -> None:
        """Called by `AsyncCurl`: it failed."""
        code = exception.code if isinstance(exception, CurlError) else CurlECode.WRITE_ERROR
        self._end(curl, code)
        if not isinstance(exception, Exception):
            raise exception  # the user interrupted the program during a callback

    def _end(self, curl: Curl, code: int) -> None:
        self.remove_handle(curl)
        transfer = self._running.pop(curl, None)
        if transfer is not None:
            transfer.ended(code)

    async def aclose(self) -> None:
        """Abort every transfer, whose reader is told, and close all connections."""
        self._stop_all()
        await self.close()  # type: ignore[no-untyped-call]

    def _stop_all(self) -> None:
        for transfer in list(self._running.values()):
            transfer.abort(_closed)

    def abandon(self) -> None:
        """Free what is held, on a loop that was closed without this having been closed."""
        with suppress(RuntimeError):  # in the callbacks of a closed loop
            self.setopt(CurlMOpt.TIMERFUNCTION, ffi.NULL)  # type: ignore[no-untyped-call]
            self.setopt(CurlMOpt.SOCKETFUNCTION, ffi.NULL)  # type: ignore[no-untyped-call]
            self._stop_all()
            lib.curl_multi_cleanup(self._curlm)
            self._curlm = None


def _closed() -> httpx.TransportError:
    return httpx.ReadError("the client was closed")


__all__ = ["Multi"]
