"""The scripted model behind the sandbox: a prompt in, a reply out, nothing random.

A script is any function from `Prompt` to `Reply`, `str` or an iterable of tokens. `echo` is the
default: it repeats the user's text in the words the recordings use, and obeys `[[directives]]` in
that text, so a test states the fault it wants in the prompt itself. The script decides *what* is
said and where it breaks; how that looks on the wire is the business of the provider's package
next door.
"""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from langchain_g4f.testing.gradio_space.apps import tool_model

ChatMessage: TypeAlias = dict[str, Any]
"""`{"role": ..., "content": str | list of parts}`, as in an OpenAI chat request.

A part is `{"type": "text", "text": str}` or `{"type": "image", "mime_type": str, "data": bytes}`.
"""

Split: TypeAlias = Literal["words", "random"]

_WORD = re.compile(r"\s*\S+|\s+$")
_DIRECTIVE = re.compile(r"\[\[([a-z-]+)(\d+)?(?::([^\]]*))?\]\]")
_THOUGHTS = "First I look at the question. Then I answer it."
_INLINE_THOUGHTS = "Inline thoughts come first."


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is asked.

    Attributes:
        model: Id of the model that answers (behind a router alias: the one picked).
        messages: The branch of the conversation, the system message first if there is one.
        reasons: Whether the model is declared to think before it answers.
        tool_servers: Names of the tool servers whose tools the model is offered.
    """

    model: str
    messages: Sequence[ChatMessage]
    reasons: bool = False
    tool_servers: tuple[str, ...] = ()

    @property
    def system(self) -> str:
        """Text of the system message, empty if there is none."""
        return next((text_of(m) for m in self.messages if m["role"] == "system"), "")

    @property
    def text(self) -> str:
        """Text of the last user message, inlined documents included."""
        return next((text_of(m) for m in reversed(self.messages) if m["role"] == "user"), "")

    @property
    def turn(self) -> int:
        """Number of user messages on this branch: 1 on the first turn."""
        return sum(1 for message in self.messages if message["role"] == "user")

    @property
    def images(self) -> list[bytes]:
        """Bytes of every image on this branch, oldest first."""
        return [
            part["data"]
            for message in self.messages
            if isinstance(message["content"], list)
            for part in message["content"]
            if part["type"] == "image"
        ]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model says and what goes wrong meanwhile. Positions count tokens from 0.

    Attributes:
        text: The answer. Ignored if `tokens` is given.
        reasoning: Thoughts before the answer, as `<think>` text (docs/protocols/huggingchat.md,
            section 6).
        reasoning_closed: False leaves the closing tag out, and with it the answer.
        reasoning_glued: Whether the tags share a token with the word next to them.
        tokens: The answer already cut, consumed lazily (may be endless); overrides `text`.
        pace_s: Seconds before each token; None means the sandbox's own pace.
        error: HTTP-like status (None: no status) and message of a failure inside the stream.
        error_after: Tokens before `error`; None fails before anything is said.
        restart_after: Tokens before the server silently starts over, once.
        drop_after: Tokens before the connection is closed; the generation goes on if the server
            lets it.
        hang_after: Tokens before the model falls silent until it is stopped.
        title: Title of a new conversation; None derives one from the prompt.
        slow_title: Whether the title comes after the answer.
        title_s: Seconds that a slow title takes.
        provider: Name of the inference provider reported with the answer.
    """

    text: str = ""
    reasoning: str = ""
    reasoning_closed: bool = True
    reasoning_glued: bool = True
    tokens: Iterable[str] | None = None
    pace_s: float | None = None
    error: tuple[int | None, str] | None = None
    error_after: int | None = None
    restart_after: int | None = None
    drop_after: int | None = None
    hang_after: int | None = None
    title: str | None = None
    slow_title: bool = False
    title_s: float = 0.0
    provider: str | None = None


Script: TypeAlias = Callable[[Prompt], "Reply | str | Iterable[str]"]


@dataclass(slots=True)
class Splitter:
    """Cuts an answer into tokens; the same text is always cut the same way.

    Attributes:
        mode: "words" cuts before each word, "random" into 1 to 8 characters.
        seed: Seed of the random cuts.
    """

    mode: Split = "words"
    seed: int = 0

    def __call__(self, text: str) -> list[str]:
        """Return the tokens of `text`; joined they are `text` again."""
        if self.mode == "words":
            return _WORD.findall(text)
        # Seeding with the text keeps the cuts independent of the order of concurrent answers.
        dice = random.Random(f"{self.seed}\0{text}")
        tokens, start = [], 0
        while start < len(text):
            end = start + dice.randint(1, 8)
            tokens.append(text[start:end])
            start = end
        return tokens


def text_of(message: ChatMessage) -> str:
    """Return the text of a message, its text parts joined by blank lines."""
    content = message["content"]
    if isinstance(content, str):
        return content
    return "\n\n".join(part["text"] for part in content if part["type"] == "text")


def ask(script: Script, prompt: Prompt) -> Reply:
    """Run `script` and bring its result into the one form the wire understands."""
    answer = script(prompt)
    if isinstance(answer, Reply):
        return answer
    if isinstance(answer, str):
        return Reply(text=answer)
    return Reply(tokens=answer)


