"""How long a provider may take, and when another attempt is made."""

from __future__ import annotations

import asyncio
import copy
import time
from typing import Any

import pytest

from langchain_g4f import ChatG4F, Clocks
from langchain_g4f import errors as ours
from langchain_g4f.transport import retry
from tests.g4f_standins import families, providers
from tests.g4f_standins.families import NEW, OLD
from tests.g4f_standins.providers import (
    AsyncGeneratorProvider,
    Fail,
    FailFirst,
    Hang,
    Pause,
    chat,
    scripted,
)
from tests.g4f_standins.responses import ProviderInfo, Reasoning
from tests.unit.chat_models.g4f.conftest import Ask

pytestmark = pytest.mark.usefixtures("impatient")

KINDS = (AsyncGeneratorProvider, providers.AsyncProvider, providers.AbstractProvider)


def not_cancelling() -> bool:
    """Whether the test's own task is left as it was."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() == 0


@pytest.mark.proves("g4f:8:timeouts")
@pytest.mark.parametrize("base", KINDS)
@pytest.mark.parametrize(
    ("before", "kind"), [((), "first_event"), (("a",), "idle"), (("a",), "total")]
)
async def test_provider_that_takes_too_long_is_given_up(
    before: tuple[str, ...], kind: str, base: Any, ask: Ask
) -> None:
    """By the clock that ran out first; it is closed, and the time is a built-in TimeoutError."""
    if base is providers.AsyncProvider and kind == "idle":
        before, kind = (), "first_event"
    hang = Hang()
    clocks = Clocks(**{kind: 0.05})
    model = chat(*before, hang, "never", base=base, name="Slow", timeout=clocks)
    began = time.monotonic()
    try:
        with pytest.raises(ours.APITimeoutError, match="Slow: no") as caught:
            await ask(model)
    finally:
        hang.released.set()
    assert caught.value.kind == kind
    assert time.monotonic() - began < 2
    if base is not providers.AbstractProvider:
        assert model.wrapped.closed == ["closed"]


@pytest.mark.proves("g4f:8:timeouts")
@pytest.mark.parametrize("base", [KINDS[0], KINDS[2]])
async def test_clock_of_the_provider_is_not_that_of_the_reader(base: Any, mode: str) -> None:
    """A value that came in time may wait for its reader, and an answer may go on for long."""
    script = [step for _ in range(30) for step in ("a", Pause(0.006))]
    model = chat(*script, base=base, timeout=Clocks(idle=0.2))
    count = 0
    if mode == "sync":
        for _ in model.stream("hi"):
            count += 1
            await asyncio.sleep(0.25 if count == 2 else 0)
    else:
        async for _ in model.astream("hi"):
            count += 1
            await asyncio.sleep(0.25 if count == 2 else 0)
    assert count == 31


class Stubborn(providers.StandIn):
    """Makes something of its own of a cancellation."""

    @classmethod
    async def create_async_generator(cls, model: str, messages: Any, **_: Any) -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            match cls.script[0]:
                case "raises":
                    raise ValueError("was cancelled") from None
                case "answers":
                    yield "too late"
                case "is cancelled":
                    raise
        return


@pytest.mark.proves("g4f:8:timeouts")
@pytest.mark.parametrize("reaction", ["is cancelled", "raises", "answers", "ends"])
async def test_timeout_counts_though_the_provider_swallows_the_cancellation(reaction: str) -> None:
    """Whatever it does then, the time is over, and the task is not left cancelled."""
    model = chat(reaction, base=Stubborn, timeout=Clocks(first_event=0.02))
    for _ in range(2):
        with pytest.raises(ours.APITimeoutError):
            await model.ainvoke("hi")
    assert not_cancelling()


@pytest.mark.proves("g4f:8:retries", "g4f:4:rate-limit")
@pytest.mark.parametrize("base", KINDS)
@pytest.mark.parametrize(
    "error",
    [
        OLD["RateLimitError"]("Response 429: slow down"),
        NEW["RateLimitError"]("slow down"),
        NEW["ResponseStatusError"]("Response 502: Bad Gateway"),
    ],
)
async def test_call_that_was_refused_is_made_again(error: Exception, base: Any, ask: Ask) -> None:
    """With new messages, told as progress, and counted."""
    steps: list[Any] = []
    model = chat(FailFirst([error, error]), "a", base=base, on_progress=steps.append)
    answer = await ask(model)
    assert answer.text == "a"
    assert answer.response_metadata["retries"] == 2
    assert [(step.kind, step.data["attempt"]) for step in steps] == [("retry", 1), ("retry", 2)]
    first, second, third = (call.messages for call in model.wrapped.calls)
    assert first == second == third
    assert first is not second
    assert len(model.wrapped.closed) == 3


@pytest.mark.proves("g4f:8:retries")
@pytest.mark.parametrize(
    ("before", "error"),
    [
        (("text",), NEW["RateLimitError"]("x")),
        ((Reasoning(token="thought"),), NEW["RateLimitError"]("x")),
        ((), NEW["MissingAuthError"]("x")),
        ((), NEW["PaymentRequiredError"]("x")),
        ((), NEW["CloudflareError"]("x")),
        ((), NEW["BadRequestError"]("x")),
        ((), NEW["ResponseError"]("x")),
        ((), ConnectionResetError("x")),
        ((), NEW["MissingRequirementsError"]("x")),
    ],
    ids=lambda given: type(given[0] if isinstance(given, tuple) and given else given).__name__,
)
async def test_call_that_cannot_be_helped_is_not_made_again(
    before: tuple[Any, ...], error: Exception, ask: Ask
) -> None:
    """Nor is one of which something was given, or may have been answered."""
    model = chat(*before, Fail(error))
    with pytest.raises(ours.G4FError):
        await ask(model)
    assert len(model.wrapped.calls) == 1


@pytest.mark.proves("g4f:8:retries", "g4f:8:timeouts")
async def test_total_is_of_all_attempts(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt gets only the time that is left."""
    monkeypatch.setattr(retry, "_FIRST_S", 0.05)
    limit = FailFirst([NEW["RateLimitError"]("x")] * 9)
    model = chat(limit, "never", timeout=Clocks(total=0.5), max_retries=9)
    began = time.monotonic()
    with pytest.raises((ours.RateLimitError, ours.APITimeoutError)):
        await ask(model)
    assert time.monotonic() - began < 5  # nine waits alone are more than the clock has
    assert 1 < len(model.wrapped.calls) < 9


