"""Every form in which a caller may have a file leads to the same bytes at the model."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.messages import HumanMessage
from langchain_core.messages.content import create_file_block, create_image_block
from PIL import Image

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import ConfigurationError, UnsupportedMediaError
from langchain_g4f.testing import Sandbox
from tests.contract.sandbox.huggingchat.asking import OTHER_MODEL, Generation
from tests.contract.sandbox.huggingchat.pictures import (
    base64_of,
    data_url,
    picture,
    read,
    seen,
    uploads,
)

PNG = picture()


B64 = base64_of(PNG)


@pytest.fixture
def generation() -> Generation:
    """The version of the server makes no difference to these tests."""
    return "current"


@pytest.fixture
def model(sandbox: Sandbox) -> ChatHuggingChat:
    """A model that sees."""
    return ChatHuggingChat(base_url=sandbox.base_url, model=OTHER_MODEL)


THINGS: dict[str, Callable[[Path], Any]] = {
    "bytes": Path.read_bytes,
    "bytearray": lambda path: bytearray(path.read_bytes()),
    "path": lambda path: path,
    "open file": lambda path: io.BytesIO(path.read_bytes()),
    "data URL": lambda path: data_url(path.read_bytes()),
}


@pytest.mark.proves("promise:media-forms")
@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("named", [True, False])
async def test_media_argument_takes_what_a_program_has(
    model: ChatHuggingChat, sandbox: Sandbox, tmp_path: Path, *, thing: str, named: bool
) -> None:
    """A thing and its name, or the thing alone."""
    path = tmp_path / "red.png"
    path.write_bytes(PNG)
    given = THINGS[thing](path)
    await model.ainvoke("what is it", media=[(given, "my.png") if named else given])
    assert seen(sandbox) == [PNG]
    (((kind, _, name),),) = [[f.partition(";") for f in u] for u in uploads(sandbox)]
    assert kind == "base64"
    assert name == ("my.png" if named else ("red.png" if thing == "path" else "file.png"))


@pytest.mark.proves("promise:media-forms")
def test_open_file_keeps_its_name(model: ChatHuggingChat, sandbox: Sandbox, tmp_path: Path) -> None:
    """A file on disk knows what it is called, but not where it lay."""
    path = tmp_path / "red.png"
    path.write_bytes(PNG)
    with path.open("rb") as file:
        model.invoke("what is it", media=[file])
    assert uploads(sandbox) == [["base64;red.png"]]


@pytest.mark.proves("promise:media-forms")
@pytest.mark.parametrize("mode", ["RGBA", "1", "CMYK"])
def test_pil_image_arrives_with_its_pixels(
    model: ChatHuggingChat, sandbox: Sandbox, mode: str
) -> None:
    """Written as PNG, which loses none of them, whatever their form."""
    given = Image.new("RGB", (5, 4), (10, 200, 30)).convert(mode)
    model.invoke("what is it", media=[(given, None)])
    (data,) = seen(sandbox)
    with Image.open(io.BytesIO(data)) as got:
        assert got.format == "PNG"
        assert got.size == (5, 4)
        assert got.convert("RGB").tobytes() == given.convert("RGB").tobytes()


@pytest.mark.proves("promise:media-forms")
@pytest.mark.parametrize("name", ['a "b"; c.png', "żółw 漢.png", "../../x.png"])
async def test_name_cannot_break_out_of_its_place(
    model: ChatHuggingChat, sandbox: Sandbox, name: str
) -> None:
    """Quotes and semicolons in a name leave the form intact."""
    await model.ainvoke("what is it", media=[(PNG, name)])
    assert seen(sandbox) == [PNG]
    (file,) = sandbox.requests[-1].files
    assert file.content == B64.encode()
    assert "x-bad" not in file.content_type.lower()
    assert sandbox.requests[-1].form.keys() == {"data"}


@pytest.mark.proves("promise:media-forms")
@pytest.mark.parametrize(
    "given", ["a.png", b"bytes", 7, [7], [("x", "y", "z")], [(PNG, 7)], [io.StringIO("t")]]
)
async def test_media_that_is_nothing_of_the_kind_is_refused(
    model: ChatHuggingChat, sandbox: Sandbox, given: Any
) -> None:
    """The error says what is expected, and nothing is sent."""
    with pytest.raises(ConfigurationError, match="media"):
        await model.ainvoke("what is it", media=given)
    assert not sandbox.requests


@pytest.mark.parametrize("thing", THINGS)
async def test_cache_of_langchain_knows_a_file_by_its_content(
    model: ChatHuggingChat, sandbox: Sandbox, tmp_path: Path, thing: str
) -> None:
    """Another content is another question, wherever it comes from; the same one is asked once."""
    model.cache = InMemoryCache()
    path, other = tmp_path / "a.png", picture("blue")
    for content in (PNG, PNG, other, PNG):
        path.write_bytes(content)
        await model.ainvoke("what is it", media=[(THINGS[thing](path), "a.png")])
    assert seen(sandbox) == [other]
    assert len(sandbox.prompts) == 2


def test_file_is_read_once_where_answers_are_cached(
    model: ChatHuggingChat, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """For the key and for the question."""
    model.cache = InMemoryCache()
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    read: list[Path] = []

    def read_bytes(self: Path) -> bytes:
        read.append(self)
        return PNG

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    model.invoke("what is it", media=[path])
    assert read == [path]


async def test_name_of_a_file_as_text_is_told_to_be_a_path(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """Text is a URL; nothing is opened that was not meant to be."""
    with pytest.raises(ConfigurationError, match=r"as Path\('photo\.png'\)"):
        await model.ainvoke("what is it", media=["photo.png"])
    assert sandbox.requests == []


NOTES = "Zażółć gęślą jaźń\nline two"


NOTES_B64 = base64_of(NOTES.encode())


PASTED = "application/vnd.chatui.clipboard"


IMAGES: dict[str, Any] = {
    "v1 base64": {"type": "image", "base64": B64, "mime_type": "image/png"},
    "v1 data URL": {"type": "image", "url": data_url(PNG)},
    "v1 made by langchain": create_image_block(base64=B64, mime_type="image/png"),
    "v0 base64": {
        "type": "image",
        "source_type": "base64",
        "data": B64,
        "mime_type": "image/png",
    },
    "v0 data URL": {"type": "image", "source_type": "url", "url": data_url(PNG)},
    "OpenAI chat": {"type": "image_url", "image_url": {"url": data_url(PNG)}},
    "OpenAI chat, detail": {
        "type": "image_url",
        "image_url": {"url": data_url(PNG), "detail": "low"},
    },
    "OpenAI chat, short": {"type": "image_url", "image_url": data_url(PNG)},
    "OpenAI responses": {"type": "input_image", "image_url": data_url(PNG)},
    "Bedrock": {"image": {"format": "png", "source": {"bytes": PNG}}},
    "Anthropic": {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": B64},
    },
    "bytes": {"type": "image", "data": PNG, "mime_type": "image/png"},
    "bytes as base64": {"type": "image", "base64": PNG, "mime_type": "image/png"},
    "Google": {"type": "media", "data": PNG, "mime_type": "image/png"},
    "as a file": {"type": "file", "base64": B64, "mime_type": "image/png"},
}


@pytest.mark.proves("promise:media-forms", "obligation:huggingchat:6")
@pytest.mark.parametrize("form", IMAGES)
async def test_image_block_arrives_as_these_bytes(
    model: ChatHuggingChat, sandbox: Sandbox, form: str
) -> None:
    """LangChain's own forms, old and new, and those of other vendors."""
    content: Any = [{"type": "text", "text": "what is it"}, IMAGES[form]]
    answer = await model.ainvoke([HumanMessage(content=content)])
    assert seen(sandbox) == [PNG]
    assert answer.text.endswith("what is it [images: 1]")
    (file,) = sandbox.requests[-1].files
    assert file.filename.startswith("base64;")
    assert file.content_type == "image/png"
    assert file.content == B64.encode()


