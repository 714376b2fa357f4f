"""What the handlers of one server share: its conversations, its sessions, its runs."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from typing import TYPE_CHECKING

from langchain_g4f.testing.chat_ui.options import Catalogue
from langchain_g4f.testing.chat_ui.runs import GenerationRun
from langchain_g4f.testing.chat_ui.sessions import LoginSessions
from langchain_g4f.testing.chat_ui.store import Conversation, Ids, Store
from langchain_g4f.testing.chat_ui.wire import RefusedError

if TYPE_CHECKING:
    from langchain_g4f.testing.chat_ui.options import ChatUiOptions
    from langchain_g4f.testing.chat_ui.runs import RunInput
    from langchain_g4f.testing.chat_ui.sessions import ServerRequest
    from langchain_g4f.testing.script import ChatMessage

_MINUTE_S = 60.0


class State:
    """One server's memory.

    Attributes:
        options: The operator's settings.
        catalogue: The models.
        ids: The maker of ids.
        store: The conversations.
        sessions: The sessions that are logged in.
        runs: Runs by generation id, finished ones included.
        prompts: What the model received, one list of messages per run.
    """

    def __init__(self, options: ChatUiOptions, seed: int) -> None:
        self.options = options
        self.catalogue = Catalogue(options)
        self.ids = Ids(seed)
        self.store = Store(self.ids)
        self.sessions = LoginSessions(options, self.ids)
        self.runs: dict[str, GenerationRun] = {}
        self.prompts: list[list[ChatMessage]] = []
        self._running: dict[asyncio.Task[None], GenerationRun] = {}
        self._sent: defaultdict[str, deque[float]] = defaultdict(deque)

    def conversation(self, request: ServerRequest) -> Conversation:
        """Return the conversation named in the path if it is the caller's.

        Raises:
            RefusedError: 404 if it does not exist or belongs to another owner (section 5.4);
                500 for a malformed id.
        """
        wanted = request.params["id"]
        if not is_object_id(wanted):
            raise RefusedError(500)
        found = self.store.conversations.get(wanted)
        if found is None or found.owner != request.identity.owner:
            raise RefusedError(404, "Conversation not found")
        return found

    def count_send(self, owner: str) -> None:
        """Count a send, refused ones included, against the limit per minute (section 5.4).

        Raises:
            RefusedError: 429 above the limit, per user and per address.
        """
        limit = self.options.messages_per_minute
        if limit is None:
            return
        now_s, full = time.monotonic(), False
        # All callers of a loopback server share one address.
        for key in (owner, "address"):
            sent = self._sent[key]
            while sent and now_s - sent[0] > _MINUTE_S:
                sent.popleft()
            sent.append(now_s)
            full = full or len(sent) > limit
        if full:
            raise RefusedError(429, "You are sending too many messages. Try again later.")

    def start(self, given: RunInput) -> GenerationRun:
        """Start a run as its own task."""
        run = GenerationRun(given, self.options)
        if given.prompt is not None:
            self.prompts.append(list(given.prompt.messages))
        # A reused id has no log of its own (section 5.4): the first run keeps the name.
        self.runs.setdefault(given.generation_id, run)
        if given.generation_id not in given.conversation.generations:
            given.conversation.generations.append(given.generation_id)
        task = asyncio.create_task(run.execute())
        self._running[task] = run
        task.add_done_callback(self._running.pop)
        return run

    def running(self, conversation: Conversation) -> list[GenerationRun]:
        """Return the runs of a conversation that have not ended."""
        return [run for run in self._running.values() if run.given.conversation is conversation]

    async def close(self) -> None:
        """Cancel every run and wait until it has ended."""
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def busy(self) -> bool:
        """Whether a run has not ended."""
        return bool(self._running)


def is_object_id(text: str) -> bool:
    """Return whether `text` has the form of a conversation id."""
    return len(text) == 24 and all(char in "0123456789abcdef" for char in text.lower())
