"""What is said to a provider that goes on with a conversation, and the files it gets."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_g4f import ChatG4F
from langchain_g4f.errors import BlockedURLError, UnsupportedMediaError
from tests.g4f_standins.providers_new import AsyncGeneratorProvider, StandIn, Thorough, scripted
from tests.unit_tests.chat_models.ways import WAYS, ask

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
GIF = b"GIF89a" + bytes(16)
HISTORY = [
    SystemMessage("Be brief."),
    HumanMessage("One?"),
    AIMessage("1", response_metadata={"finish_reason": "stop"}),
    HumanMessage("Two?"),
    HumanMessage("Really?"),
]
CALLED = [
    *HISTORY[:2],
    AIMessage("", tool_calls=[{"name": "add", "args": {"a": 1}, "id": "c1"}]),
    ToolMessage("42", tool_call_id="c1", name="add"),
]


@pytest.mark.proves("g4f:6:last-user-messages", "g4f:8:conversation-handle")
@pytest.mark.parametrize("way", WAYS)
async def test_conversation_gets_what_came_after_the_last_answer(way: str) -> None:
    """The provider has the rest; a tool's result is told by the user, or it would be lost."""
    provider = scripted(Thorough, "a")
    model = ChatG4F(provider=provider, conversation={"id": "1"})
    await ask(model, way, HISTORY)
    await ask(model, way, CALLED)
    await ask(model, way, HISTORY[:3])
    run, result, ended = (call.messages for call in provider.calls)
    assert [(each["role"], each["content"]) for each in run] == [
        ("user", "Two?"),
        ("user", "Really?"),
    ]
    assert [each["role"] for each in result] == ["user"]
    assert "42" in result[0]["content"]
    assert [each["content"] for each in ended] == ["One?", "1"]


@pytest.mark.proves("g4f:6:last-user-messages")
@pytest.mark.parametrize("way", WAYS)
async def test_conversation_is_told_of_tools_by_the_user(way: str) -> None:
    """What else is told to a conversation that goes on is read by nobody."""
    provider = scripted(Thorough, "a", supports_native_tools=False)
    model = ChatG4F(provider=provider, conversation={"id": "1"})
    tool = {"type": "function", "function": {"name": "add", "parameters": {}}}
    await ask(model.bind_tools([tool]), way, HISTORY)
    (first, second) = provider.calls[0].messages
    assert (first["role"], second["role"]) == ("user", "user")
    assert "<tools>" in first["content"]
    assert "Be brief." not in first["content"]


@pytest.mark.proves("g4f:1:messages", "g4f:6:last-user-messages")
@pytest.mark.parametrize("way", WAYS)
async def test_results_of_tools_are_said_by_the_user_where_tools_are_emulated(way: str) -> None:
    """No provider is asked to know a role of ours."""
    provider = scripted(AsyncGeneratorProvider, "a")
    await ask(ChatG4F(provider=provider), way, CALLED)
    assert [each["role"] for each in provider.calls[0].messages] == [
        "system",
        "user",
        "assistant",
        "user",
    ]


def image(data: bytes, name: str = "") -> dict[str, Any]:
    """A block of a message."""
    extras = {"filename": name} if name else {}
    encoded = base64.b64encode(data).decode()
    return {"type": "image", "base64": encoded, "mime_type": "image/png", "extras": extras}


@pytest.mark.proves("g4f:6:merge-media", "g4f:6:to-bytes")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("native", [False, True])
async def test_files_of_messages_and_of_the_call_arrive_once(way: str, native: bool) -> None:
    """As bytes with a name, in order, also those of earlier turns, and beside the text alone."""
    provider = scripted(Thorough, "a", supports_native_tools=native)
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}] if native else None
    messages = [
        HumanMessage([{"type": "text", "text": "One?"}, image(PNG, "one.png")]),
        AIMessage("1"),
        HumanMessage(["Two?", image(GIF)]),
    ]
    await ask(ChatG4F(provider=provider), way, messages, media=[(PNG, "x.png")], tools=tools)
    (call,) = provider.calls
    assert call.given["media"] == [(PNG, "one.png"), (GIF, "file.gif"), (PNG, "x.png")]
    assert "image" not in repr(call.messages)
    assert "Two?" in repr(call.messages[-1])


