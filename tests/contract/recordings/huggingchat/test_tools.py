"""Tools that a current server runs itself (section 7)."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from langchain_g4f.core.events import Progress
from langchain_g4f.errors import ConfigurationError
from tests.contract.recordings.huggingchat.recordings import (
    COOKIES,
    REASONER,
    TEXT,
    THOUGHTS,
    VISION,
    assert_as_recorded,
    by_mode,
    model_on,
    play,
    proves,
    with_models,
)
from tests.contract.recordings.replay import Replayer, Routed, Transport
from tests.contract.recordings.suite import ask

SUM = 'sum [[tool:add:{"a":2,"b":3}]]'
LAB = {"name": "lab", "url": "http://127.0.0.1:18095/mcp", "headers": {}}
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


by_output_version = pytest.mark.parametrize("version", [None, "v1"])


def tooled(replayer: Replayer, model: str = VISION, **more: Any) -> Any:
    """A model that has the recorded tool server."""
    return model_on(
        replayer,
        with_models(replayer),  # which models use tools
        model=model,
        mcp_servers=[LAB],
        timezone="Europe/Warsaw",
        **more,
    )


def blocks(answer: Any) -> list[dict[str, Any]]:
    """The content blocks, without what is for merging chunks."""
    return [
        {key: value for key, value in block.items() if key != "index"}
        for block in answer.content_blocks
    ]


def call(number: str, name: str, args: dict[str, Any]) -> dict[str, Any]:
    """The block of a call."""
    return {"type": "server_tool_call", "id": number, "name": name, "args": args}


def result(number: str, output: str, status: str = "success") -> dict[str, Any]:
    """The block of what came of it."""
    return {
        "type": "server_tool_result",
        "tool_call_id": number,
        "status": status,
        "output": output,
    }


@proves("huggingchat/tool-call-mcp")
@pytest.mark.proves("promise:everything-yielded", "promise:invoke-equals-stream")
@by_output_version
@by_mode
async def test_tool_call_and_its_result_are_blocks_before_the_text(
    way: str, chunking: str, version: str | None
) -> None:
    """There is nothing for the caller to run: these are no tool calls of an agent."""
    told: list[Progress] = []
    replayer = play("huggingchat/tool-call-mcp", chunking)
    model = tooled(replayer, on_progress=told.append, output_version=version)
    answer = await ask(model, SUM, way)
    number = "c5f76088-da01-46ba-aa5b-84e3c11edb8c"
    assert blocks(answer) == [
        call(number, "add", {"a": 2, "b": 3}),
        result(number, "5"),
        {"type": "text", "text": "Tool said: 5"},
    ]
    assert answer.tool_calls == []
    assert answer.response_metadata["title"] == "Title: sum"
    assert [each.data.get("eta") for each in told if each.kind == "tool_eta"] == [10]
    assert_as_recorded(replayer)


@proves("huggingchat/tool-call-mcp-error")
@by_mode
async def test_tool_that_fails_is_an_error_in_the_midst_of_a_good_answer(
    way: str, chunking: str
) -> None:
    """The model is told, and so is the caller; the answer goes on."""
    replayer = play("huggingchat/tool-call-mcp-error", chunking)
    answer = await ask(tooled(replayer), "fail [[tool:boom:{}]]", way)
    number = "c7004540-24e0-49bc-8b7c-c0e23626823e"
    assert blocks(answer) == [
        call(number, "boom", {}),
        result(number, "boom: it failed", "error"),
        {"type": "text", "text": "Tool said: Error: boom: it failed"},
    ]
    assert_as_recorded(replayer)


@proves("huggingchat/tool-call-mcp-image")
@by_output_version
@by_mode
async def test_image_of_a_tool_is_an_image_of_the_answer(
    way: str, chunking: str, version: str | None
) -> None:
    """It stands only in the result (7), from which its bytes are taken."""
    replayer = play("huggingchat/tool-call-mcp-image", chunking)
    model = tooled(replayer, output_version=version)
    answer = await ask(model, "draw [[tool:picture:{}]]", way)
    number = "736a34a4-7ccd-422c-a895-bc601f034781"
    (image,) = [block for block in blocks(answer) if block["type"] == "image"]
    assert [block for block in blocks(answer) if block != image] == [
        call(number, "picture", {}),
        result(number, "here is a pixel"),
        {"type": "text", "text": "Tool said: here is a pixel"},
    ]
    assert (image["type"], image["mime_type"]) == ("image", "image/png")
    assert model.fetch_file(image) == PIXEL
    assert_as_recorded(replayer)


@proves("huggingchat/tool-call-mcp-with-reasoning")
@by_mode
async def test_thoughts_of_every_round_are_kept_and_only_the_answer_is_text(
    way: str, chunking: str
) -> None:
    """The model thinks before the call and after it; the final text covers the last round."""
    replayer = play("huggingchat/tool-call-mcp-with-reasoning", chunking)
    asked = 'sum [[think]][[tool:add:{"a":2,"b":3}]]'
    answer = await ask(tooled(replayer, REASONER), asked, way)
    number = "257bba64-12ad-415f-94bf-758aa1fe7a21"
    assert answer.text == "Tool said: 5"
    assert answer.additional_kwargs["reasoning_content"] == THOUGHTS * 2
    assert [block["type"] for block in blocks(answer)] == [
        "reasoning",
        "server_tool_call",
        "server_tool_result",
        "text",
    ]
    assert blocks(answer)[1:3] == [call(number, "add", {"a": 2, "b": 3}), result(number, "5")]
    assert "restarted" not in answer.response_metadata
    assert_as_recorded(replayer)


@proves("huggingchat/tool-servers-listed", "huggingchat/conversation-delete")
@by_mode
async def test_search_without_a_search_server_is_refused_and_leaves_nothing_behind(
    way: str, chunking: str
) -> None:
    """The operator lists no server for it: the conversation made for the question is deleted."""
    replayer = play("huggingchat/conversation-delete", chunking)
    replayer.skip(0, 1, 2, 3, 4)
    servers = play("huggingchat/tool-servers-listed", chunking)
    listed = {"json": [{"id": TEXT, "supportsTools": True}]}  # else it is refused before that
    others: dict[str, Transport] = {
        "/chat/api/mcp/servers": servers,
        "/chat/api/v2/models": httpx.MockTransport(lambda _: httpx.Response(200, json=listed)),
    }
    transport = Routed(lambda request: others.get(request.url.path, replayer))
    model = model_on(replayer, transport, model=TEXT, web_search=True, cookies=COOKIES)
    with pytest.raises(ConfigurationError, match="no server for web search"):
        await ask(model, "What is new?", way)
    assert [request.interaction for request in replayer.requests] == [5, 6]
    assert len(servers.requests) == 1
    assert_as_recorded(replayer)
    assert_as_recorded(servers)
