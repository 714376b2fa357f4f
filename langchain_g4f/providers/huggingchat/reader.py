"""The updates of one answer, from JSON lines or from a re-attached stream.

Follows docs/protocols/huggingchat.md, section 6; 9.2 for older servers. The order of different
kinds of updates is not fixed; unknown kinds are skipped and counted.
"""

from __future__ import annotations

import base64
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from langchain_g4f.codecs.fields import need, want
from langchain_g4f.core.error_mapping import error_class
from langchain_g4f.core.events import (
    Event,
    File,
    FinalText,
    Finish,
    ModelInfo,
    Progress,
    Reasoning,
    ServerToolCall,
    ServerToolResult,
    Source,
    Title,
)
from langchain_g4f.core.redact import redact_text
from langchain_g4f.core.urls import segment
from langchain_g4f.errors import (
    APIError,
    EmptyResponseError,
    MalformedStreamError,
    ServerStreamError,
    TooLargeError,
)
from langchain_g4f.text.think import ThinkSplitter, without_reasoning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sized

    from langchain_g4f.core.http import JSON

NAME = "huggingchat"
"""Provider name in errors and metadata."""
IN_ANSWER = "answer"
"""Phase of an error that the server reported inside an answer."""

_STATES = frozenset(("status", "title", "routerMetadata", "elicitation"))
_CONTENT = frozenset(("stream", "finalAnswer", "reasoning", "tool", "webSearch", "file"))
_KINDS_SHOWN = 100
_MOST = 10_000


class UpdateReader:
    """Turns updates into events; one reader serves all connections of an answer.

    Args:
        conversation_url: Address of the conversation, below which produced files are.
        await_title: Whether to wait for a title that comes after the answer.

    Attributes:
        finished: Whether ``finalAnswer`` or an error was seen.
        complete: Whether the server said that nothing follows.
        skipped: Number of unknown updates by kind, for the first hundred kinds.
        seen: Number of known updates besides text, by `kind_of`.
        length: Length of the text so far in characters, reasoning tags included.
    """

    def __init__(self, conversation_url: str = "", *, await_title: bool = False) -> None:
        self.finished = False
        self.complete = False
        self.skipped: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self._url = conversation_url
        self._await_title = await_title
        self._splitter = ThinkSplitter()
        self.length = 0
        self._tokens: list[str] = []
        self._round_begin = 0
        self._earlier_rounds: list[str] = []
        self._sources: set[str] = set()

    @property
    def enough(self) -> bool:
        """Whether nothing that is awaited follows."""
        return self.complete or (self.finished and not self._await_title)

    @property
    def seen_length(self) -> int:
        """Length of the text so far in UTF-16 units, as the server counts (6.2)."""
        return len("".join(self._tokens).encode("utf-16-le", "surrogatepass")) // 2

    def skip(self, kind: str) -> None:
        """Count an unknown update; the server chooses the name of its kind."""
        if len(self.skipped) < _KINDS_SHOWN or kind in self.skipped:
            self.skipped[redact_text(kind, limit=40)] += 1

    def close(self) -> Iterator[Event]:
        """The events that waited, when no more updates come."""
        yield from self._splitter.close()

    def token(self, token: str) -> Iterator[Event]:
        """A piece of text."""
        self._tokens.append(token)
        self.length += len(token)
        yield from self._splitter.feed(token)

    def update(self, update: dict[str, JSON]) -> Iterator[Event]:
        """The events of one update."""
        if update.get("type") != "stream" and means_something(update):
            self.seen[kind_of(update)] += 1
            _check_count(self.seen, "kinds of updates")
        match update.get("type"):
            case ("stream" | "finalAnswer") as kind if self.finished:
                self.skip(f"{kind} after the end")
            case "stream":
                # the server pads each token with NUL to 16 characters
                yield from self.token(need(update, "token", str).rstrip("\0"))
            case "status":
                yield from self._status(update)
            case "finalAnswer":
                yield from self._final(update)
            case "title":
                yield Title(need(update, "title", str))
            case "routerMetadata":
                yield from _model_info(update)
            case "reasoning" if update.get("subtype") == "stream":
                yield Reasoning(need(update, "token", str).rstrip("\0"))
            case "tool":
                yield from self._tool(update)
            case "webSearch":
                yield from self._web_search(update)
            case "file":
                yield self._file(update)
            case _:
                yield from self._other(update)

    def _other(self, update: dict[str, JSON]) -> Iterator[Event]:
        kind = need(update, "type", str)
        if kind == "elicitation" and update.get("subtype") == "request":
            request = need(update, "request", dict)
            yield Progress("elicitation", want(request, "message", str, default=""), request)
        else:
            self.skip(kind)

    def _status(self, update: dict[str, JSON]) -> Iterator[Event]:
        match update.get("status"):
            case "started":
                yield Progress("started")
            case "finished":
                self.complete = True
                if not self.finished:  # a tool only asked the user a question (section 7)
                    self.finished = True
                    yield from self._splitter.close()
                    yield Finish("unknown")
            case "error":
                self.finished = self.complete = True
                yield from self._splitter.close()
                raise stream_error(update)
            case "keepAlive":
                pass
            case _:
                self.skip(f"status {need(update, 'status', str)}")

    def _final(self, update: dict[str, JSON]) -> Iterator[Event]:
        text = need(update, "text", str)
        interrupted = want(update, "interrupted", bool, default=False)
        said = "".join(self._tokens[self._round_begin :])
        if text and not said:
            yield from self.token(text)
        self.finished = True
        yield from self._splitter.close()
        stopped = interrupted and said.startswith(text)
        if said and said.rstrip() != text.rstrip() and not stopped:
            # the server silently started over: only the last attempt counts
            yield FinalText("".join([*self._earlier_rounds, without_reasoning(text)]))
        yield from self._found(want(update, "webSources", list, default=[]), "uri")
        yield Finish("interrupted" if interrupted else "stop")

    def _tool(self, update: dict[str, JSON]) -> Iterator[Event]:
        """Tools run by the server (section 7); ``finalAnswer`` covers the last round only."""
        name = want(update, "uuid", str, default="")
        match update.get("subtype"):
            case "call":
                yield from self._splitter.begin_round()
                if said := "".join(self._tokens[self._round_begin :]):
                    self._earlier_rounds.append(without_reasoning(said))
                self._round_begin = len(self._tokens)
                call = need(update, "call", dict)
                arguments = want(call, "parameters", dict, default={})
                yield ServerToolCall(name, need(call, "name", str), arguments)
            case "result":
                result = need(update, "result", dict)
                outputs = want(result, "outputs", list, default=[])
                failed = want(result, "status", str, default="success") != "success"
                yield ServerToolResult(name, _output_text(result, outputs), is_error=failed)
                yield from _output_files(outputs)
            case "error":
                message = want(update, "message", str, default="")
                yield ServerToolResult(name, message, is_error=True)
            case "eta" | "progress" as kind:
                yield Progress(f"tool_{kind}", want(update, "message", str, default=""), update)
            case other:
                self.skip(f"tool {other}")

    def _web_search(self, update: dict[str, JSON]) -> Iterator[Event]:
        if update.get("subtype") == "sources":
            yield from self._found(want(update, "sources", list, default=[]), "link")
            return
        arguments = want(update, "args", list, default=[])
        message = want(update, "message", str, default="")
        details = ", ".join(str(argument) for argument in arguments)
        kind = need(update, "subtype", str)
        yield Progress(f"web_search_{kind}", ": ".join(filter(None, (message, details))))

    def _found(self, sources: list[JSON], key: str) -> Iterator[Source]:
        """The pages found, each once: the final answer repeats those of the search."""
        for source in sources:
            url = need(source, key, str)
            if url not in self._sources:
                self._sources.add(url)
                _check_count(self._sources, "sources")
                yield Source(url, want(source, "title", str, default=""))

    def _file(self, update: dict[str, JSON]) -> File:
        digest = segment(need(update, "sha", str))
        return File(
            need(update, "name", str),
            want(update, "mime", str, default="application/octet-stream"),
            f"{self._url}/output/{digest}",
        )


