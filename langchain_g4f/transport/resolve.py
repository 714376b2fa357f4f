"""The addresses of a host, as the system's resolver gives them, within a bound.

The resolver cannot be interrupted: a look-up that takes too long, or whose caller is
cancelled, is left to its thread; the call does not wait for it.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from langchain_g4f.errors import APIConnectionError, APITimeoutError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from langchain_g4f.errors import APIError

_Found = list[tuple[Any, ...]]
_PHASE = "look up the host"


def look_up(host: str, port: int, within: float) -> tuple[str, ...]:
    """The addresses of ``host``, in the order in which they should be tried.

    Raises:
        APIConnectionError: The host has no address, or the resolver failed.
        APITimeoutError: There was no answer ``within`` so many seconds.
    """
    try:
        found = _ask(host, port).result(within)
    except TimeoutError:
        error = _timeout(host, within)
    except (OSError, ValueError) as exc:
        error = _failure(host, exc)
    else:
        return _addresses(host, found)
    raise error


async def alook_up(host: str, port: int, within: float) -> tuple[str, ...]:
    """See `look_up`."""
    try:
        async with asyncio.timeout(within):
            found = await asyncio.wrap_future(_ask(host, port))
    except TimeoutError:
        error = _timeout(host, within)
    except (OSError, ValueError) as exc:
        error = _failure(host, exc)
    else:
        return _addresses(host, found)
    raise error


def _ask(host: str, port: int) -> Future[_Found]:
    """Ask in a thread of its own: an event loop would wait for its executor's at the end."""
    answer: Future[_Found] = Future()
    answer.set_running_or_notify_cancel()  # from now on it cannot be cancelled

    def ask() -> None:
        try:
            answer.set_result(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except Exception as exc:  # noqa: BLE001 -- whoever waits for the answer is told
            answer.set_exception(exc)

    threading.Thread(target=ask, daemon=True, name=f"look up {host}").start()
    return answer


def _addresses(host: str, found: Iterable[tuple[Any, ...]]) -> tuple[str, ...]:
    addresses = tuple(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
    if not addresses:
        msg = f"{host} has no address"
        raise APIConnectionError(msg, phase=_PHASE)
    return addresses


def _failure(host: str, exc: Exception) -> APIError:
    reason = exc.strerror if isinstance(exc, OSError) else type(exc).__name__
    return APIConnectionError(f"could not find the address of {host} ({reason})", phase=_PHASE)


def _timeout(host: str, within: float) -> APIError:
    return APITimeoutError(
        f"no address of {host} within {round(within, 2):g} s", kind="total", phase=_PHASE
    )


__all__ = ["alook_up", "look_up"]
