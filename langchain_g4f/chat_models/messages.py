"""LangChain messages -> Turn.

What cannot be mapped is an error before anything is sent: nothing of a message is
dropped in silence. System messages are joined; they have one place in a `Turn`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_g4f.errors import ConfigurationError, UnsupportedMediaError
from langchain_g4f.turn import AnswerState, Media, Message, RemoteMedia, Role, Turn

_ROLES: dict[str, Role] = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
}


def to_turn(
    messages: Sequence[BaseMessage],
    *,
    model: str,
    options: Mapping[str, object],
    media: Sequence[Media | RemoteMedia] = (),
) -> Turn:
    """The turn that ``messages`` ask for.

    Args:
        messages: The history, the newest message last.
        model: Whom to ask.
        options: The provider's own options.
        media: What goes with the last user message, besides its own content.

    Raises:
        ConfigurationError: There is nothing to answer, or a message has no place here.
        UnsupportedMediaError: A message has content that cannot be sent.
    """
    system: list[str] = []
    turns: list[Message] = []
    for message in messages:
        match message:
            case SystemMessage():
                system.append(_text_only(message))
            case HumanMessage():
                turns.append(Message("user", _text(message), _media(message)))
            case AIMessage() if not (message.tool_calls or message.invalid_tool_calls):
                turns.append(_answer(message))
            case ChatMessage() if message.role in _ROLES:
                turns.append(Message(_ROLES[message.role], _text_only(message)))
            case ChatMessage() if message.role in ("system", "developer"):
                system.append(_text_only(message))
            case AIMessage() | ToolMessage() | FunctionMessage():
                msg = "tool calls and tool results are not supported by this model"
                raise ConfigurationError(msg)
            case _:
                msg = f"a message of type {message.type!r} cannot be sent"
                raise ConfigurationError(msg)
    asked = [at for at, turn in enumerate(turns) if turn.role == "user"]
    if media and asked:
        last = turns[asked[-1]]
        turns[asked[-1]] = Message("user", last.text, (*last.media, *media))
    if not any(turns[at].text.strip() or turns[at].media for at in asked):
        msg = "there is no user message to answer"
        raise ConfigurationError(msg)
    if not all(map(_is_whole, [*system, *(turn.text for turn in turns)])):
        msg = "a message has half of a surrogate pair in its text, which cannot be sent"
        raise ConfigurationError(msg)
    said = tuple(filter(None, system))
    return Turn(tuple(turns), model, "\n\n".join(said), options, said)


def _answer(message: AIMessage) -> Message:
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
        _text(message),
        handle=handle if isinstance(handle, dict) else None,
        state=state,
    )


def _media(message: HumanMessage) -> tuple[Media | RemoteMedia, ...]:
    if isinstance(message.content, str):
        return ()
    from langchain_g4f.chat_models.attachments import message_media

    return message_media(message)


def _text(message: BaseMessage) -> str:
    return str(message.text)


def _is_whole(text: str) -> bool:
    """Whether it can be encoded; text that was cut inside a character cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text_only(message: BaseMessage) -> str:
    """The text of a message that may have nothing else."""
    if isinstance(message.content, str):
        return _text(message)
    from langchain_g4f.chat_models.attachments import standard_blocks

    for block in standard_blocks(message):
        if block["type"] != "text":
            msg = f"a {message.type} message cannot have content of type {block['type']!r}"
            raise UnsupportedMediaError(msg)
    return _text(message)


__all__ = ["to_turn"]