def _model_info(update: dict[str, JSON]) -> Iterator[ModelInfo]:
    names = ("model", "provider", "route")
    found = [want(update, name, str, default="") for name in names]
    if any(found):
        yield ModelInfo(*found)


def _output_text(result: dict[str, JSON], outputs: list[JSON]) -> str:
    message = want(result, "message", str, default="")
    texts = [want(output, "text", str, default="") for output in outputs]
    return "\n".join(filter(None, [message, *texts]))


def _output_files(outputs: list[JSON]) -> Iterator[File]:
    parts = [part for output in outputs for part in want(output, "content", list, default=[])]
    for number, part in enumerate(parts, 1):
        if want(part, "type", str, default="") == "image":
            mime_type = want(part, "mimeType", str, default="image/png")
            data = _decoded(need(part, "data", str))
            yield File(f"tool-{number}.{mime_type.rpartition('/')[2]}", mime_type, data=data)


def _decoded(text: str) -> bytes:
    with suppress(ValueError):  # binascii.Error is one; what is not ASCII raises the other
        return base64.b64decode(text, validate=True)
    raise MalformedStreamError("'data' of an image is no base64")


def _check_count(found: Sized, what: str) -> None:
    """Raise TooLargeError when a collection grows beyond what a real answer has."""
    if len(found) > _MOST:
        raise TooLargeError(f"{NAME}: the answer has more than {_MOST} {what}", provider=NAME)


def means_something(update: dict[str, JSON]) -> bool:
    """Whether the type of an update is known here."""
    kind = update.get("type")
    return isinstance(kind, str) and kind in _STATES | _CONTENT


def kind_of(update: dict[str, JSON]) -> str:
    """The kind of an update; updates of one kind always come in the same order."""
    return " ".join(str(update.get(key, "")) for key in ("type", "subtype", "status", "uuid"))


def stream_error(update: dict[str, JSON]) -> APIError:
    """The error of a ``status: error`` update, by its ``statusCode`` if there is one."""
    message = redact_text(want(update, "message", str, default=""), limit=500)
    status = want(update, "statusCode", int, default=0)
    if message.startswith("No output was generated"):
        return EmptyResponseError(f"{NAME}: {message}", provider=NAME)
    text = f"{NAME}: the server reported an error: {message or 'without a message'}"
    if not status:
        return ServerStreamError(text, provider=NAME)
    return error_class(status)(
        text, status_code=status, body=message, provider=NAME, phase=IN_ANSWER
    )


__all__ = ["IN_ANSWER", "NAME", "UpdateReader", "kind_of", "means_something", "stream_error"]
