"""The service reports a failure inside an answer that began with status 200."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f.errors import (
    APIError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    EmptyResponseError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    ServerStreamError,
)
from tests.contract.faults import chat_ui_script as hc
from tests.contract.faults.harness import ask, by_call, by_turns, by_way, closed, fail
from tests.contract.faults.registry import HUGGINGCHAT, cut, end, hang, reset

HC = pytest.mark.proves("fault:25:HC")


def error_line(**fields: Any) -> bytes:
    """The update that reports a failure."""
    return hc.line({"type": "status", "status": "error", **fields})


CODES = [
    (400, BadRequestError),
    (401, AuthenticationError),
    (402, QuotaExceededError),
    (403, PermissionDeniedError),
    (404, NotFoundError),
    (422, BadRequestError),
    (429, RateLimitError),
    (500, ServerError),
    (503, ServerError),
    (599, ServerError),
]


@HC
@by_turns
@pytest.mark.parametrize(("code", "kind"), CODES)
async def test_reported_status_is_the_class_of_the_error(
    way: str, code: int, kind: type[APIStatusError]
) -> None:
    """The error is what the same status would be in HTTP, and has the text that came."""
    pieces = [
        hc.STARTED,
        hc.token("Hel"),
        hc.token("lo"),
        error_line(message=f"{code} backend says so", statusCode=code),
    ]
    with HUGGINGCHAT.server(send=HUGGINGCHAT.answering(*pieces)) as server:
        error = await fail(HUGGINGCHAT.model(server), way, kind, host=None)
        assert HUGGINGCHAT.asked(server) == HUGGINGCHAT.good_call, "neither again nor stopped"
    assert (error.status_code, error.partial_text) == (code, "Hello")
    assert f"{code} backend says so" in str(error)


@HC
@by_turns
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"message": None, "statusCode": None},
        {"message": "it broke"},
        {"message": "it broke", "statusCode": 0},
    ],
)
async def test_failure_without_a_status_is_a_server_stream_error(
    way: str, fields: dict[str, Any]
) -> None:
    """Both fields are optional."""
    pieces = [hc.STARTED, hc.token("Hello"), error_line(**fields)]
    with HUGGINGCHAT.server(send=HUGGINGCHAT.answering(*pieces)) as server:
        error = await fail(HUGGINGCHAT.model(server), way, ServerStreamError, host=None)
        assert HUGGINGCHAT.asked(server) == HUGGINGCHAT.good_call
    assert error.partial_text == "Hello"
    assert (fields.get("message") or "without a message") in str(error)


@HC
@by_call
async def test_answer_without_text_is_an_empty_response(way: str) -> None:
    """The server says so, and it may be tried again."""
    message = "No output was generated. Something went wrong."
    pieces = [hc.STARTED, error_line(message=message)]
    with HUGGINGCHAT.server(send=HUGGINGCHAT.answering(*pieces)) as server:
        error = await fail(HUGGINGCHAT.model(server), way, EmptyResponseError, host=None)
    assert error.partial_text == ""


@HC
@by_turns
@pytest.mark.parametrize("then", [end, cut, reset, hang])
async def test_failure_ends_the_answer_however_its_connection_ends(way: str, then: Any) -> None:
    """The report is the end: nothing more is awaited, stopped or taken up again."""
    pieces = [hc.STARTED, hc.token("Hello"), error_line(message="busy", statusCode=429)]
    with HUGGINGCHAT.server(send=HUGGINGCHAT.answering(*pieces, then=then)) as server:
        error = await fail(HUGGINGCHAT.model(server), way, RateLimitError, host=None)
        assert HUGGINGCHAT.asked(server) == HUGGINGCHAT.good_call
        if then is hang:
            assert await closed(HUGGINGCHAT, server, "send")
    assert error.partial_text == "Hello"


@HC
@by_way
async def test_held_back_text_is_in_the_partial_text(way: str) -> None:
    """What waited, because a tag might have begun there, is not lost with the failure."""
    pieces = [hc.STARTED, hc.token("1 <"), error_line(message="busy")]
    with HUGGINGCHAT.server(send=HUGGINGCHAT.answering(*pieces)) as server:
        error = await fail(HUGGINGCHAT.model(server), way, ServerStreamError, host=None)
    assert error.partial_text == "1 <"


@HC
@by_call
async def test_next_call_after_a_failure_is_a_call_like_any_other(way: str) -> None:
    """A failed answer leaves nothing behind in the model."""
    failing = HUGGINGCHAT.answering(hc.STARTED, error_line(message="busy", statusCode=503))
    with HUGGINGCHAT.server(send=[failing, hc.answer_ok]) as server:
        model = HUGGINGCHAT.model(server)
        error: APIError = await fail(model, way, ServerError, host=None)
        assert error.phase
        assert (await ask(model, way)).text == "Hello there"
