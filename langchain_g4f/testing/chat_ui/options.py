"""How a sandboxed chat-ui server is set up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_g4f.testing.chat_ui.models import SandboxModel
    from langchain_g4f.testing.script import Script, Split

Generation: TypeAlias = Literal["current", "legacy"]


@dataclass(frozen=True, slots=True)
class Options:
    """The operator's settings; `Sandbox` documents each of them."""

    script: Script
    generation: Generation
    login_required: bool
    require_site_token: bool
    login_form: bool
    models: Sequence[SandboxModel | str]
    pace_s: float
    split: Split
    seed: int
    keep_alive_s: float
    stop_delay_s: float
    max_conversations: int | None
    messages_per_minute: int | None
    max_messages: int | None
    max_input_chars: int | None
    web_sources: Sequence[tuple[str, str]]
    tool_servers: Sequence[str]

    @property
    def legacy(self) -> bool:
        """Whether the server is of the legacy generation."""
        return self.generation == "legacy"
