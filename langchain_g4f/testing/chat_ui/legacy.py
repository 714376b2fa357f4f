"""What only the legacy generation has: pages as data.

Follows docs/protocols/huggingchat.md, section 9.1. Errors come with HTTP 200, as a node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_g4f.testing.chat_ui.calls import text_response
from langchain_g4f.testing.chat_ui.current import NO_ACCESS
from langchain_g4f.testing.chat_ui.devalue import Deferred, flatten
from langchain_g4f.testing.chat_ui.state import is_object_id
from langchain_g4f.testing.chat_ui.store import now
from langchain_g4f.testing.chat_ui.superjson import UNDEFINED, dumps
from langchain_g4f.testing.chat_ui.views import message_v2

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from langchain_g4f.testing.chat_ui.calls import Call
    from langchain_g4f.testing.chat_ui.models import SandboxModel
    from langchain_g4f.testing.chat_ui.sessions import User
    from langchain_g4f.testing.chat_ui.state import State
    from langchain_g4f.testing.chat_ui.store import Conversation

_ASSISTANTS = Deferred(1)
_CHUNK = dumps({"type": "chunk", "id": _ASSISTANTS.number, "data": [[]]})

_TOOLS = [
    ("00000000000000000000000c", "Calculator", "calculator", "Evaluate an expression"),
    ("00000000000000000000000b", "Fetch URL", "fetchUrl", "Fetch the contents of an address"),
    ("00000000000000000000000a", "Web Search", "websearch", "Search the web"),
]

_PUBLIC_CONFIG = (
    "PUBLIC_ANNOUNCEMENT_BANNERS",
    "PUBLIC_APPLE_APP_ID",
    "PUBLIC_APP_ASSETS",
    "PUBLIC_APP_COLOR",
    "PUBLIC_APP_DATA_SHARING",
    "PUBLIC_APP_DESCRIPTION",
    "PUBLIC_APP_DISCLAIMER",
    "PUBLIC_APP_DISCLAIMER_MESSAGE",
    "PUBLIC_APP_GUEST_MESSAGE",
    "PUBLIC_APP_NAME",
    "PUBLIC_COMMIT_SHA",
    "PUBLIC_GOOGLE_ANALYTICS_ID",
    "PUBLIC_ORIGIN",
    "PUBLIC_PLAUSIBLE_SCRIPT_URL",
    "PUBLIC_SHARE_PREFIX",
    "PUBLIC_SMOOTH_UPDATES",
)


async def home_data(state: State, call: Call) -> ASGIApp:
    """Handle `GET /__data.json`: the layout with the model list."""
    return _page(state, call, {"type": "skip"})


async def conversation_data(state: State, call: Call) -> ASGIApp:
    """Handle `GET /conversation/{id}/__data.json`."""
    return _page(state, call, _conversation_node(state, call))


def _page(state: State, call: Call, page: dict[str, Any]) -> ASGIApp:
    wanted = call.record.query.get("x-sveltekit-invalidated", "11").ljust(2, "1")
    layout = {"uses": {"dependencies": ["conversation:list"]}}
    nodes = [{"type": "data", "data": flatten(_layout(state, call)), **layout}, page]
    kept = [None if digit == "0" else node for digit, node in zip(wanted, nodes, strict=False)]
    lines = [dumps({"type": "data", "nodes": kept})]
    if kept[0] is not None:
        lines.append(_CHUNK)
    return text_response("\n".join([*lines, ""]), 200, "text/sveltekit-data")


def _conversation_node(state: State, call: Call) -> dict[str, Any]:
    wanted = call.params["id"]
    found = state.store.conversations.get(wanted)
    if found is None and not is_object_id(wanted) and len(wanted) != 7:
        error = {"message": "An error occurred", "errorId": state.ids.uuid()}
        return {"type": "error", "error": error}
    if found is None:
        return {"type": "error", "error": {"message": "Conversation not found."}, "status": 404}
    if not found.shared and found.owner != call.identity.owner:
        return {"type": "error", "error": {"message": NO_ACCESS}, "status": 403}
    host = call.record.headers.get("host", "")
    address = f"http://{host}/chat/conversation/conversation"
    uses = {"dependencies": [address], "params": ["id"]}
    return {"type": "data", "data": flatten(_conversation(found)), "uses": uses}


def _conversation(conversation: Conversation) -> dict[str, Any]:
    return {
        "messages": [message_v2(message) for message in conversation.messages],
        "title": conversation.title,
        "model": conversation.model,
        "preprompt": conversation.preprompt,
        "rootMessageId": conversation.root.id,
        "assistant": None,
        "shared": conversation.shared,
    }


def _layout(state: State, call: Call) -> dict[str, Any]:
    own = state.store.of(call.identity.owner)
    user = call.identity.user
    return {
        "nConversations": len(own),
        "conversations": [_entry(conversation) for conversation in own],
        "settings": _settings(state, user),
        "models": [_model(model) for model in state.catalogue.listed],
        "oldModels": [],
        "tools": [_tool(*tool) for tool in _TOOLS],
        "communityToolCount": 0,
        "assistants": _ASSISTANTS,
        "user": _user(user) if user else UNDEFINED,
        "isAdmin": False,
        "assistant": None,
        "enableAssistants": False,
        "enableAssistantsRAG": False,
        "enableCommunityTools": False,
        "loginRequired": state.options.login_required and user is None,
        "loginEnabled": state.options.login_required,
        "guestMode": False,
        "publicConfig": {
            **dict.fromkeys(_PUBLIC_CONFIG, ""),
            "PUBLIC_APP_ASSETS": "huggingchat",
            "PUBLIC_APP_NAME": "HuggingChat",
            "PUBLIC_ORIGIN": f"http://{call.record.headers.get('host', '')}",
        },
    }


def _entry(conversation: Conversation) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "title": conversation.title,
        "model": conversation.model,
        "updatedAt": conversation.updated_at,
        "assistantId": UNDEFINED,
        "avatarUrl": UNDEFINED,
    }


def _settings(state: State, user: User | None) -> dict[str, Any]:
    return {
        "searchEnabled": False,
        "ethicsModalAccepted": user is not None,
        "ethicsModalAcceptedAt": now() if user else None,
        "activeModel": state.catalogue.listed[0].id,
        "hideEmojiOnSidebar": False,
        "shareConversationsWithModelAuthors": True,
        "customPrompts": {},
        "assistants": [],
        "tools": [],
        "disableStream": False,
        "directPaste": False,
    }


def _model(model: SandboxModel) -> dict[str, Any]:
    return {
        "id": model.id,
        "name": model.id,
        "websiteUrl": UNDEFINED,
        "modelUrl": UNDEFINED,
        "tokenizer": UNDEFINED,
        "datasetName": UNDEFINED,
        "datasetUrl": UNDEFINED,
        "displayName": model.display_name or model.id,
        "description": model.description,
        "reasoning": model.supports_reasoning,
        "logoUrl": UNDEFINED,
        "promptExamples": UNDEFINED,
        "parameters": {"stop_sequences": UNDEFINED},
        "preprompt": "",
        "multimodal": model.multimodal,
        "multimodalAcceptedMimetypes": UNDEFINED,
        "tools": model.supports_tools,
        "unlisted": model.unlisted,
        "hasInferenceAPI": False,
    }


def _tool(identifier: str, display_name: str, name: str, description: str) -> dict[str, Any]:
    return {
        "_id": identifier,
        "type": "config",
        "displayName": display_name,
        "name": name,
        "description": description,
        "mimeTypes": [],
        "isOnByDefault": True,
        "isLocked": True,
        "timeToUseMS": 15000,
        "color": "blue",
        "icon": "code",
    }


def _user(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "username": user.name,
        "avatarUrl": "",
        "email": None,
        "logoutDisabled": UNDEFINED,
        "isEarlyAccess": False,
    }
