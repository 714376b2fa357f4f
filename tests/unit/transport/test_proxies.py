"""Proxies: the given one is used, and nothing else."""

from __future__ import annotations

import base64
import sys

import pytest
from pydantic import SecretStr

from langchain_g4f.core.http import Request
from langchain_g4f.errors import (
    APIConnectionError,
    ConfigurationError,
    MissingDependencyError,
)
from langchain_g4f.transport.client import ClientSettings
from tests.contract.faults.byte_server import ByteServer
from tests.contract.faults.byte_server import Exchange as Asked
from tests.unit.traces import assert_tells_nothing
from tests.unit.transport.exchanges import (
    PLAIN,
    Exchange,
    asked_of,
    by_mode,
    closed_port,
    echo,
    made,
)

CANARY = "canary-f3a91c77d2"
by_browser = pytest.mark.parametrize(
    "impersonate",
    [None, pytest.param("chrome", marks=pytest.mark.proves("promise:impersonate-wire"))],
)


@by_mode
@pytest.mark.parametrize(
    "proxy", [CANARY, f"ftp://user:{CANARY}@127.0.0.1", f"http://u:{CANARY}@h:{CANARY}"]
)
async def test_proxy_that_is_no_url_is_a_configuration_error(proxy: str, mode: str) -> None:
    """The error does not repeat it."""
    settings = ClientSettings(SecretStr(proxy))
    with pytest.raises(ConfigurationError, match=r"^proxy: expected a URL") as caught:
        made(mode, settings)
    assert_tells_nothing(caught.value, CANARY)


@pytest.mark.proves("promise:missing-extra")
@by_mode
@pytest.mark.parametrize("from_environment", [True, False])
async def test_proxy_that_needs_another_package_says_so(
    from_environment: bool, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SOCKS is an extra of httpx; the error names it, and how to install it."""
    monkeypatch.setitem(sys.modules, "socksio", None)
    proxy = f"socks5://user:{CANARY}@127.0.0.1:9"
    if from_environment:
        monkeypatch.setenv("ALL_PROXY", proxy)
    settings = PLAIN if from_environment else ClientSettings(SecretStr(proxy))
    with pytest.raises(MissingDependencyError, match=r"pip install 'httpx\[socks\]'") as caught:
        made(mode, settings)
    assert_tells_nothing(caught.value, CANARY)


@pytest.mark.proves("promise:proxy")
@by_mode
@by_browser
async def test_given_proxy_is_used(
    mode: str, impersonate: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the environment says, and with the credentials it was given."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with ByteServer(echo) as proxy:
        address = SecretStr(f"http://us%3Aer:p%40w@127.0.0.1:{proxy.port}")
        settings = ClientSettings(address, impersonate=impersonate)
        assert await asked_of(mode, "http://service.example/x", settings)
        (asked,) = proxy.requests
    assert asked.path == "http://service.example/x"
    said = str(asked.header("proxy-authorization")).removeprefix("Basic ")
    assert base64.b64decode(said) == b"us:er:p@w"


@pytest.mark.proves("promise:proxy")
@by_mode
@by_browser
async def test_proxy_that_is_not_there_or_refuses_is_no_reason_to_go_without(
    mode: str, impersonate: str | None
) -> None:
    """The service is not asked directly, and the error holds no password."""

    def refuse(asked: Asked) -> None:
        asked.respond(407, b"who are you?")

    with ByteServer(echo) as service, ByteServer(refuse) as proxy, closed_port() as unused:
        secure = service.url.replace("http:", "https:")
        for port, url in ((unused, service.url), (unused, secure), (proxy.port, secure)):
            address = SecretStr(f"http://user:{CANARY}@127.0.0.1:{port}")
            settings = ClientSettings(address, impersonate=impersonate)
            with pytest.raises(APIConnectionError) as caught:
                await asked_of(mode, url, settings)
            assert_tells_nothing(caught.value, CANARY)
            refused = port == proxy.port
            assert ("407" in str(caught.value)) == refused
            assert (caught.value.is_retryable, caught.value.request_sent) == (not refused, False)
        assert service.requests == []
        assert service.connections_open == 0


@by_mode
async def test_direct_client_uses_no_proxy_and_no_connection_twice(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that was checked is the one that is connected to."""
    with ByteServer(echo) as server, closed_port() as unused:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused}")
        for _ in range(2):
            exchange = Exchange(made(mode, PLAIN).exchange())
            url = f"http://named.example:{server.port}/x"
            assert await exchange.whole(Request("GET", url, address="127.0.0.1")) == b"GET /x"
        assert server.wait_closed(1)
        assert [a.request_number for a in server.requests] == [1, 1]
        assert server.requests[0].header("host") == f"named.example:{server.port}"
