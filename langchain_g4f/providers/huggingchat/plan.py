"""One answer from a chat-ui server, from the caller's messages to the last event.

Follows docs/protocols/huggingchat.md: find the place in a conversation (5.1, 5.2), send
the message with its files (5.4), and follow its answer (6).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from langchain_g4f.core.chat_request import history_digest
from langchain_g4f.core.events import ConversationStarted, ModelInfo
from langchain_g4f.core.http import Part, Request, RetryWhen
from langchain_g4f.core.plan import Defer, send
from langchain_g4f.core.urls import is_below
from langchain_g4f.errors import APIError, APIStatusError, ConfigurationError, G4FError
from langchain_g4f.media.download import download
from langchain_g4f.providers.huggingchat.files import FILE_LIMIT, file_parts
from langchain_g4f.providers.huggingchat.follow import Run, follow
from langchain_g4f.providers.huggingchat.handle import Handle
from langchain_g4f.providers.huggingchat.login import explained, origin
from langchain_g4f.providers.huggingchat.models import choose_model
from langchain_g4f.providers.huggingchat.options import Options, tool_data
from langchain_g4f.providers.huggingchat.reader import NAME
from langchain_g4f.providers.huggingchat.refusals import CONVERSATION_FULL, was_not_taken
from langchain_g4f.providers.huggingchat.stored import deletion, generation_of
from langchain_g4f.providers.huggingchat.target import Target, find_target

if TYPE_CHECKING:
    from langchain_g4f.core.chat_request import ChatRequest
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.http import JSON
    from langchain_g4f.core.plan import Plan, PlanOf


def plan(chat_request: ChatRequest, context: CallContext, base_url: str) -> Plan:
    """One answer from the server at ``base_url`` (origin and path, no final slash)."""
    options = Options.read(chat_request.options)
    model = yield from choose_model(chat_request, context, base_url)
    target = yield from find_target(chat_request, options, model, context, base_url)
    if target.model != chat_request.model:
        yield ModelInfo(target.model)
    legacy = generation_of(context, base_url) == "legacy"
    empty = target.created and not options.delete_after
    delete = Defer(lambda: deletion(target.conversation, base_url))
    if options.delete_after and target.created:
        yield delete
    try:
        tools = yield from tool_data(options, base_url, legacy=legacy)
    except G4FError:
        if empty:
            yield delete
        raise
    run = Run(base_url, target.conversation, context.new_id(), legacy=legacy)
    if not (options.delete_after and target.created):
        yield ConversationStarted(_handle(run, chat_request, target, options).to_json())
    message = _message(run, target, options, tools, context.new_id().replace("-", ""))
    try:
        yield from follow(run, message, context, await_title=options.await_title)
    except APIError as error:
        if empty and error.phase == message.phase and was_not_taken(error):
            yield delete
        raise


def _handle(run: Run, chat_request: ChatRequest, target: Target, options: Options) -> Handle:
    before = chat_request.messages[:-1] if options.again else chat_request.messages
    return Handle(
        run.base_url,
        run.conversation,
        target.anchor,
        target.position,
        run.generation,
        history_digest(before, chat_request.system, target.model),
        tuple(file.digest for file in target.files),
        continued=options.continue_answer,
        tools=chat_request.tools_digest,
    )


def _message(
    run: Run, target: Target, options: Options, tools: dict[str, JSON], boundary: str
) -> Request:
    data: dict[str, JSON] = {"id": target.parent, "is_retry": options.regenerate}
    if target.inputs is not None:
        data["inputs"] = target.inputs or " "  # of an image alone: at least 1 character (5.4)
    if run.legacy:
        data["is_continue"] = options.continue_answer
    else:
        data["generationId"] = run.generation
    parts = (
        Part("data", json.dumps(data | tools, ensure_ascii=False).encode()),
        *file_parts(target.files, target.known_files),
    )
    return Request(
        "POST",
        run.url,
        {
            "origin": origin(run.base_url),
            "accept": "application/jsonl, application/json",
            "content-type": f"multipart/form-data; boundary={boundary}",
        },
        parts,
        RetryWhen.NOT_SENT,
        "send the message",
        final=CONVERSATION_FULL,
    )


def delete(handle: Handle, base_url: str) -> PlanOf[None]:
    """Delete a conversation.

    Raises:
        ConfigurationError: It is on another server.
        AuthenticationError: The server wants a login.
    """
    if handle.server != base_url:
        msg = f"{NAME}: the conversation is on {handle.server}, not on {base_url}"
        raise ConfigurationError(msg)
    try:
        yield from send(lambda: deletion(handle.conversation, base_url))
    except APIStatusError as error:
        raise explained(error, base_url) from None


def fetch(url: str, base_url: str, trusted_hosts: tuple[str, ...]) -> PlanOf[bytes]:
    """The bytes of a file of an answer, with the caller's identity only from the server."""
    if not is_below(base_url, url):
        media = yield from download(url, limit=FILE_LIMIT, trusted_hosts=trusted_hosts)
        return media.data
    request = Request("GET", url, retry=RetryWhen.ALWAYS, phase="fetch a file")
    try:
        return (yield from send(lambda: request)).body
    except APIStatusError as error:
        raise explained(error, base_url) from None


__all__ = ["delete", "fetch", "plan"]
