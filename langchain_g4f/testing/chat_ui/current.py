"""What only the current generation has: the `/api/v2` tree and re-attaching.

Follows docs/protocols/huggingchat.md, sections 2.2, 4, 5.2, 5.3, 6.1 and 8.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from langchain_g4f.testing.chat_ui.bell import Bell
from langchain_g4f.testing.chat_ui.calls import (
    RefusedError,
    UnexpectedError,
    empty_response,
    json_response,
    superjson_response,
)
from langchain_g4f.testing.chat_ui.conversations import change, page_of
from langchain_g4f.testing.chat_ui.live import live_events
from langchain_g4f.testing.chat_ui.models import model_v2, model_v2_detail
from langchain_g4f.testing.chat_ui.state import is_object_id
from langchain_g4f.testing.chat_ui.stream import StreamedResponse, events
from langchain_g4f.testing.chat_ui.superjson import UNDEFINED
from langchain_g4f.testing.chat_ui.views import conversation_v2, entry_v2

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from langchain_g4f.testing.chat_ui.calls import Call
    from langchain_g4f.testing.chat_ui.state import State
    from langchain_g4f.testing.chat_ui.store import Conversation

SHARE_ID_CHARS = 7

NO_ACCESS = (
    "You don't have access to this conversation. "
    "If someone gave you this link, ask them to use the 'share' feature instead."
)

_DEFAULT_SETTINGS: dict[str, Any] = {
    "welcomeModalSeen": False,
    "welcomeModalSeenAt": None,
    "activeModel": "",
    "streamingMode": "smooth",
    "directPaste": False,
    "hapticsEnabled": True,
    "hidePromptExamples": {},
    "shareConversationsWithModelAuthors": True,
    "customPrompts": {},
    "customPromptsEnabled": {},
    "multimodalOverrides": {},
    "toolsOverrides": {},
    "artifactsOverrides": {},
    "providerOverrides": {},
    "reasoningEffortOverrides": {},
    "reasoningOverrides": {},
    "billingOrganization": UNDEFINED,
}

_OPERATORS = {"type": "base", "isLocked": False}

_PUBLIC_CONFIG = (
    "PUBLIC_APPLE_APP_ID",
    "PUBLIC_APP_DESCRIPTION",
    "PUBLIC_CAVEAT",
    "PUBLIC_COMMIT_SHA",
    "PUBLIC_FEATURE_ANNOUNCEMENTS",
    "PUBLIC_GOOGLE_ANALYTICS_ID",
    "PUBLIC_LLM_ROUTER_DISPLAY_NAME",
    "PUBLIC_LLM_ROUTER_LOGO_URL",
    "PUBLIC_PLAUSIBLE_SCRIPT_URL",
    "PUBLIC_SHARE_PREFIX",
)


async def feature_flags(state: State, _call: Call) -> ASGIApp:
    """Handle `GET /api/v2/feature-flags`: how to learn whether login is needed."""
    flags = {
        "enableAssistants": False,
        "loginEnabled": state.options.login_required,
        "isAdmin": False,
        "transcriptionEnabled": False,
    }
    return superjson_response(flags)


async def public_config(state: State, call: Call) -> ASGIApp:
    """Handle `GET /api/v2/public-config`."""
    router = next((model for model in state.catalogue.listed if model.is_router), None)
    config = {
        **dict.fromkeys(_PUBLIC_CONFIG, ""),
        "PUBLIC_APP_ASSETS": "huggingchat",
        "PUBLIC_APP_NAME": "HuggingChat",
        "PUBLIC_LLM_ROUTER_ALIAS_ID": router.id if router else "",
        "PUBLIC_ORIGIN": f"http://{call.record.headers.get('host', '')}",
    }
    return superjson_response(config)


async def user(state: State, call: Call) -> ASGIApp:
    """Handle `GET /api/v2/user`: null for a caller who is not logged in."""
    caller = call.identity.user
    if caller is None:
        return superjson_response(None)
    view = {
        "id": caller.id,
        "username": caller.name,
        "avatarUrl": "",
        "email": UNDEFINED if state.options.require_site_token else None,
        "isAdmin": False,
        "isEarlyAccess": False,
    }
    return superjson_response(view)


async def settings(state: State, call: Call) -> ASGIApp:
    """Handle `GET /api/v2/user/settings` (section 8)."""
    default = {**_DEFAULT_SETTINGS, "activeModel": state.catalogue.listed[0].id}
    return superjson_response({**default, **state.settings.get(call.identity.owner, {})})


async def change_settings(state: State, call: Call) -> ASGIApp:
    """Handle `POST /api/v2/user/settings`: fields left out go back to their defaults."""
    fields = call.record.json
    if not isinstance(fields, dict):
        raise RefusedError(400, "Invalid request")
    known = {name: value for name, value in fields.items() if name in _DEFAULT_SETTINGS}
    state.settings[call.identity.owner] = known
    return empty_response()


async def tool_servers(state: State, _call: Call) -> ASGIApp:
    """Handle `GET /api/mcp/servers`: the operator's (section 7)."""
    host = "https://tools.example.org"
    servers = [
        {"id": f"base-{name}", "name": name, "url": f"{host}/{number}/mcp", **_OPERATORS}
        for number, name in enumerate(state.options.tool_servers, 1)
    ]
    return json_response(servers)


