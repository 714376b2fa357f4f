"""A run: one generation, as its own task, writing updates that any number of readers follow.

Follows docs/protocols/huggingchat.md, sections 6 to 6.2, and 9.2 for the legacy differences. A
run outlives the connection that started it. On the current generation it can be followed again
and stopped; on legacy what it says from then on is lost, and no stop reaches it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from langchain_g4f.testing.chat_ui.attempt import Attempt
from langchain_g4f.testing.chat_ui.bell import Bell
from langchain_g4f.testing.chat_ui.store import now
from langchain_g4f.testing.chat_ui.units import cut_utf16
from langchain_g4f.testing.chat_ui.update_log import DROP, UpdateLog
from langchain_g4f.testing.script import answer_tokens, ask, inline_tokens, plain_text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence

    from langchain_g4f.testing.chat_ui.store import Conversation, Message, StopMark, Update
    from langchain_g4f.testing.script import Prompt, Reply, Script, Splitter

Status: TypeAlias = Literal["running", "completed", "interrupted", "error"]

NO_OUTPUT = "No output was generated. Something went wrong."
TITLE_WORDS = 4


@dataclass(frozen=True, slots=True)
class RunRules:
    """What all runs of a server share.

    Attributes:
        legacy: Which generation's updates to write.
        script: The model.
        split: How answers are cut into tokens.
        pace_s: Seconds before each token, unless the reply says otherwise.
        stop_delay_s: Seconds until a stop is noticed.
        web_sources: Titles and addresses a legacy web search finds; empty makes it fail.
    """

    legacy: bool
    script: Script
    split: Splitter
    pace_s: float
    stop_delay_s: float
    web_sources: Sequence[tuple[str, str]]


@dataclass(slots=True)
class Turn:
    """What a send asks for: where the answer goes and what the model gets.

    Attributes:
        conversation: The conversation, whose message list `tree` replaces at the end.
        tree: This run's own copy of the message list (the last writer wins, section 5.4).
        question: The message that is answered.
        answer: The message being written, part of `tree`.
        prompt: What the model gets; None if a file is missing.
        generation_id: UUID of the run.
        titled: Whether a title is due: on the first turn.
        restarts: Whether a failure mid-stream silently starts over, once.
        route: Route name if a router picked the model.
        web_search: Whether to search first (legacy).
        earlier: Text to append to (legacy `is_continue`).
        apart: Whether reasoning is reported apart from the text (legacy).
    """

    conversation: Conversation
    tree: list[Message]
    question: Message
    answer: Message
    prompt: Prompt | None
    generation_id: str
    titled: bool
    restarts: bool
    route: str | None
    web_search: bool
    earlier: str
    apart: bool


class _FailedError(Exception):
    """The model failed: status and message as the stream reports them."""

    def __init__(self, status: int | None, message: str | None) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


class Run:
    """One generation from `started` to its last update."""

    def __init__(self, turn: Turn, rules: RunRules) -> None:
        self.turn = turn
        self.status: Status = "running"
        self.log = UpdateLog(turn.answer, turn.earlier, legacy=rules.legacy)
        self._rules = rules
        self._stopped: StopMark | None = None
        self._stop_bell = Bell()
        self._left = False

    @property
    def done(self) -> bool:
        """Whether nothing more will come."""
        return self.status != "running"

    def stop_soon(self, mark: StopMark) -> None:
        """Stop after the time a server takes to notice."""
        loop = asyncio.get_running_loop()
        loop.call_later(self._rules.stop_delay_s, self._stop_now, mark)

    def leave(self) -> None:
        """Go on without a reader (legacy): kept is what was said, and a title to come."""
        if self.done:
            return
        self.log.flush()
        self._keep()
        self._left = True
        answer = self.turn.answer
        self.turn.answer = replace(answer, updates=list(answer.updates or []))
        self.log.move_to(self.turn.answer)

    def _stop_now(self, mark: StopMark) -> None:
        if not (self.done or self._left):
            if not self._rules.legacy:
                # The marker is used up here; one that comes too late stays and hits the next run.
                self.turn.conversation.stop = None
            self._stopped = mark
            self._stop_bell.ring()

    async def execute(self) -> None:
        """Run to the end; a cancelled run keeps what it has said."""
        self.log.write({"type": "status", "status": "started"})
        end: Status = "interrupted"
        try:
            end = await self._answer()
        except _FailedError as failure:
            self.log.write(self._error(failure.status, failure.message))
            end = "error"
        except Exception as error:  # noqa: BLE001 -- whatever a script raises
            self.log.write(self._error(500, f"the script failed: {error!r}"))
            end = "error"
        finally:
            self._finish(end)

    async def _answer(self) -> Status:
        turn, prompt = self.turn, self.turn.prompt
        if prompt is None:
            raise _FailedError(404, None)
        reply = ask(self._rules.script, prompt)
        if turn.titled and not reply.slow_title:
            self._title(reply)
        if turn.web_search:
            self._search(prompt)
        if turn.route is not None:
            meta = {"route": turn.route, "model": prompt.model}
            self.log.write({"type": "routerMetadata", **meta})
        if reply.error and reply.error_after is None:
            raise _FailedError(*reply.error)
        text = await self._speak(reply)
        if self._stopped and self._rules.legacy:
            # A stopped legacy stream just ends.
            return "interrupted"
        self._conclude(text.rstrip(), reply)
        if turn.titled and reply.slow_title:
            await asyncio.sleep(reply.title_s)
            self._title(reply)
        if not self._rules.legacy:
            self.log.write({"type": "status", "status": "finished"})
        return "interrupted" if self._stopped else "completed"

    def _title(self, reply: Reply) -> None:
        words = plain_text(self.turn.question.content).split()
        title = reply.title or " ".join(["Title:", *words[:TITLE_WORDS]])
        # A legacy server puts an emoji in front of a title that has none.
        title = f"\N{SPEECH BALLOON} {title}" if self._rules.legacy else title
        self.turn.conversation.title = title
        self.log.write({"type": "title", "title": title})

    def _search(self, prompt: Prompt) -> None:
        search = {"type": "webSearch"}
        begun = {"message": "Searching Google", "args": [plain_text(prompt.text)]}
        self.log.write({**search, "subtype": "update", **begun})
        sources = [{"title": title, "link": link} for title, link in self._rules.web_sources]
        if sources:
            found = {"message": "sources", "sources": sources}
            self.log.write({**search, "subtype": "sources", **found})
        else:
            args = ["No configuration found for web search."]
            problem = {"message": "An error occurred", "args": args}
            self.log.write({**search, "subtype": "error", **problem})
        self.log.write({**search, "subtype": "finished"})

    async def _speak(self, reply: Reply) -> str:
        """Stream the answer and return its text, the good attempt's only."""
        attempt = Attempt(reply, self._tokens(reply))
        restarts = self.turn.restarts and not self._rules.legacy
        while True:
            text = ""
            async for token in self._paced(attempt):
                text += token
                self.log.write({"type": "stream", "token": token})
            if self._stopped or not attempt.failed:
                return text
            if attempt.number > 1 or not restarts:
                raise _FailedError(*(reply.error or (None, "terminated")))
            self.log.flush()
            attempt.restart()

    def _tokens(self, reply: Reply) -> Iterator[str]:
        split = self._rules.split
        if not self.turn.apart or not reply.reasoning:
            return inline_tokens(reply, split)
        reasoning = {"type": "reasoning"}
        for token in split(reply.reasoning):
            self.log.write({**reasoning, "subtype": "stream", "token": token})
        self.log.write({**reasoning, "subtype": "status", "status": "Done in 0s."})
        self.turn.answer.reasoning = reply.reasoning
        return answer_tokens(reply, split)

    async def _paced(self, attempt: Attempt) -> AsyncGenerator[str]:
        """Yield tokens until the end, a failure or a stop."""
        reply = attempt.reply
        pace_s = self._rules.pace_s if reply.pace_s is None else reply.pace_s
        while True:
            said = attempt.position
            token = attempt.next()
            if attempt.number == 1 and _due(reply.drop_after, said, token):
                self.log.write(DROP)
            while _due(reply.hang_after, said, token) and not self._stopped:
                await self._stop_bell.wait()
            if token is None or self._stopped:
                return
            if pace_s:
                await self._stop_bell.wait(pace_s)
            else:
                # Lets readers see every token as it comes.
                await asyncio.sleep(0)
            if self._stopped:
                return
            yield token

    def _conclude(self, text: str, reply: Reply) -> None:
        stop = self._stopped
        if stop and stop.seen_units is not None and stop.generation_id == self.turn.generation_id:
            text = cut_utf16(text, stop.seen_units)
        if not text and not stop:
            raise _FailedError(None, NO_OUTPUT)
        self.log.flush()
        self.log.said = self.turn.earlier + text
        self.turn.answer.interrupted = stop is not None
        final: Update = {"type": "finalAnswer", "text": text, "interrupted": stop is not None}
        if self.turn.web_search and self._rules.web_sources:
            links = [{"uri": link, "title": title} for title, link in self._rules.web_sources]
            final["webSources"] = links
        self.log.write(final)
        if reply.provider is not None and self.turn.route is None and not self._rules.legacy:
            provider = {"route": "", "model": "", "provider": reply.provider}
            self.log.write({"type": "routerMetadata", **provider})

    def _error(self, status: int | None, message: str | None) -> Update:
        update: Update = {"type": "status", "status": "error"}
        if message is not None:
            update["message"] = message
        if status is not None and not self._rules.legacy:
            update["statusCode"] = status
        return update

    def _finish(self, end: Status) -> None:
        self.log.flush()
        if not self._left:
            self._keep()
        self.status = end
        self.log.changed.ring()

    def _keep(self) -> None:
        conversation, answer = self.turn.conversation, self.turn.answer
        answer.content = self.log.said
        answer.updated_at = conversation.updated_at = now()
        conversation.messages = self.turn.tree


def _due(position: int | None, said: int, token: str | None) -> bool:
    """Return whether something meant for `position` happens before `token`, None for the end."""
    return position is not None and (position == said or (token is None and position > said))
