"""Files that a message only names: fetched from where the caller allows, and from nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import (
    APIStatusError,
    BlockedURLError,
    MediaTooLargeError,
    UnsupportedMediaError,
)
from langchain_g4f.testing import Sandbox
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.contract.sandbox.huggingchat.asking import (
    MIXED_WAYS,
    MODEL,
    OTHER_MODEL,
    WAYS,
    ask,
    history,
    only,
    sends,
)
from tests.contract.sandbox.huggingchat.pictures import base64_of, picture, read, seen, uploads

PNG = picture()
COOKIES = {"hf-chat": "secret-canary-0000", "token": "hf_secret_canary"}
TRUSTED = ["127.0.0.1"]


def serve(exchange: Exchange) -> None:
    """A web site with a few files."""
    match exchange.path:
        case "/red.png":
            exchange.respond(200, PNG, content_type="text/plain")
        case "/notes.txt":
            exchange.respond(200, b"some notes", content_type="image/png")
        case "/page.png":
            exchange.respond(200, b"<!doctype html><p>not found", content_type="image/png")
        case "/big.png":
            exchange.respond(200, PNG + bytes(10 * 1024 * 1024))
        case "/moved.png":
            exchange.respond(302, headers=[("Location", "/red.png")])
        case "/away.png":
            exchange.respond(302, headers=[("Location", "http://localhost:1/red.png")])
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


@pytest.mark.proves("promise:media-urls")
@pytest.mark.parametrize("way", WAYS)
async def test_image_on_this_machine_is_not_fetched(
    sandbox: Sandbox, site: ByteServer, way: str
) -> None:
    """Whoever writes the URL may not reach what only this machine can reach."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=OTHER_MODEL, cookies=COOKIES)
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(BlockedURLError, match=host):
            await ask(model, way, [see(f"http://{host}:{site.port}/red.png")])
    assert not site.requests
    assert not sandbox.conversations


@pytest.mark.proves("promise:media-urls", "promise:media-forms")
@pytest.mark.parametrize("form", ["field", "call"])
@pytest.mark.parametrize("way", WAYS)
async def test_image_of_a_trusted_host_is_fetched(
    sandbox: Sandbox, site: ByteServer, way: str, form: str
) -> None:
    """Named on the model or with the call; what the site says of the file does not count."""
    url = f"{site.url}/red.png"
    if form == "field":
        await ask(trusting(sandbox), way, [see(url)])
    else:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=OTHER_MODEL, cookies=COOKIES)
        await ask(model, way, "what is it", media=[url], trusted_media_hosts=TRUSTED)
    assert seen(sandbox) == [PNG]
    assert uploads(sandbox) == [["base64;red.png"]]
    assert sandbox.requests[-1].files[0].content_type == "image/png"


@pytest.mark.proves("promise:media-urls", "promise:identity", "obligation:huggingchat:1")
async def test_site_of_a_file_gets_no_credentials(sandbox: Sandbox, site: ByteServer) -> None:
    """The cookies are for the chat service, though both are on one machine here."""
    await trusting(sandbox).ainvoke([see(f"{site.url}/red.png")])
    (fetched,) = site.requests
    names = {name.lower() for name, _ in fetched.headers}
    assert not names & {"cookie", "authorization", "origin", "referer"}
    assert "canary" not in str(fetched.headers)


@pytest.mark.proves("promise:media-urls")
async def test_redirects_are_followed_to_trusted_hosts_only(
    sandbox: Sandbox, site: ByteServer
) -> None:
    """Each address on the way is checked as the first was."""
    model = trusting(sandbox)
    await model.ainvoke([see(f"{site.url}/moved.png")])
    assert seen(sandbox) == [PNG]
    with pytest.raises(BlockedURLError, match="localhost"):
        await model.ainvoke([see(f"{site.url}/away.png")])


