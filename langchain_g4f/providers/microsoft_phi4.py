"""The Space of Phi-4 multimodal: a Gradio app, of which some facts are known.

Follows docs/protocols/gradio-space.md, section 1. What the app says of itself comes
first; the numbers an earlier client used count only where it does not describe itself.
"""

from __future__ import annotations

from langchain_g4f.providers.gradio_space import App, Component, Function

SPACE = "microsoft/phi-4-multimodal"
MODEL = "phi-4-multimodal"
TAKES = ("image/", "audio/")
"""Kinds of files the model takes."""

_CHATBOT, _BOX, _STATE = 3, 8, 2
_TYPES = {_STATE: "state", _CHATBOT: "chatbot", _BOX: "multimodaltextbox"}


def known_app() -> App:
    """The app as the earlier client knew it: functions 10 and 11, started by component 8."""
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


__all__ = ["MODEL", "SPACE", "TAKES", "known_app"]
