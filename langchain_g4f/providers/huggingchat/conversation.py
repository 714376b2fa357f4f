"""Conversations as the server stores them: read one, and find an answer in it.

Follows docs/protocols/huggingchat.md: 5.2 for the current form, 9.1 for the pages of older
servers. Messages are a tree, stored in order of creation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from langchain_g4f.codecs.devalue import NodeError, page_data
from langchain_g4f.codecs.fields import decoded, need, want
from langchain_g4f.core.error_mapping import error_class
from langchain_g4f.core.http import Request, RetryWhen
from langchain_g4f.core.redact import redact_text
from langchain_g4f.core.urls import segment
from langchain_g4f.errors import NotFoundError
from langchain_g4f.providers.huggingchat.reader import NAME, kind_of, means_something
from langchain_g4f.providers.huggingchat.requests import get
from langchain_g4f.providers.huggingchat.server import known_version, remember_version
from langchain_g4f.tools.normal_form import normal_form, normal_forms
from langchain_g4f.tools.prompt import nonce_in

if TYPE_CHECKING:
    from langchain_g4f.core.chat_request import AnswerState
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.http import JSON, Response
    from langchain_g4f.core.plan import PlanOf
    from langchain_g4f.providers.huggingchat.handle import Continuation, Handle

_PHASE = "read the conversation"


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message of the tree.

    Attributes:
        run_id: The client's id of the run that made an answer, where the server keeps it.
        sequence: Number of the last update of the run that `content` covers.
        files: The server's names for the bytes of its files.
        ended: Whether the server says how the answer ended. An older server never does for an
            answer that was stopped.
        over: Whether the run writes nothing more. A server that keeps the ids of runs ends one
            only when the title is made, and then writes all messages that the run knows of.
        beside: Updates besides text so far, by `kind_of`.
    """

    id: str
    role: str
    content: str
    ancestors: tuple[str, ...]
    run_id: str
    sequence: int
    files: tuple[str, ...]
    ended: bool = False
    over: bool = False
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """A conversation.

    Attributes:
        messages: All branches, in order of creation.
        root: Id of the first message.
        model: Name of its model.
        system: Its system prompt.
    """

    messages: tuple[StoredMessage, ...]
    root: str
    model: str = ""
    system: str = ""

    def answer_to(self, handle: Handle) -> StoredMessage | None:
        """The answer of a handle, by its run, else by its place in the tree."""
        answers = [message for message in self.messages if message.role == "assistant"]
        by_run = (m for m in answers if m.run_id and m.run_id == handle.run_id)
        later = self.messages[handle.position :]
        by_place = (m for m in later if m.role == "assistant" and handle.anchor in m.ancestors)
        return next(by_run, None) or next(by_place, None)

    def question_of(self, answer: StoredMessage) -> StoredMessage | None:
        """The message that was answered."""
        return next((m for m in self.messages if m.id in answer.ancestors[-1:]), None)

    def has_system(self, system: str) -> bool:
        """Whether its system prompt is ``system``, perhaps followed by a list of tools."""
        return system in ("", self.system) or self.system.startswith(f"{system}\n\n")


def is_same_answer(stored: StoredMessage, continuation: Continuation) -> bool:
    """Whether the caller's version of an answer is the stored one, as far as it was read."""
    local = continuation.answer
    if local is None:
        return True
    nonce = nonce_in(local.text)
    ours = normal_form(local.text, nonce).strip()
    forms = (form.strip() for form in normal_forms(stored.content, nonce))
    if continuation.handle.continued:
        return any(theirs.endswith(ours) for theirs in forms)
    return any(_agrees(theirs, ours, local.state) for theirs in forms)


def _agrees(theirs: str, ours: str, state: AnswerState) -> bool:
    match state:
        case "whole":
            return theirs == ours
        case "part":
            return theirs.startswith(ours)
        case "restarted":
            return ours.endswith(theirs)
        case _:
            assert_never(state)


