"""Shows answers as they come.

On a terminal, reasoning is dimmed, and everything goes through `printable`. Elsewhere standard
output gets the answer alone, exactly as it came. The terminal wraps the lines, so that a copied
paragraph is one line.

Progress and notes go to standard error, a line each. At a terminal, progress that is true only for
a moment (a place in the queue, the bytes uploaded) stands beside the spinner instead.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from rich.console import Console
from rich.text import Text

from langchain_g4f.cli.terminal import one_line, printable, tell

if TYPE_CHECKING:
    from rich.status import Status

    from langchain_g4f.core.events import Progress

_NOTES = {
    "interrupted": "the answer was stopped",
    "length": "the answer was cut at the service's limit",
}
_MOMENTARY = ("queued", "upload", "progress", "waking", "started")
"""Kinds of progress that the next event of their kind replaces."""
_FILES = ("image", "audio", "video", "file")


class Screen:
    """Shows answers, one after the other.

    Args:
        reasoning: Whether reasoning is shown; None shows it on a terminal.
        aside: Where reasoning goes if standard output is not a terminal; by default standard error.
    """

    def __init__(self, *, reasoning: bool | None = None, aside: TextIO | None = None) -> None:
        self.terminal = sys.stdout.isatty()
        self._reasoning = self.terminal if reasoning is None else reasoning
        self._out = sys.stdout
        self._aside = sys.stdout if self.terminal else aside or sys.stderr
        self._terminals = {each for each in (self._out, self._aside) if each.isatty()}
        self._console = Console(file=sys.stdout, force_terminal=self.terminal, highlight=False)
        self._waiting: Status | None = None
        self._chunks: list[AIMessageChunk] = []
        self._open_line: TextIO | None = None
        self._thinking = False
        self._at_top = True

    @property
    def message(self) -> AIMessage | None:
        """The answer so far, with its metadata; None if it is empty."""
        if not any(chunk.text or "files" in chunk.additional_kwargs for chunk in self._chunks):
            return None
        first, *rest = self._chunks
        whole = message_chunk_to_message(first + rest if rest else first)
        final = whole.response_metadata.get("final_text")
        if isinstance(final, str):  # the service has replaced the streamed text
            whole.content = final
        return whole if isinstance(whole, AIMessage) else None

    async def follow(self, chunks: AsyncIterator[AIMessageChunk]) -> None:
        """Show an answer from its first chunk to its end, however it ends.

        Raises:
            OSError: The output cannot be written: its reader has left, or the disk is full.
        """
        broken: OSError | None = None
        self.begin()
        try:
            async for chunk in chunks:
                try:
                    self.show(chunk)
                except OSError as error:
                    broken = error
                    # Leaving the loop would close langchain-core's generator and leave ours open.
                    # A cancelled one ends where it waits: connection closed, service told to stop.
                    if task := asyncio.current_task():
                        task.cancel()
        except asyncio.CancelledError:
            if broken is None:
                raise
        finally:
            with suppress(OSError):
                self.end()
        if broken is not None:
            raise broken

    def begin(self) -> None:
        """Wait for an answer."""
        self._chunks.clear()
        self._at_top = True
        if self.terminal:
            self._waiting = self._console.status("", spinner="dots")
            self._waiting.start()

    def show(self, chunk: AIMessageChunk) -> None:
        """Show a piece of the answer or of the reasoning before it."""
        self._chunks.append(chunk)
        for block in chunk.content_blocks:
            if block["type"] == "text":
                self._say(block["text"])
            elif block["type"] == "reasoning" and self._reasoning:
                self._thinking = True
                self._write(self._aside, block.get("reasoning", ""), style="dim")
            elif block["type"] in _FILES:
                self.note(_about_file(dict(block)))
        if chunk.chunk_position == "last":
            self._sum_up(chunk.response_metadata)

    def _sum_up(self, metadata: dict[str, Any]) -> None:
        if self.message is None:
            self.note("there is reasoning, but no answer")
        if note := _NOTES.get(metadata.get("finish_reason", "")):
            self.note(note)
        if not metadata.get("restarted"):
            return
        final = str(metadata.get("final_text", ""))
        if "".join(chunk.text for chunk in self._chunks).endswith(final):
            self.note("the service started over; only the last attempt is the answer")
            return
        self.note("the service replaced its answer; this is the final text")
        self._at_top = True
        self._write(self._out, final)

    def end(self) -> None:
        """End the answer, complete or not."""
        self._stop_waiting()
        self._end_line()
        self._thinking = False

    def hint(self, text: str) -> None:
        """Show a text to a person at the terminal."""
        if self.terminal:
            self._console.out(printable(text), style="dim", highlight=False)

    def note(self, text: str) -> None:
        """Write a line on standard error."""
        self._stop_waiting()
        self._end_line()
        tell(f"[{one_line(text)}]")

    def progress(self, progress: Progress) -> None:
        """Show why the answer takes time."""
        text = one_line(_about(progress))
        if self._waiting is not None and progress.kind in _MOMENTARY:
            self._waiting.update(Text(text, style="dim"))
        elif text and not _is_soon_replaced(progress):
            self._tell_meanwhile(text)

    def _tell_meanwhile(self, text: str) -> None:
        """Like `note`, but the answer continues: a pipe gets no line end inside it."""
        if self._waiting is not None:
            self._waiting.stop()
        if self.terminal or self._open_line is not self._out:
            self._end_line()
        tell(f"[{text}]")
        if self._waiting is not None:
            self._waiting.start()

    def _say(self, text: str) -> None:
        if text and self._thinking:
            self._thinking = False
            self._end_line()
            self._write(self._aside, "\n")
            self._at_top = True
        self._write(self._out, text)

    def _write(self, stream: TextIO, text: str, style: str | None = None) -> None:
        if self.terminal and self._at_top:
            # Models like to begin with empty lines, before and after the reasoning.
            text = text.lstrip("\n")
        if not text:
            return
        self._at_top = False
        self._stop_waiting()
        if style is not None and self.terminal:
            self._console.out(printable(text), end="", style=style, highlight=False)
        else:
            # Not through rich, which would turn tabs into spaces.
            stream.write(printable(text) if stream in self._terminals else text)
            stream.flush()
        self._open_line = None if text.endswith("\n") else stream

    def _end_line(self) -> None:
        if self._open_line is not None:
            self._write(self._open_line, "\n")

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None


def _about(progress: Progress) -> str:
    """Progress in words; empty for events that do not explain a wait."""
    data = progress.data
    match progress.kind:
        case "retry":
            return f"trying again: {progress.message}"
        case "queued" | "upload" | "waking" | "identity_unavailable":
            return progress.message
        case "progress":
            index, length = data.get("index"), data.get("length")
            known = index is not None and length is not None
            steps = f"{index} of {length} {data.get('unit') or ''}".strip() if known else ""
            return " ".join(filter(None, [progress.message, steps]))
        case "log":
            return ": ".join(filter(None, [str(data.get("title") or ""), progress.message]))
        case _:
            return ""


def _is_soon_replaced(progress: Progress) -> bool:
    """Whether the next event says more: a log needs no line for this one."""
    match progress.kind:
        case "queued":
            return not progress.data.get("rank")
        case "upload":
            return not progress.data.get("sent")
        case _:
            return progress.kind == "progress"


def _about_file(block: dict[str, Any]) -> str:
    """The name and the address of a file of an answer."""
    extras = block.get("extras")
    name = extras.get("filename") if isinstance(extras, dict) else ""
    return f"{block['type']}: " + ", ".join(filter(None, [name, block.get("url")]))
