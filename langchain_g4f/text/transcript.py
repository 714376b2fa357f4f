"""Several messages as one text, for services that take one message at a time.

Each message stands in an element named for its role; nothing inside a message can
open or close such an element, because every ``<`` that would begin one of these
tags is written ``&lt;``. So neither a user nor a tool result can forge a role.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_g4f.turn import Message

_TAG = re.compile(r"<(?=[\s/]*(?:conversation|system|user|assistant|tool)\b)", re.IGNORECASE)


def escape(text: str) -> str:
    """``text`` without anything that reads as a tag of a transcript."""
    return _TAG.sub("&lt;", text)


def render(messages: Sequence[Message]) -> str:
    """The prompt for a service that keeps no roles: history, then the last message.

    A single user message is passed on as it is.
    """
    *history, last = messages
    if not history and last.role == "user":
        return last.text
    if last.role == "user":
        request = escape(last.text)
    else:
        history, request = list(messages), "Go on from here."
    said = "\n".join(f"<{m.role}>\n{escape(m.text)}\n</{m.role}>" for m in history)
    return f"This is the conversation so far:\n<conversation>\n{said}\n</conversation>\n\n{request}"


__all__ = ["escape", "render"]
