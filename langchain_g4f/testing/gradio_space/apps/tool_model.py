"""What a scripted model answers that is told of tools: the messages in, its words out.

It reads the instructions as a model does, from the text of the conversation: the `# Tools` section,
the directive that a call has to come, the JSON that is wanted, and the results of calls, also where
the whole conversation is one text. It makes a call where it has to, or where the question and a
tool have a word in common, and several where the question asks for several. After results it says
them. Words in the user's text make it misbehave:

    [[tool:fenced]] [[tool:single-quotes]] [[tool:trailing-comma]]   how the JSON is spelled
    [[tool:string-arguments]] [[tool:wrong-types]] [[tool:unknown]]  what is called, and with what
    [[tool:glued]]                two calls in one element
    [[tool:prose]]                text before and behind the call
    [[tool:cut-off]]              the answer ends inside the arguments
    [[tool:in-think]]             the call is only a thought
    [[tool:no-id]]                the call lacks the id that it was told to carry
    [[tool:none]] [[tool:late]]   no call at all; a call only when it is asked for once more
    [[tool:steps:N]]              calls until there are N results

A wrong name and wrong types are put right when the tool complains. All but the calls' own faults
hold for wanted JSON, too.

Standard library only and nothing of ours, like all modules of this folder.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .tool_arguments import arguments
from .tool_choice import Tool, best_tool, choose

Call = tuple[str, dict[str, Any]]

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
_MARK = re.compile(r"\[\[tool:([a-z-]+)(?::(\d+))?\]\]")
_KEYS = re.compile(r"['\"](\w+)['\"]")


@dataclass(frozen=True)
class Answer:
    """What there is to say.

    Attributes:
        asked: The newest words of the user, without instructions, history and results.
        said: The answer; None where it is the one that is given without tools.
    """

    asked: str
    said: str | None


@dataclass(frozen=True)
class _Result:
    text: str
    failed: bool


@dataclass(frozen=True)
class _Turn:
    """What one side said at a time."""

    role: str
    text: str
    results: Sequence[_Result] = ()


@dataclass
class _Asked:
    """What the model is asked, as it reads it."""

    tools: list[Tool] = field(default_factory=list)
    tag: str = ""
    one_call: bool = False
    forced: bool = False
    name: str | None = None
    again: bool = False
    wants_json: bool = False
    schema: dict[str, Any] | None = None
    turns: list[_Turn] = field(default_factory=list)
    marks: dict[str, str] = field(default_factory=dict)
    refused: bool = False

    @property
    def newest(self) -> _Turn:
        return self.turns[-1]

    @property
    def question(self) -> str:
        """The last words of the user, which may stand before results."""
        said = (turn.text for turn in reversed(self.turns) if turn.role == "user" and turn.text)
        return _MARK.sub("", next(said, "")).strip()

    @property
    def results(self) -> Sequence[_Result]:
        """What has to be answered, if that is results."""
        return () if self.newest.text else self.newest.results

    @property
    def rounds(self) -> list[Sequence[_Result]]:
        """The results since the question, a list for each time."""
        rounds: list[Sequence[_Result]] = []
        for turn in reversed(self.turns):
            if turn.results:
                rounds.append(turn.results)
            if turn.role == "user" and turn.text:
                break
        return rounds


def answer(messages: Sequence[tuple[str, str]]) -> Answer | None:
    """Answer as a model does that is told of tools.

    Args:
        messages: Role and text of each, the system message among them.

    Returns:
        None if the messages speak neither of tools nor of JSON.
    """
    asked = _read(messages)
    if not (asked.tools or asked.wants_json):
        return None
    calls = _calls(asked)
    said: str | None = None
    if calls:
        said = _write_calls(calls, asked.marks, asked.tag)
    elif asked.wants_json and "none" not in asked.marks:
        said = _write_json(_wanted(asked), asked.marks)
    elif asked.results:
        said = _tell(asked.results)
    elif asked.again:
        said = "I will not call a tool."
    return Answer(_MARK.sub("", asked.newest.text).strip(), said)


def _read(messages: Sequence[tuple[str, str]]) -> _Asked:
    asked = _Asked()
    for role, text in messages:
        if sections := [*_SECTION.finditer(text)]:
            lines = sections[-1]["tools"].splitlines()
            asked.tools = [Tool.read(json.loads(line)) for line in lines]
            found = _TAG.search(sections[-1].group())
            asked.tag = found[1] if found else ""
            asked.one_call = _ONE_CALL in sections[-1].group()
        elif _NO_TOOLS in text:
            asked.tools = []
        plain = _SECTION.sub("", text).replace(_NO_TOOLS, "")
        if history := _CONVERSATION.search(plain):
            asked.turns += [_turn(*found) for found in _ELEMENT.findall(history[1])]
            plain = plain[: history.start()] + plain[history.end() :]
        asked.turns.append(_turn(role, plain))
    newest = messages[-1][1]
    asked.again = _AGAIN in newest
    if directive := _FORCED.search(newest):
        asked.forced = True
        asked.name = json.loads(directive["name"]) if directive["name"] else None
    if wanted := _WANTED.search(newest):
        asked.wants_json = True
        asked.schema = json.loads(wanted["schema"]) if wanted["schema"] else None
    _read_marks(asked)
    return asked


def _read_marks(asked: _Asked) -> None:
    """Read how the model is to misbehave; a call that is refused is wrong only once."""
    questions = [turn.text for turn in asked.turns if turn.role == "user" and turn.text]
    asked.marks = dict(_MARK.findall(questions[-1])) if questions else {}
    if asked.rounds:
        wrong = [asked.marks.pop(name, None) for name in ("unknown", "wrong-types")]
        first = len(asked.rounds) == 1 and all(result.failed for result in asked.results)
        asked.refused = first and wrong != [None, None]


def _turn(role: str, text: str) -> _Turn:
    """Return a message without its instructions, and its results apart from its text."""
    plain = _WANTED.sub("", _FORCED.sub("", text.replace(_AGAIN, "")))
    results = [
        _Result(found["text"], 'status="error"' in found["head"])
        for found in _RESULT.finditer(plain)
        if role != "assistant"
    ]
    return _Turn(role, _RESULT.sub("", plain).strip() if results else plain.strip(), results)


def _calls(asked: _Asked) -> list[Call]:
    """Return the calls that are to be made."""
    marks, results = asked.marks, asked.results
    if not asked.tools or "none" in marks or ("late" in marks and not asked.again):
        return []
    told = "\n".join(result.text for result in results)
    if asked.name:
        tool = next((tool for tool in asked.tools if tool.name == asked.name), asked.tools[0])
        return [(tool.name, arguments(tool.parameters, told, asked.question))]
    if (asked.forced or asked.again) and results and not asked.refused:
        tool = asked.tools[-1]  # agents have the tool for the structured answer behind the others
        return [(tool.name, arguments(tool.parameters, told, asked.question))]
    if results and not (_goes_on(asked) or asked.refused):
        return []
    chosen = choose(asked.question, asked.tools)
    if not chosen and (asked.forced or asked.again or "steps" in marks):
        chosen = [(best_tool(asked.question, asked.tools) or asked.tools[-1], asked.question)]
    calls = [(tool.name, arguments(tool.parameters, text)) for tool, text in chosen]
    return calls[:1] if asked.one_call else calls


def _goes_on(asked: _Asked) -> bool:
    """Return whether more steps are wanted than there are."""
    steps = asked.marks.get("steps")
    return steps is not None and len(asked.rounds) < int(steps or 1)


def _write_calls(calls: Sequence[Call], marks: dict[str, str], tag: str) -> str:
    """Return the calls in the form that was asked for, or in one that was not."""
    if "no-id" in marks:
        tag = "<tool_call>"
    written = []
    for name, given in calls:
        called = "no_such_tool" if "unknown" in marks else name
        values: Any = _wrong(given) if "wrong-types" in marks else given
        if "string-arguments" in marks:
            values = json.dumps(values, ensure_ascii=False)
        written.append(_spell({"name": called, "arguments": values}, marks))
    if "glued" in marks:
        written = ["".join(written if len(written) > 1 else 2 * written)]
    if "cut-off" in marks:
        # Two braces close the arguments and the call; one character more is half an argument.
        return f"{tag}{written[0][:-3]}"
    said = "\n".join(f"{tag}{text}</tool_call>" for text in written)
    if "prose" in marks:
        return f"Let me look that up. {said} That should tell."
    if "in-think" in marks:
        return f"<think>I could call {said} here.</think>I need no tool for that."
    return said


def _write_json(value: dict[str, Any], marks: dict[str, str]) -> str:
    said = _spell(_wrong(value) if "wrong-types" in marks else value, marks)
    if "cut-off" in marks:
        return said[:-2]
    return f"Here it is: {said} That is all." if "prose" in marks else said


def _spell(value: dict[str, Any], marks: dict[str, str]) -> str:
    """Return an object as JSON, or as something like it."""
    if "single-quotes" in marks:
        return repr(value)
    said = json.dumps(value, ensure_ascii=False)
    if "trailing-comma" in marks:
        return f"{said[:-1]},}}"
    return f"```json\n{said}\n```" if "fenced" in marks else said


def _wrong(value: dict[str, Any]) -> dict[str, Any]:
    """Return an object whose values have other types, which nothing takes for the right ones."""
    return {name: 7 if isinstance(old, str) else f"not {old}" for name, old in value.items()}


def _wanted(asked: _Asked) -> dict[str, Any]:
    """Return the object that is wanted."""
    told = "\n".join(result.text for result in asked.results)
    if asked.schema is not None:
        return arguments(asked.schema, told, asked.question)
    text = told or asked.question
    return dict.fromkeys(_KEYS.findall(asked.question), text) or {"answer": text}


def _tell(results: Sequence[_Result]) -> str:
    """Return what is said of results."""
    return " ".join(
        f"The tool failed: {result.text}" if result.failed else f"The result is {result.text}."
        for result in results
    )
