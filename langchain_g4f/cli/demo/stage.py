"""What the steps of the demo share: what they print with, what they measure and check."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from langchain_core.messages import AIMessage, AIMessageChunk
from pydantic import SecretStr

from langchain_g4f.chat_models.huggingchat import ChatHuggingChat
from langchain_g4f.cli.failure import CommandError
from langchain_g4f.cli.screen import Screen
from langchain_g4f.cli.terminal import printable

if TYPE_CHECKING:
    from rich.console import Console

    from langchain_g4f.testing import Sandbox

TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Stage:
    """What every step works with.

    Attributes:
        console: Where the demo prints.
        sandbox: The server of most steps.
        cookies: Cookies of a user who is logged in to the sandbox.
    """

    console: Console
    sandbox: Sandbox
    cookies: dict[str, str]

    def chat_model(self, model: str | None = None) -> ChatHuggingChat:
        """A chat model of the sandbox; None is the server's default."""
        return ChatHuggingChat(
            base_url=self.sandbox.base_url,
            model=model,
            cookies={name: SecretStr(value) for name, value in self.cookies.items()},
            timeout=TIMEOUT_S,
        )

    def say(self, text: str, style: str = "") -> None:
        """Print a line."""
        self.console.out(printable(text), style=style, highlight=False)

    def say_row(self, name: str, text: str) -> None:
        """Print a line of a table."""
        self.say(f"{name:>22}  {text}")


Step: TypeAlias = Callable[[Stage], Awaitable[None]]


@dataclass(slots=True)
class Meter:
    """Counts the pieces of one stream, and times the first.

    Attributes:
        first_token_s: Seconds until the first piece of the answer or of its reasoning.
        chunks: Number of such pieces.
    """

    _started_s: float = field(default_factory=time.perf_counter)
    first_token_s: float = 0.0
    chunks: int = 0
    text: str = ""
    reasoning: str = ""
    finish_reason: str = ""

    def add(self, chunk: AIMessageChunk) -> bool:
        """Count a chunk; return whether it had text or reasoning."""
        self.finish_reason = chunk.response_metadata.get("finish_reason", self.finish_reason)
        reasoning = chunk.additional_kwargs.get("reasoning_content", "")
        if not (chunk.text or reasoning):
            return False
        if not self.chunks:
            self.first_token_s = time.perf_counter() - self._started_s
        self.chunks += 1
        self.text += chunk.text
        self.reasoning += reasoning
        return True


def expect(holds: bool, what: str) -> None:
    """End the demo with a CommandError unless a check holds."""
    if not holds:
        raise CommandError(f"the demo expected {what}")


async def show_answer(chunks: AsyncIterator[AIMessageChunk]) -> AIMessage:
    """Show an answer as it comes, and return it."""
    screen = Screen()
    await screen.follow(chunks)
    if screen.message is None:
        raise CommandError("the demo expected an answer with text")
    return screen.message


def milliseconds(seconds: float) -> str:
    """A duration as text."""
    return f"{seconds * 1000:.0f} ms"
