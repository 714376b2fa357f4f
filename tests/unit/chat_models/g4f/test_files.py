"""Files that a provider gets, and files that it gives."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_g4f import ChatG4F
from langchain_g4f.core.chat_request import Media
from langchain_g4f.errors import BlockedURLError, ConfigurationError, UnsupportedMediaError
from langchain_g4f.g4f_adapter import request, responses
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.g4f_standins import responses as r
from tests.g4f_standins.providers import AsyncGeneratorProvider, StandIn, Thorough, chat, scripted
from tests.unit.chat_models.g4f.conftest import Ask

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
GIF = b"GIF89a" + bytes(16)
OPTIONS = {"cookies": {"session": "made-up", "b": "2"}, "headers": {"x-key": "made-up"}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
TRUSTED: Any = {"trusted_media_hosts": ["127.0.0.1"]}


def image(data: bytes, name: str = "") -> dict[str, Any]:
    """A block of a message."""
    extras = {"filename": name} if name else {}
    encoded = base64.b64encode(data).decode()
    return {"type": "image", "base64": encoded, "mime_type": "image/png", "extras": extras}


@pytest.fixture
def server() -> Iterator[ByteServer]:
    """A server that answers with a picture."""

    def picture(exchange: Exchange) -> None:
        exchange.respond(200, PNG)

    with ByteServer(picture) as running:
        yield running


# -- to a provider ---------------------------------------------------------------------------------


@pytest.mark.proves("g4f:6:merge-media", "g4f:6:to-bytes")
@pytest.mark.parametrize("native", [False, True])
async def test_files_of_messages_and_of_the_call_arrive_once(ask: Ask, native: bool) -> None:
    """As bytes with a name, in order, also those of earlier turns, and beside the text alone."""
    provider = scripted(Thorough, "a", supports_native_tools=native)
    messages = [
        HumanMessage([{"type": "text", "text": "One?"}, image(PNG, "one.png")]),
        AIMessage("1"),
        HumanMessage(["Two?", image(GIF)]),
    ]
    given = {"media": [(PNG, "x.png")], "tools": [TOOL] if native else None}
    await ask(ChatG4F(provider=provider), messages, **given)
    (call,) = provider.calls
    assert call.given["media"] == [(PNG, "one.png"), (GIF, "file.gif"), (PNG, "x.png")]
    texts = [
        each["content"] if isinstance(each["content"], str) else each["content"][0]["text"]
        for each in call.messages
    ]
    assert texts == ["One?", "1", "Two?"]
    assert "base64" not in repr(call.messages)


@pytest.mark.proves("g4f:6:to-bytes")
async def test_address_of_a_public_file_is_fetched_by_us(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider gets the bytes, beside those that it is given anyway."""

    def download(url: str, **_: Any) -> Any:
        yield from ()
        return Media(GIF, "image/gif", url.rpartition("/")[2])

    monkeypatch.setattr(request, "download", download)
    model = chat("a", base=Thorough)
    message = HumanMessage(["?", {"type": "image", "url": "https://a.example/b.gif"}, image(PNG)])
    await ask(model, [HumanMessage("0"), message])
    assert model.wrapped.calls[0].given["media"] == [(GIF, "b.gif"), (PNG, "file.png")]


@pytest.mark.proves("g4f:6:merge-media")
async def test_files_are_refused_by_a_provider_that_takes_none(
    ask: Ask, server: ByteServer
) -> None:
    """Before anything is sent or fetched: it would answer without having seen them."""
    model = chat("a", name="Blind", **TRUSTED)
    message = HumanMessage(["?", {"type": "image", "url": f"{server.url}/x.png"}])
    for prompt, media in (("hi", [(PNG, "x.png")]), ([message], None)):
        with pytest.raises(UnsupportedMediaError, match="Blind takes no images or other files"):
            await ask(model, prompt, media=media)
    assert server.requests == []
    assert model.wrapped.calls == []


@pytest.mark.parametrize("provider", [Thorough, AsyncGeneratorProvider])
def test_profile_says_whether_images_are_taken(provider: Any) -> None:
    """As the provider's signature does."""
    profile = ChatG4F(provider=provider).profile
    assert profile
    assert profile["image_inputs"] is profile["image_url_inputs"] is (provider is Thorough)


