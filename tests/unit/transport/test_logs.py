"""What the HTTP library logs of an answer."""

from __future__ import annotations

import logging
from types import ModuleType

import httpx
import httpx2
import pytest

from langchain_g4f.core.http import Request
from langchain_g4f.core.redact import MASK
from langchain_g4f.transport.client import AsyncClient, SyncClient
from langchain_g4f.transport.http_library import hide_secrets
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.unit.transport.exchanges import Exchange as Exchanging
from tests.unit.transport.exchanges import by_mode, exchanges

CANARY = "canary-f3a91c77d2"


@pytest.mark.proves("obligation:huggingchat:19", "promise:redaction")
@by_mode
async def test_no_cookie_is_logged_at_any_level(
    mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the one that is sent nor those that come back; other headers stay readable."""
    caplog.set_level(logging.DEBUG)

    def handle(asked: Exchange) -> None:
        cookies = [("Set-Cookie", f"a={CANARY}"), ("set-cookie", f"b='{CANARY}\""), ("X-A", "see")]
        asked.respond(200, b"", cookies)

    with ByteServer(handle) as server:
        async with exchanges(mode) as make:
            headers = {"cookie": f"a={CANARY}", "authorization": f"Bearer {CANARY}"}
            await make().whole(Request("POST", f"{server.url}/", headers, CANARY.encode()))
    assert CANARY not in caplog.text
    assert caplog.text.count(f"'{MASK}'") == 2
    assert "(b'X-A', b'see')" in caplog.text


@pytest.mark.proves("promise:redaction")
@by_mode
@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
async def test_query_of_our_requests_is_not_logged(
    mode: str, library: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    """It may name a session; requests that the caller makes with the same client are theirs."""
    caplog.set_level(logging.INFO)
    query = f"session_hash={CANARY}"
    with ByteServer(lambda asked: asked.respond(200)) as server:
        url = f"{server.url}/queue/data?{query}"
        if mode == "sync":
            with library.Client() as http:
                await Exchanging(SyncClient(http).exchange()).whole(Request("GET", url))
                http.get(f"{server.url}/mine?{query}")
        else:
            async with library.AsyncClient() as http:
                await Exchanging(AsyncClient(http).exchange()).whole(Request("GET", url))
                await http.get(f"{server.url}/mine?{query}")
    ours, theirs = (each for each in caplog.messages if each.startswith("HTTP Request"))
    assert f'GET {server.url}/queue/data "HTTP/1.1 200 OK"' in ours
    assert f"/mine?{query}" in theirs


def test_filter_is_installed_once() -> None:
    """However often it is asked for."""
    hide_secrets()
    hide_secrets()
    names = [type(each).__name__ for each in logging.getLogger("httpcore.http11").filters]
    assert names.count("_HideCookies") == 1
