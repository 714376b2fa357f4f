"""`GET /api/v2/generations/live`: one event stream over all of a caller's runs.

Follows docs/protocols/huggingchat.md, section 6.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_g4f.testing.chat_ui.superjson import dumps

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from langchain_g4f.testing.chat_ui.bell import Bell
    from langchain_g4f.testing.chat_ui.runs import Run
    from langchain_g4f.testing.chat_ui.state import State

SYNC_S = 2.0


async def live_events(state: State, owner: str, bell: Bell) -> AsyncGenerator[bytes | None]:
    """Yield a `sync` every two seconds and `idle` when nothing runs any more."""
    watched: list[Run] = []
    while True:
        running = [run for run in _runs(state, owner) if not run.done]
        ended = [run for run in watched if run.done]
        sync = {
            "running": [_entry(run) for run in running],
            "ended": [{**_entry(run), "status": run.status} for run in ended],
        }
        yield b"event: sync\ndata: " + dumps(sync).encode() + b"\n\n"
        if not running and not ended:
            yield b"event: idle\ndata: {}\n\n"
            return
        watched = running
        await bell.wait(SYNC_S)


def _runs(state: State, owner: str) -> list[Run]:
    own = state.store.of(owner)
    return [state.runs[generation] for found in own for generation in found.generations]


def _entry(run: Run) -> dict[str, str]:
    conversation = run.turn.conversation
    return {"conversationId": conversation.id, "title": conversation.title}
