"""How requests are made: as which browser, by which proxy, trusting whom.

A target's own headers are those of a page that a person opens. What is sent here comes
from a script in a page, so the headers that `fetch` sends take their place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args
from urllib.request import getproxies, proxy_bypass

import certifi
import httpx
from curl_cffi import BrowserTypeLiteral, Curl, CurlError, CurlHttpVersion, CurlOpt, ffi
from curl_cffi.requests.impersonate import REAL_TARGET_MAP

from langchain_g4f.errors import ConfigurationError
from langchain_g4f.transport.connection_errors import in_text

_TARGETS = sorted({*get_args(BrowserTypeLiteral), *REAL_TARGET_MAP})
_OURS = ("langchain-g4f/", "python-httpx/")
_BY_CURL = {"host", "content-length", "transfer-encoding", "connection"}
_OF_PAGES = ("Cache-Control", "Priority", "Sec-Fetch-User", "Upgrade-Insecure-Requests")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_BREAKS = (b"\r", b"\n", b"\0")
_PROXY_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_FOREVER_MS = 2**31 - 1
_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")
"""What a certificate is called in a folder that OpenSSL looks things up in."""


def _trusted() -> tuple[str, str | None]:
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file or not folder:
        return file or certifi.where(), None
    # without a file curl would trust its own one, too; one of the folder's adds no authority
    found = [each for each in sorted(Path(folder).glob("*")) if _HASHED.fullmatch(each.name)]
    return str(found[0]) if found else os.devnull, folder


@dataclass(frozen=True, slots=True)
class ImpersonateConfig:
    """What the requests of a client have in common.

    Attributes:
        target: The browser, by one of the names curl_cffi has for it.
        proxy: For all requests; None for those of the environment, if any, which are no way to
            this very machine.
        trusted: File and folder of the authorities that httpx would trust now.

    Raises:
        ConfigurationError: There is no such target.
    """

    target: str
    proxy: httpx.Proxy | None = None
    trusted: tuple[str, str | None] = field(default_factory=_trusted)

    def __post_init__(self) -> None:
        """Refuse an unknown target before anything is sent."""
        if self.target not in _TARGETS or Curl().impersonate(self._browser) != 0:
            shown = ", ".join(_TARGETS)
            msg = f"impersonate: there is no target {self.target!r}; there are: {shown}"
            raise ConfigurationError(msg)

    @property
    def _browser(self) -> str:
        return REAL_TARGET_MAP.get(self.target, self.target)

    def prepared(self, request: httpx.Request, content: bytes) -> Curl:
        """A handle with everything set but the callbacks.

        Raises:
            httpx.TransportError: There can be no such request.
        """
        if request.url.scheme not in {"http", "https"}:
            msg = "Request URL has an unsupported protocol"
            raise httpx.UnsupportedProtocol(msg)
        with suppress(CurlError):  # it repeats what was set
            return self._prepared(request, content)
        msg = "a part of the request cannot be sent"
        raise httpx.LocalProtocolError(msg)

    def _prepared(self, request: httpx.Request, content: bytes) -> Curl:
        curl = Curl()
        curl._ws_recv_buffer = None  # noqa: SLF001 -- 128 KiB, which only WebSockets need
        curl.impersonate(self._browser)
        address = request.url
        host = f"{address.scheme}://{address.netloc.decode('ascii')}"
        curl.setopt(CurlOpt.URL, host.encode() + address.raw_path)
        curl.setopt(CurlOpt.PATH_AS_IS, 1)
        if address.scheme == "http":  # no browser asks for an upgrade to HTTP/2
            curl.setopt(CurlOpt.HTTP_VERSION, CurlHttpVersion.V1_1)
        curl.setopt(CurlOpt.HTTP_CONTENT_DECODING, 0)
        curl.setopt(CurlOpt.NOSIGNAL, 1)
        connect = request.extensions.get("timeout", {}).get("connect")
        connect_ms = _FOREVER_MS if connect is None else max(1, int(connect * 1000))
        curl.setopt(CurlOpt.CONNECTTIMEOUT_MS, min(connect_ms, _FOREVER_MS))
        _trust(curl, *self.trusted)
        _ask(curl, request.method, len(content))
        curl.setopt(CurlOpt.HTTPHEADER, [*self._headers(request)])
        proxy = self.proxy or _environment_proxy(address)
        _go_by(curl, proxy)
        if proxy is not None:  # whose fault it is if there is no connection
            request.extensions["proxy"] = in_text(proxy.url.host, _port(proxy))
        return curl

    def _headers(self, request: httpx.Request) -> Iterator[bytes]:
        """What is set beside the target's own headers, or instead; a name alone removes one."""
        # curl writes what it is given
        if any(mark in text for pair in request.headers.raw for text in pair for mark in _BREAKS):
            msg = "a header has more than one line"
            raise httpx.LocalProtocolError(msg)
        given = {name.lower() for name in request.headers}
        for name, value in request.headers.raw:
            lower = name.decode("latin-1").lower()
            if lower in _BY_CURL or (lower == "user-agent" and _is_ours(value)):
                continue
            # a browser writes its own headers like this, where HTTP/1.1 shows it
            shown = name if lower.startswith(("x-", "sec-ch-")) else name.title()
            yield shown + b": " + value if value else shown + b";"
        absent = [*_OF_PAGES, "Expect", "Content-Type"]
        yield from (f"{name}:".encode() for name in absent if name.lower() not in given)
        if not self._browser.startswith("safari15"):  # this one has no such headers
            metadata = {"Dest": "empty", "Mode": "cors", "Site": _site(request)}
            for what, told in metadata.items():
                if f"sec-fetch-{what}".lower() not in given:
                    yield f"Sec-Fetch-{what}: {told}".encode()


