"""The sandbox's apps on real Gradio servers, spoken to in the raw protocol.

What is expected stands in docs/protocols/gradio-space.md and in the recordings.
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from langchain_g4f.testing import GradioSpace
from tests.servers.gradio.conftest import (
    PNG,
    QUOTA,
    Line,
    Raw,
    Space,
    content_text,
    ending,
    last_text,
)

pytestmark = pytest.mark.servers

# Of each app the mode and the functions that matter, as `Raw.describe` writes them.
APPS = {
    "phi4": (
        "blocks",
        "10 add_message(chatbot, multimodaltextbox, state)",
        "11 respond(chatbot, state) yields",
        "12 lambda_10()",
    ),
    "chat_interface": (
        "chat_interface",
        "6 chat(multimodaltextbox, state, textbox, slider) yields",
    ),
    "chat_interface_text": ("chat_interface", "6 chat(textbox, state)"),
    "blocks": ("blocks", "0 user(textbox, chatbot)", "1 bot(chatbot, slider, slider) yields"),
    "two_chats": (
        "blocks",
        "0 fast(textbox, chatbot) yields",
        "1 careful(textbox, chatbot) yields",
    ),
    "no_chat": ("interface", "0 predict(textbox)"),
    "files": ("blocks", "0 chat(textbox, chatbot) yields"),
}
# Gradio 6 names these after the app's own function.
APPS_ON_6 = {
    "chat_interface_text": ("chat_interface", "6 reply(textbox, state)"),
    "no_chat": ("interface", "0 paint(textbox)"),
}


@pytest.mark.parametrize("app", APPS)
def test_config_of_an_app_has_the_functions_discovery_looks_for(
    app: str, line: Line, space: Space
) -> None:
    """Mode, ids, names, inputs and kinds of function are the same at every start."""
    mode, *functions = APPS_ON_6.get(app, APPS[app]) if line == "gradio6" else APPS[app]
    with Raw(space(app)) as raw:
        assert raw.config["version"] == raw.space.version
        assert raw.space.version.startswith(line[-1])
        assert (raw.config["protocol"], raw.config["mode"]) == ("sse_v3", mode)
        assert set(functions) <= raw.describe()


def test_phi4_app_chains_its_functions_as_the_recordings_have_it(phi4: Raw) -> None:
    """Box 8 starts function 10 without the queue, then 11, then 12."""
    assert phi4.types[8] == "multimodaltextbox"
    assert phi4.functions[10]["targets"] == [[8, "submit"]]
    assert [phi4.functions[number]["queue"] for number in (10, 11, 12)] == [False, True, True]
    assert [phi4.functions[number]["trigger_after"] for number in (10, 11, 12)] == [None, 10, 11]


def test_phi4_turns_are_counted_in_the_session_and_streamed_by_token(phi4: Raw) -> None:
    """The first step stores the prompt, the second answers word by word."""
    events = phi4.ask_phi4("Hello there")
    grown = [edit for event in events[3:-2] for edit in event["output"]["data"][0]]
    assert [edit[2] for edit in grown] == ["1. ", "You ", "said: ", "Hello ", "there"]
    assert last_text(events) == "Turn 1. You said: Hello there"
    assert last_text(phi4.ask_phi4("[[state]]")) == (
        "Turn 2. Prompts so far: ['Hello there', '[[state]]']. Files: 0."
    )
    call = phi4.space.calls[-2]
    assert (call.function, call.text, call.history) == ("respond", "Hello there", [])
    assert (call.outcome, call.said) == ("completed", "Turn 1. You said: Hello there")


@pytest.mark.parametrize(
    ("app", "function", "data"),
    [
        ("chat_interface", 6, [{"text": "Hello", "files": []}, None, "Be kind.", 0.2]),
        ("chat_interface_text", 6, ["Hello", None]),
        ("two_chats", 0, ["Hello", []]),
        ("two_chats", 1, ["Hello", []]),
    ],
)
def test_text_turn_in_one_step_is_answered_and_recorded(
    app: str, function: int, data: list[Any], space: Space
) -> None:
    """Apps whose function takes the message itself answer it, under their own names."""
    with Raw(space(app)) as raw:
        answer = ending(raw.run(function, data))["output"]["data"]
    told = answer[-1][-1]["content"] if app == "two_chats" else answer[0]
    assert content_text(told) == "You said: Hello"
    call = raw.space.calls[-1]
    assert (call.text, call.outcome) == ("Hello", "completed")
    if app == "chat_interface":
        assert (call.system, call.inputs) == ("Be kind.", {"Temperature": 0.2})
    assert app != "two_chats" or call.function == ["fast", "careful"][function]


def test_chat_interface_remembers_the_turns_of_a_session(space: Space) -> None:
    """The app sees the turns before, in whichever shape the line keeps them."""
    with Raw(space("chat_interface")) as raw:
        for text in ("first", "second"):
            raw.run(6, [{"text": text, "files": []}, None, "Be brief.", 0.7])
    assert raw.space.calls[-1].history == [("user", "first"), ("assistant", "You said: first")]


def test_blocks_chat_takes_two_steps_and_its_settings(space: Space) -> None:
    """The first step clears the box, the second is given history and sliders."""
    with Raw(space("blocks")) as raw:
        cleared, history = raw.predict(0, ["Hello", []])
        assert cleared == ""
        assert last_text(raw.run(1, [history, 64, 0.5])) == "You said: Hello"
    assert raw.space.calls[-1].inputs == {"Max new tokens": 64, "Top-p": 0.5}


@pytest.mark.parametrize("app", ["phi4", "chat_interface"])
def test_uploaded_files_reach_the_app_byte_for_byte(app: str, space: Space) -> None:
    """Every byte value arrives, and the answer tells name, size and digest."""
    every_byte = bytes(range(256)) * 40
    with Raw(space(app)) as raw:
        files = raw.file_data(("dot.png", PNG), ("all bytes.bin", every_byte))
        if app == "phi4":
            answer = last_text(raw.run(11, raw.prepare_phi4("[[files]]", files)))
        else:
            data = [{"text": "[[files]]", "files": files}, None, "Be brief.", 0.7]
            answer = ending(raw.run(6, data))["output"]["data"][0]
    got = [(file.name, file.mime_type, file.data) for file in raw.space.calls[-1].files]
    assert got == [
        ("dot.png", "image/png", PNG),
        ("all bytes.bin", "application/octet-stream", every_byte),
    ]
    digest = hashlib.sha256(every_byte).hexdigest()
    assert answer.endswith(f" File 2: all bytes.bin, 10240 bytes, sha256 {digest}.")


@pytest.mark.parametrize(
    ("directive", "output", "title"),
    [
        ("[[error]]", ("The model refused this request.", "Model error"), "Model error"),
        ("[[error:mid]]", ("The model stopped half way.", "Model error"), None),
        ("[[hidden]]", ("kept off the screen", "Quiet"), "Quiet"),
        ("[[quota]]", (QUOTA, "ZeroGPU quota exceeded"), "ZeroGPU quota exceeded"),
        ("[[crash]]", (None, None), "Error"),
        ("[[crash:mid]]", (None, None), None),
    ],
)
def test_error_of_the_model_ends_the_turn_as_section_5_has_it(
    directive: str, output: tuple[str | None, str | None], title: str | None, phi4: Raw
) -> None:
    """Text and title are those of the recordings; what the app did not mean to say stays hidden."""
    events = phi4.ask_phi4(f"{directive} one two three four five")
    end = ending(events)
    assert end["success"] is False
    assert end["title"] == title
    assert (end["output"]["error"], end["output"].get("title")) == output
    pieces = sum(event["msg"] == "process_generating" for event in events)
    assert pieces == (3 if ":mid" in directive else 0)
    assert phi4.space.calls[-1].outcome == "failed"


def test_thought_is_a_message_of_its_own_with_a_title(phi4: Raw) -> None:
    """What was thought stands before the answer and says how long it took."""
    *_, thought, answer = ending(phi4.ask_phi4("[[thought]] why"))["output"]["data"][0]
    assert thought["metadata"] == {"title": "Thinking", "status": "done", "duration": 0.1}
    assert content_text(thought["content"]) == "First, read the question."
    assert answer["metadata"] is None
    assert content_text(answer["content"]) == "Turn 1. You said: why"


def test_retracted_answer_is_replaced_and_messages_come_and_go(phi4: Raw) -> None:
    """The text is taken back, and three messages are added and deleted."""
    events = phi4.ask_phi4("[[retract]] alpha")
    edits = [edit for event in events[3:-2] for edit in event["output"]["data"][0]]
    assert [edit[0] for edit in edits[4:]] == ["replace", *["add"] * 3, *["delete"] * 3, "append"]
    assert last_text(events) == "Let me start again. Done."


def test_logs_and_progress_come_before_the_first_token(phi4: Raw) -> None:
    """Notices keep their levels, and steps of progress are counted."""
    events = phi4.ask_phi4("[[log]][[progress:0.15]] go")
    kinds = [event["msg"] for event in events]
    assert kinds.index("process_generating") > kinds.index("progress") > kinds.index("log")
    levels = [event["level"] for event in events if event["msg"] == "log"]
    assert levels == ["info", "warning", "success"]
    steps = [event["progress_data"][0] for event in events if event["msg"] == "progress"]
    assert all((step["length"], step["unit"]) == (4, "pages") for step in steps)


def test_three_turns_at_once_queue_for_the_one_worker(space: Space) -> None:
    """Ranks are told and count down; the last to come is answered last."""
    server = space("phi4")
    with Raw(server) as first, Raw(server) as second, Raw(server) as third:
        for number, raw in enumerate((first, second, third)):
            assert raw.join(11, raw.prepare_phi4(f"[[queue:0.3]] {number}")).status_code == 200
        with third.events() as events:
            seen = list(events)
    ranks = [event["rank"] for event in seen if event["msg"] == "estimation"]
    assert ranks[0] >= 1
    assert ranks == sorted(ranks, reverse=True)
    assert last_text(seen) == "Turn 1. You said: 2"
    server.wait_until(lambda: not server.busy)


def test_cancelled_turn_is_stopped_in_the_app(phi4: Raw) -> None:
    """The server says it is over, and the app's function is not asked to go on."""
    words = " ".join(f"w{number}" for number in range(100))
    given = phi4.prepare_phi4(f"[[slow:0.05]] {words}")
    event_id = phi4.join(11, given).json()["event_id"]
    with phi4.events() as events:
        for event in events:
            if event["msg"] == "process_generating":
                break
        assert phi4.space.busy
        body = {"session_hash": phi4.session, "fn_index": 11, "event_id": event_id}
        phi4.http.post("/gradio_api/cancel", json=body)
        end = next(event for event in events if event["msg"] == "process_completed")
    assert (end["output"], end["success"]) == ({}, True)
    phi4.space.wait_until(lambda: not phi4.space.busy)
    assert phi4.space.calls[-1].outcome == "stopped"
    assert "w99" not in phi4.space.calls[-1].said


