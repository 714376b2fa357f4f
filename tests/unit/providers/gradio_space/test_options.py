"""What is asked for, of whom, and what an app offers."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from langchain_g4f.errors import ConfigurationError
from langchain_g4f.providers.gradio_space import SpaceConfig, input_modalities, models_of, read_app
from langchain_g4f.providers.gradio_space.config import CallOptions
from tests.unit.providers.gradio_space.apps import (
    MULTIMODAL,
    component,
    config,
    interface_config,
    page_config,
)
from tests.unit.providers.gradio_space.fake_space import APP

CANARY = "canary-f3a91c77d2"
ALL = {"image", "audio", "video", "pdf"}


def test_options_that_are_not_given_have_defaults() -> None:
    """None counts as not given."""
    names = ("conversation", "history", "inputs", "trusted_media_hosts", "temperature")
    options = CallOptions.read(dict.fromkeys(names))
    assert options == CallOptions.read({})
    assert (options.conversation, options.history, options.inputs) == ("auto", "auto", {})
    assert options.trusted_hosts == ()
    assert set(options.parameters.values()) == {None}


def test_options_that_are_given_are_kept() -> None:
    """Parameters are LangChain's, whatever else is set."""
    options = CallOptions.read(
        {
            "conversation": {"provider": "x"},
            "history": "messages",
            "inputs": MappingProxyType({"a": 1}),
            "trusted_media_hosts": ["intranet"],
            "temperature": 0.0,
            "top_k": 3,
            "other": 1,
        }
    )
    assert options.conversation == {"provider": "x"}
    assert (options.history, dict(options.inputs)) == ("messages", {"a": 1})
    assert options.trusted_hosts == ("intranet",)
    names = ("temperature", "max_tokens", "top_p", "top_k", "seed")
    assert dict(options.parameters) == dict.fromkeys(names) | {"temperature": 0.0, "top_k": 3}


def test_conversation_that_is_empty_is_not_auto() -> None:
    """It is what an answer without a handle gives."""
    assert CallOptions.read({"conversation": {}}).conversation == {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"history": "all"}, "history= takes .* not 'all'"),
        ({"inputs": ["a"]}, "inputs= takes names and values, not list"),
        ({"trusted_media_hosts": "intranet"}, "takes a list of names"),
        ({"trusted_media_hosts": 7}, "takes a list of names"),
    ],
)
def test_option_of_the_wrong_kind_is_refused(given: dict[str, Any], said: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigurationError, match=said):
        CallOptions.read(given)


@pytest.mark.proves("obligation:gradio-space:21")
def test_reprs_show_no_credentials() -> None:
    """They stand in many frames; an app may ask for a key of its own."""
    secrets = {"token": CANARY, "gpu_token": CANARY, "gpu_uuid": CANARY}
    where = SpaceConfig(base_url=APP, **secrets)  # type: ignore[arg-type]  # all of them are text
    assert CANARY not in repr(where)
    assert APP in repr(where)
    assert CANARY not in repr(CallOptions.read({"inputs": {"API key": CANARY}}))


@pytest.mark.parametrize(
    ("given", "headers"),
    [
        ({}, {}),
        ({"referer": "https://x"}, {"referer": "https://x"}),
        ({"token": "t"}, {"authorization": "Bearer t"}),
        ({"token": "t", "referer": "x"}, {"referer": "x", "authorization": "Bearer t"}),
    ],
)
def test_headers_have_what_is_known_and_no_place_holder(
    given: dict[str, str], headers: dict[str, str]
) -> None:
    """Nobody is not somebody without a name."""
    assert SpaceConfig(base_url=APP, **given).headers == headers  # type: ignore[arg-type]  # text


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://owner-name.hf.space", "owner-name"),
        ("https://owner-name.hf.space:443/path", "owner-name"),
        ("https://hf.space", ""),
        ("https://evilhf.space", ""),
        ("https://owner-name.hf.space.example", ""),
        ("http://127.0.0.1:7860", ""),
    ],
)
def test_name_of_a_space_stands_in_its_address(url: str, name: str) -> None:
    """And in no other address."""
    assert SpaceConfig(base_url=url).subdomain == name


WHERE = SpaceConfig(base_url=APP)


def test_models_are_those_the_users_choose_from() -> None:
    """None where there is no choice, or no chat."""
    model = component(10, "radio", "Model", choices=["s", ["Seven", 7]])
    assert models_of(read_app(interface_config(model)), WHERE) == ["s", "7"]
    assert models_of(read_app(interface_config()), WHERE) == []
    assert models_of(read_app(config([], [])), WHERE) == []
    named = replace(WHERE, api_name="nobody")
    assert models_of(read_app(interface_config(model)), named) == []


@pytest.mark.parametrize(
    ("kinds", "takes"),
    [
        (None, ALL),
        ([], ALL),
        (["file"], ALL),
        (["image"], {"image"}),
        (["image", "audio"], {"image", "audio"}),
        (["video/*"], {"video"}),
        ([".png", ".mp3"], {"image", "audio"}),
        ([".pdf"], {"pdf"}),
        (["application/pdf"], {"pdf"}),
        (["text", ".csv", 7], set()),
    ],
)
def test_box_says_which_files_it_takes(kinds: Any, takes: set[str]) -> None:
    """By family, media type or ending."""
    box = MULTIMODAL | {"props": {"file_types": kinds}}
    assert input_modalities(read_app(page_config(box=box)), WHERE) == takes


def test_box_for_text_takes_no_files() -> None:
    """Nor does an app without a chat, whatever the Space is known to take."""
    where = replace(WHERE, file_types=("image/", "audio/"))
    assert input_modalities(read_app(page_config()), where) == set()
    assert input_modalities(read_app(config([], [])), where) == set()


def test_what_a_space_is_known_to_take_goes_before_what_it_says() -> None:
    """A box takes files that the model cannot read."""
    where = replace(WHERE, file_types=("image/", "audio/"))
    assert input_modalities(read_app(page_config(box=MULTIMODAL)), where) == {"image", "audio"}
