"""What a service and a proxy see of a client that looks like a browser, over HTTP/1.1."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from curl_cffi import Curl, CurlError
from pydantic import SecretStr

from langchain_g4f.core.http import Request
from langchain_g4f.errors import APIConnectionError, ConfigurationError
from langchain_g4f.transport.client import ClientSettings
from tests.contract.faults.byte_server import ByteServer
from tests.unit.traces import assert_tells_nothing
from tests.unit.transport.exchanges import CHROME, Exchange, by_mode, chrome, echo, made

pytestmark = pytest.mark.proves("promise:impersonate-wire")

CANARY = "canary-f3a91c77d2"
SERVICE = "http://service.example/x"


def by(proxy: str) -> ClientSettings:
    """Chrome, by a proxy."""
    return ClientSettings(SecretStr(proxy), impersonate="chrome")


@by_mode
async def test_headers_are_those_of_a_script_in_a_page(mode: str) -> None:
    """The browser's own ones, not those of a page that is opened, and none of ours."""
    headers = {
        "accept": "application/json",
        "content-type": "application/json",
        "cookie": "a=1",
        "x-own": "y",
    }
    with ByteServer(echo) as server:
        headers["origin"] = server.url
        await chrome(mode).whole(Request("POST", server.url, headers=headers, body=b"{}"))
        (asked,) = server.requests
    sent = {name.lower(): value for name, value in asked.headers}
    assert len(sent) == len(asked.headers)
    assert "Chrome/" in sent.pop("user-agent")
    assert "Google Chrome" in sent.pop("sec-ch-ua")
    assert sent.pop("sec-ch-ua-platform").startswith('"')
    assert sent == {
        "host": server.url.removeprefix("http://"),
        "sec-ch-ua-mobile": "?0",
        "accept": "application/json",
        "sec-fetch-site": "same-origin",
        "sec-fetch-mode": "cors",
        "sec-fetch-dest": "empty",
        "accept-encoding": "identity",
        "accept-language": "en-US,en;q=0.9",
        "content-type": "application/json",
        "cookie": "a=1",
        "x-own": "y",
        "origin": server.url,
        "content-length": "2",
    }


@by_mode
async def test_what_the_caller_says_of_itself_stands(mode: str) -> None:
    """Its own user agent, and where it comes from."""
    headers = {"user-agent": "mine", "origin": "https://elsewhere.example"}
    with ByteServer(echo) as server:
        await chrome(mode).whole(Request("GET", server.url, headers=headers))
        await chrome(mode).whole(Request("GET", server.url, headers={"sec-fetch-site": "none"}))
        first, second = server.requests
    assert (first.header("user-agent"), first.header("sec-fetch-site")) == ("mine", "cross-site")
    assert second.header("sec-fetch-site") == "none"
    assert sum(name.lower() == "sec-fetch-site" for name, _ in second.headers) == 1


@pytest.mark.parametrize("target", ["safari15_3", "safari", "firefox", "tor", "chrome_android"])
async def test_every_target_sends_its_own_user_agent_and_no_page_headers(target: str) -> None:
    """Old Safari has no headers about where a request comes from, so it gets none."""
    with ByteServer(echo) as server:
        settings = ClientSettings(impersonate=target)
        await chrome("async", settings).whole(Request("GET", server.url))
        (asked,) = server.requests
    assert str(asked.header("user-agent")).startswith("Mozilla/5.0")
    assert asked.header("accept") == "*/*"
    assert asked.header("sec-fetch-mode") == (None if target == "safari15_3" else "cors")
    for name in ("upgrade-insecure-requests", "sec-fetch-user", "priority", "upgrade"):
        assert asked.header(name) is None


@by_mode
@pytest.mark.parametrize("target", ["netscape4", "", "chrome0", "Chrome"])
async def test_unknown_target_is_refused_and_the_known_are_named(mode: str, target: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigurationError, match=r"impersonate: .* chrome, .* firefox, .*safari"):
        made(mode, ClientSettings(impersonate=target))


