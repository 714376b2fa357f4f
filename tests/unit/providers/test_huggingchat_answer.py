"""The answer of a chat-ui server, byte by byte (docs/protocols/huggingchat.md, section 6)."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import pytest

from langchain_g4f import errors
from langchain_g4f.core.events import (
    Event,
    FinalText,
    Finish,
    ModelInfo,
    Progress,
    Reasoning,
    Text,
    Title,
)
from langchain_g4f.core.http import Headers, ResponseHead
from langchain_g4f.providers.huggingchat.answer import AnswerDecoder
from langchain_g4f.providers.huggingchat.reader import UpdateReader

STARTED = {"type": "status", "status": "started"}
KEEP_ALIVE = {"type": "status", "status": "keepAlive"}
FINISHED = {"type": "status", "status": "finished"}
URL = "http://service.example/conversation/c"


def head(kind: str = "application/jsonl") -> ResponseHead:
    """A successful answer."""
    return ResponseHead(200, Headers([("Content-Type", kind)] if kind else []))


def decoder() -> AnswerDecoder:
    """A new one."""
    return AnswerDecoder(head(), UpdateReader(URL), 1 << 20)


def token(text: str) -> dict[str, Any]:
    """A piece of text as the server sends it."""
    return {"type": "stream", "token": text.ljust(16, "\0")}


def final(text: str, **more: Any) -> dict[str, Any]:
    """The end of an answer."""
    return {"type": "finalAnswer", "text": text, "interrupted": False, **more}


def lines(*updates: Any) -> bytes:
    """The updates, one a line."""
    return b"".join(json.dumps(u, ensure_ascii=False).encode() + b"\n" for u in updates)


def decode(*updates: Any) -> list[Event]:
    """The events of an answer, up to its end."""
    reading = decoder()
    return [*reading.feed(lines(*updates)), *reading.close()]


def text_of(events: list[Event]) -> str:
    """The text of the events."""
    return "".join(event.text for event in events if isinstance(event, Text))


@pytest.mark.parametrize(
    "kind", ["application/jsonl", "application/json; charset=utf-8", "text/event-stream"]
)
def test_answer_of_a_known_content_type_is_read(kind: str) -> None:
    """Older servers announce their lines as an event stream."""
    assert not AnswerDecoder(head(kind), UpdateReader(), 1000).finished


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "application/octet-stream", ""])
def test_answer_of_another_content_type_is_refused(kind: str) -> None:
    """An HTML page is never parsed as an answer; the error names what came."""
    with pytest.raises(errors.MalformedStreamError, match=kind or "no content type") as caught:
        AnswerDecoder(head(kind), UpdateReader(), 1000)
    assert caught.value.provider == "huggingchat"


WHOLE = (STARTED, KEEP_ALIVE, {"type": "title", "title": "T"}, token("Hé"), token("llo 🙂"))
EXPECTED: list[Event] = [Progress("started"), Title("T"), Text("Hé"), Text("llo 🙂"), Finish()]


@pytest.mark.proves("obligation:huggingchat:7")
def test_answer_cut_anywhere_gives_the_same_events() -> None:
    """NULs and padding are gone, characters are whole."""
    data = lines(*WHOLE, final("Héllo 🙂")) + b" " * 4096 + lines(FINISHED)
    single = decoder()
    assert [e for n in range(len(data)) for e in single.feed(data[n : n + 1])] == EXPECTED
    assert single.complete
    for first, second in combinations(range(0, 400, 7), 2):
        cut = decoder()
        pieces = (data[:first], data[first:second], data[second:])
        assert [e for piece in pieces for e in cut.feed(piece)] == EXPECTED
        assert cut.complete


@pytest.mark.parametrize(
    ("raw", "shown"),
    [("a" + "\0" * 15, "a"), ("\0" * 16, ""), ("a\0b\0\0", "a\0b"), (" a \0", " a "), ("", "")],
)
@pytest.mark.proves("obligation:huggingchat:7")
def test_padding_of_a_token_is_stripped_at_its_end_only(raw: str, shown: str) -> None:
    """Blanks are text, and so is a NUL inside."""
    assert text_of(decode({"type": "stream", "token": raw})) == shown


@pytest.mark.proves("obligation:huggingchat:8")
@pytest.mark.parametrize(
    "update",
    [
        {"type": "weather", "sun": True},
        {"type": "status", "status": "napping"},
        {"type": "tool", "subtype": "nap", "uuid": "u"},
        {"type": "elicitation", "subtype": "resolved"},
        {"type": "reasoning", "subtype": "status", "status": "x"},
    ],
)
def test_unknown_update_is_skipped_and_counted(update: dict[str, Any]) -> None:
    """The next version of the server does not break the client."""
    reader = UpdateReader(URL)
    reading = AnswerDecoder(head(), reader, 1 << 20)
    events = [*reading.feed(lines(token("a"), update, token("b"), final("ab")))]
    assert text_of(events) == "ab"
    assert sum(reader.skipped.values()) == 1


@pytest.mark.proves("obligation:huggingchat:8", "obligation:huggingchat:13")
def test_title_and_model_may_come_anywhere_and_unknown_fields_are_ignored() -> None:
    """Before, between and after the text, even after the final answer."""
    title = {"type": "title", "title": "T", "colour": "red"}
    router = {"type": "routerMetadata", "route": "r", "model": "m", "provider": "p"}
    for place in range(4):
        updates = [token("a"), token("b"), {**final("ab"), "new": 1}]
        updates[place:place] = [title, KEEP_ALIVE, router]
        events = decode(*updates, FINISHED)
        assert text_of(events) == "ab"
        assert Title("T") in events
        assert ModelInfo("m", "p", "r") in events


def test_metadata_without_names_says_nothing() -> None:
    """A plain model sends it empty."""
    assert decode({"type": "routerMetadata", "route": "", "model": ""}) == []


@pytest.mark.proves("obligation:huggingchat:9")
@pytest.mark.parametrize(
    ("fields", "kind", "status"),
    [
        ({"message": "402 no credit", "statusCode": 402}, errors.QuotaExceededError, 402),
        ({"message": "slow down", "statusCode": 429}, errors.RateLimitError, 429),
        ({"statusCode": 500}, errors.ServerError, 500),
        ({"message": "nope", "statusCode": 404}, errors.NotFoundError, 404),
        ({"message": "who?", "statusCode": None}, errors.ServerStreamError, None),
        ({"message": "boom"}, errors.ServerStreamError, None),
        ({}, errors.ServerStreamError, None),
        ({"message": None}, errors.ServerStreamError, None),
        ({"message": "No output was generated. Sorry."}, errors.EmptyResponseError, None),
    ],
)
def test_error_in_band_is_the_error_of_its_status(
    fields: dict[str, Any], kind: type[errors.APIError], status: int | None
) -> None:
    """Although the HTTP status is 200; the run is over, and there is nothing to stop."""
    reading, events = decoder(), list[Event]()
    with pytest.raises(kind) as caught:
        events.extend(reading.feed(lines({"type": "status", "status": "error", **fields})))
    assert type(caught.value) is kind
    assert caught.value.provider == "huggingchat"
    assert getattr(caught.value, "status_code", None) == status
    assert (fields.get("message") or "without a message") in str(caught.value)
    assert (reading.finished, reading.complete) == (True, True)


def test_text_before_an_error_is_given_out_first() -> None:
    """Also what was held back because a tag might have begun there."""
    events = decoder().feed(lines(token(" <thi"), {"type": "status", "status": "error"}))
    assert [next(events), next(events)] == [Text(" "), Text("<thi")]
    with pytest.raises(errors.ServerStreamError):
        next(events)


@pytest.mark.proves("obligation:huggingchat:10")
@pytest.mark.parametrize(
    "updates", [[], [STARTED], [STARTED, token("a")], [KEEP_ALIVE, {"type": "title", "title": "T"}]]
)
def test_answer_without_its_final_line_is_not_finished(updates: list[Any]) -> None:
    """Its end is a cut."""
    reading = decoder()
    assert list(reading.feed(lines(*updates))) is not None
    assert list(reading.close()) == []
    assert (reading.finished, reading.complete) == (False, False)


def test_final_line_without_its_line_end_is_read_at_the_end() -> None:
    """Older servers pad it and close."""
    reading = decoder()
    assert list(reading.feed(lines(token("a")) + lines(final("a"))[:-1] + b" " * 99)) == [Text("a")]
    assert list(reading.close()) == [Finish()]
    assert reading.finished


FINALS: list[Any] = [
    pytest.param(["ab"], final("ab"), [Finish()], id="as it was streamed"),
    pytest.param(["ab \n"], final("ab"), [Finish()], id="trimmed"),
    pytest.param([], final("ab"), [Text("ab"), Finish()], id="not streamed"),
    pytest.param([], final(""), [Finish()], id="nothing at all"),
    pytest.param(["abab"], final("ab"), [FinalText("ab"), Finish()], id="started over"),
    pytest.param(["x"], final("ab"), [FinalText("ab"), Finish()], id="another text"),
    pytest.param(
        ["ab"], final("a", interrupted=True), [Finish("interrupted")], id="cut at the stop point"
    ),
    pytest.param(
        ["ab"], final("ab", interrupted=True), [Finish("interrupted")], id="stopped at its end"
    ),
    pytest.param(
        ["<think>w</think>xx"], final("<think>w</think>x"), [FinalText("x"), Finish()], id="thought"
    ),
]


@pytest.mark.proves("obligation:huggingchat:11")
@pytest.mark.parametrize(("streamed", "last", "events"), FINALS)
def test_final_text_counts_where_it_differs(
    streamed: list[str], last: dict[str, Any], events: list[Event]
) -> None:
    """Nothing is doubled, and nothing is missing."""
    reading = decoder()
    list(reading.feed(lines(*map(token, streamed))))
    assert list(reading.feed(lines(last))) == events
    assert (reading.finished, reading.complete) == (True, True)


@pytest.mark.proves("obligation:huggingchat:12")
@pytest.mark.parametrize("pieces", [["<think>why</think>\n\nso"], [*"<think>why</think>so"]])
def test_reasoning_is_split_out_of_the_text(pieces: list[str]) -> None:
    """Wherever the tags are cut, streamed or in the final text alone."""
    for updates in ([*map(token, pieces), final("".join(pieces))], [final("".join(pieces))]):
        events = decode(*updates, FINISHED)
        assert text_of(events) == "so"
        assert "".join(e.text for e in events if isinstance(e, Reasoning)) == "why"
        assert events[-1] == Finish()


def test_reasoning_of_its_own_kind_is_reasoning() -> None:
    """Still defined, though no current server sends it."""
    update = {"type": "reasoning", "subtype": "stream", "token": "why\0\0"}
    assert decode(update) == [Reasoning("why")]


@pytest.mark.parametrize("after", [token("more"), final("more"), {"type": "status", "status": "?"}])
@pytest.mark.parametrize("ending", [[final("a")], [final("a"), FINISHED]])
def test_text_after_the_end_is_ignored(after: dict[str, Any], ending: list[Any]) -> None:
    """In the same piece or in the next."""
    together, apart = decoder(), decoder()
    assert [*together.feed(lines(token("a"), *ending, after))] == [Text("a"), Finish()]
    assert [*apart.feed(lines(token("a"), *ending))] == [Text("a"), Finish()]
    assert [*apart.feed(lines(after))] == []


def test_stream_that_ends_without_an_answer_has_an_end_all_the_same() -> None:
    """A tool asked the user something, and waits."""
    asked = {"type": "elicitation", "subtype": "request", "request": {"message": "sure?"}}
    events = decode(asked, FINISHED)
    assert events == [Progress("elicitation", "sure?", {"message": "sure?"}), Finish("unknown")]
