"""Conversations, models and users: what is created, read, renamed and deleted.

Follows docs/protocols/huggingchat.md, sections 2.2, 4, 5.1 to 5.3 and 7, and 9.1 for the legacy
pages, whose errors come with HTTP 200, as a node.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from langchain_g4f.testing.chat_ui.state import is_object_id
from langchain_g4f.testing.chat_ui.wire import (
    UNDEFINED,
    Deferred,
    RefusedError,
    devalue,
    dumps,
    empty_response,
    json_response,
    superjson,
    superjson_response,
    text_response,
)

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from langchain_g4f.testing.chat_ui.options import SandboxModel
    from langchain_g4f.testing.chat_ui.sessions import ServerRequest, User
    from langchain_g4f.testing.chat_ui.state import State
    from langchain_g4f.testing.chat_ui.store import Conversation, FileRef, Message

MAX_TITLE_CHARS = 100

NO_ACCESS = (
    "You don't have access to this conversation. "
    "If someone gave you this link, ask them to use the 'share' feature instead."
)


async def create(state: State, request: ServerRequest) -> ASGIApp:
    """Handle `POST /conversation` (section 5.1)."""
    fields = _body_object(request)
    model, preprompt = state.catalogue.get(fields.get("model")), fields.get("preprompt") or ""
    if model is None or not isinstance(preprompt, str):
        raise RefusedError(400, "Invalid request")
    if model.unlisted:
        raise RefusedError(400, "Can't start a conversation with an unlisted model")
    owner, limit = request.identity.owner, state.options.max_conversations
    if limit is not None and len(state.store.of(owner)) >= limit:
        message = "You have reached the maximum number of conversations."
        raise RefusedError(429, f"{message} Delete some to continue.")
    made = state.store.create(owner, model.id, preprompt)
    answer = {"conversationId": made.id}
    if not state.options.legacy:
        answer["conversation"] = dumps(superjson(_conversation_v2(made)))
    return json_response(answer)


async def change(state: State, request: ServerRequest) -> ASGIApp:
    """Handle `PATCH /conversation/{id}` (section 5.3)."""
    conversation = state.conversation(request)
    fields = _body_object(request)
    title, model_id = fields.get("title"), fields.get("model")
    if title is not None and not (isinstance(title, str) and 0 < len(title) <= MAX_TITLE_CHARS):
        raise RefusedError(400, "Title must be a string between 1 and 100 characters")
    if model_id is not None and state.catalogue.get(model_id) is None:
        raise RefusedError(400, "Invalid model ID")
    conversation.title = title or conversation.title
    if model_id is not None:
        # Earlier answers are marked with the model that gave them.
        for message in conversation.messages:
            if message.role == "assistant" and message.router_metadata is None:
                message.router_metadata = {"route": "", "model": conversation.model}
        conversation.model = model_id
    return empty_response()


async def delete(state: State, request: ServerRequest) -> ASGIApp:
    """Handle `DELETE /conversation/{id}`."""
    del state.store.conversations[state.conversation(request).id]
    return empty_response()


async def output(state: State, request: ServerRequest) -> ASGIApp:
    """Handle `GET /conversation/{id}/output/{sha}`: a file."""
    stored = state.conversation(request).files.get(request.params["sha"])
    if stored is None:
        raise RefusedError(404, "File not found")
    return text_response(stored.content, 200, stored.mime)


async def conversation_v2(state: State, request: ServerRequest) -> ASGIApp:
    """Handle `GET /api/v2/conversations/{id}`: 403 for another owner's (section 5.2)."""
    wanted = request.params["id"]
    if not is_object_id(wanted):
        raise RefusedError(400, "Invalid conversation ID format")
    found = state.store.conversations.get(wanted)
    if found is None:
        raise RefusedError(404, "Conversation not found.")
    if found.owner != request.identity.owner:
        raise RefusedError(403, NO_ACCESS)
    return superjson_response(_conversation_v2(found))


async def conversation_page(state: State, request: ServerRequest) -> ASGIApp:
    """Handle `GET /conversation/{id}/__data.json` (legacy): a layout and the conversation."""
    layout = {
        "type": "data",
        "data": devalue(_layout(state, request)),
        "uses": {"dependencies": ["conversation:list"]},
    }
    nodes = {"type": "data", "nodes": [layout, _conversation_node(state, request)]}
    deferred = {"type": "chunk", "id": 1, "data": [[]]}
    text = f"{dumps(nodes)}\n{dumps(deferred)}\n"
    return text_response(text, 200, "text/sveltekit-data")


def _conversation_node(state: State, request: ServerRequest) -> dict[str, Any]:
    wanted = request.params["id"]
    found = state.store.conversations.get(wanted)
    if found is None and not is_object_id(wanted):
        error = {"message": "An error occurred", "errorId": state.ids.uuid()}
        return {"type": "error", "error": error}
    if found is None:
        return {"type": "error", "error": {"message": "Conversation not found."}, "status": 404}
    if found.owner != request.identity.owner:
        return {"type": "error", "error": {"message": NO_ACCESS}, "status": 403}
    page = {**_conversation(found), "assistant": None}
    address = f"http://{request.record.headers.get('host', '')}/chat/conversation/conversation"
    uses = {"dependencies": [address], "params": ["id"]}
    return {"type": "data", "data": devalue(page), "uses": uses}


