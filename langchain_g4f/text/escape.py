r"""The escape for everything that enters a prompt.

A model reads one text. What in it is a role, a tool or the result of one is said by markers:
ours, and those of the template with which a service writes the roles. Nothing that a user,
a document, a tool or an earlier answer says may have one. So the bracket that would begin a
marker is written as an entity, ``&lt;`` or ``&#91;``, which a model reads as the bracket and
a tokenizer does not. Everything else stays, HTML and code among it.
"""

from __future__ import annotations

import json
import re

_MARKER = re.compile(
    r"""
    <(?=
        # ours, as a model may read them: blanks and case do not matter
        [\s/]*+(?i:tool(?:s|_call|_response))\b
        # special tokens of chat templates, which are exact
      | [|\uff5c][^\s<>|\uff5c]{1,64}[|\uff5c]>
      | /?(?:s|bos|eos|sop|eop|start_of_turn|end_of_turn|start_of_image)>
      | </?SYS>>
    )
  | \[(?=
        /?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS|TOOL_CALLS|TOOL_CONTENT)\]
      | [gs]?MASK\]
    )
    """,
    re.VERBOSE,
)
_ENTITIES = {"<": "&lt;", "[": "&#91;"}
_IN_JSON = {"<": r"\u003c", "[": r"\u005b"}


def escape(text: str, nonce: str = "") -> str:
    """``text`` without anything that a model may read as a marker.

    Args:
        text: From a user, a document, a tool or an earlier answer.
        nonce: What only the model may know; it is left out, too.
    """
    text = _without(nonce, text)
    return _MARKER.sub(lambda found: _ENTITIES[found.group()], text)


def json_without_markers(value: object, nonce: str = "") -> str:
    """``value`` as JSON without markers, which reads back as the same but for the nonce."""
    said = _without(nonce, json.dumps(value, ensure_ascii=False))
    return _MARKER.sub(lambda found: _IN_JSON[found.group()], said)


def _without(nonce: str, text: str) -> str:
    return text.replace(nonce, "*" * len(nonce)) if nonce else text


__all__ = ["escape", "json_without_markers"]
