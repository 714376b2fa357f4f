"""What a run writes: updates for the answer stream, events for re-attaching, and the stored answer.

Follows docs/protocols/huggingchat.md, sections 5.2, 6 and 6.1. Neighbouring tokens become one
numbered event about every 200 ms; the stored text always ends where the last event does.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from langchain_g4f.testing.chat_ui.bell import Bell
from langchain_g4f.testing.chat_ui.units import utf16_length

if TYPE_CHECKING:
    from langchain_g4f.testing.chat_ui.store import Message, Update

DROP: Update = {"type": "sandbox", "subtype": "drop"}
"""Told to the answer stream only: close the connection here."""

MERGE_S = 0.2
"""Seconds of tokens that become one event."""


class UpdateLog:
    """The logs of one run.

    Args:
        answer: The message being written.
        said: Text the answer already has (legacy `is_continue`).
        legacy: Which generation's stored form to write.

    Attributes:
        updates: Every update, for the reader of the answer stream.
        events: Updates with merged tokens; the number of an event is its position from 1.
        changed: Rung after every change.
        said: The answer's text so far, discarded attempts included.
    """

    def __init__(self, answer: Message, said: str, *, legacy: bool) -> None:
        self.updates: list[Update] = []
        self.events: list[Update] = []
        self.changed = Bell()
        self.said = said
        self._answer = answer
        self._legacy = legacy
        self._pending = ""
        self._timer: asyncio.TimerHandle | None = None

    def move_to(self, answer: Message) -> None:
        """Write into another message from now on."""
        self._answer = answer

    def write(self, update: Update) -> None:
        """Add one update to all logs."""
        self.updates.append(update)
        if update["type"] == "stream":
            self.said += update["token"]
            self._pending += update["token"]
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(MERGE_S, self.flush)
        elif update is not DROP:
            self.flush()
            self._event(update)
        if update is not DROP and self._answer.updates is not None:
            self._store(update, self._answer.updates)
        self.changed.ring()

    def flush(self) -> None:
        """Make the tokens since the last event an event."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pending:
            token, self._pending = self._pending, ""
            self._event({"type": "stream", "token": token})
            self.changed.ring()

    def _event(self, event: Update) -> None:
        self.events.append(event)
        self._answer.content = self.said
        if not self._legacy:
            self._answer.materialized_seq = len(self.events)

    def _store(self, update: Update, stored: list[Update]) -> None:
        kind = update["type"]
        if kind == "routerMetadata":
            meta = {"provider": None, **update}
            del meta["type"]
            self._answer.router_metadata = meta
            stored.append({"type": kind, **meta})
        elif self._legacy:
            if kind != "stream" and update.get("subtype") != "stream":
                extra = {"webSources": None} if kind == "finalAnswer" else {}
                stored.append({**extra, **update})
        elif kind == "stream":
            stored.append({"type": kind, "token": "", "len": utf16_length(update["token"])})
        elif update.get("status") == "error":
            stored.append({"message": None, **update})
        else:
            stored.append(update)
