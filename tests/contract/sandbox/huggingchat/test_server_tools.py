"""Tools that the server runs itself, as real servers reported them, and files of older ones."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import BlockedURLError, ConfigurationError, NotFoundError
from langchain_g4f.testing import Sandbox
from tests.contract.faults import chat_ui_script as hc
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.contract.recordings.huggingchat.recordings import with_models
from tests.contract.recordings.replay import load
from tests.contract.recordings.suite import CASSETTES, clients
from tests.contract.sandbox.huggingchat.asking import MODEL, WAYS, Watcher, ask
from tests.contract.sandbox.huggingchat.pictures import picture

LAB = {
    "mcp_servers": [{"name": "lab", "url": "http://127.0.0.1:18095/mcp"}],
    "timezone": "Europe/Warsaw",
}
THOUGHTS = "First I look at the question. Then I answer it."
DIGEST = "c0ffee" * 10
COOKIES = {"hf-chat": "canary-session", "token": "canary-token"}


async def replayed(name: str, way: str, model_name: str, prompt: str, **settings: Any) -> AIMessage:
    """The answer of a recorded conversation in which tools were run."""
    replayer = load(Path(CASSETTES) / "huggingchat" / f"{name}.yaml")()
    model = ChatHuggingChat(
        base_url="http://127.0.0.1:17860/chat",
        model=model_name,
        **clients(with_models(replayer)),
        **settings,
    )
    return await ask(model, way, prompt, **LAB)


def shape(answer: AIMessage) -> list[dict[str, Any]]:
    """The blocks without ids and places, which differ from call to call."""
    hidden = {"id", "tool_call_id", "index", "extras"}
    return [{k: v for k, v in block.items() if k not in hidden} for block in answer.content_blocks]


CALL_ADD = {"type": "server_tool_call", "name": "add", "args": {"a": 2, "b": 3}}
RESULT_5 = {"type": "server_tool_result", "status": "success", "output": "5"}

RECORDED: dict[str, tuple[str, str, list[dict[str, Any]]]] = {
    "tool-call-mcp": (
        "lab/vision-tools",
        'sum [[tool:add:{"a":2,"b":3}]]',
        [CALL_ADD, RESULT_5, {"type": "text", "text": "Tool said: 5"}],
    ),
    "tool-call-mcp-error": (
        "lab/vision-tools",
        "fail [[tool:boom:{}]]",
        [
            {"type": "server_tool_call", "name": "boom", "args": {}},
            {"type": "server_tool_result", "status": "error", "output": "boom: it failed"},
            {"type": "text", "text": "Tool said: Error: boom: it failed"},
        ],
    ),
    "tool-call-mcp-with-reasoning": (
        "lab/reasoner",
        'sum [[think]][[tool:add:{"a":2,"b":3}]]',
        [
            {"type": "reasoning", "reasoning": THOUGHTS * 2},
            CALL_ADD,
            RESULT_5,
            {"type": "text", "text": "Tool said: 5"},
        ],
    ),
}


@pytest.mark.proves("promise:everything-yielded", "promise:invoke-equals-stream")
@pytest.mark.parametrize("version", [None, "v1"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", RECORDED)
async def test_tools_of_the_server_are_blocks(name: str, way: str, version: str | None) -> None:
    """Call and result, the same added up or whole; nothing is left for the caller to run."""
    model_name, prompt, blocks = RECORDED[name]
    answer = await replayed(name, way, model_name, prompt, output_version=version)
    assert shape(answer) == blocks
    assert not answer.tool_calls
    assert not answer.invalid_tool_calls
    calls = [b["id"] for b in answer.content_blocks if b["type"] == "server_tool_call"]
    results = [
        b["tool_call_id"] for b in answer.content_blocks if b["type"] == "server_tool_result"
    ]
    assert calls == results
    assert "restarted" not in answer.response_metadata


@pytest.mark.proves("promise:everything-yielded")
@pytest.mark.parametrize("version", [None, "v1"])
@pytest.mark.parametrize("way", WAYS)
async def test_image_a_tool_made_is_a_block_with_its_bytes(way: str, version: str | None) -> None:
    """They came along with the result; nothing has to be fetched."""
    answer = await replayed(
        "tool-call-mcp-image",
        way,
        "lab/vision-tools",
        "draw [[tool:picture:{}]]",
        output_version=version,
    )
    kinds = ["server_tool_call", "server_tool_result", "image", "text"]
    assert [block["type"] for block in answer.content_blocks] == kinds
    block = answer.content_blocks[2]
    assert block["type"] == "image"
    data = ChatHuggingChat(base_url="http://127.0.0.1:1").fetch_file(block)
    assert data.startswith(b"\x89PNG")
    assert data == base64.b64decode(block["base64"])
    assert block["mime_type"] == "image/png"


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
@pytest.mark.parametrize("way", WAYS)
async def test_files_of_an_answer_are_blocks_that_can_be_fetched(
    way: str, version: str | None
) -> None:
    """Their bytes are for the caller alone, so the caller's cookies go along."""
    with ByteServer(FILES) as server:
        model = ChatHuggingChat(
            base_url=f"{server.url}/chat", model=MODEL, cookies=COOKIES, output_version=version
        )
        answer = await ask(model, way, "paint")
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
@pytest.mark.parametrize("way", WAYS)
async def test_question_of_a_tool_server_is_progress(way: str) -> None:
    """Somebody who watches is told, with all that the question has; the answer is empty."""
    watcher = Watcher()
    with ByteServer(hc.chat_ui(send=asking)) as server:
        model = ChatHuggingChat(base_url=f"{server.url}/chat", model=MODEL, on_progress=watcher)
        answer = await ask(model, way, "weather")
        assert server.count("POST", "stop-generating") == 0
    (question,) = [progress for progress in watcher.seen if progress.kind == "elicitation"]
    assert question.message == "Which city?"
    assert question.data == QUESTION
    assert answer.text == ""
    assert answer.response_metadata["finish_reason"] == "unknown"
