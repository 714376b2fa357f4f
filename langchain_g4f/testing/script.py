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
from dataclasses import dataclass, replace
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
        """Text of the system message, empty without one."""
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
        drop_after: Tokens before the connection is closed; chat-ui generates the rest all the same.
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
        generator = random.Random(f"{self.seed}\0{text}")
        tokens, start = [], 0
        while start < len(text):
            end = start + generator.randint(1, 8)
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


def scripted(script: Script, reply: str | Reply | None) -> Script:
    """`script`, or the same `reply` to everything if there is one."""
    if reply is None:
        return script

    def constant(_prompt: Prompt) -> Reply:
        return Reply(text=reply) if isinstance(reply, str) else reply

    return constant


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
    asked = prompt.text if told is None else told.asked
    marks = {name: value or number or "" for name, number, value in _DIRECTIVE.findall(asked)}

    def number(name: str, default: int) -> int | None:
        value = marks.get(name)
        return None if value is None else int(value) if value.isdigit() else default

    def said() -> str:
        if "empty" in marks:
            return ""
        if "echo" in marks:
            return json.dumps(list(prompt.messages), ensure_ascii=False, default=_base64_text)
        if "say" in marks:
            return marks["say"]
        words = number("long", 100)
        if words is not None:
            return " ".join(f"w{n}" for n in range(1, words + 1))
        if told is not None and told.said is not None:
            return told.said
        images = f" [images: {len(prompt.images)}]" if prompt.images else ""
        return f"Echo ({prompt.model}, turn {prompt.turn}): {plain_text(asked)}{images}"

    pace_ms = number("pace", 0)
    status, late_status = number("error", 500), number("error-mid", 500)
    failed = late_status if status is None else status
    reply = Reply(
        text=said(),
        pace_s=None if pace_ms is None else pace_ms / 1000,
        error=None if failed is None else (failed, f"{failed} backend says {failed}"),
        error_after=3 if status is None and late_status is not None else None,
        drop_after=number("drop", 3),
        restart_after=number("restart", 3),
        hang_after=number("hang", 0),
        slow_title="slow-title" in marks,
        provider=marks.get("provider"),
    )
    if "think-inline" in marks:
        return replace(reply, reasoning=_INLINE_THOUGHTS, reasoning_glued=False)
    if marks.keys() & {"think", "think-only"} or prompt.reasons:
        return replace(reply, reasoning=_THOUGHTS, reasoning_closed="think-only" not in marks)
    return reply


def _base64_text(data: object) -> str:
    if isinstance(data, bytes):
        return base64.b64encode(data).decode("ascii")
    msg = f"cannot put a {type(data).__name__} into JSON"
    raise TypeError(msg)
