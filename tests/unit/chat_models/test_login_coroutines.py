"""Callbacks of the application that are coroutine functions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.core.events import Progress
from langchain_g4f.testing import Sandbox
from tests.unit.chat_models.test_login_required import (
    ANSWER,
    Application,
    model_of,
)
from tests.unit.chat_models.ways import MODEL, ask


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder for settings of this test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@pytest.fixture
def closed() -> Iterator[Sandbox]:
    """A server that turns anonymous callers away."""
    with Sandbox(login_required=True) as sandbox:
        yield sandbox


@pytest.mark.proves("promise:login-required")
async def test_coroutine_function_is_awaited(closed: Sandbox, mode: str) -> None:
    """On the event loop of an async call; a blocking one has its end before it goes on."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def log_in(_: str) -> object:
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())
        return closed.login("ada")

    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL, on_login_required=log_in)
    assert (await ask(model, mode, "hi")).text == ANSWER
    here = asyncio.get_running_loop()
    assert [loop is here for loop in loops] == [mode in {"ainvoke", "astream"}]


def test_coroutine_function_needs_no_event_loop(closed: Sandbox) -> None:
    """A program without one may share its callback with one that has."""

    async def log_in(_: str) -> object:
        return closed.login("ada")

    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL, on_login_required=log_in)
    assert model.invoke("hi").text == ANSWER


async def test_cancelled_call_leaves_the_coroutine_to_its_loop(closed: Sandbox) -> None:
    """It goes on there, and nothing waits for ever."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def log_in(_: str) -> None:
        begun.set()
        await asyncio.sleep(0.05)
        ended.set()

    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL, on_login_required=log_in)
    call = asyncio.create_task(model.ainvoke("hi"))
    await begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.wait_for(ended.wait(), 5)


async def test_progress_may_be_told_to_a_coroutine_function(closed: Sandbox, mode: str) -> None:
    """Before the call goes on."""
    seen: list[str] = []

    async def told(progress: Progress) -> None:
        await asyncio.sleep(0)
        seen.append(progress.kind)

    application = Application(lambda _: closed.login("ada"))
    model = model_of(closed, application, on_progress=told)
    assert (await ask(model, mode, "hi")).text == ANSWER
    assert "login_renewed" in seen
