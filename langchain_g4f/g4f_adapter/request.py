"""What a provider is called with: messages, files and parameters.

Almost every provider takes any parameter and silently ignores those it does not know. So a
parameter that would change the answer and is in no signature causes a warning, once.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter, itemgetter
from random import Random
from typing import Any, ClassVar, TypeVar, cast

from langchain_g4f.core.chat_request import ChatRequest, Media, Message, RemoteMedia
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.limits import Limits, Sizes
from langchain_g4f.core.plan import PlanOf
from langchain_g4f.errors import ConfigurationError, UnsupportedMediaError
from langchain_g4f.g4f_adapter.provider import Facts
from langchain_g4f.g4f_adapter.values import Conversation
from langchain_g4f.media.documents import without_markers
from langchain_g4f.media.download import download
from langchain_g4f.providers.base import Provider
from langchain_g4f.text.escape import escape
from langchain_g4f.text.transcript import render

_QUIET = frozenset(
    {"stream", "proxy", "timeout", "stream_timeout", "api_key", "api_base", "cookies"}
)
"""Parameters that do not change the text of an answer."""
_TOOLS = ("tools", "tool_choice", "parallel_tool_calls")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderCall:
    """One call of a provider.

    Attributes:
        provider: Name of the provider, for errors.
        start: Asks for an answer: gives an iterator, an awaitable or a value.
        blocks: Whether asking or iterating may block, and so needs a thread.
        model: Name of the model that is asked, as far as it is known.
        limits: Clocks and sizes.
        max_retries: Further attempts, as long as nothing of the answer was given.
        random: For back-off.
        allow_empty: Whether an answer may have nothing in it.
        include_raw: Whether to pass on records that are no part of an answer.
        mark_restarts: Whether to mark an answer that starts again, instead of raising.
        login: Advice for an error that wants a login.
        secrets: Texts that no error may quote.
        access: Request headers that a file needs, by its URL; files of the answer are added.
        warned: Warnings that were given; new ones are added.
        on_login: Called with the URL of the login page when the provider wants a login.
        done: Called with the name of the model that answered.
    """

    provider: str
    start: Callable[[], object] = field(repr=False)
    blocks: bool
    model: str
    limits: Limits
    max_retries: int
    random: Random
    allow_empty: bool
    include_raw: bool
    mark_restarts: bool
    login: str
    secrets: Sequence[str] = field(repr=False)
    access: dict[str, dict[str, str]] = field(repr=False)
    warned: set[str]
    on_login: Callable[[str], object] | None
    done: Callable[[str], object]


def starter(
    facts: Facts,
    chat_request: ChatRequest,
    model: str,
    values: Mapping[str, Any],
    *,
    auth_result: object,
    warned: set[str],
) -> Callable[[], object]:
    """A function that asks the provider, with those values that its entry point can take.

    Args:
        facts: The provider.
        chat_request: The messages.
        model: Name of the model.
        values: Parameters by name; None is not passed on.
        auth_result: Credentials for the entry point that wants them, if there is one.
        warned: Parameters that were warned about; new ones are added.

    Raises:
        ConfigurationError: The entry point demands other arguments.
    """
    authed = facts.authed if auth_result is not None else None
    entry = authed or facts.entry
    values = {
        "return_conversation": True if "return_conversation" in facts.parameters else None,
        # a wrapper may pass a `stream` of its own to the function that it wraps
        "stream": facts.streams if "stream" in entry.parameters else None,
        **values,
        **({"auth_result": auth_result} if authed else {}),
    }
    arguments = {n: value for n, value in values.items() if value is not None}
    for name in [*arguments]:
        supported = name in facts.parameters or (facts.has_tools and name in _TOOLS)
        if not (supported or name in _QUIET or name in warned):
            warned.add(name)
            what = "may ignore the parameter" if entry.takes(name) else "has no parameter"
            warnings.warn(f"{facts.name} {what} {name!r}", stacklevel=2)
        if not entry.takes(name):
            del arguments[name]
    entry.check(facts.name, arguments)
    continued = values["conversation"] is not None

    def start() -> object:
        return entry.call(
            model, openai_messages(chat_request, facts, continued=continued), **arguments
        )

    return start


def openai_messages(
    chat_request: ChatRequest, facts: Facts, *, continued: bool
) -> list[dict[str, Any]]:
    """The conversation in OpenAI's form, in new objects, because some providers change them.

    Args:
        chat_request: The messages.
        facts: The provider, which may take neither system messages nor a history.
        continued: Whether the provider already has the history.
    """
    if native := chat_request.options.get("messages"):
        given = cast("Sequence[dict[str, Any]]", native)
        newest = _newest(given, itemgetter("role")) if continued else given
        return [_without_markers(message) for message in copy.deepcopy([*newest])]
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
        first = next(each for each in found if each["role"] == "user")  # every turn has one
        first["content"] = f"{system}\n\n{first['content']}"
    return found


def _without_markers(message: dict[str, Any]) -> dict[str, Any]:
    """A message that cannot forge another one where the service joins them to one text."""
    content = message["content"]
    if isinstance(content, str):
        return message | {"content": escape(content)}
    parts = [
        part | {"text": escape(part["text"])} if isinstance(part.get("text"), str) else part
        for part in content or ()
    ]
    return message | {"content": parts}


def _newest(messages: Sequence[T], role: Callable[[T], str]) -> Sequence[T]:
    """The messages after the last answer."""
    answers = [at for at, message in enumerate(messages) if role(message) == "assistant"]
    return messages[answers[-1] + 1 :] or messages if answers else messages


def _as_dict(message: Message) -> dict[str, Any]:
    role = "user" if message.role == "tool" else message.role  # its text says that it is a result
    text = "\n\n".join(filter(None, (message.text, message.note)))
    found = {"role": role, "content": text}
    return found | ({"name": message.name} if message.name else {})


def as_conversation(given: object) -> Conversation | None:
    """A copy of a handle in the form that providers take, and write to; None for no handle.

    Raises:
        ConfigurationError: It is no handle.
    """
    if given is None or given == {}:
        return None
    if isinstance(given, Mapping):
        return Conversation(copy.deepcopy(dict(given)))
    if hasattr(given, "get_dict"):
        return Conversation(copy.deepcopy(given.get_dict()))
    msg = f"conversation: expected a handle or an answer, not {type(given).__name__}"
    raise ConfigurationError(msg)


def check_media(chat_request: ChatRequest, facts: Facts) -> None:
    """Refuse files that the provider would not look at.

    Raises:
        UnsupportedMediaError: It takes none.
    """
    if not facts.takes_media and any(message.media for message in chat_request.messages):
        raise UnsupportedMediaError(f"{facts.name} takes no images or other files")


def media_of(chat_request: ChatRequest) -> list[tuple[bytes, str]]:
    """Bytes and name of each file of the conversation."""
    files = (media for message in chat_request.messages for media in message.media)
    return [(media.data, media.name) for media in files if isinstance(media, Media)]


def has_remote(chat_request: ChatRequest) -> bool:
    """Whether a file has to be downloaded first."""
    return any(
        isinstance(m, RemoteMedia) for message in chat_request.messages for m in message.media
    )


def with_files(chat_request: ChatRequest, trusted_hosts: Sequence[str]) -> PlanOf[ChatRequest]:
    """The turn with all of its files downloaded.

    Args:
        chat_request: The messages.
        trusted_hosts: Hosts whose address may be private.

    Raises:
        BlockedURLError: One of the files may not be downloaded.
    """
    messages: list[Message] = []
    for message in chat_request.messages:
        files: list[Media | RemoteMedia] = []
        for media in message.media:
            if isinstance(media, RemoteMedia):
                limit = Sizes().attachment
                found = yield from download(media.url, limit=limit, trusted_hosts=trusted_hosts)
                files.append(replace(without_markers(found), in_history=media.in_history))
            else:
                files.append(media)
        messages.append(replace(message, media=tuple(files)))
    return replace(chat_request, messages=tuple(messages))


def file_bytes(
    url: str, headers: Mapping[str, str] | None, trusted_hosts: Iterable[str]
) -> PlanOf[bytes]:
    """The bytes of a file of an answer, downloaded with the headers that its provider named."""
    limit = Sizes().response
    found = yield from download(url, limit=limit, trusted_hosts=trusted_hosts, headers=headers)
    return found.data


@dataclass(frozen=True, kw_only=True)
class ProviderFiles(Provider):
    """Downloads the files of answers; the wrapped provider does everything else.

    Attributes:
        access: Headers that fetch a file, by its URL.
        hosts: Hosts that may have a private address.
    """

    name: ClassVar[str] = "g4f"
    label: ClassVar[str] = "g4f"

    access: Mapping[str, dict[str, str]] = field(default_factory=dict, repr=False)
    hosts: Sequence[str] = ()

    def fetch(self, url: str, context: CallContext) -> PlanOf[bytes]:  # noqa: ARG002
        """Download a file of an answer."""
        return file_bytes(url, self.access.get(url), self.hosts)


__all__ = [
    "ProviderCall",
    "ProviderFiles",
    "as_conversation",
    "check_media",
    "has_remote",
    "media_of",
    "openai_messages",
    "starter",
    "with_files",
]