@pytest.mark.proves("promise:media-forms")
async def test_two_images_arrive_in_order(model: ChatHuggingChat, sandbox: Sandbox) -> None:
    """Those of the message come before those of the call; each kind is told by its bytes."""
    blue, green = picture("blue", "JPEG"), picture("green", "GIF")
    content: Any = [IMAGES["Anthropic"], "compare", {"type": "image", "url": data_url(blue)}]
    await model.ainvoke([HumanMessage(content=content)], media=[green])
    assert seen(sandbox) == [PNG, blue, green]
    assert [file.content_type for file in sandbox.requests[-1].files] == [
        "image/png",
        "image/jpeg",
        "image/gif",
    ]


@pytest.mark.proves("promise:media-forms")
@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
async def test_wrong_label_is_corrected_by_the_bytes(
    model: ChatHuggingChat, sandbox: Sandbox, kind: str
) -> None:
    """What a block or a name says of itself does not make it so."""
    data = picture(kind=kind)
    labels = ["image/png", "image/bmp", "text/plain", "application/pdf", ""]
    content: Any = [
        {"type": "image", "base64": base64_of(data), "mime_type": label} for label in labels
    ]
    await model.ainvoke([HumanMessage(content=content)], media=[(data, "notes.txt")])
    assert seen(sandbox) == [data] * 6
    found = {file.content_type for file in sandbox.requests[-1].files}
    assert found == {f"image/{kind.lower()}"}


