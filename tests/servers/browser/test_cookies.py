"""Reading the cookies of a profile that a real Chromium has written."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from langchain_g4f.auth.browsers import read_browser_cookies
from langchain_g4f.errors import ConfigurationError
from langchain_g4f.testing import Sandbox
from tests.servers.browser.visitor import own_window
from tests.unit.traces import assert_tells_nothing

pytestmark = pytest.mark.browser

SERVER = "https://huggingface.co/chat"


def cookie(name: str, domain: str = "huggingface.co", **fields: Any) -> Any:
    """A cookie that outlives the browser; its value tells where it is from."""
    settings = {"domain": domain, "path": "/", "expires": time.time() + 3600, "secure": True}
    return {"name": name, "value": f"{name}-of-{domain}"} | settings | fields


JAR = [
    cookie("hf-chat"),
    cookie("token", ".huggingface.co", httpOnly=True),
    cookie("chat-only", path="/chat"),
    cookie("papers-only", path="/papers"),
    cookie("session", expires=-1),
    cookie("plain", secure=False),
    cookie("hf-chat", "other.huggingface.co"),
    cookie("hf-chat", ".evil-huggingface.co"),
    cookie("hf-chat", "example.org"),
    cookie("unicode", value="gr\u00fc\u00dfe"),
]


async def test_cookies_of_one_host_are_taken_out_of_a_full_jar(
    sandbox: Sandbox, chromium: str, signed_in_profile: Path
) -> None:
    """Those of the host, its parents and the path, with the values the browser has."""
    async with own_window(chromium, signed_in_profile) as context:
        await context.add_cookies(JAR)
        sent = {c["name"]: c["value"] for c in await context.cookies([sandbox.base_url])}
    found = read_browser_cookies("chromium", SERVER, profile=signed_in_profile)
    assert found == {
        "hf-chat": "hf-chat-of-huggingface.co",
        "token": "token-of-.huggingface.co",
        "chat-only": "chat-only-of-huggingface.co",
        "plain": "plain-of-huggingface.co",
        "session": "session-of-huggingface.co",
    }
    plain = read_browser_cookies("chromium", "http://huggingface.co", profile=signed_in_profile)
    assert set(plain) == {"plain"}
    own = read_browser_cookies("chromium", sandbox.base_url, profile=signed_in_profile)
    assert own == sent
    assert {"hf-chat", "token"} <= set(own)


@pytest.mark.parametrize("inner", ["", "Default"])
def test_profile_is_named_by_its_folder_or_the_folder_of_all(
    sandbox: Sandbox, signed_in_profile: Path, inner: str
) -> None:
    """Either leads to the same cookies."""
    profile = signed_in_profile / inner
    found = read_browser_cookies("chromium", sandbox.base_url, profile=profile)
    assert "hf-chat" in found


def test_host_the_browser_never_saw_is_named(sandbox: Sandbox, signed_in_profile: Path) -> None:
    """The message has the host and the way out, and shows no cookie of another."""
    known = read_browser_cookies("chromium", sandbox.base_url, profile=signed_in_profile)
    with pytest.raises(ConfigurationError, match=r"no cookie for huggingface\.co\.") as caught:
        read_browser_cookies("chromium", SERVER, profile=signed_in_profile)
    assert_tells_nothing(caught.value, *known.values())
