"""One answer from a chat-ui server, from the caller's messages to the last event.

Follows docs/protocols/huggingchat.md: find the place in a conversation (5.1, 5.2), send
the message with its files (5.4), and stream its answer (6).
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
from langchain_g4f.providers.huggingchat.conversation import deletion
from langchain_g4f.providers.huggingchat.destination import Destination, find_destination
from langchain_g4f.providers.huggingchat.files import FILE_LIMIT, file_parts
from langchain_g4f.providers.huggingchat.follow import Run, follow
from langchain_g4f.providers.huggingchat.handle import Handle
from langchain_g4f.providers.huggingchat.options import Options, tool_data
from langchain_g4f.providers.huggingchat.reader import NAME
from langchain_g4f.providers.huggingchat.requests import (
    CONVERSATION_FULL,
    explain,
    origin,
    was_not_stored,
)
from langchain_g4f.providers.huggingchat.server import choose_model, known_version

if TYPE_CHECKING:
    from langchain_g4f.core.chat_request import ChatRequest
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.http import JSON
    from langchain_g4f.core.plan import Plan, PlanOf


def plan(chat_request: ChatRequest, context: CallContext, base_url: str) -> Plan:
    """One answer from the server at ``base_url`` (origin and path, no final slash)."""
    options = Options.read(chat_request.options)
    model = yield from choose_model(chat_request, context, base_url)
    destination = yield from find_destination(chat_request, options, model, context, base_url)
    if destination.model != chat_request.model:
        yield ModelInfo(destination.model)
    legacy = known_version(context, base_url) == "legacy"
    delete = Defer(lambda: deletion(destination.conversation, base_url))
    delete_after = destination.created and options.delete_after
    delete_if_empty = destination.created and not options.delete_after
    if delete_after:
        yield delete
    try:
        tools = yield from tool_data(options, base_url, legacy=legacy)
    except G4FError:
        if delete_if_empty:
            yield delete
        raise
    run = Run(base_url, destination.conversation, context.new_id(), legacy=legacy)
    if not delete_after:
        yield ConversationStarted(_handle(run, chat_request, destination, options).to_json())
    message = _message(run, destination, options, tools, context.new_id().replace("-", ""))
    try:
        yield from follow(run, message, context, await_title=options.await_title)
    except APIError as error:
        if delete_if_empty and error.phase == message.phase and was_not_stored(error):
            yield delete
        raise


def _handle(
    run: Run, chat_request: ChatRequest, destination: Destination, options: Options
) -> Handle:
    before = chat_request.messages[:-1] if options.again else chat_request.messages
    return Handle(
        run.base_url,
        run.conversation,
        destination.anchor,
        destination.position,
        run.run_id,
        history_digest(before, chat_request.system, destination.model),
        tuple(file.digest for file in destination.files),
        continued=options.continue_answer,
        tools=chat_request.tools_digest,
    )


def _message(
    run: Run, destination: Destination, options: Options, tools: dict[str, JSON], boundary: str
) -> Request:
    data: dict[str, JSON] = {"id": destination.parent, "is_retry": options.regenerate}
    if destination.inputs is not None:
        # the server wants at least 1 character, even beside an image (5.4)
        data["inputs"] = destination.inputs or " "
    if run.legacy:
        data["is_continue"] = options.continue_answer
    else:
        data["generationId"] = run.run_id
    return Request(
        "POST",
        run.url,
        {
            "origin": origin(run.base_url),
            "accept": "application/jsonl, application/json",
            "content-type": f"multipart/form-data; boundary={boundary}",
        },
        (
            Part("data", json.dumps(data | tools, ensure_ascii=False).encode()),
            *file_parts(destination.files, destination.known_files),
        ),
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
        raise explain(error, base_url) from None


def fetch(url: str, base_url: str, trusted_hosts: tuple[str, ...]) -> PlanOf[bytes]:
    """The bytes of a file of an answer; only the server gets the caller's cookies."""
    if not is_below(base_url, url):
        media = yield from download(url, limit=FILE_LIMIT, trusted_hosts=trusted_hosts)
        return media.data
    request = Request("GET", url, retry=RetryWhen.ALWAYS, phase="fetch a file")
    try:
        return (yield from send(lambda: request)).body
    except APIStatusError as error:
        raise explain(error, base_url) from None


__all__ = ["delete", "fetch", "plan"]
