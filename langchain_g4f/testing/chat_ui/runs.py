"""A generation run: its own task, writing updates that any number of readers follow.

Follows docs/protocols/huggingchat.md, sections 6 to 6.2, and 9.2 for the legacy differences. A run
outlives the connection that started it. On a current server it can be followed again and stopped;
on a legacy one the rest of its answer is lost, and no stop reaches it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from itertools import islice, tee
from typing import TYPE_CHECKING, Literal, TypeAlias

from langchain_g4f.testing.chat_ui.store import now
from langchain_g4f.testing.chat_ui.wire import utf16_length
from langchain_g4f.testing.script import answer_tokens, ask, inline_tokens, is_due, plain_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_g4f.testing.chat_ui.options import ChatUiOptions
    from langchain_g4f.testing.chat_ui.store import Conversation, Message, StopMark, Update
    from langchain_g4f.testing.script import Prompt, Reply

Status: TypeAlias = Literal["running", "completed", "interrupted", "error"]

NO_OUTPUT = "No output was generated. Something went wrong."
TITLE_WORDS = 4

DROP: Update = {"type": "sandbox", "subtype": "drop"}
"""Only for the reader of the answer stream: close the connection here."""

MERGE_S = 0.2
"""Seconds of tokens that become one numbered event."""


@dataclass(slots=True)
class RunInput:
    """What a send asks for: the place of the answer and the prompt.

    Attributes:
        conversation: The conversation, whose message list `tree` replaces at the end.
        tree: This run's own copy of the message list (the last writer wins, section 5.4).
        question: The message that is answered.
        answer: The message being written, part of `tree`.
        prompt: What the model receives; None if a file is missing.
        generation_id: UUID of the run.
        needs_title: Whether a title is due: on the first send.
        may_restart: Whether a failure in the middle silently starts over, once.
        route: Route name if a router picked the model.
        web_search: Whether to search first (legacy).
        earlier: Text to append to (legacy `is_continue`).
        splits_reasoning: Whether reasoning is reported apart from the text (legacy).
    """

    conversation: Conversation
    tree: list[Message]
    question: Message
    answer: Message
    prompt: Prompt | None
    generation_id: str
    needs_title: bool
    may_restart: bool
    route: str | None
    web_search: bool
    earlier: str
    splits_reasoning: bool


class UpdateLog:
    """What a run writes: updates to stream, events to re-attach to, and the stored answer.

    Neighbouring tokens become one numbered event about every 200 ms; the stored text always ends
    where the last event does.

    Attributes:
        answer: The message being written.
        updates: Every update, for the reader of the answer stream.
        events: Updates with merged tokens; the number of an event is its position from 1.
        text: The answer's text so far, discarded attempts included.
    """

    def __init__(self, answer: Message, text: str, *, legacy: bool) -> None:
        self.answer = answer
        self.updates: list[Update] = []
        self.events: list[Update] = []
        self.text = text
        self._legacy = legacy
        self._pending = ""
        self._timer: asyncio.TimerHandle | None = None
        self._changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def wake_readers(self) -> None:
        """Wake every reader that waits for a change."""
        changed, self._changed = self._changed, asyncio.get_running_loop().create_future()
        changed.set_result(None)

    async def wait(self, timeout_s: float | None = None) -> None:
        """Return at the next change, or after `timeout_s` seconds."""
        await asyncio.wait({self._changed}, timeout=timeout_s)

    def write(self, update: Update) -> None:
        """Add one update to all logs."""
        self.updates.append(update)
        if update["type"] == "stream":
            self.text += update["token"]
            self._pending += update["token"]
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(MERGE_S, self.flush)
        elif update is not DROP:
            self.flush()
            self._add_event(update)
        if update is not DROP and self.answer.updates is not None:
            self._store(update, self.answer.updates)
        self.wake_readers()

    def flush(self) -> None:
        """Make the tokens since the last event an event."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pending:
            token, self._pending = self._pending, ""
            self._add_event({"type": "stream", "token": token})
            self.wake_readers()

    def _add_event(self, event: Update) -> None:
        self.events.append(event)
        self.answer.content = self.text
        if not self._legacy:
            self.answer.materialized_seq = len(self.events)

    def _store(self, update: Update, stored: list[Update]) -> None:
        kind = update["type"]
        if kind == "routerMetadata":
            self.answer.router_metadata = {"provider": None, **update}
            del self.answer.router_metadata["type"]
            stored.append({"type": kind, **self.answer.router_metadata})
        elif self._legacy:
            if kind != "stream" and update.get("subtype") != "stream":
                stored.append({"webSources": None, **update} if kind == "finalAnswer" else update)
        elif kind == "stream":
            stored.append({"type": kind, "token": "", "len": utf16_length(update["token"])})
        else:
            stored.append(
                {"message": None, **update} if update.get("status") == "error" else update
            )


