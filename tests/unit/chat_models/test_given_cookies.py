"""Cookies as a caller gives them."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from langchain_g4f import ChatFlowGpt, ChatGradioSpace, ChatHuggingChat
from langchain_g4f.auth.given_cookies import named_cookies, sealed
from langchain_g4f.errors import ConfigurationError
from tests.unit.traces import assert_tells_nothing

CANARY = "canary-f3a91c77d2"
URL = "https://hub.example/path"


@pytest.mark.parametrize("wrap", [str, SecretStr])
def test_header_is_taken_apart(wrap: Any) -> None:
    """As a browser shows it."""
    assert named_cookies(wrap("a=1; token=x=y"), URL) == {"a": "1", "token": "x=y"}


def test_file_of_a_browser_gives_the_cookies_of_the_host(tmp_path: Path) -> None:
    """In either form, without those of others and what has expired."""
    cookies = [
        {"name": "mine", "value": "1", "domain": "hub.example"},
        {"name": "other", "value": "2", "domain": "other.example"},
        {"name": "old", "value": "3", "domain": "hub.example", "expirationDate": 5},
    ]
    exported = tmp_path / "cookies.json"
    exported.write_text(json.dumps(cookies))
    assert named_cookies(exported, URL) == {"mine": "1"}
    netscape = tmp_path / "cookies.txt"
    netscape.write_text("# Netscape\n.hub.example\tTRUE\t/\tTRUE\t0\tmine\t1\n")
    assert named_cookies(netscape, URL) == {"mine": "1"}


@pytest.mark.parametrize("wrap", [str, SecretStr])
@pytest.mark.parametrize("form", [list, tuple])
def test_list_of_a_browser_gives_the_cookies_of_the_host(wrap: Any, form: Any) -> None:
    """As its developer tools, an add-on or Playwright give it."""
    exported = form(
        [
            {"name": "mine", "value": wrap("1"), "domain": ".hub.example", "expires": -1},
            {"name": "other", "value": wrap("2"), "domain": "other.example"},
            {"name": "old", "value": wrap("3"), "domain": "hub.example", "expirationDate": 5},
            "no cookie",
            {"name": "none"},
        ]
    )
    assert named_cookies(exported, URL) == {"mine": "1"}
    assert named_cookies(sealed(exported), URL) == {"mine": "1"}


@pytest.mark.parametrize(
    "given", [[], [{"name": "sid", "value": CANARY, "domain": "other.example"}]]
)
def test_list_without_a_cookie_of_the_host_is_refused(given: Any) -> None:
    """Who wants no cookies gives None."""
    with pytest.raises(ConfigurationError, match=r"no cookie for hub\.example") as caught:
        named_cookies(sealed(given), URL)
    assert_tells_nothing(caught.value, CANARY)


BROKEN: dict[str, Any] = {
    "header": f"hf-chat={CANARY}\r\nx: y",
    "text": CANARY,
    "names and values": {"hf-chat": f"{CANARY};"},
    "list": [{"name": "hf-chat", "value": f"{CANARY}\n"}],
    "a number": {"hf-chat": CANARY, "token": 7},
}


@pytest.mark.proves("promise:redaction")
@pytest.mark.parametrize("make", [ChatHuggingChat, ChatGradioSpace])
@pytest.mark.parametrize("given", BROKEN.values(), ids=BROKEN)
def test_refused_cookies_are_in_no_frame(make: Any, given: Any) -> None:
    """Some tracebacks show local variables; the caller's own frame is the caller's."""
    with pytest.raises(ValidationError) as caught:
        make(cookies=given, base_url=URL)
    assert_frames_tell_nothing(caught.value)


@pytest.mark.proves("promise:redaction")
def test_refused_constructor_has_no_credential_in_a_frame() -> None:
    """Whichever of its fields is refused."""
    keys: dict[str, Any] = {
        "api_key": f"{CANARY}\n",
        "proxy": f"http://user:{CANARY}@127.0.0.1:1",
        "base_url": "no address",
    }
    for make in (ChatFlowGpt, ChatGradioSpace):
        with pytest.raises(ValidationError) as caught:
            make(**keys)
        assert_frames_tell_nothing(caught.value)


def assert_frames_tell_nothing(error: ValidationError) -> None:
    """But for this module's: those of the package, of pydantic and of LangChain."""
    links = [error, *(fault["ctx"]["error"] for fault in error.errors() if "ctx" in fault)]
    shown = [str(error)]
    for link in links:
        stack = traceback.StackSummary.extract(
            traceback.walk_tb(link.__traceback__), capture_locals=True
        )
        shown += [str(frame.locals) for frame in stack if frame.filename != __file__]
    assert len(shown) > 1
    assert [text for text in shown if CANARY in text] == []


def test_file_that_cannot_be_read_is_named_without_its_folder(tmp_path: Path) -> None:
    """Nor is anything of what is in it repeated."""
    latin = tmp_path / "latin.txt"
    latin.write_bytes(f"{CANARY}\xe9".encode("latin-1"))
    for path, reason in ((tmp_path / "none.txt", "FileNotFound"), (latin, "UnicodeDecode")):
        with pytest.raises(
            ConfigurationError, match=f"cannot read {path.name}: {reason}"
        ) as caught:
            named_cookies(path, URL)
        assert str(tmp_path) not in str(caught.value)
        assert CANARY not in str(caught.value)
        assert caught.value.__context__ is None


@pytest.mark.parametrize("given", [CANARY, f"; {CANARY}"])
def test_text_that_is_no_header_is_refused_without_it(given: str) -> None:
    """It may be a secret."""
    with pytest.raises(ConfigurationError, match="name=value") as caught:
        named_cookies(given, URL)
    assert CANARY not in str(caught.value)
