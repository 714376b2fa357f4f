"""What a server says besides its text: files, questions, sources and reasoning."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import BlockedURLError, ConfigurationError, NotFoundError
from langchain_g4f.testing import Sandbox
from tests.contract.faults import chat_ui_script as hc
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.contract.sandbox.huggingchat.asking import (
    MODEL,
    Generation,
    Watcher,
    ask,
    echo,
    history,
    inputs,
)
from tests.contract.sandbox.huggingchat.pictures import picture
from tests.unit.chat_models.ways import WAYS

DIGEST = "c0ffee" * 10


COOKIES = {"hf-chat": "canary-session", "token": "canary-token"}


def with_file(exchange: Exchange) -> None:
    """Answer with a file, as older servers say that a tool made one."""
    stream = exchange.start_stream()
    stream.chunk(hc.STARTED)
    for name, mime in (("sky.png", "image/png"), ("table.csv", "text/csv")):
        update = {"type": "file", "name": name, "sha": DIGEST, "mime": mime}
        stream.chunk(hc.line(update))
    stream.chunk(hc.token("Here."))
    stream.chunk(hc.final("Here."))
    stream.chunk(hc.FINISHED)
    stream.end()


def file_ok(exchange: Exchange) -> None:
    """Hand out the file to whoever has the cookie."""
    cookies = dict(exchange.headers).get("cookie", "") or dict(exchange.headers).get("Cookie", "")
    if "canary-token" in cookies:
        exchange.respond(200, picture(), content_type="image/png")
    else:
        exchange.respond(404, b'{"message":"File not found"}')


FILES = hc.chat_ui(send=with_file, more={("GET", rf"/output/{DIGEST}$"): file_ok})


@pytest.mark.proves("promise:everything-yielded")
@pytest.mark.parametrize("version", [None, "v1"])
async def test_files_of_an_answer_are_blocks_that_can_be_fetched(version: str | None) -> None:
    """Their bytes are for the caller alone, so the caller's cookies go along."""
    with ByteServer(FILES) as server:
        model = ChatHuggingChat(
            base_url=f"{server.url}/chat", model=MODEL, cookies=COOKIES, output_version=version
        )
        answer = await model.ainvoke("paint")
        blocks: Any = answer.content_blocks
        image, table, text = blocks
        assert (image["type"], table["type"], text["type"]) == ("image", "file", "text")
        assert (
            image["url"] == f"{server.url}/chat/conversation/{hc.CONVERSATION_ID}/output/{DIGEST}"
        )
        assert image["extras"] == {"filename": "sky.png"}
        assert model.fetch_file(image) == await model.afetch_file(table) == picture()
        other = ChatHuggingChat(base_url=f"{server.url}/chat", model=MODEL)
        with pytest.raises(NotFoundError):
            other.fetch_file(image)


@pytest.mark.proves("promise:everything-yielded", "promise:identity", "obligation:huggingchat:1")
async def test_files_elsewhere_are_fetched_without_credentials() -> None:
    """A block may name any address: other hosts get no cookie, and private ones no request."""
    with ByteServer(FILES) as server, ByteServer(file_ok) as elsewhere:
        block = {"type": "image", "url": f"{elsewhere.url}/output/{DIGEST}"}
        model = ChatHuggingChat(base_url=f"{server.url}/chat", model=MODEL, cookies=COOKIES)
        with pytest.raises(BlockedURLError):
            model.fetch_file(block)
        with pytest.raises(BlockedURLError):
            await model.afetch_file({"url": f"{server.url}.example.org/chat/output"})
        assert not elsewhere.requests
        trusting = model.model_copy(update={"trusted_media_hosts": ["127.0.0.1"]})
        with pytest.raises(NotFoundError):
            trusting.fetch_file(block)
        assert "canary" not in str(elsewhere.requests[0].headers)


@pytest.mark.proves("promise:everything-yielded")
@pytest.mark.parametrize("block", [{"type": "image"}, {"type": "image", "file_id": "1"}, {}])
async def test_block_without_bytes_or_address_cannot_be_fetched(
    block: dict[str, Any], sandbox: Sandbox
) -> None:
    """There is nothing to ask for."""
    model = ChatHuggingChat(base_url=sandbox.base_url)
    with pytest.raises(ConfigurationError, match="block"):
        model.fetch_file(block)
    with pytest.raises(ConfigurationError, match="block"):
        await model.afetch_file(block)
    assert not sandbox.requests


QUESTION = {
    "elicitationId": "7c1d9e2a-0b60-4b7e-8a52-6f1f0d1f6b11",
    "server": "lab",
    "mode": "form",
    "message": "Which city?",
    "fields": [{"name": "city", "type": "string"}],
}


