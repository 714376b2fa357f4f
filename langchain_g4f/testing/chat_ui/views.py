"""Conversations as the two generations show them.

Follows docs/protocols/huggingchat.md, sections 5.2 and 5.3, and 9.1 for legacy pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_g4f.testing.chat_ui.superjson import UNDEFINED, ObjectId, iso

if TYPE_CHECKING:
    from langchain_g4f.testing.chat_ui.store import Conversation, FileRef, Message


def conversation_v2(conversation: Conversation) -> dict[str, Any]:
    """Return the object of `GET /api/v2/conversations/{id}` and of the create response."""
    return {
        "messages": [message_v2(message) for message in conversation.messages],
        "title": conversation.title,
        "model": conversation.model,
        "preprompt": conversation.preprompt,
        "rootMessageId": conversation.root.id,
        "id": conversation.id,
        "updatedAt": conversation.updated_at,
        "modelId": conversation.model,
        "shared": conversation.shared,
        "deployedSpaces": UNDEFINED,
    }


def message_v2(message: Message) -> dict[str, Any]:
    """Return one message with its place in the tree; fields without a value are left out."""
    view: dict[str, Any] = {
        "id": message.id,
        "from": message.role,
        "content": message.content,
        "createdAt": message.created_at,
        "updatedAt": message.updated_at,
        "children": list(message.children),
        "ancestors": list(message.ancestors),
    }
    if message.files is not None:
        view["files"] = [_file(ref) for ref in message.files]
    optional = {
        "generationId": message.generation_id,
        "updates": None if message.updates is None else list(message.updates),
        "interrupted": message.interrupted,
        "materializedSeq": message.materialized_seq,
        "routerMetadata": message.router_metadata,
        "reasoning": message.reasoning,
    }
    return {**view, **{key: value for key, value in optional.items() if value is not None}}


def conversation_plain(conversation: Conversation, *, legacy: bool) -> dict[str, Any]:
    """Return the older plain form of `GET /api/conversation/{id}`, without tree fields."""
    view: dict[str, Any] = {
        "id": conversation.id,
        "title": conversation.title,
        "updatedAt": iso(conversation.updated_at),
        "modelId": conversation.model,
        "messages": [_message_plain(message) for message in conversation.messages],
    }
    return {**view, "assistantId": None, "modelTools": False} if legacy else view


def _message_plain(message: Message) -> dict[str, Any]:
    view: dict[str, Any] = {
        "content": message.content,
        "from": message.role,
        "id": message.id,
        "createdAt": iso(message.created_at),
        "updatedAt": iso(message.updated_at),
    }
    if message.files is not None:
        view["files"] = [_file(ref) for ref in message.files]
    if message.updates is not None:
        view["updates"] = list(message.updates)
    return view


def entry_v2(conversation: Conversation) -> dict[str, Any]:
    """Return an entry of `GET /api/v2/conversations`."""
    identifier = ObjectId(conversation.id)
    return {
        "_id": identifier,
        "id": identifier,
        "title": conversation.title,
        "updatedAt": conversation.updated_at,
        "model": conversation.model,
        "modelId": conversation.model,
    }


def entry_plain(conversation: Conversation, *, legacy: bool) -> dict[str, Any]:
    """Return an entry of `GET /api/conversations`."""
    view = {**entry_v2(conversation), "updatedAt": iso(conversation.updated_at)}
    return {**view, "assistantId": None, "modelTools": False} if legacy else view


def _file(ref: FileRef) -> dict[str, str]:
    return {"type": "hash", "value": ref.value, "mime": ref.mime, "name": ref.name}
