"""Several messages as one text, for services that take one message at a time.

Each message stands in an element named for its role. Content cannot open or close such an
element, because every ``<`` that would begin one of these tags is written ``&lt;``. So neither a
user nor a tool result can forge a role.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_g4f.core.chat_request import Message

GO_ON = "Go on from here."
"""The request where the last message is an answer."""

_TAG = re.compile(r"<(?=[\s/]*(?:conversation|system|user|assistant|tool)\b)", re.IGNORECASE)


def escape(text: str) -> str:
    """``text`` without the tags of a transcript."""
    return _TAG.sub("&lt;", text)


def render(messages: Sequence[Message], preface: str = "") -> str:
    """The prompt for a service without roles: the history, then the request.

    The request is the last user message, or the newest results of tools and the messages after
    them. Without a history, it is passed on as it is.

    Args:
        messages: The conversation.
        preface: Text that stands before everything else.
    """
    asked = _unanswered(messages)
    history = messages[: len(messages) - len(asked)]
    request = "\n".join(m.text for m in asked)
    if history:
        said = "\n".join(f"<{m.role}>\n{escape(m.text)}\n</{m.role}>" for m in history)
        before = f"This is the conversation so far:\n<conversation>\n{said}\n</conversation>"
        request = f"{before}\n\n{escape(request) if asked else GO_ON}"
    return "\n\n".join(filter(None, (preface, request, messages[-1].note)))


def _unanswered(messages: Sequence[Message]) -> Sequence[Message]:
    """The messages at the end that need an answer."""
    begin = len(messages)
    while begin and messages[begin - 1].role in ("user", "tool"):
        begin -= 1
    asked = messages[begin:]
    return asked if any(m.role == "tool" for m in asked) else asked[-1:]


__all__ = ["GO_ON", "escape", "render"]
