"""What a server or a handle says of addresses never leads a request to another origin or path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import BlockedURLError, ConfigurationError, G4FError, MalformedStreamError
from tests.contract.faults import chat_ui_script as hc
from tests.contract.faults import gradio_script as gr
from tests.contract.faults.byte_server import Action, ByteServer, Exchange
from tests.contract.faults.harness import ask, fail
from tests.contract.faults.registry import HUGGINGCHAT, PHI4, Provider, fault

# --- row 54: another origin ----------------------------------------------------------------------

PREFIXES = {
    "another host": ".attacker.example",
    "user info": "@127.0.0.1:{port}/x",
    "another port": ":{port}/x",
    "no scheme": "//127.0.0.1:{port}",
    "backslashes": "\\\\127.0.0.1:{port}",
    "a whole address": "http://127.0.0.1:{port}/x",
    "line ends": "/x\r\nHost: 127.0.0.1",
    "a control character": "/x\0",
    "a parent": "/../..",
    "a query": "/x?",
    "a name": "x",
}


@fault(54, only="PH", prefix=PREFIXES)
async def test_app_whose_api_is_elsewhere_is_refused(
    provider: Provider, way: str, prefix: str
) -> None:
    """Nothing but its description is asked, and no other server is asked."""
    with ByteServer(Exchange.close) as other:
        config = gr.config(api_prefix=prefix.format(port=other.port))
        with provider.server(config=gr.reply(config)) as server:
            model = provider.full_model(server)
            error = await fail(model, way, MalformedStreamError, provider.full_prompt, host=None)
            assert "no path below" in str(error)
            assert provider.asked(server) == ("config",)
        assert (other.requests, other.closings) == ([], {})


FILES = {
    "user info": "{url}@127.0.0.1:{port}/x",
    "user info and a path": "{base}@127.0.0.1:{port}/x",
    "another port": "http://127.0.0.1:{port}/chat/x",
    "a parent": "{base}/../settings",
    "a parent in disguise": "{base}/%2e%2e/settings",
    "a backslash": "{base}\\@127.0.0.1:{port}/x",
}


@fault(54, each=True, address=FILES)
async def test_file_that_seems_to_be_the_services_is_not_fetched_as_the_caller(
    provider: Provider, way: str, address: str
) -> None:
    """The address of a block may be of any server: it is fetched as any other, here refused."""
    with ByteServer(Exchange.close) as other, provider.server() as server:
        model = provider.model(server)
        url = address.format(url=server.url, base=model.base_url, port=other.port)
        block = {"type": "image", "url": url}
        with pytest.raises(BlockedURLError):
            model.fetch_file(block) if way == "invoke" else await model.afetch_file(block)
        assert (server.requests, other.requests, other.closings) == ([], [], {})


# --- row 55: another path ------------------------------------------------------------------------

IDS: dict[str, Any] = {
    "other paths": "../../settings/tokens",
    "a parent": "..",
    "two segments": "a/b",
    "a query": "a?b",
    "a fragment": "a#b",
    "an escape": "%2e%2e",
    "a line end": "a\r\nb",
    "nothing": "",
    "too long": "a" * 65,
    "another alphabet": "\u0661",
}


def create(conversation: str) -> Action:
    """Create a conversation of this name."""

    def act(exchange: Exchange) -> None:
        whole = hc.encode(hc.conversation("lab/text-small", "")).decode()
        exchange.respond(
            200, json.dumps({"conversationId": conversation, "conversation": whole}).encode()
        )

    return act


@fault(55, only="HC", conversation=IDS)
async def test_conversation_with_an_odd_name_is_refused(
    provider: Provider, way: str, conversation: str
) -> None:
    """No message goes to where it points, and nothing is deleted there."""
    with provider.server(create=create(conversation)) as server:
        model = provider.model(server, delete_after=True)
        error = await fail(model, way, MalformedStreamError, host=None)
        assert "'conversationId'" in str(error)
        assert provider.asked(server) == ("create",)


NAME_IN_HANDLE = {"HC": "conversation", "PH": "session"}


def forged(provider: Provider, answer: AIMessage, name: str) -> AIMessage:
    """The answer, whose handle names something else."""
    handle = {**answer.response_metadata["conversation"], NAME_IN_HANDLE[provider.key]: name}
    return AIMessage(answer.text, response_metadata={"conversation": handle})


async def delete(model: ChatHuggingChat, answer: AIMessage, way: str) -> None:
    """Delete the conversation, blocking or awaiting."""
    if way == "invoke":
        model.delete_conversation(answer)
    else:
        await model.adelete_conversation(answer)


def odd(provider: Provider, server: ByteServer) -> Iterator[str]:
    """The requests that are none of a good server's parts."""
    return (name for name in provider.asked(server) if name not in provider.parts)


