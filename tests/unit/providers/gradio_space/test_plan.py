"""One answer from a Space: its steps, its session, and what a failed call is repeated with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from langchain_g4f.core.chat_request import Media, Message
from langchain_g4f.core.events import ConversationStarted, Event, Finish, ModelInfo, Text
from langchain_g4f.errors import (
    APIConnectionError,
    AppError,
    ConfigurationError,
    EmptyResponseError,
    MalformedStreamError,
    SessionLostError,
    StreamInterruptedError,
    UnsupportedMediaError,
)
from langchain_g4f.providers.gradio_space.config import SpaceConfig
from langchain_g4f.providers.gradio_space.space import cached_app
from tests.unit.providers.gradio_space.apps import (
    BOX,
    MULTIMODAL,
    SUBMIT,
    app,
    assistant,
    component,
    config,
    function,
    interface_config,
    page_config,
    recorded_config,
    steps_config,
    user,
)
from tests.unit.providers.gradio_space.fake_space import APP, HUB, FakeSpace
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

SPACE = SpaceConfig(base_url=APP, space="owner/name", hub_url=HUB, token="hf_token")
ANONYMOUS = replace(SPACE, token="")
JOINED = reply({"event_id": "e"})
GOOD = events(generating("o", None), completed("ok", None))
LOST = events({"msg": "unexpected_error", "message": "404: Session not found."})
PDF = Media(b"%PDF-1.7", "application/pdf", "d.pdf")


def space(described: Any = None, *answers: Any, **more: Any) -> FakeSpace:
    """An app, by default one that keeps state, with these event streams."""
    retries = more.pop("max_retries", 2)
    table: dict[str, Any] = {
        "config": reply(described or interface_config()),
        "queue/join": JOINED,
        "queue/data": list(answers or [GOOD]),
        "app_id": reply({"app_id": 7}),
        "info": reply({}),
    }
    return FakeSpace(table | more, max_retries=retries)


def handle_of(found: list[Event]) -> Any:
    """The handle of an answer, if it has one."""
    handles = [event.handle for event in found if isinstance(event, ConversationStarted)]
    return handles[-1] if handles else None


def answer(found: list[Event]) -> Message:
    """An answer as a message of the history."""
    return Message("assistant", text_of(found), handle=handle_of(found))


def sent(fake: FakeSpace) -> list[tuple[str, Any]]:
    """Session and message of each queued call."""
    return [(body["session_hash"], body["data"][0]) for body in fake.sent("queue/join")]


def sessions(fake: FakeSpace) -> list[int]:
    """The session of each call, as the number of the first call in it."""
    found = [session for session, _ in sent(fake)]
    return [found.index(session) for session in found]


# --- the steps of a call -------------------------------------------------------------------------


def test_interface_answers() -> None:
    """The model comes first; it is the Space, unless the caller asked for one."""
    fake = space(interface_config(title="Chat"))
    found = fake.ask("hi", conversation="new")
    assert found == [ModelInfo("Chat"), Text("o"), Text("k"), Finish()]
    assert fake.asked == ["config", "queue/join", "queue/data"]
    assert space(interface_config(space_id="owner/app")).ask("hi")[0] == ModelInfo("owner/app")
    assert space().ask("hi", config=ANONYMOUS)[0] == ModelInfo("owner/name")
    found = space().ask("hi", config=replace(ANONYMOUS, models=("alias",)), model="alias")
    assert not any(isinstance(event, ModelInfo) for event in found)


@pytest.mark.proves("obligation:gradio-space:4")
@pytest.mark.parametrize("queue", [False, True])
def test_page_prepares_and_answers_in_one_session(queue: bool) -> None:
    """The answering function gets what the preparation returned, queued or direct."""
    described, shown = steps_config(), [user("hi"), assistant("...")]
    described["dependencies"][0]["queue"] = queue
    place = {"msg": "estimation", "event_id": "e", "rank": 0}
    preparation = [events(place, generating(shown, None), completed(shown, None))] * queue
    answered = [user("hi"), assistant("ok")]
    fake = space(described, *preparation, events(generating(shown), completed(answered)))
    fake.table["run/predict"] = reply({"data": [shown, {"__type__": "update", "value": None}]})
    found = fake.ask("hi")
    assert (text_of(found), kinds_of(found), final_of(found)) == ("ok", ["queued"] * queue, [])
    *first, last = fake.sent("queue/join")
    (prepare,) = first or fake.sent("run/predict")
    assert (prepare["fn_index"], last["fn_index"], last["data"]) == (5, 6, [shown])
    assert prepare["session_hash"] == last["session_hash"]
    assert prepare["trigger_id"] == last["trigger_id"] == 2


def test_fallback_description_is_not_cached() -> None:
    """The app may describe itself in the next call."""
    known = app(page_config()["components"], page_config()["dependencies"], app_id=0)
    config = SpaceConfig(base_url=APP, fallback_app=known)
    stream = events(completed("", [user("hi"), assistant("ok")]))
    fake = space(None, stream, config=reply({"detail": "no"}, 404))
    for calls in (1, 2):
        assert text_of(fake.ask("hi", config=config)) == "ok"
        assert fake.asked.count("config") == calls
    assert cached_app(config, fake.context) is None


def test_wrong_options_are_refused_before_any_request() -> None:
    """So is a file that the Space is known not to accept."""
    wrong: list[dict[str, Any]] = [{"history": "x"}, {"inputs": ["x"]}]
    for options in wrong:
        fake = FakeSpace()
        with pytest.raises(ConfigurationError):
            fake.ask("hi", **options)
        config = replace(SPACE, file_types=("image/",))
        with pytest.raises(UnsupportedMediaError):
            fake.ask(Message("user", "hi", (PDF,)), config=config)
        assert fake.requests == []


def test_chat_is_chosen_by_name() -> None:
    """The recorded interface has its page as a second chat."""
    fake = space(recorded_config("gradio-chatinterface/gradio5"))
    assert text_of(fake.ask("hi", config=SpaceConfig(base_url=APP, api_name="/chat"))) == "ok"
    message = {"text": "hi", "files": []}
    assert fake.sent("queue/join")[0]["data"] == [message, None, "Be brief.", 0.7]
    with pytest.raises(ConfigurationError, match="no chat named 'x'"):
        fake.ask("hi", config=SpaceConfig(base_url=APP, api_name="x"))


@pytest.mark.parametrize("value", ["text", {"a": 1}, 7, True])
def test_chatbot_has_to_hold_a_list(value: Any) -> None:
    """Null is an empty one."""
    with pytest.raises(MalformedStreamError, match="should hold a list, holds"):
        space(page_config(), events(completed("", value))).ask("hi")
    with pytest.raises(EmptyResponseError):
        space(page_config(), events(generating("", None), completed("", None))).ask("hi")


# --- sessions ------------------------------------------------------------------------------------


@pytest.mark.proves("obligation:gradio-space:5", "obligation:gradio-space:6")
def test_session_is_continued_by_one_branch() -> None:
    """It gets new messages only; a second branch gets a new session with the history."""
    fake = space()
    first = fake.ask("a")
    second = fake.ask("a", answer(first), "b")
    other = fake.ask("a", answer(first), "c")
    session = handle_of(first)["session"]
    assert sent(fake)[:2] == [(session, "a"), (session, "b")]
    assert sessions(fake) == [0, 0, 2]
    assert sent(fake)[2][1].endswith("\n\nc")
    assert [handle_of(each)["turn"] for each in (first, second, other)] == [1, 2, 1]
    assert handle_of(first).keys() == {"provider", "server", "session", "turn", "digest"}
    assert (fake.asked.count("app_id"), fake.asked.count("config")) == (1, 1)


def test_page_continues_with_the_value_of_its_chatbot() -> None:
    """As a browser page does."""
    first = [user("a"), assistant("ok")]
    second = [*first, user("b"), assistant("ok")]
    streams = (events(completed(shown, None)) for shown in (first, second))
    fake = space(steps_config(stateful=True), *streams)
    box = {"__type__": "update", "value": None}
    fake.table["run/predict"] = [reply({"data": [s[:-1], box, None]}) for s in (first, second)]
    fake.ask("a", answer(fake.ask("a")), "b")
    assert [body["data"][:2] for body in fake.sent("run/predict")] == [
        [[], {"text": "a", "files": []}],
        [first, {"text": "b", "files": []}],
    ]


@pytest.mark.parametrize("described", [page_config(), steps_config()])
def test_page_without_state_is_continued_as_in_a_browser(described: Any) -> None:
    """Its memory may be where no description shows it; what the chatbot shows is sent along."""
    first = [user("a"), assistant("ok")]
    shown = [*first, user("b"), assistant("ok")]
    is_page = len(described["dependencies"]) == 1
    streams = (events(completed(*(["", s] if is_page else [s]))) for s in (first, shown))
    fake = space(described, *streams)
    fake.table["run/predict"] = [reply({"data": [s[:-1], None]}) for s in (first, shown)]
    fake.ask("a", answer(fake.ask("a")), "b")
    assert sessions(fake) == [0, 0]
    asked = fake.sent("queue/join" if is_page else "run/predict")[1]["data"]
    assert first in asked
    assert fake.asked.count("app_id") == 1


def test_text_app_without_state_has_no_session_to_continue() -> None:
    """It is sent the whole history; a handle is refused there, not ignored."""
    answering = function(5, [2], [6], SUBMIT)
    fake = space(config([BOX, component(6, "markdown")], [answering]), events(completed("ok")))
    found = fake.ask("a")
    assert (text_of(found), handle_of(found)) == ("ok", None)
    fake.ask("a", answer(found), "b")
    assert (sessions(fake), "app_id" in fake.asked) == ([0, 1], False)
    assert "<assistant>\nok\n</assistant>" in fake.sent("queue/join")[1]["data"][0]
    for conversation in ({}, {"provider": "huggingchat"}, "newest"):
        with pytest.raises(ConfigurationError, match="conversation= takes"):
            fake.ask("a", conversation=conversation)


def test_new_conversation_leaves_the_session_alone() -> None:
    """It is not stored itself."""
    fake = space()
    first = answer(fake.ask("a"))
    assert handle_of(fake.ask("a", first, "b", conversation="new")) is None
    fake.ask("a", first, "c")
    assert sessions(fake) == [0, 1, 0]
    assert "<user>\na\n</user>" in sent(fake)[1][1]


@pytest.mark.proves("obligation:gradio-space:5")
@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (events(generating("o", None)), StreamInterruptedError),
        (events(generating("o", None), CANCELLED), None),
        (events(generating("o", None), failed("broken")), AppError),
        (GOOD, GeneratorExit),
    ],
)
def test_session_of_an_incomplete_answer_is_never_used_again(
    stream: Any, kind: type[BaseException] | None
) -> None:
    """The answer was cut, cancelled, failed, or closed by the caller."""
    fake = space(None, GOOD, stream, GOOD)
    first = answer(fake.ask("a"))
    if kind is None:
        assert fake.ask("a", first, "b")[-1] == Finish("interrupted")
    elif kind is GeneratorExit:
        playing = fake.call("a", first, "b")
        while not text_of([next(playing)]):
            pass
        playing.close()
    else:
        with pytest.raises(kind):
            fake.ask("a", first, "b")
    fake.ask("a", first, "b")
    assert sessions(fake) == [0, 0, 2]


def test_replaced_answer_is_continued_by_its_handle() -> None:
    """The app has its own last version."""
    fake = space(None, events(generating("One", None), completed("Two", None)), GOOD)
    first = fake.ask("a")
    assert final_of(first) == ["Two"]
    fake.ask("b", conversation=handle_of(first))
    assert (sessions(fake), sent(fake)[1][1]) == ([0, 0], "b")


@pytest.mark.parametrize(
    "app_id",
    [reply({"app_id": 8}), reply({"detail": "gone"}, 404), APIConnectionError("refused")],
)
def test_restarted_app_gets_the_history_or_the_session_is_lost(app_id: Any) -> None:
    """Its description is read again, because it may have been edited."""
    moved = interface_config(app_id=8)
    moved["dependencies"][0]["id"] = 99
    fake = space()
    first = fake.ask("a")
    fake.table["app_id"] = app_id
    told, error = fake.fail(SessionLostError, "b", conversation=handle_of(first))
    assert "restarted" in str(error)
    assert (told, len(sent(fake))) == ([], 1)
    fake = space()
    first = fake.ask("a")
    fake.table |= {"app_id": app_id, "config": reply(moved)}
    assert kinds_of(fake.ask("a", answer(first), "b")) == ["conversation_lost"]
    last = fake.sent("queue/join")[-1]
    assert (last["fn_index"], fake.asked.count("config")) == (99, 2)
    assert "<user>\na\n</user>" in last["data"][0]


def test_session_that_is_lost_during_the_call_is_replaced_by_the_history() -> None:
    """Without the history it is an error."""
    fake = space(None, GOOD, LOST, GOOD)
    first = fake.ask("a")
    assert text_of(fake.ask("a", answer(first), "b")) == "ok"
    assert sessions(fake) == [0, 0, 2]
    assert sent(fake)[2][1].endswith("\n\nb")
    fake = space(None, GOOD, LOST, GOOD)
    with pytest.raises(SessionLostError):
        fake.ask("b", conversation=handle_of(fake.ask("a")))


@pytest.mark.parametrize(
    ("said", "options", "kind"),
    [
        ("b", {"inputs": {"x": 1}}, ConfigurationError),
        ("b", {"temperature": "hot"}, ConfigurationError),
        (Message("user", "b", (PDF, PDF)), {}, MalformedStreamError),
        (Message("user", "b", (PDF,)), {}, GeneratorExit),
    ],
)
def test_call_that_does_not_reach_the_app_puts_the_session_back(
    said: Message | str, options: dict[str, Any], kind: type[BaseException]
) -> None:
    """The next call continues it, by the handle alone."""
    described = interface_config(component(10, "slider", "Temperature"), box=MULTIMODAL)
    fake = space(described, upload=reply([]))
    handle = handle_of(fake.ask("a"))
    if kind is GeneratorExit:
        playing = fake.call(said, conversation=handle)
        assert kinds_of([next(playing)]) == ["upload"]
        playing.close()
    else:
        with pytest.raises(kind):
            fake.ask(said, conversation=handle, **options)
    fake.ask("c", conversation=handle)
    assert sessions(fake) == [0, 0]
