"""What the steps of the demo share: the stage they play on, the meter, the check."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pydantic import SecretStr

from langchain_g4f.chat_models.huggingchat import ChatHuggingChat
from langchain_g4f.cli.failure import CommandError
from langchain_g4f.cli.terminal import printable

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk
    from rich.console import Console

    from langchain_g4f.testing import Sandbox

TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Stage:
    """What a step works with.

    Attributes:
        cookies: Those of a browser that has logged in to the sandbox.
    """

    console: Console
    sandbox: Sandbox
    cookies: dict[str, str]

    def chat_model(self, model: str | None = None) -> ChatHuggingChat:
        """A chat model of the sandbox; None asks for the default one."""
        return ChatHuggingChat(
            base_url=self.sandbox.base_url,
            model=model,
            cookies={name: SecretStr(value) for name, value in self.cookies.items()},
            timeout=TIMEOUT_S,
        )

    def say(self, text: str, style: str = "") -> None:
        """Print a line."""
        self.console.out(printable(text), style=style, highlight=False)


Step: TypeAlias = Callable[[Stage], Awaitable[None]]


@dataclass(slots=True)
class Meter:
    """What one stream brought, and when.

    Attributes:
        started_s: When it was asked for.
        first_token_s: Seconds from then until the first piece of the answer or its reasoning.
        chunks: Number of pieces.
    """

    started_s: float
    first_token_s: float = 0.0
    chunks: int = 0
    text: str = ""
    reasoning: str = ""
    finish_reason: str = ""

    def add(self, chunk: AIMessageChunk) -> bool:
        """Count a chunk; tell whether it had text or reasoning."""
        metadata = chunk.response_metadata
        self.finish_reason = metadata.get("finish_reason", self.finish_reason)
        reasoning = chunk.additional_kwargs.get("reasoning_content", "")
        if not (chunk.text or reasoning):
            return False
        if not self.chunks:
            self.first_token_s = time.perf_counter() - self.started_s
        self.chunks += 1
        self.text += chunk.text
        self.reasoning += reasoning
        return True


def milliseconds(seconds: float) -> str:
    """`seconds` for people."""
    return f"{seconds * 1000:.0f} ms"


def expect(holds: bool, what: str) -> None:
    """End the demo unless it `holds`.

    Raises:
        CommandError: It does not.
    """
    if not holds:
        raise CommandError(f"the demo expected {what}")


__all__ = ["Meter", "Stage", "Step", "expect", "milliseconds"]
