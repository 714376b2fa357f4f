"""The legacy generation: pages as data, no finished line, and connections that matter."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from langchain_g4f.testing import Sandbox
from tests.unit.testing.chat import Chat, kinds, parse_lines, tokens
from tests.unit.testing.recordings import unflatten

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A legacy server with quick keep-alives."""
    with Sandbox(generation="legacy", keep_alive_s=0.02) as sandbox:
        yield sandbox


@pytest.fixture
def chat(sandbox: Sandbox) -> Iterator[Chat]:
    """Somebody on that server."""
    with Chat(sandbox) as chat:
        yield chat


def page(chat: Chat, wanted: str = "11") -> list[Any]:
    """Return the nodes of the conversation's page."""
    address = f"/conversation/{chat.id}/__data.json"
    answer = chat.http.get(address, params={"x-sveltekit-invalidated": wanted})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/sveltekit-data")
    nodes = json.loads(answer.text.split("\n")[0])["nodes"]
    return [unflatten(n["data"], 0) if n and n["type"] == "data" else n for n in nodes]


def test_a_good_stream_ends_after_the_padding(chat: Chat) -> None:
    """There is no finished line, and titles begin with an emoji."""
    chat.create()
    answer = chat.post(inputs="Hello there")
    assert answer.headers["content-type"] == "application/jsonl"
    assert answer.text.endswith('"interrupted":false}\n' + " " * 4096)
    lines = parse_lines(answer.text)
    assert kinds(lines) == ["started", "title", "stream", "finalAnswer"]
    assert chat.stored.title == "\N{SPEECH BALLOON} Title: Hello there"


def test_creating_answers_only_the_id(chat: Chat) -> None:
    """The conversation is not embedded, and no router is offered."""
    created = chat.http.post("/conversation", json={"model": "sandbox/text-small"}).json()
    assert list(created) == ["conversationId"]
    models = chat.http.get("/api/models").json()
    assert models[0]["id"] == "sandbox/text-small"
    assert "tools" in models[0]


def test_pages_carry_messages_and_models_as_data(chat: Chat) -> None:
    """The page node has the tree, the layout node everything else; a zero leaves a node out."""
    root = chat.create(preprompt="Be brief.")
    chat.say("Hi")
    layout, conversation = page(chat)
    assert conversation["rootMessageId"] == root
    assert [m["from"] for m in conversation["messages"]] == ["system", "user", "assistant"]
    assert conversation["messages"][-1]["updates"][-1]["webSources"] is None
    assert layout["conversations"][0]["id"] == chat.id
    assert layout["models"][0]["name"] == "sandbox/text-small"
    assert layout["user"] == "undefined"
    assert page(chat, "01")[0] is None


def test_page_errors_come_with_http_200(chat: Chat, sandbox: Sandbox) -> None:
    """They are nodes with a status of their own."""
    chat.create()
    with Chat(sandbox) as other:
        other.id = chat.id
        assert page(other)[1]["status"] == 403
        other.id = "0" * 24
        assert page(other)[1]["status"] == 404
        other.id = "nonsense"
        assert "errorId" in page(other)[1]["error"]


def test_unknown_addresses_answer_with_a_page(chat: Chat) -> None:
    """So do those of the newer generation."""
    for path in ("/api/v2/feature-flags", "/api/v2/models", "/nothing"):
        answer = chat.http.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")


def test_without_login_everything_written_is_unauthorized() -> None:
    """Creating is 401 here, not a redirect; pages say that login is required."""
    with Sandbox(generation="legacy", login_required=True) as sandbox:
        with Chat(sandbox) as chat:
            answer = chat.http.post("/conversation", json={"model": "sandbox/text-small"})
            assert (answer.status_code, answer.json()) == (
                401,
                {"error": "You have to be logged in."},
            )
            chat.id = "0" * 24
            assert page(chat)[0]["loginRequired"] is True
        with Chat(sandbox, sandbox.login("alice")) as chat:
            chat.create()
            assert page(chat)[0]["user"]["username"] == "alice"


def test_reasoning_comes_apart_from_the_text(chat: Chat) -> None:
    """A reasoning model's thoughts are updates of their own, not padded, and stored apart."""
    chat.create("sandbox/reasoner")
    lines = chat.say("Why?")
    thoughts = [line for line in lines if line["type"] == "reasoning"]
    assert thoughts[0] == {"type": "reasoning", "subtype": "stream", "token": "First"}
    assert thoughts[-1]["status"] == "Done in 0s."
    assert lines[-1]["text"] == "Echo (sandbox/reasoner, turn 1): Why?"
    assert chat.stored.messages[-1].reasoning == "First I look at the question. Then I answer it."


