"""The body of a request, checked field by field, as what the model is asked.

Follows docs/protocols/flowgpt.md, section 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_g4f.testing.flowgpt.gate import RefusedError
from langchain_g4f.testing.script import Prompt

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from langchain_g4f.testing.script import ChatMessage


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_history(value: Any) -> bool:
    return _is_list(value) and all(map(_is_message, value))


def _is_message(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("role") in ("assistant", "user")
        and _is_text(value.get("content"))
    )


_FIELDS: dict[str, Callable[[Any], bool]] = {
    "model": _is_text,
    "nsfw": _is_flag,
    "question": _is_text,
    "history": _is_history,
    "system": _is_text,
    "temperature": _is_number,
    "promptId": _is_text,
    "documentIds": _is_list,
    "generateImage": _is_flag,
    "generateAudio": _is_flag,
}


def read_question(body: Any, models: Collection[str]) -> Prompt:
    """Return what the model is asked.

    Args:
        body: The parsed body.
        models: Names of the models there are.

    Raises:
        RefusedError: 400 for a field that is missing or of another type, or an unknown model.
    """
    if not isinstance(body, dict):
        raise RefusedError(400, "bad_request", "the body is no JSON object")
    for name, fits in _FIELDS.items():
        if not fits(body.get(name)):
            raise RefusedError(400, "bad_request", f"{name} is missing or of the wrong type")
    if body["model"] not in models:
        raise RefusedError(400, "bad_request", f"unknown model {body['model']}")
    messages: list[ChatMessage] = []
    if body["system"]:
        messages.append({"role": "system", "content": body["system"]})
    messages += [{"role": said["role"], "content": said["content"]} for said in body["history"]]
    messages.append({"role": "user", "content": body["question"]})
    return Prompt(body["model"], messages)
