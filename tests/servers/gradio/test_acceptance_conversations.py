"""Several turns with apps that keep state, on real servers of both lines."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage

from langchain_g4f import ChatGradioSpace
from tests.contract.faults.harness import ask, by_turns
from tests.servers.gradio.acceptance import (
    Heard,
    by_model,
    last_calls,
    model_at,
    obligation,
    one_worker,
    phi4_at,
)
from tests.servers.gradio.conftest import Space
from tests.servers.gradio.front import Front

pytestmark = pytest.mark.servers

WAYS = ("invoke", "astream")


async def say(model: Any, way: str, history: list[BaseMessage], text: str) -> str:
    """Go on with a conversation by one turn, and return what is answered."""
    history.append(HumanMessage(text))
    answer = await ask(model, way, history)
    history.append(answer)
    return str(answer.text)


@obligation(5)
@by_model
@by_turns
async def test_three_turns_are_one_session(
    kind: type[ChatGradioSpace], way: str, space: Space
) -> None:
    """The app remembers the conversation: earlier messages are not sent again."""
    server = one_worker(space)
    history: list[BaseMessage] = []
    with Front(server) as front:
        model = model_at(front, kind)
        assert await say(model, way, history, "first") == "Turn 1. You said: first"
        assert await say(model, way, history, "second") == "Turn 2. You said: second"
        assert await say(model, way, history, "[[state]]") == (
            "Turn 3. Prompts so far: ['first', 'second', '[[state]]']. Files: 0."
        )
        assert len(front.sessions) == 3
        assert len({*front.sessions}) == 1
        assert [body["data"][1]["text"] for body in front.bodies("/run/predict")] == [
            "first",
            "second",
            "[[state]]",
        ]
    assert last_calls(server)[0].history == [
        ("user", "first"),
        ("assistant", "Turn 1. You said: first"),
        ("user", "second"),
        ("assistant", "Turn 2. You said: second"),
    ]


@obligation(5)
@by_turns
async def test_three_turns_with_a_chat_interface_are_one_session(way: str, space: Space) -> None:
    """What `gr.ChatInterface` remembers under the session is not sent again."""
    server = space("chat_interface")
    history: list[BaseMessage] = []
    with Front(server) as front:
        model = model_at(front)
        for text in ("first", "second", "third"):
            assert await say(model, way, history, text) == f"You said: {text}"
        assert len({*front.sessions}) == 1
    assert last_calls(server)[0].history == [
        ("user", "first"),
        ("assistant", "You said: first"),
        ("user", "second"),
        ("assistant", "You said: second"),
    ]


@obligation(5)
@by_turns
async def test_new_conversations_are_sessions_of_their_own(way: str, space: Space) -> None:
    """Without an earlier answer, with another history, and where it is asked for."""
    history: list[BaseMessage] = []
    with Front(one_worker(space)) as front:
        model = phi4_at(front)
        await say(model, way, history, "first")
        assert (await ask(model, way, "alone")).text == "Turn 1. You said: alone"
        edited = [HumanMessage("another first"), *history[1:], HumanMessage("second")]
        assert (await ask(model, way, edited)).text.startswith("Turn 1. ")
        fresh = phi4_at(front, conversation="new")
        assert (await ask(fresh, way, [*history, HumanMessage("second")])).text.startswith(
            "Turn 1."
        )
        assert len({*front.sessions}) == 4


@obligation(1, 5)
async def test_restarted_server_is_told_the_history_in_a_fresh_session(space: Space) -> None:
    """The app has forgotten all between two turns: its memory is not counted on."""
    server = one_worker(space)
    with Front(server) as front:
        heard = Heard()
        model = phi4_at(front, on_progress=heard)
        histories: dict[str, list[BaseMessage]] = {way: [] for way in WAYS}
        for way, history in histories.items():
            await say(model, way, history, f"Remember {way}")
        before = [*front.sessions]
        server.restart()
        for way, history in histories.items():
            said = await say(model, way, history, "What was it?")
            assert said.startswith("Turn 1. You said: ")
            (call,) = last_calls(server)
            assert f"Remember {way}" in call.text
            assert f"Turn 1. You said: Remember {way}" in call.text
            assert call.text.endswith("What was it?")
            assert call.history == []
            # And it goes on from there.
            assert (await say(model, way, history, "go on")).startswith("Turn 2.")
            assert last_calls(server)[0].text == "go on"
        after = front.sessions[len(before) :]
    assert not {*before} & {*after}
    assert len({*after}) == 2
    assert heard.kinds.count("conversation_lost") == 2
