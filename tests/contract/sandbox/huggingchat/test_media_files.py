"""What the server would drop is refused, and what a message names is fetched with care."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import (
    MediaTooLargeError,
    UnsupportedMediaError,
)
from langchain_g4f.testing import Sandbox, SandboxModel
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.contract.sandbox.huggingchat.asking import (
    MODEL,
    OTHER_MODEL,
    Generation,
    echo,
    history,
    only,
    sends,
)
from tests.contract.sandbox.huggingchat.pictures import (
    base64_of,
    data_url,
    picture,
    read,
    seen,
    uploads,
)

PNG = picture()


MIB = 1024 * 1024


SEEING = [SandboxModel("plain"), SandboxModel("seeing", multimodal=True)]


@pytest.fixture
def generation() -> Generation:
    """The version of the server makes no difference to these tests."""
    return "current"


def filler(size: int, head: bytes = PNG) -> bytes:
    """A file of this size that looks like what it begins with."""
    return head + bytes(size - len(head))


@pytest.mark.proves("promise:media-refused")
async def test_image_for_the_text_model_of_a_conversation_is_refused(sandbox: Sandbox) -> None:
    """Also where the conversation is given and not the model."""
    model = ChatHuggingChat(base_url=sandbox.base_url)
    first = await model.ainvoke("one", model=MODEL)
    for options in ({"model": MODEL}, {"conversation": first}):
        with pytest.raises(UnsupportedMediaError):
            await model.ainvoke(history("one", first, "two"), media=[PNG], **options)
    assert len(sends(sandbox)) == 1


@pytest.mark.proves("promise:media-forms", "promise:per-call-model")
async def test_without_a_named_model_the_first_that_sees_is_asked(generation: Generation) -> None:
    """The server's default may be blind; the metadata say who answered."""
    with Sandbox(models=SEEING, generation=generation) as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url)
        answer = await model.ainvoke("what is it", media=[PNG])
        assert seen(sandbox) == [PNG]
        assert answer.response_metadata["model_name"] == "seeing"
        plain = await model.ainvoke("hello")
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
    """No model can be asked."""
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


COOKIES = {"hf-chat": "secret-canary-0000", "token": "hf_secret_canary"}


TRUSTED = ["127.0.0.1"]


def serve(exchange: Exchange) -> None:
    """A web site with a few files."""
    match exchange.path:
        case "/red.png":
            exchange.respond(200, PNG, content_type="text/plain")
        case "/notes.txt":
            exchange.respond(200, b"some notes", content_type="image/png")
        case _:
            exchange.respond(404, b"no such file")


@pytest.fixture
def site() -> Iterator[ByteServer]:
    """That web site, on loopback."""
    with ByteServer(serve) as site:
        yield site


def trusting(sandbox: Sandbox, **settings: Any) -> ChatHuggingChat:
    """A model that sees, and may fetch from this machine."""
    given = {"model": OTHER_MODEL, "trusted_media_hosts": TRUSTED} | settings
    return ChatHuggingChat(base_url=sandbox.base_url, cookies=COOKIES, **given)


def see(url: str) -> HumanMessage:
    """A question about an image at this address."""
    return HumanMessage(content=["what is it", {"type": "image_url", "image_url": {"url": url}}])


@pytest.mark.proves("promise:media-urls", "promise:media-forms")
@pytest.mark.parametrize("form", ["field", "call"])
async def test_image_of_a_trusted_host_is_fetched(
    sandbox: Sandbox, site: ByteServer, form: str
) -> None:
    """Named on the model or with the call; what the site says of the file does not count."""
    url = f"{site.url}/red.png"
    if form == "field":
        await trusting(sandbox).ainvoke([see(url)])
    else:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=OTHER_MODEL, cookies=COOKIES)
        await model.ainvoke("what is it", media=[url], trusted_media_hosts=TRUSTED)
    assert seen(sandbox) == [PNG]
    assert uploads(sandbox) == [["base64;red.png"]]
    assert sandbox.requests[-1].files[0].content_type == "image/png"


