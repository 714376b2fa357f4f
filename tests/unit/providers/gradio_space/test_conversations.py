"""Calls that go on in a session of the app (docs/protocols/gradio-space.md, sections 2, 3)."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f.core.chat_request import Media, Message
from langchain_g4f.core.events import ConversationStarted, Event, Finish
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    AppError,
    ConfigurationError,
    MalformedStreamError,
    SessionLostError,
    StreamInterruptedError,
    UnsupportedMediaError,
)
from tests.unit.providers.gradio_space.apps import (
    MULTIMODAL,
    assistant,
    component,
    interface_config,
    page_config,
    steps_config,
    user,
)
from tests.unit.providers.gradio_space.replies import (
    CANCELLED,
    completed,
    events,
    failed,
    final_of,
    generating,
    kinds_of,
    reply,
    text_of,
)
from tests.unit.providers.gradio_space.test_plan import GOOD, world
from tests.unit.providers.gradio_space.world import APP, World


def handle_of(found: list[Event]) -> dict[str, Any] | None:
    """The handle of an answer."""
    handles = [event.handle for event in found if isinstance(event, ConversationStarted)]
    return handles[-1] if handles else None


def answer(found: list[Event]) -> Message:
    """An answer as it stands in the caller's history."""
    return Message("assistant", text_of(found), handle=handle_of(found))


def sent(trial: World) -> list[tuple[str, Any]]:
    """Session and message of each call."""
    return [(body["session_hash"], body["data"][0]) for body in trial.sent("queue/join")]


@pytest.mark.proves("obligation:gradio-space:5")
def test_app_that_keeps_state_is_gone_on_with() -> None:
    """Only what is new is sent; the app is asked whether it is the same."""
    trial = world()
    first = trial.ask("a")
    second = trial.ask("a", answer(first), "b")
    third = trial.ask("a", answer(first), "b", answer(second), "c")
    context = handle_of(first)["session"]  # type: ignore[index]  # there is one
    assert sent(trial) == [(context, "a"), (context, "b"), (context, "c")]
    assert [handle_of(each)["turn"] for each in (first, second, third)] == [1, 2, 3]  # type: ignore[index]  # the same
    assert trial.asked.count("app_id") == 2
    assert trial.asked.count("config") == 1


def test_handle_has_no_secret_and_names_the_provider() -> None:
    """It stands in the metadata of the answer."""
    found = handle_of(world().ask("a"))
    assert found is not None
    assert found.keys() == {"provider", "server", "session", "turn", "digest"}
    assert (found["provider"], found["server"]) == ("gradio_space", APP)


def test_page_goes_on_with_what_its_chatbot_shows() -> None:
    """As a browser's page would."""
    first = [user("a"), assistant("ok")]
    second = [*first, user("b"), assistant("ok")]
    trial = world(
        steps_config(stateful=True), *(events(completed(s, None)) for s in (first, second))
    )
    box = {"__type__": "update", "value": None}
    prepared = [reply({"data": [shown[:-1], box, None]}) for shown in (first, second)]
    trial.table["run/predict"] = prepared
    trial.ask("a", answer(trial.ask("a")), "b")
    data = [body["data"] for body in trial.sent("run/predict")]
    assert data == [
        [[], {"text": "a", "files": []}, None],
        [first, {"text": "b", "files": []}, None],
    ]


@pytest.mark.parametrize("described", [page_config(), steps_config()])
def test_app_without_state_has_no_conversation(described: Any) -> None:
    """Its history is sent each time, in a session of its own."""
    first, then = ([user(text), assistant("ok")] for text in "ab")
    trial = world(described)
    for shown in (first, [*first, *then]):
        outputs = ["", shown] if len(described["dependencies"]) == 1 else [shown]
        trial.table["queue/data"] = events(completed(*outputs))
        trial.table["run/predict"] = reply({"data": [shown[:-1], None]})
        said = ["a"] if shown is first else ["a", Message("assistant", "ok"), "b"]
        found = trial.ask(*said)
        assert (text_of(found), handle_of(found)) == ("ok", None)
    assert len({context for context, _ in sent(trial)}) == 2
    assert "app_id" not in trial.asked


