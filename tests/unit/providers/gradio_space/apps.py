"""What apps say of themselves: small ones of every kind, and those of the recordings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from langchain_g4f.providers.gradio_space.app import App, read_app

CASSETTES = Path(__file__).resolve().parents[4] / "cassettes"
RECORDED = (
    "phi4",
    "phi4/gradio6",
    "gradio-chatinterface",
    "gradio-chatinterface/gradio5",
)


def recorded_config(folder: str) -> Any:
    """What a recorded server says of itself."""
    recording = yaml.safe_load((CASSETTES / folder / "discovery.yaml").read_text("utf-8"))
    return json.loads(recording["interactions"][0]["response"]["body"]["string"])


def component(id_: int, kind: str, label: str | None = None, **props: Any) -> dict[str, Any]:
    """One component."""
    return {"id": id_, "type": kind, "props": {"label": label, **props}}


def function(
    id_: int,
    inputs: Sequence[int],
    outputs: Sequence[int],
    *targets: tuple[int | None, str],
    after: int | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One function that streams; one that follows another need not name a target."""
    return {
        "id": id_,
        "api_name": f"fn_{id_}",
        "inputs": list(inputs),
        "outputs": list(outputs),
        "targets": [list(target) for target in targets or [(None, "then")]],
        "trigger_after": after,
        "queue": True,
        "backend_fn": True,
        "types": {"generator": True},
        "show_api": True,
        **more,
    }


PLAIN: dict[str, Any] = {"queue": False, "types": {"generator": False}}
"""A function that does not stream, and is called directly."""


def config(
    components: Sequence[dict[str, Any]], functions: Sequence[dict[str, Any]], **more: Any
) -> dict[str, Any]:
    """An app on Gradio 5."""
    return {
        "version": "5.22.0",
        "api_prefix": "/gradio_api",
        "protocol": "sse_v3",
        "app_id": 7,
        "title": "An app",
        "components": list(components),
        "dependencies": list(functions),
        **more,
    }


def app(
    components: Sequence[dict[str, Any]], functions: Sequence[dict[str, Any]], **more: Any
) -> App:
    """The same, read."""
    return read_app(config(components, functions, **more))


CHATBOT = component(1, "chatbot", "Chat", type="messages", value=[])
BOX = component(2, "textbox", "Message", value="")
MULTIMODAL = component(2, "multimodaltextbox", "Message", file_count="multiple")
BUTTON = component(3, "button", None, value="Send")
STATE = component(4, "state")
SUBMIT, CLICK = (2, "submit"), (3, "click")


def page_config(*extras: dict[str, Any], box: Any = BOX, **more: Any) -> dict[str, Any]:
    """A page with a chatbot, a message box and a button; one function prepares and answers."""
    inputs = [2, 1, *(extra["id"] for extra in extras)]
    answer = function(5, inputs, [2, 1], SUBMIT, CLICK)
    return config([CHATBOT, box, BUTTON, *extras], [answer], **more)


def interface_config(*extras: dict[str, Any], box: Any = BOX, **more: Any) -> dict[str, Any]:
    """An interface of message and state."""
    inputs = [2, 4, *(extra["id"] for extra in extras)]
    output = component(6, "json", "Response")
    answer = function(5, inputs, [6, 4], CLICK, api_name="chat")
    return config([box, BUTTON, STATE, output, *extras], [answer], **more)


def steps_config(*, stateful: bool = False, **more: Any) -> dict[str, Any]:
    """A page whose first function takes the message, and whose second answers."""
    state = [4] if stateful else []
    return config(
        [CHATBOT, MULTIMODAL, STATE],
        [
            function(5, [1, 2, *state], [1, 2, *state], SUBMIT, **PLAIN),
            function(6, [1, *state], [1, *state], after=5),
        ],
        **more,
    )


def user(text: str) -> Any:
    """A message of the user, as a chatbot has it."""
    return {"role": "user", "content": text, "metadata": None, "options": None}


def assistant(text: str, title: str | None = None) -> Any:
    """A message of the model; with a title it is a thought."""
    metadata = {"title": title} if title else None
    return {"role": "assistant", "content": text, "metadata": metadata, "options": None}
