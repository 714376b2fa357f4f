"""Which address is handled by whom, per generation (docs/protocols/huggingchat.md, section 1)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from starlette.routing import Route

from langchain_g4f.testing.chat_ui import conversations, current, legacy, login, pages
from langchain_g4f.testing.chat_ui.calls import Call, Handler, empty_response, text_response
from langchain_g4f.testing.chat_ui.send import send

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp

    from langchain_g4f.testing.chat_ui.state import State

BASE_PATH = "/chat"

Table: TypeAlias = list[tuple[Route, Handler]]


async def _healthcheck(_state: State, _call: Call) -> ASGIApp:
    return text_response("OK", 200, "text/plain;charset=UTF-8")


async def _to_slash(_state: State, _call: Call) -> ASGIApp:
    return empty_response(308, f"{BASE_PATH}/")


_SHARED: list[tuple[str, str, Callable[[State, Call], Awaitable[ASGIApp]]]] = [
    ("GET", "", _to_slash),
    ("GET", "/", pages.home),
    ("GET", "/healthcheck", _healthcheck),
    ("POST", "/conversation", conversations.create),
    ("POST", "/conversation/{id}", send),
    ("PATCH", "/conversation/{id}", conversations.rename),
    ("DELETE", "/conversation/{id}", conversations.delete),
    ("POST", "/conversation/{id}/stop-generating", conversations.stop),
    ("POST", "/conversation/{id}/share", conversations.share),
    ("GET", "/conversation/{id}/output/{sha}", conversations.output),
    ("GET", "/api/models", conversations.models),
    ("GET", "/api/conversations", conversations.conversations),
    ("GET", "/api/conversation/{id}", conversations.conversation),
    ("GET", "/api/user", conversations.user),
    ("GET", "/login/callback", login.callback),
    ("POST", "/logout", login.logout),
]

_CURRENT: list[tuple[str, str, Callable[[State, Call], Awaitable[ASGIApp]]]] = [
    ("GET", "/login", login.login),
    ("GET", "/api/v2/feature-flags", current.feature_flags),
    ("GET", "/api/v2/public-config", current.public_config),
    ("GET", "/api/v2/user", current.user),
    ("GET", "/api/v2/user/settings", current.settings),
    ("POST", "/api/v2/user/settings", current.change_settings),
    ("GET", "/api/mcp/servers", current.tool_servers),
    ("GET", "/api/v2/models", current.models),
    ("GET", "/api/v2/models/{model:path}", current.model),
    ("GET", "/api/v2/conversations", current.conversations),
    ("DELETE", "/api/v2/conversations", current.delete_all),
    ("GET", "/api/v2/conversations/{id}", current.conversation),
    ("PATCH", "/api/v2/conversations/{id}", current.change_conversation),
    ("DELETE", "/api/v2/conversations/{id}", current.delete),
    ("DELETE", "/api/v2/conversations/{id}/message/{message}", current.delete_message),
    ("GET", "/api/v2/generations/live", current.live),
    ("GET", "/conversation/{id}/stream", current.stream),
    ("GET", "/{path:path}__data.json", current.page_data),
]

_LEGACY: list[tuple[str, str, Callable[[State, Call], Awaitable[ASGIApp]]]] = [
    ("POST", "/login", login.login),
    ("GET", "/conversation/{id}/__data.json", legacy.conversation_data),
    ("GET", "/__data.json", legacy.home_data),
]


def current_routes(state: State) -> Table:
    """Return the table of a current server."""
    return _table(state, [*_SHARED, *_CURRENT])


def legacy_routes(state: State) -> Table:
    """Return the table of a legacy server."""
    return _table(state, [*_SHARED, *_LEGACY])


def _table(
    state: State, rows: list[tuple[str, str, Callable[[State, Call], Awaitable[ASGIApp]]]]
) -> Table:
    table: Table = [
        (Route(BASE_PATH + path, _unused, methods=[method]), partial(handler, state))
        for method, path, handler in rows
    ]
    # The identity provider lives beside the chat, not below it.
    table.append((Route("/authorize", _unused, methods=["GET"]), partial(login.authorize, state)))
    if state.options.login_form:
        posted = Route("/authorize", _unused, methods=["POST"])
        table.append((posted, partial(login.submit, state)))
    return table


async def _unused() -> None:
    """Stand in for an endpoint: the app calls handlers itself."""
