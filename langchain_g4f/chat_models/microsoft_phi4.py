"""ChatMicrosoftPhi4: Phi-4 multimodal on its Space, with pictures and sound."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from langchain_g4f.chat_models.addresses import address
from langchain_g4f.chat_models.gradio_space import ChatGradioSpace

if TYPE_CHECKING:
    from langchain_core.language_models import ModelProfile

    from langchain_g4f.core.plan import CallContext, PlanOf
    from langchain_g4f.providers.gradio_space import SpaceConfig


def _environment_base_url() -> str:
    given = os.environ.get("PHI4_BASE_URL") or "https://microsoft-phi-4-multimodal.hf.space"
    return address(given, "PHI4_BASE_URL")


class ChatMicrosoftPhi4(ChatGradioSpace):
    """Chat with Phi-4 multimodal: text, pictures and sound (wav, mp3, flac).

    Instantiate:
        ``ChatMicrosoftPhi4()``; ``space=``, ``base_url=`` or ``PHI4_BASE_URL`` for a copy of
        the Space.

    Everything else is as with `ChatGradioSpace`. Earlier messages and a system message are
    sent in one text, the only way that is known to work with this Space.
    """

    label: ClassVar[str] = "Phi-4"
    provider: ClassVar[str] = "microsoft_phi4"
    url: ClassVar[str] = "https://huggingface.co/spaces/microsoft/phi-4-multimodal"
    default_model: ClassVar[str] = "phi-4-multimodal"
    default_vision_model: ClassVar[str] = "phi-4-multimodal"
    models: ClassVar[tuple[str, ...]] = ("phi-4-multimodal",)
    vision_models: ClassVar[tuple[str, ...]] = ("phi-4-multimodal",)
    model_aliases: ClassVar[Mapping[str, str]] = {"phi-4": "phi-4-multimodal"}

    space: str = "microsoft/phi-4-multimodal"
    base_url: str = Field(default_factory=_environment_base_url)
    history: Literal["auto", "flattened", "messages"] = "flattened"

    def _where(self) -> SpaceConfig:
        from langchain_g4f.providers.microsoft_phi4 import FILE_TYPES, fallback_app

        return replace(
            super()._where(),
            referer=f"{self.base_url}?__theme=light",
            file_types=FILE_TYPES,
            models=self.models,
            fallback_app=fallback_app(),
        )

    def _models_plan(self, context: CallContext) -> PlanOf[list[str]]:
        found = yield from super()._models_plan(context)
        return list(dict.fromkeys([*self.models, *self.model_aliases, *found]))

    def _resolve_model_profile(self) -> ModelProfile | None:
        profile = super()._resolve_model_profile() or {}
        return profile | {"image_inputs": True, "image_url_inputs": True, "audio_inputs": True}


__all__ = ["ChatMicrosoftPhi4"]