@fault(55, each=True, name=IDS)
async def test_handle_of_the_history_with_an_odd_name_is_not_used(
    provider: Provider, way: str, name: str
) -> None:
    """The history is sent to a new conversation, as without a handle."""
    with provider.server() as server:
        model = provider.model(server)
        answer = await ask(model, "invoke")
        seen = len(server.requests)
        history = [HumanMessage("hi"), forged(provider, answer, name)]
        answer = await ask(model, way, [*history, HumanMessage("and?")])
        assert answer.text == "Hello there"
        assert provider.asked(server)[seen:] == provider.again
        assert not list(odd(provider, server))
        if name:
            assert not [each for each in server.requests if name in f"{each.path}?{each.query}"]


@fault(55, each=True, name=IDS)
async def test_handle_that_is_given_with_an_odd_name_is_refused(
    provider: Provider, way: str, name: str
) -> None:
    """Nothing is sent, and nothing deleted: the handle may want another path to be."""
    with provider.server() as server:
        model = provider.model(server)
        answer = forged(provider, await ask(model, "invoke"), name)
        seen = len(server.requests)
        with pytest.raises(ConfigurationError, match="conversation="):
            await ask(model.bind(conversation=answer), way)
        assert set(provider.asked(server)[seen:]) <= {"config", "app_id"}
        if isinstance(model, ChatHuggingChat):
            with pytest.raises(ConfigurationError, match="no handle"):
                await delete(model, answer, way)
            assert len(server.requests) == seen


@fault(55, only="HC", sha=["..", ".", ""])
async def test_file_whose_name_is_no_segment_is_malformed(
    provider: Provider, way: str, sha: str
) -> None:
    """An address that ends so is that of something else."""
    update = hc.line({"type": "file", "name": "x.png", "mime": "image/png", "sha": sha})
    pieces = (*provider.start, update, *provider.end("Hello"))
    with provider.server(answer=provider.answering(*pieces)) as server:
        await fail(provider.model(server), way, MalformedStreamError, host=None)


@fault(55, only="HC", name=["\N{SNOWMAN}", "1\N{DELETE}"])
async def test_update_whose_id_no_header_can_carry_ends_the_following(
    provider: Provider, way: str, name: str
) -> None:
    """The answer is an interrupted one, which has what came; no call is refused for it."""

    def reattach(exchange: Exchange) -> None:
        stream = exchange.start_stream(content_type="text/event-stream")
        data = json.dumps({"type": "stream", "token": "Hello"}).encode()
        stream.chunk(b"event: update\nid: " + name.encode() + b"\ndata: " + data + b"\n\n")
        stream.end()

    broken = provider.answering(*provider.start, then=lambda exchange, _: exchange.close())
    with provider.server(answer=broken, reattach=reattach) as server:
        with pytest.raises(G4FError) as caught:
            await ask(provider.model(server), way)
        assert getattr(caught.value, "partial_text", None) == "Hello"
        assert provider.asked(server)[:4] == (*provider.good_call, "read", "reattach")


assert {HUGGINGCHAT.key, PHI4.key} == NAME_IN_HANDLE.keys()
