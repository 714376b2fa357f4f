"""LangChain messages to a `ChatRequest`.

A message that cannot be mapped is an error before anything is sent; no part of a message is dropped
without one. System messages are joined.

`_Reader` escapes every text, in every role: texts, names and documents get into a prompt through
it, and in no other way.
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
    """The request that ``messages`` make.

    Args:
        messages: The history, the newest message last.
        model: Name of the model.
        options: The provider's own options.
        media: Files of the last user message, besides its own content.
        tools: Description of the tools for the model.
        note: Text that is sent with the last message of this call, and is no part of the history.
        nonce: Nonce that the model was told to write on its tool calls; see `known_nonce`.

    Raises:
        ConfigurationError: There is nothing to answer, or a message has no place here.
        UnsupportedMediaError: A message has content that cannot be sent.
    """
    read = _Reader(nonce)
    system: list[str] = []
    found: list[Message] = []
    for message in messages:
        match message:
            case SystemMessage():
                system.append(read.text_only(message))
            case HumanMessage():
                found.extend(read.question(message))
            case AIMessage():
                found.append(read.answer(message))
            case ToolMessage():
                found.append(read.result(message, message.tool_call_id, message.status))
            case FunctionMessage():
                found.append(read.result(message, "", "success"))
            case ChatMessage() if message.role in _ROLES:
                found.append(Message(_ROLES[message.role], read.text_only(message)))
            case ChatMessage() if message.role in ("system", "developer"):
                system.append(read.text_only(message))
            case _:
                msg = f"a message of type {message.type!r} cannot be sent"
                raise ConfigurationError(msg)
    asked = [at for at, each in enumerate(found) if each.role == "user"]
    if media and asked:
        last = found[asked[-1]]
        found[asked[-1]] = replace(last, media=(*last.media, *map(read.file, media)))
    called = {"assistant", "tool"} <= {each.role for each in found}
    if not (called or any(found[at].text.strip() or found[at].media for at in asked)):
        msg = "there is no user message to answer"
        raise ConfigurationError(msg)
    found[-1] = replace(found[-1], note=note)
    _check_encoding([*system, *(each.text for each in found)])
    said = tuple(filter(None, system))
    return ChatRequest(tuple(found), model, "\n\n".join(said), options, said, tools)


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
        """An earlier answer; its reasoning and the service's own tool calls were not said.

        Where the service replaced what it had said, its last version counts.
        """
        metadata = message.response_metadata
        final = metadata.get("final_text")
        text = self._clean(final) if isinstance(final, str) else self._text(message)
        state: AnswerState = "whole"
        if metadata.get("restarted") and not isinstance(final, str):
            state = "restarted"
        elif "stop_sequence" in metadata or metadata.get("finish_reason") in (None, "interrupted"):
            state = "part"
        handle = metadata.get("conversation")
        return Message(
            "assistant",
            "\n".join(filter(None, (text, *self._calls(message)))),
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


def _check_encoding(texts: Sequence[str]) -> None:
    """Refuse text that was cut inside a character."""
    with suppress(UnicodeEncodeError):
        "\n".join(texts).encode()
        return
    msg = "a message has half of a surrogate pair in its text, which cannot be sent"
    raise ConfigurationError(msg)


__all__ = ["known_nonce", "to_chat_request"]
