"""What a provider is called with: messages, files, and the parameters it may honour.

Almost every provider takes anything and ignores in silence what it does not know. So a
parameter that would change the answer and stands in no signature is warned about, once.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, TypeVar, cast

from langchain_g4f.chat_models.g4f.facts import named_by, takes_anything
from langchain_g4f.chat_models.g4f.values import Conversation
from langchain_g4f.core.chat_request import Media, Message, RemoteMedia
from langchain_g4f.errors import ConfigurationError, UnsupportedMediaError
from langchain_g4f.text.transcript import render

if TYPE_CHECKING:
    from langchain_g4f.chat_models.g4f.facts import Facts
    from langchain_g4f.core.chat_request import ChatRequest

PARAMETERS = (
    "web_search",
    "guidance_scale",
    "num_inference_steps",
    "randomize_seed",
    "safe",
    "enhance",
    "private",
    "aspect_ratio",
    "width",
    "height",
    "n",
    "seed",
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "reasoning_effort",
    "prompt",
)
"""Parameters that a provider may honour, and that are handed on as they are."""
OWN = ("conversation", "messages", "native", "more")
"""Options of a call that are not."""
QUIET = frozenset(
    {"stream", "proxy", "timeout", "stream_timeout", "api_key", "api_base", "cookies"}
)
"""Those that do not change what an answer says."""
T = TypeVar("T")

_TOOLS = ("tools", "tool_choice", "parallel_tool_calls")


def openai_messages(
    chat_request: ChatRequest, facts: Facts, *, continued: bool
) -> list[dict[str, Any]]:
    """The conversation as a provider wants it, in new objects: some change what they get.

    Args:
        turn: The call.
        facts: What the provider can take.
        continued: Whether it goes on with a conversation that has what was said before.
    """
    if native := chat_request.options.get("messages"):
        said = cast("Sequence[dict[str, Any]]", native)
        return copy.deepcopy(list(_newest(said, itemgetter("role")) if continued else said))
    messages = (
        _newest(chat_request.messages, attrgetter("role")) if continued else chat_request.messages
    )
    system = chat_request.tools if continued else chat_request.instructions
    if not facts.takes_history and len(messages) > 1:
        return [{"role": "user", "content": render(messages, system)}]
    found = [_as_dict(message) for message in messages]
    if system and facts.takes_system and not continued:
        return [{"role": "system", "content": system}, *found]
    if system:
        first = next(each for each in found if each["role"] == "user")  # or it were no turn
        first["content"] = f"{system}\n\n{first['content']}"
    return found


def _newest(messages: Sequence[T], role: Callable[[T], str]) -> Sequence[T]:
    """What came after the last answer; the provider has the rest."""
    answers = [at for at, message in enumerate(messages) if role(message) == "assistant"]
    return messages[answers[-1] + 1 :] or messages if answers else messages


def _as_dict(message: Message) -> dict[str, Any]:
    role = "user" if message.role == "tool" else message.role  # its text says that it is one
    text = "\n\n".join(filter(None, (message.text, message.note)))
    found = {"role": role, "content": text}
    return found | ({"name": message.name} if message.name else {})


def media_of(chat_request: ChatRequest) -> list[tuple[bytes, str]]:
    """The files of the conversation, as pairs of bytes and a name."""
    return [
        (media.data, media.name)
        for message in chat_request.messages
        for media in message.media
        if isinstance(media, Media)
    ]


def has_remote(chat_request: ChatRequest) -> bool:
    """Whether a file has to be fetched first."""
    return any(
        isinstance(m, RemoteMedia) for message in chat_request.messages for m in message.media
    )


class Parameters:
    """Gives an entry point what it can take, and says what it may ignore.

    Args:
        facts: What is known of the provider.
        warned: Names that were warned about; it grows.
    """

    def __init__(self, facts: Facts, warned: set[str]) -> None:
        self._facts = facts
        self._warned = warned

    def honoured(self, name: str) -> bool | None:
        """Whether the provider has a parameter; None if it does not say."""
        if name in self._facts.parameters:
            return True
        return None if self._facts.takes_anything else False

    def _is_honoured(self, name: str) -> bool:
        return name in self._facts.parameters or (self._facts.has_tools and name in _TOOLS)

    def fitting(self, entry: Callable[..., Any], values: Mapping[str, Any]) -> dict[str, Any]:
        """Those of ``values`` that ``entry`` can be given."""
        named, anything = named_by(entry), takes_anything(entry)
        found = {}
        for name, value in values.items():
            if value is None:
                continue
            if name in named or anything:
                found[name] = value
            if not (self._is_honoured(name) or name in QUIET):
                self._warn(name, dropped=name not in found)
        return found

    def check_media(self, media: Sequence[object]) -> None:
        """Refuse files that the provider would not look at.

        Raises:
            UnsupportedMediaError: It takes none.
        """
        if media and not self._facts.takes_media:
            msg = f"{self._facts.name} takes no images or other files"
            raise UnsupportedMediaError(msg)

    def _warn(self, name: str, *, dropped: bool) -> None:
        if name in self._warned:
            return
        self._warned.add(name)
        what = "has no parameter" if dropped else "may ignore the parameter"
        warnings.warn(f"{self._facts.name} {what} {name!r}", stacklevel=2)


def as_conversation(given: object) -> Conversation | None:
    """A handle in the form that providers want; None for no handle.

    It is a copy, for providers write to it.

    Raises:
        ConfigurationError: It is nothing of the kind.
    """
    if given is None or given == {}:
        return None
    if isinstance(given, Mapping):
        return Conversation(copy.deepcopy(dict(given)))
    if hasattr(given, "get_dict"):
        return Conversation(copy.deepcopy(given.get_dict()))
    msg = f"conversation: expected a handle or an answer, not {type(given).__name__}"
    raise ConfigurationError(msg)


__all__ = [
    "OWN",
    "PARAMETERS",
    "QUIET",
    "Parameters",
    "as_conversation",
    "has_remote",
    "media_of",
    "openai_messages",
]
