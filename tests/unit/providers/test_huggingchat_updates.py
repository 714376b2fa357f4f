"""What an answer may hold beside its text (docs/protocols/huggingchat.md, 6, 7 and 9.2)."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f.core.events import (
    Event,
    File,
    FinalText,
    Finish,
    Progress,
    Reasoning,
    ServerToolCall,
    ServerToolResult,
    Source,
    Text,
)
from langchain_g4f.errors import MalformedStreamError
from langchain_g4f.providers.huggingchat.reader import UpdateReader
from tests.unit.providers.test_huggingchat_answer import (
    STARTED,
    URL,
    decode,
    final,
    text_of,
    token,
)


def tool(subtype: str, **fields: Any) -> dict[str, Any]:
    """Something about the tool call u."""
    return {"type": "tool", "subtype": subtype, "uuid": "u", **fields}


def call(name: str = "add", **parameters: Any) -> dict[str, Any]:
    """A tool call of the server."""
    return tool("call", call={"name": name, "parameters": parameters})


def result(*outputs: Any, **fields: Any) -> dict[str, Any]:
    """What came out of it."""
    return tool("result", result={"status": "success", "outputs": [*outputs], **fields})


IMAGE = {"type": "image", "data": "aGk=", "mimeType": "image/webp"}

UPDATES: list[Any] = [
    pytest.param(call(a=2), [ServerToolCall("u", "add", {"a": 2})], id="call"),
    pytest.param(
        tool("call", call={"name": "now"}), [ServerToolCall("u", "now", {})], id="no arguments"
    ),
    pytest.param(result({"text": "5"}), [ServerToolResult("u", "5")], id="result"),
    pytest.param(
        result({"text": "5"}, {"text": "6"}, message="m"),
        [ServerToolResult("u", "m\n5\n6")],
        id="several outputs",
    ),
    pytest.param(result(), [ServerToolResult("u", "")], id="no output"),
    pytest.param(
        result({"text": "bad"}, status="error"),
        [ServerToolResult("u", "bad", is_error=True)],
        id="failed result",
    ),
    pytest.param(
        tool("error", message="boom"), [ServerToolResult("u", "boom", is_error=True)], id="error"
    ),
    pytest.param(
        result({"text": "", "content": [{"type": "text", "text": "x"}, IMAGE]}),
        [ServerToolResult("u", ""), File("tool-2.webp", "image/webp", data=b"hi")],
        id="image",
    ),
    pytest.param(
        result({"content": [{"type": "image", "data": "aGk="}]}),
        [ServerToolResult("u", ""), File("tool-1.png", "image/png", data=b"hi")],
        id="image of no type",
    ),
    pytest.param(
        tool("progress", progress=1, message="half"),
        [Progress("tool_progress", "half", tool("progress", progress=1, message="half"))],
        id="progress",
    ),
    pytest.param(tool("eta", eta=3), [Progress("tool_eta", "", tool("eta", eta=3))], id="eta"),
    pytest.param(
        {"type": "webSearch", "subtype": "update", "message": "Searching", "args": ["a", "b"]},
        [Progress("web_search_update", "Searching: a, b")],
        id="web search",
    ),
    pytest.param(
        {"type": "webSearch", "subtype": "finished"}, [Progress("web_search_finished")], id="done"
    ),
    pytest.param(
        {
            "type": "webSearch",
            "subtype": "sources",
            "sources": [{"link": "http://a", "title": "A"}, {"link": "http://b"}],
        },
        [Source("http://a", "A"), Source("http://b")],
        id="sources",
    ),
    pytest.param(
        {"type": "file", "name": "x.png", "sha": "5e", "mime": "image/png"},
        [File("x.png", "image/png", f"{URL}/output/5e")],
        id="file",
    ),
    pytest.param(
        {"type": "file", "name": "x", "sha": "5e"},
        [File("x", "application/octet-stream", f"{URL}/output/5e")],
        id="file of no type",
    ),
]


@pytest.mark.parametrize(("update", "events"), UPDATES)
def test_update_is_its_event(update: dict[str, Any], events: list[Event]) -> None:
    """What the server did on the way reaches the caller."""
    assert decode(update) == events


def test_page_that_is_named_again_is_one_source() -> None:
    """The final answer repeats what the search found."""
    found = {"type": "webSearch", "subtype": "sources", "sources": [{"link": "http://a"}]}
    last = final("x", webSources=[{"uri": "http://a"}, {"uri": "http://b", "title": "B"}])
    events = decode(found, token("x"), last)
    assert [e for e in events if isinstance(e, Source)] == [
        Source("http://a"),
        Source("http://b", "B"),
    ]
    assert events[-1] == Finish()


@pytest.mark.proves("obligation:huggingchat:11")
def test_final_text_after_a_tool_call_is_that_of_the_last_round() -> None:
    """What was said before the call was streamed only, and stays."""
    rounds = [token("let me see. "), call(), result({"text": "5"}), token("it is 5")]
    events = decode(*rounds, final("it is 5"))
    assert text_of(events) == "let me see. it is 5"
    assert not [e for e in events if isinstance(e, FinalText)]
    events = decode(*rounds, final("it is five"))
    assert [e for e in events if isinstance(e, FinalText)] == [FinalText("let me see. it is five")]


BROKEN: list[Any] = [
    pytest.param({}, "'type'", id="no type"),
    pytest.param({"type": None}, "'type'", id="type null"),
    pytest.param({"type": 7}, "'type'", id="type number"),
    pytest.param({"type": "stream"}, "'token'", id="no token"),
    pytest.param({"type": "stream", "token": 7}, "'token'", id="token number"),
    pytest.param({"type": "status"}, "'status'", id="no status"),
    pytest.param({"type": "status", "status": []}, "'status'", id="status list"),
    pytest.param(
        {"type": "status", "status": "error", "statusCode": "500"}, "'statusCode'", id="code text"
    ),
    pytest.param({"type": "finalAnswer"}, "'text'", id="no text"),
    pytest.param({"type": "finalAnswer", "text": None}, "'text'", id="text null"),
    pytest.param(final("x", interrupted="no"), "'interrupted'", id="interrupted text"),
    pytest.param(final("x", webSources={}), "'webSources'", id="sources object"),
    pytest.param({"type": "title"}, "'title'", id="no title"),
    pytest.param({"type": "routerMetadata", "model": 1}, "'model'", id="model number"),
    pytest.param({"type": "reasoning", "subtype": "stream"}, "'token'", id="no reasoning"),
    pytest.param(tool("call"), "'call'", id="no call"),
    pytest.param(tool("call", call=[]), "'call'", id="call list"),
    pytest.param(tool("call", call={}), "'name'", id="no name"),
    pytest.param(tool("call", call={"name": "x", "parameters": 1}), "'parameters'", id="number"),
    pytest.param(tool("result"), "'result'", id="no result"),
    pytest.param(result("x"), "'text'", id="output text"),
    pytest.param(result({"text": 1}), "'text'", id="output number"),
    pytest.param(result({"content": [{"type": "image"}]}), "'data'", id="no data"),
    pytest.param(result({"content": [{**IMAGE, "data": "?"}]}), "'data'", id="no base64"),
    pytest.param(result({"content": [{**IMAGE, "data": "ä"}]}), "'data'", id="no ascii"),
    pytest.param({"type": "file", "name": "x"}, "'sha'", id="no sha"),
    pytest.param({"type": "file", "sha": "x"}, "'name'", id="no file name"),
    pytest.param({"type": "webSearch"}, "'subtype'", id="no subtype"),
    pytest.param(
        {"type": "webSearch", "subtype": "sources", "sources": [{}]}, "'link'", id="no link"
    ),
    pytest.param({"type": "elicitation", "subtype": "request"}, "'request'", id="no request"),
]


@pytest.mark.parametrize(("update", "key"), BROKEN)
def test_update_of_another_shape_is_an_error_that_names_the_key(
    update: dict[str, Any], key: str
) -> None:
    """Never a bare KeyError or TypeError."""
    with pytest.raises(MalformedStreamError, match=key):
        decode(STARTED, update)


def test_reader_knows_what_it_has_seen() -> None:
    """For a stop point and for taking an answer up again."""
    reader = UpdateReader()
    updates: list[dict[str, Any]] = [STARTED, token("a🙂"), call(), STARTED]
    events = [event for update in updates for event in reader.update(update)]
    assert Text("a🙂") in events
    assert (reader.length, reader.seen_length) == (2, 3)
    assert reader.seen == {"status  started ": 2, "tool call  u": 1}


def test_kind_of_an_unknown_update_is_counted_without_what_it_may_hide() -> None:
    """It is the server's word, and may be anything."""
    reader = UpdateReader()
    assert list(reader.update({"type": f"token={'x' * 99}\x1b"})) == []
    ((kind, count),) = reader.skipped.items()
    assert count == 1
    assert len(kind) <= 41
    assert "xxx" not in kind


@pytest.mark.parametrize("restarted", [False, True])
def test_each_round_of_an_answer_may_begin_with_reasoning(restarted: bool) -> None:
    """In the midst of its text the tag is text, in a new version of the last round, too."""
    said = "<think>b</think>c <think>d"
    first = [token("<think>a</think>One <think>. "), call()]
    events = decode(*first, token(said), final(f"{said}!" if restarted else said))
    assert [event.text for event in events if isinstance(event, Reasoning)] == ["a", "b"]
    assert text_of(events) == "One <think>. c <think>d"
    replaced = [event.text for event in events if isinstance(event, FinalText)]
    assert replaced == (["One <think>. c <think>d!"] if restarted else [])
