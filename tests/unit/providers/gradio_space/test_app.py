"""The description of an app (docs/protocols/gradio-space.md, sections 2, 8 and 11)."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f.errors import ConfigurationError, MalformedStreamError
from langchain_g4f.providers.gradio_space.app import Component, keyword, named_app, read_app
from tests.unit.providers.gradio_space.apps import (
    BOX,
    CHATBOT,
    PLAIN,
    RECORDED,
    STATE,
    app,
    component,
    config,
    function,
    page_config,
    recorded_config,
)


@pytest.mark.proves("obligation:gradio-space:1", "cassette:phi4/discovery")
@pytest.mark.parametrize("folder", RECORDED)
def test_recorded_description_is_read(folder: str) -> None:
    """Version, prefix, ids and limits come from the server."""
    described = recorded_config(folder)
    found = read_app(described)
    assert found.app_id == described["app_id"]
    assert found.numbers[0] == int(described["version"][0])
    assert found.api_prefix == "/gradio_api"
    assert found.title == described["title"]
    assert found.max_file_size == described["max_file_size"]
    assert found.space_id == ""
    assert found.components.keys() == {each["id"] for each in described["components"]}
    assert [f.id for f in found.functions] == sorted(f["id"] for f in described["dependencies"])


def test_functions_of_the_recorded_phi4_are_read() -> None:
    """The numbers are those that an earlier client used."""
    found = {f.api_name: f for f in read_app(recorded_config("phi4")).functions}
    add, respond, cosmetics = found["add_message"], found["respond"], found["lambda_10"]
    assert (add.id, add.inputs, add.outputs) == (10, (3, 8, 2), (3, 8, 2))
    assert (add.queue, add.generator, add.targets) == (False, False, ((8, "submit"),))
    assert (respond.id, respond.trigger_after, respond.generator) == (11, 10, True)
    assert (respond.queue, respond.targets) == (True, ((None, "then"),))
    assert (cosmetics.trigger_after, cosmetics.backend_fn, cosmetics.public) == (11, True, True)


@pytest.mark.parametrize(
    ("given", "public"),
    [
        ({}, True),
        ({"show_api": None}, True),
        ({"show_api": False}, False),
        ({"api_name": False}, False),
        ({"api_visibility": "public"}, True),
        ({"api_visibility": "undocumented"}, False),
        ({"api_visibility": "private"}, False),
    ],
)
def test_function_is_public_where_the_app_offers_it(given: dict[str, Any], public: bool) -> None:
    """Gradio 4, 5 and 6 say so in different fields."""
    (found,) = app([BOX], [function(5, [2], [2], **given)]).functions
    assert found.public is public


def test_description_of_gradio_4_is_read() -> None:
    """It has no prefix, and null for defaults."""
    described = page_config(version="4.44.1", protocol="sse_v2.1")
    del described["api_prefix"], described["title"]
    for name in ("queue", "backend_fn", "show_api", "types"):
        described["dependencies"][0][name] = None
    found = read_app(described)
    assert (found.numbers[0], found.api_prefix, found.title) == (4, "", "")
    (answer,) = found.functions
    assert (answer.queue, answer.backend_fn, answer.public) == (True, True, True)
    assert not answer.generator


@pytest.mark.parametrize(
    ("version", "kind", "shape"),
    [
        ("4.44.1", None, "tuples"),
        ("5.22.0", "tuples", "tuples"),
        ("5.22.0", "messages", "strings"),
        ("6.31.0", None, "parts"),
        ("6.0.0.dev3", "messages", "parts"),
        ("unknown", "messages", "strings"),
    ],
)
@pytest.mark.proves("obligation:gradio-space:2")
def test_shape_of_messages_follows_the_version(version: str, kind: str | None, shape: str) -> None:
    """The major version decides, then the type of the chatbot."""
    found = app([component(1, "chatbot", type=kind)], [], version=version)
    assert found.shape(found.components[1]) == shape


@pytest.mark.parametrize("protocol", ["ws", "sse", "sse_v1", None])
def test_app_that_is_too_old_is_refused_by_its_protocol(protocol: str | None) -> None:
    """The error names its version and the required one."""
    with pytest.raises(ConfigurationError, match=r"runs Gradio 3\.50\.2; .* needs 4\.17 or newer"):
        app([], [], version="3.50.2", protocol=protocol)


def test_functions_are_sorted_by_id() -> None:
    """Those with components that the app renders later are left out; names and flags may lack."""
    changed = {"api_name": None, "backend_fn": False}
    functions = [
        function(9, [2], [2], api_name=False),
        function(5, [2], [2], **changed, **PLAIN),
        function(6, [99], [2]),
        function(7, [2], [98]),
    ]
    first, second = app([BOX], functions).functions
    assert [(f.id, f.api_name) for f in (first, second)] == [(5, ""), (9, "")]
    assert (first.backend_fn, first.queue, first.generator) == (False, False, False)


def test_function_of_an_older_app_is_named_by_its_place() -> None:
    """It has no id."""
    described = config([BOX], [function(0, [2], [2]), function(0, [2], [2])])
    for each in described["dependencies"]:
        del each["id"]
    assert [(f.id, f.api_name) for f in read_app(described).functions] == [(0, "fn_0"), (1, "fn_0")]


@pytest.mark.parametrize("target", [[2], "submit", [2, None], [2, "submit", 1], None])
def test_target_of_another_shape_starts_nothing(target: object) -> None:
    """The function remains."""
    described = config([BOX], [{**function(5, [2], [2]), "targets": [target, ["x", "click"]]}])
    (found,) = read_app(described).functions
    assert found.targets == ((None, ""), (None, "click"))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"components": None}, "'components'"),
        ({"dependencies": {}}, "'dependencies'"),
        ({"version": 5}, "'version'"),
        ({"api_prefix": 1}, "'api_prefix'"),
        ({"components": [{"type": "button"}]}, "'id'"),
        ({"components": [{"id": 1}]}, "'type'"),
        ({"components": [7]}, "'props'"),
        ({"dependencies": [{"id": 1, "outputs": []}]}, "'inputs'"),
        ({"dependencies": [function(5, [], [], queue="yes")]}, "'queue'"),
        ({"dependencies": [None]}, "'api_visibility'"),
    ],
)
def test_description_of_another_shape_is_an_error_that_names_the_key(
    change: dict[str, Any], named: str
) -> None:
    """Anything else is no description at all."""
    with pytest.raises(MalformedStreamError, match=named):
        read_app(config([], []) | change)
    others: list[Any] = [None, [], "app", {}]
    for described in others:
        with pytest.raises(MalformedStreamError):
            read_app(described)


def test_size_limit_that_is_no_number_is_none() -> None:
    """Some versions send text."""
    assert app([], [], max_file_size="5mb").max_file_size is None
    assert app([], [], max_file_size=5).max_file_size == 5


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Max new tokens", "max_new_tokens"),
        ("Top-p (nucleus sampling)", "top_p_nucleus_sampling"),
        ("maxNewTokens", "max_new_tokens"),
        ("🌡️ Temperature:", "temperature"),
        ("Größe", "größe"),
        ("__x__", "x"),
        ("🌡️", ""),
    ],
)
def test_label_becomes_a_keyword(label: str, name: str) -> None:
    """The names of ``inputs={...}``."""
    assert keyword(label) == name


@pytest.mark.parametrize("label", [None, "", "🌡️", 7, '__i18n__{"key": "chat"}'])
def test_component_without_a_label_is_named_by_type_and_id(label: Any) -> None:
    """A key of the page's translations does not count as a label."""
    found = app([component(7, "slider", label)], []).components[7]
    assert found.name == "slider_7"


