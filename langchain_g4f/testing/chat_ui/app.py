"""The chat-ui stand-in as one ASGI app: gatekeeping, routing, error bodies.

Follows docs/protocols/huggingchat.md, sections 1 to 3. Order matters and is the server's: origin,
who is calling, login, then the route; refusals before the route set no cookie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.routing import Match

from langchain_g4f.testing.chat_ui import login
from langchain_g4f.testing.chat_ui.calls import Call, RefusedError, json_response, text_response
from langchain_g4f.testing.chat_ui.routes import BASE_PATH, current_routes, legacy_routes
from langchain_g4f.testing.chat_ui.sessions import check_origin, session_cookie
from langchain_g4f.testing.chat_ui.state import State

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from langchain_g4f.testing.chat_ui.options import Options
    from langchain_g4f.testing.chat_ui.sessions import Identity
    from langchain_g4f.testing.recording import RecordedRequest

MAX_BODY_BYTES = 15 * 1024 * 1024
"""The server's own limit on a whole body, whatever is in it (section 5.4)."""

_PAGE = "<!doctype html><html><body>This page is for humans.</body></html>"


class ChatUi:
    """One server of either generation. Expects `recording.Recorder` around it."""

    def __init__(self, options: Options) -> None:
        self.state = State(options)
        self._options = options
        self._routes = legacy_routes(self.state) if options.legacy else current_routes(self.state)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        record: RecordedRequest = scope["extensions"]["sandbox.request"]
        path = record.path.removeprefix(BASE_PATH)
        try:
            check_origin(record)
            identity = self.state.sessions.identify(record, path)
        except RefusedError as refusal:
            response = self._refused_at_the_gate(refusal)
        else:
            turned_away = login.gate(self.state, record, identity, path)
            if turned_away is None:
                send = _with_headers(send, record, identity, path)
            response = turned_away or await self._answer(scope, record, identity)
        await response(scope, receive, send)

    async def close(self) -> None:
        """End everything that is still being generated."""
        await self.state.close()

    async def _answer(self, scope: Scope, record: RecordedRequest, identity: Identity) -> ASGIApp:
        try:
            return await self._dispatch(scope, record, identity)
        except RefusedError as refusal:
            return self._refused(refusal)

    async def _dispatch(self, scope: Scope, record: RecordedRequest, identity: Identity) -> ASGIApp:
        if len(record.body) > MAX_BODY_BYTES:
            raise RefusedError(413)
        allowed = False
        for route, handler in self._routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                call = Call(record, identity, child["path_params"])
                return await handler(call)
            allowed = allowed or match is Match.PARTIAL
        if self._options.legacy:
            # A legacy server has a page for every address (section 9.2).
            return text_response(_PAGE, 200, "text/html")
        if allowed:
            return text_response(f"{record.method} method not allowed", 405)
        if record.path.startswith(f"{BASE_PATH}/api"):
            return json_response({"message": "Not Found"}, 404)
        return text_response(_PAGE, 404, "text/html")

    def _refused(self, refusal: RefusedError) -> ASGIApp:
        if refusal.message is None:
            body = {"message": "An error occurred", "errorId": self.state.ids.uuid()}
            return json_response(body, refusal.status)
        return json_response({"message": refusal.message}, refusal.status)

    def _refused_at_the_gate(self, refusal: RefusedError) -> ASGIApp:
        if refusal.message is None:
            return self._refused(refusal)
        return text_response(refusal.message, refusal.status)


def _with_headers(send: Send, record: RecordedRequest, identity: Identity, path: str) -> Send:
    """Refresh the session cookie on every POST; the API is open to all origins."""

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if record.method == "POST" and "set-cookie" not in headers:
                headers.append("set-cookie", session_cookie(identity.session))
            if path.startswith("/api/") and message["status"] < 500:
                headers["access-control-allow-origin"] = "*"
        await send(message)

    return wrapped
