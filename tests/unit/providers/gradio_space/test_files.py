"""Uploads and downloads of files (docs/protocols/gradio-space.md, section 7)."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f.core.chat_request import Media, Message, RemoteMedia
from langchain_g4f.core.events import Progress
from langchain_g4f.core.http import Part, Request, RetryWhen
from langchain_g4f.core.limits import MIB
from langchain_g4f.errors import BadRequestError, BlockedURLError, MalformedStreamError
from langchain_g4f.providers.gradio_space.config import SpaceConfig
from langchain_g4f.providers.gradio_space.files import fetch, fetch_media, upload
from tests.unit.providers.gradio_space.apps import app
from tests.unit.providers.gradio_space.fake_space import APP, FakeSpace
from tests.unit.providers.gradio_space.replies import Reply, reply

CONFIG = SpaceConfig(base_url=APP, token="hf_token", referer="https://page")
PNG = Media(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png", "pic.png")
WAV = Media(b"RIFF....WAVE", "audio/wav", "s.wav")


def put(fake: FakeSpace, *files: Media) -> tuple[list[dict[str, Any]], list[Any]]:
    """Upload files; the progress, and their ``FileData``."""
    events, found = fake.all_of(upload(files, app([], []), CONFIG, fake.context, "hash"))
    assert all(isinstance(event, Progress) and event.kind == "upload" for event in events)
    return [event.data for event in events if isinstance(event, Progress)], found


def test_file_is_uploaded_as_a_part_and_named_by_its_path() -> None:
    """The path goes back unchanged; without files there is no request."""
    path, size = "/srv/abc/e vil.png", len(PNG.data)
    fake = FakeSpace({"upload": reply([path])})
    assert put(fake) == ([], [])
    told, (found,) = put(fake, PNG)
    assert found == {
        "path": path,
        "url": f"{APP}/gradio_api/file={path}",
        "orig_name": "pic.png",
        "size": size,
        "mime_type": "image/png",
        "meta": {"_type": "gradio.FileData"},
    }
    (request,) = fake.requests
    assert request.url == f"{APP}/gradio_api/upload?upload_id=hash"
    assert request.body == (Part("files", PNG.data, "pic.png", "image/png"),)
    assert request.headers == {
        "referer": "https://page",
        "authorization": "Bearer hf_token",
        "content-type": "multipart/form-data; boundary=id1",
    }
    assert request.retry is RetryWhen.ALWAYS
    assert told == [{"sent": sent, "total": size, "files": 1} for sent in (0, size)]


def test_files_are_uploaded_in_batches() -> None:
    """Small files share a request; progress follows each."""
    small, large = Media(b"x" * (MIB // 2), "image/png", "s"), Media(b"x" * MIB, "image/png", "l")

    def answer(request: Request) -> Reply:
        names = [part.filename for part in request.body if isinstance(part, Part)]
        return reply([f"/{len(names)}{name}" for name in names])

    fake = FakeSpace({"upload": answer})
    told, found = put(fake, small, small, small, large, small)
    assert [file["path"] for file in found] == ["/2s", "/2s", "/2s", "/2l", "/1s"]
    assert [each["sent"] for each in told] == [0, MIB, MIB * 5 // 2, MIB * 3]
    boundaries = {request.headers["content-type"] for request in fake.requests}
    assert len(boundaries) == len(fake.requests) == 3


@pytest.mark.proves("obligation:gradio-space:19", "fault:48:PH")
@pytest.mark.parametrize(
    "paths",
    [
        [],
        ["/a", "/b"],
        "/a",
        None,
        {"path": "/a"},
        [None],
        [""],
        ["/a/../b"],
        ["..\\b"],
        ["/a\0b"],
        ["https://elsewhere/a"],
    ],
)
def test_upload_without_a_path_for_each_file_is_an_error(paths: Any) -> None:
    """An empty list is a server's way to refuse; a path must not lead elsewhere."""
    with pytest.raises(MalformedStreamError, match="upload of 1 files"):
        put(FakeSpace({"upload": reply(paths)}), PNG)
    text = b"File size exceeded maximum allowed size of 5 bytes."
    fake = FakeSpace({"upload": Reply(text, 413, "text/plain; charset=utf-8")})
    with pytest.raises(BadRequestError, match=r"413.*maximum allowed size"):
        put(fake, PNG)


@pytest.mark.proves("fault:45:PH")
def test_remote_files_are_fetched_without_credentials() -> None:
    """Each once, in order; from a private address only if its host is trusted."""
    fake = FakeSpace({"pic.png": Reply(PNG.data, kind="image/png")})
    there = RemoteMedia("https://files.example/pic.png")
    messages = [Message("user", "", (WAV, there, WAV)), Message("user", "", (WAV,))]
    found = fake.result(fetch_media(messages, fake.context, ()))
    assert [(file.mime_type, file.data) for file in found] == [
        ("audio/wav", WAV.data),
        ("image/png", PNG.data),
    ]
    assert "authorization" not in fake.requests[0].headers
    inside = [Message("user", "", (RemoteMedia("http://127.0.0.1/pic.png"),))]
    with pytest.raises(BlockedURLError):
        fake.result(fetch_media(inside, fake.context, ()))
    assert len(fake.requests) == 1
    assert fake.result(fetch_media(inside, fake.context, ("127.0.0.1",)))[0].data == PNG.data


@pytest.mark.parametrize(
    ("url", "trusted", "identified"),
    [
        (f"{APP}/gradio_api/file=/pic.png", (), True),
        ("https://cdn.example/gradio_api/file=/pic.png", (), False),
        (f"{APP}.evil.example/gradio_api/file=/pic.png", (), False),
        ("http://127.0.0.1/gradio_api/file=/pic.png", ("127.0.0.1",), False),
    ],
)
def test_file_of_an_answer_is_fetched_with_credentials_from_the_app_only(
    url: str, trusted: tuple[str, ...], *, identified: bool
) -> None:
    """The whole host has to be the app's."""
    fake = FakeSpace({"file=/pic.png": Reply(PNG.data)})
    assert fake.result(fetch(url, CONFIG, trusted)) == PNG.data
    assert ("authorization" in fake.requests[-1].headers) is identified
    with pytest.raises(BlockedURLError):
        fake.result(fetch("http://127.0.0.1/pic.png", CONFIG, ()))
