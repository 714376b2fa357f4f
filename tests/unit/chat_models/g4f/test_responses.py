"""Everything that a provider yields, in messages, in content blocks and as progress."""

from __future__ import annotations

from dataclasses import replace
from itertools import repeat
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda

from langchain_g4f import BaseChatG4F, ChatG4F
from langchain_g4f.core.limits import KIB, Sizes
from langchain_g4f.errors import EmptyResponseError, TooLargeError
from tests.g4f_standins import responses as r
from tests.g4f_standins.providers import (
    AbstractProvider,
    AsyncGeneratorProvider,
    AsyncProvider,
    Do,
    chat,
)
from tests.unit.chat_models.g4f.conftest import Ask, read
from tests.unit.chat_models.g4f.response_rows import CALL, ROWS, URL

BASES = [AsyncGeneratorProvider, AbstractProvider]
by_base = pytest.mark.parametrize("base", BASES)


@pytest.mark.proves("g4f:8:aggregated")
@by_base
@pytest.mark.parametrize(("values", "expected"), ROWS)
async def test_response_is_mapped(
    values: list[Any], expected: dict[str, Any], base: Any, ask: Ask
) -> None:
    """To what it is in LangChain, the same in all ways to ask, and with no secret in it."""
    steps: list[Any] = []
    answer = await ask(chat(*values, base=base, on_progress=steps.append))
    extra = answer.additional_kwargs
    assert answer.content == expected.get("text", "")
    assert extra.get("reasoning_content", "") == expected.get("reasoning", "")
    assert extra.get("files", []) == expected.get("files", [])
    assert extra.get("sources", []) == expected.get("sources", [])
    calls = [(call["name"], call["args"], call["id"]) for call in answer.tool_calls]
    assert calls == expected.get("calls", [])
    assert answer.usage_metadata == expected.get("usage")
    assert answer.response_metadata == {
        "model_provider": "g4f",
        "model_name": "default",
        "finish_reason": expected.get("reason", "stop"),
        **({"sources": extra["sources"]} if "sources" in extra else {}),
        **expected.get("metadata", {}),
    }
    assert [(step.kind, step.message) for step in steps] == expected.get("told", [])
    assert "canary" not in repr((answer, steps))


RECORDS = [
    (r.PlainTextResponse("x"), "5:text-records", {"text": "x"}),
    (r.VariantResponse("x"), "5:text-records", {"text": "x"}),
    (r.ContinueResponse("x"), "5:text-records", {"text": "x"}),
    (r.DebugResponse("x"), "5:debug", {"log": "x"}),
    (r.RawResponse(a=1), "5:raw", {"a": 1}),
    (r.JsonRequest(a=1, headers={"cookie": "canary"}), "5:json-records", {"a": 1}),
    (r.JsonResponse(a=1), "5:json-records", {"a": 1}),
    (r.HeadersResponse(a=1, cookies={"c": "canary"}), "5:json-records", {"a": 1}),
]


@pytest.mark.proves("g4f:9:include-raw")
@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        pytest.param(record, wanted, id=type(record).__name__, marks=pytest.mark.proves(f"g4f:{p}"))
        for record, p, wanted in RECORDS
    ],
)
async def test_record_is_dropped_unless_it_is_wanted(
    record: Any, wanted: dict[str, Any], ask: Ask
) -> None:
    """It comes with every event, and is no part of the answer."""
    plain = await ask(chat(record, "a", record))
    assert (plain.text, plain.additional_kwargs) == ("a", {})
    raw = await ask(chat(record, "a", record, include_raw=True))
    value = {"type": type(record).__name__, **wanted}
    assert raw.text == "a"
    assert [each["value"] for each in raw.additional_kwargs["non_standard"]] == [value] * 2
    found = [each for each in raw.content_blocks if each["type"] == "non_standard"]
    assert [each["value"] for each in found] == [value] * 2


class Odd:
    __slots__ = ("secret",)


