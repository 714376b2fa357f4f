"""Sending a message: its form, the tree it is added to, and the prompt of the model.

Follows docs/protocols/huggingchat.md, sections 5.4 and 8, and 9.2 for the legacy server. Everything
that can be refused is refused before the stream starts, what fails validation with 500 and not with
400; what fails later is reported inside the stream.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_g4f.testing.chat_ui import streams
from langchain_g4f.testing.chat_ui.runs import RunInput
from langchain_g4f.testing.chat_ui.store import FileRef, Message, UploadedFile
from langchain_g4f.testing.chat_ui.wire import RefusedError
from langchain_g4f.testing.script import Prompt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp

    from langchain_g4f.testing.chat_ui.options import SandboxModel
    from langchain_g4f.testing.chat_ui.sessions import ServerRequest
    from langchain_g4f.testing.chat_ui.state import State
    from langchain_g4f.testing.chat_ui.store import Conversation, Role, Update
    from langchain_g4f.testing.script import ChatMessage

STOP_MARK_AGE_S = 5.0
"""Age from which a stop marker no longer hits the next run (section 6.2)."""

MAX_FILE_BYTES = 10 * 1024 * 1024
CLIPBOARD = "application/vnd.chatui.clipboard"

_MESSAGES_OF_FIRST_SEND = 3  # root, question, answer
_TEXT_TYPES = {"application/json", "application/xml", "text/csv", "application/csv"}
_MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


async def send(state: State, request: ServerRequest) -> ASGIApp:
    """Handle `POST /conversation/{id}`."""
    conversation = state.conversation(request)
    state.count_send(request.identity.owner)
    limit = state.options.max_messages
    if limit is not None and len(conversation.messages) > limit:
        message = f"This conversation has more than {limit} messages."
        raise RefusedError(429, f"{message} Start a new one to continue")
    if request.record.content_type != "multipart/form-data":
        raise RefusedError(500)
    payload = _read_payload(state, request)
    model = state.catalogue.get(conversation.model)
    if model is None:
        raise RefusedError(410, "Model not available anymore")
    files = _keep_files(conversation, request)
    given = _run_input(state, conversation, model, payload, files)
    # Readers see the question from now on; the answer grows as it is stored.
    conversation.messages = given.tree
    stop = None if state.options.legacy else conversation.stop  # a legacy one hits no later run
    if stop and time.monotonic() - stop.at_s > STOP_MARK_AGE_S:
        stop = conversation.stop = None
    run = state.start(given)
    if stop:
        run.stop_soon(stop)
    return streams.answer(state, run)


@dataclass(frozen=True, slots=True)
class Payload:
    """The `data` part of the form.

    Attributes:
        inputs: The user's text; None when an answer is retried or continued.
        parent: Id of the message to append to, retry or continue.
        is_retry: Whether to make a sibling instead of a child.
        is_continue: Whether to append to the last answer (legacy).
        generation_id: The client's UUID for this run, or one that the server makes.
        web_search: Whether to search the web first (legacy).
        tool_servers: Names of the tool servers that were selected.
    """

    inputs: str | None
    parent: str | None
    is_retry: bool
    is_continue: bool
    generation_id: str
    web_search: bool
    tool_servers: tuple[str, ...]


def _read_payload(state: State, request: ServerRequest) -> Payload:
    """Return the checked `data` part.

    Raises:
        RefusedError: 400 without such a part or with too long a text; 500 if the part is not what
            the server expects.
    """
    data = request.record.form.get("data")
    if data is None:
        raise RefusedError(400, "Invalid request")
    try:
        fields = json.loads(data)
    except ValueError:
        raise RefusedError(500) from None
    if not isinstance(fields, dict):
        raise RefusedError(500)
    legacy, longest = state.options.legacy, state.options.max_input_chars
    inputs: str | None = _typed(fields, "inputs", str)
    if inputs is not None:
        if not inputs:
            raise RefusedError(500)
        if longest is not None and len(inputs) > longest:
            raise RefusedError(400, "Message too long.")
        inputs = inputs.replace("\r\n", "\n")
    return Payload(
        inputs=inputs,
        parent=_uuid(fields, "id"),
        is_retry=bool(_typed(fields, "is_retry", bool)),
        is_continue=legacy and bool(_typed(fields, "is_continue", bool)),
        generation_id=(None if legacy else _uuid(fields, "generationId")) or state.ids.uuid(),
        web_search=legacy and bool(_typed(fields, "web_search", bool)),
        tool_servers=() if legacy else _tool_servers(fields, state.options.tool_servers),
    )


def _tool_servers(fields: dict[str, Any], operators: Sequence[str]) -> tuple[str, ...]:
    """Return the selected servers: names filter the caller's own, too; no list selects all."""
    own = _typed(fields, "selectedMcpServers", list) or []
    known = dict.fromkeys([*operators, *(server["name"] for server in own)])
    names = _typed(fields, "selectedMcpServerNames", list)
    return tuple(name for name in known if names is None or name in names)


def _typed(fields: dict[str, Any], name: str, kind: type[Any]) -> Any:
    value = fields.get(name)
    if value is not None and not isinstance(value, kind):
        raise RefusedError(500)
    return value


def _uuid(fields: dict[str, Any], name: str) -> str | None:
    value: str | None = _typed(fields, name, str)
    try:
        return None if value is None else str(uuid.UUID(value))
    except ValueError:
        raise RefusedError(500) from None