def test_new_conversation_is_begun_where_the_caller_wants_one() -> None:
    """It is not kept, and leaves the old one alone."""
    trial = world()
    first = trial.ask("a")
    new = trial.ask("a", answer(first), "b", conversation="new")
    assert handle_of(new) is None
    trial.ask("a", answer(first), "c")
    sessions = [context for context, _ in sent(trial)]
    assert sessions[0] == sessions[2] != sessions[1]
    assert "<user>\na\n</user>" in sent(trial)[1][1]


@pytest.mark.proves("obligation:gradio-space:5", "obligation:gradio-space:6")
def test_second_branch_gets_a_session_of_its_own() -> None:
    """With the history in it."""
    trial = world()
    first = answer(trial.ask("a"))
    trial.ask("a", first, "b")
    trial.ask("a", first, "c")
    (one, _), (same, new), (other, whole) = sent(trial)
    assert (one == same, new) == (True, "b")
    assert other != one
    assert whole.endswith("\n\nc")


@pytest.mark.proves("obligation:gradio-space:5")
@pytest.mark.parametrize(
    ("spoiled", "kind"),
    [
        (events(generating("o", None)), StreamInterruptedError),
        (events(generating("o", None), CANCELLED), None),
        (events(generating("o", None), failed("broken")), AppError),
    ],
)
def test_session_that_was_spoiled_is_never_used_again(
    spoiled: Any, kind: type[APIError] | None
) -> None:
    """What was cut, cancelled or failed; the answer before it is sent with the history."""
    trial = world(None, GOOD, spoiled, GOOD)
    first = answer(trial.ask("a"))
    if kind is None:
        assert trial.ask("a", first, "b")[-1] == Finish("interrupted")
    else:
        trial.fail(kind, "a", first, "b")
    trial.ask("a", first, "b")
    sessions = [context for context, _ in sent(trial)]
    assert sessions[0] == sessions[1] != sessions[2]


def test_call_that_is_closed_in_its_midst_does_not_give_its_session_back() -> None:
    """Nobody knows what the app made of it."""
    trial = world()
    first = answer(trial.ask("a"))
    playing = trial.call("a", first, "b")
    while not text_of([next(playing)]):
        pass
    playing.close()
    trial.ask("a", first, "b")
    sessions = [context for context, _ in sent(trial)]
    assert sessions[0] == sessions[1] != sessions[2]


def test_rewritten_answer_is_gone_on_with_by_its_handle() -> None:
    """The app has its own version, which is what counts there."""
    trial = world(None, events(generating("One", None), completed("Two", None)), GOOD)
    first = trial.ask("a")
    assert final_of(first) == ["Two"]
    trial.ask("b", conversation=handle_of(first))
    (one, _), (same, text) = sent(trial)
    assert (one == same, text) == (True, "b")


RESTARTED = [reply({"app_id": 8}), reply({"detail": "gone"}, 404), APIConnectionError("refused")]


@pytest.mark.parametrize("answer_", RESTARTED)
def test_app_that_was_restarted_is_sent_the_history(answer_: Any) -> None:
    """It is read anew, once, for it may have been edited."""
    trial = world()
    first = answer(trial.ask("a"))
    moved = interface_config(app_id=8)
    moved["dependencies"][0]["id"] = 99
    trial.table |= {"app_id": answer_, "config": reply(moved)}
    found = trial.ask("a", first, "b")
    assert kinds_of(found) == ["conversation_lost"]
    last = trial.sent("queue/join")[-1]
    assert (last["fn_index"], trial.asked.count("config")) == (99, 2)
    assert "<user>\na\n</user>" in last["data"][0]


