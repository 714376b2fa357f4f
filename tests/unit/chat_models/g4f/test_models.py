"""The attributes of a provider, its models, and chat models by name."""

from __future__ import annotations

import asyncio
import sys
from types import ModuleType
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from langchain_g4f import ChatFlowGpt, ChatG4F, ChatHuggingChat, g4f_chat_model
from langchain_g4f.errors import AuthenticationError, ConfigurationError, RateLimitError
from langchain_g4f.g4f_adapter.provider import Facts
from tests.g4f_standins import providers
from tests.g4f_standins.families import NEW
from tests.g4f_standins.providers import AsyncGeneratorProvider, Fail, StandIn, Thorough, scripted
from tests.g4f_standins.responses import ProviderInfo
from tests.unit.chat_models.g4f.conftest import Ask

HISTORY = [
    SystemMessage("Be brief."),
    HumanMessage("One?"),
    AIMessage("1", response_metadata={"finish_reason": "stop"}),
    HumanMessage("Two?"),
]


def model_of(**attributes: Any) -> ChatG4F:
    """A model whose provider has these."""
    return ChatG4F(provider=scripted(AsyncGeneratorProvider, "a", **attributes))


# -- attributes ------------------------------------------------------------------------------------


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


@pytest.mark.proves("g4f:1:working")
def test_provider_that_does_not_work_is_warned_of_and_used() -> None:
    """It says so itself; it may still answer."""
    with pytest.warns(UserWarning, match="Broken says of itself that it does not work"):
        model = model_of(working=False, name="Broken")
    assert model.invoke("hi").text == "a"


@pytest.mark.proves("g4f:1:needs-auth")
async def test_missing_login_says_what_to_give(ask: Ask) -> None:
    """Only where nothing was given, and only by a provider that wants it."""
    missing = Fail(NEW["MissingAuthError"]("no key"))
    wants = scripted(AsyncGeneratorProvider, missing, needs_auth=True)
    with pytest.raises(AuthenticationError, match="no key; it needs a login: give api_key="):
        await ask(ChatG4F(provider=wants))
    for provider, key in ((wants, "made-up"), (scripted(AsyncGeneratorProvider, missing), None)):
        with pytest.raises(AuthenticationError) as caught:
            await ask(ChatG4F(provider=provider, api_key=key))
        assert "give api_key" not in str(caught.value)


@pytest.mark.proves("g4f:1:supports-system-message", "g4f:1:messages")
async def test_system_text_goes_where_it_can(ask: Ask) -> None:
    """As a message of its own, or with the first message of the user."""
    takes, not_so = model_of(), model_of(supports_system_message=False)
    await ask(takes, HISTORY)
    await ask(not_so, HISTORY)
    assert takes.wrapped.calls[0].messages == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": "Two?"},
    ]
    said = [each["content"] for each in not_so.wrapped.calls[0].messages]
    assert said == ["Be brief.\n\nOne?", "1", "Two?"]


@pytest.mark.proves("g4f:1:use-stream-timeout", "g4f:8:timeouts")
def test_timeouts_are_told_by_the_names_that_are_there() -> None:
    """Both of a signature that has both, none of one that has none."""
    named, plain = scripted(Thorough, "a"), scripted(AsyncGeneratorProvider, "a")
    for provider in (named, plain):
        ChatG4F(provider=provider, timeout=7).invoke("hi")
    given = named.calls[0].given
    assert (given["timeout"], given["stream_timeout"]) == (7, 7)
    assert plain.calls[0].given == {}


@pytest.mark.proves("g4f:1:model-lists", "g4f:1:audio-models", "g4f:1:model-aliases")
@pytest.mark.parametrize("voices", [{"alloy": ["a"]}, ["alloy"], {"alloy"}])
def test_lists_of_models_are_read_in_all_their_forms(voices: Any) -> None:
    """Lists, dictionaries and None; a model of two lists is one."""
    lists: Any = {"models": ["a", "b"], "image_models": ["b", "paint"], "vision_models": ("see",)}
    aliases = {"x": "a", "y": ["a", "b"]}
    facts = Facts(
        scripted(StandIn, **lists, video_models=None, audio_models=voices, model_aliases=aliases)
    )
    assert facts.models == ["a", "b", "paint", "see", "alloy"]
    assert facts.aliases == {"x": ["a"], "y": ["a", "b"]}
    odd = Facts(scripted(StandIn, model_aliases=None, models="abc"))
    assert (odd.aliases, odd.models) == ({}, [])


