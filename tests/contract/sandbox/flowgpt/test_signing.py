"""Requests that a server checks: signature, time, nonce and member."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from langchain_g4f.chat_models.flowgpt import ChatFlowGpt
from langchain_g4f.errors import AuthenticationError
from langchain_g4f.testing import FlowGptSandbox
from tests.contract.recordings.flowgpt.marks import obligations
from tests.unit.chat_models.ways import WAYS, ask


@obligations(1, 2)
@pytest.mark.parametrize("way", WAYS)
async def test_every_request_is_let_pass(
    model: ChatFlowGpt, sandbox: FlowGptSandbox, way: str
) -> None:
    """Of strangers and of members, one after the other."""
    member = ChatFlowGpt(base_url=sandbox.base_url, api_key=sandbox.login())
    for each in (model, member, model, member):
        assert (await ask(each, way, "hi")).text == "Echo (gpt-3.5-turbo, turn 1): hi"
    assert len({request.headers["x-nonce"] for request in sandbox.requests}) == 4
    paths = [request.path for request in sandbox.requests]
    assert paths == ["/v3/chat-anonymous", "/v3/chat"] * 2


@obligations(1)
async def test_many_calls_at_once_share_no_nonce(
    model: ChatFlowGpt, sandbox: FlowGptSandbox
) -> None:
    """On one loop, and in several threads."""
    questions = [f"number {number}" for number in range(40)]
    answers = await asyncio.gather(*(model.ainvoke(question) for question in questions))
    with ThreadPoolExecutor(8) as pool:
        answers += await asyncio.to_thread(lambda: list(pool.map(model.invoke, questions)))
    assert [answer.text.rpartition(": ")[2] for answer in answers] == questions * 2
    assert len({request.headers["x-nonce"] for request in sandbox.requests}) == 80


@pytest.mark.parametrize("wrong_s", [-295, 295])
async def test_clocks_that_differ_a_little_are_no_trouble(wrong_s: float) -> None:
    """The server takes five minutes."""
    with FlowGptSandbox(clock=lambda: time.time() + wrong_s) as sandbox:
        assert (await ChatFlowGpt(base_url=sandbox.base_url).ainvoke("hi")).text


@obligations(6)
@pytest.mark.proves("fault:4:FG")
@pytest.mark.parametrize("way", WAYS)
async def test_stranger_is_told_that_anonymous_use_may_have_ended(way: str) -> None:
    """As it seems to have with the service itself."""
    with FlowGptSandbox(login_required=True) as sandbox:
        with pytest.raises(AuthenticationError, match="anonymous use may be closed") as caught:
            await ask(ChatFlowGpt(base_url=sandbox.base_url), way, "hi")
        assert caught.value.login_url == "https://flowgpt.com"
        assert len(sandbox.requests) == 1
        member = ChatFlowGpt(base_url=sandbox.base_url, api_key=sandbox.login())
        assert (await ask(member, way, "hi")).text
