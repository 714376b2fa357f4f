"""FlowGPT's answer: it has no end marker, and what an error event looks like is a guess."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f.errors import (
    APIError,
    EmptyResponseError,
    MalformedStreamError,
    RateLimitError,
    ServerError,
    ServerStreamError,
    StreamInterruptedError,
)
from tests.contract.faults import flowgpt_script as fg
from tests.contract.faults.byte_server import Action, ChunkedWriter, Exchange
from tests.contract.faults.harness import (
    ask,
    by_call,
    by_case,
    by_turns,
    by_way,
    closed,
    fail,
    texts,
)
from tests.contract.faults.registry import FLOWGPT, After, end, hang, reset
from tests.contract.faults.test_endings import junk_of

WHOLE = fg.token("Hello") + fg.token(" there")


def raw(head: bytes, body: bytes = WHOLE) -> Action:
    """Answer with these bytes, and end the connection."""

    def act(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" + head + b"\r\n\r\n")
        exchange.send(body)
        exchange.hold(0.03)
        exchange.close()

    return act


# -- its end ---------------------------------------------------------------------


@pytest.mark.proves("fault:15:FG")
@by_turns
@pytest.mark.parametrize("last", [b"", b"\n\n"], ids=["no line end", "line end"])
async def test_end_of_the_body_is_the_end_of_the_answer(way: str, last: bytes) -> None:
    """In whichever framing; whether the service had finished is not known."""
    body = WHOLE.rstrip() + last
    for head, framed in (
        (b"Content-Length: %d" % len(body), body),
        (b"Transfer-Encoding: chunked", b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)),
    ):
        with FLOWGPT.server(answer=raw(head, framed)) as server:
            answer = await ask(FLOWGPT.model(server), way)
            assert FLOWGPT.asked(server) == ("chat",)
        assert answer.text == "Hello there"
        assert answer.response_metadata["finish_reason"] == "unknown"


BROKEN = {
    "short length": (b"Content-Length: %d" % (len(WHOLE) + 1), WHOLE),
    "short chunk": (
        b"Transfer-Encoding: chunked",
        b"%x\r\n%b" % (len(WHOLE) + 1, WHOLE),
    ),
    "no last chunk": (b"Transfer-Encoding: chunked", b"%x\r\n%b\r\n" % (len(WHOLE), WHOLE)),
}


@pytest.mark.proves("fault:15:FG")
@by_turns
@pytest.mark.parametrize(("head", "body"), BROKEN.values(), ids=BROKEN)
async def test_answer_whose_framing_is_broken_is_interrupted(
    way: str, head: bytes, body: bytes
) -> None:
    """Each line is whole, and yet it is known that something is missing."""
    with FLOWGPT.server(answer=raw(head, body)) as server:
        error = await fail(FLOWGPT.model(server), way, StreamInterruptedError)
        assert FLOWGPT.asked(server) == ("chat",)
    assert error.partial_text == "Hello there"


@pytest.mark.proves("fault:15:FG")
@by_case({"nothing": b"", "blank lines": b"\n\n\n", "no text": fg.token("")}, "body")
async def test_answer_without_a_word_is_an_empty_response(way: str, body: bytes) -> None:
    """It ended in order, and is no answer."""
    with FLOWGPT.server(answer=lambda x: x.respond(200, body, (), fg.PLAIN)) as server:
        await fail(FLOWGPT.model(server), way, EmptyResponseError, host=None)
        assert FLOWGPT.asked(server) == ("chat",)


@pytest.mark.proves("fault:17:FG")
@by_way
async def test_bytes_after_the_body_are_ignored(way: str) -> None:
    """They belong to no answer, in the same segment or in one of their own."""

    def junk(_exchange: Exchange, stream: ChunkedWriter) -> None:
        stream.send(b"0\r\n\r\n" + fg.token("MORE"))
        stream.send(fg.token("MORE"))

    with FLOWGPT.server(answer=FLOWGPT.answering(fg.token("Hello"), then=junk)) as server:
        answer = await ask(FLOWGPT.model(server), way)
        assert FLOWGPT.asked(server) == ("chat",)
    assert answer.text == "Hello"


# -- what is in it ---------------------------------------------------------------


@pytest.mark.proves("fault:21:FG")
@by_turns
async def test_nul_is_a_character_of_the_text(way: str) -> None:
    """This service pads nothing."""
    said = ["Hi\0\0", "\0", "a\0b"]
    with FLOWGPT.server(answer=FLOWGPT.answering(*map(fg.token, said))) as server:
        assert "".join(await texts(FLOWGPT.model(server), way)) == "".join(said)


SHAPES = {
    "null": (b"null", "NoneType"),
    "data number": (fg.encode({"event": "text", "data": 17}), "'data'"),
    "an event of events": (b'data: {"event":"text","data":"a"}', "no JSON"),
}


@pytest.mark.proves("fault:23:FG", "fault:22:FG")
@by_case(SHAPES, "line", "named")
async def test_wrong_shape_is_malformed_and_names_the_key(
    way: str, line: bytes, named: str
) -> None:
    """Nothing of an answer is skipped in silence."""
    pieces = [fg.token("Hello"), fg.line(line), fg.token(" there")]
    with FLOWGPT.server(answer=FLOWGPT.answering(*pieces, then=hang)) as server:
        error = await fail(FLOWGPT.model(server), way, MalformedStreamError, host=None)
        assert await closed(FLOWGPT, server, "chat")
        assert FLOWGPT.asked(server) == ("chat",)
    assert named in str(error)
    assert error.partial_text == "Hello"


@pytest.mark.proves("fault:24:FG")
@by_call
async def test_objects_of_no_known_kind_are_skipped_and_counted(
    way: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An unrequested image, and an object without a kind."""
    caplog.set_level("DEBUG", logger="langchain_g4f")
    image = fg.event("image", {"url": "https://elsewhere.example/x.png"})
    odd = [fg.event("start"), image, fg.line(b"{}"), fg.line(b'{"event":5}'), image]
    pieces = [*odd, fg.token("Hi"), fg.event("end")]
    with FLOWGPT.server(answer=FLOWGPT.answering(*pieces)) as server:
        assert await texts(FLOWGPT.model(server), way) == ["Hi"]
    assert "flowgpt: skipped {'start': 1, 'image': 2, 'end': 1}" in caplog.text
    assert "elsewhere" not in caplog.text


