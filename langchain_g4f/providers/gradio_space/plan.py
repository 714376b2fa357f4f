"""One answer from a Space, from the caller's messages to the last event.

Follows docs/protocols/gradio-space.md: open the app and find its chat (8), upload the
files (7), prepare and answer in one session (2, 3). What fails before anything visible
was given is tried once more where that can help: under a new session, with a new GPU
token, or with what a changed app says of itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from langchain_g4f.core.events import ConversationStarted, ModelInfo, Progress
from langchain_g4f.errors import (
    APIError,
    APIStatusError,
    AppError,
    EmptyResponseError,
    MalformedStreamError,
    SessionLostError,
    StreamInterruptedError,
)
from langchain_g4f.providers.gradio_space.answer import AnswerReader, OutputReader
from langchain_g4f.providers.gradio_space.call import JOIN, RUN, Line
from langchain_g4f.providers.gradio_space.content import AnswerInHistory, answer_in_output
from langchain_g4f.providers.gradio_space.discovery import find_chat
from langchain_g4f.providers.gradio_space.files import check_kinds
from langchain_g4f.providers.gradio_space.identity import (
    NO_TOKEN,
    explained,
    gpu_headers,
    gpu_token,
    may_renew,
)
from langchain_g4f.providers.gradio_space.options import Options
from langchain_g4f.providers.gradio_space.question import (
    Call,
    find_continuation,
    find_question,
)
from langchain_g4f.providers.gradio_space.sessions import (
    Kept,
    route_to,
    sessions_of,
    untouched,
)
from langchain_g4f.providers.gradio_space.space import (
    app_id,
    forget_app,
    is_away,
    known_app,
    open_app,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_g4f.core.chat_request import ChatRequest
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.http import JSON
    from langchain_g4f.core.plan import Plan, PlanOf
    from langchain_g4f.providers.gradio_space.app import App
    from langchain_g4f.providers.gradio_space.content import Snapshot
    from langchain_g4f.providers.gradio_space.discovery import Chat
    from langchain_g4f.providers.gradio_space.identity import GPUToken
    from langchain_g4f.providers.gradio_space.inputs import Values
    from langchain_g4f.providers.gradio_space.where import Where

_UNKNOWN_FUNCTION = (404, 500)


@dataclass(slots=True)
class _Attempt:
    """What has to be known of an attempt that failed."""

    token: GPUToken = NO_TOKEN
    knew: App | None = None
    asked: bool = False
    reader: AnswerReader | None = None

    @property
    def spoken(self) -> bool:
        return self.reader is not None and self.reader.spoken


def plan(chat_request: ChatRequest, context: CallContext, where: Where) -> Plan:
    """One answer from the app at ``where``."""
    options = Options.read(chat_request.options)
    check_kinds(chat_request.messages, where)
    tried: set[str] = set()
    token = NO_TOKEN
    while True:
        attempt = _Attempt(token)
        try:
            yield from _answer(chat_request, options, context, where, attempt)
        except APIError as error:
            remedy = "" if attempt.spoken else _remedy(error, attempt, where, context)
            if not remedy or remedy in tried:
                raise explained(error, where) from None
            if remedy == "changed app" and attempt.knew is not None:
                changed = yield from _has_changed(attempt.knew, where, context, error)
                if not changed:
                    raise
            tried.add(remedy)
            token = attempt.token if remedy == "new identity" else NO_TOKEN
            yield Progress("retry", str(error), {"remedy": remedy})
        else:
            return


def _remedy(error: APIError, attempt: _Attempt, where: Where, context: CallContext) -> str:
    """What may help against ``error``, as nothing visible was given; empty if nothing."""
    if may_renew(where, error) and attempt.token.value:
        return "new identity"
    if isinstance(error, SessionLostError | StreamInterruptedError):
        return "new session" if attempt.asked and context.max_retries else ""
    if attempt.knew is None:
        return ""
    if isinstance(error, AppError | EmptyResponseError | MalformedStreamError):
        return "changed app"  # another function may have the number now, and fail in its own way
    called = error.phase == JOIN or error.phase.startswith(RUN)
    unknown = isinstance(error, APIStatusError) and error.status_code in _UNKNOWN_FUNCTION
    return "changed app" if (called and unknown) or is_away(error) else ""


def _has_changed(knew: App, where: Where, context: CallContext, error: APIError) -> PlanOf[bool]:
    """Look at the app anew, whose functions were not where they had been."""
    if not isinstance(error, APIStatusError):  # it has answered, and mostly is the same
        try:
            if (yield from app_id(where, knew)) == knew.app_id:
                return False
        except APIError:
            pass
    forget_app(where, context)
    return (yield from open_app(where, context)).app_id != knew.app_id


def _answer(
    chat_request: ChatRequest,
    options: Options,
    context: CallContext,
    where: Where,
    attempt: _Attempt,
) -> Plan:
    attempt.knew = known_app(where, context)
    call = yield from _open(chat_request, options, context, where)
    continuation = yield from find_continuation(call)
    if attempt.knew is not None and known_app(where, context) is None:
        call = yield from _open(chat_request, options, context, where)
        attempt.knew = None  # it has described itself just now
    with untouched(continuation, context):
        attempt.token = yield from gpu_token(where, context, refused=attempt.token)
        question = yield from find_question(call, continuation)
    app, chat = call.app, call.chat
    line = Line(
        where.api(app),
        question.handle.session,
        chat.trigger,
        where.headers,
        gpu_headers(where, attempt.token),
    )
    if not chat_request.model:
        yield ModelInfo(app.space or where.space or app.title)
    if call.lasting:
        yield ConversationStarted(question.handle.to_json(context.provider))
    attempt.asked = True
    yield from _run(question.values, chat, line, context, attempt)
    reader = attempt.reader
    if call.lasting and reader is not None and reader.outputs is not None:
        question.values.take(chat.answer, reader.outputs)
        shown = question.values.get(chat.chatbot) if chat.chatbot else None
        route = route_to(where.base_url, context)
        kept = Kept(question.handle.turn, app.app_id, shown, route, chat_request.tools_digest)
        sessions_of(context).put(question.handle, kept)


def _open(
    chat_request: ChatRequest, options: Options, context: CallContext, where: Where
) -> PlanOf[Call]:
    app = yield from open_app(where, context)
    return Call(chat_request, options, app, find_chat(app, where.api_name), context, where)


def _run(values: Values, chat: Chat, line: Line, context: CallContext, attempt: _Attempt) -> Plan:
    """Prepare, then answer; each function is given what the earlier ones left."""
    for function in chat.preparation:
        outputs = OutputReader()
        yield from line.call(function, values.of(function), outputs, context)
        values.take(function, outputs.outputs or [])
    find: Callable[[JSON], Snapshot] = answer_in_output
    before: JSON = None
    if chat.chatbot is not None:
        asked = any(chat.chatbot.id in function.outputs for function in chat.preparation)
        before = values.get(chat.chatbot)
        find = _in_history(AnswerInHistory(before, asked=asked))
    attempt.reader = AnswerReader(find, chat.output, f"{line.api}/file=", before)
    yield from line.call(chat.answer, values.of(chat.answer), attempt.reader, context)


def _in_history(find: AnswerInHistory) -> Callable[[JSON], Snapshot]:
    """``find``, which is shown nothing but what a chatbot can hold."""

    def checked(value: JSON) -> Snapshot:
        if value is not None and not isinstance(value, list):
            kind = type(value).__name__
            raise MalformedStreamError(f"the chatbot should hold a list, holds {kind}")
        return find(value)

    return checked


__all__ = ["plan"]
