"""The HTTP library of a client: httpx, or httpx2, its continuation under another name.

httpx2 is imported nowhere: a client of its is there only if the caller has imported it.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from types import ModuleType
from typing import Any

import httpx


def library_of(http: object) -> ModuleType:
    """The library that this client belongs to."""
    other = sys.modules.get("httpx2")
    if other is not None and isinstance(http, (other.Client, other.AsyncClient)):
        return other
    return httpx


@lru_cache(maxsize=2)
def errors_of(library: ModuleType) -> tuple[type[Exception], ...]:
    """What a request may raise, the TimeoutError of its deadline included.

    httpcore lets a UnicodeError of the name look-up pass.
    """
    own = (library.HTTPError, library.InvalidURL, library.StreamError)
    return (*own, RuntimeError, TimeoutError, UnicodeError)


def as_httpx_error(exc: BaseException) -> BaseException:
    """The error of the same name in httpx; what has none there stays as it is."""
    kind: Any = getattr(httpx, type(exc).__name__, None)
    if isinstance(exc, httpx.HTTPError) or not _is_error(kind):
        return exc
    found: httpx.HTTPError = kind(str(exc))
    found.__cause__, found.__context__ = exc.__cause__, exc.__context__
    return found


def _is_error(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, httpx.RequestError)


__all__ = ["as_httpx_error", "errors_of", "library_of"]