def test_headers_of_the_join_are_what_the_app_sees(phi4: Raw) -> None:
    """Identity counts where the event is queued (section 9)."""
    phi4.run(11, phi4.prepare_phi4("Hello"), **{"x-ip-token": "abc"})
    assert phi4.space.calls[-1].headers["x-ip-token"] == "abc"


def test_answer_with_files_can_be_downloaded(space: Space) -> None:
    """A picture and a text follow the answer as messages that are files."""
    with Raw(space("files")) as raw:
        history = ending(raw.run(0, ["Draw", []]))["output"]["data"][1]
        assert content_text(history[-3]["content"]) == "You said: Draw"
        contents = [message["content"] for message in history[-2:]]
        parts = [content if isinstance(content, dict) else content[0] for content in contents]
        paths = [part["file"]["path"] for part in parts]
        picture, notes = (raw.http.get(f"/gradio_api/file={path}").content for path in paths)
    assert picture.startswith(b"\x89PNG")
    assert notes == b"Notes on: Draw\n"


def test_restarted_space_is_another_app_on_the_same_port(space: Space) -> None:
    """The address stays; the app's id changes, and its sessions and uploads are gone."""
    server = space("phi4")
    with Raw(server) as before:
        address, app_id, calls = server.base_url, before.app_id(), len(server.calls)
        before.ask_phi4("Remember me")
        files = before.file_data(("dot.png", PNG))
        server.restart()
        with Raw(server) as after:
            assert (server.base_url, len(server.calls)) == (address, calls + 1)
            assert after.app_id() != app_id
            after.session = before.session
            given = after.prepare_phi4("[[state]]")
            assert last_text(after.run(11, given)).startswith("Turn 1. ")
            # The path is accepted, and nothing is there.
            lost = ending(after.run(11, after.prepare_phi4("look", files)))
    assert lost["output"] == {"error": None}


async def test_options_of_the_server_hold(gradio_python: Path) -> None:
    """Queue, workers, size of uploads and shown exceptions are as asked, in an async block, too."""
    options: dict[str, Any] = {"queue_size": 1, "concurrency": 2, "max_file_size": "1kb"}
    async with GradioSpace("phi4", python=gradio_python, show_error=True, **options) as server:
        with ExitStack() as stack:
            raws = [stack.enter_context(Raw(server)) for _ in range(4)]
            too_large = raws[0].upload(("big.bin", bytes(5000)))
            assert too_large.status_code == 413
            assert too_large.headers["content-type"].startswith("text/plain")
            shown = ending(raws[0].ask_phi4("[[crash]]"))
            assert shown["output"]["error"] == "the app broke before it answered"
            for raw in raws[:2]:
                count = len(server.calls)
                raw.join(11, raw.prepare_phi4("[[queue:2]]"))
                server.wait_until(lambda before=count: len(server.calls) > before)  # type: ignore[misc]
            statuses = [raw.join(11, raw.prepare_phi4("hi")).status_code for raw in raws[2:]]
            assert statuses == [200, 503]
    with pytest.raises(httpx.ConnectError):
        Raw(server)
    assert server.calls[0].text == "[[crash]]"
