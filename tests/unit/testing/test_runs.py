"""Runs of the current generation: leaving, stopping, re-attaching, and two at once."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import httpx
import pytest

from langchain_g4f.testing import Sandbox
from tests.unit.testing.chat import Chat, parse_events, parse_lines, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN = "ed1faa52-43b2-4036-b12b-254062a83a2a"
OTHER_RUN = "ed1faa52-43b2-4036-b12b-254062a83a2b"


def test_a_dropped_connection_leaves_the_run_going() -> None:
    """The client sees a cut, the conversation the whole answer."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        with pytest.raises(httpx.RemoteProtocolError):
            chat.say("cut [[drop]]")
        sandbox.wait_until(lambda: not sandbox.busy)
        assert chat.stored.messages[-1].content == "Echo (sandbox/text-small, turn 1): cut"
        assert sandbox.requests[-1].closed_early


def test_a_reader_that_leaves_leaves_the_run_going() -> None:
    """Closing the response stops nothing, and is noticed."""
    with Sandbox(keep_alive_s=0.02) as sandbox, Chat(sandbox) as chat:
        chat.create()
        with chat.streaming("count [[long:10]][[hang:2]]") as response:
            next(response.iter_bytes())
        sandbox.wait_until(lambda: sandbox.requests[-1].closed_early)
        assert sandbox.busy
        chat.http.post(f"/conversation/{chat.id}/stop-generating")
        sandbox.wait_until(lambda: not sandbox.busy)
        assert chat.stored.messages[-1].content == "w1 w2"


def test_a_read_during_a_run_shows_what_has_been_written_down() -> None:
    """The text ends where the numbered events do."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        with chat.streaming("count [[long:100]][[pace:10]]", generationId=RUN) as response:
            next(response.iter_bytes())
            sandbox.wait_until(lambda: chat.stored.messages[-1].content)
            read = chat.http.get(f"/api/v2/conversations/{chat.id}").json()["json"]
            answer = read["messages"][-1]
            address = f"/conversation/{chat.id}/stream"
            chat.http.post(f"/conversation/{chat.id}/stop-generating")
            text = chat.http.get(address, params={"fromSeq": answer["materializedSeq"]}).text
        assert answer["content"].startswith("w1")
        assert "interrupted" not in answer
        rest = "".join(data["token"] for _, _, data in parse_events(text) if "token" in data)
        assert answer["content"] + rest == chat.stored.messages[-1].content


def test_a_fault_due_after_the_last_token_comes_at_the_end() -> None:
    """Short answers break, too."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        with pytest.raises(httpx.RemoteProtocolError):
            chat.say("[[say:short]][[drop:50]]")
        assert tokens(chat.say("[[say:short]][[error-mid:500]]")) == ["short", "short"]
        chat.http.post(f"/conversation/{chat.id}/stop-generating")
        assert chat.say("[[say:short]][[hang:50]]")[-2]["text"] == "short"


def test_stopping_ends_the_stream_with_an_interrupted_answer() -> None:
    """The text so far is the final answer."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        with chat.streaming("count [[hang:5]][[long:10]]") as response:
            arriving = response.iter_text()
            body = read_until(arriving, " w5")
            assert chat.http.post(f"/conversation/{chat.id}/stop-generating").content == b""
            lines = parse_lines(body + "".join(arriving))
    assert lines[-2] == {"type": "finalAnswer", "text": "w1 w2 w3 w4 w5", "interrupted": True}
    assert lines[-1] == {"type": "status", "status": "finished"}


@pytest.mark.parametrize(
    ("generation", "text"), [(RUN, "w1 w2"), (OTHER_RUN, "w1 w2 w3"), ("nonsense", "w1 w2 w3")]
)
def test_a_stop_point_cuts_only_the_run_it_names(generation: str, text: str) -> None:
    """Stored text and final answer end there, tokens already streamed do not."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        point = {"generationId": generation, "seenContentLength": 5}
        with chat.streaming("x [[hang:3]][[long:10]]", generationId=RUN) as response:
            arriving = response.iter_text()
            body = read_until(arriving, " w3")
            chat.http.post(f"/conversation/{chat.id}/stop-generating", json=point)
            lines = parse_lines(body + "".join(arriving))
        assert lines[-2]["text"] == chat.stored.messages[-1].content == text


