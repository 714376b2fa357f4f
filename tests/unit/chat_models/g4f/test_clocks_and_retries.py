"""How long a provider may take, and when it is asked again."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from langchain_g4f import ChatG4F, Clocks
from langchain_g4f import errors as ours
from langchain_g4f.transport import retry
from tests.g4f_standins import providers_new, providers_old
from tests.g4f_standins.errors import NEW, OLD
from tests.g4f_standins.providers_new import AsyncGeneratorProvider, scripted
from tests.g4f_standins.responses_old import ProviderInfo, Reasoning
from tests.g4f_standins.script import Fail, FailFirst, Hang, Pause
from tests.unit.chat_models.ways import WAYS, ask

KINDS = (
    providers_new.AsyncGeneratorProvider,
    providers_new.AsyncProvider,
    providers_old.AbstractProvider,
)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_FIRST_S", 0.002)


@pytest.mark.proves("g4f:8:timeouts")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("base", KINDS)
@pytest.mark.parametrize(
    ("before", "clocks", "kind"),
    [
        ((), {"first_event": 0.05}, "first_event"),
        (("a",), {"idle": 0.05}, "idle"),
        (("a",), {"total": 0.05}, "total"),
    ],
)
async def test_provider_that_takes_too_long_is_given_up(
    before: tuple[str, ...], clocks: dict[str, float], kind: str, base: Any, way: str
) -> None:
    """By the clock that ran out first; it is closed, and the time is a built-in TimeoutError."""
    if base is providers_new.AsyncProvider and kind == "idle":
        before, kind, clocks = (), "first_event", {"first_event": 0.05}
    hang = Hang()
    provider = scripted(base, *before, hang, "never", name="Slow")
    model = ChatG4F(provider=provider, timeout=Clocks(**clocks))
    began = time.monotonic()
    try:
        with pytest.raises(ours.APITimeoutError, match="Slow: no") as caught:
            await ask(model, way, "hi")
    finally:
        hang.released.set()
    assert caught.value.kind == kind
    assert time.monotonic() - began < 2
    if base is not providers_old.AbstractProvider:
        assert provider.closed == ["closed"]


@pytest.mark.proves("g4f:8:timeouts")
@pytest.mark.parametrize("way", ["stream", "astream"])
@pytest.mark.parametrize("base", [KINDS[0], KINDS[2]])
async def test_clock_of_the_provider_is_not_that_of_the_reader(base: Any, way: str) -> None:
    """What comes in time is in time, however long it lies there, and however long it goes on."""
    script = [step for _ in range(30) for step in ("a", Pause(0.015))]
    model = ChatG4F(provider=scripted(base, *script), timeout=Clocks(idle=0.3))
    count = 0
    if way == "stream":
        for _ in model.stream("hi"):
            count += 1
            await asyncio.sleep(0.35 if count == 2 else 0)
    else:
        async for _ in model.astream("hi"):
            count += 1
            await asyncio.sleep(0.35 if count == 2 else 0)
    assert count == 31


@pytest.mark.proves("g4f:8:timeouts")
async def test_timeout_cancels_nothing_but_the_wait() -> None:
    """The caller's task goes on, and is not left cancelled."""
    model = ChatG4F(
        provider=scripted(AsyncGeneratorProvider, Hang()), timeout=Clocks(first_event=0.02)
    )
    async with asyncio.timeout(5):
        for _ in range(3):
            with pytest.raises(ours.APITimeoutError):
                await model.ainvoke("hi")
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


class Stubborn(providers_new.StandIn):
    """Makes something of its own of a cancellation."""

    @classmethod
    async def create_async_generator(cls, model: str, messages: Any, **_: Any) -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if cls.script[0] == "raises":
                raise ValueError("was cancelled") from None
            if cls.script[0] == "answers":
                yield "too late"
        return


@pytest.mark.proves("g4f:8:timeouts")
@pytest.mark.parametrize("what", ["raises", "answers", "ends"])
async def test_timeout_counts_though_the_provider_swallows_the_cancellation(what: str) -> None:
    """Whatever it does then, the time is over, and the task is not left cancelled."""
    model = ChatG4F(provider=scripted(Stubborn, what), timeout=Clocks(first_event=0.02))
    with pytest.raises(ours.APITimeoutError):
        await model.ainvoke("hi")
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@pytest.mark.parametrize("way", ["ainvoke", "astream"])
async def test_timeout_of_the_caller_is_the_callers(way: str) -> None:
    """It is no error of the provider."""
    provider = scripted(AsyncGeneratorProvider, "a", Hang())
    with pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(0.02):
            await ask(ChatG4F(provider=provider), way, "hi")
    assert not isinstance(caught.value, ours.G4FError)
    assert provider.closed == ["closed"]