@pytest.mark.proves("g4f:5:unknown", "g4f:9:unknown")
@pytest.mark.parametrize("value", [Odd(), 7, type("Later", (r.ResponseType,), {"x": 1})()])
async def test_unknown_object_is_left_out_with_one_warning(value: Any, ask: Ask) -> None:
    """Its text is made for a page, and not for a program."""
    name = type(value).__name__
    with pytest.warns(UserWarning, match=f"Some yields a {name}, which is not known") as caught:
        answer = await ask(chat(value, "a", value, name="Some"))
    assert (answer.text, len(caught)) == ("a", 1)
    raw = await ask(chat(value, "a", value, include_raw=True))
    assert [each["value"] for each in raw.additional_kwargs["non_standard"]] == [{"type": name}] * 2


@pytest.mark.proves("g4f:9:empty-answer", "g4f:7:no-content", "g4f:5:empty")
@pytest.mark.parametrize(
    "values",
    [
        (),
        (None, ""),
        (r.Usage(prompt_tokens=1), r.FinishReason("stop")),
        (r.Reasoning(status="x"),),
    ],
)
async def test_empty_answer_is_an_error_unless_it_is_allowed(
    values: tuple[Any, ...], ask: Ask
) -> None:
    """Nothing at all is hardly what was asked for."""
    with pytest.raises(EmptyResponseError, match="Some: the answer is empty"):
        await ask(chat(*values, name="Some"))
    assert (await ask(chat(*values, allow_empty=True))).text == ""


# -- content blocks --------------------------------------------------------------------------------

EVERYTHING = (
    r.ProviderInfo(name="P", model="big"),
    r.Reasoning(token="why"),
    "a",
    r.Sources([{"url": "https://a.example", "title": "A"}]),
    "b",
    r.ImageResponse(URL, "a cat"),
    r.VideoResponse("https://v.example/1"),
    r.AudioResponse(b"\x00", transcript="hi"),
    r.ToolCalls([CALL]),
    r.JsonConversation(id="1"),
    r.Usage(prompt_tokens=1, completion_tokens=2),
)
CITATION = {"type": "citation", "url": "https://a.example", "title": "A"}
BLOCKS = [
    {"type": "reasoning", "reasoning": "why"},
    {"type": "text", "text": "ab", "annotations": [CITATION]},
    {"type": "image", "extras": {"alt": "a cat"}, "url": URL},
    {"type": "video", "extras": {}, "url": "https://v.example/1"},
    {"type": "audio", "extras": {"transcript": "hi"}, "mime_type": "audio/mpeg", "base64": "AA=="},
    {"type": "tool_call", "name": "add", "args": {"a": 2}, "id": "c1"},
]


def without_indexes(blocks: Any) -> list[dict[str, Any]]:
    """The blocks, as they are compared."""
    return [{n: v for n, v in dict(block).items() if n != "index"} for block in blocks]


@pytest.mark.proves("g4f:9:v1", "g4f:9:files", "g4f:5:image", "g4f:5:video", "g4f:5:audio")
@pytest.mark.parametrize("version", ["v1", None])
async def test_blocks_are_the_same_in_content_and_in_content_blocks(
    version: str | None, ask: Ask
) -> None:
    """In content where they are asked for there; and always where LangChain looks for them."""
    answer = await ask(chat(*EVERYTHING, output_version=version))
    assert without_indexes(answer.content_blocks) == BLOCKS
    assert answer.text == "ab"
    if version == "v1":
        assert isinstance(answer.content, list)
        assert without_indexes(answer.content) == BLOCKS
        assert answer.response_metadata["output_version"] == "v1"
    else:
        assert answer.content == "ab"


@pytest.mark.proves("g4f:9:v1")
async def test_streamed_blocks_have_indexes(mode: str) -> None:
    """So that pieces of one block are joined, and no others."""
    chunks = await read(chat(*EVERYTHING, output_version="v1"), mode)
    blocks = [block for chunk in chunks for block in chunk.content if isinstance(block, dict)]
    kinds = {block["type"] for block in blocks}
    assert {"reasoning", "text", "image", "video", "audio", "tool_call_chunk"} <= kinds
    assert all("index" in block for block in blocks if block["type"] != "tool_call")