@pytest.mark.proves("g4f:6:to-bytes")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", ["bytes", "path", "data URI", "file", "PIL"])
async def test_given_file_is_read_in_every_form(way: str, form: str, tmp_path: Path) -> None:
    """Before a provider is asked, which gets bytes."""
    from PIL import Image

    picture = Image.new("RGB", (1, 1))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    data = buffer.getvalue()
    path = tmp_path / "x.png"
    path.write_bytes(data)
    buffer.seek(0)
    forms: dict[str, Any] = {
        "bytes": data,
        "path": path,
        "data URI": f"data:image/png;base64,{base64.b64encode(data).decode()}",
        "file": io.BytesIO(data),
        "PIL": picture,
    }
    provider = scripted(Thorough, "a")
    await ask(ChatG4F(provider=provider), way, "hi", media=[(forms[form], "x.png")])
    ((found, name),) = provider.calls[0].given["media"]
    assert name == "x.png"
    assert found.startswith(PNG[:8])


@pytest.mark.proves("g4f:6:to-bytes")
@pytest.mark.parametrize("way", WAYS)
async def test_address_of_a_private_host_is_not_fetched(way: str) -> None:
    """Nor is the provider asked, which might."""
    provider = scripted(Thorough, "a")
    message = HumanMessage(["?", {"type": "image", "url": "http://127.0.0.1:9/x.png"}])
    with pytest.raises(BlockedURLError):
        await ask(ChatG4F(provider=provider), way, [message])
    assert provider.calls == []


@pytest.mark.proves("g4f:6:to-bytes")
@pytest.mark.parametrize("way", WAYS)
async def test_address_of_a_public_file_is_fetched_by_us(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider gets the bytes, beside those that it is given anyway."""
    from langchain_g4f.g4f_adapter import request as media
    from langchain_g4f.turn import Media

    def download(url: str, **_: Any) -> Any:
        yield from ()
        return Media(GIF, "image/gif", url.rpartition("/")[2])

    monkeypatch.setattr(media, "download", download)
    provider = scripted(Thorough, "a")
    message = HumanMessage(["?", {"type": "image", "url": "https://a.example/b.gif"}, image(PNG)])
    await ask(ChatG4F(provider=provider), way, [HumanMessage("0"), message])
    assert provider.calls[0].given["media"] == [(GIF, "b.gif"), (PNG, "file.png")]


@pytest.mark.proves("g4f:6:merge-media")
@pytest.mark.parametrize("way", WAYS)
async def test_files_are_refused_by_a_provider_that_takes_none(way: str) -> None:
    """It would answer without having seen them."""
    provider = scripted(AsyncGeneratorProvider, "a", name="Blind")
    with pytest.raises(UnsupportedMediaError, match="Blind takes no images or other files"):
        await ask(ChatG4F(provider=provider), way, "hi", media=[(PNG, "x.png")])
    assert provider.calls == []


@pytest.mark.parametrize("provider", [Thorough, AsyncGeneratorProvider])
def test_profile_says_whether_images_are_taken(provider: Any) -> None:
    """As the provider's signature does."""
    profile = ChatG4F(provider=provider).profile
    assert profile
    assert profile["image_inputs"] is profile["image_url_inputs"] is (provider is Thorough)


@pytest.mark.filterwarnings("ignore:.* may ignore the parameter 'media'")
@pytest.mark.parametrize(
    "attributes",
    [{"vision_models": ["v"]}, {"image_models": ["v"]}, {"default_vision_model": "v"}],
)
async def test_files_go_to_a_provider_that_says_it_sees(attributes: dict[str, Any]) -> None:
    """Though it does not name the argument."""
    provider = scripted(AsyncGeneratorProvider, "a", **attributes)
    await ChatG4F(provider=provider).ainvoke("hi", media=[(PNG, "x.png")])
    assert provider.calls[0].given["media"] == [(PNG, "x.png")]
    blind = scripted(StandIn, create_async=staticmethod(lambda model, messages: "a"), **attributes)
    with pytest.raises(UnsupportedMediaError):
        await ChatG4F(provider=blind).ainvoke("hi", media=[(PNG, "x.png")])
