"""The Space of Phi-4 multimodal: a Gradio app of which some facts are known.

Follows docs/protocols/gradio-space.md, section 1. The app's own description comes first; the
numbers that an earlier client used count only if the app does not describe itself.
"""

from __future__ import annotations

from langchain_g4f.providers.gradio_space import App, Component, Function

SPACE = "microsoft/phi-4-multimodal"
MODEL = "phi-4-multimodal"
FILE_TYPES = ("image/", "audio/")
"""Prefixes of the media types that the model takes."""

_STATE, _CHATBOT, _BOX = 2, 3, 8


def fallback_app() -> App:
    """The app as an earlier client knew it: functions 10 and 11, started by component 8."""
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
