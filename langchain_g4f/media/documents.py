"""Text files, which a service puts into the prompt."""

from __future__ import annotations

from dataclasses import replace

from langchain_g4f.core.chat_request import Media
from langchain_g4f.text.escape import escape

_TEXTS = ("application/json", "application/xml", "application/csv")


def is_text(mime_type: str) -> bool:
    """Whether a file of this type is a text."""
    return mime_type.startswith("text/") or mime_type in _TEXTS


def without_markers(media: Media, nonce: str = "") -> Media:
    """The file with its name and its text escaped; see `langchain_g4f.text.escape`.

    Bytes that are not UTF-8 stay as they are.
    """
    data = media.data
    if is_text(media.mime_type):
        text = data.decode(errors="surrogateescape")
        data = escape(text, nonce).encode(errors="surrogateescape")
    return replace(media, data=data, name=escape(media.name, nonce))


__all__ = ["is_text", "without_markers"]
