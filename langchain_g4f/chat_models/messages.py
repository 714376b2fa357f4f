"""LangChain messages -> Turn.

What cannot be mapped is an error before anything is sent: nothing of a message is
dropped in silence. System messages are joined; they have one place in a `ChatRequest`.

Whatever is said comes out of `_Reader` escaped, in every role: this is the one way by which
texts, names and documents get into a prompt.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeGuard

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_g4f.core.chat_request import (
    AnswerState,
    ChatRequest,
    Media,
    Message,
    RemoteMedia,
    Role,
)
from langchain_g4f.errors import ConfigurationError, UnsupportedMediaError
from langchain_g4f.media.documents import without_markers
from langchain_g4f.text.escape import escape
from langchain_g4f.tools.prompt import is_nonce, render_call, render_result, render_unreadable

_ROLES: dict[str, Role] = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
}


def to_chat_request(
    messages: Sequence[BaseMessage],
    *,
    model: str,
    options: Mapping[str, object],
    media: Sequence[Media | RemoteMedia] = (),
    tools: str = "",
    note: str = "",
    nonce: str = "",
) -> ChatRequest:
    """The turn that ``messages`` ask for.

    Args:
        messages: The history, the newest message last.
        model: Whom to ask.
        options: The provider's own options.
        media: What goes with the last user message, besides its own content.
        tools: What the model has to be told of its tools.
        note: What is said with the last message, for this call alone.
        nonce: What the model was told to write on its tool calls; see `known_nonce`.

    Raises:
        ConfigurationError: There is nothing to answer, or a message has no place here.
        UnsupportedMediaError: A message has content that cannot be sent.
    """
    read = _Reader(nonce)
    system: list[str] = []
    turns: list[Message] = []
    for message in messages:
        match message:
            case SystemMessage():
                system.append(read.text_only(message))
            case HumanMessage():
                turns.extend(read.question(message))
            case AIMessage():
                turns.append(read.answer(message))
            case ToolMessage():
                turns.append(read.result(message, message.tool_call_id, message.status))
            case FunctionMessage():
                turns.append(read.result(message, "", "success"))
            case ChatMessage() if message.role in _ROLES:
                turns.append(Message(_ROLES[message.role], read.text_only(message)))
            case ChatMessage() if message.role in ("system", "developer"):
                system.append(read.text_only(message))
            case _:
                msg = f"a message of type {message.type!r} cannot be sent"
                raise ConfigurationError(msg)
    asked = [at for at, chat_request in enumerate(turns) if chat_request.role == "user"]
    if media and asked:
        last = turns[asked[-1]]
        turns[asked[-1]] = replace(last, media=(*last.media, *map(read.file, media)))
    called = {"assistant", "tool"} <= {chat_request.role for chat_request in turns}
    if not (called or any(turns[at].text.strip() or turns[at].media for at in asked)):
        msg = "there is no user message to answer"
        raise ConfigurationError(msg)
    turns[-1] = replace(turns[-1], note=note)
    if not all(map(_is_whole, [*system, *(chat_request.text for chat_request in turns)])):
        msg = "a message has half of a surrogate pair in its text, which cannot be sent"
        raise ConfigurationError(msg)
    said = tuple(filter(None, system))
    return ChatRequest(tuple(turns), model, "\n\n".join(said), options, said, tools)


def known_nonce(messages: Sequence[BaseMessage], provider: str) -> str:
    """The nonce that this provider's model writes on its tool calls in this conversation.

    It travels in the metadata of the answers. Empty before the first one.
    """
    for message in reversed(messages):
        metadata = message.response_metadata if isinstance(message, AIMessage) else {}
        found = metadata.get("tool_nonce")
        if metadata.get("model_provider") == provider and is_nonce(found):
            return found
    return ""


class _Reader:
    """Reads messages, and leaves out what could forge a role or a call.

    Args:
        nonce: What only the model may know.
    """

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce

    def question(self, message: HumanMessage) -> Iterator[Message]:
        """What the user says, after results of tools among it, as Anthropic has them."""
        content = message.content
        results = [block for block in content if _is_result(block)]
        for block in results:
            status = "error" if block.get("is_error") else "success"
            given = ToolMessage(block.get("content") or "", tool_call_id="")
            yield self.result(given, str(block.get("tool_use_id") or ""), status)
        if results:
            rest = [block for block in content if not _is_result(block)]
            message = message.model_copy(update={"content": rest})
        if message.content or not results:
            text, media = self._text(message), self._media(message)
            yield Message("user", text, media, name=self._clean(message.name or ""))

    def answer(self, message: AIMessage) -> Message:
        """An earlier answer; its reasoning and the service's own tool calls were not said."""
        metadata = message.response_metadata
        state: AnswerState = "whole"
        if metadata.get("restarted"):
            state = "restarted"
        elif "stop_sequence" in metadata or metadata.get("finish_reason") in (None, "interrupted"):
            state = "part"
        handle = metadata.get("conversation")
        return Message(
            "assistant",
            "\n".join(filter(None, (self._text(message), *self._calls(message)))),
            handle=handle if isinstance(handle, dict) else None,
            state=state,
            name=self._clean(message.name or ""),
        )

    def _calls(self, message: AIMessage) -> Iterator[str]:
        """The calls of an earlier answer, as the model writes them."""
        for call in message.tool_calls:
            yield render_call(call["name"], call["args"], self._nonce)
        for invalid in message.invalid_tool_calls:
            yield render_unreadable(_as_written(invalid.get("args") or ""), self._nonce)

    def result(self, message: ToolMessage | FunctionMessage, call_id: str, status: str) -> Message:
        """What a tool gave."""
        text = render_result(
            str(message.text),
            call_id=call_id,
            name=message.name or "",
            status=status,
            nonce=self._nonce,
        )
        return Message("tool", text, self._media(message))

    def text_only(self, message: BaseMessage) -> str:
        """The text of a message that may have nothing else."""
        if isinstance(message.content, str):
            return self._text(message)
        from langchain_g4f.chat_models.attachments import standard_blocks

        for block in standard_blocks(message):
            if block["type"] != "text":
                msg = f"a {message.type} message cannot have content of type {block['type']!r}"
                raise UnsupportedMediaError(msg)
        return self._text(message)

    def file(self, media: Media | RemoteMedia) -> Media | RemoteMedia:
        """A file, of which a service may tell the model the name and the text."""
        return without_markers(media, self._nonce) if isinstance(media, Media) else media

    def _media(self, message: BaseMessage) -> tuple[Media | RemoteMedia, ...]:
        if isinstance(message.content, str):
            return ()
        from langchain_g4f.chat_models.attachments import message_media

        return tuple(map(self.file, message_media(message)))

    def _text(self, message: BaseMessage) -> str:
        return self._clean(str(message.text))

    def _clean(self, text: str) -> str:
        return escape(text, self._nonce)


def _is_result(block: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(block, dict) and block.get("type") == "tool_result"


def _as_written(arguments: str) -> str:
    """What the model wrote in place of arguments, out of the JSON string that keeps it."""
    with suppress(ValueError):
        written = json.loads(arguments)
        return written if isinstance(written, str) else arguments
    return arguments


def _is_whole(text: str) -> bool:
    """Whether it can be encoded; text that was cut inside a character cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


__all__ = ["known_nonce", "to_chat_request"]
