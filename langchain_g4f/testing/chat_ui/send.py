"""Sending: adding a turn to the tree and streaming its answer.

Follows docs/protocols/huggingchat.md, section 5.4, and 9.2 for the legacy generation. Everything
that can be refused is refused before the stream starts; what fails later is reported inside it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from langchain_g4f.testing.chat_ui.calls import RefusedError, UnexpectedError
from langchain_g4f.testing.chat_ui.payload import Payload, keep_files, read_payload
from langchain_g4f.testing.chat_ui.prompts import build_prompt
from langchain_g4f.testing.chat_ui.runs import Turn
from langchain_g4f.testing.chat_ui.store import FileRef, Message
from langchain_g4f.testing.chat_ui.stream import StreamedResponse, lines

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from langchain_g4f.testing.chat_ui.calls import Call
    from langchain_g4f.testing.chat_ui.state import State
    from langchain_g4f.testing.chat_ui.store import Conversation, Role

STOP_MARK_AGE_S = 5.0
"""Age from which a stop marker no longer hits the next run (section 6.2)."""

_FIRST_TURN = 3
"""Messages of a conversation after its first send: root, question, answer."""


async def send(state: State, call: Call) -> ASGIApp:
    """Handle `POST /conversation/{id}`."""
    conversation = state.own(call)
    state.count_message(call)
    limit = state.options.max_messages
    if limit is not None and len(conversation.messages) > limit:
        message = f"This conversation has more than {limit} messages."
        raise RefusedError(429, f"{message} Start a new one to continue")
    if call.record.content_type != "multipart/form-data":
        raise UnexpectedError
    payload = read_payload(state, call)
    if state.catalogue.get(conversation.model) is None:
        raise RefusedError(410, "Model not available anymore")
    planting = _Planting(state, conversation, payload, keep_files(conversation, call))
    turn = planting.turn(call.identity.owner)
    # Whoever reads from now on sees the question; the answer fills in as it is written down.
    conversation.messages = turn.tree
    legacy = state.options.legacy
    stop = None if legacy else conversation.stop  # a legacy one never hits a later run
    if stop and time.monotonic() - stop.at_s > STOP_MARK_AGE_S:
        stop = conversation.stop = None
    run = state.start(turn)
    if stop:
        run.stop_soon(stop)
    return StreamedResponse(
        partial(lines, run, state.options.keep_alive_s),
        "application/jsonl",
        run.log.changed,
        on_leave=run.leave if legacy else None,
    )


@dataclass(slots=True)
class _Planting:
    """Adds one turn to a copy of a conversation's tree."""

    state: State
    conversation: Conversation
    payload: Payload
    files: list[FileRef]

    def turn(self, owner: str) -> Turn:
        """Return the turn, its answer still empty.

        Raises:
            RefusedError: 404 or 500 for a retry of nothing.
            UnexpectedError: There is no such parent.
        """
        payload, legacy = self.payload, self.state.options.legacy
        tree = [message.copy() for message in self.conversation.messages]
        by_id = {message.id: message for message in tree}
        answer = self._plant(tree, by_id)
        by_id = {message.id: message for message in tree}
        branch = [by_id[ancestor] for ancestor in answer.ancestors]
        question = branch[-1]
        if payload.is_continue:
            branch.append(answer)
        settings = self.state.settings.get(owner, {})
        built = build_prompt(
            self.state.catalogue,
            self.conversation,
            branch,
            settings,
            payload.tool_servers,
            legacy=legacy,
        )
        answer.generation_id = None if legacy else payload.generation_id
        return Turn(
            conversation=self.conversation,
            tree=tree,
            question=question,
            answer=answer,
            prompt=built.prompt,
            generation_id=payload.generation_id,
            titled=len(tree) == _FIRST_TURN and not payload.is_continue,
            restarts=not (built.prompt and built.prompt.tool_servers),
            route=built.route,
            web_search=payload.web_search,
            earlier=answer.content,
            apart=legacy and built.reasons,
        )

    def _plant(self, tree: list[Message], by_id: dict[str, Message]) -> Message:
        payload = self.payload
        target = by_id.get(payload.parent or "")
        if payload.is_continue and target is not None and not target.children:
            target.updates = list(target.updates or [])
            return target
        if payload.is_retry:
            if target is None:
                raise RefusedError(404, "Message not found")
            parent = by_id.get(target.parent or "")
            if parent is None or (target.role == "user" and payload.inputs is None):
                raise RefusedError(500, "Failed to create message")
            if target.role == "assistant":
                return self._add(tree, parent, "assistant")
        elif target is None or payload.inputs is None:
            raise UnexpectedError
        else:
            parent = target
        if not self.state.options.legacy:
            # From the first send on, every message carries a list of updates.
            for message in tree:
                message.updates = message.updates or []
        question = self._add(tree, parent, "user")
        question.content = payload.inputs or ""
        question.files = self.files
        return self._add(tree, question, "assistant")

    def _add(self, tree: list[Message], parent: Message, role: Role) -> Message:
        bare = role == "user" and self.state.options.legacy
        made = Message(
            self.state.ids.uuid(),
            role,
            ancestors=[*parent.ancestors, parent.id],
            updates=None if bare else [],
        )
        parent.children.append(made.id)
        tree.append(made)
        return made