@pytest.mark.proves("g4f:1:live", "g4f:3:last-model", "g4f:8:concurrency")
async def test_nothing_is_written_to_the_class(ask: Ask) -> None:
    """Who answered last is the model's own knowledge, and no other model's."""
    provider = scripted(AsyncGeneratorProvider, "a", live=3)
    before = {name: repr(each) for name, each in vars(provider).items() if name != "calls"}
    model, other = ChatG4F(provider=provider), ChatG4F(provider=provider)
    await ask(model, model="mine")
    model.get_models()
    after = {name: repr(each) for name, each in vars(provider).items() if name != "calls"}
    assert after | {"closed": "[]"} == before
    assert (model.last_model, other.last_model) == ("mine", "")


# -- models ----------------------------------------------------------------------------------------

ALIASES = {"large": "big", "any": ["small", "big"], "auto": "small"}


def lookup(name: str, proof: str, asked: str | None, found: str, **attributes: Any) -> Any:
    """A row of the table."""
    models = ["big", "small", "org/Nice-7B", "other/nice-7b", "x/free"]
    given = {"models": models, "model_aliases": ALIASES, "default_model": "big", **attributes}
    marks = pytest.mark.proves(f"g4f:3:{proof}")
    return pytest.param(asked, found, given, id=name, marks=marks)


@pytest.mark.parametrize(
    ("asked", "found", "attributes"),
    [
        lookup("nothing", "default", None, "big"),
        lookup("empty", "default", "", "big"),
        lookup("auto", "default", "auto", "big"),
        lookup("default is an alias", "default", None, "big", default_model="large"),
        lookup("no default", "no-default", None, "x/free", default_model=None),
        lookup("listed auto", "no-default", "", "auto", default_model="", models=["a", "auto"]),
        lookup("no default, no free one", "no-default", "", "", default_model="", models=["a"]),
        lookup("alias", "alias", "large", "big"),
        lookup("alias of several", "alias", "any", "small"),
        lookup("aliases are None", "alias", "large", "large", model_aliases=None),
        lookup("listed", "listed", "small", "small"),
        lookup("ending", "ending", "nice-7b", "org/Nice-7B"),
        lookup("unknown", "unknown", "who?", "who?"),
        lookup("no list", "unknown", "who?", "who?", models=[]),
    ],
)
@pytest.mark.proves("g4f:3:last-model")
def test_name_is_looked_up(asked: str | None, found: str, attributes: dict[str, Any]) -> None:
    """As the newer generation does, without a draw; an older provider's own lookup is not asked."""
    own = staticmethod(Fail(NEW["ModelNotSupportedError"]("no such model")).play)
    model = model_of(**attributes, get_model=own)
    assert model.get_model(asked) == found
    assert model.wrapped.default_model == attributes["default_model"]


def listing(found: Any, *, later: bool = False, **attributes: Any) -> ChatG4F:
    """A model whose provider lists these, and keeps what it was given."""
    asked: list[dict[str, Any]] = []

    def get_models(**given: Any) -> Any:
        asked.append(given)
        if isinstance(found, Exception):
            raise found
        return found

    async def get_models_later(**given: Any) -> Any:
        return get_models(**given)

    get = staticmethod(get_models_later if later else get_models)
    provider = scripted(AsyncGeneratorProvider, get_models=get, asked=asked, **attributes)
    return ChatG4F(provider=provider, api_key="made-up")


@pytest.mark.proves("g4f:3:get-models")
@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize(
    ("found", "wanted"),
    [(["a", "b"], ["a", "b"]), ({"a": 1}, ["a"]), ([], ["big"]), (None, ["big"])],
)
async def test_models_are_listed(found: Any, wanted: list[str], later: bool) -> None:
    """Sync or async, in and outside of a loop, and with what the caller is known by."""
    model = listing(found, default_model="big", later=later)
    assert model.get_models() == wanted
    assert await model.aget_models() == wanted
    assert await asyncio.to_thread(model.get_models) == wanted
    assert model.wrapped.asked == [{"api_key": "made-up"}] * 3


@pytest.mark.proves("g4f:3:get-models")
async def test_models_without_a_method_are_those_of_the_attributes() -> None:
    """And the default, if there are none."""
    assert model_of(models=["a"], image_models=["b"]).get_models() == ["a", "b"]
    assert model_of().get_models() == ["default"]
    assert await model_of(default_model="").aget_models() == []
    strict = scripted(AsyncGeneratorProvider, get_models=staticmethod(lambda: ["a"]))
    assert ChatG4F(provider=strict, api_key="made-up").get_models() == ["a"]


@pytest.mark.proves("g4f:3:get-models")
@pytest.mark.parametrize("later", [False, True])
async def test_service_that_does_not_list_is_an_error(later: bool) -> None:
    """Ours, with its own behind it."""
    failure = NEW["RateLimitError"]("Response 429: slow down")
    model = listing(failure, later=later)
    with pytest.raises(RateLimitError, match="slow down") as caught:
        model.get_models()
    assert caught.value.__cause__ is failure
    with pytest.raises(RateLimitError):
        await model.aget_models()


