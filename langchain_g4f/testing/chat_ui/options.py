"""What the operator of a chat-ui server decides: its settings and its models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_g4f.testing.script import Script, Splitter


@dataclass(frozen=True, slots=True)
class SandboxModel:
    """One model of the list.

    Attributes:
        id: What a client names; also its display name unless one is given.
        description: One sentence for humans.
        display_name: Name for humans; empty means the id.
        multimodal: Whether images reach it.
        supports_tools: What the list says about tools; the sandbox runs none.
        supports_reasoning: Whether it thinks before it answers.
        unlisted: Kept off the lists; no conversation can be started with it.
        is_router: An alias that picks another model per message.
    """

    id: str
    description: str = ""
    display_name: str = ""
    multimodal: bool = False
    supports_tools: bool = False
    supports_reasoning: bool = False
    unlisted: bool = False
    is_router: bool = False


DEFAULT_MODELS = (
    SandboxModel(
        "omni",
        "Automatically routes your messages to the best model for your request.",
        display_name="Omni",
        multimodal=True,
        supports_tools=True,
        is_router=True,
    ),
    SandboxModel("sandbox/text-small", "Plain text model."),
    SandboxModel(
        "sandbox/vision-tools", "Takes images and tools.", multimodal=True, supports_tools=True
    ),
    SandboxModel(
        "sandbox/reasoner",
        "Thinks before it answers.",
        display_name="Sandbox Reasoner",
        supports_tools=True,
        supports_reasoning=True,
    ),
    SandboxModel("sandbox/hidden", "Kept off the list.", unlisted=True),
)


@dataclass(frozen=True, slots=True)
class ChatUiOptions:
    """The operator's settings; `Sandbox` documents each of them."""

    script: Script
    legacy: bool
    login_required: bool
    require_site_token: bool
    login_form: bool
    models: Sequence[SandboxModel | str]
    pace_s: float
    split: Splitter
    keep_alive_s: float
    stop_delay_s: float
    max_conversations: int | None
    messages_per_minute: int | None
    max_messages: int | None
    max_input_chars: int | None
    web_sources: Sequence[tuple[str, str]]
    tool_servers: Sequence[str]


class Catalogue:
    """The models of one server."""

    def __init__(self, options: ChatUiOptions) -> None:
        given = [SandboxModel(m) if isinstance(m, str) else m for m in options.models]
        models = given or DEFAULT_MODELS
        # Legacy servers have no router.
        self._models = {m.id: m for m in models if not (options.legacy and m.is_router)}

    @property
    def listed(self) -> list[SandboxModel]:
        """The models a client is told of; the first is the default."""
        return [model for model in self._models.values() if not model.unlisted]

    def get(self, model_id: object) -> SandboxModel | None:
        """Return the model with this id, or None."""
        return self._models.get(model_id) if isinstance(model_id, str) else None

    def route(self, *, images: bool) -> tuple[str, SandboxModel]:
        """Return the router's route and the model behind it for one message."""
        plain = [model for model in self.listed if not model.is_router]
        multimodal = [model for model in plain if model.multimodal] if images else []
        return ("multimodal", multimodal[0]) if multimodal else ("default", plain[0])
