"""FlowGPT's one request: how it is signed, when it is sent again, and what a refusal means."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import socket
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from langchain_g4f.chat_models import client as model_client
from langchain_g4f.errors import (
    APIConnectionError,
    AuthenticationError,
    NotFoundError,
    ServerError,
)
from tests.contract.faults import flowgpt_script as fg
from tests.contract.faults.byte_server import Action, ByteServer, Exchange
from tests.contract.faults.flowgpt_entry import TOKEN
from tests.contract.faults.harness import ask, by_call, by_turns, by_way, fail
from tests.contract.faults.registry import FLOWGPT
from tests.contract.faults.test_retries import refuse
from tests.contract.faults.test_secrets import Shown, credentials_of, echo_of, show, shown

__all__ = ["shown"]

by_who = pytest.mark.parametrize(
    ("token", "path", "sent", "advice"),
    [
        (None, "/v3/chat-anonymous", "Bearer null", "anonymous use may be closed"),
        (TOKEN, "/v3/chat", f"Bearer {TOKEN}", "the token may have expired"),
    ],
    ids=["stranger", "member"],
)


def signed(server: ByteServer) -> list[tuple[str, str]]:
    """Time and nonce of each request, whose signature is right for them."""
    found = []
    for request in server.requests:
        stamp, nonce = request.header("x-timestamp"), request.header("x-nonce")
        assert stamp
        assert nonce
        text = f"{stamp}-{nonce}-{request.header('authorization')}"
        digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        assert request.header("x-signature") == digest
        found.append((stamp, nonce))
    return found


# -- refused ---------------------------------------------------------------------


@pytest.mark.proves("fault:4:FG", "fault:43:FG")
@by_call
@by_who
async def test_401_is_final_and_says_what_it_may_come_from(
    way: str, token: str | None, path: str, sent: str, advice: str
) -> None:
    """There is nothing to renew: each call is one request, by the same caller."""
    body = b'{"statusCode":401,"error":"Unauthorized","message":"no session"}'
    with FLOWGPT.server(answer=lambda x: x.respond(401, body)) as server:
        model = FLOWGPT.model(server, api_key=token)
        for _ in range(2):
            error = await fail(model, way, AuthenticationError, host=None)
            for said in ("no session", advice, "this machine's clock is wrong"):
                assert said in str(error)
            assert error.login_url == "https://flowgpt.com"
        assert [each.path for each in server.requests] == [path] * 2
        assert {each.header("authorization") for each in server.requests} == {sent}
        assert len(set(signed(server))) == 2


@pytest.mark.proves("fault:7:FG")
@by_way
async def test_404_is_told_and_not_tried_again(way: str) -> None:
    """Neither at another address nor with other credentials."""
    missing: Action = lambda x: x.respond(404, b'{"data":"no such model"}')  # noqa: E731
    with FLOWGPT.server(answer=missing) as server:
        error = await fail(FLOWGPT.model(server), way, NotFoundError, host=None)
        assert FLOWGPT.asked(server) == ("chat",)
    assert "no such model" in str(error)
    assert not error.is_retryable


# -- sent again ------------------------------------------------------------------


@pytest.mark.proves("fault:10:FG")
@by_call
@pytest.mark.parametrize("code", [502, 503])
async def test_message_that_met_a_failing_gateway_is_not_sent_again(way: str, code: int) -> None:
    """Though the gateway would recover: the service may have the message."""
    with FLOWGPT.server(answer=[refuse(code, "0"), fg.answer_ok]) as server:
        error = await fail(FLOWGPT.model(server), way, ServerError, host=None)
        assert FLOWGPT.asked(server) == ("chat",)
    assert error.is_retryable


@pytest.mark.proves("fault:10:FG", "fault:1:FG")
@by_call
async def test_message_that_found_no_connection_is_sent_again(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says how often it was tried."""
    look_up: Callable[..., Any] = socket.getaddrinfo
    failing = iter([True, True])

    def getaddrinfo(*args: Any, **kwargs: Any) -> Any:
        if next(failing, False):
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return look_up(*args, **kwargs)

    with FLOWGPT.server() as server:
        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        answer = await ask(FLOWGPT.build(server.url.replace("127.0.0.1", "localhost")), way)
        assert FLOWGPT.asked(server) == ("chat",)
    assert answer.text == "Hello there"
    assert answer.response_metadata["retries"] == 2


@pytest.mark.proves("fault:13:FG")
@by_call
async def test_message_on_a_connection_that_was_used_before_is_sent_once(way: str) -> None:
    """It breaks before the status line, and the message may have been read."""
    with FLOWGPT.server(answer=[fg.answer_ok, Exchange.reset]) as server:
        model = FLOWGPT.model(server)
        await ask(model, way)
        error = await fail(model, way, APIConnectionError)
        numbers = [(each.connection_number, each.request_number) for each in server.requests]
        assert numbers == [(1, 1), (1, 2)]
    assert error.request_sent


# -- signed ----------------------------------------------------------------------


@pytest.mark.proves("fault:43:FG", "fault:8:FG")
@by_turns
@pytest.mark.parametrize("token", [None, TOKEN])
async def test_each_attempt_has_its_own_time_and_nonce(
    way: str, token: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message is the same, and so is the device."""
    seconds = itertools.count(1713341603)
    clock = SimpleNamespace(monotonic=time.monotonic, time=lambda: next(seconds))
    monkeypatch.setattr(model_client, "time", clock)
    with FLOWGPT.server(answer=[refuse(429, "0"), refuse(429, "0"), fg.answer_ok]) as server:
        answer = await ask(FLOWGPT.model(server, api_key=token), way)
        stamps, nonces = zip(*signed(server), strict=True)
        assert list(stamps) == sorted(set(stamps))
        assert len(set(nonces)) == 3
        assert len({each.body for each in server.requests}) == 1
        assert len({each.header("x-flow-device-id") for each in server.requests}) == 1
    assert answer.response_metadata["retries"] == 2


@pytest.mark.proves("fault:43:FG")
async def test_fifty_calls_at_once_share_no_nonce() -> None:
    """Nor is any of them held up by another: there is no login to wait for."""
    with FLOWGPT.server() as server:
        model = FLOWGPT.model(server)
        answers = await asyncio.gather(*(model.ainvoke(f"number {n}") for n in range(50)))
        assert {answer.text for answer in answers} == {"Hello there"}
        assert len({nonce for _, nonce in signed(server)}) == 50
        assert len({json.loads(each.body)["question"] for each in server.requests}) == 50


# -- shown -----------------------------------------------------------------------

ECHOES: dict[str, Callable[[str], bytes]] = {
    "error": lambda text: fg.event("error", text),
    "refusal": lambda text: fg.event("error", {"statusCode": 401, "error": text}),
    "no JSON": lambda text: fg.line(text.encode()),
    "unknown kind": fg.event,
}


@pytest.mark.proves("fault:41:FG")
@by_turns
@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
async def test_answer_that_echoes_the_credentials(
    way: str, echo: Callable[[str], bytes], shown: Shown
) -> None:
    """The service may say what it was sent, with what it is called and without."""
    seen: list[Any] = []

    def act(exchange: Exchange) -> None:
        heard = f"{echo_of(exchange)} {' '.join(credentials_of(exchange))}".replace("\n", " ")
        assert TOKEN in heard
        FLOWGPT.answering(fg.token("Hello"), echo(heard))(exchange)

    with FLOWGPT.server(answer=act) as server:
        await show(shown, FLOWGPT.model(server, on_progress=seen.append), way)
    shown.add("progress", seen)