def test_inline_reasoning_of_other_models_stays_text(chat: Chat) -> None:
    """Only models configured for it have it split off."""
    chat.create()
    assert chat.say("Why? [[think]]")[-1]["text"].startswith("<think>First")


def test_a_web_search_reports_sources_and_puts_them_into_the_answer(chat: Chat) -> None:
    """Searching is asked for per message."""
    chat.create()
    lines = chat.say("news", web_search=True)
    search = [line for line in lines if line["type"] == "webSearch"]
    assert [line["subtype"] for line in search] == ["update", "sources", "finished"]
    assert search[1]["sources"][0] == {
        "title": "First result",
        "link": "https://example.org/first",
    }
    assert lines[-1]["webSources"][0]["uri"] == "https://example.org/first"
    assert not [line for line in chat.say("news") if line["type"] == "webSearch"]


def test_continuing_appends_to_the_last_answer(chat: Chat) -> None:
    """The final answer holds only the new part, the message both."""
    chat.create()
    chat.say("Say [[say:part one]]")
    lines = parse_lines(chat.post(is_continue=True).text)
    assert lines[-1]["text"] == "part one"
    assert chat.stored.messages[-1].content == "part onepart one"
    assert len(chat.stored.messages) == 3


def test_closing_the_connection_keeps_the_part_and_stops_nothing(
    chat: Chat, sandbox: Sandbox
) -> None:
    """What was said is stored, without a final answer; a stop comes too late."""
    chat.create()
    with chat.streaming("count [[hang:3]][[long:10]]") as response:
        arriving = response.iter_text()
        assert any("w3" in chunk for chunk in arriving)
    sandbox.wait_until(lambda: chat.stored.messages[-1].content)
    chat.http.post(f"/conversation/{chat.id}/stop-generating")
    time.sleep(0.2)
    assert sandbox.busy
    answer = chat.stored.messages[-1]
    assert (answer.content, answer.interrupted) == ("w1 w2 w3", None)
    assert {update["type"] for update in answer.updates or []} == {"status", "title"}


def test_a_dropped_connection_loses_the_rest(chat: Chat, sandbox: Sandbox) -> None:
    """There is nothing to re-attach to, though the model goes on to its end."""
    chat.create()
    with pytest.raises(httpx.RemoteProtocolError):
        chat.say("count [[drop]][[long:100]][[pace:10]]")
    sandbox.wait_until(lambda: not sandbox.busy)
    assert chat.stored.messages[-1].content.startswith("w1 w2 w3")
    assert not chat.stored.messages[-1].content.endswith("w100")


def test_only_the_first_stop_of_a_conversation_works(chat: Chat) -> None:
    """And no stop hits a run that begins after it."""
    chat.create()
    chat.http.post(f"/conversation/{chat.id}/stop-generating")
    assert kinds(chat.say("hello"))[-1] == "finalAnswer"
    with chat.streaming("count [[long:30]][[pace:10]]") as response:
        chat.http.post(f"/conversation/{chat.id}/stop-generating")
        lines = parse_lines("".join(response.iter_text()))
    assert lines[-1]["text"].endswith("w30")


def test_text_files_reach_the_model_only_as_pasted_text(chat: Chat, sandbox: Sandbox) -> None:
    """Of another type they are dropped without a word."""
    chat.create()
    for kind, read in (("text/plain", "hi"), ("application/vnd.chatui.clipboard", "note\n\nhi")):
        chat.say("hi", ("base64;a.txt", base64.b64encode(b"note"), kind))
        assert sandbox.prompts[-1][-1]["content"] == read


def test_a_stopped_stream_just_ends(chat: Chat) -> None:
    """Neither a final answer nor an error."""
    chat.create()
    with chat.streaming("count [[hang:3]][[long:10]]") as response:
        chat.http.post(f"/conversation/{chat.id}/stop-generating")
        lines = parse_lines("".join(response.iter_text()))
    assert kinds(lines) == ["started", "title", "stream"]
    assert chat.stored.messages[-1].content == "w1 w2 w3"


def test_errors_have_no_status_code_and_are_not_tried_again(chat: Chat) -> None:
    """A failure in the middle ends the stream at once."""
    chat.create()
    lines = chat.say("fail [[error:500]]")
    assert lines[-1] == {"type": "status", "status": "error", "message": "500 backend says 500"}
    lines = chat.say("fail [[error-mid:500]]")
    assert len(tokens(lines)) == 3


def test_the_model_gets_a_system_message_even_if_it_is_empty(chat: Chat, sandbox: Sandbox) -> None:
    """A quirk of this generation."""
    chat.create()
    chat.say("Hi")
    assert sandbox.prompts == [
        [{"role": "system", "content": ""}, {"role": "user", "content": "Hi"}]
    ]
