"""Handlers both generations share: create, rename, delete, stop, share, files, the plain API.

Follows docs/protocols/huggingchat.md, sections 5.1 to 5.3 and 6.2.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from langchain_g4f.testing.chat_ui.calls import (
    RefusedError,
    UnexpectedError,
    bytes_response,
    empty_response,
    json_response,
)
from langchain_g4f.testing.chat_ui.models import model_plain
from langchain_g4f.testing.chat_ui.store import StopMark
from langchain_g4f.testing.chat_ui.superjson import dumps, encode
from langchain_g4f.testing.chat_ui.views import conversation_plain, conversation_v2, entry_plain

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from langchain_g4f.testing.chat_ui.calls import Call
    from langchain_g4f.testing.chat_ui.state import State
    from langchain_g4f.testing.chat_ui.store import Conversation

PAGE = 30
MAX_TITLE_CHARS = 100


async def create(state: State, call: Call) -> ASGIApp:
    """Handle `POST /conversation` (section 5.1)."""
    fields = _body_object(call)
    model = state.catalogue.get(fields.get("model"))
    preprompt, share = fields.get("preprompt"), fields.get("fromShare")
    if model is None or not _optional_text(preprompt) or not _optional_text(share):
        raise RefusedError(400, "Invalid request")
    if model.unlisted:
        raise RefusedError(400, "Can't start a conversation with an unlisted model")
    owner = call.identity.owner
    limit = state.options.max_conversations
    if limit is not None and len(state.store.of(owner)) >= limit:
        message = "You have reached the maximum number of conversations."
        raise RefusedError(429, f"{message} Delete some to continue.")
    if share:
        source = state.store.conversations.get(share)
        if source is None or not source.shared:
            raise RefusedError(404, "Conversation not found")
        made = state.store.duplicate(source, owner, shared=False)
    else:
        made = state.store.create(owner, model.id, preprompt or "")
    answer = {"conversationId": made.id}
    if not state.options.legacy:
        answer["conversation"] = dumps(encode(conversation_v2(made)))
    return json_response(answer)


async def rename(state: State, call: Call) -> ASGIApp:
    """Handle `PATCH /conversation/{id}`."""
    change(state, call, state.own(call))
    return empty_response()


def change(state: State, call: Call, conversation: Conversation) -> None:
    """Apply the title and model of a PATCH (section 5.3).

    Raises:
        RefusedError: 400 for a title that is not 1 to 100 characters, or an unknown model.
    """
    fields = _body_object(call)
    title, model_id = fields.get("title"), fields.get("model")
    if title is not None and not (isinstance(title, str) and 0 < len(title) <= MAX_TITLE_CHARS):
        raise RefusedError(400, "Title must be a string between 1 and 100 characters")
    if model_id is not None and state.catalogue.get(model_id) is None:
        raise RefusedError(400, "Invalid model ID")
    if title is not None:
        conversation.title = title
    if model_id is not None:
        # Answers so far are marked with the model that gave them.
        for message in conversation.messages:
            if message.role == "assistant" and message.router_metadata is None:
                message.router_metadata = {"route": "", "model": conversation.model}
        conversation.model = model_id


async def delete(state: State, call: Call) -> ASGIApp:
    """Handle `DELETE /conversation/{id}`."""
    del state.store.conversations[state.own(call).id]
    return empty_response()


async def stop(state: State, call: Call) -> ASGIApp:
    """Handle `POST /conversation/{id}/stop-generating` (section 6.2).

    The marker stays if nothing runs, and ends the next run. On the legacy generation only the
    first one of a conversation counts, for the run of its time (section 9.2).
    """
    conversation = state.own(call)
    if state.options.legacy and conversation.stop is not None:
        return empty_response()
    conversation.stop = _stop_mark(call)
    for run in state.running(conversation):
        run.stop_soon(conversation.stop)
    return empty_response()


def _stop_mark(call: Call) -> StopMark:
    at_s = time.monotonic()
    match call.record.json:
        case {"generationId": str(generation), "seenContentLength": int(units)} if units >= 0:
            return StopMark(at_s, generation, units)
    return StopMark(at_s)


async def share(state: State, call: Call) -> ASGIApp:
    """Handle `POST /conversation/{id}/share`."""
    copy = state.store.duplicate(state.own(call), call.identity.owner, shared=True)
    return json_response({"shareId": copy.id})


async def output(state: State, call: Call) -> ASGIApp:
    """Handle `GET /conversation/{id}/output/{sha}`."""
    stored = state.own(call).files.get(call.params["sha"])
    if stored is None:
        raise RefusedError(404, "File not found")
    return bytes_response(stored.content, stored.mime)


async def models(state: State, _call: Call) -> ASGIApp:
    """Handle `GET /api/models` (section 4)."""
    legacy = state.options.legacy
    return json_response([model_plain(model, legacy=legacy) for model in state.catalogue.listed])


async def conversation(state: State, call: Call) -> ASGIApp:
    """Handle `GET /api/conversation/{id}`: 404 for somebody else's, too."""
    try:
        found = state.own(call)
    except UnexpectedError:
        raise RefusedError(404, "Conversation not found") from None
    return json_response(conversation_plain(found, legacy=state.options.legacy))


async def conversations(state: State, call: Call) -> ASGIApp:
    """Handle `GET /api/conversations?p=N`."""
    page, _ = page_of(state, call)
    return json_response([entry_plain(found, legacy=state.options.legacy) for found in page])


def page_of(state: State, call: Call) -> tuple[list[Conversation], bool]:
    """Return one page of the caller's conversations and whether there are more."""
    number = call.record.query.get("p", "0")
    first = PAGE * int(number) if number.isdigit() else 0
    own = state.store.of(call.identity.owner)
    return own[first : first + PAGE], len(own) > first + PAGE


async def user(_state: State, call: Call) -> ASGIApp:
    """Handle `GET /api/user`."""
    caller = call.identity.user
    if caller is None:
        raise RefusedError(401, "Must be signed in")
    view = {
        "id": caller.id,
        "username": caller.name,
        "name": caller.name.title(),
        "email": None,
        "avatarUrl": "",
        "hfUserId": f"id-{caller.name}",
    }
    return json_response(view)


def _body_object(call: Call) -> dict[str, Any]:
    try:
        fields = json.loads(call.record.body)
    except ValueError:
        raise UnexpectedError from None
    if not isinstance(fields, dict):
        raise RefusedError(400, "Invalid request")
    return fields


def _optional_text(value: object) -> bool:
    return value is None or isinstance(value, str)
