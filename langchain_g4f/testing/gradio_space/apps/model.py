"""The scripted model behind the apps: a question in, the growing answer out, nothing random.

It repeats the user's text in the words of the recordings and obeys `[[directives]]` in that text:

    [[slow]] [[slow:S]]       S seconds before each token (0.4)
    [[hang:S]] [[queue:S]]    S seconds before anything is said (2; 5)
    [[log]] [[progress:S]]    three logs; four steps of progress, S seconds each (0.25)
    [[error]] [[error:mid]]   an error meant for the user, at once or after three tokens
    [[crash]] [[crash:mid]]   an exception of the app's own
    [[hidden]] [[quota]] [[quota:html]] [[needs-image]]   other errors meant for the user
    [[thought]] [[retract]]   think first; take the answer back and start again
    [[long:N]] [[empty]]      N words; nothing
    [[say:TEXT]] [[echo]]     exactly TEXT, without `]]` in its middle; the user's text alone
    [[state]] [[headers]] [[files]] [[history]]           what the app was given

Told of tools or asked for JSON, it calls and answers as `tool_model` does.

Standard library only, because the app's interpreter has gradio and nothing of ours.
"""

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

from . import tool_model

Level = Literal["info", "warning", "success"]

_NAMES = (
    "crash|echo|empty|error|files|hang|headers|hidden|history|log|long|needs-image|progress|queue"
    "|quota|retract|say|slow|state|thought|tool"
)
# A run of brackets closes at its last two, so that a JSON list can be said.
_DIRECTIVE = re.compile(rf"\[\[({_NAMES})(?::(.*?))?\]\](?!\])", re.DOTALL)
_TOKEN = re.compile(r"\S+\s*|\s+")

TOKENS_BEFORE_A_BREAK = 3
PROGRESS_STEPS = 4
SHOWN_HEADERS = (
    "x-zerogpu-token",
    "x-zerogpu-uuid",
    "x-ip-token",
    "x-hf-authorization",
    "referer",
    "x-gradio-user",
)
_QUOTA = (
    "You have exceeded your ZeroGPU quota (60s requested vs. 0s left). Try again in 12:34:56. "
    "Authenticate with a Hugging Face token for more quota - "
    "https://huggingface.co/settings/tokens"
)
_QUOTA_HTML = (
    "You have exceeded your GPU quota (60s requested vs. 56s left). "
    '<a style="white-space: nowrap" href="https://huggingface.co/join">Create a free account</a> '
    "to get more usage quota."
)
_LOGS: tuple[tuple[str, Level, str, float], ...] = (
    ("Waiting for a GPU to become available", "info", "ZeroGPU queue", 10),
    ("The picture was scaled down", "warning", "Warning", 3),
    ("Successfully acquired a GPU", "success", "ZeroGPU queue", 10),
)


@dataclass(frozen=True)
class Question:
    """What an app asks the model.

    Attributes:
        text: The user's message, directives included.
        history: Role and text of the messages before it, as the app saw them.
        files: The files of this message.
        turn: Number of prompts the app's state holds; None for an app without state.
        prompts: Those prompts.
        files_so_far: Number of files the app's state holds.
        system: The system prompt, where the app has a field for it.
        inputs: The app's other inputs by label.
        headers: Headers of the request that the app saw, by lower-case name.
    """

    text: str
    history: Sequence[tuple[str, str]] = ()
    files: Sequence[Path] = ()
    turn: int | None = None
    prompts: Sequence[str] = ()
    files_so_far: int = 0
    system: str | None = None
    inputs: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PartialAnswer:
    """The answer as far as it has got.

    Attributes:
        text: The answer.
        thought: What was thought before it.
        thought_s: Seconds the thinking took; None while it lasts.
        extra: Messages after the answer.
    """

    text: str = ""
    thought: str = ""
    thought_s: float | None = None
    extra: Sequence[str] = ()


class Display(Protocol):
    """What a model can show besides its answer; `launch` has the one that is Gradio."""

    def log(self, text: str, level: Level, title: str, duration_s: float) -> None:
        """Show a notice for some seconds."""

    def progress(self, index: int, length: int, unit: str, description: str) -> None:
        """Show how far the work has got."""

    def error(self, text: str, title: str, duration_s: float, *, visible: bool) -> Exception:
        """Return the exception that shows an error to the user."""