def _layout(state: State, request: ServerRequest) -> dict[str, Any]:
    """Return the part of the real layout that concerns the caller."""
    own, user = state.store.of(request.identity.owner), request.identity.user
    return {
        "nConversations": len(own),
        "conversations": [
            {
                "id": found.id,
                "title": found.title,
                "model": found.model,
                "updatedAt": found.updated_at,
                "assistantId": UNDEFINED,
                "avatarUrl": UNDEFINED,
            }
            for found in own
        ],
        "assistants": Deferred(),
        "user": _user(user, email=None, logoutDisabled=UNDEFINED) if user else UNDEFINED,
        "loginRequired": state.options.login_required and user is None,
        "loginEnabled": state.options.login_required,
    }


async def models_v2(state: State, _request: ServerRequest) -> ASGIApp:
    """Handle `GET /api/v2/models` (section 4)."""
    absent = ("websiteUrl", "modelUrl", "datasetName", "datasetUrl", "logoUrl", "promptExamples")
    listed = [
        {
            **_model(model, legacy=False),
            **dict.fromkeys(absent, UNDEFINED),
            "preprompt": "" if model.is_router else UNDEFINED,
            "multimodalAcceptedMimetypes": ["image/*"] if model.multimodal else UNDEFINED,
            "isRouter": model.is_router,
        }
        for model in state.catalogue.listed
    ]
    return superjson_response(listed)


async def models(state: State, _request: ServerRequest) -> ASGIApp:
    """Handle `GET /api/models`, which both versions of the server have (section 4)."""
    more = {
        "websiteUrl": "https://huggingface.co",
        "modelUrl": "https://huggingface.co",
        "promptExamples": [],
        "preprompt": "",
    }
    legacy = state.options.legacy
    return json_response([_model(m, legacy=legacy) | more for m in state.catalogue.listed])


def _model(model: SandboxModel, *, legacy: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": model.id,
        "name": model.id,
        "displayName": model.display_name or model.id,
        "description": model.description,
        "multimodal": model.multimodal,
        "unlisted": model.unlisted,
        "hasInferenceAPI": False,
    }
    if legacy:
        return {**entry, "tools": model.supports_tools}
    return {
        **entry,
        "supportsTools": model.supports_tools,
        "supportsReasoning": model.supports_reasoning,
        "supportsArtifacts": False,
    }


async def tool_servers(state: State, _request: ServerRequest) -> ASGIApp:
    """Handle `GET /api/mcp/servers`: the operator's (section 7)."""
    servers = [
        {
            "id": f"base-{name}",
            "name": name,
            "url": f"https://tools.example.org/{number}/mcp",
            "type": "base",
            "isLocked": False,
        }
        for number, name in enumerate(state.options.tool_servers, 1)
    ]
    return json_response(servers)


async def feature_flags(state: State, _request: ServerRequest) -> ASGIApp:
    """Handle `GET /api/v2/feature-flags`: how to learn whether login is needed."""
    flags = {
        "enableAssistants": False,
        "loginEnabled": state.options.login_required,
        "isAdmin": False,
        "transcriptionEnabled": False,
    }
    return superjson_response(flags)


async def user_v2(state: State, request: ServerRequest) -> ASGIApp:
    """Handle `GET /api/v2/user`: null for a caller who is not logged in."""
    user = request.identity.user
    email = UNDEFINED if state.options.require_site_token else None
    return superjson_response(_user(user, email=email, isAdmin=False) if user else None)


async def user(_state: State, request: ServerRequest) -> ASGIApp:
    """Handle `GET /api/user`."""
    caller = request.identity.user
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


def _user(user: User, **more: object) -> dict[str, Any]:
    return {"id": user.id, "username": user.name, "avatarUrl": "", "isEarlyAccess": False, **more}


def _conversation(conversation: Conversation) -> dict[str, Any]:
    return {
        "messages": [_message(message) for message in conversation.messages],
        "title": conversation.title,
        "model": conversation.model,
        "preprompt": conversation.preprompt,
        "rootMessageId": conversation.root.id,
        "shared": False,
    }


def _conversation_v2(conversation: Conversation) -> dict[str, Any]:
    return {
        **_conversation(conversation),
        "id": conversation.id,
        "updatedAt": conversation.updated_at,
        "modelId": conversation.model,
        "deployedSpaces": UNDEFINED,
    }


def _message(message: Message) -> dict[str, Any]:
    """Return one message with its place in the tree; fields without a value are left out."""
    view: dict[str, Any] = {
        "id": message.id,
        "from": message.role,
        "content": message.content,
        "createdAt": message.created_at,
        "updatedAt": message.updated_at,
        "children": list(message.children),
        "ancestors": list(message.ancestors),
        "files": None if message.files is None else [_file(ref) for ref in message.files],
        "generationId": message.generation_id,
        "updates": None if message.updates is None else list(message.updates),
        "interrupted": message.interrupted,
        "materializedSeq": message.materialized_seq,
        "routerMetadata": message.router_metadata,
        "reasoning": message.reasoning,
    }
    return {name: value for name, value in view.items() if value is not None}


def _file(ref: FileRef) -> dict[str, str]:
    return {"type": "hash", "value": ref.value, "mime": ref.mime, "name": ref.name}


def _body_object(request: ServerRequest) -> dict[str, Any]:
    try:
        fields = json.loads(request.record.body)
    except ValueError:
        raise RefusedError(500) from None
    if not isinstance(fields, dict):
        raise RefusedError(400, "Invalid request")
    return fields
