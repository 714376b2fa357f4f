"""One answer from a Space, step by step (docs/protocols/gradio-space.md, section 8)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from langchain_g4f.core.events import Finish, ModelInfo, Text
from langchain_g4f.errors import (
    ConfigurationError,
    EmptyResponseError,
    MalformedStreamError,
)
from langchain_g4f.providers.gradio_space import SpaceConfig, cached_app
from tests.unit.providers.gradio_space.apps import (
    app,
    assistant,
    interface_config,
    page_config,
    recorded_config,
    steps_config,
    user,
)
from tests.unit.providers.gradio_space.replies import (
    completed,
    events,
    final_of,
    generating,
    kinds_of,
    reply,
    text_of,
)
from tests.unit.providers.gradio_space.world import APP, HUB, World

SPACE = SpaceConfig(base_url=APP, space="owner/name", hub_url=HUB, token="hf_token")
JOINED = reply({"event_id": "e"})
GOOD = events(generating("o", None), completed("ok", None))


def world(described: Any = None, *answers: Any, max_retries: int = 2, **more: Any) -> World:
    """An app that keeps state and answers so, one time after the other."""
    table: dict[str, Any] = {
        "config": reply(described or interface_config()),
        "queue/join": JOINED,
        "queue/data": list(answers or [GOOD]),
        "app_id": reply({"app_id": 7}),
    }
    return World(table | more, max_retries=max_retries)


def test_interface_answers() -> None:
    """Who answers is told before."""
    trial = world(interface_config(title="Chat"))
    found = trial.ask("hi", conversation="new")
    assert found == [ModelInfo("Chat"), Text("o"), Text("k"), Finish()]
    assert trial.asked == ["config", "queue/join", "queue/data"]


@pytest.mark.proves("obligation:gradio-space:4")
def test_page_prepares_and_answers_in_one_session() -> None:
    """The answer is given what the preparation returned."""
    shown = [user("hi")]
    trial = world(steps_config(), events(completed([*shown, assistant("ok")])))
    update = {"__type__": "update", "value": None}
    trial.table["run/predict"] = reply({"data": [shown, update]})
    assert text_of(trial.ask("hi")) == "ok"
    prepare, answer = trial.sent("run/predict")[0], trial.sent("queue/join")[0]
    assert (prepare["fn_index"], answer["fn_index"]) == (5, 6)
    assert answer["data"] == [shown]
    assert prepare["session_hash"] == answer["session_hash"]
    assert prepare["trigger_id"] == answer["trigger_id"] == 2


def test_preparation_may_go_through_the_queue() -> None:
    """Its places there are told, and its outputs are no answer."""
    described = steps_config()
    described["dependencies"][0]["queue"] = True
    shown = [user("hi"), assistant("...")]
    place = {"msg": "estimation", "event_id": "e", "rank": 0}
    trial = world(
        described,
        events(place, generating(shown, None), completed(shown, None)),
        events(generating(shown), completed([user("hi"), assistant("ok")])),
    )
    found = trial.ask("hi")
    assert (text_of(found), kinds_of(found), final_of(found)) == ("ok", ["queued"], [])


def test_model_is_named_by_the_space_unless_one_was_asked() -> None:
    """By what the app says of itself, first."""
    trial = world(interface_config(space_id="owner/app"))
    assert trial.ask("hi")[0] == ModelInfo("owner/app")
    assert world().ask("hi", where=replace(SPACE, token=""))[0] == ModelInfo("owner/name")
    where = replace(SPACE, token="", models=("alias",))
    assert not any(isinstance(e, ModelInfo) for e in world().ask("hi", where=where, model="alias"))


def test_app_that_does_not_describe_itself_is_taken_for_what_is_known() -> None:
    """Once for each call, as it may describe itself at the next."""
    known = app(page_config()["components"], page_config()["dependencies"], app_id=0)
    where = SpaceConfig(base_url=APP, fallback_app=known)
    answer = events(completed("", [user("hi"), assistant("ok")]))
    trial = world(None, answer, config=reply({"detail": "no"}, 404))
    for calls in (1, 2):
        assert text_of(trial.ask("hi", where=where)) == "ok"
        assert trial.asked.count("config") == calls
    assert cached_app(where, trial.context) is None


@pytest.mark.parametrize("options", [{"history": "x"}, {"inputs": ["x"]}])
def test_option_of_the_wrong_kind_is_refused_before_anything_is_sent(
    options: dict[str, Any],
) -> None:
    """The app need not be asked for that."""
    trial = World()
    with pytest.raises(ConfigurationError):
        trial.ask("hi", **options)
    assert trial.requests == []


def test_app_with_several_chats_is_asked_by_name() -> None:
    """The recorded interface has its page as a second one."""
    trial = world(recorded_config("gradio-chatinterface/gradio5"))
    assert text_of(trial.ask("hi", where=SpaceConfig(base_url=APP, api_name="/chat"))) == "ok"
    assert trial.sent("queue/join")[0]["data"] == [
        {"text": "hi", "files": []},
        None,
        "Be brief.",
        0.7,
    ]
    with pytest.raises(ConfigurationError, match="no chat named 'x'"):
        trial.ask("hi", where=SpaceConfig(base_url=APP, api_name="x"))


@pytest.mark.parametrize("value", ["text", {"a": 1}, 7, True])
def test_chatbot_that_holds_no_list_is_an_error(value: Any) -> None:
    """What an interface gives may be anything, what a chatbot holds may not."""
    trial = world(page_config(), events(completed("", value)))
    with pytest.raises(MalformedStreamError, match="should hold a list, holds"):
        trial.ask("hi")


def test_chatbot_that_is_emptied_holds_nothing() -> None:
    """Null is an empty list."""
    trial = world(page_config(), events(generating("", None), completed("", None)))
    with pytest.raises(EmptyResponseError):
        trial.ask("hi")
