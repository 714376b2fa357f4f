r"""What a model is told of its tools, and how calls and results read in a history.

The form is that of Hermes and Qwen, which the open models behind these services were
trained on: one JSON object a line in ``<tools>``, a call in ``<tool_call>``, a result in
``<tool_response>``. Nothing that is said inside one of these can open or close one: in
JSON its ``<`` is written ``\u003c``, which reads back, elsewhere ``&lt;``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langchain_g4f.wire import JSON

PROTOCOL = 1
"""Version of what is said here; another one may be answered differently."""

ANY = "any"
"""The choice that some tool has to be called."""

NO_CALL = "That was no tool call. Answer with a <tool_call> element and nothing else."
"""What a model is told that had to call a tool, and did not."""

# As a model may read it: blanks and case do not matter.
_TAG = re.compile(r"<(?=[\s/]*+tool(?:s|_call|_response)\b)", re.IGNORECASE)

_TOOLS = """\
# Tools

You can call tools. Each line in <tools> describes one, with the JSON Schema of its arguments:
<tools>
{tools}
</tools>

To call a tool, write its name and its arguments as one JSON object in this element:
<tool_call>{{"name": "tool name", "arguments": {{"argument": "value"}}}}</tool_call>
{several} You may write text before a call, but nothing after it. The \
result comes back in a <tool_response> element; never write one yourself. If no tool is needed, \
answer without a call."""
_SEVERAL = "Several calls are several such elements."
_ONE = "Make one call at a time."
_FORCED = "You must call the tool {name} now: answer with a <tool_call> element."
_FORCED_ANY = "You must call one of the tools now: answer with a <tool_call> element."
_SCHEMA = """\
Answer with one JSON object and nothing else: no text around it and no code fence. It has to fit \
this JSON Schema:
{schema}"""
_JSON = "Answer with one JSON object and nothing else: no text around it and no code fence."


def tools_section(tools: Sequence[Mapping[str, JSON]], *, parallel: bool = True) -> str:
    """The instructions for these tools.

    Args:
        tools: Name, description and parameters of each.
        parallel: Whether several calls may be made at once.
    """
    lines = "\n".join(_json(dict(tool)) for tool in tools)
    return _TOOLS.format(tools=lines, several=_SEVERAL if parallel else _ONE)


def directive(choice: str) -> str:
    """What is said with a message that has to be answered with a call; empty for no choice."""
    if not choice:
        return ""
    return _FORCED_ANY if choice == ANY else _FORCED.format(name=_json(choice))


def schema_directive(schema: Mapping[str, JSON] | None) -> str:
    """What is said with a message that has to be answered in JSON."""
    if schema is None:
        return _JSON
    return _SCHEMA.format(schema=_json(dict(schema)))


def render_call(name: str, arguments: Mapping[str, JSON]) -> str:
    """A call as the model is asked to write one."""
    return f"<tool_call>{_json({'name': name, 'arguments': dict(arguments)})}</tool_call>"


def render_unreadable(text: str) -> str:
    """A call that could not be read, so that it is read as one again; ``text`` is its content."""
    return f"<tool_call>{_json(text)}</tool_call>"


def render_result(text: str, *, call_id: str, name: str, status: str) -> str:
    """The result of a call, as the model is told it."""
    attributes = {"id": call_id, "name": name, "status": status}
    said = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items() if value)
    return f"<tool_response{said}>\n{escape(text)}\n</tool_response>"


def escape(text: str) -> str:
    """``text`` without anything that reads as a tag of these instructions."""
    return _TAG.sub("&lt;", text)


def _json(value: object) -> str:
    """``value`` as JSON without anything that reads as a tag."""
    return _TAG.sub(r"\\u003c", json.dumps(value, ensure_ascii=False))


__all__ = [
    "ANY",
    "NO_CALL",
    "PROTOCOL",
    "directive",
    "escape",
    "render_call",
    "render_result",
    "render_unreadable",
    "schema_directive",
    "tools_section",
]
