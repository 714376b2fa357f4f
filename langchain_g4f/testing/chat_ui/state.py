"""What the handlers of one server share: its store, its sessions, its runs."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from typing import TYPE_CHECKING

from langchain_g4f.testing.chat_ui.calls import RefusedError, UnexpectedError
from langchain_g4f.testing.chat_ui.models import Catalogue
from langchain_g4f.testing.chat_ui.runs import Run, RunRules, Turn
from langchain_g4f.testing.chat_ui.sessions import Sessions
from langchain_g4f.testing.chat_ui.store import Conversation, Ids, Store
from langchain_g4f.testing.script import Splitter

if TYPE_CHECKING:
    from typing import Any

    from langchain_g4f.testing.chat_ui.calls import Call
    from langchain_g4f.testing.chat_ui.options import Options
    from langchain_g4f.testing.script import ChatMessage

_MINUTE_S = 60.0


class State:
    """One server's memory.

    Attributes:
        options: The operator's settings.
        catalogue: The models.
        store: The conversations.
        sessions: Who is logged in.
        runs: Runs by generation id, finished ones included.
        prompts: What the model received, one list of messages per run.
        settings: Per-user settings by owner.
    """

    def __init__(self, options: Options) -> None:
        ids = Ids(options.seed)
        self.options = options
        self.catalogue = Catalogue(options.models, legacy=options.legacy)
        self.store = Store(ids)
        self.sessions = Sessions(ids, coupled=options.require_site_token)
        self.runs: dict[str, Run] = {}
        self.prompts: list[list[ChatMessage]] = []
        self.settings: dict[str, dict[str, Any]] = {}
        self._running: dict[asyncio.Task[None], Run] = {}
        self._sent: defaultdict[str, deque[float]] = defaultdict(deque)
        self._rules = RunRules(
            legacy=options.legacy,
            script=options.script,
            split=Splitter(options.split, options.seed),
            pace_s=options.pace_s,
            stop_delay_s=options.stop_delay_s,
            web_sources=options.web_sources,
        )

    @property
    def ids(self) -> Ids:
        """The maker of ids."""
        return self.store.ids

    def own(self, call: Call) -> Conversation:
        """Return the conversation named in the path if it is the caller's.

        Raises:
            UnexpectedError: The id is malformed.
            RefusedError: 404 if there is none or it is somebody else's (section 5.4).
        """
        wanted = call.params["id"]
        if not is_object_id(wanted):
            raise UnexpectedError
        found = self.store.conversations.get(wanted)
        if found is None or found.owner != call.identity.owner:
            raise RefusedError(404, "Conversation not found")
        return found

    def count_message(self, call: Call) -> None:
        """Count a send, refused ones included, against the limit per minute (section 5.4).

        Raises:
            RefusedError: 429 above the limit, per user and per address.
        """
        limit = self.options.messages_per_minute
        if limit is None:
            return
        now_s = time.monotonic()
        # All callers of a loopback server share one address.
        for key in (call.identity.owner, "address"):
            sent = self._sent[key]
            while sent and now_s - sent[0] > _MINUTE_S:
                sent.popleft()
            sent.append(now_s)
        if any(len(self._sent[key]) > limit for key in (call.identity.owner, "address")):
            raise RefusedError(429, "You are sending too many messages. Try again later.")

    def start(self, turn: Turn) -> Run:
        """Start a run as its own task."""
        run = Run(turn, self._rules)
        if turn.prompt is not None:
            self.prompts.append(list(turn.prompt.messages))
        # A reused id has no log of its own (section 5.4): the first run keeps the name.
        self.runs.setdefault(turn.generation_id, run)
        if turn.generation_id not in turn.conversation.generations:
            turn.conversation.generations.append(turn.generation_id)
        task = asyncio.create_task(run.execute())
        self._running[task] = run
        task.add_done_callback(self._running.pop)
        return run

    def running(self, conversation: Conversation) -> list[Run]:
        """Return the runs of a conversation that have not ended."""
        return [run for run in self._running.values() if run.turn.conversation is conversation]

    async def close(self) -> None:
        """Cancel every run and wait until it has ended."""
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def busy(self) -> bool:
        """Whether a run is still going on."""
        return bool(self._running)


def is_object_id(text: str) -> bool:
    """Return whether `text` has the form of a conversation id."""
    return len(text) == 24 and all(char in "0123456789abcdef" for char in text.lower())
