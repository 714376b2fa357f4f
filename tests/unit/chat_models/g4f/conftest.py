"""How the tests of ChatG4F ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_g4f import ChatG4F
from langchain_g4f.transport import retry
from tests.unit.chat_models.ways import ask as ask_in

Ask = Callable[..., Awaitable[AIMessage]]


async def _ask(mode: str, model: Any, prompt: Any = "hi", /, **kwargs: Any) -> AIMessage:
    return await ask_in(model, mode, prompt, **kwargs)


@pytest.fixture(params=["invoke", "astream"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Ask a chat model, sync and whole or async and streamed."""
    return partial(_ask, request.param)


@pytest.fixture(params=["sync", "async"])
def mode(request: pytest.FixtureRequest) -> str:
    """Whether to call sync or async; the test runs with both."""
    return str(request.param)


async def read(model: ChatG4F, mode: str) -> list[Any]:
    """The chunks of an answer."""
    if mode == "sync":
        return list(model.stream("hi"))
    return [chunk async for chunk in model.astream("hi")]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the wait before a call is made again."""
    monkeypatch.setattr(retry, "_FIRST_S", 0.002)
