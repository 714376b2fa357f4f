"""Conversations as the server keeps them: reading one, and finding an answer in it.

Follows docs/protocols/huggingchat.md: 5.2 for the current form, 9.1 for the pages of the
older generation. Messages are a tree, stored in order of creation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, assert_never

from langchain_g4f.codecs.devalue import NodeError, page_data
from langchain_g4f.codecs.fields import decoded, need, want
from langchain_g4f.core.error_mapping import error_class
from langchain_g4f.core.http import Request, RetryWhen
from langchain_g4f.core.plan import send
from langchain_g4f.core.redact import redact_text
from langchain_g4f.core.urls import segment
from langchain_g4f.errors import NotFoundError
from langchain_g4f.providers.huggingchat.reader import NAME, kind_of, means_something
from langchain_g4f.tools.normal_form import normal_form, normal_forms
from langchain_g4f.tools.prompt import nonce_in

if TYPE_CHECKING:
    from langchain_g4f.core.chat_request import AnswerState
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.http import JSON, Response
    from langchain_g4f.core.plan import PlanOf
    from langchain_g4f.providers.huggingchat.handle import Continuation, Handle

Generation = Literal["current", "legacy"]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a message; ``value`` is the server's name for its bytes."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message of the tree.

    Attributes:
        generation: The client's name for the run of an answer, where the server keeps it.
        sequence: How much of the run `content` covers.
        ended: The server says how the answer ended. An older server never says so of one that
            was stopped.
        over: Nothing more is written. A server that names runs keeps the last word for when
            the title is made, too, and then writes all messages that it knows of.
        beside: Updates besides text that it has had so far, by `kind_of`.
    """

    id: str
    role: str
    content: str
    ancestors: tuple[str, ...]
    generation: str
    sequence: int
    files: tuple[StoredFile, ...]
    ended: bool = False
    over: bool = False
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """A conversation.

    Attributes:
        messages: All branches, in order of creation.
        root: Id of the first message.
        model: Who answers in it.
        system: Its system prompt.
    """

    messages: tuple[StoredMessage, ...]
    root: str
    model: str = ""
    system: str = ""

    def answer_to(self, handle: Handle) -> StoredMessage | None:
        """The answer of a handle, by its run, else by its place in the tree."""
        answers = [message for message in self.messages if message.role == "assistant"]
        for message in answers:
            if message.generation and message.generation == handle.generation:
                return message
        later = self.messages[handle.position :]
        return next(
            (m for m in later if m.role == "assistant" and handle.anchor in m.ancestors), None
        )

    def question_of(self, answer: StoredMessage) -> StoredMessage | None:
        """The message that was answered."""
        return next((m for m in self.messages if m.id in answer.ancestors[-1:]), None)

    def was_told(self, system: str) -> bool:
        """Whether its system prompt is ``system``, perhaps with what tools there were."""
        return system in ("", self.system) or self.system.startswith(f"{system}\n\n")


def is_same_answer(stored: StoredMessage, continuation: Continuation) -> bool:
    """Whether the caller's version of an answer is the stored one, as far as it got."""
    local = continuation.answer
    if local is None:
        return True
    nonce = nonce_in(local.text)
    ours = normal_form(local.text, nonce).strip()
    forms = (form.strip() for form in normal_forms(stored.content, nonce))
    return any(
        _agrees(theirs, ours, local.state, continued=continuation.handle.continued)
        for theirs in forms
    )


def _agrees(theirs: str, ours: str, state: AnswerState, *, continued: bool) -> bool:
    if continued:
        return theirs.endswith(ours)
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
        NotFoundError: There is none, or not for this caller.
        PermissionDeniedError: The same, said differently.
    """
    if generation_of(context, base_url) != "legacy":
        response = yield from send(
            lambda: _get(f"{base_url}/api/v2/conversations/{segment(conversation)}")
        )
        if response.headers.content_type == "application/json":
            remember(context, base_url, "current")
            return _from_json(need(response.json(), "json", dict))
        # an unknown path of the older generation answers 200 with a page (9.3)
        remember(context, base_url, "legacy")
    url = f"{base_url}/conversation/{segment(conversation)}/__data.json?x-sveltekit-invalidated=11"
    response = yield from send(lambda: _get(url))
    return _from_json(_page(response))


def deletion(conversation: str, base_url: str) -> Request:
    """Deletes a conversation; both generations have this path (5.3)."""
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


def generation_of(context: CallContext, base_url: str) -> str:
    """What is known of the server: a `Generation`, or nothing yet."""
    return str(context.memory.get(f"{base_url} generation", ""))


def remember(context: CallContext, base_url: str, generation: Generation) -> None:
    """Keep which generation the server is of."""
    context.memory[f"{base_url} generation"] = generation


def _get(url: str) -> Request:
    return Request(
        "GET",
        url,
        {"accept": "application/json"},
        retry=RetryWhen.ALWAYS,
        phase="read the conversation",
    )


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
                phase="read the conversation",
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
    generation = want(value, "generationId", str, default="")
    cut = want(value, "interrupted", bool, default=False)
    ended = any(map(_is_end, updates)) or "interrupted" in _known(value)
    return StoredMessage(
        need(value, "id", str),
        need(value, "from", str),
        want(value, "content", str, default=""),
        tuple(str(ancestor) for ancestor in want(value, "ancestors", list, default=[])),
        generation,
        want(value, "materializedSeq", int, default=0),
        tuple(
            StoredFile(want(file, "name", str, default=""), need(file, "value", str))
            for file in want(value, "files", list, default=[])
        ),
        ended,
        cut or any(map(_is_last, updates)) if generation else ended,
        tuple(
            kind_of(update)
            for update in updates
            if update.get("type") != "stream" and means_something(update)
        ),
    )


def _known(value: JSON) -> dict[str, JSON]:
    """The fields that are set; of what is no object, none."""
    return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else {}


def _is_end(update: dict[str, JSON]) -> bool:
    return update.get("type") == "finalAnswer" or _is_last(update)


def _is_last(update: dict[str, JSON]) -> bool:
    return update.get("type") == "status" and update.get("status") in ("error", "finished")


__all__ = [
    "Generation",
    "StoredConversation",
    "StoredFile",
    "StoredMessage",
    "deletion",
    "embedded_conversation",
    "generation_of",
    "is_same_answer",
    "read_conversation",
    "remember",
]
