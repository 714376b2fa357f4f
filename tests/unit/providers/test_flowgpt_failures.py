"""How FlowGPT's answers fail (docs/protocols/flowgpt.md, sections 6 and 7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from langchain_g4f import errors
from langchain_g4f.core.events import Text
from langchain_g4f.providers.flowgpt import NO_CREDIT, FlowGPTDecoder
from tests.contract.recordings.flowgpt.marks import obligations
from tests.unit.providers.flowgpt_lines import decode, decoder, head, heard, lines

TOKEN = "member-token"


@obligations(6)
@pytest.mark.proves("fault:25:FG")
@pytest.mark.parametrize(
    ("event", "said", "kind", "status"),
    [
        ({"data": "The model is overloaded"}, "The model is overloaded", None, None),
        ({"data": {"message": "slow down", "statusCode": 429}}, "slow down", "RateLimit", 429),
        ({"data": {"data": "a", "message": "b"}}, "a", None, None),
        ({"data": {"data": 1, "message": ["b"], "error": "c"}}, "c", None, None),
        ({"data": {"error": "who?", "statusCode": 401}}, "who?", "Authentication", 401),
        ({"data": {"message": "paid?", "statusCode": 402}}, "paid?", "QuotaExceeded", 402),
        ({"data": {"message": "boom", "statusCode": 500}}, "boom", "Server", 500),
        ({"data": {"message": "boom", "statusCode": True}}, "boom", None, None),
        ({"data": {"message": "boom", "statusCode": "500"}}, "boom", None, None),
        ({"data": {}}, "without a word", None, None),
        ({"data": None}, "without a word", None, None),
        ({"message": "beside it", "statusCode": 503}, "beside it", "Server", 503),
        ({}, "without a word", None, None),
    ],
)
def test_error_event_is_the_error_it_tells_of(
    event: dict[str, Any], said: str, kind: str | None, status: int | None
) -> None:
    """Its shape is not known, so each that others of the service's messages have is read."""
    found, error = heard(lines("so far", {"event": "error", **event}))
    assert found == [Text("so far")]
    assert type(error) is getattr(errors, f"{kind or 'ServerStream'}Error")
    assert str(error) == f"FlowGPT reported an error: {said}"
    assert getattr(error, "status_code", None) == status


@obligations(3)
@pytest.mark.proves("fault:41:FG")
def test_what_the_service_repeats_of_a_token_is_masked() -> None:
    """In an error's text and in the kind of an unknown event; both are kept short."""
    _, error = heard(
        lines({"event": "error", "data": f"bad {TOKEN} {'x' * 600}"}), decoder(secret=TOKEN)
    )
    assert TOKEN not in f"{error!r} {vars(error)}"
    assert len(str(error)) < 600
    name = f"{TOKEN}{'x' * 100}"
    event = {"event": name, "token": TOKEN, "data": "x" * 600, TOKEN: ["ł"]}
    skipped: Counter[str] = Counter()
    decode(lines(event, "a"), FlowGPTDecoder(head(), 1 << 20, TOKEN, skipped))
    (told,) = skipped
    assert TOKEN not in told
    assert len(told) < 50


FAILURES: dict[str, Callable[[], bytes]] = {
    "error": lambda: lines({"event": "error", "data": "no"}),
    "no JSON": lambda: b"<<not json>>\n",
    "wrong shape": lambda: lines({"event": "text", "data": None}),
    "cut": lambda: b'{"event":"te',
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("text", ["I", "Insufficient", NO_CREDIT])
def test_text_that_is_held_back_comes_before_a_failure(
    text: str, failure: Callable[[], bytes]
) -> None:
    """An error's partial text has all that had arrived."""
    found, error = heard(lines(text) + failure())
    assert found == [Text(text)]
    assert not isinstance(error, errors.QuotaExceededError)


@pytest.mark.proves("fault:22:FG", "fault:23:FG")
@pytest.mark.parametrize(
    ("line", "named"),
    [
        (b"<<not json>>", "at byte 0"),
        (b'{"event":"text","da', "at byte 0"),
        (b'data: {"event":"text","data":"a"}', "no JSON"),
        (b"[1]", "JSON list"),
        (b"null", "JSON NoneType"),
        (b"5", "JSON int"),
        (b'{"event":"text"}', "'data'"),
        (b'{"event":"text","data":null}', "'data'"),
        (b'{"event":"text","data":5}', "'data'"),
        (b'{"event":"text","data":["a"]}', "'data'"),
        (b'{"event":"text","data":"\xff"}', "at byte 0"),
        (b'{"event":"text","data":"\\ud800"}', "at byte 0"),
    ],
)
def test_line_that_cannot_be_read_is_malformed(line: bytes, named: str) -> None:
    """It is never skipped, for an answer with a hole would look like a short one."""
    found, error = heard(line + b"\n\n" + lines("after"))
    assert type(error) is errors.MalformedStreamError
    assert named in str(error)
    assert found == []


def test_line_that_is_too_long_is_refused() -> None:
    """The limit is that of one line, not of the answer."""
    _, error = heard(lines("x" * 200), decoder(limit=100))
    assert type(error) is errors.TooLargeError
    assert len(decode(lines(*["x" * 50] * 10), decoder(limit=100))) == 11


@obligations(6)
@pytest.mark.proves("fault:6:FG")
@pytest.mark.parametrize("kind", ["text/html", "TEXT/HTML; charset=utf-8"])
def test_page_is_no_answer(kind: str) -> None:
    """It is not read; the error names what came."""
    with pytest.raises(errors.MalformedStreamError, match="got text/html"):
        FlowGPTDecoder(head(kind), 1000)


@obligations(6)
@pytest.mark.parametrize("kind", ["text/html", "text/plain"])
def test_challenge_with_a_good_status_is_told(kind: str) -> None:
    """AWS WAF answers with 202, and without a page where none was asked for."""
    challenge = head(kind, ("x-amzn-waf-action", "challenge"), status=202)
    with pytest.raises(errors.ChallengeError, match="AWS WAF asks for a challenge") as caught:
        FlowGPTDecoder(challenge, 1000)
    assert caught.value.status_code == 202
