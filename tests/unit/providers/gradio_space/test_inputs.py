"""What the functions of a chat are given (docs/protocols/gradio-space.md, sections 7 and 8)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import pytest

from langchain_g4f.errors import ConfigurationError, ModelNotFoundError
from langchain_g4f.providers.gradio_space import find_chat, read_app
from langchain_g4f.providers.gradio_space.prepare import ComponentValues
from tests.unit.providers.gradio_space.apps import (
    BOX,
    CHATBOT,
    SUBMIT,
    component,
    config,
    function,
    interface_config,
    page_config,
)

TEMPERATURE = component(10, "slider", "Temperature", minimum=0, maximum=2, value=0.7)
TOKENS = component(11, "slider", "Max new tokens", minimum=1, maximum=4096, value=512)
SEED = component(12, "number", "Seed", value=0, minimum=None, maximum=2147483647)
SYSTEM = component(13, "textbox", "System prompt", value="Be brief.")
MODEL = component(14, "dropdown", "Model", choices=[["Small", "s"], ["Large", "l"]], value="s")
STYLE = component(15, "radio", "Style", choices=["plain", "ornate"], value="plain")
TAGS = component(16, "dropdown", "Tags", choices=["a", "b", "c"], multiselect=True, value=[])
FREE = component(17, "dropdown", "Voice", choices=["x"], allow_custom_value=True, value="x")
NOTES = component(18, "json", None, value={"n": 1})
ALL = (TEMPERATURE, TOKENS, SEED, SYSTEM, MODEL, STYLE, TAGS, FREE, NOTES)


class Given:
    """The values of a chat, and what its function is given in the end."""

    def __init__(self, described: Any) -> None:
        app = read_app(described)
        self.chat = find_chat(app)
        self.values = ComponentValues(app, self.chat)

    def set(self, given: Mapping[str, Any] | None = None, **parameters: Any) -> list[Any]:
        """Set the app's own inputs."""
        self.values.set_all(given or {}, parameters)
        return self.data

    @property
    def data(self) -> list[Any]:
        return self.values.inputs_of(self.chat.answer)


def interface(*extras: Any) -> Given:
    """An interface with these inputs."""
    return Given(interface_config(*extras or ALL))


@pytest.mark.proves("obligation:gradio-space:3")
def test_every_input_has_a_value_and_state_is_null() -> None:
    """Defaults are the app's own, the state is the server's."""
    data = interface().data
    assert data == ["", None, 0.7, 512, 0, "Be brief.", "s", "plain", [], "x", {"n": 1}]


def test_value_that_is_put_is_given_and_can_be_read() -> None:
    """Message and history are put so."""
    given = Given(page_config())
    assert given.chat.chatbot is not None
    given.values.put(given.chat.box, "hi")
    given.values.put(given.chat.chatbot, [1])
    assert given.data == ["hi", [1]]
    assert given.values.get(given.chat.box) == "hi"


def test_second_chatbot_is_given_what_it_shows() -> None:
    """It is no input of the caller's, and not null either."""
    arena = component(20, "chatbot", type="messages", value=[])
    given = Given(config([CHATBOT, BOX, arena], [function(5, [2, 1, 20], [1, 20], SUBMIT)]))
    assert given.data == ["", [], []]
    with pytest.raises(ConfigurationError, match="its inputs are: none"):
        given.set({"chatbot_20": []})


def test_outputs_are_kept_for_the_next_function() -> None:
    """An update without a value leaves what was there; missing outputs do, too."""
    given = Given(page_config(SYSTEM))
    given.values.put(given.chat.box, "hi")
    given.values.apply(given.chat.answer, [{"__type__": "update", "interactive": False}])
    assert given.data == ["hi", [], "Be brief."]
    update: Any = {"__type__": "update", "value": None}
    given.values.apply(given.chat.answer, [update, ["history"], "surplus"])
    assert given.data == [None, ["history"], "Be brief."]


def test_standard_parameters_go_where_a_label_says_so() -> None:
    """None of them is left alone."""
    data = interface().set(temperature=1, max_tokens=64, top_p=None, seed=7)
    assert data[2:5] == [1, 64, 7]


def test_parameter_without_an_input_is_warned_of_by_name() -> None:
    """The call is made all the same."""
    given = interface(TEMPERATURE)
    with pytest.warns(UserWarning, match="no input for 'top_k'"):
        assert given.set(top_k=5, temperature=0.1) == ["", None, 0.1]


