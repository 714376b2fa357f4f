"""What a scripted model answers that is told of tools: the messages in, its words out.

It reads the instructions as a model does, from the text of the conversation: the `# Tools` section,
the directive that a call has to come, the JSON that is wanted, and the results of calls, also where
the whole conversation is one text. It makes a call where it has to, or where the question and a
tool have a word in common, and several where the question asks for several. After results it says
them. `[[tool:late]]` in the user's text makes it call only when it is asked a second time.

Standard library only and nothing of ours, like all modules of this folder.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .tools import Tool, arguments, best_tool, choose

_SECTION = re.compile(
    r"# Tools\n.*?<tools>\n(?P<tools>.*?)\n</tools>.*?answer without a call\.", re.DOTALL
)
_TAG = re.compile(r'(<tool_call(?: id="\w+")?>)\{"name": "tool name"')
_ONE_CALL = "Make one call at a time."
_NO_TOOLS = "You have no tools any more."
_FORCED = re.compile(
    r'You must call (?:the tool (?P<name>"(?:[^"\\]|\\.)*")|one of the tools) now: '
    r'answer with a <tool_call(?: id="\w+")?> element\.'
)
_AGAIN = "That was no tool call. Answer with a tool call and nothing else."
_WANTED = re.compile(
    r"Answer with one JSON object and nothing else: no text around it and no code fence\."
    r"(?: It has to fit this JSON Schema:\n(?P<schema>\{.*\}))?"
)
_CONVERSATION = re.compile(
    r"This is the conversation so far:\n<conversation>\n(.*?)\n</conversation>", re.DOTALL
)
_ELEMENT = re.compile(r"<(system|user|assistant|tool)>\n(.*?)\n</\1>", re.DOTALL)
_RESULT = re.compile(
    r"<tool_response(?P<head>(?:\s+\w+=(?:\"[^\"]*\"|'[^']*'))*)>\n(?P<text>.*?)\n</tool_response>",
    re.DOTALL,
)
_LATE = "[[tool:late]]"
_KEYS = re.compile(r"['\"](\w+)['\"]")


@dataclass(frozen=True)
class ToolAnswer:
    """What there is to say.

    Attributes:
        asked: The newest words of the user, without instructions, history and results.
        said: The answer; None where it is the one that is given without tools.
    """

    asked: str
    said: str | None


@dataclass(frozen=True)
class _Message:
    """A message without its instructions, and its results apart from its text."""

    role: str
    text: str
    results: Sequence[str] = ()
    failed: Sequence[bool] = ()


@dataclass
class _Request:
    """What the model is asked, as it reads it."""

    tools: list[Tool] = field(default_factory=list)
    tag: str = ""
    one_call: bool = False
    forced: bool = False
    name: str | None = None
    again: bool = False
    wants_json: bool = False
    schema: dict[str, Any] | None = None
    messages: list[_Message] = field(default_factory=list)

    @property
    def newest(self) -> _Message:
        return self.messages[-1]

    @property
    def asked(self) -> str:
        """The last words of the user, which may stand before results."""
        said = (m.text for m in reversed(self.messages) if m.role == "user" and m.text)
        return next(said, "")

    @property
    def question(self) -> str:
        return self.asked.replace(_LATE, "").strip()

    @property
    def results(self) -> Sequence[str]:
        """The results that have to be answered."""
        return () if self.newest.text else self.newest.results

    @property
    def told(self) -> str:
        return "\n".join(self.results)


def answer(messages: Sequence[tuple[str, str]]) -> ToolAnswer | None:
    """Answer as a model does that is told of tools.

    Args:
        messages: Role and text of each, the system message among them.

    Returns:
        None if the messages speak neither of tools nor of JSON.
    """
    request = _read(messages)
    if not (request.tools or request.wants_json):
        return None
    said: str | None = None
    if calls := _calls(request):
        said = "\n".join(
            f"{request.tag}{_dumps({'name': name, 'arguments': given})}</tool_call>"
            for name, given in calls
        )
    elif request.wants_json:
        said = _dumps(_wanted(request))
    elif request.results:
        newest = request.newest
        said = " ".join(
            f"The tool failed: {text}" if failed else f"The result is {text}."
            for text, failed in zip(newest.results, newest.failed, strict=True)
        )
    elif request.again:
        said = "I will not call a tool."
    return ToolAnswer(request.newest.text.replace(_LATE, "").strip(), said)


def _read(messages: Sequence[tuple[str, str]]) -> _Request:
    request = _Request()
    for role, text in messages:
        if sections := [*_SECTION.finditer(text)]:
            lines = sections[-1]["tools"].splitlines()
            request.tools = [Tool.read(json.loads(line)) for line in lines]
            found = _TAG.search(sections[-1].group())
            request.tag = found[1] if found else ""
            request.one_call = _ONE_CALL in sections[-1].group()
        elif _NO_TOOLS in text:
            request.tools = []
        plain = _SECTION.sub("", text).replace(_NO_TOOLS, "")
        if history := _CONVERSATION.search(plain):
            request.messages += [_message(*found) for found in _ELEMENT.findall(history[1])]
            plain = plain[: history.start()] + plain[history.end() :]
        request.messages.append(_message(role, plain))
    newest = messages[-1][1]
    request.again = _AGAIN in newest
    if directive := _FORCED.search(newest):
        request.forced = True
        request.name = json.loads(directive["name"]) if directive["name"] else None
    if wanted := _WANTED.search(newest):
        request.wants_json = True
        request.schema = json.loads(wanted["schema"]) if wanted["schema"] else None
    return request


def _message(role: str, text: str) -> _Message:
    plain = _WANTED.sub("", _FORCED.sub("", text.replace(_AGAIN, "")))
    if role == "assistant":
        return _Message(role, plain.strip())
    found = [*_RESULT.finditer(plain)]
    failed = ['status="error"' in result["head"] for result in found]
    return _Message(role, _RESULT.sub("", plain).strip(), [r["text"] for r in found], failed)


def _calls(request: _Request) -> list[tuple[str, dict[str, Any]]]:
    """Return the calls to make: names and arguments."""
    must_call = request.forced or request.again
    if not request.tools or (_LATE in request.asked and not request.again):
        return []
    if request.name or (must_call and request.results):
        # Agents put the tool for the structured answer behind the others.
        named = [tool for tool in request.tools if tool.name == request.name]
        tool = [*request.tools, *named][-1]
        return [(tool.name, arguments(tool.parameters, request.told, request.question))]
    if request.results:
        return []
    chosen = choose(request.question, request.tools)
    if must_call and not chosen:
        tool = best_tool(request.question, request.tools) or request.tools[-1]
        chosen = [(tool, request.question)]
    calls = [(tool.name, arguments(tool.parameters, text)) for tool, text in chosen]
    return calls[:1] if request.one_call else calls


def _wanted(request: _Request) -> dict[str, Any]:
    """Return the object that is wanted; without a schema, with the quoted words as keys."""
    if request.schema is not None:
        return arguments(request.schema, request.told, request.question)
    text = request.told or request.question
    return dict.fromkeys(_KEYS.findall(request.question), text) or {"answer": text}


def _dumps(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
