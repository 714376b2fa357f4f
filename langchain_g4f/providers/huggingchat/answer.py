"""The answer of a chat-ui server: JSON lines (docs/protocols/huggingchat.md, section 6)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from langchain_g4f.codecs.fields import need, want
from langchain_g4f.codecs.jsonl import JSONLines
from langchain_g4f.errors import (
    APIError,
    EmptyResponseError,
    MalformedStreamError,
    ServerStreamError,
)
from langchain_g4f.events import (
    Event,
    FinalText,
    Finish,
    ModelInfo,
    Progress,
    Reasoning,
    Title,
)
from langchain_g4f.status import error_class
from langchain_g4f.text.think import ThinkSplitter, without_reasoning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_g4f.wire import JSON, ResponseHead

NAME = "huggingchat"
"""Provider name in errors and metadata."""


class AnswerDecoder:
    """The lines of one answer (section 6).

    Order between kinds of lines is not guaranteed and unknown ones are skipped.
    ``finalAnswer`` finishes the run, ``status: finished`` completes the stream.
    """

    def __init__(self, head: ResponseHead, line_limit: int) -> None:
        kind = head.headers.content_type
        if kind not in ("application/jsonl", "application/json", "text/event-stream"):
            msg = f"expected JSON lines, got {kind or 'no content type'}"
            raise MalformedStreamError(msg, provider=NAME)
        self.finished = False
        self.complete = False
        self.skipped: Counter[str] = Counter()
        self._lines = JSONLines(line_limit)
        self._splitter = ThinkSplitter()
        self._streamed: list[str] = []

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that ``data`` completes."""
        if self.complete:
            self.skipped["after the end"] += 1
            return
        for line in self._lines.feed(data):
            yield from self._line(line)

    def close(self) -> Iterator[Event]:
        """The events of a last line without a line end."""
        for line in self._lines.close():
            yield from self._line(line)
        if not self.finished:
            yield from self._splitter.close()

    def _line(self, line: dict[str, JSON]) -> Iterator[Event]:
        match line.get("type"):
            case "stream":
                # the server pads each token with NUL to 16 characters
                token = need(line, "token", str).rstrip("\0")
                self._streamed.append(token)
                yield from self._splitter.feed(token)
            case "status":
                yield from self._status(line)
            case "finalAnswer":
                yield from self._final(line)
            case "title":
                yield Title(need(line, "title", str))
            case "routerMetadata":
                model = want(line, "model", str, default="")
                provider = want(line, "provider", str, default="")
                if model or provider:
                    yield ModelInfo(model, provider)
            case "reasoning" if line.get("subtype") == "stream":
                yield Reasoning(need(line, "token", str).rstrip("\0"))
            case str() as other:
                self.skipped[other] += 1
            case _:
                need(line, "type", str)

    def _status(self, line: dict[str, JSON]) -> Iterator[Event]:
        match line.get("status"):
            case "started":
                yield Progress("started")
            case "finished":
                self.complete = True
            case "error":
                self.finished = self.complete = True
                yield from self._splitter.close()
                raise _stream_error(line)
            case "keepAlive":
                pass
            case _:
                self.skipped[f"status {need(line, 'status', str)}"] += 1

    def _final(self, line: dict[str, JSON]) -> Iterator[Event]:
        text = need(line, "text", str)
        streamed = "".join(self._streamed)
        self.finished = True
        if not streamed:
            yield from self._splitter.feed(text)
        yield from self._splitter.close()
        if len(streamed.rstrip()) > len(text) and streamed.rstrip().endswith(text):
            # the server started over without a word: only the last attempt counts
            yield FinalText(without_reasoning(text))
        interrupted = want(line, "interrupted", bool, default=False)
        yield Finish("interrupted" if interrupted else "stop")


def _stream_error(line: dict[str, JSON]) -> APIError:
    """The error of a ``status: error`` line, by its ``statusCode`` if it has one."""
    message = want(line, "message", str, default="")
    status = want(line, "statusCode", int, default=0)
    if message.startswith("No output was generated"):
        return EmptyResponseError(f"{NAME}: {message}", provider=NAME)
    text = f"{NAME}: the server reported an error: {message or 'without a message'}"
    if not status:
        return ServerStreamError(text, provider=NAME)
    return error_class(status)(
        text, status_code=status, body=message, provider=NAME, phase="answer"
    )


__all__ = ["NAME", "AnswerDecoder"]
