"""One answer from a Space, from the caller's messages to the last event.

Follows docs/protocols/gradio-space.md: open the app and find its chat (8), upload files (7),
run the functions in one session (2, 3). A call that fails before the caller has seen any of
the answer is repeated where a `Recovery` can help.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from langchain_g4f.core.chat_request import ChatRequest
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.events import ConversationStarted, ModelInfo, Progress
from langchain_g4f.core.http import JSON
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
from langchain_g4f.providers.gradio_space.answer import AnswerDiffer, OutputCollector
from langchain_g4f.providers.gradio_space.app import App
from langchain_g4f.providers.gradio_space.capabilities import check_file_types
from langchain_g4f.providers.gradio_space.client import JOIN, RUN, FunctionClient
from langchain_g4f.providers.gradio_space.config import CallOptions, SpaceConfig
from langchain_g4f.providers.gradio_space.content import ChatbotReader, read_output
from langchain_g4f.providers.gradio_space.discovery import Chat, find_chat
from langchain_g4f.providers.gradio_space.failure import with_login_hint
from langchain_g4f.providers.gradio_space.identity import (
    NO_TOKEN,
    GPUToken,
    can_renew,
    gpu_headers,
    gpu_token,
)
from langchain_g4f.providers.gradio_space.prepare import (
    ChatCall,
    ComponentValues,
    find_continuation,
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
            if recovery is None or recovery in tried:
                raise with_login_hint(error, config) from None
            if recovery is Recovery.CHANGED_APP and attempt.cached is not None:
                changed = yield from _has_changed(attempt.cached, config, context, error)
                if not changed:
                    raise
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
        chat = find_chat(app, config.api_name)
        return ChatCall(chat_request, options, app, chat, context, config)

    attempt.cached = cached_app(config, context)
    call = yield from open_chat()
    continuation = yield from find_continuation(call)
    if attempt.cached is not None and cached_app(config, context) is None:
        call = yield from open_chat()  # the app has restarted
        attempt.cached = None
    with restore_on_error(continuation, context):
        attempt.token = yield from gpu_token(config, context, refused=attempt.token)
        prepared = yield from prepare(call, continuation)
    app, chat, handle, values = call.app, call.chat, prepared.handle, prepared.values
    client = FunctionClient(
        config.api(app),
        handle.session,
        chat.trigger,
        config.headers,
        gpu_headers(config, attempt.token),
    )
    if not chat_request.model:
        yield ModelInfo(app.space_id or config.space or app.title)
    if call.keeps_session:
        yield ConversationStarted(handle.to_json(context.provider))
    attempt.asked = True
    yield from _run(values, chat, client, context, attempt)
    if call.keeps_session and attempt.differ is not None and attempt.differ.outputs is not None:
        values.apply(chat.answer, attempt.differ.outputs)
        shown = values.get(chat.chatbot) if chat.chatbot else None
        route = route_to(config.base_url, context)
        stored = StoredSession(handle.turn, app.app_id, shown, route, chat_request.tools_digest)
        put_session(handle, stored, context)


def _run(
    values: ComponentValues,
    chat: Chat,
    client: FunctionClient,
    context: CallContext,
    attempt: _Attempt,
) -> Plan:
    """Prepare, then answer; each function gets what the earlier ones returned."""
    for function in chat.preparation:
        collector = OutputCollector()
        yield from client.call(function, values.inputs_of(function), collector, context)
        values.apply(function, collector.outputs)
    files = f"{client.api}/file="
    if chat.chatbot is None:
        attempt.differ = AnswerDiffer(read_output, chat.output, files)
    else:
        before: JSON = values.get(chat.chatbot)
        has_prompt = any(chat.chatbot.id in function.outputs for function in chat.preparation)
        find = ChatbotReader(before, has_prompt=has_prompt)
        attempt.differ = AnswerDiffer(find, chat.output, files, before)
    yield from client.call(chat.answer, values.inputs_of(chat.answer), attempt.differ, context)
