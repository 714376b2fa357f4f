"""What an app's page runs besides the answer (docs/protocols/gradio-space.md, section 8)."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f.core.chat_request import Message
from langchain_g4f.core.events import Finish
from tests.unit.providers.gradio_space.apps import (
    PLAIN,
    assistant,
    component,
    function,
    page_config,
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
from tests.unit.providers.gradio_space.test_plan import answer, sessions, space


def direct(*outputs: Any) -> Any:
    """The answer of a function that is called directly."""
    return reply({"data": [*outputs]})


def opening_config(**more: Any) -> Any:
    """A page that fills its model and its state when it opens, and lists no model before."""
    model = component(9, "dropdown", "Model", choices=[], value=None)
    described = page_config(model, component(4, "state"), **more)
    described["dependencies"].append(function(7, [], [9, 4], (None, "load"), **PLAIN))
    return described


MODELS = {"__type__": "update", "choices": [["A", "a"], ["B", "b"]], "value": "a"}


def test_functions_of_the_opening_page_are_run_once_a_session() -> None:
    """What they return are the values of the inputs, and what can be chosen."""
    first = [user("a"), assistant("ok")]
    fake = space(opening_config(), events(completed("", first)))
    fake.table["run/predict"] = direct(MODELS, None)
    found = fake.ask("a")
    fake.table["queue/data"] = events(completed("", [*first, user("b"), assistant("ok")]))
    fake.ask("a", answer(found), "b", model="b")
    fake.ask("a", answer(found), "b")
    assert sessions(fake) == [0, 1, 0]
    assert [body["data"] for body in fake.sent("queue/join")] == [
        ["a", [], "a", None],
        [fake.sent("queue/join")[1]["data"][0], [], "b", None],
        ["b", first, "a", None],
    ]
    assert [body["session_hash"] for body in fake.sent("run/predict")] == [
        body["session_hash"] for body in fake.sent("queue/join")[:2]
    ]


def test_page_that_fails_to_open_answers_all_the_same() -> None:
    """The caller is told."""
    fake = space(opening_config(), events(completed("", [user("a"), assistant("ok")])))
    fake.table["run/predict"] = reply({"error": "no GPU"}, 500)
    found = fake.ask("a")
    assert text_of(found) == "ok"
    assert kinds_of(found) == ["load_failed"]


def following_config(*outputs: int) -> Any:
    """A page that runs a function after the answer."""
    described = page_config(component(4, "state"))
    described["dependencies"].append(function(7, [1], outputs, after=5, **PLAIN))
    return described


def test_function_after_the_answer_may_change_it() -> None:
    """Its text is the final one, and what the chatbot shows in the next turn."""
    shown, changed = ([user("a"), assistant(text)] for text in ("ok", "ok [1]"))
    stream = events(generating("", shown, None), completed("", shown, None))
    fake = space(following_config(1), stream)
    fake.table["run/predict"] = direct(changed)
    found = fake.ask("a")
    assert (text_of(found), found[-1]) == ("ok [1]", Finish())
    replaced = [user("a"), assistant("No.")]
    fake.table["run/predict"] = direct(replaced)
    found = fake.ask("a", answer(found), "b")
    assert fake.sent("queue/join")[1]["data"][1] == changed
    assert (text_of(found), final_of(found)) == ("ok", ["No."])


@pytest.mark.parametrize("output", [1, 4])
def test_failure_after_the_answer_is_told_and_does_not_take_it_back(output: int) -> None:
    """The caller has the whole answer."""
    fake = space(
        following_config(output), events(completed("", [user("a"), assistant("ok")], None))
    )
    fake.table["run/predict"] = reply({"error": "disk full"}, 500)
    found = fake.ask("a")
    assert (text_of(found), kinds_of(found)) == ("ok", ["follow_up_failed"])
    assert found.count(Finish()) == 1


def test_history_reaches_the_state_of_an_interface_by_its_own_function() -> None:
    """It copies the chatbot, and is run before the answer where there is a history."""
    described = page_config(component(4, "state"))
    described["dependencies"] = [
        function(5, [2, 4], [2, 1], (2, "submit")),
        function(6, [1], [4], after=5, **PLAIN),
    ]
    before = [user("a"), assistant("b")]
    fake = space(described, events(completed("", [*before, user("c"), assistant("ok")])))
    fake.table["run/predict"] = direct(None)
    fake.ask("a", Message("assistant", "b"), "c")
    assert fake.asked[1:3] == ["run/predict", "queue/join"]
    assert fake.sent("run/predict")[0]["data"] == [
        [{"role": role, "content": text} for role, text in (("user", "a"), ("assistant", "b"))]
    ]
    assert fake.sent("queue/join")[0]["data"] == ["c", None]
