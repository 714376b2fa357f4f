"""Images and files of a call, in every form a caller may have them, as `Media`.

LangChain reads the forms of content blocks (its own, OpenAI's, Anthropic's) and gives one;
what the bytes are is found by looking at them, for names and labels may be wrong.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from langchain_core.messages import BaseMessage, HumanMessage

from langchain_g4f.core.chat_request import Media, RemoteMedia
from langchain_g4f.core.limits import Sizes
from langchain_g4f.errors import ConfigurationError, UnsupportedMediaError
from langchain_g4f.media.data_url import is_media_type, parse_data_url
from langchain_g4f.media.sniff import sniff

_FILE_BLOCKS = ("image", "audio", "video", "file", "text-plain")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TEXT_LABELS = ("application/json", "application/xml", "application/csv")
"""Labels, besides ``text/...``, that say more of a text than its bytes do."""


def message_media(message: BaseMessage) -> tuple[Media | RemoteMedia, ...]:
    """The images and files among the content blocks of ``message``.

    Raises:
        UnsupportedMediaError: A block is of a kind that cannot be sent, or has no content.
    """
    if isinstance(message.content, str):
        return ()
    return tuple(_blocks(message.content))


def standard_blocks(message: BaseMessage) -> Sequence[Mapping[str, Any]]:
    """The content blocks of ``message``, as langchain-core reads them.

    Raises:
        UnsupportedMediaError: It cannot, for a block says what it is and has no content.
    """
    with suppress(AttributeError, LookupError, TypeError, ValueError):
        return message.content_blocks
    msg = f"a {message.type} message has content that cannot be read"
    raise UnsupportedMediaError(msg)


def _blocks(content: Sequence[str | dict[Any, Any]]) -> Iterator[Media | RemoteMedia]:
    for given in content:
        if isinstance(given, dict) and isinstance(given.get("data"), bytes):
            yield as_media(given["data"], _name(given), _label(given))
            continue
        (block,) = standard_blocks(HumanMessage(content=[_readable(given)]))
        if block["type"] == "text":
            continue
        if block["type"] not in _FILE_BLOCKS:
            kind = given.get("type") if isinstance(given, dict) else type(given).__name__
            msg = f"content of type {kind!r} cannot be sent"
            raise UnsupportedMediaError(msg)
        yield _file(dict(block))


def _readable(given: str | dict[Any, Any]) -> str | dict[Any, Any]:
    """A block in a form of LangChain's own, where langchain-core does not read it right."""
    match given:
        case {"type": "image_url" | "input_image", "image_url": str(url)}:
            return {"type": "image", "url": url}
        case {"type": "file", "file": {"file_data": str(url), **more}} | {
            "type": "input_file",
            "file_data": str(url),
            **more,
        } if url.startswith("data:"):
            return {"type": "file", "url": url, "filename": more.get("filename")}
        case _:
            return given


def _file(block: Mapping[str, Any]) -> Media | RemoteMedia:
    name, label = _name(block), _label(block)
    if isinstance(block.get("base64"), bytes):
        return _as_said(block, as_media(block["base64"], name, label))
    if isinstance(block.get("base64"), str):
        data = _decoded(block["base64"], block["type"])
        return _as_said(block, as_media(data, name, label))
    if isinstance(block.get("text"), str):
        return as_media(_encoded(block["text"]), name or "text.txt", label or "text/plain")
    url = block.get("url")
    if isinstance(url, str) and url.startswith("data:"):
        data, label = parse_data_url(url, Sizes().attachment)
        return _as_said(block, as_media(data, name, label))
    if isinstance(url, str) and url:
        return RemoteMedia(url, label or ("image/*" if block["type"] == "image" else ""))
    msg = f"the {block['type']} block has neither base64 nor a URL; file ids have no meaning here"
    raise UnsupportedMediaError(msg)


def _as_said(block: Mapping[str, Any], media: Media) -> Media:
    """``media``, unless it is what a block calls an image and its bytes are none."""
    if block["type"] == "image" and not media.mime_type.startswith("image/"):
        msg = f"an image block has {media.mime_type}, which is no image"
        raise UnsupportedMediaError(msg)
    return media


def _encoded(text: str) -> bytes:
    with suppress(UnicodeEncodeError):
        return text.encode()
    msg = "the text of a block has half of a surrogate pair, which cannot be sent"
    raise UnsupportedMediaError(msg)


