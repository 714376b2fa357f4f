"""Files that a message only names are fetched before a provider is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain_g4f.core.chat_request import Media, RemoteMedia
from langchain_g4f.core.limits import Sizes
from langchain_g4f.media.documents import without_markers
from langchain_g4f.media.download import download

if TYPE_CHECKING:
    from langchain_g4f.core.chat_request import ChatRequest, Message
    from langchain_g4f.core.plan import PlanOf


def fetched(chat_request: ChatRequest, trusted_hosts: Sequence[str] = ()) -> PlanOf[ChatRequest]:
    """The turn with all of its files.

    Args:
        turn: The call.
        trusted_hosts: Names or addresses of hosts that need not be public.

    Raises:
        BlockedURLError: One of them may not be fetched.
    """
    messages: tuple[Message, ...] = ()
    for message in chat_request.messages:
        messages += ((yield from _with_files(message, trusted_hosts)),)
    return replace(chat_request, messages=messages)


def _with_files(message: Message, trusted_hosts: Sequence[str]) -> PlanOf[Message]:
    files: list[Media | RemoteMedia] = []
    for media in message.media:
        if isinstance(media, RemoteMedia):
            found = yield from download(
                media.url, limit=Sizes().attachment, trusted_hosts=trusted_hosts
            )
            files.append(replace(without_markers(found), in_history=media.in_history))
        else:
            files.append(media)
    return replace(message, media=tuple(files))


def file_bytes(
    url: str, headers: Mapping[str, str] | None, trusted_hosts: Iterable[str]
) -> PlanOf[bytes]:
    """The bytes of a file of an answer, fetched with what its provider said is needed."""
    limit = Sizes().response
    found = yield from download(url, limit=limit, trusted_hosts=trusted_hosts, headers=headers)
    return found.data


def access_to(value: Any) -> dict[str, str]:
    """What the server of a response's files wants to be told; these are credentials."""
    options = getattr(value, "options", None)
    if not isinstance(options, Mapping):
        return {}
    given = options.get("headers")
    found = {str(n): str(v) for n, v in given.items()} if isinstance(given, Mapping) else {}
    cookies = options.get("cookies")
    if isinstance(cookies, Mapping) and cookies:
        found["cookie"] = "; ".join(f"{name}={each}" for name, each in cookies.items())
    return found


__all__ = ["access_to", "fetched", "file_bytes"]
