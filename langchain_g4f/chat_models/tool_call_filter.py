"""Finds tool calls or JSON in an answer in which they were asked for: events in, events out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from langchain_g4f.core.events import Event, FinalText, Reasoning, Text, ToolCall
from langchain_g4f.tools.bare_json import BareJSON
from langchain_g4f.tools.decode import calls_in
from langchain_g4f.tools.parser import RawCall, ToolCallParser

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class ToolCallFilter:
    """Incremental; ``feed`` the events of an answer, then ``close``.

    Args:
        tools: Whether calls are looked for.
        bare_json: Whether text around JSON is left out.
        parallel: Whether calls after the first are kept.
        nonce: What the model was told to write on its calls.
        strict: Whether calls without it are text.

    Attributes:
        nonce: As given, if calls are looked for.
    """

    def __init__(
        self,
        *,
        tools: bool,
        bare_json: bool,
        parallel: bool,
        nonce: str = "",
        strict: bool = False,
    ) -> None:
        self._another = partial(
            ToolCallFilter,
            tools=tools,
            bare_json=bare_json,
            parallel=parallel,
            nonce=nonce,
            strict=strict,
        )
        self.nonce = nonce if tools else ""
        self._parallel = parallel
        self._parser = ToolCallParser(nonce, strict=strict) if tools else None
        self._json = BareJSON() if bare_json else None
        self._pieces: list[str] = []
        self._final: str | None = None
        self._called = False

    @property
    def text(self) -> str:
        """The text as the service gave it, in its last version."""
        return "".join(self._pieces) if self._final is None else self._final

    def feed(self, event: Event) -> Iterable[Event]:
        """What ``event`` means."""
        if isinstance(event, Text):
            self._pieces.append(event.text)
            return self._read([event] if self._parser is None else self._parser.feed(event.text))
        if isinstance(event, FinalText):
            self._final = event.text
            return (self._whole(event),)
        return (event,)

    def close(self) -> Iterator[Event]:
        """What was held back."""
        if self._parser is not None:
            yield from self._read(self._parser.close())
        if self._json is not None and (rest := self._json.close()):
            yield Text(rest)

    def _read(self, found: Iterable[Text | Reasoning | RawCall]) -> Iterator[Event]:
        for piece in found:
            if isinstance(piece, RawCall):
                yield from self._calls(piece)
            elif isinstance(piece, Reasoning) or self._json is None:
                yield piece
            elif text := self._json.feed(piece.text):
                yield Text(text)

    def _calls(self, raw: RawCall) -> Iterator[ToolCall]:
        for call in calls_in(raw):
            if self._parallel or not self._called:
                yield ToolCall(call.name, call.arguments, repaired=call.repaired)
            self._called = True

    def _whole(self, final: FinalText) -> FinalText:
        """The service's own version, read from its beginning."""
        again = self._another()
        events = [*again.feed(Text(final.text)), *again.close()]
        return FinalText(
            "".join(event.text for event in events if isinstance(event, Text)),
            tuple(event for event in events if isinstance(event, ToolCall)),
        )


__all__ = ["ToolCallFilter"]
