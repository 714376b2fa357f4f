"""The models a sandbox offers and how both generations list them.

Follows docs/protocols/huggingchat.md, section 4, and 9.1 for the legacy list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_g4f.testing.chat_ui.superjson import UNDEFINED

if TYPE_CHECKING:
    from collections.abc import Sequence


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


ROUTER = SandboxModel(
    "omni",
    "Automatically routes your messages to the best model for your request.",
    display_name="Omni",
    multimodal=True,
    supports_tools=True,
    is_router=True,
)

DEFAULT_MODELS = (
    ROUTER,
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


class Catalogue:
    """The models of one server."""

    def __init__(self, models: Sequence[SandboxModel | str], *, legacy: bool) -> None:
        made = [SandboxModel(model) if isinstance(model, str) else model for model in models]
        # The router came with the current generation.
        self._models = {m.id: m for m in made or DEFAULT_MODELS if not (legacy and m.is_router)}

    @property
    def all(self) -> list[SandboxModel]:
        """Every model, unlisted ones included."""
        return list(self._models.values())

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
        if images:
            seeing = next((model for model in plain if model.multimodal), None)
            if seeing:
                return "multimodal", seeing
        return "default", plain[0]


def model_v2(model: SandboxModel) -> dict[str, Any]:
    """Return an entry of `GET /api/v2/models` (section 4)."""
    return {
        "id": model.id,
        "name": model.id,
        "websiteUrl": UNDEFINED,
        "modelUrl": UNDEFINED,
        "datasetName": UNDEFINED,
        "datasetUrl": UNDEFINED,
        "displayName": model.display_name or model.id,
        "description": model.description,
        "logoUrl": UNDEFINED,
        "promptExamples": UNDEFINED,
        "preprompt": "" if model.is_router else UNDEFINED,
        "multimodal": model.multimodal,
        "multimodalAcceptedMimetypes": ["image/*"] if model.multimodal else UNDEFINED,
        "supportsTools": model.supports_tools,
        "supportsReasoning": model.supports_reasoning,
        "supportsArtifacts": False,
        "unlisted": model.unlisted,
        "hasInferenceAPI": False,
        "isRouter": model.is_router,
    }


def model_v2_detail(model: SandboxModel) -> dict[str, Any]:
    """Return the answer of `GET /api/v2/models/{namespace}/{name}`."""
    provider = {
        "supports_tools": model.supports_tools,
        "context_length": 65536,
        "provider": "sandbox",
        "status": "live",
    }
    return {
        **model_v2(model),
        "providers": [provider],
        "parameters": {"stop_sequences": UNDEFINED},
    }


def model_plain(model: SandboxModel, *, legacy: bool) -> dict[str, Any]:
    """Return an entry of `GET /api/models`, which both generations have."""
    entry: dict[str, Any] = {
        "id": model.id,
        "name": model.id,
        "websiteUrl": "https://huggingface.co",
        "modelUrl": "https://huggingface.co",
        "displayName": model.display_name or model.id,
        "description": model.description,
        "promptExamples": [],
        "preprompt": "",
        "multimodal": model.multimodal,
        "unlisted": model.unlisted,
        "hasInferenceAPI": False,
    }
    if legacy:
        return {**entry, "tools": model.supports_tools}
    return {
        **entry,
        "supportsTools": model.supports_tools,
        "supportsReasoning": model.supports_reasoning,
        "supportsArtifacts": False,
    }
