"""A login of a real Chromium that ends while models are in use, and the next one."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_g4f import (
    APIConnectionError,
    AuthenticationError,
    ChatHuggingChat,
    alogin,
    login,
)
from langchain_g4f.testing import Sandbox
from tests.servers.browser.command import Shell, echo
from tests.servers.browser.visitor import NAME

pytestmark = pytest.mark.browser


def means(shell: Shell, profile: Path) -> Any:
    """Log in with a browser that shows no window."""
    return {
        "base_url": shell.sandbox.base_url,
        "headless": True,
        "browser_profile": profile,
        "browser": shell.chromium,
    }


async def ask(model: ChatHuggingChat, way: str, *messages: str | AIMessage) -> AIMessage:
    """Ask, one way or the other."""
    history = [HumanMessage(m) if isinstance(m, str) else m for m in messages]
    return model.invoke(history) if way == "invoke" else await model.ainvoke(history)


@pytest.mark.proves("promise:sign-in-expired")
def test_login_that_ended_is_an_error_whose_command_mends_it(
    sandbox: Sandbox, shell: Shell, signed_in_profile: Path
) -> None:
    """The same model object chats again, and so does a new program."""
    assert shell.log_in(signed_in_profile).returncode == 0
    model = ChatHuggingChat()
    assert model.invoke("one").text == echo("one")
    sandbox.expire_sessions()
    with pytest.raises(AuthenticationError):
        asyncio.run(model.ainvoke("two"))
    with pytest.raises(AuthenticationError) as caught:
        model.invoke("two")
    command = re.search("`langchain-g4f ([^`]*)`", str(caught.value))
    assert command
    done = shell.run(*shlex.split(command[1]), *shell.without_window(signed_in_profile))
    assert (done.returncode, done.stderr) == (0, "")
    assert model.invoke("three").text == echo("three")
    assert asyncio.run(model.ainvoke("four")).text == echo("four")
    assert shell.chat() == [NAME, echo("hello"), echo("hello again")]


@pytest.mark.proves("promise:sign-in-in-a-chat")
@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_chat_whose_login_ends_goes_on_after_the_callback_has_logged_in(
    sandbox: Sandbox, shell: Shell, signed_in_profile: Path, way: str
) -> None:
    """The conversation is the same one, and each message was taken once."""
    asked: list[str] = []

    def log_in(login_url: str) -> None:
        asked.append(login_url)
        login(**means(shell, signed_in_profile))

    model = ChatHuggingChat(on_login_required=log_in)
    first = await ask(model, way, "one")
    assert first.text == echo("one")
    sandbox.expire_sessions()
    second = await ask(model, way, "one", first, "two")
    assert second.text == echo("two", turn=2)
    assert asked == [f"{sandbox.base_url}/login"] * 2
    assert len(sandbox.conversations) == 1
    assert len(sandbox.prompts) == 2
    assert shell.file().exists()


@pytest.mark.proves("promise:sign-in-passing-failure")
async def test_server_that_is_gone_for_a_moment_is_asked_again(
    sandbox: Sandbox, shell: Shell, signed_in_profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cookies are the same ones, and the login is not lost."""
    failures = [APIConnectionError("gone for a moment")]
    asked: list[Mapping[str, object] | None] = []
    awhoami = ChatHuggingChat.awhoami

    async def who(self: ChatHuggingChat) -> str | None:
        asked.append(self.cookies)
        if failures:
            raise failures.pop()
        return await awhoami(self)

    monkeypatch.setattr(ChatHuggingChat, "awhoami", who)
    account = await alogin(**means(shell, signed_in_profile))
    assert (account.user, account.kept) == (NAME, True)
    assert failures == []
    assert asked[0]
