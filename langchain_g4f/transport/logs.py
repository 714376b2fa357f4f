"""Keeps cookies out of what the HTTP library logs.

httpcore writes the headers of every answer at DEBUG level, ``Set-Cookie`` among them,
and a service may well repeat there the cookie it was sent.
"""

from __future__ import annotations

import logging
import re

from langchain_g4f.redact import MASK

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


def hide_cookies() -> None:
    """Mask the cookies in the records of httpcore's loggers."""
    for name in ("httpcore.http11", "httpcore.http2", "httpcore.proxy"):
        logger = logging.getLogger(name)
        if not any(isinstance(present, _HideCookies) for present in logger.filters):
            logger.addFilter(_HideCookies())


__all__ = ["hide_cookies"]
