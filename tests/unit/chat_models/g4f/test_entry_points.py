"""Where a provider is asked, and what is done with what comes of it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from pydantic import ValidationError

from langchain_g4f import ChatG4F, ConfigurationError
from tests.g4f_standins import authed, providers_new, providers_old
from tests.g4f_standins.providers_new import StandIn, scripted
from tests.g4f_standins.script import Do
from tests.unit.chat_models.ways import WAYS, ask

WORDS = ("How ", "are ", "you?")

KINDS = [
    pytest.param(
        providers_new.AsyncGeneratorProvider,
        id="async generator, new",
        marks=pytest.mark.proves("g4f:1:async-generator-provider", "g4f:8:astream"),
    ),
    pytest.param(
        providers_old.AsyncGeneratorProvider,
        id="async generator, old",
        marks=pytest.mark.proves(
            "g4f:1:create-async-generator", "g4f:1:pickers", "g4f:1:lookup-order"
        ),
    ),
    pytest.param(
        providers_new.AsyncProvider,
        id="async",
        marks=pytest.mark.proves("g4f:1:async-provider", "g4f:1:create-async"),
    ),
    pytest.param(
        providers_old.AbstractProvider,
        id="sync with wrapper",
        marks=pytest.mark.proves(
            "g4f:1:abstract-provider",
            "g4f:1:create-completion",
            "g4f:1:lookup-order",
            "g4f:8:stream",
        ),
    ),
    pytest.param(
        providers_old.OwnAsync,
        id="async that inherits sync",
        marks=pytest.mark.proves("g4f:1:create-async", "g4f:1:lookup-order"),
    ),
    pytest.param(
        providers_new.CoroutineOfGenerator,
        id="awaitable generator",
        marks=pytest.mark.proves("g4f:1:decided-by-result"),
    ),
    pytest.param(providers_new.Thorough, id="strict signature"),
    pytest.param(
        providers_old.BlockingGenerator,
        id="blocking generator",
        marks=pytest.mark.proves("g4f:1:blocking-generator"),
    ),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("given", ["class", "instance", "name"])
@pytest.mark.parametrize("base", KINDS)
@pytest.mark.proves("g4f:8:aggregated")
async def test_provider_of_any_kind_answers(base: Any, given: str, way: str) -> None:
    """Be it a class, an instance or a name, async or not, in the loop or in a thread."""
    provider = scripted(base, *WORDS)
    where: Any = {"class": provider, "instance": provider(), "name": f"{__name__}:here"}[given]
    globals()["here"] = provider
    in_thread = base is providers_old.BlockingGenerator
    model = ChatG4F(provider=where, model="m", run_in_thread=in_thread)
    answer = await ask(model, way, "hi")
    assert answer.text == "How are you?"
    assert answer.response_metadata["model_name"] == "m"
    assert answer.response_metadata["finish_reason"] == "stop"
    (call,) = provider.calls
    assert call.model == "m"
    assert call.messages == [{"role": "user", "content": "hi"}]
    assert provider.closed == ["closed"]


@pytest.mark.proves("g4f:8:astream", "g4f:8:stream")
@pytest.mark.parametrize("way", ["stream", "astream"])
@pytest.mark.parametrize(
    "base", [providers_new.AsyncGeneratorProvider, providers_old.AbstractProvider]
)
async def test_each_delta_is_a_chunk(base: Any, way: str) -> None:
    """Nothing is collected first, and the last chunk is the end alone."""
    model = ChatG4F(provider=scripted(base, *WORDS))
    if way == "stream":
        texts = [chunk.text for chunk in model.stream("hi")]
    else:
        texts = [chunk.text async for chunk in model.astream("hi")]
    assert texts == [*WORDS, ""]


@pytest.mark.proves("g4f:1:lookup-order")
@pytest.mark.parametrize("way", WAYS)
async def test_entry_point_of_an_instance_is_nearer_than_those_of_its_class(way: str) -> None:
    """As where a program puts a function of its own on a provider."""
    provider = scripted(providers_new.AsyncGeneratorProvider, "the class's")()
    provider.create_completion = lambda model, messages, **_: iter(["its ", "own"])
    assert (await ask(ChatG4F(provider=provider), way, "hi")).text == "its own"


@pytest.mark.proves("g4f:1:supports-stream", "g4f:1:create-completion")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("streams", [True, False])
async def test_iterator_is_told_to_stream_where_it_can(streams: bool, way: str) -> None:
    """A provider that says it cannot is asked for all at once."""
    provider = scripted(providers_old.AbstractProvider, "a", supports_stream=streams)
    await ask(ChatG4F(provider=provider), way, "hi")
    assert provider.calls[0].given["stream"] is streams


RESULTS = {
    "str": "all",
    "bytes": b"all",
    "str subclass": type("Markdown", (str,), {})("all"),
    "list": ["a", "ll"],
    "tuple with nothings": (None, "", "all", None),
    "generator": None,
    "coroutine": None,
    "coroutine of a generator": None,
}


def provider_giving(result: Any, entry: str) -> Any:
    """A provider with one entry point that returns just that."""

    async def later() -> Any:
        return "all"

    async def agenerator() -> Any:
        yield "all"

    async def later_generator() -> Any:
        return agenerator()

    made = {
        "generator": lambda: iter(["a", "ll"]),
        "coroutine": later,
        "coroutine of a generator": later_generator,
    }

    def create(model: str, messages: Any, **_: Any) -> Any:
        return made[result]() if result in made else RESULTS[result]

    return type("Giving", (StandIn,), {entry: staticmethod(create)})


@pytest.mark.proves("g4f:1:decided-by-result", "g4f:5:empty")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("entry", ["create_async_generator", "create_async", "create_completion"])
@pytest.mark.parametrize("result", RESULTS)
async def test_result_decides_and_not_the_name(result: str, entry: str, way: str) -> None:
    """Whatever an entry point is called, what it returns says how it is read."""
    model = ChatG4F(provider=provider_giving(result, entry))
    assert (await ask(model, way, "hi")).text == "all"


@pytest.mark.proves("g4f:1:blocking-generator")
@pytest.mark.parametrize("way", ["ainvoke", "astream"])
@pytest.mark.parametrize("base", [providers_old.AbstractProvider, providers_old.BlockingGenerator])
async def test_blocking_provider_does_not_block_the_loop(base: Any, way: str) -> None:
    """A provider that waits for what only the loop can do gets it."""
    ticked = threading.Event()

    def wait() -> None:
        assert ticked.wait(5)

    provider = scripted(base, "a", Do(wait), "b")
    in_thread = base is providers_old.BlockingGenerator
    answering = asyncio.ensure_future(
        ask(ChatG4F(provider=provider, run_in_thread=in_thread), way, "hi")
    )
    await asyncio.sleep(0)
    ticked.set()  # from the loop, which is free
    assert (await answering).text == "ab"
    assert provider.calls[0].thread != threading.get_ident()


async def test_async_provider_runs_on_the_callers_loop() -> None:
    """No thread and no second loop, unless one is asked for."""
    provider = scripted(providers_new.AsyncGeneratorProvider, "a")
    await ChatG4F(provider=provider).ainvoke("hi")
    await ChatG4F(provider=provider, run_in_thread=True).ainvoke("hi")
    here, there = (call.thread for call in provider.calls)
    assert here == threading.get_ident() != there


@pytest.mark.proves("g4f:1:async-authed-provider")
def test_authed_provider_counts_as_an_async_generator(tmp_path: Any) -> None:
    """It is asked by its own entry point, which knows about logins."""
    provider = scripted(authed.AsyncAuthedProvider, "a", folder=tmp_path)
    assert ChatG4F(provider=provider).invoke("hi").text == "a"
    assert provider.calls[0].given["auth_result"].api_key == "canary-4711"


@pytest.mark.proves("g4f:8:validation")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (object, "object has none of create_async_generator"),
        (type("NoEntry", (), {"create_async": 7}), "NoEntry has none of"),
        ("nonsense", "expected a class, an instance or 'module:Name'"),
        (":Name", "expected a class"),
        ("json:Missing", "cannot be imported"),
        ("no_such_module_4711:Name", "cannot be imported"),
        ("json:dumps", "has none of"),
    ],
)
def test_provider_that_cannot_answer_is_refused(given: Any, said: str) -> None:
    """When the model is made, by name."""
    with pytest.raises(ValidationError, match=said):
        ChatG4F(provider=given)


class OfInstances(StandIn):
    """Its entry point is no class method."""

    async def create_async_generator(self, model: str, messages: Any, **_: Any) -> Any:
        yield "a"


class Demanding(StandIn):
    """Cannot be called without more."""

    @classmethod
    def create_completion(cls, model: str, messages: Any, *, token: str) -> str:
        return token


class Prompted(StandIn):
    """Takes a prompt alone."""

    @classmethod
    async def create_async(cls, prompt: str) -> str:
        return prompt


@pytest.mark.proves("g4f:8:validation", "g4f:1:strict-signature")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("provider", "said"),
    [
        (OfInstances, "OfInstances.create_async_generator.. is a method of instances: give an"),
        (Demanding, "Demanding.create_completion.. cannot be called .* argument: 'token'"),
        (Prompted, "Prompted.create_async.. cannot be called .* too many positional"),
    ],
)
async def test_call_that_an_entry_point_cannot_take_is_refused(
    provider: Any, said: str, way: str
) -> None:
    """Before anything is asked, with what is missing."""
    with pytest.raises(ConfigurationError, match=said):
        await ask(ChatG4F(provider=provider), way, "hi")
    assert (await ask(ChatG4F(provider=OfInstances()), way, "hi")).text == "a"
    model = ChatG4F(provider=Demanding, provider_kwargs={"token": "b"})
    assert (await ask(model, way, "hi")).text == "b"


def test_nested_name_is_found() -> None:
    """As `module:Outer.Inner`."""
    assert ChatG4F(provider=f"{__name__}:Outer.Inner").facts.name == "Inner"


class Outer:
    Inner = scripted(providers_new.AsyncProvider, "inner", name="Inner")
