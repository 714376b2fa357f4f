"""Everything a provider yields, in the default mode: `content` is a string."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f import ChatG4F
from langchain_g4f.errors import EmptyResponseError
from tests.g4f_standins import responses_new as new
from tests.g4f_standins import responses_old as old
from tests.g4f_standins.providers_new import AsyncGeneratorProvider, scripted
from tests.g4f_standins.providers_old import AbstractProvider
from tests.unit.chat_models.g4f.response_notes import ROWS
from tests.unit.chat_models.ways import WAYS, ask


@pytest.mark.proves("g4f:8:aggregated")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("base", [AsyncGeneratorProvider, AbstractProvider])
@pytest.mark.parametrize(("values", "expected"), ROWS)
async def test_response_is_mapped(
    values: list[Any], expected: dict[str, Any], base: Any, way: str
) -> None:
    """To what it is in LangChain, the same in all ways to ask, and with no secret in it."""
    steps: list[Any] = []
    model = ChatG4F(provider=scripted(base, *values), on_progress=steps.append)
    answer = await ask(model, way, "hi")
    extra, metadata = answer.additional_kwargs, answer.response_metadata
    assert answer.content == expected.get("text", "")
    assert extra.get("reasoning_content", "") == expected.get("reasoning", "")
    assert extra.get("files", []) == expected.get("files", [])
    assert extra.get("sources", []) == expected.get("sources", [])
    calls = [(call["name"], call["args"], call["id"]) for call in answer.tool_calls]
    assert calls == expected.get("calls", [])
    assert answer.usage_metadata == expected.get("usage")
    wanted = {
        "model_provider": "g4f",
        "model_name": "default",
        "finish_reason": expected.get("reason", "stop"),
        **({"sources": extra["sources"]} if "sources" in extra else {}),
        **expected.get("metadata", {}),
    }
    assert metadata == wanted
    assert [(step.kind, step.message) for step in steps] == expected.get("told", [])
    assert "canary" not in repr((answer, steps))


RECORDS = [
    (old.PlainTextResponse("x"), "5:text-records", {"text": "x"}),
    (old.VariantResponse("x"), "5:text-records", {"text": "x"}),
    (old.ContinueResponse("x"), "5:text-records", {"text": "x"}),
    (old.DebugResponse("x"), "5:debug", {"log": "x"}),
    (old.RawResponse(a=1), "5:raw", {"a": 1}),
    (new.JsonRequest(a=1, headers={"cookie": "canary"}), "5:json-records", {"a": 1}),
    (new.JsonResponse(a=1), "5:json-records", {"a": 1}),
    (new.HeadersResponse(x_id="1"), "5:json-records", {"x_id": "1"}),
]


@pytest.mark.proves("g4f:9:include-raw")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        pytest.param(record, wanted, id=type(record).__name__, marks=pytest.mark.proves(f"g4f:{p}"))
        for record, p, wanted in RECORDS
    ],
)
async def test_record_is_dropped_unless_it_is_wanted(
    record: Any, wanted: dict[str, Any], way: str
) -> None:
    """It comes with every event, and is no part of the answer."""
    provider = scripted(AsyncGeneratorProvider, record, "a", record)
    plain = await ask(ChatG4F(provider=provider), way, "hi")
    assert (plain.text, plain.additional_kwargs) == ("a", {})
    raw = await ask(ChatG4F(provider=provider, include_raw=True), way, "hi")
    value = {"type": type(record).__name__, **wanted}
    assert raw.text == "a"
    assert [each["value"] for each in raw.additional_kwargs["non_standard"]] == [value] * 2
    found = [each for each in raw.content_blocks if each["type"] == "non_standard"]
    assert [each["value"] for each in found] == [value] * 2


class Odd:
    __slots__ = ("secret",)


@pytest.mark.proves("g4f:5:unknown", "g4f:9:unknown")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("value", [Odd(), 7, type("Later", (old.ResponseType,), {"x": 1})()])
async def test_what_is_not_known_is_left_out_with_one_warning(value: Any, way: str) -> None:
    """Its text is made for a page, and not for a program."""
    provider = scripted(AsyncGeneratorProvider, value, "a", value, name="Some")
    model = ChatG4F(provider=provider)
    name = type(value).__name__
    with pytest.warns(UserWarning, match=f"Some yields a {name}, which is not known") as caught:
        answer = await ask(model, way, "hi")
    assert (answer.text, len(caught)) == ("a", 1)
    raw = await ask(ChatG4F(provider=provider, include_raw=True), way, "hi")
    assert [each["value"] for each in raw.additional_kwargs["non_standard"]] == [{"type": name}] * 2


@pytest.mark.proves("g4f:9:empty-answer", "g4f:7:no-content", "g4f:5:empty")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "values",
    [
        (),
        (None, ""),
        (old.Usage(prompt_tokens=1), old.FinishReason("stop")),
        (old.Reasoning(status="x"),),
    ],
)
async def test_empty_answer_is_an_error_unless_it_is_allowed(
    values: tuple[Any, ...], way: str
) -> None:
    """Nothing at all is hardly what was asked for."""
    provider = scripted(AsyncGeneratorProvider, *values, name="Some")
    with pytest.raises(EmptyResponseError, match="Some: the answer is empty"):
        await ask(ChatG4F(provider=provider), way, "hi")
    assert (await ask(ChatG4F(provider=provider, allow_empty=True), way, "hi")).text == ""
