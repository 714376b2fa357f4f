"""TLS and HTTP/2 as a browser speaks them, and whom it trusts."""

from __future__ import annotations

import asyncio
import shutil
import socket
import struct
import threading
import time
from pathlib import Path
from typing import Any

import curl_cffi
import pytest

from langchain_g4f.core.events import Progress
from langchain_g4f.core.http import Request
from langchain_g4f.core.plan import Plan, Sleep, send
from langchain_g4f.errors import APIConnectionError
from langchain_g4f.run import arun, run
from langchain_g4f.transport.client import ClientSettings
from tests.contract.faults.byte_server import ByteServer
from tests.contract.faults.certificates import Authority
from tests.contract.faults.downloads import context
from tests.unit.transport.client_hello import Hello, hellos
from tests.unit.transport.exchanges import (
    PLAIN,
    Exchange,
    by_mode,
    chrome,
    echo,
    made,
    read_all,
)
from tests.unit.transport.h2_server import DATA, HEADERS, RST_STREAM, SETTINGS, H2Server

pytestmark = pytest.mark.proves("promise:impersonate-wire")

LOCAL = "IP:127.0.0.1,DNS:localhost"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that is not trusted yet."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The same authority, trusted by what the test does."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


async def said(mode: str, target: str | None) -> Hello:
    """What the client of this mode says first, as this browser or as itself."""
    settings = PLAIN if target is None else ClientSettings(impersonate=target)
    with hellos() as (url, heard), pytest.raises(APIConnectionError):
        await Exchange(made(mode, settings).exchange()).open(Request("GET", url))
    return heard[0]


def said_by_curl(target: str) -> Hello:
    """What curl_cffi's own client says first."""
    with hellos() as (url, heard), pytest.raises(curl_cffi.exceptions.RequestException):
        curl_cffi.get(url, impersonate=target)
    return heard[0]


@by_mode
@pytest.mark.parametrize("target", ["chrome", "firefox", "safari"])
async def test_client_hello_is_that_of_the_browser(mode: str, target: str) -> None:
    """The same ciphers and extensions as curl_cffi's own, and others than Python's."""
    ours = await said(mode, target)
    assert ours == said_by_curl(target)
    assert ours.protocols == (b"h2", b"http/1.1")
    pythons = await said(mode, None)
    assert ours.ciphers != pythons.ciphers
    assert ours.extensions != pythons.extensions


# -- trust ----------------------------------------------------------------------------------------


