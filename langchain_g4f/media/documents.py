"""Files that are texts: a service puts them into the prompt, or a part of it."""

from __future__ import annotations

from dataclasses import replace

from langchain_g4f.core.chat_request import Media
from langchain_g4f.text.escape import escape

_TEXTS = ("application/json", "application/xml", "application/csv")


def is_text(mime_type: str) -> bool:
    """Whether a file of this type is a text."""
    return mime_type.startswith("text/") or mime_type in _TEXTS


def without_markers(media: Media, nonce: str = "") -> Media:
    """A file whose name, and whose text if it is one, has nothing that a model may misread.

    See `langchain_g4f.text.escape`. A text in another encoding than UTF-8 stays as it is.
    """
    data = media.data
    if is_text(media.mime_type):
        text = data.decode(errors="surrogateescape")
        data = escape(text, nonce).encode(errors="surrogateescape")
    return replace(media, data=data, name=escape(media.name, nonce))


__all__ = ["is_text", "without_markers"]
