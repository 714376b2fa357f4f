"""Uploads and downloads files (docs/protocols/gradio-space.md, section 7).

A path that the server returns is sent back unchanged; it is never opened or built here.
"""

from __future__ import annotations

from collections.abc import Sequence

from langchain_g4f.core.chat_request import Media, Message, RemoteMedia
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.events import Progress
from langchain_g4f.core.http import JSON, Part, Request, RetryWhen
from langchain_g4f.core.limits import MIB, Sizes
from langchain_g4f.core.plan import PlanOf, send
from langchain_g4f.core.urls import is_below, segment
from langchain_g4f.errors import MalformedStreamError
from langchain_g4f.media.documents import without_markers
from langchain_g4f.media.download import download
from langchain_g4f.providers.gradio_space.app import App
from langchain_g4f.providers.gradio_space.config import SpaceConfig
from langchain_g4f.providers.gradio_space.content import FILE_META

BATCH = MIB
"""Bytes after which an upload continues in another request, so that progress is visible."""

FileData = dict[str, JSON]


def fetch_media(
    messages: Sequence[Message], context: CallContext, trusted_hosts: tuple[str, ...]
) -> PlanOf[list[Media]]:
    """The files of ``messages``, each once; remote ones are downloaded."""
    limit = context.limits.sizes.attachment
    files: dict[str, Media] = {}
    for item in (item for message in messages for item in message.media):
        if isinstance(item, RemoteMedia):
            remote = yield from download(item.url, limit=limit, trusted_hosts=trusted_hosts)
            file = without_markers(remote)
        else:
            file = item
        files.setdefault(file.digest, file)
    return list(files.values())


def upload(
    files: Sequence[Media], app: App, config: SpaceConfig, context: CallContext, session_hash: str
) -> PlanOf[list[FileData]]:
    """Upload ``files`` and return their ``FileData``, in the same order.

    Raises:
        MalformedStreamError: The response does not name a path for each file (section 2).
    """
    if not files:
        return []
    found: list[FileData] = []
    total, sent = sum(len(file.data) for file in files), 0
    yield _progress(sent, total, len(files))
    batch: list[Media] = []
    for at, file in enumerate(files, 1):
        batch.append(file)
        size = sum(len(each.data) for each in batch)
        if size < BATCH and at < len(files):
            continue
        paths = yield from _send(batch, app, config, context, session_hash)
        found += [_file_data(f, path, app, config) for f, path in zip(batch, paths, strict=True)]
        sent += size
        yield _progress(sent, total, len(files))
        batch = []
    return found


def fetch(url: str, config: SpaceConfig, trusted_hosts: tuple[str, ...]) -> PlanOf[bytes]:
    """The bytes of a file of an answer; credentials go to the app only."""
    limit = Sizes().attachment
    if not is_below(config.base_url, url):
        return (yield from download(url, limit=limit, trusted_hosts=trusted_hosts)).data
    request = Request("GET", url, config.headers, retry=RetryWhen.ALWAYS, phase="fetch a file")
    return (yield from send(lambda: request, limit=limit)).body


def _progress(sent: int, total: int, files: int) -> Progress:
    message = f"{sent} of {total} bytes uploaded"
    return Progress("upload", message, {"sent": sent, "total": total, "files": files})


def _send(
    files: Sequence[Media], app: App, config: SpaceConfig, context: CallContext, session_hash: str
) -> PlanOf[list[str]]:
    boundary = context.new_id().replace("-", "")
    request = Request(
        "POST",
        f"{config.api(app)}/upload?upload_id={segment(session_hash)}",
        {**config.headers, "content-type": f"multipart/form-data; boundary={boundary}"},
        tuple(Part("files", file.data, file.name, file.mime_type) for file in files),
        RetryWhen.ALWAYS,  # the server names a file by its digest: a second upload is the same
        "upload the files",
    )
    paths = (yield from send(lambda: request)).json()
    if not isinstance(paths, list) or len(paths) != len(files) or not all(map(_is_path, paths)):
        raise MalformedStreamError(
            f"the upload of {len(files)} files was not answered with their paths"
        )
    return [str(path) for path in paths]


def _is_path(path: JSON) -> bool:
    if not isinstance(path, str) or not path or "://" in path or "\0" in path:
        return False
    return ".." not in path.replace("\\", "/").split("/")


def _file_data(file: Media, path: str, app: App, config: SpaceConfig) -> FileData:
    return {
        "path": path,
        "url": f"{config.api(app)}/file={path}",
        "orig_name": file.name,
        "size": len(file.data),
        "mime_type": file.mime_type,
        "meta": dict(FILE_META),
    }
