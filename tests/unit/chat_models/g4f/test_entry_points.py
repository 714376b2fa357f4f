"""Where a provider is asked, with which login, and how its result is read."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from langchain_g4f import ChatG4F, ConfigurationError
from langchain_g4f.errors import ServerStreamError, StreamInterruptedError
from tests.g4f_standins import families, providers
from tests.g4f_standins.providers import Do, StandIn, chat, scripted
from tests.g4f_standins.responses import AuthResult, RequestLogin
from tests.unit.chat_models.g4f.conftest import Ask

WORDS = ("How ", "are ", "you?")


def entry(base: Any, *proofs: str) -> Any:
    """A kind of provider, and what it shows."""
    marks = pytest.mark.proves(*(f"g4f:{proof}" for proof in proofs))
    return pytest.param(base, marks=marks, id=base.__name__)


KINDS = [
    entry(providers.AsyncGeneratorProvider, "1:async-generator-provider", "8:astream"),
    entry(
        providers.OldAsyncGeneratorProvider,
        "1:create-async-generator",
        "1:pickers",
        "1:lookup-order",
    ),
    entry(providers.AsyncProvider, "1:async-provider", "1:create-async"),
    entry(
        providers.AbstractProvider,
        "1:abstract-provider",
        "1:create-completion",
        "1:lookup-order",
        "8:stream",
    ),
    entry(providers.OwnAsync, "1:create-async", "1:lookup-order"),
    entry(providers.CoroutineOfGenerator, "1:decided-by-result"),
    entry(providers.Thorough),
    entry(providers.BlockingGenerator, "1:blocking-generator"),
]


@pytest.mark.parametrize("given", ["class", "instance", "name"])
@pytest.mark.parametrize("base", KINDS)
@pytest.mark.proves("g4f:8:aggregated")
async def test_provider_of_any_kind_answers(base: Any, given: str, ask: Ask) -> None:
    """Be it a class, an instance or a name, async or not, in the loop or in a thread."""
    provider = scripted(base, *WORDS)
    where: Any = {"class": provider, "instance": provider(), "name": f"{__name__}:here"}[given]
    globals()["here"] = provider
    in_thread = base is providers.BlockingGenerator
    answer = await ask(ChatG4F(provider=where, model="m", run_in_thread=in_thread))
    assert answer.text == "How are you?"
    assert answer.response_metadata["model_name"] == "m"
    assert answer.response_metadata["finish_reason"] == "stop"
    (call,) = provider.calls
    assert (call.model, call.messages) == ("m", [{"role": "user", "content": "hi"}])
    assert provider.closed == ["closed"]


@pytest.mark.proves("g4f:1:supports-stream", "g4f:1:create-completion")
@pytest.mark.parametrize("streams", [True, False])
async def test_iterator_is_told_to_stream_where_it_can(streams: bool, ask: Ask) -> None:
    """A provider that says it cannot is asked for all at once."""
    provider = scripted(providers.AbstractProvider, "a", supports_stream=streams)
    await ask(ChatG4F(provider=provider))
    assert provider.calls[0].given["stream"] is streams


async def _later() -> Any:
    return "all"


async def _generator() -> Any:
    yield "all"


async def _later_generator() -> Any:
    return _generator()


RESULTS: dict[str, Any] = {
    "str": lambda: "all",
    "bytes": lambda: b"all",
    "str subclass": lambda: type("Markdown", (str,), {})("all"),
    "list": lambda: ["a", "ll"],
    "tuple with nothings": lambda: (None, "", "all", None),
    "generator": lambda: iter(["a", "ll"]),
    "coroutine": _later,
    "coroutine of a generator": _later_generator,
}


@pytest.mark.proves("g4f:1:decided-by-result", "g4f:5:empty")
@pytest.mark.parametrize("name", ["create_async_generator", "create_async", "create_completion"])
@pytest.mark.parametrize("result", RESULTS)
async def test_result_decides_and_not_the_name(result: str, name: str, ask: Ask) -> None:
    """Whatever an entry point is called, what it returns says how it is read."""

    def create(model: str, messages: Any, **_: Any) -> Any:
        return RESULTS[result]()

    provider = type("Giving", (StandIn,), {name: staticmethod(create)})
    assert (await ask(ChatG4F(provider=provider))).text == "all"


@pytest.mark.proves("g4f:1:blocking-generator")
@pytest.mark.parametrize("base", [providers.AbstractProvider, providers.BlockingGenerator])
async def test_blocking_provider_does_not_block_the_loop(base: Any) -> None:
    """A provider that waits for what only the loop can do gets it."""
    ticked = threading.Event()

    def wait() -> None:
        assert ticked.wait(5)

    model = chat("a", Do(wait), "b", base=base, run_in_thread=base is providers.BlockingGenerator)
    answering = asyncio.ensure_future(model.ainvoke("hi"))
    await asyncio.sleep(0)
    ticked.set()  # from the loop, which is free
    assert (await answering).text == "ab"
    assert model.wrapped.calls[0].thread != threading.get_ident()


async def test_async_provider_runs_on_the_callers_loop() -> None:
    """No thread and no second loop, unless one is asked for."""
    provider = scripted(providers.AsyncGeneratorProvider, "a")
    for in_thread in (False, True):
        await ChatG4F(provider=provider, run_in_thread=in_thread).ainvoke("hi")
    here, there = (call.thread for call in provider.calls)
    assert here == threading.get_ident() != there


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
@pytest.mark.parametrize(
    ("provider", "said"),
    [
        (OfInstances, "OfInstances.create_async_generator.. is a method of instances: give an"),
        (Demanding, "Demanding.create_completion.. cannot be called .* argument: 'token'"),
        (Prompted, "Prompted.create_async.. cannot be called .* too many positional"),
    ],
)
async def test_call_that_an_entry_point_cannot_take_is_refused(
    provider: Any, said: str, ask: Ask
) -> None:
    """Before anything is asked, with what is missing."""
    with pytest.raises(ConfigurationError, match=said):
        await ask(ChatG4F(provider=provider))
    assert (await ask(ChatG4F(provider=OfInstances()))).text == "a"
    assert (await ask(ChatG4F(provider=Demanding, provider_kwargs={"token": "b"}))).text == "b"


# -- providers with a login ------------------------------------------------------------------------


def authed(folder: Path, *script: Any, base: Any = families.AsyncAuthedProvider) -> Any:
    """A provider that keeps its login in ``folder``."""
    return scripted(base, *script, folder=folder)


@pytest.mark.proves(
    "g4f:1:async-authed-provider",
    "g4f:2:on-auth-async", "g4f:2:on-auth", "g4f:2:life-cycle", "g4f:2:auth-file",
    "g4f:2:get-auth-result", "g4f:5:request-login", "g4f:5:auth-result", "g4f:8:login",
)  # fmt: skip
async def test_first_call_logs_in_and_the_next_uses_what_was_kept(ask: Ask, tmp_path: Path) -> None:
    """The life cycle is the provider's; its request for a login is told, and is no text."""
    provider = authed(tmp_path, "a", "b")
    told: list[str] = []
    steps: list[Any] = []
    model = ChatG4F(provider=provider, on_login_required=told.append, on_progress=steps.append)
    for _ in range(2):
        answer = await ask(model)
        assert answer.text == "ab"
        assert "canary" not in repr(answer)
    assert told == [families.LOGIN_URL]
    assert [(s.kind, s.data["login_url"]) for s in steps] == [("login_required", told[0])]
    assert json.loads(provider.get_cache_file().read_text())["api_key"] == "canary-4711"
    assert provider.logins == 1


