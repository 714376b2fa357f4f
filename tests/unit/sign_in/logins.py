"""Logging in both ways, and what must not be shown of it."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

import pytest

from langchain_g4f import (
    Account,
    alogin,
    awhoami,
    login,
    whoami,
)

CANARY = "canary-f3a91c77d2"

by_way = pytest.mark.parametrize("way", ["sync", "async"])


async def log_in(way: str, provider: str = "huggingchat", **means: Any) -> Account:
    """Log in; the blocking function is called in a running loop, as in a notebook."""
    return await alogin(provider, **means) if way == "async" else login(provider, **means)


async def who_is(way: str, provider: str = "huggingchat", **place: Any) -> Account:
    """Ask who is logged in."""
    return await awhoami(provider, **place) if way == "async" else whoami(provider, **place)


def header(cookies: Mapping[str, str]) -> str:
    """The cookies as a browser shows them."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def assert_shows_nothing(error: BaseException) -> None:
    """Neither the error nor the frames of the package that it came through have a canary."""
    link: BaseException | None = error
    while link is not None:
        assert CANARY not in f"{link} {link!r}"
        stack = traceback.StackSummary.extract(
            traceback.walk_tb(link.__traceback__), capture_locals=True
        )
        ours = [frame for frame in stack if "/langchain_g4f/" in frame.filename]
        assert CANARY not in str([frame.locals for frame in ours])
        link = link.__cause__ or link.__context__
