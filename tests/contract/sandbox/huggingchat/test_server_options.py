"""What a call can ask of a server, by the version of the server."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from langchain_core.load import dumps

from langchain_g4f import ChatHuggingChat
from langchain_g4f.chat_models.huggingchat import ToolServer
from langchain_g4f.errors import ConfigurationError
from langchain_g4f.testing import Prompt, Sandbox
from tests.contract.faults import chat_ui_script as hc
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.contract.sandbox.huggingchat.asking import (
    MODEL,
    OTHER_MODEL,
    Generation,
    echo,
    history,
    only,
    paths,
    sends,
)

SERVER = {
    "name": "weather",
    "url": "https://weather.example.org/mcp",
    "headers": {"authorization": "Bearer canary-header", "x-team": "a"},
}


ON_THE_WIRE = {
    "name": "weather",
    "url": "https://weather.example.org/mcp",
    "headers": [
        {"key": "authorization", "value": "Bearer canary-header"},
        {"key": "x-team", "value": "a"},
    ],
}


OPERATORS = ("Hub", "Web Search (Exa)")


def model_on(sandbox: Sandbox, **settings: Any) -> ChatHuggingChat:
    """A model on this server."""
    return ChatHuggingChat(**{"base_url": sandbox.base_url, "model": MODEL, **settings})


def tooled(sandbox: Sandbox, **settings: Any) -> ChatHuggingChat:
    """A model on this server that uses tools."""
    return model_on(sandbox, model=OTHER_MODEL, **settings)


def offered(prompt: Prompt) -> str:
    """Answer with the names of the tool servers that the model is offered."""
    return ", ".join(prompt.tool_servers) or "none"


@pytest.mark.proves("promise:server-options")
@pytest.mark.parametrize("where", ["call", "model", "object"])
async def test_tool_servers_are_offered_to_the_model(where: str) -> None:
    """With their names selected and their headers as pairs."""
    with Sandbox() as sandbox:
        if where == "call":
            await tooled(sandbox).ainvoke("hi", mcp_servers=[SERVER], timezone="Europe/Warsaw")
        else:
            server: Any = ToolServer.model_validate(SERVER) if where == "object" else SERVER
            model = tooled(sandbox, mcp_servers=[server], timezone="Europe/Warsaw")
            await model.ainvoke("hi")
        (data,) = sends(sandbox)
    assert data["selectedMcpServers"] == [ON_THE_WIRE]
    assert data["selectedMcpServerNames"] == ["weather"]
    assert data["timezone"] == "Europe/Warsaw"


WANTED: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "none"),
    "a search": ({"web_search": True}, "Web Search (Exa)"),
    "a server by name": ({"server_tools": ["Hub"]}, "Hub"),
    "both": ({"server_tools": ["Hub"], "web_search": True}, "Hub, Web Search (Exa)"),
    "the search by name, too": (
        {"server_tools": ["Web Search (Exa)"], "web_search": True},
        "Web Search (Exa)",
    ),
    "an own server": ({"mcp_servers": [SERVER]}, "weather"),
    "own and named": ({"mcp_servers": [SERVER], "server_tools": ["Hub"]}, "Hub, weather"),
}


@pytest.mark.proves("promise:server-options", "obligation:huggingchat:20", "fault:60:HC")
@pytest.mark.parametrize("wanted", WANTED)
async def test_model_is_offered_the_tools_that_the_caller_wants(wanted: str) -> None:
    """Those of the operator by name only: a server takes a message without a list for all."""
    options, expected = WANTED[wanted]
    with Sandbox(offered, tool_servers=OPERATORS) as sandbox:
        answer = await tooled(sandbox).ainvoke("hi", **options)
        assert answer.text == expected
        (data,) = sends(sandbox)
        listed = sum("/api/mcp/servers" in path for path in paths(sandbox))
    assert isinstance(data["selectedMcpServerNames"], list)
    assert listed == ("web_search" in options or "server_tools" in options)


REFUSED: dict[str, tuple[Generation, dict[str, Any], str]] = {
    "a server not listed": (
        "current",
        {"server_tools": ["Hub", "Hubb"]},
        "'Hubb'.*Hub, Web Search",
    ),
    "no address": ("current", {"mcp_servers": [{"name": "weather"}]}, "ToolServer"),
    "no name": ("current", {"mcp_servers": [{"url": "https://a.example"}]}, "ToolServer"),
    "no URL": ("current", {"mcp_servers": [SERVER | {"url": "a.example"}]}, "tool server"),
    "a file": ("current", {"mcp_servers": [SERVER | {"url": "file:///a"}]}, "tool server"),
    "a text": ("current", {"mcp_servers": ["weather"]}, "ToolServer"),
    "ids on a current server": ("current", {"tool_ids": ["0" * 24]}, "tools with ids"),
    "servers on an older one": ("legacy", {"mcp_servers": [SERVER]}, "takes no tool servers"),
    "names on an older one": ("legacy", {"server_tools": ["Hub"]}, "takes no tool servers"),
}


@pytest.mark.proves("promise:server-options")
@pytest.mark.parametrize("case", REFUSED)
async def test_tools_that_the_server_cannot_offer_are_refused(case: str) -> None:
    """The server would silently ignore them; no message is sent, and no conversation stays."""
    generation, options, message = REFUSED[case]
    with Sandbox(generation=generation, tool_servers=OPERATORS) as sandbox:
        with pytest.raises(ValueError, match=message):
            await tooled(sandbox).ainvoke("hi", **options)
        assert not sends(sandbox)
        assert not sandbox.conversations


@pytest.mark.proves("promise:server-options")
@pytest.mark.parametrize("option", ["web_search", "mcp_servers", "server_tools"])
async def test_tools_for_a_model_that_uses_none_are_refused(option: str) -> None:
    """A server would leave them out without a word; nothing is created and nothing sent."""
    values = {"web_search": True, "mcp_servers": [SERVER], "server_tools": ["Hub"]}
    given: dict[str, Any] = {option: values[option]}
    with Sandbox(tool_servers=OPERATORS) as sandbox:
        with pytest.raises(ConfigurationError, match=rf"{option}: .*{MODEL}.*{OTHER_MODEL}"):
            await model_on(sandbox).ainvoke("hi", **given)
        assert [request.method for request in sandbox.requests] == ["GET"]
        assert not sandbox.conversations
        first = await model_on(sandbox).ainvoke("one")
        with pytest.raises(ConfigurationError, match=option):
            await model_on(sandbox).ainvoke(history("one", first, "two"), **given)
        assert len(sends(sandbox)) == 1


@pytest.mark.proves("promise:server-options")
@pytest.mark.parametrize("name", ["Mars/Base", "../../etc/passwd", "é"])
async def test_timezone_that_there_is_not_is_refused(name: str) -> None:
    """By the model, and by the call, before anything is sent."""
    with Sandbox() as sandbox:
        with pytest.raises(ConfigurationError, match="timezone"):
            await model_on(sandbox).ainvoke("hi", timezone=name)
        with pytest.raises(ValueError, match="timezone"):
            model_on(sandbox, timezone=name)
        assert not sandbox.requests


@pytest.mark.proves("promise:server-options")
async def test_no_tools_are_said_where_there_are_none(generation: Generation) -> None:
    """A message has the fields it needs: on a current server a list of no names is one of them."""
    with Sandbox(generation=generation) as sandbox:
        await model_on(sandbox).ainvoke("hi")
        (data,) = sends(sandbox)
    said = {key: data[key] for key in data if "Mcp" in key or key == "timezone"}
    assert said == ({"selectedMcpServerNames": []} if generation == "current" else {})
    assert not data.get("tools")
    assert not data.get("web_search")


@pytest.mark.proves("promise:server-options", "obligation:huggingchat:19")
def test_headers_of_a_tool_server_are_secret() -> None:
    """They are in no repr, dump or pickle, and in no error about them."""
    model = ChatHuggingChat(base_url="http://127.0.0.1:1", mcp_servers=[SERVER])
    for shown in (repr(model), str(model.mcp_servers), dumps(model), repr(pickle.dumps(model))):
        assert "canary-header" not in shown
    wrong: Any = SERVER | {"url": 7, "surprise": "canary-header"}
    with pytest.raises(ValueError, match="mcp_servers") as caught:
        ChatHuggingChat(mcp_servers=[wrong])
    assert "canary-header" not in str(caught.value)


@pytest.mark.proves("promise:server-options")
async def test_web_search_that_cannot_be_leaves_a_conversation_as_it_was() -> None:
    """Only what the call created is cleaned up."""
    with Sandbox() as sandbox:
        model = tooled(sandbox)
        first = await model.ainvoke("one")
        with pytest.raises(ConfigurationError):
            await model.ainvoke(history("one", first, "two"), web_search=True)
        assert len(only(sandbox).messages) == 3
        second = await model.ainvoke(history("one", first, "two"))
        assert second.text == echo(2, "two", OTHER_MODEL)


def listing(*servers: dict[str, str]) -> Any:
    """A server whose operator offers these tool servers."""

    def listed(exchange: Exchange) -> None:
        exchange.respond(200, hc.encode(list(servers)))

    return hc.chat_ui(more={("GET", r"/api/mcp/servers$"): listed, ("GET", r"/models$"): models_ok})


def models_ok(exchange: Exchange) -> None:
    """List the model, which uses tools."""
    exchange.respond(200, hc.encode({"json": [{"id": MODEL, "supportsTools": True}]}))


@pytest.mark.proves("promise:server-options")
@pytest.mark.parametrize(
    ("name", "url"),
    [("Web Search", "https://example.org/mcp"), ("Exa", "https://mcp.exa.ai/mcp")],
)
async def test_web_search_selects_the_operators_server(name: str, url: str) -> None:
    """It is known by its name or its address, and selected by its name."""
    hub = {"name": "Hub", "url": "https://hub.example.org/mcp"}
    with ByteServer(listing(hub, {"name": name, "url": url})) as server:
        model = ChatHuggingChat(base_url=f"{server.url}/chat", model=MODEL)
        await model.ainvoke("news", web_search=True, mcp_servers=[SERVER])
        sent = next(r.body for r in server.requests if b"selectedMcpServerNames" in r.body)
    assert f'"selectedMcpServerNames": ["weather", "{name}"]'.encode() in sent


@pytest.mark.proves("promise:server-options")
async def test_tools_of_an_older_server_are_chosen_by_id() -> None:
    """A current server has no such tools."""
    ids = ["00000000000000000000000a", "00000000000000000000000c"]
    with Sandbox(generation="legacy") as sandbox:
        await model_on(sandbox).ainvoke("hi", tool_ids=ids)
        assert sends(sandbox)[0]["tools"] == ids