def _decoded(text: str, kind: str) -> bytes:
    with suppress(ValueError):  # binascii.Error is one
        return base64.b64decode(text, validate=True)
    msg = f"the base64 content of the {kind} block cannot be decoded"
    raise UnsupportedMediaError(msg)


def _name(block: Mapping[str, Any]) -> str:
    extras = block.get("extras") or block.get("metadata") or {}
    for source in (block, extras):
        for key in ("filename", "name", "title"):
            if isinstance(source, Mapping) and isinstance(source.get(key), str):
                return PurePosixPath(str(source[key])).name
    return ""


def _label(block: Mapping[str, Any]) -> str:
    label = str(block.get("mime_type") or "")
    if label and (_CONTROL.search(label) or not is_media_type(label.partition(";")[0])):
        msg = f"mime_type: {label[:50]!r} is no media type such as 'image/png'"
        raise UnsupportedMediaError(msg)
    return label


def as_media(data: bytes, name: str = "", label: str = "") -> Media:
    """Bytes as `Media`; ``label`` counts only where the bytes do not tell what they are."""
    if not data:
        msg = f"the file {name!r} is empty"
        raise UnsupportedMediaError(msg)
    if _CONTROL.search(name):
        msg = f"the name of a file has a control character: {name[:50]!r}"
        raise UnsupportedMediaError(msg)
    found = sniff(data)
    textual = label.startswith("text/") or label in _TEXT_LABELS
    if not found or (found == "text/plain" and textual):
        found = label or found or "application/octet-stream"
    return Media(data, found, name or f"file.{found.rpartition('/')[2].partition('+')[0]}")


def given_media(given: object) -> tuple[Media | RemoteMedia, ...]:
    """The files of a call's ``media=``: pairs of a thing and its name, or things alone.

    A thing is bytes, a path, an open file, a PIL image, a URL, or a file that was read by this
    function.

    Raises:
        ConfigurationError: It is something else.
    """
    if given is None:
        return ()
    if not isinstance(given, Sequence) or isinstance(given, (str, bytes)):
        msg = "media: expected a list of (bytes, path, open file or PIL image, name)"
        raise ConfigurationError(msg)
    found: list[Media | RemoteMedia] = []
    for item in given:
        if isinstance(item, Media | RemoteMedia):
            found.append(item)
            continue
        thing, name = item if isinstance(item, tuple) and len(item) == 2 else (item, None)
        if not isinstance(name, str | None):
            msg = f"media: the name of a file is text, not {type(name).__name__}"
            raise ConfigurationError(msg)
        found.append(replace(_thing(thing, name or ""), in_history=False))
    return tuple(found)


def given_files(given: object) -> object:
    """The value of an input as `Media`, if it is a file or a list of files; otherwise itself."""
    items = given if isinstance(given, list) and given else [given]
    if not all(isinstance(each, Path | bytes) or hasattr(each, "save") for each in items):
        return given
    return given_media(items)


def _thing(thing: Any, name: str) -> Media | RemoteMedia:
    if isinstance(thing, (bytes, bytearray)):
        return as_media(bytes(thing), name)
    if isinstance(thing, str) and urlsplit(thing).scheme in ("http", "https"):
        return RemoteMedia(thing)
    if isinstance(thing, str) and thing.startswith("data:"):
        data, label = parse_data_url(thing, Sizes().attachment)
        return as_media(data, name, label)
    if isinstance(thing, str):
        msg = f"media: text is a URL here; a file is given by its path, as Path({thing[:80]!r})"
        raise ConfigurationError(msg)
    if isinstance(thing, Path):
        return as_media(thing.read_bytes(), name or thing.name)
    if callable(getattr(thing, "read", None)):
        data = thing.read()
        path = getattr(thing, "name", "")
        if isinstance(data, bytes):
            return as_media(data, name or (Path(path).name if isinstance(path, str) else ""))
    if callable(getattr(thing, "save", None)):
        return as_media(_as_png(thing), name or "image.png")
    msg = f"media: {type(thing).__name__} is neither bytes, path, binary file nor PIL image"
    raise ConfigurationError(msg)


def _as_png(image: Any) -> bytes:
    """A PIL image as a file, with all of its pixels."""
    found = io.BytesIO()
    try:
        image.save(found, format="PNG")
    except OSError:  # there is no PNG in some modes, CMYK for one
        found = io.BytesIO()
        image.convert("RGB").save(found, format="PNG")
    return found.getvalue()


__all__ = ["as_media", "given_files", "given_media", "message_media", "standard_blocks"]
