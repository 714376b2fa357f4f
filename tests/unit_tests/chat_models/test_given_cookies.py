"""Cookies as a caller gives them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from langchain_g4f.chat_models.given_cookies import named_cookies
from langchain_g4f.errors import ConfigurationError

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
