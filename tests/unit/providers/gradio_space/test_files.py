"""Files on their way to an app and from it (docs/protocols/gradio-space.md, section 7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from langchain_g4f.core.chat_request import Media, Message, RemoteMedia
from langchain_g4f.core.events import Progress
from langchain_g4f.core.http import Part, Request, RetryWhen
from langchain_g4f.core.limits import MIB, Limits, Sizes
from langchain_g4f.errors import (
    BadRequestError,
    BlockedURLError,
    MalformedStreamError,
    MediaTooLargeError,
    UnsupportedMediaError,
)
from langchain_g4f.providers.gradio_space import App, Component, SpaceConfig, fetch
from langchain_g4f.providers.gradio_space.capabilities import check_file_types, check_files
from langchain_g4f.providers.gradio_space.files import fetch_media, upload
from tests.unit.providers.gradio_space import apps
from tests.unit.providers.gradio_space.fake_space import APP, FakeSpace, path_of
from tests.unit.providers.gradio_space.replies import Reply, reply

WHERE = SpaceConfig(base_url=APP, token="hf_token", referer="https://page")
PNG = Media(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png", "pic.png")
WAV = Media(b"RIFF....WAVE", "audio/wav", "s.wav")
PDF = Media(b"%PDF-1.7", "application/pdf", "d.pdf")
SVG = Media(b"<svg/>", "image/svg+xml", "d.svg")
PHI4 = replace(WHERE, file_types=("image/", "audio/"))


def box(**props: Any) -> Component:
    """Make a message box that takes files."""
    return Component(2, "multimodaltextbox", "", props)


def some_app(**more: Any) -> App:
    """Make any app."""
    return apps.app([], [], **more)


def check(
    *files: Media, where: SpaceConfig = WHERE, limit: int | None = None, **props: Any
) -> None:
    """Check the files for a box."""
    app = some_app(max_file_size=limit)
    check_files(files, box(**props), app, where, FakeSpace().context)


@pytest.mark.parametrize(
    "kinds",
    [
        None,
        [],
        ["file"],
        ["image"],
        ["Image/*"],
        ["image/png"],
        [".PNG"],
        ["audio", ".png"],
        "image",
        [7, "image"],
    ],
)
def test_file_of_a_kind_the_box_takes_is_fine(kinds: Any) -> None:
    """By family, type or ending, in any case of letters."""
    check(PNG, file_types=kinds)


def test_ending_of_the_type_counts_where_the_name_has_another() -> None:
    """The bytes say what it is."""
    check(replace(PNG, name="picture"), file_types=[".png"])


@pytest.mark.parametrize("kinds", [["audio"], [".jpg"], ["image/jpeg"], ["text", ".csv"]])
@pytest.mark.proves("fault:49:PH")
def test_file_of_another_kind_is_refused_with_what_is_taken(kinds: list[str]) -> None:
    """Before anything is sent."""
    said = f"takes {', '.join(kinds)}, not image/png \\(pic.png\\)"
    with pytest.raises(UnsupportedMediaError, match=said):
        check(PNG, file_types=kinds)


def test_what_a_space_is_known_to_take_goes_before_what_its_box_says() -> None:
    """A box takes files that the model cannot read."""
    check(PNG, WAV, where=PHI4, file_types=["video"])
    with pytest.raises(UnsupportedMediaError, match="takes image/, audio/, not application/pdf"):
        check(PDF, where=PHI4)


@pytest.mark.proves("fault:49:PH")
def test_kind_a_space_is_known_not_to_take_is_refused_at_once() -> None:
    """The app need not be asked for that; what is not fetched yet is not known."""
    check_file_types([Message("user", "", (PNG, RemoteMedia("http://x")))], PHI4)
    check_file_types([Message("user", "", (PDF,))], WHERE)
    for file in (PDF, SVG):
        with pytest.raises(UnsupportedMediaError, match=file.mime_type.replace("+", ".")):
            check_file_types([Message("user", ""), Message("user", "", (PNG, file))], PHI4)


def test_box_for_text_takes_no_files() -> None:
    """Without files it is fine."""
    text = Component(2, "textbox", "", {})
    check_files([], text, some_app(), WHERE, FakeSpace().context)
    with pytest.raises(UnsupportedMediaError, match="text only"):
        check_files([PNG], text, some_app(), WHERE, FakeSpace().context)


def test_box_for_one_file_takes_one() -> None:
    """More would be dropped in silence."""
    check(PNG, file_count="single")
    check(PNG, WAV, file_count="multiple")
    with pytest.raises(UnsupportedMediaError, match="one file in a message, not 2"):
        check(PNG, WAV, file_count="single")


@pytest.mark.proves("obligation:gradio-space:19")
def test_larger_file_than_the_app_takes_is_refused() -> None:
    """By its own limit or ours, the smaller."""
    size = len(PNG.data)
    check(PNG, limit=size)
    with pytest.raises(MediaTooLargeError, match=f"pic.png has {size} bytes, .* {size - 1}"):
        check(PNG, limit=size - 1)
    world = FakeSpace(limits=Limits(sizes=Sizes(attachment=size - 1)))
    for app in (some_app(max_file_size=100), some_app()):
        with pytest.raises(MediaTooLargeError):
            check_files([PNG], box(), app, WHERE, world.context)


def put(world: FakeSpace, *files: Media) -> tuple[list[dict[str, Any]], list[Any]]:
    """Upload files; what was told, and what came out."""
    steps = upload(files, some_app(), WHERE, world.context, "hash")
    events, found = world.all_of(steps)
    assert all(isinstance(event, Progress) and event.kind == "upload" for event in events)
    return [event.data for event in events if isinstance(event, Progress)], found


def test_file_is_uploaded_as_a_part_and_named_by_its_path() -> None:
    """The path is passed back as it is."""
    path = "/srv/abc/e vil.png"
    world = FakeSpace({"upload": reply([path])})
    told, found = put(world, PNG)
    assert found == [
        {
            "path": path,
            "url": f"{APP}/gradio_api/file={path}",
            "orig_name": "pic.png",
            "size": len(PNG.data),
            "mime_type": "image/png",
            "meta": {"_type": "gradio.FileData"},
        }
    ]
    (request,) = world.requests
    assert request.url == f"{APP}/gradio_api/upload?upload_id=hash"
    assert request.body == (Part("files", PNG.data, "pic.png", "image/png"),)
    assert request.headers == {
        "referer": "https://page",
        "authorization": "Bearer hf_token",
        "content-type": "multipart/form-data; boundary=id1",
    }
    assert request.retry is RetryWhen.ALWAYS
    size = len(PNG.data)
    assert told == [{"sent": sent, "total": size, "files": 1} for sent in (0, size)]


def test_no_files_ask_nothing() -> None:
    """And say nothing."""
    assert put(FakeSpace()) == ([], [])


def test_files_go_in_batches_so_that_progress_shows() -> None:
    """In their order; small ones go together."""
    small, large = Media(b"x" * (MIB // 2), "image/png", "s"), Media(b"x" * MIB, "image/png", "l")

    def answer(request: Request) -> Reply:
        names = [part.filename for part in request.body if isinstance(part, Part)]
        return reply([f"/{len(names)}{name}" for name in names])

    world = FakeSpace({"upload": answer})
    told, found = put(world, small, small, small, large, small)
    assert [file["path"] for file in found] == ["/2s", "/2s", "/2s", "/2l", "/1s"]
    assert [each["sent"] for each in told] == [0, MIB, MIB * 5 // 2, MIB * 3]
    boundaries = {request.headers["content-type"] for request in world.requests}
    assert len(boundaries) == len(world.requests) == 3


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
        [".."],
        ["/a\0b"],
        ["https://elsewhere/a"],
    ],
)
def test_upload_that_is_not_answered_with_its_paths_is_an_error(paths: Any) -> None:
    """An empty list is how a server says that it has not understood."""
    with pytest.raises(MalformedStreamError, match="upload of 1 files"):
        put(FakeSpace({"upload": reply(paths)}), PNG)


@pytest.mark.proves("obligation:gradio-space:19")
def test_upload_the_server_finds_too_large_says_so() -> None:
    """It answers with plain text."""
    text = b"File size exceeded maximum allowed size of 5 bytes."
    world = FakeSpace({"upload": Reply(text, 413, "text/plain; charset=utf-8")})
    with pytest.raises(BadRequestError, match=r"413.*maximum allowed size"):
        put(world, PNG)


def test_files_of_messages_are_fetched_where_they_are_elsewhere() -> None:
    """Each file once, in order."""
    world = FakeSpace({"pic.png": Reply(PNG.data, kind="image/png")})
    there = RemoteMedia("https://files.example/pic.png")
    messages = [
        Message("user", "", (WAV, there)),
        Message("user", "x"),
        Message("user", "", (PNG,)),
    ]
    found = world.result(fetch_media(messages, world.context, ()))
    assert [file.mime_type for file in found] == ["audio/wav", "image/png"]
    assert found[1].data == PNG.data
    assert world.requests[0].headers.get("authorization") is None


@pytest.mark.proves("fault:45:PH")
def test_file_in_a_private_place_is_fetched_only_from_trusted_hosts() -> None:
    """Whoever writes the address may want to reach what only this machine can."""
    message = Message("user", "", (RemoteMedia("http://127.0.0.1/pic.png"),))
    world = FakeSpace({"pic.png": Reply(PNG.data)})
    with pytest.raises(BlockedURLError):
        world.result(fetch_media([message], world.context, ()))
    assert world.requests == []
    found = world.result(fetch_media([message], world.context, ("127.0.0.1",)))
    assert found[0].data == PNG.data


def test_file_of_an_answer_is_fetched_with_the_identity_only_from_the_app() -> None:
    """Another host gets nothing of it."""
    world = FakeSpace({"file=/a": Reply(b"bytes", kind="image/png"), "pic.png": Reply(PNG.data)})
    url = f"{APP}/gradio_api/file=/a"
    assert world.result(fetch(url, WHERE, ())) == b"bytes"
    assert world.requests[-1].headers["authorization"] == "Bearer hf_token"
    assert world.result(fetch("https://cdn.example/pic.png", WHERE, ())) == PNG.data
    assert path_of(world.requests[-1]) == "pic.png"
    assert "authorization" not in world.requests[-1].headers
    with pytest.raises(BlockedURLError):
        world.result(fetch("http://127.0.0.1/pic.png", WHERE, ()))
    assert world.result(fetch("http://127.0.0.1/pic.png", WHERE, ("127.0.0.1",))) == PNG.data


def test_address_that_only_begins_like_the_app_s_is_not_the_app_s() -> None:
    """The whole host counts."""
    world = FakeSpace({"pic.png": Reply(PNG.data)})
    world.result(fetch(f"{APP}.evil.example/pic.png", WHERE, ()))
    assert "authorization" not in world.requests[-1].headers
