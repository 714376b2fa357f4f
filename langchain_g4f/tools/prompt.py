r"""The instructions for tools in a prompt, and the form of calls and results in a history.

The form is that of Hermes and Qwen, with which the open models behind these services were
trained: one JSON object a line in ``<tools>``, a call in ``<tool_call>``, a result in
``<tool_response>``. No content of such an element can open or close one: in JSON its ``<`` is
written ``\u003c``, which reads back, elsewhere it is escaped.

The element of a call has an id, the same for a whole conversation. Only the model is told the id,
so a text that it quotes is no call; see `langchain_g4f.tools.parser`.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, TypeGuard
from xml.sax.saxutils import quoteattr

from langchain_g4f.text.escape import escape, json_without_markers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langchain_g4f.core.http import JSON

PROTOCOL = 2
"""Version of these instructions; a model may answer another version differently."""

ANY = "any"
"""The choice that the model has to call some tool."""

NO_CALL = "That was no tool call. Answer with a tool call and nothing else."
"""The message to a model that had to call a tool and did not."""

_LETTERS, _DIGITS = "bcdfghjkmnpqrstvwxz", "23456789"
_NONCE = re.compile(f"(?:[{_LETTERS}][{_DIGITS}]){{4}}")
_RENDERED = re.compile(r'<tool_call id="(\w+)">')

_TOOLS = """\
# Tools

You can call tools. Each line in <tools> describes one, with the JSON Schema of its arguments:
<tools>
{tools}
</tools>

To call a tool, write its name and its arguments as one JSON object in this element, with this \
id, on a line of its own:
{tag}{{"name": "tool name", "arguments": {{"argument": "value"}}}}</tool_call>
{several} You may write text before a call, but nothing after it. The \
result comes back in a <tool_response> element; never write one yourself. Never write the id \
anywhere else, and not when you quote a text. If no tool is needed, \
answer without a call."""
_SEVERAL = "Several calls are several such elements."
_ONE = "Make one call at a time."
_FORCED = "You must call the tool {name} now: answer with a {tag} element."
_FORCED_ANY = "You must call one of the tools now: answer with a {tag} element."
_SCHEMA = """\
Answer with one JSON object and nothing else: no text around it and no code fence. It has to fit \
this JSON Schema:
{schema}"""
_JSON = "Answer with one JSON object and nothing else: no text around it and no code fence."


def tools_section(
    tools: Sequence[Mapping[str, JSON]], *, nonce: str = "", parallel: bool = True
) -> str:
    """The instructions for these tools.

    Args:
        tools: Name, description and parameters of each tool.
        nonce: Id of the element of a call.
        parallel: Whether the model may make several calls at once.
    """
    lines = "\n".join(json_without_markers(dict(tool), nonce) for tool in tools)
    several = _SEVERAL if parallel else _ONE
    return _TOOLS.format(tools=lines, tag=_tag(nonce), several=several)


def directive(choice: str, nonce: str = "") -> str:
    """The instruction to answer a message with a call; empty for no choice."""
    if not choice:
        return ""
    tag = _tag(nonce)
    if choice == ANY:
        return _FORCED_ANY.format(tag=tag)
    return _FORCED.format(name=json_without_markers(choice, nonce), tag=tag)


def schema_directive(schema: Mapping[str, JSON] | None) -> str:
    """The instruction to answer a message in JSON."""
    if schema is None:
        return _JSON
    return _SCHEMA.format(schema=json_without_markers(dict(schema)))


def render_call(name: str, arguments: Mapping[str, JSON], nonce: str = "") -> str:
    """A call as the model is asked to write one."""
    said = json_without_markers({"name": name, "arguments": dict(arguments)}, nonce)
    return f"{_tag(nonce)}{said}</tool_call>"


def render_unreadable(text: str, nonce: str = "") -> str:
    """A call with the content ``text``, which could not be read and cannot be read again."""
    return f"{_tag(nonce)}{json_without_markers(text, nonce)}</tool_call>"


def new_nonce() -> str:
    """A random id that a model can copy easily."""
    return "".join(secrets.choice(_LETTERS) + secrets.choice(_DIGITS) for _ in range(4))


def is_nonce(given: object) -> TypeGuard[str]:
    """Whether the value has the form of `new_nonce`."""
    return isinstance(given, str) and _NONCE.fullmatch(given) is not None


def nonce_in(history: str) -> str:
    """The id of the calls in an earlier answer as it is rendered here; empty without calls."""
    found = _RENDERED.search(history)
    return found[1] if found else ""


def render_result(text: str, *, call_id: str, name: str, status: str, nonce: str = "") -> str:
    """The result of a call, for the model; ``nonce`` is the id of the model's calls."""
    attributes = {"id": call_id, "name": name, "status": status}
    said = "".join(
        f" {key}={escape(quoteattr(value), nonce)}" for key, value in attributes.items() if value
    )
    return f"<tool_response{said}>\n{escape(text, nonce)}\n</tool_response>"


def _tag(nonce: str) -> str:
    return f'<tool_call id="{nonce}">' if nonce else "<tool_call>"


__all__ = [
    "ANY",
    "NO_CALL",
    "PROTOCOL",
    "directive",
    "is_nonce",
    "new_nonce",
    "nonce_in",
    "render_call",
    "render_result",
    "render_unreadable",
    "schema_directive",
    "tools_section",
]
