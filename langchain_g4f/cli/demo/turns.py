"""Two turns in one conversation of the server, and the requests of the second."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from langchain_core.messages import BaseMessage, HumanMessage

from langchain_g4f.cli.demo.stage import Stage, expect
from langchain_g4f.cli.failure import CommandError
from langchain_g4f.cli.screen import Screen

if TYPE_CHECKING:
    from langchain_g4f.testing import RecordedRequest

MODEL = "sandbox/text-small"
FIRST = "My name is Ada."
SECOND = "What is my name?"


async def show_turns(stage: Stage) -> None:
    """Ask twice; the second time the history goes along, as LangChain wants it."""
    conversations = set(stage.sandbox.conversations)
    said: list[BaseMessage] = []
    requests = 0
    for question in (FIRST, SECOND):
        requests = len(stage.sandbox.requests)
        said.append(HumanMessage(question))
        stage.say(question, "bold")
        screen = Screen()
        await screen.follow(stage.chat_model(MODEL).astream(said))
        if screen.message is None:
            raise CommandError("the demo expected an answer to each question")
        said.append(screen.message)
    second = stage.sandbox.requests[requests:]
    stage.say("\nThe requests of the second turn:")
    for request in second:
        stage.say(f"  {request.method:4} {request.path}{_says(request)}")
    _check_sent(second)
    _check_tree(stage, conversations, said)


def _says(request: RecordedRequest) -> str:
    return f"  {_inputs(request)!r}" if "data" in request.form else ""


def _inputs(request: RecordedRequest) -> object:
    """The text of a message that was sent."""
    return json.loads(request.form["data"]).get("inputs")


def _check_sent(requests: list[RecordedRequest]) -> None:
    expect([r.method for r in requests] == ["GET", "POST"], "two requests: read, then send")
    expect(_inputs(requests[-1]) == SECOND, "a message with the second question alone")


def _check_tree(stage: Stage, before: set[str], said: list[BaseMessage]) -> None:
    """The server has one conversation, and its model read each message once."""
    new = [c for name, c in stage.sandbox.conversations.items() if name not in before]
    expect(len(new) == 1, "one conversation for both turns")
    root, *messages = new[0].messages
    stage.say("\nThe server's conversation:")
    for message in messages:
        stage.say(f"  {message.role:9}  {message.content}")
    texts = [message.text for message in said]
    expect([m.content for m in messages] == texts, "the conversation as LangChain has it")
    parents = [root.id, *(message.id for message in messages[:-1])]
    expect([m.parent for m in messages] == parents, "each message under the one before it")
    received = [message["content"] for message in stage.sandbox.prompts[-1]]
    expect(received == texts[:-1], "a model that reads each message once")
    stage.say(f"\nThe model read {len(received)} messages, none of them twice.")


__all__ = ["show_turns"]
