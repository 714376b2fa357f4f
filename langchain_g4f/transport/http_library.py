"""Our requests on a client of httpx or httpx2 that others use, too.

httpx2 is httpx's continuation under another name; a caller may give a client of either. A client
keeps nothing of our requests: its jar refuses the cookies of our answers, which belong to the
model, and its log shows neither our cookies nor our queries. Requests of others stay as they are.
"""

from __future__ import annotations

import logging
import re
import sys
from contextvars import ContextVar
from functools import lru_cache
from http.cookiejar import Cookie, CookieJar, CookiePolicy
from types import ModuleType
from typing import TYPE_CHECKING, Any

import httpx

from langchain_g4f.core.redact import MASK, redact_url

if TYPE_CHECKING:
    from urllib.request import Request


SENDING: ContextVar[bool] = ContextVar("a request of langchain_g4f is sent", default=False)
"""Whether the request that is sent at the moment is ours."""


def keep_out_of(jar: CookieJar) -> None:
    """Let a jar refuse the cookies of our answers; everything else stays as it is."""
    policy = getattr(jar, "_policy", None)
    if isinstance(policy, CookiePolicy) and not isinstance(policy, _NotOurs):
        kind: Any = type(policy)
        refusing = object.__new__(_refusing(kind))
        refusing.__dict__ = policy.__dict__  # the same one, for its settings may change
        jar.set_policy(refusing)


class _NotOurs(CookiePolicy):
    def set_ok(self, cookie: Cookie, request: Request) -> bool:
        return not SENDING.get() and super().set_ok(cookie, request)


@lru_cache
def _refusing(kind: Any) -> Any:  # noqa: ANN401 -- classes, the second of both kinds
    return type(kind.__name__, (_NotOurs, kind), {})


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


_SET_COOKIE = re.compile(
    r"""(\(b'set-cookie',[ ])b(?:'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+")""",
    re.IGNORECASE | re.VERBOSE,
)


class _HideCookies(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "cookie" in message.lower():
            record.msg, record.args = _SET_COOKIE.sub(rf"\1'{MASK}'", message), ()
        return True


class _HideQueries(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if SENDING.get() and isinstance(record.args, tuple):
            record.args = tuple(map(_without_query, record.args))
        return True


def _without_query(shown: object) -> object:
    return redact_url(str(shown)) if type(shown).__name__ == "URL" else shown


def hide_secrets() -> None:
    """Mask the cookies and the queries of our requests in the records of the HTTP libraries."""
    for library in ("httpx", "httpx2"):
        _add(_HideQueries, library)
    for library in ("httpcore", "httpcore2"):
        for part in ("http11", "http2", "proxy"):
            _add(_HideCookies, f"{library}.{part}")


def _add(kind: type[logging.Filter], name: str) -> None:
    logger = logging.getLogger(name)
    if not any(isinstance(present, kind) for present in logger.filters):
        logger.addFilter(kind())


__all__ = ["SENDING", "as_httpx_error", "errors_of", "hide_secrets", "keep_out_of", "library_of"]
