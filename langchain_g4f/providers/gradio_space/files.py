"""Uploads files, and says how the app names them (docs/protocols/gradio-space.md, section 7).

What the app would refuse, or drop without a word, is refused before anything is sent.
A path the server gives is passed back as it is, and never opened or built here.
"""

from __future__ import annotations

import mimetypes
from typing import TYPE_CHECKING

from langchain_g4f.core.chat_request import Media, RemoteMedia
from langchain_g4f.core.events import Progress
from langchain_g4f.core.http import Part, Request, RetryWhen
from langchain_g4f.core.limits import MIB, Sizes
from langchain_g4f.core.plan import send
from langchain_g4f.core.urls import is_below, segment
from langchain_g4f.errors import (
    MalformedStreamError,
    MediaTooLargeError,
    UnsupportedMediaError,
)
from langchain_g4f.media.documents import without_markers
from langchain_g4f.media.download import download
from langchain_g4f.providers.gradio_space.app import BOXES
from langchain_g4f.providers.gradio_space.content import FILE_META

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_g4f.core.chat_request import Message
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.http import JSON
    from langchain_g4f.core.plan import PlanOf
    from langchain_g4f.providers.gradio_space.app import App, Component
    from langchain_g4f.providers.gradio_space.where import Where

BATCH = MIB
"""Bytes after which an upload is continued by another request, so that progress shows."""

FileData = dict[str, "JSON"]


def media_of(
    messages: Sequence[Message], context: CallContext, trusted_hosts: tuple[str, ...]
) -> PlanOf[list[list[Media]]]:
    """The files of each message, fetched where they are elsewhere."""
    limit = context.limits.sizes.attachment
    found = []
    for message in messages:
        files: list[Media] = []
        for item in message.media:
            if isinstance(item, RemoteMedia):
                fetch = download(item.url, limit=limit, trusted_hosts=trusted_hosts)
                item = without_markers((yield from fetch))  # noqa: PLW2901
            files.append(item)
        found.append(files)
    return found


def check_kinds(messages: Sequence[Message], where: Where) -> None:
    """Refuse what the Space is known not to take, before anything is sent.

    Raises:
        UnsupportedMediaError: A file is of such a kind.
    """
    for file in (file for message in messages for file in message.media):
        if where.takes and isinstance(file, Media) and not _is_among(file, where.takes):
            raise _not_taken(file, where.takes)


def check_files(
    files: Sequence[Media], box: Component, app: App, where: Where, context: CallContext
) -> None:
    """Refuse what the message box does not take.

    Raises:
        UnsupportedMediaError: The app takes no files, not of this kind, or not so many.
        MediaTooLargeError: A file is larger than the app takes.
    """
    if files and box.type != BOXES[0]:
        msg = "the app takes text only: its message box has no place for files"
        raise UnsupportedMediaError(msg)
    if len(files) > 1 and box.props.get("file_count") == "single":
        msg = f"the app takes one file in a message, not {len(files)}"
        raise UnsupportedMediaError(msg)
    limit = min(context.limits.sizes.attachment, app.file_limit or context.limits.sizes.attachment)
    for file in files:
        if not _is_taken(file, box, where.takes):
            raise _not_taken(file, where.takes or tuple(map(str, _kinds(box))))
        if len(file.data) > limit:
            msg = f"{file.name} has {len(file.data)} bytes, the limit is {limit}"
            raise MediaTooLargeError(msg)


def _kinds(box: Component) -> list[JSON]:
    kinds = box.props.get("file_types")
    return kinds if isinstance(kinds, list) else []


def _not_taken(file: Media, kinds: tuple[str, ...]) -> UnsupportedMediaError:
    taken = ", ".join(kinds)
    return UnsupportedMediaError(f"the app takes {taken}, not {file.mime_type} ({file.name})")


def _is_among(file: Media, kinds: tuple[str, ...]) -> bool:
    """Whether a file is of these kinds; a drawing that can hold scripts is no image."""
    return file.mime_type.startswith(kinds) and file.mime_type != "image/svg+xml"


def _is_taken(file: Media, box: Component, takes: tuple[str, ...]) -> bool:
    if takes:
        return _is_among(file, takes)
    kinds = [str(kind).lower() for kind in _kinds(box)]
    if not kinds or "file" in kinds:
        return True
    endings = {
        f".{file.name.lower().rpartition('.')[2]}",
        *mimetypes.guess_all_extensions(file.mime_type),
    }
    family = file.mime_type.partition("/")[0]
    return bool({family, f"{family}/*", file.mime_type, *endings} & set(kinds))


def upload(
    files: Sequence[Media], app: App, where: Where, context: CallContext, session_hash: str
) -> PlanOf[list[FileData]]:
    """Put ``files`` on the server; what the app calls them, in their order.

    Raises:
        MalformedStreamError: The answer does not name each of them (section 2).
    """
    if not files:
        return []
    found: list[FileData] = []
    total, sent = sum(len(file.data) for file in files), 0
    yield _progress(sent, total, len(files))
    batch: list[Media] = []
    for at, file in enumerate(files):
        batch.append(file)
        size = sum(len(each.data) for each in batch)
        if size < BATCH and at + 1 < len(files):
            continue
        paths = yield from _send(batch, app, where, context, session_hash)
        found += [_file_data(f, path, app, where) for f, path in zip(batch, paths, strict=True)]
        sent += size
        yield _progress(sent, total, len(files))
        batch = []
    return found


def fetch(url: str, where: Where, trusted_hosts: tuple[str, ...]) -> PlanOf[bytes]:
    """The bytes of a file of an answer, with the caller's identity only from the app."""
    limit = Sizes().attachment
    if not is_below(where.base_url, url):
        return (yield from download(url, limit=limit, trusted_hosts=trusted_hosts)).data
    request = Request("GET", url, where.headers, retry=RetryWhen.ALWAYS, phase="fetch a file")
    return (yield from send(lambda: request, limit=limit)).body


def _progress(sent: int, total: int, files: int) -> Progress:
    said = f"{sent} of {total} bytes uploaded"
    return Progress("upload", said, {"sent": sent, "total": total, "files": files})


def _send(
    files: Sequence[Media], app: App, where: Where, context: CallContext, session_hash: str
) -> PlanOf[list[str]]:
    boundary = context.new_id().replace("-", "")
    request = Request(
        "POST",
        f"{where.api(app)}/upload?upload_id={segment(session_hash)}",
        {**where.headers, "content-type": f"multipart/form-data; boundary={boundary}"},
        tuple(Part("files", file.data, file.name, file.mime_type) for file in files),
        RetryWhen.ALWAYS,  # a file that is there twice is there once: its bytes are its name
        "upload the files",
    )
    paths = (yield from send(lambda: request)).json()
    if not isinstance(paths, list) or len(paths) != len(files) or not all(map(_is_path, paths)):
        msg = f"the upload of {len(files)} files was not answered with their paths"
        raise MalformedStreamError(msg)
    return [str(path) for path in paths]


def _is_path(path: JSON) -> bool:
    if not isinstance(path, str) or not path or "://" in path or "\0" in path:
        return False
    return ".." not in path.replace("\\", "/").split("/")


def _file_data(file: Media, path: str, app: App, where: Where) -> FileData:
    return {
        "path": path,
        "url": f"{where.api(app)}/file={path}",
        "orig_name": file.name,
        "size": len(file.data),
        "mime_type": file.mime_type,
        "meta": dict(FILE_META),
    }


__all__ = ["check_files", "check_kinds", "fetch", "media_of", "upload"]