@pytest.mark.proves("g4f:5:conversation")
async def test_conversation_is_read_when_the_answer_has_ended(ask: Ask) -> None:
    """It is yielded at the start, and its provider writes to it later."""
    state = r.JsonConversation(id="1", last="")
    answer = await ask(chat(state, "a", Do(lambda: setattr(state, "last", "m2"))))
    assert answer.response_metadata["conversation"] == {"id": "1", "last": "m2"}


# -- progress --------------------------------------------------------------------------------------

STEPS = (
    r.Reasoning(status="reading", label="L"),
    r.RequestLogin("Some", "https://login.example"),
    r.ImagePreview("https://a.example/half.png", "half", {}),
    "a",
    r.TitleGeneration("A title"),
)
LOGIN = {"login_url": "https://login.example", "label": "Some"}
PREVIEW = {"urls": "https://a.example/half.png", "alt": "half", "options": {}}
PAYLOADS: list[dict[str, Any]] = [
    {"type": "g4f_progress", "provider": "g4f", **each}
    for each in (
        {"kind": "status", "message": "reading", "label": "L"},
        {"kind": "login_required", "message": "Some wants a login", **LOGIN},
        {"kind": "preview", "message": "", **PREVIEW},
        {"kind": "title", "message": "A title"},
    )
]


@pytest.mark.proves("g4f:9:events", "g4f:8:login")
@by_base
async def test_progress_inside_a_parent_run_is_a_custom_event(base: Any, mode: str) -> None:
    """For programs that watch the events of a chain."""
    model: ChatG4F = chat(*STEPS, base=base)

    def call(text: str) -> str:
        return model.invoke(text).text

    async def acall(text: str) -> str:
        return (await model.ainvoke(text)).text

    parent = RunnableLambda(call, acall) if mode == "async" else RunnableLambda(call)
    events: list[Any] = [event async for event in parent.astream_events("hi", version="v2")]
    found = [event for event in events if event["event"] == "on_custom_event"]
    assert {event["name"] for event in found} == {"g4f_progress"}
    assert [event["data"] for event in found] == PAYLOADS


# -- answers without an end ------------------------------------------------------------------------

LIMIT = 64 * KIB
MUCH = "x" * (LIMIT // 8)
ENDLESS: dict[str, Any] = {
    "text": MUCH,
    "bytes": MUCH.encode(),
    "reasoning": r.Reasoning(token=MUCH),
    "image": r.ImageResponse("data:image/png;base64," + MUCH),
    "sound": r.AudioResponse(MUCH.encode()),
    "calls": r.ToolCalls([{"function": {"name": "a", "arguments": f'{{"a": "{MUCH}"}}'}}]),
    "sources": r.Sources([{"url": "https://a.example/" + MUCH}]),
}


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let answers have 64 KiB."""
    limits = BaseChatG4F._limits
    sizes = Sizes(response=LIMIT)
    monkeypatch.setattr(BaseChatG4F, "_limits", lambda self: replace(limits(self), sizes=sizes))


@pytest.mark.proves("fault:68:G4")
@pytest.mark.usefixtures("small_limit")
@by_base
@pytest.mark.parametrize("what", ENDLESS)
async def test_answer_that_never_ends_is_too_large(what: str, base: Any, ask: Ask) -> None:
    """Whatever it is made of; no more of it is kept than the limit of every other answer."""
    model = chat(*repeat(ENDLESS[what], 9), base=base)
    with pytest.raises(TooLargeError, match=f"larger than {LIMIT} bytes") as caught:
        await ask(model)
    assert len(caught.value.partial_text) <= LIMIT
    assert model.wrapped.closed == ["closed"]


@pytest.mark.proves("fault:68:G4")
@pytest.mark.usefixtures("small_limit")
async def test_whole_answer_has_the_same_limit(ask: Ask) -> None:
    """All of it at once, up to the last byte."""
    assert len((await ask(chat("x" * LIMIT, base=AsyncProvider))).text) == LIMIT
    with pytest.raises(TooLargeError):
        await ask(chat("x" * (LIMIT + 1), base=AsyncProvider))


def test_usual_limit_is_64_mib() -> None:
    """As of every other answer."""
    assert chat("a")._limits().sizes.response == 64 * 1024 * KIB
