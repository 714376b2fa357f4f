"""The Space of Phi-4 multimodal: a Gradio app, of which some facts are known.

Follows docs/protocols/gradio-space.md, section 1. What the app says of itself comes
first; the numbers an earlier client used count only where it does not describe itself.
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
    from langchain_g4f.providers.gradio_space.where import Where

SPACE = "microsoft/phi-4-multimodal"
MODEL = "phi-4-multimodal"
TAKES = ("image/", "audio/")
"""Kinds of files the model takes."""

_CHATBOT, _BOX, _STATE = 3, 8, 2
_TYPES = {_STATE: "state", _CHATBOT: "chatbot", _BOX: "multimodaltextbox"}


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
    def where(self) -> Where:
        """The Space with what is known of it."""
        return replace(
            super().where,
            referer=f"{self.base_url}?__theme=light",
            takes=TAKES,
            models=self.models,
            known=known_app(),
        )

    def list_models(self, context: CallContext) -> PlanOf[list[str]]:
        """The names of the model, and what the app says."""
        found = yield from super().list_models(context)
        return list(dict.fromkeys([*self.models, *self.model_aliases, *found]))


def known_app() -> App:
    """The app as the earlier client knew it: functions 10 and 11, started by component 8."""
    from langchain_g4f.providers.gradio_space.app import App, Component, Function

    components = {
        id_: Component(id_, kind, "", {"type": "messages"} if id_ == _CHATBOT else {})
        for id_, kind in _TYPES.items()
    }
    inputs, outputs = (_CHATBOT, _BOX, _STATE), (_CHATBOT, _BOX, _STATE)
    submit = ((_BOX, "submit"),)
    prepare = Function(
        10,
        "",
        inputs,
        outputs,
        submit,
        None,
        queued=False,
        streams=False,
        on_server=True,
        public=True,
    )
    kept = (_CHATBOT, _STATE)
    answer = Function(
        11,
        "",
        kept,
        kept,
        ((None, "then"),),
        10,
        queued=True,
        streams=True,
        on_server=True,
        public=True,
    )
    return App(
        0,
        "5",
        "/gradio_api",
        MODEL,
        SPACE,
        None,
        tells_errors=False,
        components=components,
        functions=(prepare, answer),
    )


__all__ = ["MODEL", "SPACE", "TAKES", "MicrosoftPhi4", "known_app"]