# -- providers that ask others, one after another --------------------------------------------------


def fine(name: str = "Fine") -> Any:
    """A provider that answers."""
    return scripted(AsyncGeneratorProvider, "a", "b", name=name, default_model="m")


def broken(*before: str) -> Any:
    """A provider that does not, or not to the end."""
    fail = Fail(NEW["ResponseError"]("Broken is down"))
    return scripted(AsyncGeneratorProvider, *before, fail, name="Broken", default_model="m0")


@pytest.mark.proves("g4f:7:iter-list", "g4f:5:provider-info")
@pytest.mark.parametrize(
    "family", [families.IterListProvider, families.OldIterListProvider, families.RotatedProvider]
)
async def test_next_one_is_asked_where_one_fails(family: Any, ask: Ask) -> None:
    """Metadata say who answered; the instance is used as it is."""
    model = ChatG4F(provider=family([broken(), fine()]))
    answer = await ask(model)
    assert answer.text == "ab"
    assert answer.response_metadata["provider"] == "Fine"
    assert answer.response_metadata["model_name"] == model.last_model == "m"
    assert "restarted" not in answer.response_metadata
    assert model.facts.name == family.__name__


@pytest.mark.proves("g4f:7:rotated", "g4f:7:circuit-breaker")
async def test_state_of_a_family_is_its_own() -> None:
    """It is one object to all calls, and to copies of the model."""
    model = ChatG4F(provider=families.RotatedProvider([fine("One"), fine("Two")]))
    copied = copy.deepcopy(model)
    assert copied.wrapped is model.wrapped
    answers = [await each.ainvoke("hi") for each in (model, copied, model)]
    assert [a.response_metadata["provider"] for a in answers] == ["One", "Two", "One"]


@pytest.mark.proves("g4f:7:restart", "g4f:7:think-marks")
async def test_restart_leaves_nothing_of_the_state_it_came_in(ask: Ask) -> None:
    """Neither an open mark nor the beginning of one."""
    info = ProviderInfo(name="B", model="m")
    answer = await ask(chat("<think>why", info, "<th", info, "c", on_restart="mark"))
    assert answer.text == "<thc"
    assert answer.additional_kwargs["reasoning_content"] == "why"


@pytest.mark.proves("g4f:7:iter-list")
async def test_error_after_text_is_final(ask: Ask) -> None:
    """No other provider is asked."""
    second = fine()
    with pytest.raises(ours.ServerStreamError, match="Broken is down") as caught:
        await ask(ChatG4F(provider=families.IterListProvider([broken("part"), second])))
    assert caught.value.partial_text == "part"
    assert second.calls == []


@pytest.mark.proves("g4f:7:all-failed", "g4f:7:retry")
@pytest.mark.parametrize(
    ("family", "count", "said"),
    [
        (families.IterListProvider, 1, "Broken is down"),
        (families.IterListProvider, 2, "RetryProvider failed"),
        (families.OldIterListProvider, 1, "RetryProvider failed"),
        (families.RetryProvider, 1, "RetryProvider failed"),
    ],
)
async def test_failure_of_all_is_an_error(family: Any, count: int, said: str, ask: Ask) -> None:
    """With the original, and what failed before it, as its causes."""
    with pytest.raises(ours.ServerStreamError, match=said) as caught:
        await ask(ChatG4F(provider=family([broken()] * count)))
    original = caught.value.__cause__
    assert type(original).__name__ in {"ResponseError", "RetryProviderError"}
    if family is families.OldIterListProvider:
        assert original is not None
        assert "Broken is down" in str(original.__cause__)


@pytest.mark.proves("g4f:7:no-content")
@pytest.mark.parametrize("family", [families.IterListProvider, families.OldIterListProvider])
async def test_no_content_from_any_provider_is_an_error(family: Any, ask: Ask) -> None:
    """Also where there is no provider."""
    for candidates in ([scripted(AsyncGeneratorProvider, None)], []):
        with pytest.raises(ours.ServerStreamError, match="No provider found"):
            await ask(ChatG4F(provider=family(candidates)))


@pytest.mark.proves("g4f:7:conversation", "g4f:7:any-provider")
@pytest.mark.filterwarnings("ignore:.* may ignore the parameter 'conversation'")
async def test_candidate_gets_the_conversation_and_the_name_of_the_model(ask: Ask) -> None:
    """As they are: one attribute for each provider, and a colon in the name."""
    provider = fine()
    picks = type("AnyProvider", (families.AnyProvider,), {"routes": {"Fine:m": provider}})
    model = ChatG4F(provider=picks, model="Fine:m")
    answer = await ask(model, conversation={"Fine": {"id": "1"}})
    (call,) = provider.calls
    assert (answer.text, call.model) == ("ab", "Fine:m")
    assert call.given["conversation"].Fine == {"id": "1"}
