"""Calls in the text of an answer: split anywhere, several, broken, unknown, huge, or none."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from langchain_g4f.chat_models import tool_calling
from tests.contract.faults.byte_server import ByteServer
from tests.contract.faults.harness import Model, assert_nothing_open
from tests.contract.faults.registry import STREAMS, Provider, fault

NONCE = "k7f2m9q4"
TAG = f'<tool_call id="{NONCE}">'
END = "</tool_call>"
ADD = '<tool_call>{"name": "add", "arguments": {"a": 2, "b": 3}}</tool_call>'
MORE = '<tool_call>{"name": "add", "arguments": {"a": 7, "b": -1}}</tool_call>'
SUM = ("add", {"a": 2, "b": 3})
MORE_SUM = ("add", {"a": 7, "b": -1})


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@pytest.fixture(autouse=True)
def known_nonce(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fix what the bytes of an answer cannot know before the question."""
    monkeypatch.setattr(tool_calling, "new_nonce", lambda: NONCE)


def server_of(provider: Provider, pieces: Sequence[str]) -> ByteServer:
    """A good server that answers with these pieces of text."""
    return provider.server(answer=provider.answering(*provider.whole(*pieces)))


def marked(text: str) -> str:
    """The text with the id in its calls."""
    return text.replace("<tool_call>", TAG)


async def chunks(provider: Provider, server: ByteServer, way: str) -> list[Any]:
    """The chunks of a stream, or the one answer, of a model with a tool; nothing is open then."""
    model: Model = provider.model(server).bind_tools([add])
    match way:
        case "invoke":
            found: list[Any] = [model.invoke("hi")]
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


def made(answer: Any) -> list[tuple[str, Any]]:
    """Name and arguments of each call, all of which have ids of their own."""
    assert len({call["id"] for call in answer.tool_calls}) == len(answer.tool_calls)
    assert all(call["id"] for call in answer.tool_calls)
    return [(call["name"], call["args"]) for call in answer.tool_calls]


def unread(answer: Any) -> list[Any]:
    """What stands in place of the arguments of each invalid call."""
    return [json.loads(call["args"] or "") for call in answer.invalid_tool_calls]


@dataclass(frozen=True)
class Said:
    """What an answer says, and what becomes of it."""

    text: str
    calls: tuple[tuple[str, Any], ...] = (SUM,)
    invalid: tuple[str, ...] = ()
    repaired: int | None = None
    left: str | None = None


BROKEN = {
    "words": "add two and three",
    "no name": '{"arguments": {"a": 2}}',
    "arguments of another kind": '{"name": "add", "arguments": 3}',
    "cut off": '{"name": "add", "arguments": {"a": 2, "b"',
    "nothing": "",
}
AS_TEXT = '{"name": "add", "arguments": "{\\"a\\": 2, \\"b\\": 3}"}'
PROSE = {
    "another tag": "Use <tool> or <tools>, not <tool_calls>.",
    "the tag alone, never opened": "It ends with tool_call> as you know.",
    "bare JSON": '{"name": "add", "arguments": {"a": 2, "b": 3}}',
    "code": "```python\nadd(2, 3) if a < b else <tool\n```",
    "a spelled-out bracket": "&lt;tool_call&gt; is how it begins",
    "a beginning that ends": "The tag is <tool_cal",
}
TWO = (SUM, MORE_SUM)
ANSWERS = {
    "side by side": Said(ADD + MORE, TWO),
    "line by line": Said(f"{ADD}\n{MORE}", TWO),
    "with words between": Said(f"{ADD} and then {MORE}", TWO),
    "in one element": Said(f"{ADD.removesuffix(END)}\n{MORE.removeprefix('<tool_call>')}", TWO),
    "in a list": Said(f"<tool_call>[{ADD[11:-12]}, {MORE[11:-12]}]{END}", TWO),
    "a broken one between": Said(f"{ADD}<tool_call>oops{END}{MORE}", TWO, ("oops",)),
    "an unknown tool": Said(ADD.replace("add", "subtract"), (("subtract", SUM[1]),)),
    "without its end": Said("Well. " + ADD.removesuffix(END), left="Well."),
    "a fence": Said(f"Well. <tool_call>\n```json\n{ADD[11:-12]}\n```\n{END}", repaired=1),
    "single quotes": Said("Well. " + ADD.replace('"', "'"), repaired=1, left="Well."),
    "nothing in single quotes": Said(ADD.replace('"', "'").replace("}<", ",'id':''}<"), repaired=1),
    "a trailing comma": Said(ADD.replace("3}}", "3,},}"), repaired=1),
    "arguments as text": Said(f"<tool_call>{AS_TEXT}{END}", repaired=1),
    **{
        f"{name}, {ending}": Said(f"Well. <tool_call>{text}{end}", (), (text,), left="Well.")
        for name, text in BROKEN.items()
        for ending, end in (("closed", END), ("open", ""))
    },
}


