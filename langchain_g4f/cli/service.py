"""Who is talked to: HuggingChat, another chat-ui server, or the sandbox."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from langchain_g4f.chat_models.huggingchat import ChatHuggingChat
from langchain_g4f.cli.failure import CommandError
from langchain_g4f.testing import Sandbox, echo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_g4f.chat_models.base import BaseChatG4F
    from langchain_g4f.events import Progress
    from langchain_g4f.testing import Script

SANDBOX_PACE_S = 0.02
"""Seconds before each token of the sandbox, so that one sees it stream."""

SANDBOX_GREETING = """\
You are talking to the sandbox, a scripted server on this machine. It repeats
what you say; [[think]] makes it reason first, [[long:200]] say 200 words."""


@dataclass(frozen=True, slots=True)
class Service:
    """A server to make chat models for.

    Attributes:
        name: Its address, for people.
        settings: The fields of a chat model that reach it.
        greeting: What a person is told before a conversation.
    """

    name: str
    settings: dict[str, Any]
    greeting: str

    def chat_model(
        self,
        model: str | None = None,
        timeout: float | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        *,
        web_search: bool = False,
    ) -> BaseChatG4F:
        """A chat model of this server.

        Args:
            model: Its name; None for the server's default.
            timeout: Seconds for a whole call.
            on_progress: Told what happens on the way.
            web_search: Whether the server searches the web.
        """
        return ChatHuggingChat(
            model=model,
            timeout=timeout,
            on_progress=on_progress,
            web_search=web_search,
            **self.settings,
        )

    def live_models(self, timeout: float | None = None) -> list[str]:
        """What the server says it has, its default first; empty if it does not say.

        Args:
            timeout: Seconds for it to answer.
        """
        return _OnlyLiveModels(timeout=timeout, **self.settings).get_models()


class _OnlyLiveModels(ChatHuggingChat):
    """Knows no model by itself, so that it lists those of the server or none."""

    models: ClassVar[tuple[str, ...]] = ()


@contextmanager
def open_service(base_url: str | None, *, sandbox: bool) -> Iterator[Service]:
    """The server the options name; the sandbox runs as long as the `with` block.

    Raises:
        CommandError: Two servers are named.
        MissingDependencyError: The sandbox's extra is not installed.
    """
    if not sandbox:
        settings: dict[str, Any] = {"base_url": base_url} if base_url else {}
        name = base_url or ChatHuggingChat.url
        yield Service(name, settings, f"You are talking to {name}.")
        return
    if base_url:
        raise CommandError("--base-url and --sandbox name two servers: give one of them")
    with open_sandbox(pace_s=SANDBOX_PACE_S) as running:
        # Credentials of the environment are for somebody else.
        settings = {"base_url": running.base_url, "cookies": None}
        yield Service("the sandbox", settings, SANDBOX_GREETING)


@contextmanager
def open_sandbox(
    script: Script = echo, *, pace_s: float = 0.0, login_required: bool = False
) -> Iterator[Sandbox]:
    """A sandbox that is reached directly, whatever proxy the environment names."""
    exempt = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = f"{exempt},127.0.0.1".lstrip(",")
    with Sandbox(script, pace_s=pace_s, login_required=login_required) as running:
        yield running


__all__ = ["Service", "open_sandbox", "open_service"]