@pytest.mark.parametrize(
    ("name", "at", "value"),
    [
        ("Temperature", 2, 0.5),
        ("temperature", 2, 2),
        ("max_new_tokens", 3, 1),
        ("System prompt", 5, ""),
        ("Model", 6, "l"),
        ("style", 7, "ornate"),
        ("tags", 8, ["a", "c"]),
        ("tags", 8, "b"),
        ("Voice", 9, "anything"),
        ("json_18", 10, {"x": [None, True, 1.5, "é", {}]}),
    ],
)
def test_input_is_set_by_its_label_or_name(name: str, at: int, value: object) -> None:
    """To whatever it takes."""
    assert interface().set({name: value})[at] == value


def test_inputs_go_before_parameters_where_both_set_the_same() -> None:
    """What the caller names is what the caller means."""
    assert interface(TEMPERATURE).set({"Temperature": 0.5}, temperature=1)[2] == 0.5


@pytest.mark.parametrize("name", ["temprature", "", "message", "state_4", "Small"])
def test_unknown_input_is_refused_with_the_list(name: str) -> None:
    """Neither message nor state is one of them."""
    names = "'temperature', 'max_new_tokens', 'seed', 'system_prompt', 'model', 'style', 'tags'"
    with pytest.raises(ConfigurationError, match=f"no input '{name}'; .*: {names}"):
        interface().set({name: 1})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"Temperature": 2.5}, "'temperature' is 2 at most, not 2.5"),
        ({"Temperature": -1}, "'temperature' is 0 at least, not -1"),
        ({"Temperature": "hot"}, "'temperature' takes a number, not 'hot'"),
        ({"Temperature": True}, "'temperature' takes a number, not True"),
        ({"Temperature": None}, "'temperature' takes a number, not None"),
        ({"Temperature": float("nan")}, "'temperature' takes JSON, not float"),
        ({"seed": 2147483648}, "'seed' is 2147483647 at most, not 2147483648"),
        ({"style": "blue"}, r"'style' takes one of \['plain', 'ornate'\], not 'blue'"),
        ({"tags": ["a", "z"]}, r"'tags' takes one of .*, not \['a', 'z'\]"),
        ({"model": "Large"}, r"'model' takes one of \['s', 'l'\], not 'Large'"),
        ({"json_18": {1, 2}}, "'json_18' takes JSON, not set"),
        ({"json_18": [object()]}, "'json_18' takes JSON, not list"),
        ({"json_18": "\ud800"}, "'json_18' takes JSON, not str"),
    ],
)
def test_value_an_input_does_not_take_is_refused(given: dict[str, Any], said: str) -> None:
    """The app itself would fail without a reason."""
    with pytest.raises(ConfigurationError, match=f"inputs: {said}"):
        interface().set(given)


def test_value_that_has_no_end_is_refused() -> None:
    """It cannot be sent."""
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ConfigurationError, match="takes JSON"):
        interface().set({"json_18": endless})


def test_standard_parameter_out_of_range_is_refused() -> None:
    """As if it were set by name."""
    with pytest.raises(ConfigurationError, match="'max_new_tokens' is 4096 at most, not 5000"):
        interface().set(max_tokens=5000)


def test_system_prompt_goes_into_the_input_that_is_there_for_it() -> None:
    """Without one the app's own stays; without an input the caller has to send it otherwise."""
    given = interface(SYSTEM)
    assert given.values.set_system("") is True
    assert given.data == ["", None, "Be brief."]
    assert given.values.set_system("Be long.") is True
    assert given.data == ["", None, "Be long."]
    assert interface(TEMPERATURE).values.set_system("Be long.") is False


def test_model_is_chosen_where_the_app_lets_its_users_choose() -> None:
    """By its value; an input for free text takes any name."""
    given = interface(MODEL)
    given.values.set_model("l")
    assert given.data == ["", None, "l"]
    free = interface(component(14, "textbox", "Model name", value="org/model"))
    free.values.set_model("org/other")
    assert free.data == ["", None, "org/other"]


@pytest.mark.parametrize(
    ("extra", "known"),
    [(MODEL, "s, l"), (TEMPERATURE, "owner/space"), (None, "one, without a name")],
)
def test_model_the_app_does_not_have_is_refused_with_those_it_has(extra: Any, known: str) -> None:
    """Where there is no choice, it is the Space itself."""
    described = interface_config(*[extra] if extra else [])
    given = Given(described | ({"space_id": "owner/space"} if extra else {}))
    with pytest.raises(ModelNotFoundError, match=f"no model 'xl'; it has: {known}$"):
        given.values.set_model("xl")


def test_values_that_are_fine_warn_of_nothing() -> None:
    """A warning means that something is ignored."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        interface().set({"style": "plain"}, temperature=0, max_tokens=1, seed=1, top_p=None)
