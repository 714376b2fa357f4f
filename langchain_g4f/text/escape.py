r"""The escape for every text that enters a prompt.

A model reads one text. Markers in it separate roles, tools and results: our own, and those of the
template with which a service writes the roles. No text of a user, a document, a tool or an earlier
answer may contain one. So the bracket that would begin a marker is written as an entity, ``&lt;``
or ``&#91;``, which a model reads as the bracket and a tokenizer does not. All other text stays as
it is, HTML and code included.
"""

from __future__ import annotations

import json
import re

_MARKER = re.compile(
    r"""
    <(?=
        # our own, in any case and with any white space
        [\s/]*+(?i:tool(?:s|_call|_response))\b
        # special tokens of chat templates, spelled exactly
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
    """``text`` without markers.

    Args:
        text: Text of a user, a document, a tool or an earlier answer.
        nonce: A secret of the model, which is left out, too.
    """
    text = _without(nonce, text)
    return _MARKER.sub(lambda found: _ENTITIES[found.group()], text)


def json_without_markers(value: object, nonce: str = "") -> str:
    """``value`` as JSON without markers; it reads back as the same value without the nonce."""
    said = _without(nonce, json.dumps(value, ensure_ascii=False))
    return _MARKER.sub(lambda found: _IN_JSON[found.group()], said)


def _without(nonce: str, text: str) -> str:
    return text.replace(nonce, "*" * len(nonce)) if nonce else text


__all__ = ["escape", "json_without_markers"]
