from __future__ import annotations

from typing import Any

import pytest
from langchain_core.caches import InMemoryCache

from langchain_g4f import ChatG4F, ChatGradioSpace, ChatHuggingChat, Clocks
from langchain_g4f.errors import ConfigurationError
from langchain_g4f.testing import Sandbox
from langchain_g4f.tools.prompt import PROTOCOL
from tests.unit.chat_models.ways import MODEL, OTHER_MODEL, ask

BASE_URL = "http://127.0.0.1:1/chat"


@pytest.mark.proves("promise:profile")
def test_profile_says_what_the_model_can_do(model: ChatHuggingChat) -> None:
    """Text goes in and out; what is not there is said to be not there."""
    assert model.profile is not None
    assert model.profile["text_inputs"]
    assert model.profile["text_outputs"]
    assert model.profile["tool_calling"]
    assert model.profile["tool_choice"]
    assert model.profile["tool_call_streaming"]
    assert not model.profile["structured_output"]


@pytest.mark.proves("promise:profile")
def test_profile_of_the_user_is_kept() -> None:
    """Who passes a profile knows better."""
    model = ChatHuggingChat(profile={"max_input_tokens": 9})
    assert model.profile == {"max_input_tokens": 9}


@pytest.mark.proves("promise:langsmith-parameters")
def test_tracing_parameters_name_provider_model_and_stop_strings() -> None:
    """They come from the object, and from the call where it says more."""
    model = ChatHuggingChat(model=MODEL, stop=["a"])
    params = model._get_ls_params(stop=["b"], model="other")
    assert model._get_ls_params() == {
        "ls_provider": "huggingchat",
        "ls_model_type": "chat",
        "ls_model_name": MODEL,
        "ls_stop": ["a"],
    }
    assert params["ls_model_name"] == "other"
    assert params["ls_stop"] == ["a", "b"]


def test_identifying_parameters_are_what_changes_the_answer() -> None:
    """Two objects that are told apart by them may answer differently."""
    model = ChatHuggingChat(base_url=BASE_URL + "/", model=MODEL, cookies="hf-chat=1")
    assert model._identifying_params == {
        "model": MODEL,
        "base_url": BASE_URL,
        "tool_protocol": PROTOCOL,
    }
    assert model.asdict() == {**model._identifying_params, "_type": "huggingchat-chat"}
    assert model._llm_type == "huggingchat-chat"


def test_cache_gives_an_answer_to_the_same_call_only(sandbox: Sandbox) -> None:
    """Another model, in the call or in a copy, or a stop string is another question."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, cache=InMemoryCache())
    for _ in range(2):
        model.invoke("hi")
        model.invoke("hi", stop=["no such text"])
        model.invoke("hi", model="omni")
        model.model_copy(update={"model": OTHER_MODEL}).invoke("hi")
    assert len(sandbox.conversations) == 4


async def test_unknown_parameter_of_a_call_is_refused_before_anything_is_sent(
    model: ChatHuggingChat, sandbox: Sandbox, mode: str
) -> None:
    """A misspelt parameter is an error that names it, and the server hears nothing."""
    with pytest.raises(ConfigurationError, match="'temprature'"):
        await ask(model, mode, "hi", temprature=0.5)
    assert not sandbox.requests


@pytest.mark.parametrize("name", ["temperature", "max_tokens"])
def test_parameter_the_service_lacks_warns_once_by_name(sandbox: Sandbox, name: str) -> None:
    """Set on the object it warns when that is made, and calls say nothing more."""
    settings: dict[str, Any] = {"base_url": sandbox.base_url, "model": MODEL, name: 1}
    with pytest.warns(UserWarning, match=f"HuggingChat has no parameter '{name}'") as caught:
        model = ChatHuggingChat(**settings)
    assert len(caught) == 1
    assert model.invoke("hi").text


@pytest.mark.parametrize("name", ["temperature", "max_tokens"])
async def test_parameter_of_a_call_the_service_lacks_warns_once_by_name(
    model: ChatHuggingChat, mode: str, name: str
) -> None:
    """Given with a call, it warns once for that call, and the answer comes."""
    with pytest.warns(UserWarning, match=f"HuggingChat has no parameter '{name}'") as caught:
        assert (await ask(model, mode, "hi", **{name: 1})).text
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        pytest.param({"base_url": "huggingface.co/chat"}, "base_url", id="no scheme"),
        pytest.param({"base_url": "ftp://127.0.0.1"}, "base_url", id="not http"),
        pytest.param({"max_retries": -1}, "max_retries", id="negative retries"),
        pytest.param({"cookies": "secret-canary"}, "cookies", id="no pair"),
        pytest.param({"cookies": {"a": "secret-canary\r\nx: y"}}, "cookies", id="line end"),
        pytest.param({"cookies": {"a b": "secret-canary"}}, "cookies", id="bad name"),
        pytest.param({"proxy": "secret-canary"}, "proxy", id="no proxy address"),
        pytest.param({"proxy": "http://user:secret-canary"}, "proxy", id="no proxy host"),
        pytest.param({"timeout": {"total": -1}}, "total", id="negative clock"),
    ],
)
def test_setting_that_cannot_work_is_refused_by_name_and_without_its_value(
    settings: dict[str, Any], named: str
) -> None:
    """The object is not made, and a mistyped secret is not repeated in the message."""
    with pytest.raises(ValueError, match=named) as caught:
        ChatHuggingChat(**settings)
    assert "secret-canary" not in str(caught.value)
    assert "secret-canary" not in repr(caught.value)


@pytest.mark.parametrize("model_class", [ChatGradioSpace, ChatG4F])
def test_misspelt_setting_is_refused_by_every_class(model_class: Any) -> None:
    """Those of a service of one address are asked in the tests of faults."""
    with pytest.raises(ValueError, match="'baseurl': did you mean 'base_url'"):
        model_class(baseurl="http://intranet")
    with pytest.raises(ValueError, match="'endpoint': did you mean 'base_url'"):
        model_class(endpoint="http://intranet")


@pytest.mark.parametrize("seconds", [0, -1.0, float("inf"), float("nan")])
def test_timeout_that_is_no_time_is_refused(seconds: float) -> None:
    """Every clock is positive and finite."""
    with pytest.raises(ValueError, match=r"timeout|clock"):
        ChatHuggingChat(timeout=seconds)


def test_names_other_integrations_use_are_taken() -> None:
    """`model_name` and `stop_sequences` are the same as `model` and `stop`."""
    model = ChatHuggingChat(model_name=MODEL, stop_sequences="a")
    assert (model.model, model.stop) == (MODEL, ["a"])


def test_clocks_may_be_given_as_a_mapping() -> None:
    """A configuration file can name the clocks one by one."""
    model = ChatHuggingChat(timeout={"total": 7, "silence": 2})
    assert model.timeout == Clocks(total=7, silence=2)
