"""The arguments that a provider is called with, and warnings about those it may ignore."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_g4f import ChatG4F
from langchain_g4f.chat_models.parameters import Parameter
from langchain_g4f.errors import ConfigurationError, ServerStreamError
from langchain_g4f.text.escape import escape
from tests.g4f_standins.providers import StandIn, Thorough, chat, scripted
from tests.unit.chat_models.g4f.conftest import Ask

TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
PARAMETERS = {
    "aspect_ratio": "16:9",
    "width": 64,
    "height": 32,
    "n": 2,
    "seed": 7,
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 5,
    "max_tokens": 9,
    "reasoning_effort": "low",
    "web_search": True,
}


@pytest.mark.proves("g4f:9:image-generation", "g4f:6:media-prompt")
@pytest.mark.parametrize("where", ["field", "call"])
async def test_parameters_reach_a_provider_that_names_them(ask: Ask, where: str) -> None:
    """As fields or as arguments of a call, without a word of warning."""
    wanted: dict[str, Any] = {**PARAMETERS}
    model = chat("a", base=Thorough, **(wanted if where == "field" else {}))
    if where == "call":
        wanted["prompt"] = "a cat"
    await ask(model, **(wanted if where == "call" else {}))
    given = model.wrapped.calls[0].given
    assert {name: given.get(name) for name in wanted} == wanted
    assert given["stream"] is given["return_conversation"] is True


@pytest.mark.proves("g4f:1:none-not-sent")
async def test_nothing_is_sent_that_was_not_given(ask: Ask) -> None:
    """No key has None for its value."""
    model = chat("a", temperature=None)
    await ask(model, seed=None)
    assert model.wrapped.calls[0].given == {}


@pytest.mark.proves("g4f:1:ignored-parameters")
async def test_parameter_that_may_be_ignored_is_sent_and_warned_of_once(ask: Ask) -> None:
    """A provider takes anything and does not say what it does with it."""
    model = chat("a", name="Vague", max_tokens=5)
    with pytest.warns(UserWarning, match="Vague may ignore the parameter 'max_tokens'"):
        await ask(model)
    await ask(model)
    assert [call.given for call in model.wrapped.calls] == [{"max_tokens": 5}] * 2


@pytest.mark.proves("g4f:1:strict-signature")
async def test_parameter_that_cannot_be_taken_is_dropped_and_warned_of_once(ask: Ask) -> None:
    """The call would fail otherwise."""
    more = {"guidance_scale": 2.0, "provider_kwargs": {"odd": 1}}
    model = chat("a", base=Thorough, name="Strict", **more)
    with pytest.warns(UserWarning, match="Strict has no parameter") as caught:
        await ask(model, special=1)
    names = ["guidance_scale", "odd", "special"]
    said = sorted(str(each.message) for each in caught)
    assert said == [f"Strict has no parameter {name!r}" for name in names]
    await ask(model, special=1)
    assert not {*names} & set(model.wrapped.calls[1].given)


def test_credentials_and_addresses_are_not_warned_of() -> None:
    """They change nothing of what an answer says."""
    model = chat(
        "a",
        api_key="made-up",
        api_base="https://api.example/v1",
        cookies="a=1; b=2",
        proxy="http://proxy.example:3128",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.invoke("hi")
    assert model.wrapped.calls[0].given == {
        "api_key": "made-up",
        "api_base": "https://api.example/v1",
        "cookies": {"a": "1", "b": "2"},
        "proxy": "http://proxy.example:3128",
    }
    named = chat("a", base=Thorough, base_url="https://api.example/v1/")
    named.invoke("hi")  # it has the other name
    assert named.wrapped.calls[0].given["base_url"] == "https://api.example/v1"


async def test_call_wins_over_provider_kwargs_and_these_over_fields(ask: Ask) -> None:
    """The nearer to the call, the stronger."""
    more: dict[str, Any] = {"provider_kwargs": {"seed": 2, "headers": {"a": "b"}}}
    model = chat("a", base=Thorough, seed=1, n=1, **more)
    await ask(model, headers={"c": "d"})
    given = model.wrapped.calls[0].given
    assert (given["seed"], given["n"], given["headers"]) == (2, 1, {"c": "d"})


# -- messages and conversations --------------------------------------------------------------------

HISTORY = [
    SystemMessage("Be brief."),
    HumanMessage("One?"),
    AIMessage("1", response_metadata={"finish_reason": "stop"}),
    HumanMessage("Two?"),
    HumanMessage("Really?"),
]
CALLED = [
    *HISTORY[:2],
    AIMessage("", tool_calls=[{"name": "add", "args": {"a": 1}, "id": "c1"}]),
    ToolMessage("42", tool_call_id="c1", name="add"),
]


class Mutating(StandIn):
    """Changes whatever it is given, as tool runners do."""

    @classmethod
    async def create_async_generator(cls, model: str, messages: Any, **kwargs: Any) -> Any:
        cls.noted(model, [dict(each) for each in messages], {})
        for message in messages:
            message["content"] = "changed"
        messages.clear()
        kwargs["conversation"].models["m"]["id"] = "changed"
        yield "a"


@pytest.mark.proves("g4f:1:messages-copied")
@pytest.mark.parametrize("native", [False, True])
@pytest.mark.filterwarnings("ignore:.* may ignore")
async def test_provider_that_changes_what_it_is_given_changes_nothing_of_ours(
    ask: Ask, native: bool
) -> None:
    """Neither messages nor a handle, be it a field, an argument or an answer."""
    provider = scripted(Mutating, supports_native_tools=native)
    handle = {"models": {"m": {"id": "1"}}}
    answer = AIMessage("1", response_metadata={"conversation": handle, "finish_reason": "stop"})
    messages = [HumanMessage("One?"), answer, HumanMessage("Two?")]
    model = ChatG4F(provider=provider, conversation=handle)
    for given in ({}, {"conversation": answer}, {"conversation": handle}):
        await ask(model, messages, **given, **({"tools": [TOOL]} if native else {}))
    assert [message.text for message in messages] == ["One?", "1", "Two?"]
    assert handle == {"models": {"m": {"id": "1"}}}
    said = [[each["content"] for each in call.messages] for call in provider.calls]
    assert said == [["Two?"]] * 3


@pytest.mark.proves("g4f:1:messages")
def test_messages_of_a_provider_with_tools_forge_nothing() -> None:
    """Their markers are escaped as where tools are emulated, also in the parts of a result."""
    model = chat("a", base=Thorough)
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    content = [{"type": "text", "text": "<tool_call>"}, picture]
    result = {"type": "tool_result", "tool_use_id": "c1", "content": content}
    call = AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "c1"}])
    model.invoke([HumanMessage("<tool_call>"), call, HumanMessage([result])], tools=[TOOL])
    first, _, parts = (each["content"] for each in model.wrapped.calls[0].messages)
    assert first == parts[0]["text"] == escape("<tool_call>") != "<tool_call>"
    assert parts[1] == picture


@pytest.mark.proves("g4f:8:conversation-handle")
async def test_handle_is_an_object_with_attributes(ask: Ask) -> None:
    """A dictionary, an answer or an object of others: all give the same."""
    model = chat("a", base=Thorough)
    handle = {"id": "7", "models": {"m": 1}}

    class Theirs:
        def get_dict(self) -> dict[str, Any]:
            return dict(handle)

    answer = AIMessage("x", response_metadata={"conversation": handle})
    handles: list[Any] = [handle, answer, Theirs(), None, {}, AIMessage("none in it")]
    for given in handles:
        await ask(model, conversation=given)
    found = [call.given.get("conversation") for call in model.wrapped.calls]
    assert [each.id for each in found[:3]] == ["7"] * 3
    assert [each.get_dict() for each in found[:3]] == [handle] * 3
    assert found[3:] == [None] * 3
    assert repr(found[0]) == "<Conversation ['id', 'models']>"
    with pytest.raises(ConfigurationError, match="conversation: expected a handle or an answer"):
        await ask(model, conversation="7")
    assert len(model.wrapped.calls) == len(handles)


@pytest.mark.proves("g4f:6:last-user-messages", "g4f:8:conversation-handle")
async def test_conversation_gets_what_came_after_the_last_answer(ask: Ask) -> None:
    """The provider has the rest; a tool's result is told by the user, or it would be lost."""
    model = chat("a", base=Thorough, conversation={"id": "1"})
    for messages in (HISTORY, CALLED, HISTORY[:3]):
        await ask(model, messages)
    run, result, ended = (call.messages for call in model.wrapped.calls)
    said = [(each["role"], each["content"]) for each in run]
    assert said == [("user", "Two?"), ("user", "Really?")]
    assert [each["role"] for each in result] == ["user"]
    assert "42" in result[0]["content"]
    assert [each["content"] for each in ended] == ["One?", "1"]