@by_mode
@pytest.mark.parametrize("kind", ["none", "file", "folder", "empty folder"])
async def test_authorities_of_the_environment_are_trusted(
    mode: str, kind: str, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given as a file or as a folder, and no others beside them."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    if kind == "file":
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    elif kind != "none":
        monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    if kind == "folder":
        shutil.copy(authority.file, tmp_path)
        rehash = await asyncio.create_subprocess_exec("openssl", "rehash", tmp_path)
        assert await rehash.wait() == 0
    with ByteServer(echo, ssl_context=authority.server(LOCAL)) as server:
        request = Request("GET", f"{server.url}/x")
        if kind in {"file", "folder"}:
            assert await chrome(mode).whole(request) == b"GET /x"
        else:
            with pytest.raises(APIConnectionError, match="no TLS connection") as caught:
                await chrome(mode).open(request)
            assert not caught.value.is_retryable


@by_mode
@pytest.mark.parametrize("name", ["DNS:elsewhere.example", "IP:127.0.0.2"])
async def test_certificate_for_another_name_is_refused(
    mode: str, trusted: Authority, name: str
) -> None:
    """Nothing was sent, and trying again does not help."""
    with ByteServer(echo, ssl_context=trusted.server(name)) as server:
        with pytest.raises(APIConnectionError, match="CERTIFICATE_VERIFY_FAILED") as caught:
            await chrome(mode).open(Request("POST", server.url, body=b"x"))
        assert server.requests == []
    assert (caught.value.is_retryable, caught.value.request_sent) == (False, False)


@by_mode
async def test_service_that_speaks_no_tls_is_a_tls_error(mode: str) -> None:
    """It will speak none the next time either."""

    def serve() -> None:
        connection = listening.accept()[0]
        with connection:
            connection.recv(1)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.recv(9999)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
        with pytest.raises(APIConnectionError, match="no TLS connection") as caught:
            await chrome(mode).open(Request("GET", url))
        thread.join()
    assert (caught.value.is_retryable, caught.value.request_sent) == (False, False)


# -- HTTP/2 ---------------------------------------------------------------------------------------


def answer(server: H2Server, stream: int) -> None:
    """Answer in two pieces."""
    server.head(stream)
    server.data(stream, b"hel")
    server.data(stream, b"lo", end=True)


def begin(server: H2Server, stream: int) -> None:
    """Begin an answer and leave it at that."""
    server.head(stream)
    server.data(stream, b"a")


def h2_settings(server: H2Server) -> dict[int, int]:
    """What the client has set."""
    payload = server.sent(SETTINGS)[0].payload
    return dict(struct.iter_unpack(">HI", payload))


@by_mode
async def test_http2_is_spoken_where_it_is_offered(mode: str, trusted: Authority) -> None:
    """With Chrome's settings, body and all, and one connection for two requests."""
    with H2Server(trusted.server(LOCAL), answer) as server:
        exchange = chrome(mode)
        await exchange.open(Request("POST", f"{server.url}/x", body=b"body"))
        extensions = exchange.inner._response.extensions
        assert extensions["http_version"] == b"HTTP/2"
        body = b""
        while (data := await exchange.read()) is not None:
            body += data
        await exchange.close()
        assert body == b"hello"
        assert await chrome(mode).whole(Request("GET", f"{server.url}/x")) == b"hello"
        # RFC 9113, section 6.5.2: table size, no push, window, size of headers
        assert h2_settings(server) == {1: 65536, 2: 0, 4: 6291456, 6: 262144}
        assert b"".join(frame.payload for frame in server.sent(DATA)) == b"body"
        assert [frame.stream for frame in server.sent(HEADERS)] == [1, 3]
        assert server.connections == 1


@by_mode
async def test_closed_http2_stream_is_reset_at_once(mode: str, trusted: Authority) -> None:
    """The connection stays, for others may share it."""
    with H2Server(trusted.server(LOCAL), begin) as server:
        exchange = chrome(mode)
        await exchange.open(Request("GET", server.url))
        assert await exchange.read() == b"a"
        begun = time.monotonic()
        await exchange.close()
        assert await asyncio.to_thread(server.wait_for, RST_STREAM)
        assert time.monotonic() - begun < 0.5


@by_mode
async def test_http2_stream_that_the_service_resets_is_broken(
    mode: str, trusted: Authority
) -> None:
    """However much of it had come."""

    def handle(server: H2Server, stream: int) -> None:
        begin(server, stream)
        server.give_up(stream, 2)

    with H2Server(trusted.server(LOCAL), handle) as server:
        exchange = chrome(mode)
        with pytest.raises(APIConnectionError, match="RemoteProtocolError"):
            await read_all(exchange, Request("GET", server.url))
        await exchange.close()


@pytest.mark.proves("fault:66:HC:curl", "fault:66:PH:curl", "fault:66:FG:curl")
@by_mode
async def test_message_goes_by_a_new_connection_if_the_old_one_took_nothing(
    mode: str, trusted: Authority
) -> None:
    """The server had given it up while it was idle. So nothing is repeated."""

    def answer(server: H2Server, stream: int) -> None:
        server.head(stream)
        server.data(stream, b"ok", end=True)

    def plan(url: str) -> Plan:
        for number in range(2):
            request = Request("POST", url, body=b"message")
            assert (yield from send(lambda request=request: request)).body == b"ok"  # type: ignore[misc]
            if number == 0:
                server.nonsense()
                yield Sleep(0.05)

    with H2Server(trusted.server(LOCAL), answer) as server:
        client: Any = made(mode, ClientSettings(impersonate="chrome"))
        call: Any = run if mode == "sync" else arun
        events = call(plan(server.url), context(server.url), client)
        found = list(events) if mode == "sync" else [event async for event in events]
        assert [type(event) for event in found] == [Progress]
        assert server.connections == 2
        assert len(server.sent(HEADERS)) == 2
