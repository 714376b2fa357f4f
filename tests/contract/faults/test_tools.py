"""Calls in the text of an answer: split anywhere, several, broken, unknown, huge, or none."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk, InvalidToolCall, ToolCall

from langchain_g4f.chat_models import tool_calling
from tests.contract.faults.byte_server import ByteServer
from tests.contract.faults.harness import WAYS, Model, assert_nothing_open, by_stream, by_way
from tests.contract.faults.registry import Provider, fault

NONCE = "k7f2m9q4"
TAG = f'<tool_call id="{NONCE}">'
ADD = '<tool_call>{"name": "add", "arguments": {"a": 2, "b": 3}}</tool_call>'
MORE = '<tool_call>{"name": "add", "arguments": {"a": 7, "b": -1}}</tool_call>'
SUM = ("add", {"a": 2, "b": 3})
MORE_SUM = ("add", {"a": 7, "b": -1})


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the bytes of an answer cannot know before the question."""
    monkeypatch.setattr(tool_calling, "new_nonce", lambda: NONCE)


def server_of(provider: Provider, pieces: Sequence[str]) -> ByteServer:
    """A good server that answers with these pieces of text."""
    return provider.server(answer=provider.answering(*provider.whole(*pieces)))


def marked(text: str) -> str:
    """The text with the id in its calls."""
    return text.replace("<tool_call>", TAG)


def model_of(provider: Provider, server: ByteServer) -> Model:
    """A model that is told of a tool."""
    return provider.model(server).bind_tools([add])


async def chunks(model: Model, way: str) -> list[Any]:
    """The chunks of a stream, or the one answer; afterwards nothing is open."""
    match way:
        case "invoke":
            found = [model.invoke("hi")]
        case "ainvoke":
            found = [await model.ainvoke("hi")]
        case "stream":
            found = list(model.stream("hi"))
        case _:
            found = [chunk async for chunk in model.astream("hi")]
    assert_nothing_open()
    return found


def whole(found: Sequence[Any]) -> Any:
    """The answer; of a stream, its sum, which nothing in it takes back."""
    total, text = found[0], found[0].text
    for chunk in found[1:]:
        total += chunk
        text += chunk.text
        assert total.text == text, "what was said was taken back"
    return total


def made(calls: Sequence[ToolCall]) -> list[tuple[str, Any]]:
    """Name and arguments of each call."""
    assert len({call["id"] for call in calls}) == len(calls)
    assert all(call["id"] for call in calls)
    return [(call["name"], call["args"]) for call in calls]


def unread(calls: Sequence[InvalidToolCall]) -> list[Any]:
    """What stands in place of the arguments of each call."""
    return [json.loads(call["args"] or "") for call in calls]


SAID = marked(f"Let me <see>: {ADD}")
SPLITS = {f"at {at}": (SAID[:at], SAID[at:]) for at in range(1, len(SAID), 3)}


@fault(50)
@by_stream
async def test_call_that_is_split_anywhere_is_one(provider: Provider, way: str) -> None:
    """Wherever the pieces of the answer end, text and calls are the same."""
    for pieces in (*SPLITS.values(), tuple(SAID), (SAID,)):
        with server_of(provider, pieces) as server:
            found = await chunks(model_of(provider, server), way)
        answer = whole(found)
        assert (answer.text.rstrip(), made(answer.tool_calls)) == ("Let me <see>:", [SUM]), pieces
        assert answer.response_metadata["finish_reason"] == "tool_calls"


TWO = {
    "side by side": ADD + MORE,
    "line by line": f"{ADD}\n{MORE}",
    "with words between": f"{ADD} and then {MORE}",
    "in one element": ADD.removesuffix("</tool_call>") + "\n" + MORE.removeprefix("<tool_call>"),
    "in a list": f"<tool_call>[{ADD[11:-12]}, {MORE[11:-12]}]</tool_call>",
}


@fault(50)
@by_way
@pytest.mark.parametrize("text", TWO.values(), ids=TWO)
async def test_two_calls_are_two_in_their_order(provider: Provider, way: str, text: str) -> None:
    """However they stand in the answer; each has an id of its own."""
    with server_of(provider, tuple(marked(text))) as server:
        answer = whole(await chunks(model_of(provider, server), way))
    assert made(answer.tool_calls) == [SUM, MORE_SUM]
    assert answer.invalid_tool_calls == []


REPAIRED = {
    "a fence": f"<tool_call>\n```json\n{ADD[11:-12]}\n```\n</tool_call>",
    "single quotes": ADD.replace('"', "'"),
    "nothing in single quotes": ADD.replace('"', "'").replace("}<", ",'id':''}<"),
    "a trailing comma": ADD.replace("3}}", "3,},}"),
    "arguments as text": '<tool_call>{"name": "add", "arguments": "{\\"a\\": 2, \\"b\\": 3}"}'
    "</tool_call>",
}


@fault(50)
@by_way
@pytest.mark.parametrize("text", REPAIRED.values(), ids=REPAIRED)
async def test_odd_spelling_of_a_call_is_repaired(provider: Provider, way: str, text: str) -> None:
    """The call is made, and the repair is told."""
    with server_of(provider, ("Well. ", *marked(text))) as server:
        answer = whole(await chunks(model_of(provider, server), way))
    assert made(answer.tool_calls) == [SUM]
    assert answer.text.strip() == "Well."
    assert answer.response_metadata["repaired_calls"] == 1


