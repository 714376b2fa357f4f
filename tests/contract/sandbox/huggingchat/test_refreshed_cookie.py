"""A session cookie that the server renews under another value is the one that counts."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from langchain_g4f import ChatHuggingChat
from tests.contract.faults import chat_ui_script as hc
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.contract.sandbox.huggingchat.asking import MODEL, WAYS, ask

GIVEN = {"hf-chat": "session-0", "token": "hf_site_000"}


def renewing() -> Any:
    """A server that gives the session a new name in the answer to each creation."""
    numbers = itertools.count(1)

    def create(exchange: Exchange) -> None:
        asked = hc.encode(hc.conversation(MODEL, "")).decode()
        exchange.respond(
            200,
            hc.encode({"conversationId": hc.CONVERSATION_ID, "conversation": asked}),
            [
                ("Set-Cookie", f"hf-chat=session-{next(numbers)}; Path=/; HttpOnly; SameSite=Lax"),
                ("Set-Cookie", "hf-chat=elsewhere; Path=/; Domain=example.org"),
                ("Set-Cookie", "other=wide; Path=/; Domain=.0.0.1"),
            ],
        )

    def answer(exchange: Exchange) -> None:
        stream = exchange.start_stream()
        for piece in (hc.STARTED, hc.token("Hello"), hc.final("Hello"), hc.FINISHED):
            stream.chunk(piece)
        stream.end()

    return hc.chat_ui(create=create, send=answer)


def cookies(exchange: Exchange) -> dict[str, str]:
    """What a request had."""
    (line,) = [value for name, value in exchange.headers if name.lower() == "cookie"]
    return dict(pair.split("=", 1) for pair in line.split("; "))


@pytest.mark.proves("promise:identity", "obligation:huggingchat:1")
@pytest.mark.parametrize("way", WAYS)
async def test_renewed_session_is_kept_from_then_on(way: str) -> None:
    """For the rest of the call and for later ones; what is not the server's to set is not kept."""
    with ByteServer(renewing()) as server:
        model = ChatHuggingChat(base_url=f"{server.url}/chat", model=MODEL, cookies=GIVEN)
        await ask(model, way, "one")
        await ask(model, way, "two")
        await model.ainvoke("three")
        sent = [cookies(request)["hf-chat"] for request in server.requests]
        assert sent == [f"session-{n}" for n in (0, 1, 1, 2, 2, 3)]
        assert {cookies(request)["token"] for request in server.requests} == {"hf_site_000"}
        assert all(cookies(request).keys() == GIVEN.keys() for request in server.requests)


@pytest.mark.proves("promise:identity")
async def test_renewed_session_is_not_written_into_the_settings() -> None:
    """What the caller gave stays what a copy or a dump begins with."""
    with ByteServer(renewing()) as server:
        model = ChatHuggingChat(base_url=f"{server.url}/chat", model=MODEL, cookies=GIVEN)
        await model.ainvoke("one")
    assert model.cookies is not None
    assert model.cookies["hf-chat"].get_secret_value() == "session-0"