def read_conversation(
    conversation: str, context: CallContext, base_url: str
) -> PlanOf[StoredConversation]:
    """A conversation of the caller.

    Raises:
        NotFoundError: There is no such conversation, or not for this caller.
        PermissionDeniedError: The same, in another version of the server.
    """
    name = segment(conversation)
    if known_version(context, base_url) != "legacy":
        response = yield from get(f"{base_url}/api/v2/conversations/{name}", _PHASE)
        if response.headers.content_type == "application/json":
            remember_version(context, base_url, "current")
            return _from_json(need(response.json(), "json", dict))
        # an older server answers an unknown path with a page and status 200 (9.3)
        remember_version(context, base_url, "legacy")
    url = f"{base_url}/conversation/{name}/__data.json?x-sveltekit-invalidated=11"
    return _from_json(_page((yield from get(url, _PHASE))))


def deletion(conversation: str, base_url: str) -> Request:
    """Deletes a conversation; all servers have this path (5.3)."""
    return Request(
        "DELETE",
        f"{base_url}/conversation/{segment(conversation)}",
        {"accept": "application/json"},
        retry=RetryWhen.ALWAYS,
        phase="delete the conversation",
    )


def embedded_conversation(created: JSON) -> StoredConversation | None:
    """The conversation inside a create response, where the server sends it along (5.1)."""
    embedded = want(created, "conversation", str, default="")
    if not embedded:
        return None
    return _from_json(need(decoded(embedded, "'conversation'"), "json", dict))


def _page(response: Response) -> JSON:
    """The page's own node, which comes last; errors come with status 200 (9.1)."""
    page: JSON = None
    for node in page_data(response.body):
        if isinstance(node, NodeError):
            message = redact_text(node.message, limit=500)
            raise error_class(node.status)(
                f"{NAME}: {message}",
                status_code=node.status,
                body=message,
                provider=NAME,
                phase=_PHASE,
            )
        page = node
    if page is None:
        raise NotFoundError(f"{NAME}: the server shows no conversation", provider=NAME)
    return page


def _from_json(value: JSON) -> StoredConversation:
    messages = tuple(_message(message) for message in want(value, "messages", list, default=[]))
    root = want(value, "rootMessageId", str, default=messages[0].id if messages else "")
    root = root or need(value, "rootMessageId", str)
    return StoredConversation(
        messages,
        root,
        want(value, "model", str, default=""),
        want(value, "preprompt", str, default=""),
    )


def _message(value: JSON) -> StoredMessage:
    updates = [_known(update) for update in want(value, "updates", list, default=[])]
    run_id = want(value, "generationId", str, default="")
    cut = want(value, "interrupted", bool, default=False)
    ended = any(map(_is_end, updates)) or "interrupted" in _known(value)
    beside = (each for each in updates if each.get("type") != "stream" and means_something(each))
    return StoredMessage(
        need(value, "id", str),
        need(value, "from", str),
        want(value, "content", str, default=""),
        tuple(str(ancestor) for ancestor in want(value, "ancestors", list, default=[])),
        run_id,
        want(value, "materializedSeq", int, default=0),
        tuple(need(file, "value", str) for file in want(value, "files", list, default=[])),
        ended,
        cut or any(map(_is_last, updates)) if run_id else ended,
        tuple(map(kind_of, beside)),
    )


def _known(value: JSON) -> dict[str, JSON]:
    """The fields of an object that are set; empty for anything else."""
    return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else {}


def _is_end(update: dict[str, JSON]) -> bool:
    return update.get("type") == "finalAnswer" or _is_last(update)


def _is_last(update: dict[str, JSON]) -> bool:
    return update.get("type") == "status" and update.get("status") in ("error", "finished")


__all__ = [
    "StoredConversation",
    "StoredMessage",
    "deletion",
    "embedded_conversation",
    "is_same_answer",
    "read_conversation",
]