@fault(50)
@by_way
async def test_whole_call_without_its_end_is_made(provider: Provider, way: str) -> None:
    """Nothing of it is missing but the tag."""
    with server_of(provider, ("Well. ", *marked(ADD.removesuffix("</tool_call>")))) as server:
        answer = whole(await chunks(model_of(provider, server), way))
    assert made(answer.tool_calls) == [SUM]
    assert answer.text.strip() == "Well."


BROKEN = {
    "words": "add two and three",
    "no name": '{"arguments": {"a": 2}}',
    "arguments of another kind": '{"name": "add", "arguments": 3}',
    "cut off": '{"name": "add", "arguments": {"a": 2, "b"',
    "nothing": "",
}


@fault(50)
@by_way
@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("closed", [True, False], ids=["closed", "open"])
async def test_call_that_cannot_be_read_is_an_invalid_one(
    provider: Provider, way: str, text: str, closed: bool
) -> None:
    """It is reported and raises nothing; half of its arguments are never run."""
    said = f"Well. <tool_call>{text}" + "</tool_call>" * closed
    with server_of(provider, tuple(marked(said))) as server:
        answer = whole(await chunks(model_of(provider, server), way))
    assert answer.tool_calls == []
    assert unread(answer.invalid_tool_calls) == [text]
    assert answer.text.strip() == "Well."


@fault(50)
@by_way
async def test_broken_call_spoils_none_beside_it(provider: Provider, way: str) -> None:
    """Each is read for itself."""
    said = f"{ADD}<tool_call>oops</tool_call>{MORE}"
    with server_of(provider, tuple(marked(said))) as server:
        answer = whole(await chunks(model_of(provider, server), way))
    assert made(answer.tool_calls) == [SUM, MORE_SUM]
    assert unread(answer.invalid_tool_calls) == ["oops"]


@fault(50)
@by_way
async def test_call_of_an_unknown_tool_is_a_call(provider: Provider, way: str) -> None:
    """Whoever runs the tools says that there is none of that name, and the model can mend it."""
    with server_of(provider, (marked(ADD.replace("add", "subtract")),)) as server:
        answer = whole(await chunks(model_of(provider, server), way))
    assert made(answer.tool_calls) == [("subtract", SUM[1])]
    assert answer.invalid_tool_calls == []


PROSE = {
    "another tag": "Use <tool> or <tools>, not <tool_calls>.",
    "the tag alone, never opened": "It ends with tool_call> as you know.",
    "bare JSON": '{"name": "add", "arguments": {"a": 2, "b": 3}}',
    "code": "```python\nadd(2, 3) if a < b else <tool\n```",
    "a spelled-out bracket": "&lt;tool_call&gt; is how it begins",
    "a beginning that ends": "The tag is <tool_cal",
}


@fault(50)
@by_way
@pytest.mark.parametrize("text", PROSE.values(), ids=PROSE)
async def test_prose_that_looks_like_a_call_is_text(
    provider: Provider, way: str, text: str
) -> None:
    """Not a letter is changed, and nothing waits to be called."""
    with server_of(provider, tuple(marked(text))) as server:
        answer = whole(await chunks(model_of(provider, server), way))
    assert answer.text == text
    assert answer.tool_calls == answer.invalid_tool_calls == []
    assert answer.response_metadata["finish_reason"] == provider.finish_reason


@fault(50)
@pytest.mark.parametrize("way", WAYS)
async def test_arguments_of_a_megabyte_come_whole(provider: Provider, way: str) -> None:
    """In one chunk; the text before them does not wait."""
    payload = "é<\\n>" * 200_000
    call = json.dumps({"name": "add", "arguments": {"text": payload}}, ensure_ascii=False)
    size = 16_384
    pieces = [call[at : at + size] for at in range(0, len(call), size)]
    said = ("Here ", "it is. ", TAG, *pieces, "</tool_call>")
    with server_of(provider, said) as server:
        found = await chunks(model_of(provider, server), way)
    answer = whole(found)
    assert len(payload.encode()) > 1 << 20
    assert made(answer.tool_calls) == [("add", {"text": payload})]
    assert answer.text.rstrip() == "Here it is."
    if way in ("stream", "astream"):
        assert [chunk.text for chunk in found if chunk.text][:1] == ["Here "]
        assert len([chunk for chunk in found if chunk.tool_call_chunks]) == 1


HOSTILE = {"objects": "{} ", "quotes": "{'", "commas": '{"a":1,} '}


@fault(58)
@by_way
@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
async def test_megabyte_that_is_slow_to_read_is_an_invalid_call(
    provider: Provider, way: str, unit: str
) -> None:
    """It is reported whole, and the time it takes is that of any call of its length."""
    text = unit * (1_000_000 // len(unit))
    size = 16_384
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    with server_of(provider, (f"Well. {TAG}", *pieces, "</tool_call>")) as server:
        begin = time.thread_time()
        answer = whole(await chunks(model_of(provider, server), way))
    assert time.thread_time() - begin < 1
    assert answer.tool_calls == []
    assert unread(answer.invalid_tool_calls) == [text.strip()]


@fault(50)
@by_stream
async def test_text_is_given_before_the_call_is_there(provider: Provider, way: str) -> None:
    """Each chunk has what came so far, in the order in which it came."""
    with server_of(provider, ("One ", "two ", marked(ADD), " three", marked(MORE))) as server:
        found: list[AIMessageChunk] = await chunks(model_of(provider, server), way)
    order = [c.text.strip() or "call" for c in found if c.text.strip() or c.tool_call_chunks]
    assert order == ["One", "two", "call", "three", "call"]
    assert [p["index"] for c in found for p in c.tool_call_chunks] == [0, 1]
    assert provider.asked(server) == provider.good_call