@pytest.mark.filterwarnings("ignore:.* may ignore the parameter 'media'")
@pytest.mark.parametrize(
    "attributes", [{"vision_models": ["v"]}, {"image_models": ["v"]}, {"default_vision_model": "v"}]
)
async def test_files_go_to_a_provider_that_says_it_sees(attributes: dict[str, Any]) -> None:
    """Though it does not name the argument."""
    provider = scripted(AsyncGeneratorProvider, "a", **attributes)
    await ChatG4F(provider=provider).ainvoke("hi", media=[(PNG, "x.png")])
    assert provider.calls[0].given["media"] == [(PNG, "x.png")]
    blind = scripted(StandIn, create_async=staticmethod(lambda model, messages: "a"), **attributes)
    with pytest.raises(UnsupportedMediaError):
        await ChatG4F(provider=blind).ainvoke("hi", media=[(PNG, "x.png")])


# -- from a provider -------------------------------------------------------------------------------


async def fetch(model: ChatG4F, block: Any, mode: str) -> bytes:
    """The bytes of a block."""
    return model.fetch_file(block) if mode == "sync" else await model.afetch_file(block)


@pytest.mark.proves("g4f:9:fetch-file", "g4f:5:image")
async def test_picture_is_fetched_with_the_cookies_of_its_response(
    mode: str, server: ByteServer
) -> None:
    """And its headers, which nothing shows; a file of another response goes without."""
    url = f"{server.url}/x.png"
    pictures = (
        r.ImageResponse([url, url + "?2"], "", OPTIONS),
        r.ImageResponse(url + "?plain", "", {}),
    )
    model = chat(*pictures, **TRUSTED)
    answer = await model.ainvoke("hi")
    blocks = [*answer.additional_kwargs["files"], answer.content_blocks[0]]
    assert [await fetch(model, block, mode) for block in blocks] == [PNG] * 4
    cookies, key = "session=made-up; b=2", "made-up"
    sent = [(each.header("cookie"), each.header("x-key")) for each in server.requests]
    assert sent == [(cookies, key), (cookies, key), (None, None), (cookies, key)]
    assert "made-up" not in repr((answer, model))


@pytest.mark.proves("g4f:9:fetch-file")
async def test_block_without_a_public_address_is_not_fetched(mode: str) -> None:
    """Whoever makes answers may name any address; bytes that came along need none."""
    model = chat(r.AudioResponse(b"\x00speech"))
    with pytest.raises(BlockedURLError):
        await fetch(model, {"type": "image", "url": "http://127.0.0.1:9/x.png"}, mode)
    with pytest.raises(ConfigurationError, match="URL or base64"):
        await fetch(model, {"type": "image"}, mode)
    answer = await model.ainvoke("hi")
    assert await fetch(model, answer.content_blocks[0], mode) == b"\x00speech"


@pytest.mark.proves("g4f:8:secrets")
def test_only_so_many_files_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that makes pictures all day does not grow."""
    monkeypatch.setattr(responses, "_FILES_KEPT", 3)
    urls = [f"https://a.example/{n}" for n in range(9)]
    model = chat(r.ImageResponse(urls, "", OPTIONS))
    model.invoke("hi")
    assert list(model._access) == urls[-3:]
    odd = chat(r.ImageResponse("u", "", ["odd"]))
    assert odd.invoke("hi").additional_kwargs["files"]


@pytest.mark.proves("g4f:6:to-bytes")
async def test_file_of_a_private_host_is_fetched_if_it_is_trusted(
    ask: Ask, server: ByteServer
) -> None:
    """Otherwise it is not, nor is the provider asked, which might."""
    message = HumanMessage(["?", {"type": "image", "url": f"{server.url}/x.png"}])
    model = chat("a", base=Thorough)
    with pytest.raises(BlockedURLError):
        await ask(model, [message])
    assert model.wrapped.calls == []
    trusting = chat("a", base=Thorough, **TRUSTED)
    await ask(trusting, [message])
    assert trusting.wrapped.calls[0].given["media"] == [(PNG, "x.png")]
    assert len(server.requests) == 1