def answer(
    question: Question,
    display: Display,
    *,
    pace_s: float,
    many: bool = True,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[PartialAnswer]:
    """Answer token by token.

    Args:
        pace_s: Seconds between two tokens.
        many: Whether the app shows messages, and so can show more than one of them.
        sleep: How to wait.

    Yields:
        The whole answer so far, at least once.

    Raises:
        Exception: What a directive asks for; `Display.error` makes those meant for the user.
    """
    told = tool_model.answer(_messages(question))
    if told is not None:
        question = replace(question, text=told.asked)
    orders = {found[1]: found[2] or "" for found in _DIRECTIVE.finditer(question.text)}
    if "slow" in orders:
        pace_s = float(orders["slow"] or 0.4)
    _begin(question, orders, display, sleep)
    reply = PartialAnswer()
    if "thought" in orders:
        for thought in ("First, ", "First, read the question."):
            yield replace(reply, thought=thought)
            sleep(2.5 * pace_s)
        reply = PartialAnswer(thought=thought, thought_s=0.1)
    tokens = _TOKEN.findall(compose(question, orders, None if told is None else told.said))
    for index, token in enumerate(tokens):
        if index:
            sleep(pace_s)
        if index == TOKENS_BEFORE_A_BREAK:
            _break(orders, display)
        reply = replace(reply, text=reply.text + token)
        yield reply
    if not tokens:
        yield reply
    if len(tokens) <= TOKENS_BEFORE_A_BREAK:
        _break(orders, display)
    if "retract" in orders:
        sleep(pace_s)
        yield from _start_again(reply, many=many)


def compose(question: Question, orders: Mapping[str, str], said: str | None = None) -> str:
    """Return the whole answer to a question that has these directives.

    Args:
        said: What is answered if no directive wants something else, and not the user's text.
    """
    lead = "" if question.turn is None else f"Turn {question.turn}. "
    files = describe_files(question.files)
    ways: dict[str, Callable[[], str]] = {
        "say": lambda: orders["say"],
        "echo": lambda: re.sub(r"\[\[echo\]\] ?", "", question.text),
        "empty": str,
        "long": lambda: " ".join(f"word{number}" for number in range(int(orders["long"] or 10))),
        "headers": lambda: "Headers: " + ", ".join(_headers(question.headers)),
        "history": lambda: _history(question),
        "files": lambda: " ".join(files) or "No files.",
        "state": lambda: (
            f"{lead}Prompts so far: {list(question.prompts)}. Files: {question.files_so_far}."
        ),
    }
    for name, way in ways.items():
        if name in orders:
            return way()
    if said is not None:
        return said
    text = _DIRECTIVE.sub("", question.text).strip()
    return f"{lead}You said: " + " ".join(filter(None, [text, *files]))


def describe_files(files: Sequence[Path]) -> list[str]:
    """Return name, size in bytes and SHA-256 of each file, as one sentence each."""
    sentences = []
    for number, path in enumerate(files, start=1):
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        sentences.append(f"File {number}: {path.name}, {len(data)} bytes, sha256 {digest}.")
    return sentences


def _messages(question: Question) -> list[tuple[str, str]]:
    system = [("system", question.system)] if question.system else []
    return [*system, *question.history, ("user", question.text)]


def _headers(headers: Mapping[str, str]) -> Iterator[str]:
    return (f"{name}={headers.get(name)}" for name in SHOWN_HEADERS)


def _history(question: Question) -> str:
    roles = [role for role, _ in question.history]
    sentences = [f"History: {len(roles)} messages {roles}."]
    if question.system is not None:
        sentences.append(f"System: {question.system!r}.")
    sentences += [f"{label}: {value!r}." for label, value in question.inputs.items()]
    return " ".join(sentences)


def _begin(
    question: Question,
    orders: Mapping[str, str],
    display: Display,
    sleep: Callable[[float], object],
) -> None:
    """Do what comes before the first token."""
    for name, default_s in (("hang", 2.0), ("queue", 5.0)):
        if name in orders:
            sleep(float(orders[name] or default_s))
    if "log" in orders:
        for text, level, title, duration_s in _LOGS:
            display.log(text, level, title, duration_s)
    if "progress" in orders:
        for index in range(PROGRESS_STEPS):
            display.progress(index, PROGRESS_STEPS, "pages", "Reading")
            sleep(float(orders["progress"] or 0.25))
    if orders.get("error") == "":
        raise display.error("The model refused this request.", "Model error", 7, visible=True)
    if orders.get("crash") == "":
        raise RuntimeError("the app broke before it answered")
    if "hidden" in orders:
        raise display.error("kept off the screen", "Quiet", 10, visible=False)
    if "quota" in orders:
        text = _QUOTA_HTML if orders["quota"] == "html" else _QUOTA
        raise display.error(text, "ZeroGPU quota exceeded", 10, visible=True)
    if "needs-image" in orders and not (question.files or question.files_so_far):
        text = "AttributeError: no picture in this conversation"
        raise display.error(text, "Error", 10, visible=True)


def _break(orders: Mapping[str, str], display: Display) -> None:
    """Fail in the middle, if that was asked for."""
    if orders.get("error") == "mid":
        raise display.error("The model stopped half way.", "Model error", 10, visible=True)
    if orders.get("crash") == "mid":
        raise RuntimeError("the app broke half way")


def _start_again(reply: PartialAnswer, *, many: bool) -> Iterator[PartialAnswer]:
    reply = replace(reply, text="Let me start again.")
    yield reply
    if many:
        yield replace(reply, extra=("extra one", "extra two", "extra three"))
        yield reply
        yield replace(reply, text=f"{reply.text} Done.")
