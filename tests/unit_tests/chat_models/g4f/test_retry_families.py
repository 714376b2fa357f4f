"""Families of providers that ask one after another."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from langchain_g4f import ChatG4F
from langchain_g4f import errors as ours
from tests.g4f_standins import retry
from tests.g4f_standins.errors import NEW
from tests.g4f_standins.providers_new import AsyncGeneratorProvider, scripted
from tests.g4f_standins.responses_old import ProviderInfo
from tests.g4f_standins.script import Fail, FailFirst
from tests.unit_tests.chat_models.ways import WAYS, ask


def fine(name: str = "Fine") -> Any:
    """A provider that answers."""
    return scripted(AsyncGeneratorProvider, "a", "b", name=name, default_model="m")


def broken(*before: str, name: str = "Broken") -> Any:
    """A provider that does not, or not to the end."""
    fail = Fail(NEW["ResponseError"](f"{name} is down"))
    return scripted(AsyncGeneratorProvider, *before, fail, name=name, default_model="m0")


@pytest.mark.proves("g4f:7:iter-list", "g4f:5:provider-info")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "family", [retry.IterListProvider, retry.OldIterListProvider, retry.RotatedProvider]
)
async def test_next_one_is_asked_where_one_fails(family: Any, way: str) -> None:
    """Metadata say who answered; the instance is used as it is."""
    provider = family([broken(), fine()])
    model = ChatG4F(provider=provider)
    answer = await ask(model, way, "hi")
    assert answer.text == "ab"
    assert answer.response_metadata["provider"] == "Fine"
    assert answer.response_metadata["model_name"] == "m"
    assert "restarted" not in answer.response_metadata
    assert model.facts.name == family.__name__
    assert model.last_model == "m"


@pytest.mark.proves("g4f:7:rotated", "g4f:7:circuit-breaker")
async def test_state_of_a_family_is_its_own() -> None:
    """It is one object to all calls, and to copies of the model."""
    one, two = fine("One"), fine("Two")
    model = ChatG4F(provider=retry.RotatedProvider([one, two]))
    copied = copy.deepcopy(model)
    assert copied.wrapped is model.wrapped
    names = [
        (await each.ainvoke("hi")).response_metadata["provider"] for each in (model, copied, model)
    ]
    assert names == ["One", "Two", "One"]


@pytest.mark.proves("g4f:7:retry", "g4f:7:restart")
@pytest.mark.parametrize("way", WAYS)
async def test_second_try_after_text_is_a_restart(way: str) -> None:
    """It raises with the text that was given, or is marked."""
    for on_restart in ("raise", "mark"):
        down = FailFirst([NEW["ResponseError"]("down")])
        flaky = scripted(AsyncGeneratorProvider, "part ", down, "rest", name="Flaky")
        model = ChatG4F(provider=retry.RetryProvider([flaky]), on_restart=on_restart)
        if on_restart == "raise":
            with pytest.raises(ours.StreamInterruptedError, match="started again") as caught:
                await ask(model, way, "hi")
            assert caught.value.partial_text == "part "
        else:
            answer = await ask(model, way, "hi")
            assert answer.text == "part part rest"
            assert answer.response_metadata["restarted"] is True


@pytest.mark.proves("g4f:7:restart", "g4f:7:think-marks")
@pytest.mark.parametrize("way", WAYS)
async def test_restart_leaves_nothing_of_the_state_it_came_in(way: str) -> None:
    """Neither an open mark nor the beginning of one."""
    info = ProviderInfo(name="B", model="m")
    provider = scripted(AsyncGeneratorProvider, "<think>why", info, "<th", info, "c")
    answer = await ask(ChatG4F(provider=provider, on_restart="mark"), way, "hi")
    assert answer.text == "<thc"
    assert answer.additional_kwargs["reasoning_content"] == "why"


@pytest.mark.proves("g4f:7:iter-list")
@pytest.mark.parametrize("way", WAYS)
async def test_error_after_text_is_final(way: str) -> None:
    """Nobody else is asked."""
    second = fine()
    model = ChatG4F(provider=retry.IterListProvider([broken("part"), second]))
    with pytest.raises(ours.ServerStreamError, match="Broken is down") as caught:
        await ask(model, way, "hi")
    assert caught.value.partial_text == "part"
    assert second.calls == []


@pytest.mark.proves("g4f:7:all-failed")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("family", "count", "said"),
    [
        (retry.IterListProvider, 1, "Broken is down"),
        (retry.IterListProvider, 2, "RetryProvider failed"),
        (retry.OldIterListProvider, 1, "RetryProvider failed"),
        (retry.RetryProvider, 1, "RetryProvider failed"),
    ],
)
async def test_failure_of_all_is_an_error(family: Any, count: int, said: str, way: str) -> None:
    """With the original, and what failed before it, as its causes."""
    model = ChatG4F(provider=family([broken()] * count))
    with pytest.raises(ours.ServerStreamError, match=said) as caught:
        await ask(model, way, "hi")
    original = caught.value.__cause__
    assert type(original).__name__ in {"ResponseError", "RetryProviderError"}
    if family is retry.OldIterListProvider:
        assert original is not None
        assert "Broken is down" in str(original.__cause__)


@pytest.mark.proves("g4f:7:no-content")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("family", [retry.IterListProvider, retry.OldIterListProvider])
async def test_no_content_from_anybody_is_an_error(family: Any, way: str) -> None:
    """Also where there is nobody."""
    empty = scripted(AsyncGeneratorProvider, None, default_model="m")
    for providers in ([empty], []):
        with pytest.raises(ours.ServerStreamError, match="No provider found"):
            await ask(ChatG4F(provider=family(providers)), way, "hi")


@pytest.mark.proves("g4f:7:conversation")
@pytest.mark.filterwarnings("ignore:.* may ignore the parameter 'conversation'")
@pytest.mark.parametrize("way", WAYS)
async def test_conversation_is_passed_to_the_candidates(way: str) -> None:
    """As it is, be it one provider's or one attribute for each."""
    provider = fine()
    model = ChatG4F(provider=retry.IterListProvider([provider]))
    await ask(model, way, "hi", conversation={"Fine": {"id": "1"}})
    assert provider.calls[0].given["conversation"].Fine == {"id": "1"}


@pytest.mark.proves("g4f:7:any-provider")
@pytest.mark.parametrize("way", WAYS)
async def test_class_that_picks_is_asked_by_the_name_of_the_model(way: str) -> None:
    """A colon in it is its own business."""
    provider = fine()
    picks = type("AnyProvider", (retry.AnyProvider,), {"routes": {"Fine:m": provider}})
    answer = await ask(ChatG4F(provider=picks, model="Fine:m"), way, "hi")
    assert (answer.text, provider.calls[0].model) == ("ab", "Fine:m")
