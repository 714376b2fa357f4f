"""The answer in an app's stream: where it ends, how it grows and changes, how it is written."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from langchain_g4f.core.events import Progress
from langchain_g4f.errors import (
    EmptyResponseError,
    MalformedStreamError,
    StreamInterruptedError,
)
from tests.contract.faults import gradio_script as gr
from tests.contract.faults.byte_server import ChunkedWriter, Exchange
from tests.contract.faults.harness import (
    STREAMS,
    ask,
    by_case,
    by_stream,
    by_turns,
    by_way,
    closed,
    fail,
    texts,
)
from tests.contract.faults.registry import PATIENT, Provider, fault, hang

HELLO = (*gr.START, gr.token("Hello"))

# --- row 16 --------------------------------------------------------------------------------------


@fault(16, only="PH")
@pytest.mark.proves("obligation:gradio-space:9")
@by_turns
@pytest.mark.parametrize("beating", [False, True], ids=["silent", "heartbeats"])
async def test_answer_ends_at_its_own_completion(
    provider: Provider, way: str, beating: bool
) -> None:
    """Without waiting for `close_stream`; the connection is not used again."""

    def beat(exchange: Exchange, stream: ChunkedWriter) -> None:
        while not exchange.hold(0.02):
            stream.chunk(gr.HEARTBEAT)

    pieces = (*HELLO, gr.completed("Hello"))
    then = beat if beating else hang
    with provider.server(data=[provider.answering(*pieces, then=then), gr.answer_ok]) as server:
        model = provider.model(server, timeout=replace(PATIENT, linger=5))
        started = time.monotonic()
        answer = await ask(model, way)
        assert time.monotonic() - started < 1
        assert await closed(provider, server, "data")
        await ask(model, way)
        assert provider.asked(server) == provider.calls(2)
        numbers = [request.connection_number for request in provider.sent(server, "join")]
        assert numbers == [1, 2]
    assert (answer.text, answer.response_metadata["finish_reason"]) == ("Hello", "stop")


@fault(16, only="PH", curl=False)
@by_stream
async def test_text_is_out_as_soon_as_it_is_there(provider: Provider, way: str) -> None:
    """It does not wait for the completion."""
    with provider.server(data=provider.answering(*HELLO, then=hang)) as server:
        stream: Any = getattr(provider.model(server), way)("hi")
        first = next(stream) if way == "stream" else await anext(stream)
        assert first.text == "Hello"
        if way == "stream":
            stream.close()
        else:
            await stream.aclose()


# --- row 21 --------------------------------------------------------------------------------------


@fault(21, only="PH")
@by_stream
@pytest.mark.parametrize("text", ["\0a\0"])
async def test_nul_is_a_character_of_the_answer(provider: Provider, way: str, text: str) -> None:
    """Apps pad nothing: what comes is what was said."""
    with provider.server(data=provider.answering(*provider.whole(text, "!"))) as server:
        assert await texts(provider.model(server), way) == [text, "!"]


# --- row 26 --------------------------------------------------------------------------------------


def rewrite(text: str) -> bytes:
    """Put another text in the place of the answer."""
    return gr.edits(["replace", [1, "content"], text])


FINALS: dict[str, tuple[tuple[bytes, ...], str, str, str]] = {
    "differs": ((gr.token("Hello "), gr.token("world")), "Hallo Welt", "Hello world", "stop"),
    "goes on": ((gr.token("Hello"),), "Hello and goodbye", "Hello and goodbye", "stop"),
    "is rewritten and comes back": (
        (gr.token("Hel"), rewrite("Wait"), rewrite("Hello"), gr.token(" you")),
        "Hello you",
        "Hello you",
        "stop",
    ),
}


@fault(26, only="PH")
@pytest.mark.proves("obligation:gradio-space:13", "obligation:gradio-space:14")
@by_turns
@pytest.mark.parametrize("case", FINALS.values(), ids=FINALS)
async def test_completion_corrects_a_call_and_never_a_stream(
    provider: Provider, way: str, case: tuple[tuple[bytes, ...], str, str, str]
) -> None:
    """What was streamed is not retracted or said twice; a call returns the last version."""
    said, final, streamed, reason = case
    seen: list[Progress] = []
    pieces = (*gr.START, *said, *provider.end(final))
    with provider.server(data=provider.answering(*pieces)) as server:
        answer = await ask(provider.model(server, on_progress=seen.append), way)
        assert provider.asked(server) == provider.good_call
    assert answer.text == (streamed if way in STREAMS else final)
    metadata = answer.response_metadata
    assert metadata["finish_reason"] == reason
    corrected = streamed != final
    assert metadata.get("restarted", False) is corrected
    assert metadata.get("final_text") == (final if corrected else None)
    kinds = [progress.kind for progress in seen]
    assert kinds.count("rewritten") == (corrected or b'"replace"' in b"".join(said))


CHANGING: dict[str, tuple[str, ...]] = {
    "cursor": ("Hel▌", "Hello wo▌", "Hello world▌"),
    "cursor that blinks": ("Hel▌", "Hello wo", "Hello world▌"),
    "note": ("*Generating…*", "Hel", "Hello wo"),
    "both": ("Thinking...", "Hel...", "Hello wo...", "Hello world..."),
    "thought": ("<thi", "<think>Hm", "<think>Hm</think>\n\nHel", "<think>Hm</think>\n\nHello wo"),
}


@fault(26, only="PH")
@pytest.mark.proves("obligation:gradio-space:14")
@by_turns
@pytest.mark.parametrize("case", CHANGING.values(), ids=CHANGING)
async def test_answer_streams_although_its_end_changes(
    provider: Provider, way: str, case: tuple[str, ...]
) -> None:
    """Cursor and note are no part of it, and it is no answer that was rewritten."""
    final = "<think>Hm</think>\n\nHello world" if "think" in case[-1] else "Hello world"
    pieces = (*gr.START, *map(rewrite, case), *provider.end(final))
    with provider.server(data=provider.answering(*pieces)) as server:
        model = provider.model(server)
        answer = await ask(model, way)
        if way in STREAMS:
            assert len([text for text in await texts(model, way) if text]) >= 2
    assert answer.text == "Hello world"
    assert answer.additional_kwargs.get("reasoning_content", "") == "Hm" * ("think" in final)
    assert answer.response_metadata.keys().isdisjoint({"restarted", "final_text"})


@fault(26, only="PH")
@pytest.mark.proves("obligation:gradio-space:15")
@by_way
async def test_call_that_the_app_cancelled_is_interrupted(provider: Provider, way: str) -> None:
    """It looks like a success without outputs; what was said stands, and is not whole."""
    pieces = (*HELLO, gr.completed_with({}), gr.CLOSE_STREAM)
    with provider.server(data=provider.answering(*pieces)) as server:
        answer = await ask(provider.model(server), way)
        assert provider.asked(server) == provider.good_call
    assert answer.text == "Hello"
    assert answer.response_metadata["finish_reason"] == "interrupted"


@fault(26, only="PH")
@pytest.mark.proves("obligation:gradio-space:15")
@by_turns
async def test_call_that_the_app_cancelled_before_any_text_is_no_answer(
    provider: Provider, way: str
) -> None:
    """Nor is it an empty one, which has an error of its own."""
    cancelled = provider.answering(*gr.START, gr.completed_with({}))
    empty = provider.answering(*gr.START, *provider.end(""))
    with provider.server(data=[cancelled, cancelled, empty]) as server:
        model = provider.model(server)
        await fail(model, way, StreamInterruptedError, host=None)
        assert provider.asked(server) == provider.calls(2), "once more, and there is no third time"
        await fail(model, way, EmptyResponseError, host=None)


# --- row 28 --------------------------------------------------------------------------------------

EDITS: dict[str, Any] = {
    "index out of range": ["append", [2, "content"], "x"],
    "too many deletions": [["delete", [0], None]] * 3,
    "null": None,
}


@fault(28, only="PH")
@pytest.mark.proves("obligation:gradio-space:13")
@by_case(EDITS, "edit")
async def test_edit_that_does_not_fit_is_malformed(provider: Provider, way: str, edit: Any) -> None:
    """The answer is not what the app means: it is given up, and cancelled."""
    many = edit if isinstance(edit, list) and edit and isinstance(edit[0], list) else [edit]
    pieces = (*HELLO, gr.generating([many, []]), *provider.end("Hello"))
    with provider.server(data=provider.answering(*pieces)) as server:
        error = await fail(provider.model(server), way, MalformedStreamError, host=None)
        assert provider.asked(server) == (*provider.good_call, "cancel")
        assert await closed(provider, server, "data")
    assert error.partial_text == "Hello"


@fault(28, only="PH")
@by_turns
async def test_hundred_thousand_edits_take_linear_time(provider: Provider, way: str) -> None:
    """In one event, and to one text, which would be copied as often."""
    count = 100_000
    piece = gr.edits(*[["append", [1, "content"], "x"]] * count)
    pieces = (*gr.START, piece, *provider.end("x" * count))
    with provider.server(data=provider.answering(*pieces)) as server:
        started = time.monotonic()
        answer = await ask(provider.model(server), way)
        assert time.monotonic() - started < 5
    assert answer.text == "x" * count


# --- row 33 --------------------------------------------------------------------------------------

PIECES = (*HELLO, gr.token(" there"), gr.completed("Hello there"))
USUAL = b"".join(PIECES)
FORMS: dict[str, bytes] = {
    "BOM": b"\xef\xbb\xbf" + USUAL,
    "CR": USUAL.replace(b"\n", b"\r"),
    "comments": b"".join(b": keep-alive\n\n:\n" + piece for piece in PIECES),
    "several lines": USUAL.replace(b',"event_id"', b'\ndata: ,"event_id"'),
}


@fault(33, only="PH")
@pytest.mark.proves("obligation:gradio-space:7")
@pytest.mark.parametrize("singly", [False, True], ids=["whole", "in single bytes"])
@by_case(FORMS, "body")
async def test_stream_is_read_as_the_standard_says(
    provider: Provider, way: str, body: bytes, singly: bool
) -> None:
    """However its lines are written, it is the same answer."""
    pieces = [bytes([each]) for each in body] if singly else [body]
    with provider.server(data=provider.answering(*pieces)) as server:
        model = provider.model(server)
        assert (await ask(model, way)).text == "Hello there"
        assert provider.asked(server) == provider.good_call