TEXTS: dict[str, Any] = {
    "v1 base64": {"type": "file", "base64": NOTES_B64, "mime_type": "text/plain"},
    "v1 made by langchain": create_file_block(base64=NOTES_B64, mime_type="text/plain"),
    "v1 text": {"type": "text-plain", "text": NOTES, "mime_type": "text/plain"},
    "v1 data URL": {"type": "file", "url": data_url(NOTES.encode(), "text/plain")},
    "v0 base64": {
        "type": "file",
        "source_type": "base64",
        "data": NOTES_B64,
        "mime_type": "text/plain",
    },
    "OpenAI chat": {
        "type": "file",
        "file": {"filename": "notes.txt", "file_data": data_url(NOTES.encode(), "text/plain")},
    },
    "OpenAI responses": {
        "type": "input_file",
        "filename": "notes.txt",
        "file_data": data_url(NOTES.encode(), "text/plain"),
    },
    "Anthropic": {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": NOTES},
    },
    "bytes": {"type": "file", "data": NOTES.encode(), "mime_type": "text/plain"},
    "without a label": {"type": "file", "base64": NOTES_B64},
}


@pytest.mark.proves("promise:media-forms")
@pytest.mark.parametrize("form", TEXTS)
async def test_text_file_is_inlined(sandbox: Sandbox, form: str) -> None:
    """Any model reads it, before the question, on servers of both generations."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model="sandbox/text-small")
    content: Any = ["what does it say", TEXTS[form]]
    await model.ainvoke([HumanMessage(content=content)])
    assert read(sandbox) == f"{NOTES}\n\nwhat does it say"
    assert sandbox.requests[-1].files[0].content_type == PASTED


@pytest.mark.proves("promise:media-forms")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"a": 1}'),
        ("a.csv", "a,b\n1,2\n"),
        ("a.md", "# Title"),
        ("a.xml", "<?xml version='1.0'?><a>1</a>"),
        ("a.html", "<!doctype html><p>hi"),
        ("a.py", "print(1)"),
    ],
)
async def test_text_of_any_kind_is_inlined(
    sandbox: Sandbox, tmp_path: Path, name: str, text: str
) -> None:
    """Markup and code are text, too."""
    path = tmp_path / name
    path.write_text(text)
    model = ChatHuggingChat(base_url=sandbox.base_url, model="sandbox/text-small")
    await model.ainvoke("explain", media=[path])
    assert read(sandbox) == f"{text}\n\nexplain"
    assert uploads(sandbox) == [[f"base64;{name}"]]


@pytest.mark.proves("promise:media-forms")
async def test_text_file_of_an_earlier_turn_is_known_to_the_next(sandbox: Sandbox) -> None:
    """The conversation goes on where it was, and the file is not sent again."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model="sandbox/text-small")
    content: Any = ["what does it say", TEXTS["v1 text"]]
    asked = HumanMessage(content=content)
    first = await model.ainvoke([asked])
    await model.ainvoke([asked, first, HumanMessage("and again")])
    assert len(sandbox.conversations) == 1
    assert uploads(sandbox) == [["base64;text.txt"], []]
    assert sandbox.prompts[-1][-3]["content"] == f"{NOTES}\n\nwhat does it say"


@pytest.mark.proves("promise:media-forms")
async def test_image_without_a_question_is_a_message(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """A server takes no empty text; an image alone is sent all the same."""
    await model.ainvoke([HumanMessage(content=[IMAGES["v1 base64"]])])
    assert seen(sandbox) == [PNG]


@pytest.mark.proves("promise:media-refused", "fault:49:HC")
@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "file_id": "file-1"},
        {"type": "image", "base64": "%%%", "mime_type": "image/png"},
        {"type": "image", "base64": "", "mime_type": "image/png"},
        {"type": "surprise", "data": "x"},
        {"type": "image"},
        {"type": "image", "base64": NOTES_B64, "mime_type": "image/png"},
        {"type": "image", "base64": base64_of(b"<html>no picture"), "mime_type": "image/png"},
        {"type": "image_url", "image_url": {"url": data_url(NOTES.encode(), "image/png")}},
        {"type": "image", "base64": base64_of(b"%PDF-1.7"), "mime_type": "image/png"},
    ],
)
async def test_block_without_content_is_refused(
    model: ChatHuggingChat, sandbox: Sandbox, block: Any
) -> None:
    """There is no image to send, so nothing is, not even what the bytes are instead."""
    with pytest.raises(UnsupportedMediaError):
        await model.ainvoke([HumanMessage(content=["see", block])])
    assert not sandbox.requests
