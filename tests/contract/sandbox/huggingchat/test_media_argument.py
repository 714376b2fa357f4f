"""`media=` of a call: what a program has of a file, and its name."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from PIL import Image

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import ConfigurationError
from langchain_g4f.testing import Sandbox
from tests.contract.sandbox.huggingchat.asking import MIXED_WAYS, OTHER_MODEL, ask
from tests.contract.sandbox.huggingchat.pictures import (
    base64_of,
    data_url,
    picture,
    seen,
    uploads,
)

PNG = picture()
B64 = base64_of(PNG)


@pytest.fixture
def model(sandbox: Sandbox) -> ChatHuggingChat:
    """A model that sees."""
    return ChatHuggingChat(base_url=sandbox.base_url, model=OTHER_MODEL)


def from_bytes(path: Path) -> Any:
    """Its content."""
    return path.read_bytes()


def from_path(path: Path) -> Any:
    """Where it is."""
    return path


def from_open_file(path: Path) -> Any:
    """Something to read from."""
    return io.BytesIO(path.read_bytes())


def from_bytearray(path: Path) -> Any:
    """Its content, changeable."""
    return bytearray(path.read_bytes())


def from_data_url(path: Path) -> Any:
    """Its content as an address."""
    return data_url(path.read_bytes())


THINGS = [from_bytes, from_path, from_open_file, from_bytearray, from_data_url]


@pytest.mark.proves("promise:media-forms")
@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("way", MIXED_WAYS)
async def test_media_argument_takes_what_a_program_has(
    model: ChatHuggingChat, sandbox: Sandbox, tmp_path: Path, *, way: str, thing: Any, named: bool
) -> None:
    """A thing and its name, or the thing alone."""
    path = tmp_path / "red.png"
    path.write_bytes(PNG)
    given = thing(path)
    await ask(model, way, "what is it", media=[(given, "my.png") if named else given])
    assert seen(sandbox) == [PNG]
    (((kind, _, name),),) = [[f.partition(";") for f in u] for u in uploads(sandbox)]
    assert kind == "base64"
    assert name == ("my.png" if named else ("red.png" if thing is from_path else "file.png"))


@pytest.mark.proves("promise:media-forms")
def test_open_file_keeps_its_name(model: ChatHuggingChat, sandbox: Sandbox, tmp_path: Path) -> None:
    """A file on disk knows what it is called, but not where it lay."""
    path = tmp_path / "red.png"
    path.write_bytes(PNG)
    with path.open("rb") as file:
        model.invoke("what is it", media=[file])
    assert uploads(sandbox) == [["base64;red.png"]]


@pytest.mark.proves("promise:media-forms")
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1", "CMYK"])
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


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize("thing", THINGS)
async def test_cache_of_langchain_knows_a_file_by_its_content(
    model: ChatHuggingChat, sandbox: Sandbox, tmp_path: Path, way: str, thing: Any
) -> None:
    """Another content is another question, wherever it comes from; the same one is asked once."""
    model.cache = InMemoryCache()
    path, other = tmp_path / "a.png", picture("blue")
    for content in (PNG, PNG, other, PNG):
        path.write_bytes(content)
        await ask(model, way, "what is it", media=[(thing(path), "a.png")])
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


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_name_of_a_file_as_text_is_told_to_be_a_path(
    model: ChatHuggingChat, sandbox: Sandbox, way: str
) -> None:
    """Text is a URL; nothing is opened that was not meant to be."""
    with pytest.raises(ConfigurationError, match=r"as Path\('photo\.png'\)"):
        await ask(model, way, "what is it", media=["photo.png"])
    assert sandbox.requests == []