@pytest.mark.proves("promise:media-urls", "promise:media-refused")
async def test_fetched_image_for_a_text_model_is_refused(
    sandbox: Sandbox, site: ByteServer
) -> None:
    """What it is turns out when it is there; text is welcome, an image is not."""
    model = trusting(sandbox, model=MODEL)
    with pytest.raises(UnsupportedMediaError, match=OTHER_MODEL):
        await model.ainvoke([see(f"{site.url}/red.png")])
    assert not sends(sandbox)
    await model.ainvoke("read", media=[f"{site.url}/notes.txt"])
    assert "some notes" in read(sandbox)


@pytest.mark.proves("promise:media-urls", "promise:native-conversations")
async def test_file_of_an_earlier_turn_is_not_fetched_again(
    sandbox: Sandbox, site: ByteServer
) -> None:
    """The server has it; its address may lead nowhere any more."""
    model = trusting(sandbox)
    asked = see(f"{site.url}/red.png")
    first = await model.ainvoke([asked])
    second = await model.ainvoke(history(asked, first, "two"))
    await model.ainvoke(history(asked, first, "two", second, "three"))
    assert len(site.requests) == 1
    assert len(only(sandbox).messages) == 7
    assert uploads(sandbox) == [["base64;red.png"], [], []]


@pytest.mark.proves("promise:media-reuse")
async def test_same_image_in_the_same_conversation_is_sent_by_its_hash(sandbox: Sandbox) -> None:
    """The bytes go once; the model sees them in each turn."""
    model = trusting(sandbox)
    blue = picture("blue")
    red_block = {"type": "image", "base64": base64_of(PNG), "mime_type": "image/png"}
    blue_block = {"type": "image", "base64": base64_of(blue), "mime_type": "image/png"}
    asked = HumanMessage(content=["one", red_block])
    again = HumanMessage(content=["two", blue_block, red_block])
    first = await model.ainvoke([asked])
    second = await model.ainvoke(history(asked, first, again))
    assert seen(sandbox) == [blue, PNG]
    third = HumanMessage(content=["three", blue_block])
    await model.ainvoke(history(asked, first, again, second, third))
    assert seen(sandbox) == [blue]
    kinds = [[name.partition(";")[0] for name in names] for names in uploads(sandbox)]
    assert kinds == [["base64"], ["base64", "hash"], ["hash"]]
    reused = sandbox.requests[-1].files[0]
    assert reused.content.decode() in only(sandbox).files
    assert len(reused.content) == 64


@pytest.mark.proves("promise:media-reuse")
async def test_image_of_another_branch_or_conversation_is_sent_anew(sandbox: Sandbox) -> None:
    """A hash means something in its own conversation only."""
    model = trusting(sandbox)
    first = await model.ainvoke("one", media=[PNG])
    await model.ainvoke("uno", media=[PNG])
    await model.ainvoke("two", media=[PNG], conversation="new")
    assert uploads(sandbox) == [["base64;file.png"]] * 3
    assert len(sandbox.conversations) == 3
    assert first.text


@pytest.mark.proves("promise:media-reuse", "promise:changed-history")
async def test_told_history_takes_its_images_along(sandbox: Sandbox, site: ByteServer) -> None:
    """A new conversation has no files: all of them are sent again."""
    model = trusting(sandbox)
    blue = picture("blue")
    asked = see(f"{site.url}/red.png")
    first = await model.ainvoke([asked])
    again: Any = ["and this", {"type": "image", "data": blue, "mime_type": "image/png"}]
    await model.ainvoke(history(asked, first, HumanMessage(content=again)), conversation="new")
    assert seen(sandbox) == [PNG, blue]
    assert len(site.requests) == 2
    assert [[n.partition(";")[0] for n in names] for names in uploads(sandbox)][1] == ["base64"] * 2
