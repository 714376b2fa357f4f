"""Keeps secrets out of what the HTTP library logs.

httpcore writes the headers of every answer at DEBUG level, ``Set-Cookie`` among them,
and a service may well repeat there the cookie it was sent. httpx writes the URL of every
request at INFO level; the query of one of ours may have the name of a session. Requests of
others are logged as ever.
"""

from __future__ import annotations

import logging
import re

from langchain_g4f.core.redact import MASK, redact_url
from langchain_g4f.transport.own import SENDING

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


__all__ = ["hide_secrets"]