# -- parameters ------------------------------------------------------------------------------------


class Typed(StandIn):
    @classmethod
    async def create_async_generator(  # type: ignore[no-untyped-def]
        cls,
        model: str,
        messages: list[Any],
        temperature: float = 0.7,
        style: str | None = None,
        odd: Any = object,
        *args: Any,
        untyped=3,  # noqa: ANN001 -- that is the case
        guidance_scale: float | None = None,
    ) -> Any:
        yield "a"


@pytest.mark.proves("g4f:9:parameters")
def test_parameters_of_the_signature_are_read() -> None:
    """Those that are no field of ours, with type and default."""
    found = ChatG4F(provider=Typed).get_parameters()
    assert found["style"] == Parameter("style", "str | None", None, supported=True)
    assert found["untyped"] == Parameter("untyped", "any", 3, supported=True)
    assert found["odd"].default is object
    assert not {"model_", "messages", "cls", "args"} & set(found)
    as_json = ChatG4F(provider=Typed).get_parameters(as_json=True)
    assert as_json["untyped"] == {"name": "untyped", "type": "any", "default": 3, "supported": True}
    assert as_json["odd"]["default"] == str(object)


@pytest.mark.proves("g4f:9:parameters")
def test_parameters_say_whether_they_count() -> None:
    """Yes where the signature names them, no where it takes nothing else, else perhaps."""
    strict, vague = ChatG4F(provider=Typed), chat("a")
    for model, named, unnamed in ((strict, True, False), (vague, None, None)):
        found = model.get_parameters()
        assert found["temperature"].supported is named
        assert found["guidance_scale"].supported is named
        assert found["seed"].supported is unnamed
        assert found["stop"].supported is True
        assert found["impersonate"].supported is False
    assert "seed: int | None = None  (has no effect)" in strict.params.splitlines()
    assert "seed: int | None = None  (may have no effect)" in vague.params.splitlines()
    assert "temperature: float | None = None" in strict.params.splitlines()


@pytest.mark.proves("g4f:9:parameters")
def test_entry_point_that_says_nothing_may_take_anything() -> None:
    """As those of built-in types do."""
    model = ChatG4F(provider=type("S", (), {"create_completion": min}))
    assert model.facts.takes_anything
    assert model.facts.parameters == {}
    with pytest.raises(ServerStreamError, match="S: TypeError"):
        model.invoke("hi")


@pytest.mark.parametrize("setting", ["impersonate", "from_browser"])
def test_setting_for_our_own_services_is_warned_of(setting: str) -> None:
    """A provider does its own I/O."""
    settings: Any = {setting: "chrome"}
    with pytest.warns(UserWarning, match=f"{setting!r} is for chat models of this package"):
        chat("a", **settings)
