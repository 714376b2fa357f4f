"""The two apps of the stand-in for a Gradio server, as `/config` describes them and as they answer.

See `tests.gradio_standin`, which serves them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from langchain_g4f.testing.gradio_space.apps.messages import (
    assistant_messages,
    read_history,
    split_last,
)
from langchain_g4f.testing.gradio_space.apps.model import PartialAnswer, Question

Message = dict[str, Any]
App = Literal["phi4", "chat_interface"]
Show = Callable[[PartialAnswer], list[Any]]

PREFIX = "/gradio_api"
_CHATBOT, _BOX, _STATE, _SYSTEM, _TEMPERATURE, _BUTTON, _RESPONSE = 3, 8, 2, 0, 1, 14, 15
_COMPONENTS: dict[App, dict[int, tuple[str, Message]]] = {
    "phi4": {
        _STATE: ("state", {}),
        _CHATBOT: ("chatbot", {"type": "messages", "label": "Phi-4", "value": []}),
        _BOX: ("multimodaltextbox", {"file_count": "multiple", "sources": ["upload"]}),
    },
    "chat_interface": {
        _SYSTEM: ("textbox", {"label": "System prompt", "value": "Be brief."}),
        _TEMPERATURE: (
            "slider",
            {"label": "Temperature", "value": 0.7, "minimum": 0, "maximum": 1},
        ),
        _STATE: ("state", {}),
        _BOX: ("multimodaltextbox", {"file_count": "single", "label": "Message"}),
        _BUTTON: ("button", {"value": "Fake API"}),
        _RESPONSE: ("json", {"label": "Response"}),
    },
}
_STEPS = ([_CHATBOT, _BOX, _STATE], [_CHATBOT, _STATE])
_ASKED = [_BOX, _STATE, _SYSTEM, _TEMPERATURE]


def _function(
    number: int, name: str, inputs: list[int], outputs: list[int], **more: Any
) -> Message:
    return {
        "id": number,
        "api_name": name,
        "inputs": inputs,
        "outputs": outputs,
        "targets": [[None, "then"]],
        "trigger_after": None,
        "queue": True,
        "backend_fn": True,
        "show_api": True,
        "types": {"generator": False, "cancel": False},
    } | more


_STREAMS = {"generator": True, "cancel": False}
_FUNCTIONS: dict[App, list[Message]] = {
    "phi4": [
        _function(10, "add_message", _STEPS[0], _STEPS[0], queue=False, targets=[[_BOX, "submit"]]),
        _function(11, "respond", _STEPS[1], _STEPS[1], types=_STREAMS, trigger_after=10),
        _function(12, "lambda_10", [], [_BOX], trigger_after=11),
    ],
    "chat_interface": [
        _function(
            6, "chat", _ASKED, [_RESPONSE, _STATE], types=_STREAMS, targets=[[_BUTTON, "click"]]
        )
    ],
}


@dataclass(slots=True)
class Session:
    """What an app remembers under one `session_hash`, and what waits to be read."""

    prompts: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    new_files: list[Path] = field(default_factory=list)
    said: list[tuple[str, str]] = field(default_factory=list)
    messages: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    runs: dict[str, asyncio.Task[None]] = field(default_factory=dict)


def config(app: App) -> Message:
    """What `/config` says (section 8), as far as a chat needs it."""
    return {
        "version": "5.22.0",
        "protocol": "sse_v3",
        "api_prefix": PREFIX,
        "app_id": 1,
        "mode": "blocks" if app == "phi4" else "chat_interface",
        "title": f"Stand-in for {app}",
        "components": [
            {"id": number, "type": kind, "props": props}
            for number, (kind, props) in _COMPONENTS[app].items()
        ],
        "dependencies": _FUNCTIONS[app],
    }


def prepare(session: Session, data: list[Any]) -> list[Any]:
    """The step before Phi-4's answer: keep the message in the state, show it in the chatbot."""
    history, message, _ = data
    session.new_files = [Path(file["path"]) for file in message["files"]]
    session.files += session.new_files
    session.prompts.append(message["text"])
    shown = [_user({"file": file, "alt_text": None}) for file in message["files"]]
    cleared = {"value": None, "interactive": False, "__type__": "update"}
    return [[*history, *shown, _user(message["text"])], cleared, None]


def asked(
    app: App, session: Session, data: list[Any], headers: dict[str, str]
) -> tuple[Question, Show]:
    """The question in the inputs of a function, and how its answer looks in the outputs."""
    if app == "phi4":
        history = data[0]
        text, earlier = split_last(history)
        question = Question(
            text,
            earlier,
            list(session.new_files),
            turn=len(session.prompts),
            prompts=list(session.prompts),
            files_so_far=len(session.files),
            headers=headers,
        )
        return question, lambda reply: [[*history, *assistant_messages(reply)], None]
    message, _, system, temperature = data
    question = Question(
        message["text"],
        list(session.said),
        [Path(file["path"]) for file in message["files"]],
        system=system,
        inputs={"Temperature": temperature},
        headers=headers,
    )
    session.said += read_history([_user(message["text"])])
    return question, lambda reply: [reply.text, None]


def _user(content: Any) -> Message:
    return {"role": "user", "metadata": None, "content": content, "options": None}


def changes(before: Any, now: Any) -> list[Any]:
    """The edits that make `now` of `before` (section 4)."""
    return list(_edits(before, now, []))


def _edits(before: Any, now: Any, path: list[Any]) -> Iterator[list[Any]]:
    if before == now:
        return
    if isinstance(before, str) and isinstance(now, str) and now.startswith(before):
        yield ["append", path, now[len(before) :]]
    elif isinstance(before, dict) and isinstance(now, dict) and before.keys() == now.keys():
        for key, value in now.items():
            yield from _edits(before[key], value, [*path, key])
    elif isinstance(before, list) and isinstance(now, list):
        for at, (old, new) in enumerate(zip(before, now, strict=False)):
            yield from _edits(old, new, [*path, at])
        for at, new in enumerate(now[len(before) :], len(before)):
            yield ["add", [*path, at], new]
        for at in range(len(now), len(before)):
            yield ["delete", [*path, at], None]
    else:
        yield ["replace", path, now]