async def models(state: State, _call: Call) -> ASGIApp:
    """Handle `GET /api/v2/models`."""
    return superjson_response([model_v2(model) for model in state.catalogue.listed])


async def model(state: State, call: Call) -> ASGIApp:
    """Handle `GET /api/v2/models/{namespace}/{name}`."""
    found = state.catalogue.get(call.params["model"])
    if found is None:
        raise RefusedError(404, "Model not found")
    return superjson_response(model_v2_detail(found))


async def conversations(state: State, call: Call) -> ASGIApp:
    """Handle `GET /api/v2/conversations?p=N`."""
    page, more = page_of(state, call)
    return superjson_response({"conversations": [entry_v2(c) for c in page], "hasMore": more})


async def delete_all(state: State, call: Call) -> ASGIApp:
    """Handle `DELETE /api/v2/conversations`: all of the caller's; answers how many."""
    own = state.store.of(call.identity.owner)
    for conversation in own:
        del state.store.conversations[conversation.id]
    return superjson_response(len(own))


async def conversation(state: State, call: Call) -> ASGIApp:
    """Handle `GET /api/v2/conversations/{id}`: 403 for somebody else's (section 5.2)."""
    wanted = call.params["id"]
    found = state.store.conversations.get(wanted)
    if len(wanted) != SHARE_ID_CHARS and not is_object_id(wanted):
        raise RefusedError(400, "Invalid conversation ID format")
    if found is None:
        raise RefusedError(404, "Conversation not found.")
    if not found.shared and found.owner != call.identity.owner:
        raise RefusedError(403, NO_ACCESS)
    return superjson_response(conversation_v2(found))


async def change_conversation(state: State, call: Call) -> ASGIApp:
    """Handle `PATCH /api/v2/conversations/{id}`."""
    change(state, call, _own(state, call))
    return superjson_response({"success": True})


async def delete(state: State, call: Call) -> ASGIApp:
    """Handle `DELETE /api/v2/conversations/{id}`: 404 for somebody else's, too."""
    del state.store.conversations[_own(state, call).id]
    return superjson_response({"success": True})


async def delete_message(state: State, call: Call) -> ASGIApp:
    """Handle `DELETE /api/v2/conversations/{id}/message/{message}`: with its descendants."""
    if not _own(state, call).remove(call.params["message"]):
        raise RefusedError(404, "Message not found")
    return superjson_response({"success": True})


def _own(state: State, call: Call) -> Conversation:
    try:
        return state.own(call)
    except UnexpectedError:
        raise RefusedError(400, "Invalid conversation ID format") from None


async def stream(state: State, call: Call) -> ASGIApp:
    """Handle `GET /conversation/{id}/stream`: re-attach to a run (section 6.1)."""
    conversation = state.own(call)
    query = call.record.query
    newest = conversation.generations[-1] if conversation.generations else ""
    wanted = query.get("generationId", newest)
    run = state.runs.get(wanted) if wanted in conversation.generations else None
    last = call.record.headers.get("last-event-id", query.get("fromSeq", "0"))
    after = int(last) if last.isdigit() else 0
    bell = run.log.changed if run else Bell()
    return StreamedResponse(partial(events, run, after), "text/event-stream", bell)


async def live(state: State, call: Call) -> ASGIApp:
    """Handle `GET /api/v2/generations/live`: all of the caller's runs."""
    bell = Bell()
    body = partial(live_events, state, call.identity.owner, bell)
    return StreamedResponse(body, "text/event-stream", bell)


async def page_data(_state: State, _call: Call) -> ASGIApp:
    """Handle any `__data.json`: pages carry no data since June 2025 (section 9.3)."""
    return json_response({"type": "data", "nodes": [None, None]})