# -- an error event --------------------------------------------------------------

REPORTS: dict[str, tuple[dict[str, Any], type[APIError], str]] = {
    "text": ({"data": "overloaded"}, ServerStreamError, "overloaded"),
    "status": ({"data": {"statusCode": 429, "message": "slow"}}, RateLimitError, "slow"),
    "own failure": ({"data": {"statusCode": 503}}, ServerError, "without a word"),
}


@pytest.mark.proves("fault:25:FG")
@by_case(REPORTS, "fields", "kind", "said")
async def test_error_event_is_the_error_it_tells_of(
    way: str, fields: dict[str, Any], kind: type[APIError], said: str
) -> None:
    """With the text that had come, and without another request."""
    pieces = [fg.token("Hel"), fg.token("lo"), fg.line(fg.encode({"event": "error", **fields}))]
    with FLOWGPT.server(answer=FLOWGPT.answering(*pieces)) as server:
        error = await fail(FLOWGPT.model(server), way, kind, host=None)
        assert FLOWGPT.asked(server) == ("chat",)
    assert error.partial_text == "Hello"
    assert said in str(error)


@pytest.mark.proves("fault:25:FG", "fault:17:FG")
@by_turns
@pytest.mark.parametrize("then", [end, reset, hang])
async def test_error_event_ends_the_answer_whatever_follows(way: str, then: After) -> None:
    """It is the one end that this service tells of."""
    for junk in junk_of(FLOWGPT).values() if then is end else [b""]:
        pieces = [fg.token("Hello"), FLOWGPT.failure + junk, junk]
        with FLOWGPT.server(answer=FLOWGPT.answering(*pieces, then=then)) as server:
            error = await fail(FLOWGPT.model(server), way, ServerStreamError, host=None)
            assert FLOWGPT.asked(server) == ("chat",)
            assert then is not hang or await closed(FLOWGPT, server, "chat")
        assert (error.partial_text, str(error)) == (
            "Hello",
            "FlowGPT reported an error: too late",
        )