@pytest.mark.proves("g4f:3:name-passed", "g4f:3:last-model", "g4f:5:provider-info")
async def test_name_goes_out_as_given_and_metadata_say_who_answered(ask: Ask) -> None:
    """Aliases are the provider's to resolve."""
    info = ProviderInfo(name="Real", url="", label="Real", model="big-2")
    provider = scripted(AsyncGeneratorProvider, info, "a", model_aliases=ALIASES)
    model = ChatG4F(provider=provider, model="large")
    answer = await ask(model)
    assert provider.calls[0].model == "large"
    assert answer.response_metadata["model_name"] == model.last_model == "big-2"
    assert answer.response_metadata["provider"] == "Real"
    plain = model_of()
    assert (await ask(plain, model="m")).response_metadata["model_name"] == "m"
    assert plain.last_model == "m"


# -- chat models by name ---------------------------------------------------------------------------

SOME = scripted(AsyncGeneratorProvider, "a", name="Some")
WHERE = f"{providers.__name__}:Thorough"


@pytest.mark.proves("g4f:9:by-name")
@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("Some", {}, (SOME, None)),
        ("Some:big", {}, (SOME, "big")),
        ("Some:org/big:free", {}, (SOME, "org/big:free")),
        (WHERE, {}, (Thorough, None)),
        (f"{WHERE}:big", {}, (Thorough, "big")),
        (f"{WHERE}:a:b", {}, (Thorough, "a:b")),
        (WHERE, {"model": "big"}, (Thorough, "big")),
        (f"{WHERE}:small", {"model": "big"}, (Thorough, "big")),
    ],
)
@pytest.mark.parametrize("form", ["mapping", "module", "imported"])
def test_provider_is_found_by_its_name(
    form: str, name: str, given: Any, wanted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a mapping, a module or an imported g4f, or as `module:Name:model`; ``model=`` wins."""
    module = ModuleType("g4f.Provider")
    module.__dict__.update(Some=SOME, other=7)
    monkeypatch.setitem(sys.modules, "g4f.Provider", module)
    forms: dict[str, Any] = {"mapping": {"Some": SOME}, "module": module, "imported": None}
    found = g4f_chat_model(name, providers=forms[form], run_in_thread=True, **given)
    assert isinstance(found, ChatG4F)
    assert (found.wrapped, found.model) == wanted
    assert found.run_in_thread


@pytest.mark.parametrize("given", [None, {}, {"Some": SOME}, object()])
def test_name_that_nothing_has_is_refused_with_those_there_are(given: Any) -> None:
    """Ours, and the classes that can answer."""
    said = "no provider 'Other'; there are: huggingchat,"
    with pytest.raises(ConfigurationError, match=said) as caught:
        g4f_chat_model("Other:model", providers=given)
    assert ("Some" in str(caught.value)) is (given == {"Some": SOME})


@pytest.mark.proves("g4f:1:identity")
def test_identity_is_read() -> None:
    """Name, label and address; of an instance the name of its class."""
    provider = scripted(StandIn, label="Some Chat", url="https://chat.example", name="Some")
    facts = Facts(provider)
    assert (facts.name, facts.label, facts.url) == ("Some", "Some Chat", "https://chat.example")
    assert Facts(provider()).name == "Some"
    assert Facts(scripted(StandIn, label=None, name="Some")).label == "Some"


@pytest.mark.proves("g4f:1:supports-message-history", "g4f:6:format-prompt")
async def test_history_is_one_prompt_where_none_is_taken(ask: Ask) -> None:
    """A single message stays as it is; of several each is told with its role."""
    model = model_of(supports_message_history=False)
    await ask(model, "One?")
    await ask(model, HISTORY)
    alone, flat = (call.messages for call in model.wrapped.calls)
    assert alone == [{"role": "user", "content": "One?"}]
    assert [each["role"] for each in flat] == ["user"]
    places = [flat[0]["content"].index(part) for part in ("Be brief.", "One?", "1", "Two?")]
    assert places == sorted(places)


@pytest.mark.proves("g4f:1:default-models")
async def test_default_models_are_asked(ask: Ask) -> None:
    """That for pictures if there is one in the question; a named one always."""
    provider = scripted(Thorough, "a", default_model="plain", default_vision_model="seeing")
    model = ChatG4F(provider=provider)
    png = [(b"\x89PNG\r\n\x1a\n", "x.png")]
    await ask(model)
    await ask(model, media=png)
    await ask(model, media=png, model="mine")
    assert [call.model for call in provider.calls] == ["plain", "seeing", "mine"]


@pytest.mark.proves("g4f:9:by-name")
def test_our_own_services_are_found_by_their_names() -> None:
    """They come before classes of that name."""
    assert isinstance(g4f_chat_model("flowgpt:gemini", providers={"flowgpt": SOME}), ChatFlowGpt)
    assert isinstance(g4f_chat_model("huggingchat"), ChatHuggingChat)
