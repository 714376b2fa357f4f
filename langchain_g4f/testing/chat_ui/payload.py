"""The form of a send, checked as the server checks it: what fails validation is 500, not 400.

Follows docs/protocols/huggingchat.md, section 5.4, and 9.2 for the legacy fields.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_g4f.testing.chat_ui.calls import RefusedError, UnexpectedError
from langchain_g4f.testing.chat_ui.store import FileRef, StoredFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_g4f.testing.chat_ui.calls import Call
    from langchain_g4f.testing.chat_ui.state import State
    from langchain_g4f.testing.chat_ui.store import Conversation

MAX_FILE_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Payload:
    """The `data` part.

    Attributes:
        inputs: The user's text; None when an answer is retried or continued.
        parent: Id of the message to append to, retry or continue.
        is_retry: Whether to make a sibling instead of a child.
        is_continue: Whether to append to the last answer (legacy).
        generation_id: The client's UUID for this run, or one of the server's making.
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


def read_payload(state: State, call: Call) -> Payload:
    """Return the checked `data` part.

    Raises:
        RefusedError: 400 without such a part, or with too long a text.
        UnexpectedError: It is not what the server expects.
    """
    data = call.record.form.get("data")
    if data is None:
        raise RefusedError(400, "Invalid request")
    try:
        fields = json.loads(data)
    except ValueError:
        raise UnexpectedError from None
    if not isinstance(fields, dict):
        raise UnexpectedError
    legacy = state.options.legacy
    return Payload(
        inputs=_inputs(fields, state.options.max_input_chars),
        parent=_uuid(fields, "id"),
        is_retry=bool(_typed(fields, "is_retry", bool)),
        is_continue=legacy and bool(_typed(fields, "is_continue", bool)),
        generation_id=(None if legacy else _uuid(fields, "generationId")) or state.ids.uuid(),
        web_search=legacy and bool(_typed(fields, "web_search", bool)),
        tool_servers=() if legacy else _tool_servers(fields, state.options.tool_servers),
    )


def _tool_servers(fields: dict[str, Any], operators: Sequence[str]) -> tuple[str, ...]:
    """Return who is selected: names filter the caller's own servers, too; no list means all."""
    own = _typed(fields, "selectedMcpServers", list) or []
    known = dict.fromkeys([*operators, *(server["name"] for server in own)])
    names = _typed(fields, "selectedMcpServerNames", list)
    return tuple(name for name in known if names is None or name in names)


def _inputs(fields: dict[str, Any], longest: int | None) -> str | None:
    inputs: str | None = _typed(fields, "inputs", str)
    if inputs is None:
        return None
    if not inputs:
        raise UnexpectedError
    if longest is not None and len(inputs) > longest:
        raise RefusedError(400, "Message too long.")
    return inputs.replace("\r\n", "\n")


def _typed(fields: dict[str, Any], name: str, kind: type[Any]) -> Any:
    value = fields.get(name)
    if value is not None and not isinstance(value, kind):
        raise UnexpectedError
    return value


def _uuid(fields: dict[str, Any], name: str) -> str | None:
    value: str | None = _typed(fields, name, str)
    if value is None:
        return None
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise UnexpectedError from None


def keep_files(conversation: Conversation, call: Call) -> list[FileRef]:
    """Store the uploaded files and return how the message mentions them.

    Raises:
        RefusedError: 413 for a decoded file above 10 MiB.
        UnexpectedError: A file name says neither `base64;` nor `hash;`.
    """
    refs = []
    for part in call.record.files:
        if part.field != "files":
            continue
        kind, _, name = part.filename.partition(";")
        if kind == "hash":
            value = part.content.decode("utf-8", "replace").strip()
        elif kind == "base64":
            value = _keep(conversation, part.content, part.content_type)
        else:
            raise UnexpectedError
        refs.append(FileRef(value, part.content_type, name))
    return refs


def _keep(conversation: Conversation, encoded: bytes, mime: str) -> str:
    try:
        content = base64.b64decode(encoded)
    except binascii.Error:
        raise UnexpectedError from None
    if len(content) > MAX_FILE_BYTES:
        raise RefusedError(413, "File too large, should be <10MB")
    # The server hashes the bytes read as UTF-8 text, so this is not the file's own sha256.
    value = hashlib.sha256(content.decode("utf-8", "replace").encode()).hexdigest()
    conversation.files[value] = StoredFile(content, mime)
    return value
