"""A signed request, to a server that checks it: one with a right clock, and one with another."""

from __future__ import annotations

import time

from langchain_g4f.chat_models.flowgpt import ChatFlowGpt
from langchain_g4f.cli.demo.stage import TIMEOUT_S, Stage, expect
from langchain_g4f.cli.failure import CommandError
from langchain_g4f.cli.screen import Screen
from langchain_g4f.errors import AuthenticationError
from langchain_g4f.testing import FlowGptSandbox

QUESTION = "Who vouches for this request?"
ANSWER = """\
Its signature: I have computed it once more, from the time, the nonce and the
Authorization header, and remember the nonce, which nobody can use again."""
SIGNED = ("authorization", "x-timestamp", "x-nonce", "x-signature")
AHEAD_S = 3600.0
"""How far the second server's clock is ahead of ours."""


async def show_signed(stage: Stage) -> None:
    """Ask a FlowGPT server, then one that takes our time for an old one."""
    with FlowGptSandbox(reply=ANSWER) as sandbox:
        stage.say(QUESTION, "bold")
        screen = Screen()
        await screen.follow(_model(sandbox).astream(QUESTION))
        (request,) = sandbox.requests
    stage.say(f"\n  {request.method} {request.path} -> {request.status}")
    for name in SIGNED:
        stage.say(f"  {name + ':':14} {request.headers.get(name, '')}")
    expect(all(name in request.headers for name in SIGNED), "a request that is signed")
    expect(request.status == 200, "a signature that the server accepts")
    expect(screen.message is not None and screen.message.text == ANSWER, "the whole answer")
    await _show_refused(stage)


async def _show_refused(stage: Stage) -> None:
    with FlowGptSandbox(reply=ANSWER, clock=lambda: time.time() + AHEAD_S) as sandbox:
        try:
            await _model(sandbox).ainvoke(QUESTION)
        except AuthenticationError as error:
            stage.say(f"\nTo a server whose clock is an hour ahead:\n  {error}")
            return
    raise CommandError("the demo expected a request that is too old to be refused")


def _model(sandbox: FlowGptSandbox) -> ChatFlowGpt:
    # Without the environment's token, which is for somebody else.
    return ChatFlowGpt(base_url=sandbox.base_url, api_key=None, timeout=TIMEOUT_S)


__all__ = ["show_signed"]
