"""Our request in the words of the HTTP library."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import httpx

from langchain_g4f._version import __version__
from langchain_g4f.errors import UnsupportedMediaError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from types import ModuleType

    from langchain_g4f.core.http import Part, Request
    from langchain_g4f.core.limits import Clocks

_USER_AGENT = f"langchain-g4f/{__version__}"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class WatchedBody:
    """A request body that notes that sending began: from then on it may be received."""

    def __init__(self, inner: Any) -> None:  # noqa: ANN401 -- httpx has no name for it
        self._inner = inner
        self.started = False

    @staticmethod
    def of(inner: Any, library: ModuleType) -> Any:  # noqa: ANN401 -- a stream of this library
        """One that this library takes for a stream of its own."""
        return _watched(library)(inner)

    def content(self) -> bytes:
        """The whole body, for a transport that notes itself when sending begins."""
        return b"".join(self._inner)

    def __iter__(self) -> Iterator[bytes]:
        self.started = True
        yield from self._inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.started = True
        async for part in self._inner:
            yield part


@lru_cache(maxsize=2)
def _watched(library: ModuleType) -> type[WatchedBody]:
    bases = (WatchedBody, library.SyncByteStream, library.AsyncByteStream)
    return type("WatchedBody", bases, {})


def as_httpx(request: Request, clocks: Clocks, library: ModuleType = httpx) -> httpx.Request | None:
    """The request in httpx's words; None where it has none, so that no frame keeps the headers.

    Args:
        request: Ours.
        clocks: How long its parts may take.
        library: httpx or httpx2, whose client is to send it.

    Raises:
        UnsupportedMediaError: A part of a form would write headers of its own.
    """
    headers = {
        "user-agent": _USER_AGENT,
        "accept": "*/*",
        # a 64 KiB read of gzip can decode to 67 MB: nothing is asked to be coded
        "accept-encoding": "identity",
        **request.headers,
    }
    timeout = {
        "connect": clocks.connect,
        "pool": clocks.pool,
        "write": clocks.write,
        "read": clocks.first_event,
    }
    body: dict[str, Any] = {}
    if isinstance(request.body, bytes):
        body["content"] = request.body
    else:
        body["files"] = [(part.name, _file(part)) for part in request.body]
    extensions: dict[str, Any] = {"timeout": timeout}
    try:
        url = library.URL(request.url)
        if request.address:
            headers["host"] = url.netloc.decode("ascii")
            extensions["sni_hostname"] = url.raw_host.decode("ascii")
            url = url.copy_with(host=request.address)
        built: httpx.Request = library.Request(
            request.method, url, headers=headers, extensions=extensions, **body
        )
    except (library.InvalidURL, UnicodeError):
        return None
    return built


def _file(part: Part) -> tuple[str | None, bytes] | tuple[str | None, bytes, str]:
    # httpx writes a content type as it is: with a line break it would be a header of its own
    if any(_CONTROL.search(text or "") for text in (part.name, part.filename, part.content_type)):
        msg = "the name or the type of a file has a control character"
        raise UnsupportedMediaError(msg)
    if part.content_type:
        return part.filename, part.content, part.content_type
    return part.filename, part.content


__all__ = ["WatchedBody", "as_httpx"]
