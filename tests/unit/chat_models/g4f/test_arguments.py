"""What a provider is called with, and what is said of what it may ignore."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_g4f import ChatG4F
from langchain_g4f.errors import ConfigurationError
from tests.g4f_standins.providers_new import AsyncGeneratorProvider, StandIn, Thorough, scripted
from tests.g4f_standins.script import Call
from tests.unit.chat_models.ways import WAYS, ask

IMAGE_PARAMETERS = {
    "aspect_ratio": "16:9",
    "width": 64,
    "height": 32,
    "n": 2,
    "seed": 7,
}
CHAT_PARAMETERS = {
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 5,
    "max_tokens": 9,
    "reasoning_effort": "low",
    "web_search": True,
}


@pytest.mark.proves("g4f:9:image-generation", "g4f:6:media-prompt")
@pytest.mark.parametrize("where", ["field", "call"])
@pytest.mark.parametrize("way", WAYS)
async def test_parameters_reach_a_provider_that_names_them(way: str, where: str) -> None:
    """As fields or as arguments of a call, without a word of warning."""
    provider = scripted(Thorough, "a")
    wanted: dict[str, Any] = {**IMAGE_PARAMETERS, **CHAT_PARAMETERS}
    if where == "field":
        await ask(ChatG4F(provider=provider, **wanted), way, "hi")
    else:
        await ask(ChatG4F(provider=provider), way, "hi", prompt="a cat", **wanted)
        wanted["prompt"] = "a cat"
    given = provider.calls[0].given
    assert {name: given.get(name) for name in wanted} == wanted
    assert given["stream"] is given["return_conversation"] is True


@pytest.mark.proves("g4f:1:none-not-sent")
@pytest.mark.parametrize("way", WAYS)
async def test_nothing_is_sent_that_was_not_given(way: str) -> None:
    """No key has None for its value."""
    provider = scripted(AsyncGeneratorProvider, "a")
    await ask(ChatG4F(provider=provider, temperature=None), way, "hi", seed=None)
    assert provider.calls[0].given == {}


@pytest.mark.proves("g4f:1:ignored-parameters")
@pytest.mark.parametrize("way", WAYS)
async def test_parameter_that_may_be_ignored_is_sent_and_warned_of_once(way: str) -> None:
    """A provider takes anything and does not say what it does with it."""
    provider = scripted(AsyncGeneratorProvider, "a", name="Vague")
    model = ChatG4F(provider=provider, max_tokens=5)
    with pytest.warns(UserWarning, match="Vague may ignore the parameter 'max_tokens'"):
        await ask(model, way, "hi")
    await ask(model, way, "hi")
    assert [call.given for call in provider.calls] == [{"max_tokens": 5}] * 2


@pytest.mark.proves("g4f:1:strict-signature")
@pytest.mark.parametrize("way", WAYS)
async def test_parameter_that_cannot_be_taken_is_dropped_and_warned_of_once(way: str) -> None:
    """The call would fail otherwise."""
    provider = scripted(Thorough, "a", name="Strict")
    model = ChatG4F(provider=provider, guidance_scale=2.0, provider_kwargs={"odd": 1})
    with pytest.warns(UserWarning, match="Strict has no parameter") as caught:
        await ask(model, way, "hi", special=1)
    assert sorted(str(each.message) for each in caught) == [
        f"Strict has no parameter {name!r}" for name in ("guidance_scale", "odd", "special")
    ]
    await ask(model, way, "hi", special=1)
    assert not {"guidance_scale", "odd", "special"} & set(provider.calls[1].given)


def test_what_is_meant_for_the_way_there_is_not_warned_of() -> None:
    """Credentials and clocks change nothing of what an answer says."""
    provider = scripted(AsyncGeneratorProvider, "a")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ChatG4F(
            provider=provider,
            api_key="made-up",
            api_base="https://api.example/v1",
            cookies="a=1; b=2",
            proxy="http://proxy.example:3128",
        ).invoke("hi")
    assert provider.calls[0].given == {
        "api_key": "made-up",
        "api_base": "https://api.example/v1",
        "cookies": {"a": "1", "b": "2"},
        "proxy": "http://proxy.example:3128",
    }


def test_address_has_the_name_that_the_provider_has_for_it() -> None:
    """`base_url` or `api_base`."""
    provider = scripted(Thorough, "a")
    ChatG4F(provider=provider, base_url="https://api.example/v1/").invoke("hi")
    assert provider.calls[0].given["base_url"] == "https://api.example/v1"


@pytest.mark.parametrize("way", WAYS)
async def test_call_wins_over_provider_kwargs_and_these_over_fields(way: str) -> None:
    """The nearer to the call, the stronger."""
    provider = scripted(Thorough, "a")
    model = ChatG4F(
        provider=provider, seed=1, n=1, provider_kwargs={"seed": 2, "headers": {"a": "b"}}
    )
    await ask(model, way, "hi", headers={"c": "d"})
    given = provider.calls[0].given
    assert (given["seed"], given["n"], given["headers"]) == (2, 1, {"c": "d"})


@pytest.mark.parametrize("setting", ["impersonate", "from_browser"])
def test_setting_for_our_own_services_is_warned_of(setting: str) -> None:
    """A provider does its own I/O."""
    settings: Any = {setting: "chrome"}
    with pytest.warns(UserWarning, match=f"{setting!r} is for chat models of this package"):
        ChatG4F(provider=scripted(StandIn, create_async=print), **settings)


class Mutating(StandIn):
    """Changes whatever it is given, as tool runners do."""

    seen: ClassVar[list[Call]] = []

    @classmethod
    async def create_async_generator(
        cls, model: str, messages: list[dict[str, Any]], **kwargs: Any
    ) -> AsyncIterator[str]:
        conversation = kwargs.get("conversation")
        cls.noted(model, [dict(each) for each in messages], {})
        for message in messages:
            message["content"] = "changed"
        messages.clear()
        if conversation is not None:
            conversation.models["m"]["id"] = "changed"
        yield "a"


@pytest.mark.proves("g4f:1:messages-copied")
@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("ignore:.* may ignore")
async def test_provider_that_changes_what_it_is_given_changes_nothing_of_ours(
    way: str, native: bool
) -> None:
    """Neither messages nor a handle, be it a field, an argument or an answer."""
    provider = scripted(Mutating, supports_native_tools=native)
    handle = {"models": {"m": {"id": "1"}}}
    answer = AIMessage("1", response_metadata={"conversation": handle, "finish_reason": "stop"})
    messages = [HumanMessage("One?"), answer, HumanMessage("Two?")]
    model = ChatG4F(provider=provider, conversation=handle)
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    for given in ({}, {"conversation": answer}, {"conversation": handle}):
        await ask(model, way, messages, **given, **({"tools": [tool]} if native else {}))
    assert [message.text for message in messages] == ["One?", "1", "Two?"]
    assert handle == {"models": {"m": {"id": "1"}}}
    assert [[each["content"] for each in call.messages] for call in provider.calls] == [
        ["Two?"]
    ] * 3


@pytest.mark.proves("g4f:1:messages")
@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("way", WAYS)
async def test_names_of_messages_are_kept(way: str, native: bool) -> None:
    """A caller who tells several speakers apart is understood."""
    provider = scripted(Thorough, "a", supports_native_tools=native)
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}] if native else None
    await ask(ChatG4F(provider=provider), way, [HumanMessage("hi", name="ada")], tools=tools)
    assert provider.calls[0].messages == [{"role": "user", "content": "hi", "name": "ada"}]


@pytest.mark.proves("g4f:8:conversation-handle")
@pytest.mark.parametrize("way", WAYS)
async def test_handle_is_an_object_with_attributes(way: str) -> None:
    """A dictionary, an answer or an object of others: all give the same."""
    provider = scripted(Thorough, "a")
    handle = {"id": "7", "models": {"m": 1}}
    answer = AIMessage("x", response_metadata={"conversation": handle})

    class Theirs:
        def get_dict(self) -> dict[str, Any]:
            return dict(handle)

    model = ChatG4F(provider=provider)
    handles: list[Any] = [handle, answer, Theirs(), None, {}, AIMessage("none in it")]
    for given in handles:
        await ask(model, way, "hi", conversation=given)
    found = [call.given.get("conversation") for call in provider.calls]
    assert [each.id for each in found[:3]] == ["7"] * 3
    assert [each.get_dict() for each in found[:3]] == [handle] * 3
    assert found[3:] == [None] * 3
    assert repr(found[0]) == "<Conversation ['id', 'models']>"


@pytest.mark.parametrize("way", WAYS)
async def test_handle_that_is_none_is_refused(way: str) -> None:
    """By the type of what was given."""
    provider = scripted(Thorough, "a")
    with pytest.raises(ConfigurationError, match="conversation: expected a handle or an answer"):
        await ask(ChatG4F(provider=provider), way, "hi", conversation="7")
    assert provider.calls == []
