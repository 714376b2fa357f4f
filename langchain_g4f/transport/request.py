"""Our request in the words of the HTTP library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from langchain_g4f._version import __version__

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from langchain_g4f.limits import Clocks
    from langchain_g4f.wire import Part, Request

_USER_AGENT = f"langchain-g4f/{__version__}"


class WatchedBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A request body that notes that sending began: from then on it may be received."""

    def __init__(self, inner: Any) -> None:  # noqa: ANN401 -- httpx has no name for it
        self._inner = inner
        self.started = False

    def content(self) -> bytes:
        """All of it, for who notes by itself when sending begins."""
        return b"".join(self._inner)

    def __iter__(self) -> Iterator[bytes]:
        self.started = True
        yield from self._inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.started = True
        async for part in self._inner:
            yield part


def as_httpx(request: Request, clocks: Clocks) -> httpx.Request | None:
    """The request in httpx's words; None where it has none, so that no frame keeps the headers."""
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
        url = httpx.URL(request.url)
        if request.address:
            headers["host"] = url.netloc.decode("ascii")
            extensions["sni_hostname"] = url.raw_host.decode("ascii")
            url = url.copy_with(host=request.address)
        return httpx.Request(request.method, url, headers=headers, extensions=extensions, **body)
    except (httpx.InvalidURL, UnicodeError):
        return None


def _file(part: Part) -> tuple[str | None, bytes] | tuple[str | None, bytes, str]:
    if part.content_type:
        return part.filename, part.content, part.content_type
    return part.filename, part.content


__all__ = ["WatchedBody", "as_httpx"]
