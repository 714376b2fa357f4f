"""What the server would drop or reject is refused before any message is sent."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import MediaTooLargeError, UnsupportedMediaError
from langchain_g4f.testing import Sandbox, SandboxModel
from tests.contract.sandbox.huggingchat.asking import (
    MIXED_WAYS,
    MODEL,
    OTHER_MODEL,
    WAYS,
    Generation,
    ask,
    echo,
    history,
    only,
    paths,
    sends,
)
from tests.contract.sandbox.huggingchat.pictures import (
    base64_of,
    data_url,
    picture,
    seen,
    uploads,
)

PNG = picture()
MIB = 1024 * 1024
SEEING = [SandboxModel("plain"), SandboxModel("seeing", multimodal=True)]


def filler(size: int, head: bytes = PNG) -> bytes:
    """A file of this size that looks like what it begins with."""
    return head + bytes(size - len(head))


@pytest.mark.proves("promise:media-refused", "fault:49:HC")
@pytest.mark.parametrize("way", WAYS)
async def test_image_for_a_text_model_is_refused(sandbox: Sandbox, way: str) -> None:
    """The server would answer as if there were none; the error names models that see."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
    with pytest.raises(UnsupportedMediaError, match=OTHER_MODEL) as caught:
        await ask(model, way, "what is it", media=[PNG])
    assert MODEL in str(caught.value)
    assert not sandbox.conversations
    assert not sends(sandbox)


@pytest.mark.proves("promise:media-refused")
@pytest.mark.parametrize("way", WAYS)
async def test_image_for_the_text_model_of_a_conversation_is_refused(
    sandbox: Sandbox, way: str
) -> None:
    """Also where the conversation is given and not the model."""
    model = ChatHuggingChat(base_url=sandbox.base_url)
    first = await ask(model, way, "one", model=MODEL)
    for options in ({"model": MODEL}, {"conversation": first}):
        with pytest.raises(UnsupportedMediaError):
            await ask(model, way, history("one", first, "two"), media=[PNG], **options)
    assert len(sends(sandbox)) == 1


@pytest.mark.proves("promise:media-refused")
async def test_text_file_is_for_any_model(sandbox: Sandbox) -> None:
    """Nobody has to see to read."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
    assert (await model.ainvoke("read", media=[(b"notes", "a.txt")])).text
    assert paths(sandbox)[0] == "POST /chat/conversation"


@pytest.mark.proves("promise:media-forms", "promise:per-call-model")
@pytest.mark.parametrize("way", WAYS)
async def test_without_a_named_model_the_first_that_sees_is_asked(
    generation: Generation, way: str
) -> None:
    """The server's default may be blind; the metadata say who answered."""
    with Sandbox(models=SEEING, generation=generation) as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url)
        answer = await ask(model, way, "what is it", media=[PNG])
        assert seen(sandbox) == [PNG]
        assert answer.response_metadata["model_name"] == "seeing"
        plain = await ask(model, way, "hello")
        assert plain.response_metadata["model_name"] == "plain"


@pytest.mark.proves("promise:media-forms", "promise:native-conversations")
async def test_conversation_with_an_image_goes_on_without_a_named_model(
    generation: Generation,
) -> None:
    """The second turn has no image of its own, and stays where the first one is."""
    with Sandbox(models=SEEING, generation=generation) as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url)
        asked = HumanMessage(content=["what is it", {"type": "image", "url": data_url(PNG)}])
        first = await model.ainvoke([asked])
        second = await model.ainvoke(history(asked, first, "and now"))
        assert second.text == echo(2, "and now [images: 1]", "seeing")
        assert len(only(sandbox).messages) == 5


@pytest.mark.proves("promise:media-refused")
async def test_where_no_model_sees_the_image_is_refused(generation: Generation) -> None:
    """There is nobody to ask."""
    with Sandbox(models=["blind"], generation=generation) as sandbox:
        with pytest.raises(UnsupportedMediaError, match="none"):
            await ChatHuggingChat(base_url=sandbox.base_url).ainvoke("see", media=[PNG])
        assert not sandbox.conversations


@pytest.mark.proves("promise:media-refused", "fault:49:HC")
@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("audio/mpeg", b"ID3\x04" + bytes(40)),
        ("audio/wav", b"RIFF\x24\0\0\0WAVEfmt " + bytes(40)),
        ("application/pdf", b"%PDF-1.7\n" + bytes(40)),
        ("application/octet-stream", bytes(range(256))),
        ("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"),
    ],
)
@pytest.mark.parametrize("label", ["image/png", ""])
async def test_what_the_server_drops_is_refused(
    sandbox: Sandbox, kind: str, data: bytes, label: str
) -> None:
    """Whatever it calls itself, it is named for what it is, as far as that can be seen."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=OTHER_MODEL)
    content: Any = ["hear", {"type": "file", "base64": base64_of(data), "mime_type": label}]
    expected = label or kind if kind == "application/octet-stream" else kind
    with pytest.raises(UnsupportedMediaError, match=expected.replace("+", r"\+")):
        await model.ainvoke([HumanMessage(content=content)])
    assert not sandbox.conversations


@pytest.mark.proves("promise:media-refused", "obligation:huggingchat:6")
@pytest.mark.parametrize("way", MIXED_WAYS)
async def test_file_above_the_limit_is_refused(sandbox: Sandbox, way: str) -> None:
    """Ten MiB decoded is what a server takes."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=OTHER_MODEL)
    with pytest.raises(MediaTooLargeError, match=str(10 * MIB)):
        await ask(model, way, "see", media=[(filler(10 * MIB + 1), "big.png")])
    assert not sandbox.conversations


@pytest.mark.proves("promise:media-refused", "obligation:huggingchat:6")
async def test_file_at_the_limit_is_sent(sandbox: Sandbox) -> None:
    """The last byte that is allowed is."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=OTHER_MODEL)
    data = filler(10 * MIB)
    await model.ainvoke("see", media=[data])
    assert seen(sandbox) == [data]


@pytest.mark.proves("promise:media-refused")
async def test_files_above_the_limit_together_are_refused(sandbox: Sandbox) -> None:
    """Each may be small enough, and their message too large."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=OTHER_MODEL)
    media = [filler(6 * MIB, picture(colour)) for colour in ("red", "blue")]
    with pytest.raises(MediaTooLargeError, match="base64"):
        await model.ainvoke("see", media=media)
    assert not sandbox.conversations


@pytest.mark.proves("promise:media-refused", "promise:native-conversations")
async def test_files_of_earlier_turns_do_not_count(sandbox: Sandbox) -> None:
    """They are with the server already; only what is sent has to fit."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=OTHER_MODEL)
    turns: list[Any] = []
    for colour in ("red", "blue", "green"):
        data = filler(6 * MIB, picture(colour))
        turns.append(HumanMessage(content=["see", {"type": "image", "url": data_url(data)}]))
        turns.append(await model.ainvoke(turns))
    assert len(only(sandbox).messages) == 7
    assert [len(names) for names in uploads(sandbox)] == [1, 1, 1]


@pytest.mark.proves("promise:media-refused")
async def test_media_needs_a_message_to_go_with(sandbox: Sandbox) -> None:
    """An image in an assistant's mouth is no image of the user's."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=OTHER_MODEL)
    picture_block: Any = {"type": "image", "url": data_url(PNG)}
    said = AIMessage(content=["look", picture_block])
    await model.ainvoke(history("one", said, "two"))
    assert seen(sandbox) == []