@pytest.mark.proves("promise:media-urls")
@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/a.png",
        "http://user@127.0.0.1/a.png",
        "http://0x7f000001/a.png",
        "http://2130706433/a.png",
        "http://[::ffff:127.0.0.1]/a.png",
        "http://169.254.169.254/latest/meta-data",
        "not a url",
    ],
)
@pytest.mark.parametrize("way", MIXED_WAYS)
async def test_other_addresses_are_not_fetched(sandbox: Sandbox, way: str, url: str) -> None:
    """Nor spelt in another way; nothing is sent anywhere."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=OTHER_MODEL, max_retries=0)
    with pytest.raises(BlockedURLError):
        await ask(model, way, [see(url)])
    assert not sandbox.conversations


@pytest.mark.proves("promise:media-urls", "promise:media-refused")
@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/page.png", UnsupportedMediaError),
        ("/big.png", MediaTooLargeError),
        ("/none.png", APIStatusError),
    ],
)
@pytest.mark.parametrize("way", MIXED_WAYS)
async def test_file_that_cannot_be_sent_is_refused(
    sandbox: Sandbox, site: ByteServer, way: str, path: str, error: type[Exception]
) -> None:
    """A page with an image's name, too many bytes, nothing: no conversation is begun."""
    with pytest.raises(error) as caught:
        await ask(trusting(sandbox), way, [see(f"{site.url}{path}?key=secret-canary")])
    assert "secret-canary" not in str(caught.value)
    assert not sandbox.conversations


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
@pytest.mark.parametrize("way", WAYS)
async def test_file_of_an_earlier_turn_is_not_fetched_again(
    sandbox: Sandbox, site: ByteServer, way: str
) -> None:
    """The server has it; by now its address may lead nowhere."""
    model = trusting(sandbox)
    asked = see(f"{site.url}/red.png")
    first = await ask(model, way, [asked])
    second = await ask(model, way, history(asked, first, "two"))
    await ask(model, way, history(asked, first, "two", second, "three"))
    assert len(site.requests) == 1
    assert len(only(sandbox).messages) == 7
    assert uploads(sandbox) == [["base64;red.png"], [], []]


@pytest.mark.proves("promise:media-reuse")
@pytest.mark.parametrize("way", WAYS)
async def test_same_image_in_the_same_conversation_is_sent_by_its_hash(
    sandbox: Sandbox, way: str
) -> None:
    """The bytes go once; the model sees them in each turn."""
    model = trusting(sandbox)
    blue = picture("blue")
    red_block = {"type": "image", "base64": base64_of(PNG), "mime_type": "image/png"}
    blue_block = {"type": "image", "base64": base64_of(blue), "mime_type": "image/png"}
    asked = HumanMessage(content=["one", red_block])
    again = HumanMessage(content=["two", blue_block, red_block])
    first = await ask(model, way, [asked])
    second = await ask(model, way, history(asked, first, again))
    assert seen(sandbox) == [blue, PNG]
    third = HumanMessage(content=["three", blue_block])
    await ask(model, way, history(asked, first, again, second, third))
    assert seen(sandbox) == [blue]
    kinds = [[name.partition(";")[0] for name in names] for names in uploads(sandbox)]
    assert kinds == [["base64"], ["base64", "hash"], ["hash"]]
    reused = sandbox.requests[-1].files[0]
    assert reused.content.decode() in only(sandbox).files
    assert len(reused.content) == 64


@pytest.mark.proves("promise:media-reuse")
async def test_fetched_image_is_reused_by_its_bytes(sandbox: Sandbox, site: ByteServer) -> None:
    """Where it came from makes no difference."""
    model = trusting(sandbox)
    first = await model.ainvoke("one", media=[f"{site.url}/red.png"])
    await model.ainvoke("two", media=[PNG], conversation=first)
    asked = HumanMessage("one")
    await model.ainvoke(history(asked, first, "two"), media=[PNG])
    assert seen(sandbox) == [PNG]


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
    """A conversation that begins anew has none of the files: all of them are sent again."""
    model = trusting(sandbox)
    blue = picture("blue")
    asked = see(f"{site.url}/red.png")
    first = await model.ainvoke([asked])
    again: Any = ["and this", {"type": "image", "data": blue, "mime_type": "image/png"}]
    await model.ainvoke(history(asked, first, HumanMessage(content=again)), conversation="new")
    assert seen(sandbox) == [PNG, blue]
    assert len(site.requests) == 2
    assert [[n.partition(";")[0] for n in names] for names in uploads(sandbox)][1] == ["base64"] * 2
