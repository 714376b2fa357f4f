"""Connections to real servers of both lines that break, and apps that are others afterwards."""

from __future__ import annotations

import pytest
from langchain_core.messages import BaseMessage, HumanMessage

from langchain_g4f import ChatGradioSpace, StreamInterruptedError
from tests.contract.faults.harness import ask, by_turns, fail, nothing_open
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

DATA = "/gradio_api/queue/data"


@obligation(5, 11, 12)
@by_model
@by_turns
async def test_connection_lost_in_the_middle_raises_with_the_partial_text(
    kind: type[ChatGradioSpace], way: str, space: Space
) -> None:
    """There is no resuming: what had arrived is told, and nothing is asked a second time."""
    server = one_worker(space)
    count = len(server.calls)
    with Front(server) as front:
        model = model_at(front, kind)
        front.cut(DATA, after=b'"two "')
        prompt = "[[slow:0.05]] one two three four five"
        error = await fail(model, way, StreamInterruptedError, prompt, host=None)
        # What stood in the same event as the cut has not arrived whole.
        assert error.partial_text == "Turn 1. You said: one "
        assert len(front.to(DATA)) == 1
        assert len(front.to("/cancel")) == 1
        server.wait_until(lambda: not server.busy)
        assert [call.outcome for call in server.calls[count:]] == ["stopped"]

        answer = await ask(model, way, "Again")
        assert answer.text == "Turn 1. You said: Again"
        assert len({*front.sessions}) == 2


@obligation(5, 11)
@by_turns
async def test_turn_that_was_lost_is_asked_again_in_a_new_session(way: str, space: Space) -> None:
    """The session that broke is not continued; the history is sent to another one."""
    server = one_worker(space)
    with Front(server) as front:
        model = phi4_at(front)
        history: list[BaseMessage] = [HumanMessage("first")]
        history += [await ask(model, way, history), HumanMessage("[[slow:0.05]] one two three")]
        front.cut(DATA, after=b'"two "')
        error = await fail(model, way, StreamInterruptedError, history, host=None)
        assert error.partial_text == "Turn 2. You said: one "
        assert front.sessions[0] == front.sessions[1]
        assert (await ask(model, way, history)).text.startswith("Turn 1. ")
        (call,) = last_calls(server)
        assert "first" in call.text
        assert call.history == []
        assert front.sessions[2] != front.sessions[1]


@obligation(11, 12)
@pytest.mark.parametrize("after", [0, 1, 60])
@by_turns
async def test_connection_lost_before_any_text_is_tried_once_more(
    after: int, way: str, space: Space
) -> None:
    """As nothing was seen, the call is made again, in a session of its own, and says so."""
    server = one_worker(space)
    count = len(server.calls)
    heard = Heard()
    with Front(server) as front:
        front.cut(DATA, after=after)
        answer = await ask(phi4_at(front, on_progress=heard), way, "[[hang:0.2]] Hello")
        assert answer.text == "Turn 1. You said: Hello"
        assert answer.response_metadata["retries"] == 1
        assert [each.data for each in heard.of("retry")] == [{"recovery": "new session"}]
        assert len({*front.sessions}) == len(front.sessions) == 2
        (cancel,) = front.bodies("/cancel")
        assert cancel["session_hash"] == front.sessions[0]
    server.wait_until(lambda: not server.busy)
    assert server.calls[-1].outcome == "completed"
    assert len(server.calls) <= count + 2


@obligation(11, 12)
@by_turns
async def test_connection_lost_twice_before_any_text_raises(way: str, space: Space) -> None:
    """A second loss is the caller's to see."""
    with Front(one_worker(space)) as front:
        front.cut(DATA, after=0)
        front.cut(DATA, after=0)
        error = await fail(phi4_at(front), way, StreamInterruptedError, host=None)
        assert error.partial_text == ""
        assert len({*front.sessions}) == 2
        assert len(front.to("/cancel")) == 2
    assert nothing_open()


@obligation(1)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("phi4", "blocks"),
        ("phi4", "chat_interface"),
        ("chat_interface", "blocks"),
        ("blocks", "phi4"),
        ("files", "chat_interface_text"),
    ],
)
@by_turns
async def test_edited_app_is_found_out_anew(
    before: str, after: str, way: str, space: Space
) -> None:
    """Functions that moved between two calls are looked up again, by the same model."""
    server = space(after)
    with Front(space(before)) as front:
        heard = Heard()
        model = model_at(front, on_progress=heard)
        assert (await ask(model, way, "first")).text.endswith("You said: first")
        front.space = server
        assert (await ask(model, way, "second")).text.endswith("You said: second")
        assert [each.data["recovery"] for each in heard.of("retry")] == ["changed app"]
        assert len(front.to("/config")) == 2
        asked = len(front.requests)
        assert (await ask(model, way, "third")).text.endswith("You said: third")
        assert "/config" not in [each.path for each in front.requests[asked:]]
    assert last_calls(server)[0].text == "third"
