"""What a provider says of itself, and what follows from it."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from langchain_g4f import ChatG4F
from langchain_g4f.g4f_adapter.provider import Facts
from langchain_g4f.errors import AuthenticationError
from tests.g4f_standins import errors
from tests.g4f_standins.providers_new import AsyncGeneratorProvider, StandIn, Thorough, scripted
from tests.g4f_standins.script import Fail
from tests.unit_tests.chat_models.ways import WAYS, ask

HISTORY = [
    SystemMessage("Be brief."),
    HumanMessage("One?"),
    AIMessage("1", response_metadata={"finish_reason": "stop"}),
    HumanMessage("Two?"),
]


class Bare:
    """Has an entry point and nothing else."""

    @staticmethod
    async def create_async(model: str, messages: Any) -> str:
        return f"{model!r} {[each['role'] for each in messages]}"


@pytest.mark.proves("g4f:1:missing-attributes")
async def test_provider_without_any_attribute_answers() -> None:
    """All that is read has a default: no system messages, no history, no model."""
    model = ChatG4F(provider=Bare)
    assert (await model.ainvoke(HISTORY)).text == "'' ['user']"
    facts = model.facts
    assert (facts.name, facts.label, facts.url) == ("Bare", "Bare", "")
    assert facts.working
    assert not any((facts.needs_auth, facts.has_tools, facts.takes_media, facts.takes_anything))
    assert (facts.models, facts.aliases, facts.default_model) == ([], {}, "")


@pytest.mark.proves("g4f:1:identity")
def test_identity_is_read() -> None:
    """Name, label and address; of an instance the name of its class."""
    provider = scripted(StandIn, label="Some Chat", url="https://chat.example", name="Some")
    facts = Facts(provider)
    assert (facts.name, facts.label, facts.url) == ("Some", "Some Chat", "https://chat.example")
    assert Facts(provider()).name == "Some"
    assert Facts(scripted(StandIn, label=None, name="Some")).label == "Some"


@pytest.mark.proves("g4f:1:working")
def test_provider_that_does_not_work_is_warned_of_and_used() -> None:
    """It says so itself; it may still answer."""
    provider = scripted(AsyncGeneratorProvider, "all the same", working=False, name="Broken")
    with pytest.warns(UserWarning, match="Broken says of itself that it does not work"):
        model = ChatG4F(provider=provider)
    assert model.invoke("hi").text == "all the same"


@pytest.mark.proves("g4f:1:needs-auth")
@pytest.mark.parametrize("way", WAYS)
async def test_missing_login_says_what_to_give(way: str) -> None:
    """Only where nothing was given, and only by a provider that wants it."""
    missing = Fail(errors.NEW["MissingAuthError"]("no key"))
    wants = scripted(AsyncGeneratorProvider, missing, needs_auth=True)
    with pytest.raises(AuthenticationError, match="no key; it needs a login: give api_key="):
        await ask(ChatG4F(provider=wants), way, "hi")
    for provider, key in ((wants, "made-up"), (scripted(AsyncGeneratorProvider, missing), None)):
        with pytest.raises(AuthenticationError) as caught:
            await ask(ChatG4F(provider=provider, api_key=key), way, "hi")
        assert "give api_key" not in str(caught.value)


@pytest.mark.proves("g4f:1:supports-stream")
async def test_provider_that_does_not_stream_gives_one_chunk() -> None:
    """And the chunk that ends the answer."""
    provider = scripted(AsyncGeneratorProvider, "all of it", supports_stream=False)
    texts = [chunk.text async for chunk in ChatG4F(provider=provider).astream("hi")]
    assert texts == ["all of it", ""]


@pytest.mark.proves("g4f:1:supports-system-message", "g4f:1:messages")
@pytest.mark.parametrize("way", WAYS)
async def test_system_text_goes_where_it_can(way: str) -> None:
    """As a message of its own, or with what the user said first."""
    takes = scripted(AsyncGeneratorProvider, "a")
    await ask(ChatG4F(provider=takes), way, HISTORY)
    assert takes.calls[0].messages == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": "Two?"},
    ]
    not_so = scripted(AsyncGeneratorProvider, "a", supports_system_message=False)
    await ask(ChatG4F(provider=not_so), way, HISTORY)
    assert [each["content"] for each in not_so.calls[0].messages] == [
        "Be brief.\n\nOne?",
        "1",
        "Two?",
    ]


@pytest.mark.proves("g4f:1:supports-message-history", "g4f:6:format-prompt")
@pytest.mark.parametrize("way", WAYS)
async def test_history_is_one_prompt_where_none_is_taken(way: str) -> None:
    """A single message stays as it is; of several each is told with its role."""
    provider = scripted(AsyncGeneratorProvider, "a", supports_message_history=False)
    model = ChatG4F(provider=provider)
    await ask(model, way, "One?")
    await ask(model, way, HISTORY)
    alone, flat = (call.messages for call in provider.calls)
    assert alone == [{"role": "user", "content": "One?"}]
    assert [each["role"] for each in flat] == ["user"]
    said = flat[0]["content"]
    assert [said.index(part) for part in ("Be brief.", "One?", "1", "Two?")] == sorted(
        said.index(part) for part in ("Be brief.", "One?", "1", "Two?")
    )


@pytest.mark.proves("g4f:1:use-stream-timeout", "g4f:8:timeouts")
def test_timeouts_are_told_by_the_names_that_are_there() -> None:
    """Both of a signature that has both, none of one that has none."""
    named, plain = scripted(Thorough, "a"), scripted(AsyncGeneratorProvider, "a")
    for provider in (named, plain):
        ChatG4F(provider=provider, timeout=7).invoke("hi")
    given = named.calls[0].given
    assert (given["timeout"], given["stream_timeout"]) == (7, 7)
    assert plain.calls[0].given == {}


@pytest.mark.proves("g4f:1:default-models")
@pytest.mark.parametrize("way", WAYS)
async def test_default_models_are_asked(way: str) -> None:
    """That for pictures if there is one in the question; a named one always."""
    provider = scripted(Thorough, "a", default_model="plain", default_vision_model="seeing")
    model = ChatG4F(provider=provider)
    png = [(b"\x89PNG\r\n\x1a\n", "x.png")]
    await ask(model, way, "hi")
    await ask(model, way, "hi", media=png)
    await ask(model, way, "hi", media=png, model="mine")
    assert [call.model for call in provider.calls] == ["plain", "seeing", "mine"]


@pytest.mark.proves("g4f:1:model-lists", "g4f:1:audio-models", "g4f:1:model-aliases")
@pytest.mark.parametrize("voices", [{"alloy": ["a"]}, ["alloy"], {"alloy"}])
def test_lists_of_models_are_read_in_all_their_forms(voices: Any) -> None:
    """Lists, dictionaries and None; a model of two lists is one."""
    provider = scripted(
        StandIn,
        models=["a", "b"],
        image_models=["b", "paint"],
        vision_models=("see",),
        video_models=None,
        audio_models=voices,
        model_aliases={"x": "a", "y": ["a", "b"]},
    )
    facts = Facts(provider)
    assert facts.models == ["a", "b", "paint", "see", "alloy"]
    assert facts.aliases == {"x": ["a"], "y": ["a", "b"]}
    assert Facts(scripted(StandIn, model_aliases=None, models="abc")).aliases == {}


@pytest.mark.proves("g4f:1:live", "g4f:3:last-model", "g4f:8:concurrency")
@pytest.mark.parametrize("way", WAYS)
async def test_nothing_is_written_to_the_class(way: str) -> None:
    """Who answered last is the model's own knowledge, and no other model's."""
    provider = scripted(AsyncGeneratorProvider, "a", live=3)
    before = {name: repr(each) for name, each in vars(provider).items() if name != "calls"}
    model, other = ChatG4F(provider=provider), ChatG4F(provider=provider)
    await ask(model, way, "hi", model="mine")
    model.get_models()
    after = {name: repr(each) for name, each in vars(provider).items() if name != "calls"}
    assert after | {"closed": "[]"} == before
    assert (model.last_model, other.last_model) == ("mine", "")