def _is_ours(user_agent: bytes) -> bool:
    return user_agent.decode("latin-1").startswith(_OURS)


def _site(request: httpx.Request) -> str:
    """What the page that asks is to whom it asks. `fetch` names no origin to its own, in a GET."""
    origin = request.headers.get("origin")
    if origin is None:
        return "same-origin"
    here = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
    return "same-origin" if origin.lower() == here else "cross-site"


def _trust(curl: Curl, file: str, folder: str | None) -> None:
    curl.setopt(CurlOpt.CAINFO, file)
    curl.setopt(CurlOpt.PROXY_CAINFO, file)
    curl.setopt(CurlOpt.CAPATH, folder or ffi.NULL)
    curl.setopt(CurlOpt.PROXY_CAPATH, folder or ffi.NULL)


def _ask(curl: Curl, method: str, length: int) -> None:
    if length or method in {"POST", "PUT", "PATCH"}:
        curl.setopt(CurlOpt.POST, 1)
        curl.setopt(CurlOpt.POSTFIELDSIZE_LARGE, length)
    elif method == "HEAD":
        curl.setopt(CurlOpt.NOBODY, 1)
    curl.setopt(CurlOpt.CUSTOMREQUEST, method)


def _environment_proxy(address: httpx.URL) -> httpx.Proxy | None:
    if address.host in _LOOPBACK:
        return None
    found = getproxies()
    url = found.get(address.scheme) or found.get("all")
    port = "" if address.port is None else f":{address.port}"
    if not url or proxy_bypass(address.host + port):
        return None
    with suppress(ValueError, httpx.InvalidURL):
        return httpx.Proxy(url if "://" in url else f"http://{url}")
    msg = "the proxy that the environment names has no valid address"
    raise httpx.ProxyError(msg)


def _port(proxy: httpx.Proxy) -> int:
    return proxy.url.port or _PROXY_PORTS[proxy.url.scheme]


def _go_by(curl: Curl, proxy: httpx.Proxy | None) -> None:
    """By this proxy or none, whatever curl finds in the environment."""
    if proxy is None:
        curl.setopt(CurlOpt.PROXY, "")
        curl.setopt(CurlOpt.NOPROXY, "*")
        return
    # the proxy looks names up, as it does for httpx: who asks for a name elsewhere shows it
    scheme = "socks5h" if proxy.url.scheme == "socks5" else proxy.url.scheme
    curl.setopt(CurlOpt.PROXY, f"{scheme}://{proxy.url.netloc.decode('ascii')}")
    curl.setopt(CurlOpt.PROXYPORT, _port(proxy))
    curl.setopt(CurlOpt.NOPROXY, "")
    curl.setopt(CurlOpt.SUPPRESS_CONNECT_HEADERS, 1)
    if proxy.raw_auth is not None:
        user, password = proxy.raw_auth
        curl.setopt(CurlOpt.PROXYUSERNAME, user)
        curl.setopt(CurlOpt.PROXYPASSWORD, password)


__all__ = ["ImpersonateConfig"]