def _keep_files(conversation: Conversation, request: ServerRequest) -> list[FileRef]:
    """Store the uploaded files and return how the message mentions them.

    Raises:
        RefusedError: 413 for a decoded file above 10 MiB; 500 if a file name says neither
            `base64;` nor `hash;`.
    """
    refs = []
    for part in request.record.files:
        if part.field != "files":
            continue
        kind, _, name = part.filename.partition(";")
        if kind == "hash":
            value = part.content.decode("utf-8", "replace").strip()
        elif kind == "base64":
            value = _keep(conversation, part.content, part.content_type)
        else:
            raise RefusedError(500)
        refs.append(FileRef(value, part.content_type, name))
    return refs


def _keep(conversation: Conversation, encoded: bytes, mime: str) -> str:
    try:
        content = base64.b64decode(encoded)
    except binascii.Error:
        raise RefusedError(500) from None
    if len(content) > MAX_FILE_BYTES:
        raise RefusedError(413, "File too large, should be <10MB")
    # The server hashes the bytes read as UTF-8 text, so this is not the file's own sha256.
    value = hashlib.sha256(content.decode("utf-8", "replace").encode()).hexdigest()
    conversation.files[value] = UploadedFile(content, mime)
    return value


def _run_input(
    state: State,
    conversation: Conversation,
    model: SandboxModel,
    payload: Payload,
    files: list[FileRef],
) -> RunInput:
    """Add the message and its empty answer to a copy of the tree.

    Raises:
        RefusedError: 404 or 500 for a retry of nothing; 500 if there is no such parent.
    """
    legacy = state.options.legacy
    tree = [message.copy() for message in conversation.messages]
    answer = _add_messages(state, tree, payload, files)
    answer.generation_id = None if legacy else payload.generation_id
    by_id = {message.id: message for message in tree}
    branch = [by_id[ancestor] for ancestor in answer.ancestors]
    question = branch[-1]
    if payload.is_continue:
        branch.append(answer)
    refs = [ref for message in branch for ref in message.files or []]
    route, prompt, tool_servers = None, None, payload.tool_servers
    if all(ref.value in conversation.files for ref in refs):
        tool_servers = tool_servers if model.supports_tools else ()
        if model.is_router:
            images = any(_image_type(conversation.files[ref.value].content) for ref in refs)
            route, model = state.catalogue.route(images=images)
        messages = _prompt_messages(conversation, branch, images=model.multimodal, legacy=legacy)
        prompt = Prompt(model.id, messages, model.supports_reasoning, tool_servers)
    return RunInput(
        conversation=conversation,
        tree=tree,
        question=question,
        answer=answer,
        prompt=prompt,
        generation_id=payload.generation_id,
        needs_title=len(tree) == _MESSAGES_OF_FIRST_SEND and not payload.is_continue,
        may_restart=not tool_servers,
        route=route,
        web_search=payload.web_search,
        earlier=answer.content,
        splits_reasoning=legacy and model.supports_reasoning,
    )


def _add_messages(
    state: State, tree: list[Message], payload: Payload, files: list[FileRef]
) -> Message:
    """Return the answer to write, which is new unless one is continued."""

    def add(parent: Message, role: Role) -> Message:
        updates: list[Update] | None = None if role == "user" and state.options.legacy else []
        ancestors = [*parent.ancestors, parent.id]
        made = Message(state.ids.uuid(), role, ancestors=ancestors, updates=updates)
        parent.children.append(made.id)
        tree.append(made)
        return made

    by_id = {message.id: message for message in tree}
    target = by_id.get(payload.parent or "")
    if payload.is_continue and target is not None and not target.children:
        target.updates = list(target.updates or [])
        return target
    if payload.is_retry:
        if target is None:
            raise RefusedError(404, "Message not found")
        parent = by_id.get(target.parent or "")
        if parent is None or (target.role == "user" and payload.inputs is None):
            raise RefusedError(500, "Failed to create message")
        if target.role == "assistant":
            return add(parent, "assistant")
    elif target is None or payload.inputs is None:
        raise RefusedError(500)
    else:
        parent = target
    if not state.options.legacy:
        # From the first send on, every message carries a list of updates.
        for message in tree:
            message.updates = message.updates or []
    question = add(parent, "user")
    question.content = payload.inputs or ""
    question.files = files
    return add(question, "assistant")


def _prompt_messages(
    conversation: Conversation, branch: list[Message], *, images: bool, legacy: bool
) -> list[ChatMessage]:
    """Return what the model receives of `branch`, the root first (section 8)."""
    messages: list[ChatMessage] = []
    preprompt = branch[0].content
    if preprompt or legacy:  # a legacy server sends it even if it is empty
        # Seen on both: the prompt reaches the model twice.
        both = f"{preprompt}\n\n{preprompt}" if preprompt else ""
        messages.append({"role": "system", "content": both})
    for message in branch[1:]:
        content = _content(conversation, message, images=images, legacy=legacy)
        messages.append({"role": message.role, "content": content})
    return messages


def _content(conversation: Conversation, message: Message, *, images: bool, legacy: bool) -> Any:
    documents, pictures = [], []
    for ref in message.files or []:
        content = conversation.files[ref.value].content
        mime = _image_type(content)
        text = content.decode("utf-8", "replace")
        if mime and images:
            pictures.append({"type": "image", "mime_type": mime, "data": content})
        elif ref.mime == CLIPBOARD:
            documents.append(text)
        elif not legacy and (ref.mime.startswith("text/") or ref.mime in _TEXT_TYPES):
            # The model sees the stored name, not the one the client gave.
            head = f'<document name="{conversation.id}-{ref.value}" type="{ref.mime}">'
            documents.append(f"{head}\n{text}\n</document>")
    text = "\n\n".join([*documents, message.content])
    return [{"type": "text", "text": text}, *pictures] if pictures else text


def _image_type(content: bytes) -> str | None:
    """Return the type of an image by its first bytes, whatever the client said."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((mime for magic, mime in _MAGIC.items() if content.startswith(magic)), None)
