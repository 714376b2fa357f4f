"""How a run reaches a reader, and how it is stopped.

Follows docs/protocols/huggingchat.md, sections 6 to 6.2: JSON lines while it is sent, server-sent
events on re-attaching. Both readers only follow the run's logs, so a reader that leaves does not
end the run.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from langchain_g4f.testing.chat_ui.runs import DROP
from langchain_g4f.testing.chat_ui.store import StopMark
from langchain_g4f.testing.chat_ui.wire import dumps, empty_response, text_response, utf16_length
from langchain_g4f.testing.streaming import StreamedResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from langchain_g4f.testing.chat_ui.runs import GenerationRun
    from langchain_g4f.testing.chat_ui.sessions import ServerRequest
    from langchain_g4f.testing.chat_ui.state import State
    from langchain_g4f.testing.chat_ui.store import Update
    from langchain_g4f.testing.streaming import Body

TOKEN_UNITS = 16
"""The server pads each token with NUL to this many UTF-16 units."""

FINAL_PADDING = b" " * 4096
"""Follows the line of a final answer, without a newline of its own."""

KEEP_ALIVE = b'{"type":"status","status":"keepAlive"}\n'
HEARTBEAT_S = 0.25


def answer(state: State, run: GenerationRun) -> ASGIApp:
    """Return the response that streams a new run."""

    def leave() -> None:
        if state.options.legacy:
            run.abandon()
        run.log.wake_readers()

    return StreamedResponse(_lines(run, state.options.keep_alive_s), "application/jsonl", leave)


async def reattach(state: State, request: ServerRequest) -> ASGIApp:
    """Handle `GET /conversation/{id}/stream`: follow a run again (section 6.1)."""
    conversation = state.conversation(request)
    query = request.record.query
    newest = conversation.generations[-1] if conversation.generations else ""
    wanted = query.get("generationId", newest)
    if wanted not in conversation.generations:
        return text_response(_end("gone"), 200, "text/event-stream")
    run = state.runs[wanted]
    last = request.record.headers.get("last-event-id", query.get("fromSeq", "0"))
    after = int(last) if last.isdigit() else 0
    return StreamedResponse(_events(run, after), "text/event-stream", run.log.wake_readers)


async def stop(state: State, request: ServerRequest) -> ASGIApp:
    """Handle `POST /conversation/{id}/stop-generating` (section 6.2).

    The marker stays if nothing runs, and ends the next run. A legacy server obeys only the first
    one of a conversation, for the run of its time (section 9.2).
    """
    conversation = state.conversation(request)
    if state.options.legacy and conversation.stop is not None:
        return empty_response()
    conversation.stop = StopMark(time.monotonic())
    match request.record.json:
        case {"generationId": str(generation), "seenContentLength": int(units)} if units >= 0:
            conversation.stop = StopMark(time.monotonic(), generation, units)
    for run in state.running(conversation):
        run.stop_soon(conversation.stop)
    return empty_response()


async def _lines(run: GenerationRun, keep_alive_s: float) -> Body:
    """Yield a run's updates as JSON lines, with a keep-alive every `keep_alive_s` seconds."""
    loop = asyncio.get_running_loop()
    next_alive_s: float | None = None
    cursor = 0
    while True:
        chunks: list[bytes] = []
        while cursor < len(run.log.updates):
            update = run.log.updates[cursor]
            cursor += 1
            if update is DROP:
                yield b"".join(chunks)
                yield None
                return
            chunks.append(_line(update))
            if next_alive_s is None:
                next_alive_s = loop.time()  # the first one comes at once
        if next_alive_s is not None and not run.done and loop.time() >= next_alive_s:
            chunks.append(KEEP_ALIVE)
            next_alive_s = loop.time() + keep_alive_s
        yield b"".join(chunks)
        if cursor == len(run.log.updates):
            if run.done:
                return
            left_s = None if next_alive_s is None else max(0.0, next_alive_s - loop.time())
            await run.log.wait(left_s)


def _line(update: Update) -> bytes:
    """Return one update as the server sends it, padding included (section 6)."""
    if update["type"] == "stream":
        padding = "\0" * (TOKEN_UNITS - utf16_length(update["token"]))
        update = {**update, "token": update["token"] + padding}
    # A lone surrogate becomes its JSON escape, as JavaScript prints it.
    line = dumps(update).encode("utf-8", "backslashreplace") + b"\n"
    return line + FINAL_PADDING if update["type"] == "finalAnswer" else line


async def _events(run: GenerationRun, after: int) -> Body:
    """Yield a run's events behind number `after` as server-sent events (section 6.1)."""
    cursor = after
    while True:
        chunks: list[bytes] = []
        while cursor < len(run.log.events):
            event = run.log.events[cursor]
            cursor += 1
            data = dumps(event).encode("utf-8", "backslashreplace")
            chunks.append(b"id: %d\nevent: update\ndata: %b\n\n" % (cursor, data))
        yield b"".join(chunks)
        if run.done and cursor >= len(run.log.events):
            yield _end(run.status)
            return
        before = len(run.log.events)
        await run.log.wait(HEARTBEAT_S)
        if before == len(run.log.events) and not run.done:
            yield b": heartbeat\n\n"


def _end(status: str) -> bytes:
    return b"event: end\ndata: " + dumps({"status": status}).encode() + b"\n\n"