@pytest.mark.proves("g4f:8:retries", "g4f:4:rate-limit")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("base", KINDS)
@pytest.mark.parametrize(
    "error",
    [
        OLD["RateLimitError"]("Response 429: slow down"),
        NEW["RateLimitError"]("slow down"),
        NEW["ResponseStatusError"]("Response 502: Bad Gateway"),
    ],
)
async def test_call_that_was_refused_is_made_again(error: Exception, base: Any, way: str) -> None:
    """With new messages, told to whoever watches, and counted."""
    steps: list[Any] = []
    provider = scripted(base, FailFirst([error, error]), "a", name="Some")
    model = ChatG4F(provider=provider, on_progress=steps.append)
    answer = await ask(model, way, "hi")
    assert answer.text == "a"
    assert answer.response_metadata["retries"] == 2
    assert [(step.kind, step.data["attempt"]) for step in steps] == [("retry", 1), ("retry", 2)]
    first, second, third = (call.messages for call in provider.calls)
    assert first == second == third
    assert first is not second
    assert len(provider.closed) == 3


@pytest.mark.proves("g4f:8:retries")
@pytest.mark.parametrize("way", WAYS)
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
    before: tuple[Any, ...], error: Exception, way: str
) -> None:
    """Nor is one of which something was given, or may have been answered."""
    provider = scripted(AsyncGeneratorProvider, *before, Fail(error))
    with pytest.raises(ours.G4FError):
        await ask(ChatG4F(provider=provider), way, "hi")
    assert len(provider.calls) == 1


@pytest.mark.proves("g4f:8:retries")
@pytest.mark.parametrize("way", WAYS)
async def test_what_is_no_content_does_not_stop_a_retry(way: str) -> None:
    """A name or a progress line is nothing that could be given twice."""
    script = (
        ProviderInfo(name="B", model="b"),
        Reasoning(status="on it"),
        FailFirst([NEW["RateLimitError"]("x")]),
        "a",
    )
    provider = scripted(AsyncGeneratorProvider, *script)
    assert (await ask(ChatG4F(provider=provider), way, "hi")).text == "a"
    assert len(provider.calls) == 2


@pytest.mark.proves("g4f:8:retries", "g4f:8:timeouts")
@pytest.mark.parametrize("way", WAYS)
async def test_total_is_of_all_attempts(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call does not get its time anew with every attempt."""
    limit = NEW["RateLimitError"]("x")
    provider = scripted(AsyncGeneratorProvider, FailFirst([limit] * 9), "never")
    monkeypatch.setattr(retry, "_FIRST_S", 0.05)
    model = ChatG4F(provider=provider, timeout=Clocks(total=0.5), max_retries=9)
    began = time.monotonic()
    with pytest.raises((ours.RateLimitError, ours.APITimeoutError)):
        await ask(model, way, "hi")
    assert time.monotonic() - began < 5  # nine waits alone are more than the clock has
    assert 1 < len(provider.calls) < 9


@pytest.mark.proves("g4f:8:stop")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("base", KINDS)
async def test_stop_string_ends_the_answer_and_the_provider(base: Any, way: str) -> None:
    """Across borders of chunks, and with nothing of it shown."""
    provider = scripted(base, "one S", "TO", "P two", *["more"] * 500)
    answer = await ask(ChatG4F(provider=provider, stop="STOP"), way, "hi")
    assert answer.text == "one "
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.response_metadata["stop_sequence"] == "STOP"
    assert provider.calls[0].given.get("stop") is None
    assert provider.closed == ["closed"]


class Untidy(providers_new.StandIn):
    """Fails while it cleans up."""

    @classmethod
    async def create_async_generator(cls, model: str, messages: Any, **_: Any) -> Any:
        try:
            yield "one STOP"
            yield "never"
        finally:
            raise ValueError("cannot clean up")


@pytest.mark.proves("g4f:8:stop")
@pytest.mark.parametrize("way", WAYS)
async def test_provider_that_fails_to_clean_up_spoils_no_answer(way: str) -> None:
    """The answer had ended."""
    model = ChatG4F(provider=Untidy, stop="STOP")
    assert (await ask(model, way, "hi")).text == "one "
