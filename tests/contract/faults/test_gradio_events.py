"""The events of a queue: whose they are, and what is made of those that are not as agreed."""

from __future__ import annotations

import pytest

from langchain_g4f.core.events import Progress
from langchain_g4f.errors import (
    APIError,
    AppError,
    AuthenticationError,
    MalformedStreamError,
    QuotaExceededError,
    ServerStreamError,
)
from tests.contract.faults import gradio_script as gr
from tests.contract.faults.harness import (
    ask,
    by_call,
    by_case,
    by_turns,
    by_way,
    closed,
    fail,
)
from tests.contract.faults.registry import After, Provider, cut, fault, hang

HELLO = (*gr.START, gr.token("Hello"))

# --- row 23 --------------------------------------------------------------------------------------


SHAPES: dict[str, tuple[bytes, str]] = {
    "a list": (gr.line(b"[]"), "'msg'"),
    "rank text": (gr.estimation(rank="first"), "'rank'"),  # type: ignore[arg-type]
    "data too short": (gr.generating([[]]), "'data'"),
    "completed without data": (gr.completed_with({"is_generating": False}), "'data'"),
    "completed chatbot text": (gr.completed_with(gr.output(["Hello", None])), "chatbot"),
}


@fault(23, only="PH")
@by_case(SHAPES, "event", "named")
async def test_event_of_a_wrong_shape_is_malformed_and_names_the_key(
    provider: Provider, way: str, event: bytes, named: str
) -> None:
    """Valid JSON that is not what was agreed is an error of ours, with the key in it."""
    pieces = (*HELLO, event, *provider.end("Hello"))
    with provider.server(data=provider.answering(*pieces)) as server:
        error = await fail(provider.model(server), way, MalformedStreamError, host=None)
        assert await closed(provider, server, "data")
        assert provider.asked(server)[:4] == provider.good_call
        assert provider.asked(server)[4:] in {(), ("cancel",)}
    assert named in str(error)
    assert error.partial_text == "Hello"


# --- row 25 --------------------------------------------------------------------------------------

QUOTA = (
    "You have exceeded your ZeroGPU quota (60s requested vs. 0s left). Try again in 1 day, 2:03:04."
    ' <a style="x" href="https://huggingface.co/join">Create a free account</a> to get more.'
)
FAILURES: dict[str, tuple[bytes, type[APIError], str]] = {
    "of the app": (gr.failed("It broke.", "Model error"), AppError, "Model error: It broke."),
    "quota": (gr.failed(QUOTA, "ZeroGPU quota exceeded"), QuotaExceededError, "Create a free"),
    "identity": (
        gr.failed("Expired ZeroGPU proxy token", "ZeroGPU client error"),
        AuthenticationError,
        "Expired",
    ),
    "of the stream": (gr.unexpected("<b>bookkeeping</b> is off"), ServerStreamError, "bookkeeping"),
}


@fault(25, only="PH")
@pytest.mark.proves("obligation:gradio-space:17", "obligation:gradio-space:18")
@by_case(FAILURES, "event", "kind", "words")
async def test_failure_in_band_has_its_own_class_and_the_text(
    provider: Provider, way: str, event: bytes, kind: type[APIError], words: str
) -> None:
    """It ends the answer: nothing is asked again, and nothing is left to cancel."""
    with provider.server(data=provider.answering(*HELLO, event, gr.CLOSE_STREAM)) as server:
        error = await fail(provider.model(server), way, kind, host=None)
        assert provider.asked(server) == provider.good_call
    assert error.partial_text == "Hello"
    assert words in str(error)
    assert "<" not in str(error)
    if isinstance(error, QuotaExceededError):
        assert error.retry_after == 86400 + 2 * 3600 + 3 * 60 + 4
    if isinstance(error, AuthenticationError):
        assert error.login_url


@fault(25, only="PH")
@by_turns
@pytest.mark.parametrize("then", [cut, hang])
async def test_failure_ends_the_answer_however_its_connection_ends(
    provider: Provider, way: str, then: After
) -> None:
    """Servers break the body off after some of them."""
    pieces = (*gr.START, gr.unexpected("out of order"))
    with provider.server(data=provider.answering(*pieces, then=then)) as server:
        error = await fail(provider.model(server), way, ServerStreamError, host=None)
        assert provider.asked(server) == provider.good_call
        if then is hang:
            assert await closed(provider, server, "data")
    assert error.partial_text == ""


@fault(25, only="PH")
@by_call
async def test_next_call_after_a_failure_is_a_call_like_any_other(
    provider: Provider, way: str
) -> None:
    """A failed answer leaves nothing behind in the model."""
    failing = provider.answering(*gr.START, gr.failed("busy"), gr.CLOSE_STREAM)
    with provider.server(data=[failing, gr.answer_ok]) as server:
        model = provider.model(server)
        await fail(model, way, AppError, host=None)
        assert (await ask(model, way)).text == "Hello there"
        assert provider.asked(server) == provider.calls(2)


# --- row 27 --------------------------------------------------------------------------------------


def foreign(event: bytes) -> bytes:
    """The same event of another call."""
    return event.replace(gr.EVENT_ID.encode(), gr.FOREIGN_ID.encode())


@fault(24, 27, only="PH")
@pytest.mark.proves("obligation:gradio-space:8")
@by_way
async def test_events_of_another_call_are_dropped(
    provider: Provider, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its place, its text, its failure and its completion are none of ours."""
    caplog.set_level("DEBUG", logger="langchain_g4f")
    stale = (gr.estimation(7), gr.token("NO"), gr.failed("NO"), gr.completed("NO"))
    others = [foreign(event) for event in stale]
    usual = provider.whole("Hello", " there")
    pieces = [*others, *(piece for each in usual for piece in (each, *others))]
    seen: list[Progress] = []
    with provider.server(data=provider.answering(*pieces)) as server:
        answer = await ask(provider.model(server, on_progress=seen.append), way)
        assert provider.asked(server) == provider.good_call
    assert answer.text == "Hello there"
    assert [progress.data["rank"] for progress in seen if progress.kind == "queued"] == [0]
    assert "process_completed of another call" in caplog.text