def test_choices_are_the_values_and_not_what_is_shown() -> None:
    """A choice may be a pair of label and value."""
    choices = [["Small", "s"], "m", ["Large", "l"], [], 4]
    found = app([component(1, "dropdown", choices=choices)], []).components[1]
    assert found.choices == ["s", "m", "l", [], 4]
    assert Component(1, "dropdown", "", {"choices": None}).choices == []


@pytest.mark.parametrize(
    ("version", "expected"),
    [("4.19.2", False), ("4.31.0", True), ("5.0.2", True), ("6.31.0", True), ("", True)],
)
def test_apps_before_4_31_cannot_cancel(version: str, expected: bool) -> None:
    """Whatever says no version is taken for a new one."""
    assert app([], [], version=version).can_cancel is expected


def test_inputs_have_the_names_of_the_parameters() -> None:
    """A description leaves states out, and lists functions by name or by number."""
    answering = [function(5, [2, 4, 7], [1], api_name="chat"), function(6, [8], [1], api_name=None)]
    parts = [CHATBOT, BOX, STATE, component(7, "slider", "温度"), component(8, "textbox")]
    found = app(parts, answering)
    info: Any = {
        "named_endpoints": {
            "/chat": {"parameters": [{"parameter_name": "text"}, {"parameter_name": "temperature"}]}
        },
        "unnamed_endpoints": {"6": {"parameters": [{"parameter_name": "system_prompt"}, {}]}},
    }
    named = named_app(found, info)
    names = [named.components[id_].names for id_ in (2, 7, 8)]
    assert names == [["message", "text"], ["温度", "temperature"], ["system_prompt"]]
    assert (found.is_named, named.is_named) == (False, True)
    others: list[Any] = [{}, {"named_endpoints": {"/chat": {"parameters": []}}}]
    for wrong in others:
        assert named_app(found, wrong).components == found.components
