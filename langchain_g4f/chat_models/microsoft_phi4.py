"""ChatMicrosoftPhi4: Phi-4 multimodal on its Space, with pictures and sound."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from langchain_g4f.chat_models.gradio_space import ChatGradioSpace
from langchain_g4f.chat_models.settings import default_base_url
from langchain_g4f.providers.base import Provider
from langchain_g4f.providers.microsoft_phi4 import SPACE, MicrosoftPhi4

if TYPE_CHECKING:
    from langchain_core.language_models import ModelProfile


class ChatMicrosoftPhi4(ChatGradioSpace):
    """Chat with Phi-4 multimodal: text, pictures and sound (wav, mp3, flac).

    Instantiate:
        ``ChatMicrosoftPhi4()``; ``space=``, ``base_url=`` or ``PHI4_BASE_URL`` for a copy of
        the Space.

    Everything else is as with `ChatGradioSpace`. Earlier messages and a system message are
    sent in one text, the only way that is known to work with this Space.
    """

    provider_class: ClassVar[type[Provider]] = MicrosoftPhi4

    space: str = SPACE
    base_url: str = Field(default_factory=partial(default_base_url, MicrosoftPhi4))
    history: Literal["auto", "flattened", "messages"] = "flattened"

    def _resolve_model_profile(self) -> ModelProfile | None:
        profile = super()._resolve_model_profile() or {}
        return profile | {"image_inputs": True, "image_url_inputs": True, "audio_inputs": True}


__all__ = ["ChatMicrosoftPhi4"]