class GenerationError(Exception):
    """The model failed: status and message as the stream reports them."""

    def __init__(self, status: int | None, message: str | None) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


class GenerationRun:
    """One generation from `started` to its last update."""

    def __init__(self, given: RunInput, options: ChatUiOptions) -> None:
        self.given = given
        self.status: Status = "running"
        self.log = UpdateLog(given.answer, given.earlier, legacy=options.legacy)
        self._options = options
        self._stop: asyncio.Future[StopMark] = asyncio.get_running_loop().create_future()
        self._abandoned = False

    @property
    def done(self) -> bool:
        """Whether nothing more will come."""
        return self.status != "running"

    def stop_soon(self, mark: StopMark) -> None:
        """Stop after the time a server takes to notice."""
        asyncio.get_running_loop().call_later(self._options.stop_delay_s, self._stop_now, mark)

    def _stop_now(self, mark: StopMark) -> None:
        if self.done or self._abandoned:
            return
        if not self._options.legacy:
            # The marker is used up here; one that comes too late stays and hits the next run.
            self.given.conversation.stop = None
        if not self._stop.done():
            self._stop.set_result(mark)

    def abandon(self) -> None:
        """Continue without a reader (legacy): what follows is not stored, except for a title."""
        if self.done:
            return
        self.log.flush()
        self._store()
        self._abandoned = True
        answer = self.given.answer
        self.given.answer = self.log.answer = replace(answer, updates=list(answer.updates or []))

    async def execute(self) -> None:
        """Run to the end; a cancelled run stores its answer so far."""
        self.log.write({"type": "status", "status": "started"})
        end: Status = "interrupted"
        try:
            end = await self._answer()
        except GenerationError as failure:
            self._report(failure.status, failure.message)
            end = "error"
        except Exception as error:  # noqa: BLE001 -- whatever a script raises
            self._report(500, f"the script failed: {error!r}")
            end = "error"
        finally:
            self.log.flush()
            if not self._abandoned:
                self._store()
            self.status = end
            self.log.wake_readers()

    def _report(self, status: int | None, message: str | None) -> None:
        update: Update = {"type": "status", "status": "error"}
        if message is not None:
            update["message"] = message
        if status is not None and not self._options.legacy:
            update["statusCode"] = status
        self.log.write(update)

    def _store(self) -> None:
        conversation, answer = self.given.conversation, self.given.answer
        answer.content = self.log.text
        answer.updated_at = conversation.updated_at = now()
        conversation.messages = self.given.tree

    async def _answer(self) -> Status:
        given, prompt, legacy = self.given, self.given.prompt, self._options.legacy
        if prompt is None:
            raise GenerationError(404, None)
        reply = ask(self._options.script, prompt)
        if given.needs_title and not reply.slow_title:
            self._write_title(reply)
        if given.web_search:
            self._search(prompt)
        if given.route is not None:
            self.log.write({"type": "routerMetadata", "route": given.route, "model": prompt.model})
        if reply.error and reply.error_after is None:
            raise GenerationError(*reply.error)
        text = await self._stream(reply)
        if self._stop.done() and legacy:
            # A stopped legacy stream just ends.
            return "interrupted"
        self._write_final_answer(text.rstrip())
        if reply.provider is not None and given.route is None and not legacy:
            provider = {"route": "", "model": "", "provider": reply.provider}
            self.log.write({"type": "routerMetadata", **provider})
        if given.needs_title and reply.slow_title:
            await asyncio.sleep(reply.title_s)
            self._write_title(reply)
        if not legacy:
            self.log.write({"type": "status", "status": "finished"})
        return "interrupted" if self._stop.done() else "completed"

    def _write_title(self, reply: Reply) -> None:
        words = plain_text(self.given.question.content).split()
        title = reply.title or " ".join(["Title:", *words[:TITLE_WORDS]])
        # A legacy server puts an emoji in front of a title that has none.
        title = f"\N{SPEECH BALLOON} {title}" if self._options.legacy else title
        self.given.conversation.title = title
        self.log.write({"type": "title", "title": title})

    def _search(self, prompt: Prompt) -> None:
        sources = [{"title": title, "link": link} for title, link in self._options.web_sources]
        problem = ["No configuration found for web search."]
        for update in (
            {"subtype": "update", "message": "Searching Google", "args": [plain_text(prompt.text)]},
            {"subtype": "sources", "message": "sources", "sources": sources}
            if sources
            else {"subtype": "error", "message": "An error occurred", "args": problem},
            {"subtype": "finished"},
        ):
            self.log.write({"type": "webSearch", **update})

    async def _stream(self, reply: Reply) -> str:
        """Stream the answer and return its text, that of the successful attempt only."""
        first, second = tee(self._tokens(reply))
        error_after = reply.error_after if reply.error else None
        breaks = [at for at in (error_after, reply.restart_after) if at is not None]
        text = await self._attempt(reply, islice(first, min(breaks, default=None)))
        if self._stop.done() or not breaks:
            return text
        if self.given.may_restart and not self._options.legacy:
            self.log.flush()
            again = replace(reply, drop_after=None)
            text = await self._attempt(again, islice(second, error_after))
            if self._stop.done() or error_after is None:
                return text
        raise GenerationError(*(reply.error or (None, "terminated")))

    def _tokens(self, reply: Reply) -> Iterator[str]:
        split = self._options.split
        if not self.given.splits_reasoning or not reply.reasoning:
            return inline_tokens(reply, split)
        for token in split(reply.reasoning):
            self.log.write({"type": "reasoning", "subtype": "stream", "token": token})
        self.log.write({"type": "reasoning", "subtype": "status", "status": "Done in 0s."})
        self.given.answer.reasoning = reply.reasoning
        return answer_tokens(reply, split)

    async def _attempt(self, reply: Reply, tokens: Iterator[str]) -> str:
        """Stream `tokens` until their end or a stop, and return their text."""
        pace_s = self._options.pace_s if reply.pace_s is None else reply.pace_s
        text, count = "", 0
        while True:
            token = next(tokens, None)
            if is_due(reply.drop_after, count, token):
                self.log.write(DROP)
            if is_due(reply.hang_after, count, token):
                await asyncio.wait({self._stop})
            if token is None or self._stop.done():
                return text
            if pace_s:
                await asyncio.wait({self._stop}, timeout=pace_s)
            else:
                await asyncio.sleep(0)  # lets readers see every token separately
            if self._stop.done():
                return text
            text, count = text + token, count + 1
            self.log.write({"type": "stream", "token": token})

    def _write_final_answer(self, text: str) -> None:
        stop = self._stop.result() if self._stop.done() else None
        if stop and stop.seen_units is not None and stop.generation_id == self.given.generation_id:
            seen = text.encode("utf-16-le", "surrogatepass")[: 2 * stop.seen_units]
            text = seen.decode("utf-16-le", "ignore")  # never half a pair
        if not text and not stop:
            raise GenerationError(None, NO_OUTPUT)
        self.log.flush()
        self.log.text = self.given.earlier + text
        self.given.answer.interrupted = stop is not None
        final: Update = {"type": "finalAnswer", "text": text, "interrupted": stop is not None}
        if self.given.web_search and self._options.web_sources:
            sources = self._options.web_sources
            final["webSources"] = [{"uri": link, "title": title} for title, link in sources]
        self.log.write(final)