@pytest.mark.parametrize("answer_", RESTARTED)
def test_app_that_was_restarted_has_lost_what_a_handle_alone_names(answer_: Any) -> None:
    """To go on without it would forget what was said, without a word."""
    trial = world()
    handle = handle_of(trial.ask("a"))
    trial.table["app_id"] = answer_
    told, error = trial.fail(SessionLostError, "b", conversation=handle)
    assert "restarted" in str(error)
    assert "send the whole history" in str(error)
    assert (told, len(sent(trial))) == ([], 1)


def test_session_that_is_lost_while_it_is_used_is_replaced_by_the_history() -> None:
    """The app answers as if it had always known it."""
    lost = events({"msg": "unexpected_error", "message": "404: Session not found."})
    trial = world(None, GOOD, lost, GOOD)
    first = answer(trial.ask("a"))
    assert text_of(trial.ask("a", first, "b")) == "ok"
    (one, _), (same, new), (other, whole) = sent(trial)
    assert (one == same, new) == (True, "b")
    assert other != one
    assert whole.endswith("\n\nb")


def test_session_that_a_handle_alone_names_and_that_is_lost_is_an_error() -> None:
    """There is no history to send instead."""
    lost = events({"msg": "unexpected_error", "message": "404: Session not found."})
    trial = world(None, GOOD, lost, GOOD)
    handle = handle_of(trial.ask("a"))
    with pytest.raises(SessionLostError):
        trial.ask("b", conversation=handle)


def test_handle_is_refused_where_the_app_keeps_nothing() -> None:
    """It is not ignored in silence."""
    shown = [user("a"), assistant("ok")]
    trial = world(page_config(), events(completed("", shown)))
    for conversation in ({}, {"provider": "huggingchat"}, "newest"):
        with pytest.raises(ConfigurationError, match="conversation= takes"):
            trial.ask("a", conversation=conversation)
    assert sent(trial) == []


PDF = Media(b"%PDF-1.7", "application/pdf", "d.pdf")


@pytest.mark.parametrize(
    ("said", "options", "kind"),
    [
        ("b", {"inputs": {"x": 1}}, ConfigurationError),
        ("b", {"temperature": "hot"}, ConfigurationError),
        (Message("user", "b", (PDF,)), {}, UnsupportedMediaError),
    ],
)
def test_call_that_was_never_made_leaves_the_session_as_it_was(
    said: Message | str, options: dict[str, Any], kind: type[Exception]
) -> None:
    """It can be made better the next time, by the handle alone."""
    trial = world(interface_config(component(10, "slider", "Temperature")))
    handle = handle_of(trial.ask("a"))
    with pytest.raises(kind):
        trial.ask(said, conversation=handle, **options)
    trial.ask("b", conversation=handle)
    assert len({context for context, _ in sent(trial)}) == 1


def test_call_that_is_closed_before_the_app_is_asked_leaves_the_session_as_it_was() -> None:
    """Nothing has happened to it."""
    trial = world(interface_config(box=MULTIMODAL))
    trial.table["upload"] = reply(["/srv/d.pdf"])
    handle = handle_of(trial.ask("a"))
    playing = trial.call(Message("user", "b", (PDF,)), conversation=handle)
    assert kinds_of([next(playing)]) == ["upload"]
    playing.close()
    trial.ask("c", conversation=handle)
    assert len({context for context, _ in sent(trial)}) == 1


def test_upload_that_fails_leaves_the_session_as_it_was() -> None:
    """Files belong to the server, not to the session."""
    trial = world(interface_config(box=MULTIMODAL))
    trial.table["upload"] = [reply([]), reply(["/srv/d.pdf"])]
    handle = handle_of(trial.ask("a"))
    asked = Message("user", "b", (PDF,))
    trial.fail(MalformedStreamError, asked, conversation=handle)
    assert text_of(trial.ask(asked, conversation=handle)) == "ok"
    assert len({context for context, _ in sent(trial)}) == 1
