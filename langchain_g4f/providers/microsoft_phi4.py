"""The Space of Phi-4 multimodal: a Gradio app of which some facts are known.

Follows docs/protocols/gradio-space.md, section 1. The app's own description comes first; the
numbers that an earlier client used count only if the app does not describe itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from langchain_g4f.providers.gradio_space.provider import GradioApp

if TYPE_CHECKING:
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.plan import PlanOf
    from langchain_g4f.providers.gradio_space.app import App
    from langchain_g4f.providers.gradio_space.config import SpaceConfig

SPACE = "microsoft/phi-4-multimodal"
MODEL = "phi-4-multimodal"
FILE_TYPES = ("image/", "audio/")
"""Prefixes of the media types that the model takes."""

_STATE, _CHATBOT, _BOX = 2, 3, 8


@dataclass(frozen=True, kw_only=True)
class MicrosoftPhi4(GradioApp):
    """The Space, or a copy of it."""

    name: ClassVar[str] = "microsoft_phi4"
    label: ClassVar[str] = "Phi-4"
    url: ClassVar[str] = f"https://huggingface.co/spaces/{SPACE}"
    home: ClassVar[str] = "https://microsoft-phi-4-multimodal.hf.space"
    home_variable: ClassVar[str] = "PHI4_BASE_URL"
    default_model: ClassVar[str] = MODEL
    default_vision_model: ClassVar[str] = MODEL
    models: ClassVar[tuple[str, ...]] = (MODEL,)
    vision_models: ClassVar[tuple[str, ...]] = (MODEL,)
    model_aliases: ClassVar[Mapping[str, str]] = {"phi-4": MODEL}

    @property
    def config(self) -> SpaceConfig:
        """The Space with what is known of it."""
        return replace(
            super().config,
            referer=f"{self.base_url}?__theme=light",
            file_types=FILE_TYPES,
            models=self.models,
            fallback_app=fallback_app(),
        )

    def list_models(self, context: CallContext) -> PlanOf[list[str]]:
        """The names of the model, and what the app says."""
        found = yield from super().list_models(context)
        return list(dict.fromkeys([*self.models, *self.model_aliases, *found]))


def fallback_app() -> App:
    """The app as an earlier client knew it: functions 10 and 11, started by component 8."""
    from langchain_g4f.providers.gradio_space.app import App, Component, Function

    prepare = Function(
        id=10,
        api_name="",
        inputs=(_CHATBOT, _BOX, _STATE),
        outputs=(_CHATBOT, _BOX, _STATE),
        targets=((_BOX, "submit"),),
        trigger_after=None,
        queue=False,
        generator=False,
        backend_fn=True,
        public=True,
    )
    answer = Function(
        id=11,
        api_name="",
        inputs=(_CHATBOT, _STATE),
        outputs=(_CHATBOT, _STATE),
        targets=((None, "then"),),
        trigger_after=10,
        queue=True,
        generator=True,
        backend_fn=True,
        public=True,
    )
    return App(
        app_id=0,
        version="5",
        api_prefix="/gradio_api",
        title=MODEL,
        space_id=SPACE,
        max_file_size=None,
        components={
            _STATE: Component(_STATE, "state", "", {}),
            _CHATBOT: Component(_CHATBOT, "chatbot", "", {"type": "messages"}),
            _BOX: Component(_BOX, "multimodaltextbox", "", {}),
        },
        functions=(prepare, answer),
    )


__all__ = ["FILE_TYPES", "MODEL", "SPACE", "MicrosoftPhi4", "fallback_app"]