def test_a_run_with_a_used_id_has_no_log_but_can_be_stopped() -> None:
    """Replaying shows the first run of that name."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        chat.say("[[say:first]]", generationId=RUN)
        with chat.streaming("[[say:second]][[hang:1]]", generationId=RUN) as response:
            chat.http.post(f"/conversation/{chat.id}/stop-generating")
            lines = parse_lines("".join(response.iter_text()))
        replayed = parse_events(chat.http.get(f"/conversation/{chat.id}/stream").text)
    assert (lines[-2]["text"], lines[-2]["interrupted"]) == ("second", True)
    assert "first" in {data.get("token") for _, _, data in replayed}


def test_a_stop_while_idle_hits_the_next_run_once() -> None:
    """The marker survives, and is used up."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        chat.http.post(f"/conversation/{chat.id}/stop-generating")
        lines = chat.say("count [[long:100]][[pace:10]]")
        assert lines[-2]["interrupted"] is True
        assert len(tokens(lines)) < 50
        assert chat.say("again")[-2]["interrupted"] is False


def test_a_finished_run_can_be_replayed_from_any_event() -> None:
    """Neighbouring tokens are one event, there is no padding and no keep-alive."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        chat.say("Hi", generationId=RUN)
        address = f"/conversation/{chat.id}/stream"
        whole = chat.http.get(address, params={"generationId": RUN})
        later = chat.http.get(address, params={"fromSeq": 0}, headers={"last-event-id": "3"})
        gone = chat.http.get(address, params={"generationId": OTHER_RUN})
    events = parse_events(whole.text)
    assert whole.headers["content-type"] == "text/event-stream"
    assert [number for number, _, _ in events] == ["1", "2", "3", "4", "5", None]
    assert events[2][2]["token"] == "Echo (sandbox/text-small, turn 1): Hi"
    assert events[-1] == (None, "end", {"status": "completed"})
    assert parse_events(later.text) == events[3:]
    assert parse_events(gone.text) == [(None, "end", {"status": "gone"})]


def test_re_attaching_to_a_running_answer_follows_it_to_the_end() -> None:
    """Skipping the text already seen makes an exact continuation."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        with chat.streaming("count [[long:60]][[pace:10]]", generationId=RUN) as response:
            next(response.iter_bytes())
        text = chat.http.get(f"/conversation/{chat.id}/stream").text
        stored = chat.stored.messages[-1].content
    pieces = [data["token"] for _, _, data in parse_events(text) if "token" in data]
    assert len(pieces) > 1
    assert "".join(pieces) == stored
    assert stored.endswith(" w60")


def test_live_lists_running_generations_until_none_is_left() -> None:
    """A sync with what ended follows, then idle."""
    with Sandbox() as sandbox, Chat(sandbox) as chat, Chat(sandbox) as other:
        assert live(other) == [("sync", [], []), ("idle", None, None)]
        chat.create()
        with chat.streaming("count [[hang]]") as response:
            next(response.iter_bytes())
            with chat.http.stream("GET", "/api/v2/generations/live") as watching:
                first = next(watching.iter_text())
                assert chat.id in first


def test_two_runs_at_once_lose_the_turn_that_ends_first() -> None:
    """The last writer's copy of the messages wins."""
    with Sandbox(keep_alive_s=0.02) as sandbox, Chat(sandbox) as chat:
        root = chat.create()
        with chat.streaming("long [[hang:2]]") as response:
            arriving = response.iter_text()
            read_until(arriving, "sandbox")
            chat.say("short", id=root)
            assert "short" in {message.content for message in chat.stored.messages}
            chat.http.post(f"/conversation/{chat.id}/stop-generating")
            assert "finished" in "".join(arriving)
        contents = [message.content for message in chat.stored.messages]
    assert contents == ["", "long [[hang:2]]", "Echo (sandbox/text-small,"]


def test_an_endless_answer_goes_on_until_it_is_stopped() -> None:
    """Tokens are taken from an iterable one by one."""
    with Sandbox(lambda _: (f"{n} " for n in itertools.count())) as sandbox, Chat(sandbox) as chat:
        chat.create()
        with chat.streaming("go") as response:
            arriving = response.iter_text()
            body = read_until(arriving, "100 ")
            chat.http.post(f"/conversation/{chat.id}/stop-generating")
            lines = parse_lines(body + "".join(arriving))
    assert lines[-2]["interrupted"] is True


def live(chat: Chat) -> list[tuple[str, object, object]]:
    """Return name, running and ended of each event of the live stream."""
    events = parse_events(chat.http.get("/api/v2/generations/live").text)
    return [(name, data.get("running"), data.get("ended")) for _, name, data in events]


def read_until(arriving: Iterator[str], text: str) -> str:
    """Read until `text` has arrived."""
    body = ""
    while text not in body:
        body += next(arriving)
    return body
