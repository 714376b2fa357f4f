"""Logins that are kept, and servers that take messages of who has the right one."""

from __future__ import annotations

from typing import Any

from langchain_g4f import BaseChatG4F, ChatFlowGpt, ChatHuggingChat, ChatMicrosoftPhi4
from langchain_g4f.auth.store import CredentialFile, Credentials
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.contract.faults.gradio_entry import GPU_TOKEN, hub
from tests.contract.faults.registry import (
    CANARY,
    FLOWGPT,
    HUGGINGCHAT,
    PATIENT,
    Part,
    Provider,
)

STALE, FRESH, WRONG = (f"{CANARY}-{name}" for name in ("stale", "fresh", "wrong"))
GATE = {"HC": "create", "PH": "join", "FG": "chat"}
"""The part of each service that refuses a caller it does not know."""


def model_of(provider: Provider, server: ByteServer, **settings: Any) -> BaseChatG4F:
    """A model without a credential."""
    settings = {"timeout": PATIENT, **settings}
    if provider is HUGGINGCHAT:
        url = f"{server.url}/chat"
        return ChatHuggingChat(base_url=url, model="lab/text-small", **settings)
    if provider is FLOWGPT:
        return ChatFlowGpt(base_url=server.url, impersonate=None, **settings)
    settings |= {"zerogpu_token": GPU_TOKEN, "wake_timeout": 1}
    return ChatMicrosoftPhi4(base_url=server.url, hub_url=hub(server.url), **settings)


def keep(provider: Provider, server: ByteServer, value: str) -> CredentialFile:
    """Keep a login, as another program would."""
    file = CredentialFile(model_of(provider, server).get_cache_file())
    cookies = {"hf-chat": f"{CANARY}-session", "token": value}
    login = Credentials(cookies) if provider is HUGGINGCHAT else Credentials({}, value)
    assert file.save(login)
    return file


def knows(exchange: Exchange, value: str) -> bool:
    """Whether a request has this credential."""
    sent = f"{exchange.header('cookie')} {exchange.header('authorization')}"
    return value in sent


def gated(provider: Provider) -> dict[str, Part]:
    """A server that takes messages with the fresh credential alone."""

    def gate(exchange: Exchange) -> None:
        if knows(exchange, FRESH):
            provider.good(exchange)
        else:
            exchange.respond(401, b'{"message":"Unauthorized"}')

    return {GATE[provider.key]: gate}


def values(provider: Provider, server: ByteServer) -> list[str]:
    """The credential of each request to the part that refuses, in order."""
    requests = provider.sent(server, GATE[provider.key])
    return [next(v for v in (STALE, FRESH, WRONG, "") if knows(r, v)) for r in requests]
