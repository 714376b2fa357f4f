"""What their template for OpenAI-like services makes of errors, and what we make of that."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f import (
    APIConnectionError,
    AuthenticationError,
    BadRequestError,
    ChatG4F,
    G4FError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    ServerStreamError,
    StreamInterruptedError,
)
from tests.servers.g4f.server import JSON_BODY, PLAIN, Answer, OpenAIServer, delta, refused, spoken

pytestmark = pytest.mark.g4f

MESSAGE = {"message": "no way"}
STREAM = ServerStreamError
REFUSALS = [
    # status, error, content type, on the old line, on the new one
    (401, "no way", JSON_BODY, AuthenticationError, AuthenticationError),
    (402, "no way", JSON_BODY, QuotaExceededError, QuotaExceededError),
    (429, "no way", JSON_BODY, RateLimitError, RateLimitError),
    (500, "no way", JSON_BODY, ServerError, ServerError),
    (400, "no way", JSON_BODY, BadRequestError, BadRequestError),
    (401, MESSAGE, JSON_BODY, STREAM, AuthenticationError),
    (402, MESSAGE, JSON_BODY, STREAM, QuotaExceededError),
    (429, MESSAGE, JSON_BODY, STREAM, RateLimitError),
    (500, MESSAGE, JSON_BODY, STREAM, ServerError),
    (400, MESSAGE, JSON_BODY, STREAM, BadRequestError),
    (401, "no way", PLAIN, AuthenticationError, AuthenticationError),
    (402, "no way", PLAIN, QuotaExceededError, RateLimitError),
    (429, "no way", PLAIN, RateLimitError, RateLimitError),
    (500, "no way", PLAIN, ServerError, ServerError),
    (400, "no way", PLAIN, BadRequestError, BadRequestError),
]


@pytest.mark.parametrize(("status", "error", "kind", "old", "new"), REFUSALS)
async def test_refusal_is_the_error_of_its_meaning(  # noqa: PLR0917 -- a row of the table
    status: int,
    error: Any,
    kind: str,
    old: type[G4FError],
    new: type[G4FError],
    model: ChatG4F,
    server: OpenAIServer,
    line: str,
) -> None:
    """By status where theirs keep it, and with theirs as the cause."""
    expected = new if line == "new" else old
    server.will(*[refused(status, error, kind)] * 2)
    with pytest.raises(G4FError) as sync_error:
        model.invoke("Hello")
    with pytest.raises(G4FError) as async_error:
        await model.ainvoke("Hello")
    for raised in (sync_error.value, async_error.value):
        assert type(raised) is expected
        assert "no way" in str(raised)
        assert type(raised.__cause__).__module__ == "g4f.errors"


async def test_refusal_that_passes_is_asked_again(model: ChatG4F, server: OpenAIServer) -> None:
    """A 503 before anything was given is repeated; the answer says how often."""
    server.will(refused(503, "later", PLAIN), spoken("Now."))
    answer = await model.model_copy(update={"max_retries": 1}).ainvoke("Hello")
    assert answer.text == "Now."
    assert answer.response_metadata["retries"] == 1


async def test_error_within_the_answer_carries_what_came(
    model: ChatG4F, server: OpenAIServer
) -> None:
    """An error event after a part of the answer is raised with that part."""
    error = b'data: {"error": {"message": "overloaded"}}\n\n'
    server.will(*[Answer((delta(content="Ray"), error))] * 2)
    with pytest.raises(ServerStreamError, match="overloaded") as raised:
        await model.ainvoke("Why?")
    assert raised.value.partial_text == "Ray"
    with pytest.raises(ServerStreamError, match="overloaded"):
        model.invoke("Why?")


async def test_answer_that_is_cut_off_carries_what_came(
    model: ChatG4F, server: OpenAIServer
) -> None:
    """The connection ends before the length that was announced."""
    server.will(*[Answer((delta(content="Ray"),), length=10_000)] * 2)
    with pytest.raises(StreamInterruptedError) as sync_error:
        model.invoke("Why?")
    with pytest.raises(StreamInterruptedError) as async_error:
        await model.ainvoke("Why?")
    for raised in (sync_error.value, async_error.value):
        assert raised.partial_text == "Ray"
        assert raised.__cause__


async def test_no_server_is_no_connection(theirs: Any) -> None:
    """Nothing listens there."""
    model = ChatG4F(provider=theirs.OpenAILike, base_url="http://127.0.0.1:1/v1", api_key="canary")
    with pytest.raises(APIConnectionError):
        model.invoke("Why?")
    with pytest.raises(APIConnectionError):
        await model.ainvoke("Why?")