def answer_tokens(reply: Reply, split: Splitter) -> Iterator[str]:
    """Yield the answer's tokens, without the reasoning."""
    yield from split(reply.text) if reply.tokens is None else reply.tokens


def inline_tokens(reply: Reply, split: Splitter) -> Iterator[str]:
    """Yield reasoning and answer as one text, the reasoning in `<think>` tags."""
    answer = answer_tokens(reply, split)
    if not reply.reasoning:
        yield from answer
        return
    thoughts = split(reply.reasoning)
    if reply.reasoning_glued:
        yield "<think>" + thoughts[0]
        yield from thoughts[1:]
    else:
        yield "<think>"
        yield from thoughts
    if not reply.reasoning_closed:
        return
    if reply.reasoning_glued:
        yield "</think>" + next(answer, "")
    else:
        yield "</think>"
    yield from answer


@dataclass(slots=True)
class _Directives:
    """The `[[name:value]]` marks of a text and what is left without them."""

    text: str
    values: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> _Directives:
        values = {name: value or number or "" for name, number, value in _DIRECTIVE.findall(text)}
        return cls(_DIRECTIVE.sub("", text).strip(), values)

    def number(self, name: str, default: int) -> int | None:
        """Return the number of a mark, `default` if it has none, None if there is no mark."""
        value = self.values.get(name)
        if value is None:
            return None
        return int(value) if value.isdigit() else default


def is_due(position: int | None, count: int, token: object) -> bool:
    """Return whether a fault at `position` happens after `count` tokens, before `token`.

    A `token` of None is the end of the answer, where all later faults happen.
    """
    return position is not None and (position == count or (token is None and position > count))


def plain_text(text: str) -> str:
    """Return `text` without directives."""
    return _DIRECTIVE.sub("", text).strip()


def echo(prompt: Prompt) -> Reply:
    """Answer `Echo (model, turn n): text`, obeying the directives in the text.

    What is said: `[[think]]`, `[[think-inline]]` and `[[think-only]]` reason first (the last one
    never gets to an answer), `[[long:N]]` counts `w1 w2 ... wN`, `[[say:TEXT]]` says just that,
    `[[echo]]` repeats the received messages as JSON (image bytes in base64), `[[empty]]` says
    nothing. Told of tools or asked for JSON, it calls and answers as `tool_model` does.

    How: `[[pace:MS]]`, `[[slow-title]]`, `[[provider:NAME]]`. What goes wrong: `[[error:STATUS]]`,
    `[[error-mid:STATUS]]`, `[[restart]]`, `[[drop]]`, `[[hang]]`; the last three take the number of
    tokens before it happens, as in `[[drop:5]]`.
    """
    told = tool_model.answer([(m["role"], text_of(m)) for m in prompt.messages])
    marks = _Directives.read(prompt.text if told is None else told.asked)
    has = marks.values.__contains__
    pace_ms = marks.number("pace", 0)
    reply = Reply(
        text=_echo_text(prompt, marks, None if told is None else told.said),
        pace_s=None if pace_ms is None else pace_ms / 1000,
        drop_after=marks.number("drop", 3),
        restart_after=marks.number("restart", 3) if not has("flaky") else 3,
        hang_after=marks.number("hang", 0),
        slow_title=has("slow-title"),
        provider=marks.values.get("provider"),
    )
    if has("think-inline"):
        reply = replace(reply, reasoning=_INLINE_THOUGHTS, reasoning_glued=False)
    elif has("think") or has("think-only") or prompt.reasons:
        reply = replace(reply, reasoning=_THOUGHTS, reasoning_closed=not has("think-only"))
    return _with_failure(reply, marks)


def _echo_text(prompt: Prompt, marks: _Directives, said: str | None) -> str:
    if "empty" in marks.values:
        return ""
    if "echo" in marks.values:
        return json.dumps(list(prompt.messages), ensure_ascii=False, default=_base64_text)
    if "say" in marks.values:
        return marks.values["say"]
    words = marks.number("long", 100)
    if words is not None:
        return " ".join(f"w{n}" for n in range(1, words + 1))
    if said is not None:
        return said
    images = f" [images: {len(prompt.images)}]" if prompt.images else ""
    return f"Echo ({prompt.model}, turn {prompt.turn}): {marks.text}{images}"


def _with_failure(reply: Reply, marks: _Directives) -> Reply:
    status = marks.number("error", 500)
    if status is not None:
        return replace(reply, error=(status, f"{status} backend says {status}"))
    status = marks.number("error-mid", 500)
    if status is not None:
        return replace(reply, error=(status, f"{status} backend says {status}"), error_after=3)
    if "midstream-drop" in marks.values:
        return replace(reply, error=(None, "terminated"), error_after=3)
    if "midstream-error" in marks.values:
        return replace(reply, error=(None, "backend failed mid-stream"), error_after=3)
    return reply


def _base64_text(data: object) -> str:
    if isinstance(data, bytes):
        return base64.b64encode(data).decode("ascii")
    msg = f"cannot put a {type(data).__name__} into JSON"
    raise TypeError(msg)