@fault(50, said=ANSWERS)
async def test_calls_are_read_as_they_are_spelled(provider: Provider, way: str, said: Said) -> None:
    """In their order; what cannot be read is reported, and half of it is never run."""
    with server_of(provider, tuple(marked(said.text))) as server:
        answer = whole(await chunks(provider, server, way))
    assert (made(answer), unread(answer)) == ([*said.calls], [*said.invalid])
    if said.repaired:
        assert answer.response_metadata["repaired_calls"] == said.repaired
    if said.left:
        assert answer.text.strip() == said.left


@fault(50, text=PROSE)
async def test_prose_that_looks_like_a_call_is_text(
    provider: Provider, way: str, text: str
) -> None:
    """Not a letter is changed, and nothing waits to be called."""
    with server_of(provider, tuple(text)) as server:
        answer = whole(await chunks(provider, server, way))
    assert answer.text == text
    assert answer.tool_calls == answer.invalid_tool_calls == []
    assert answer.response_metadata["finish_reason"] == provider.finish_reason


SAID = marked(f"Let me <see>: {ADD}")


@fault(50, ways=STREAMS)
async def test_call_that_is_split_anywhere_is_one(provider: Provider, way: str) -> None:
    """Wherever the pieces of the answer end, text and calls are the same."""
    for pieces in (*((SAID[:at], SAID[at:]) for at in range(1, len(SAID), 7)), (SAID,)):
        with server_of(provider, pieces) as server:
            answer = whole(await chunks(provider, server, way))
        assert (answer.text.rstrip(), made(answer)) == ("Let me <see>:", [SUM]), pieces
        assert answer.response_metadata["finish_reason"] == "tool_calls"


@fault(50, ways=STREAMS)
async def test_text_is_given_before_the_call_is_there(provider: Provider, way: str) -> None:
    """Each chunk has what came so far, in the order in which it came."""
    with server_of(provider, ("One ", "two ", marked(ADD), " three", marked(MORE))) as server:
        found = await chunks(provider, server, way)
    order = [c.text.strip() or "call" for c in found if c.text.strip() or c.tool_call_chunks]
    assert order == ["One", "two", "call", "three", "call"]
    assert [p["index"] for c in found for p in c.tool_call_chunks] == [0, 1]
    assert provider.asked(server) == provider.good_call


def in_pieces(text: str, size: int = 16_384) -> list[str]:
    """A long text, as a server would send it."""
    return [text[at : at + size] for at in range(0, len(text), size)]


@fault(50, ways=STREAMS)
async def test_arguments_of_a_megabyte_come_whole(provider: Provider, way: str) -> None:
    """In one chunk; the text before them does not wait."""
    payload = "é<\\n>" * 200_000
    call = json.dumps({"name": "add", "arguments": {"text": payload}}, ensure_ascii=False)
    with server_of(provider, ("Here ", "it is. ", TAG, *in_pieces(call), END)) as server:
        found = await chunks(provider, server, way)
    answer = whole(found)
    assert len(payload.encode()) > 1 << 20
    assert made(answer) == [("add", {"text": payload})]
    assert answer.text.rstrip() == "Here it is."
    assert [chunk.text for chunk in found if chunk.text][:1] == ["Here "]
    assert len([chunk for chunk in found if chunk.tool_call_chunks]) == 1


HOSTILE = {"objects": "{} ", "quotes": "{'", "commas": '{"a":1,} '}


@fault(58, unit=HOSTILE)
async def test_megabyte_that_is_slow_to_read_is_an_invalid_call(
    provider: Provider, way: str, unit: str
) -> None:
    """It is reported whole, and the time it takes is that of any call of its length."""
    text = unit * (1_000_000 // len(unit))
    with server_of(provider, (f"Well. {TAG}", *in_pieces(text), END)) as server:
        begin = time.thread_time()
        answer = whole(await chunks(provider, server, way))
    assert time.thread_time() - begin < 1
    assert answer.tool_calls == []
    assert unread(answer) == [text.strip()]
