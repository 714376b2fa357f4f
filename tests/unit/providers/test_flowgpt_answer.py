"""FlowGPT's answer, byte by byte (docs/protocols/flowgpt.md, section 6)."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

import pytest

from langchain_g4f import errors
from langchain_g4f.core.events import Event, Finish, Text
from langchain_g4f.providers.flowgpt import FlowGPTDecoder
from tests.contract.recordings.flowgpt.marks import obligations
from tests.unit.providers.flowgpt_lines import decode, decoder, head, heard, lines, text_of


@obligations(4, 5)
@pytest.mark.proves("fault:18:FG", "fault:19:FG", "fault:20:FG", "fault:21:FG")
def test_answer_cut_anywhere_gives_the_same_events() -> None:
    """Lines and characters may be split, several may come at once, and none is padding."""
    start, end = {"event": "start", "data": {"id": "m"}}, {"event": "end", "data": None}
    texts = ("Seg", "ún ", "日本\u2028\u0085\r", "", "😃\0")
    data = b"\n\r\n" + lines(start, *texts[:2]) + b'{"ping":1}\n' + lines(*texts[2:], end)
    expected: list[Event] = [
        *(Text(text) for text in texts if text),
        Finish("unknown"),
    ]
    skipped: Counter[str] = Counter()
    assert decode(data, FlowGPTDecoder(head(), 1 << 20, "", skipped)) == expected
    assert skipped == {"start": 1, "end": 1}
    single = decoder()
    pieces = [e for n in range(len(data)) for e in single.feed(data[n : n + 1])]
    assert [*pieces, *single.close()] == expected
    for first, second in combinations(range(0, len(data), 5), 2):
        cut = decoder()
        pieces = [e for p in (data[:first], data[first:second], data[second:]) for e in cut.feed(p)]
        assert [*pieces, *cut.close()] == expected


@pytest.mark.proves("fault:15:FG")
def test_end_of_the_body_is_an_end_of_which_nothing_is_known() -> None:
    """No marker says that the answer is whole."""
    reading = decoder()
    assert list(reading.feed(lines("a"))) == [Text("a")]
    assert (reading.finished, reading.complete) == (False, False)
    assert list(reading.close()) == [Finish("unknown")]
    assert reading.finished


def test_last_line_may_lack_its_end() -> None:
    """If it is whole."""
    assert decode(lines("a", "b").rstrip()) == [Text("a"), Text("b"), Finish("unknown")]


@obligations(6)
@pytest.mark.parametrize("cut", range(1, len(lines("secònd").rstrip())))
def test_answer_cut_inside_a_line_is_not_finished(cut: int) -> None:
    """What had come before is given out, the rest is malformed, and the driver calls it cut."""
    found, error = heard(lines("first ") + lines("secònd")[:cut])
    assert isinstance(error, errors.MalformedStreamError)
    assert found == [Text("first ")]
    reading = decoder()
    list(reading.feed(lines("first ") + lines("secònd")[:cut]))
    with pytest.raises(errors.MalformedStreamError):
        list(reading.close())
    assert not reading.finished


@obligations(6)
@pytest.mark.parametrize(
    "data",
    [b"", b"\n\n\n", b'{"ping":1}\n\n', lines({"event": "end"}), lines(""), lines("", "")],
    ids=["nothing", "blanks", "ping", "event", "no text", "twice no text"],
)
def test_answer_without_text_is_an_error(data: bytes) -> None:
    """The service refuses some requests in silence."""
    found, error = heard(data)
    assert type(error) is errors.EmptyResponseError
    assert text_of(found) == ""


CREDIT = "Insufficient credit"


@obligations(6)
@pytest.mark.parametrize(
    "texts", [(CREDIT,), tuple(CREDIT), ("Insufficient", "", " credit"), ("", CREDIT, "")]
)
def test_whole_answer_without_credit_is_an_error(texts: tuple[str, ...]) -> None:
    """However it is cut, none of it is given out as text."""
    found, error = heard(lines(*texts))
    assert (found, type(error)) == ([], errors.QuotaExceededError)
    assert isinstance(error, errors.QuotaExceededError)
    assert (error.body, error.is_retryable) == (CREDIT, False)


@obligations(5, 6)
@pytest.mark.parametrize(
    ("texts", "given"),
    [
        ((CREDIT, " is what you have."), [f"{CREDIT} is what you have."]),
        (("I", "n short", ", yes"), ["In short", ", yes"]),
        (("Insufficient",), ["Insufficient"]),
        (("I",), ["I"]),
        (("insufficient credit",), ["insufficient credit"]),
        (("No: ", CREDIT), ["No: ", CREDIT]),
        ((f"{CREDIT}.",), [f"{CREDIT}."]),
    ],
)
def test_answer_that_merely_begins_so_is_an_answer(
    texts: tuple[str, ...], given: list[str]
) -> None:
    """It is held back as long as it may become the other one, and no longer."""
    assert decode(lines(*texts)) == [*map(Text, given), Finish("unknown")]
    reading = decoder()
    by_event = [len(list(reading.feed(lines(text)))) for text in ("Hi", " there")]
    assert by_event == [1, 1]


@obligations(4)
@pytest.mark.proves("fault:24:FG")
@pytest.mark.parametrize(
    "event", [{}, {"event": None}, {"event": 5, "data": "x"}, {"event": ["text"], "data": "x"}]
)
def test_object_without_a_kind_is_skipped(event: dict[str, Any]) -> None:
    """Nothing is known of it."""
    assert decode(lines("a", event, "b")) == [Text("a"), Text("b"), Finish("unknown")]


@pytest.mark.parametrize("kind", ["text/plain", "text/event-stream", "application/json", ""])
def test_any_other_content_type_is_read(kind: str) -> None:
    """It is some kind of text, and nobody has written down which."""
    assert decode(lines("a"), FlowGPTDecoder(head(kind), 1000)) == [Text("a"), Finish("unknown")]
