"""Files that go with a message (docs/protocols/huggingchat.md, sections 5.4 and 8).

The server silently drops files that it cannot use. They are refused here: images for a model that
takes none, files that are neither image nor text, files that are too large.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING

from langchain_g4f.core.chat_request import Media, RemoteMedia
from langchain_g4f.core.http import Part
from langchain_g4f.core.limits import MIB
from langchain_g4f.errors import MediaTooLargeError, UnsupportedMediaError
from langchain_g4f.media.documents import is_text, without_markers
from langchain_g4f.media.download import download
from langchain_g4f.media.sniff import sniff
from langchain_g4f.providers.huggingchat.reader import NAME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langchain_g4f.core.chat_request import Message
    from langchain_g4f.core.plan import PlanOf

FILE_LIMIT = 10 * MIB
"""Largest size of one file in bytes, decoded."""
BODY_LIMIT = 15 * MIB
"""Largest size of a whole message in bytes, with its files in base64."""
_PASTED = "application/vnd.chatui.clipboard"
"""The only type whose text reaches the model on servers up to September 2025."""


def is_image(media: Media | RemoteMedia) -> bool:
    """Whether the file needs a multimodal model; a file of unknown type may."""
    if isinstance(media, RemoteMedia) and not media.mime_type:
        return True
    return media.mime_type.startswith("image/")


def files_of(messages: Sequence[Message]) -> tuple[Media, ...]:
    """The files of these messages; a file that several messages have is there once."""
    found: list[Media] = []
    for message in messages:
        earlier = {media.digest for media in found}
        own = [media for media in message.media if isinstance(media, Media)]
        found += [media for media in own if media.digest not in earlier]
    return tuple(found)


def with_files_fetched(
    messages: Sequence[Message], trusted_hosts: tuple[str, ...]
) -> PlanOf[tuple[Message, ...]]:
    """These messages with the bytes of their files, after all files were checked.

    Raises:
        MediaError: A file cannot be downloaded or sent.
    """
    found = []
    for message in messages:
        media: tuple[Media, ...] = ()
        for item in message.media:
            media += ((yield from _fetched(item, trusted_hosts)),)
        found.append(replace(message, media=media))
    check_files(files_of(found))
    return tuple(found)


def _fetched(item: Media | RemoteMedia, trusted_hosts: tuple[str, ...]) -> PlanOf[Media]:
    if isinstance(item, Media):
        return item
    found = yield from download(item.url, limit=FILE_LIMIT, trusted_hosts=trusted_hosts)
    if item.mime_type.startswith("image/") and not is_image(found):
        msg = f"{NAME}: an image block names {found.mime_type}, which is no image ({found.name})"
        raise UnsupportedMediaError(msg)
    return without_markers(found)


def check_files(files: Sequence[Media]) -> None:
    """Refuse files that the server would drop or reject.

    Raises:
        UnsupportedMediaError: A file is neither an image nor text.
        MediaTooLargeError: A file, or all together, are too large.
    """
    for file in files:
        if not _is_taken(file):
            msg = f"{NAME}: takes images and text, not {file.mime_type or 'unknown'} ({file.name})"
            raise UnsupportedMediaError(msg)
        if len(file.data) > FILE_LIMIT:
            msg = f"{NAME}: {file.name} has {len(file.data)} bytes, the limit is {FILE_LIMIT}"
            raise MediaTooLargeError(msg)
    whole = sum(len(file.data) * 4 // 3 for file in files)
    if whole > BODY_LIMIT:
        msg = f"{NAME}: the files have {whole} bytes in base64, the limit is {BODY_LIMIT}"
        raise MediaTooLargeError(msg)


def _is_taken(file: Media) -> bool:
    if is_image(file):  # the server looks at the bytes, and takes a drawing for a text
        found = sniff(file.data)
        return found.startswith("image/") and found != "image/svg+xml"
    return is_text(file.mime_type)


def file_parts(files: Sequence[Media], known: Mapping[str, str]) -> tuple[Part, ...]:
    """The parts of a message for its files.

    Args:
        files: The files of the message.
        known: The server's names of files in this conversation, by SHA-256.
    """
    return tuple(_part(file, known.get(file.digest, "")) for file in files)


def _part(file: Media, stored: str) -> Part:
    kind = file.mime_type if is_image(file) else _PASTED
    if stored:
        return Part("files", stored.encode(), f"hash;{file.name}", kind)
    return Part("files", base64.b64encode(file.data), f"base64;{file.name}", kind)


__all__ = [
    "BODY_LIMIT",
    "FILE_LIMIT",
    "check_files",
    "file_parts",
    "files_of",
    "is_image",
    "with_files_fetched",
]