def asking(exchange: Exchange) -> None:
    """Only ask the user something: no final answer, and no error."""
    stream = exchange.start_stream()
    stream.chunk(hc.STARTED)
    stream.chunk(hc.line({"type": "elicitation", "subtype": "request", "request": QUESTION}))
    stream.chunk(hc.FINISHED)
    stream.end()


@pytest.mark.proves("promise:everything-yielded", "obligation:huggingchat:8")
async def test_question_of_a_tool_server_is_progress() -> None:
    """Somebody who watches is told, with all that the question has; the answer is empty."""
    watcher = Watcher()
    with ByteServer(hc.chat_ui(send=asking)) as server:
        model = ChatHuggingChat(base_url=f"{server.url}/chat", model=MODEL, on_progress=watcher)
        answer = await model.ainvoke("weather")
        assert server.count("POST", "stop-generating") == 0
    (question,) = [progress for progress in watcher.seen if progress.kind == "elicitation"]
    assert question.message == "Which city?"
    assert question.data == QUESTION
    assert answer.text == ""
    assert answer.response_metadata["finish_reason"] == "unknown"


REASONER = "sandbox/reasoner"


SOURCES = [
    {"type": "citation", "url": "https://example.org/first", "title": "First result"},
    {"type": "citation", "url": "https://example.org/second", "title": "Second result"},
]


@pytest.mark.proves("promise:everything-yielded", "promise:server-options")
@pytest.mark.parametrize("where", ["call", "model"])
async def test_web_search_of_an_older_server_gives_sources(where: str) -> None:
    """They are citations of the answer, each once; what is searched for is progress."""
    watcher = Watcher()
    with Sandbox(generation="legacy") as sandbox:
        model = ChatHuggingChat(
            base_url=sandbox.base_url,
            model=MODEL,
            on_progress=watcher,
            web_search=where == "model",
        )
        options: Any = {"web_search": True} if where == "call" else {}
        answer = await model.ainvoke("news", **options)
    assert answer.text == echo(1, "news")
    blocks: Any = answer.content_blocks
    (text,) = blocks
    found = [{key: note[key] for key in ("type", "url", "title")} for note in text["annotations"]]
    assert found == SOURCES
    searched = [p for p in watcher.seen if p.kind.startswith("web_search")]
    assert [p.kind for p in searched] == ["web_search_update", "web_search_finished"]
    assert searched[0].message == "Searching Google: news"


def plain_blocks(blocks: Any) -> list[dict[str, Any]]:
    """Blocks without the places that chunks need to be added up, and without made-up ids."""
    return [
        {key: value for key, value in block.items() if key not in ("index", "id")}
        for block in blocks
    ]


SCENES: dict[str, tuple[Generation, str, str, dict[str, Any]]] = {
    "text": ("current", MODEL, "hi", {}),
    "reasoning": ("current", REASONER, "why", {}),
    "reasoning only": ("current", MODEL, "why [[think-only]]", {}),
    "older reasoning": ("legacy", REASONER, "why", {}),
    "sources": ("legacy", MODEL, "news", {"web_search": True}),
    "sources and reasoning": ("legacy", REASONER, "news", {"web_search": True}),
}


@pytest.mark.proves("promise:everything-yielded", "promise:invoke-equals-stream")
@pytest.mark.parametrize("version", [None, "v1"])
@pytest.mark.parametrize("scene", SCENES)
async def test_all_ways_give_the_same_blocks(scene: str, version: str | None) -> None:
    """Added up or whole, in LangChain's new form or the old one."""
    generation, name, prompt, options = SCENES[scene]
    with Sandbox(generation=generation, split="random") as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=name, output_version=version)
        answers = [await ask(model, way, prompt, **options) for way in WAYS]
    assert len({repr(plain_blocks(answer.content_blocks)) for answer in answers}) == 1
    assert len({answer.text for answer in answers}) == 1
    for answer in answers:
        assert isinstance(answer.content, list if version else str)
        if version:
            assert plain_blocks(answer.content) == plain_blocks(answer.content_blocks)


@pytest.mark.proves("promise:everything-yielded", "promise:native-conversations")
@pytest.mark.parametrize("scene", SCENES)
async def test_answer_in_blocks_is_continued(scene: str) -> None:
    """Its form makes no difference to the conversation."""
    generation, name, prompt, options = SCENES[scene]
    with Sandbox(generation=generation) as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=name, output_version="v1")
        first = await model.ainvoke(prompt, **options)
        second = await model.ainvoke(history(prompt, first, "and"))
        assert second.text.startswith(f"Echo ({name}, turn 2): and")
        assert inputs(sandbox) == [prompt, "and"]
