"""One answer from a Space, from the caller's messages to the last event.

Follows docs/protocols/gradio-space.md: open the app and find its chat (8), upload files (7),
run the functions in one session (2, 3). A call that fails before the caller has seen any of
the answer is repeated where a `Recovery` can help.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from langchain_g4f.core.chat_request import ChatRequest
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.events import ConversationStarted, ModelInfo, Progress
from langchain_g4f.core.plan import Plan, PlanOf
from langchain_g4f.errors import (
    APIError,
    APIStatusError,
    AppError,
    EmptyResponseError,
    MalformedStreamError,
    SessionLostError,
    StreamInterruptedError,
)
from langchain_g4f.providers.gradio_space.answer import AnswerDiffer
from langchain_g4f.providers.gradio_space.app import App
from langchain_g4f.providers.gradio_space.capabilities import check_file_types
from langchain_g4f.providers.gradio_space.client import JOIN, RUN, FunctionClient
from langchain_g4f.providers.gradio_space.config import CallOptions, SpaceConfig
from langchain_g4f.providers.gradio_space.content import reasoning_tags
from langchain_g4f.providers.gradio_space.discovery import find_chat
from langchain_g4f.providers.gradio_space.failure import with_login_hint
from langchain_g4f.providers.gradio_space.identity import (
    NO_TOKEN,
    GPUToken,
    can_renew,
    gpu_headers,
    gpu_token,
    oauth_tokens,
)
from langchain_g4f.providers.gradio_space.page import ComponentValues, Page
from langchain_g4f.providers.gradio_space.prepare import (
    ChatCall,
    find_continuation,
    next_handle,
    prepare,
)
from langchain_g4f.providers.gradio_space.sessions import (
    StoredSession,
    put_session,
    restore_on_error,
    route_to,
)
from langchain_g4f.providers.gradio_space.space import (
    app_id,
    cached_app,
    forget_app,
    is_platform_error,
    open_app,
    with_parameter_names,
)

_UNKNOWN_FUNCTION = (404, 500)


class Recovery(Enum):
    """A change after which a failed call is repeated; each is tried once."""

    NEW_IDENTITY = "new identity"
    """Another GPU token."""
    NEW_SESSION = "new session"
    CHANGED_APP = "changed app"
    """The new description of an app that has restarted."""


@dataclass(slots=True)
class _Attempt:
    """What is known about an attempt when it fails.

    Attributes:
        token: Its GPU token.
        cached: The description of the app, if an earlier call had read it.
        asked: Whether a function of the app was called.
        differ: What the caller was given of the answer.
    """

    token: GPUToken = NO_TOKEN
    cached: App | None = None
    asked: bool = False
    differ: AnswerDiffer | None = None


def plan(chat_request: ChatRequest, context: CallContext, config: SpaceConfig) -> Plan:
    """One answer from the app."""
    options = CallOptions.read(chat_request.options)
    check_file_types(chat_request.messages, config)
    tried: set[Recovery] = set()
    token = NO_TOKEN
    while True:
        attempt = _Attempt(token)
        try:
            yield from _answer(chat_request, options, context, config, attempt)
        except APIError as error:
            recovery = _recovery(error, attempt, config, context)
            if recovery in tried:
                recovery = None
            if recovery is Recovery.CHANGED_APP and attempt.cached is not None:
                changed = yield from _has_changed(attempt.cached, config, context, error)
                recovery = recovery if changed else None
            if recovery is None:
                if attempt.differ is not None and not attempt.differ.ended:
                    yield from attempt.differ.rest()
                    error.partial_text = attempt.differ.text
                raise with_login_hint(error, config) from None
            tried.add(recovery)
            token = attempt.token if recovery is Recovery.NEW_IDENTITY else NO_TOKEN
            yield Progress("retry", str(error), {"recovery": recovery.value})
        else:
            return


def _recovery(
    error: APIError, attempt: _Attempt, config: SpaceConfig, context: CallContext
) -> Recovery | None:
    """What may help against ``error``; None after a visible part of the answer."""
    if attempt.differ is not None and attempt.differ.visible:
        return None
    if can_renew(config, error) and attempt.token.value:
        return Recovery.NEW_IDENTITY
    if isinstance(error, SessionLostError | StreamInterruptedError):
        return Recovery.NEW_SESSION if attempt.asked and context.max_retries else None
    if attempt.cached is None:
        return None
    if isinstance(error, AppError | EmptyResponseError | MalformedStreamError):
        return Recovery.CHANGED_APP  # the number may belong to another function, which fails
    called = error.phase == JOIN or error.phase.startswith(RUN)
    unknown = isinstance(error, APIStatusError) and error.status_code in _UNKNOWN_FUNCTION
    return Recovery.CHANGED_APP if (called and unknown) or is_platform_error(error) else None


def _has_changed(
    cached: App, config: SpaceConfig, context: CallContext, error: APIError
) -> PlanOf[bool]:
    """Whether the app has restarted since its description was cached; reads it again."""
    if not isinstance(error, APIStatusError):  # the app answered, and usually is the same
        try:
            if (yield from app_id(config, cached)) == cached.app_id:
                return False
        except APIError:
            pass
    forget_app(config, context)
    return (yield from open_app(config, context)).app_id != cached.app_id


def _answer(
    chat_request: ChatRequest,
    options: CallOptions,
    context: CallContext,
    config: SpaceConfig,
    attempt: _Attempt,
) -> Plan:
    def open_chat() -> PlanOf[ChatCall]:
        app = yield from open_app(config, context)
        call = ChatCall(
            chat_request, options, app, find_chat(app, config.api_name), context, config
        )
        if not call.needs_names:
            return call
        app = yield from with_parameter_names(app, config, context)
        return replace(call, app=app, chat=find_chat(app, config.api_name))

    attempt.cached = cached_app(config, context)
    call = yield from open_chat()
    continuation = yield from find_continuation(call)
    if attempt.cached is not None and cached_app(config, context) is None:
        call = yield from open_chat()  # the app has restarted
        attempt.cached = None
    app, chat = call.app, call.chat
    handle = next_handle(call, continuation)
    values = ComponentValues(app, chat, continuation.stored.changed if continuation else {})
    with restore_on_error(continuation, context):
        attempt.token = yield from gpu_token(config, context, refused=attempt.token)
        client = FunctionClient(
            config.api(app),
            handle.session,
            chat.trigger,
            config.headers,
            gpu_headers(config, attempt.token),
            can_cancel=app.can_cancel,
            oauth_tokens=(yield from oauth_tokens(app, config, context)),
        )
        page = Page(chat, values, client, context)
        if continuation is None:
            yield from page.load()
        first = yield from prepare(call, continuation, values, handle.session)
    if not chat_request.model:
        yield ModelInfo(app.space_id or config.space or app.title)
    if call.keeps_session:
        yield ConversationStarted(handle.to_json(context.provider))
    attempt.asked = True
    for function in (*first, *chat.preparation):
        yield from page.call(function)
    attempt.differ = page.differ(reasoning_tags(app))
    yield from page.answer(attempt.differ)
    if call.keeps_session and attempt.differ.outputs is not None:
        route = route_to(config.base_url, context)
        tools = chat_request.tools_digest
        stored = StoredSession(handle.turn, app.app_id, values.changed, route, tools)
        put_session(handle, stored, context)