@pytest.mark.proves("g4f:2:old-ending")
async def test_error_that_ends_a_login_of_the_old_generation_keeps_the_text(
    ask: Ask, tmp_path: Path
) -> None:
    """The text is in the error, and the next call has none."""
    model = ChatG4F(provider=authed(tmp_path, "a", "b", base=families.OldAuthedProvider))
    with pytest.raises(ServerStreamError, match="AttributeError") as caught:
        await ask(model)
    assert caught.value.partial_text == "ab"
    assert isinstance(caught.value.__cause__, AttributeError)
    assert (await ask(model)).text == "ab"


@pytest.mark.proves("g4f:2:mid-answer", "g4f:7:restart")
@pytest.mark.parametrize("on_restart", ["raise", "mark"])
async def test_answer_that_is_repeated_after_a_login_is_a_restart(
    on_restart: Any, ask: Ask, tmp_path: Path
) -> None:
    """Text that was given cannot be taken back, so the caller is told."""
    provider = authed(tmp_path, "part ", "rest")
    provider.fails_after = 1
    provider.get_cache_file().write_text('{"old": "1"}')
    model = ChatG4F(provider=provider, on_restart=on_restart)
    if on_restart == "raise":
        with pytest.raises(StreamInterruptedError, match="started again") as caught:
            await ask(model)
        assert caught.value.partial_text == "part "
    else:
        answer = await ask(model)
        assert answer.text == "part part rest"
        assert answer.response_metadata["restarted"] is True


@pytest.mark.proves("g4f:2:given-credentials", "g4f:2:create-authed", "g4f:2:auth-file")
@pytest.mark.parametrize(
    "given",
    [
        {"cookies": {"a": "1"}},
        {"auth_result": {"cookies": {"a": "1"}, "headers": {}}},
        {"auth_result": AuthResult(cookies={"a": "1"}, headers={})},
    ],
    ids=["cookies", "mapping", "object"],
)
async def test_given_credentials_are_used_and_no_file_is_touched(
    given: Any, ask: Ask, tmp_path: Path
) -> None:
    """Neither read, nor written, nor deleted."""
    provider = authed(tmp_path, "a")
    provider.get_cache_file().write_text("not JSON")
    assert (await ask(ChatG4F(provider=provider, **given))).text == "a"
    used = provider.calls[0].given["auth_result"]
    assert used.get_dict() == {"cookies": {"a": "1"}, "headers": {}}
    assert (used.cookies, provider.logins) == ({"a": "1"}, 0)
    assert provider.get_cache_file().read_text() == "not JSON"


async def test_credentials_of_a_provider_without_logins_are_arguments(ask: Ask) -> None:
    """There is no other entry point; an `auth_result` among the arguments is one of them."""
    model = chat("a", cookies={"a": "1"})
    await ask(model)
    with pytest.warns(UserWarning, match="may ignore the parameter 'auth_result'"):
        await ask(model, auth_result="theirs")
    plain, more = (call.given for call in model.wrapped.calls)
    assert (plain, more) == (
        {"cookies": {"a": "1"}},
        {"cookies": {"a": "1"}, "auth_result": "theirs"},
    )


@pytest.mark.proves("g4f:8:login")
@pytest.mark.parametrize("callback", ["on_login_required", "on_progress"])
async def test_error_of_a_callback_is_the_callers_own(callback: str, ask: Ask) -> None:
    """It is raised as it is, and ends the call."""

    def fail(_: object) -> None:
        raise LookupError("no browser")

    settings: dict[str, Any] = {callback: fail}
    model = chat(RequestLogin("Some", "u"), "never", **settings)
    with pytest.raises(LookupError, match="no browser"):
        await ask(model)
    assert model.wrapped.closed == ["closed"]