@by_mode
@pytest.mark.parametrize("headers", [{"x-own": "a\r\nx-other: b"}, {"x-own: a\nx": "b"}])
async def test_header_of_more_than_one_line_is_not_sent(mode: str, headers: dict[str, str]) -> None:
    """A header cannot carry another one."""
    with ByteServer(echo) as server:
        with pytest.raises(APIConnectionError, match="LocalProtocolError") as caught:
            await chrome(mode).open(Request("GET", server.url, headers=headers))
        assert server.requests == []
    assert not caught.value.request_sent


@by_mode
async def test_request_that_curl_does_not_take_is_not_repeated_in_the_error(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own message would."""
    client = made(mode, CHROME)

    def refuse(_: Curl, option: int, value: object) -> int:
        raise CurlError(f"Failed to setopt {option} {value}")

    monkeypatch.setattr(Curl, "setopt", refuse)
    with pytest.raises(APIConnectionError, match="LocalProtocolError") as caught:
        await Exchange(client.exchange()).open(Request("GET", f"http://127.0.0.1/?{CANARY}"))
    assert_tells_nothing(caught.value, CANARY)
    assert not caught.value.request_sent


# -- proxies --------------------------------------------------------------------------------------


@by_mode
async def test_proxy_of_the_environment_is_used_and_is_no_way_to_this_machine(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hosts that the environment excepts are asked directly, too."""
    with ByteServer(echo) as service, ByteServer(echo) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "excepted.invalid")
        assert await chrome(mode).whole(Request("GET", SERVICE))
        assert await chrome(mode).whole(Request("GET", service.url))
        with pytest.raises(APIConnectionError, match="could not connect"):
            await chrome(mode).open(Request("GET", "http://excepted.invalid/"))
        assert [asked.path for asked in proxy.requests] == [SERVICE]
        assert [asked.path for asked in service.requests] == ["/"]


@by_mode
async def test_proxy_of_the_environment_that_is_none_is_an_error(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no reason to go without."""
    monkeypatch.setenv("ALL_PROXY", f"gopher://user:{CANARY}@127.0.0.1")
    with pytest.raises(APIConnectionError, match="the proxy refused") as caught:
        await chrome(mode).open(Request("GET", SERVICE))
    assert_tells_nothing(caught.value, CANARY)


@contextmanager
def socks_proxy(answer: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A SOCKS5 proxy for one request, which asks for a password; yields its port, what it read."""
    heard: list[bytes] = []

    def serve() -> None:
        sock = listening.accept()[0]
        with sock:
            heard.append(sock.recv(99))
            sock.sendall(b"\x05\x02")
            heard.append(sock.recv(99))
            sock.sendall(b"\x01" + answer)
            if answer != b"\0":
                return
            heard.append(sock.recv(99))
            sock.sendall(b"\x05\0\0\x01\x7f\0\0\x01\0\x01")
            heard.append(sock.recv(9999))
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1], heard
        thread.join()


@by_mode
@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
async def test_socks_proxy_looks_the_name_up(mode: str, scheme: str) -> None:
    """With its credentials; this machine does not look the name up."""
    with socks_proxy(b"\0") as (port, heard):
        settings = by(f"{scheme}://user:{CANARY}@127.0.0.1:{port}")
        assert await chrome(mode, settings).whole(Request("GET", SERVICE)) == b"hi"
    assert heard[1] == b"\x01\x04user" + bytes([len(CANARY)]) + CANARY.encode()
    assert heard[2] == b"\x05\x01\0\x03\x0fservice.example\0\x50"
    assert heard[3].startswith(b"GET /x HTTP/1.1\r\n")


@by_mode
async def test_socks_proxy_that_refuses_is_a_proxy_error(mode: str) -> None:
    """It is not tried again, and the password is not told."""
    with socks_proxy(b"\x01") as (port, _):
        settings = by(f"socks5://user:{CANARY}@127.0.0.1:{port}")
        with pytest.raises(
            APIConnectionError, match=rf"the proxy 127\.0\.0\.1:{port} refused"
        ) as caught:
            await chrome(mode, settings).open(Request("GET", SERVICE))
    assert_tells_nothing(caught.value, CANARY)
    assert not caught.value.is_retryable
