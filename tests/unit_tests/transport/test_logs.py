"""What the HTTP library logs of an answer."""

from __future__ import annotations

import logging

import pytest

from langchain_g4f.redact import MASK
from langchain_g4f.transport import logs
from langchain_g4f.wire import Request
from tests.fault_tests.byte_server import ByteServer, Exchange
from tests.unit_tests.transport.worlds import by_world, exchanges

CANARY = "canary-f3a91c77d2"


@pytest.mark.proves("obligation:huggingchat:19", "promise:redaction")
@by_world
async def test_no_cookie_is_logged_at_any_level(
    world: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the one that is sent nor those that come back; other headers stay readable."""
    caplog.set_level(logging.DEBUG)

    def handle(asked: Exchange) -> None:
        cookies = [("Set-Cookie", f"a={CANARY}"), ("set-cookie", f"b='{CANARY}\""), ("X-A", "see")]
        asked.respond(200, b"", cookies)

    with ByteServer(handle) as server:
        async with exchanges(world) as make:
            headers = {"cookie": f"a={CANARY}", "authorization": f"Bearer {CANARY}"}
            await make().whole(Request("POST", f"{server.url}/", headers, CANARY.encode()))
    assert CANARY not in caplog.text
    assert caplog.text.count(f"'{MASK}'") == 2
    assert "(b'X-A', b'see')" in caplog.text


def test_filter_is_installed_once() -> None:
    """However often it is asked for."""
    logs.hide_cookies()
    logs.hide_cookies()
    names = [type(each).__name__ for each in logging.getLogger("httpcore.http11").filters]
    assert names.count("_HideCookies") == 1
