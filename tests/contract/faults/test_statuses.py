"""The service refuses: what each status means, what is asked again, and what is told of it."""

from __future__ import annotations

import json

import pytest

from langchain_g4f.errors import (
    APIStatusError,
    BadRequestError,
    ChallengeError,
    MalformedStreamError,
    ModelNotFoundError,
    NotFoundError,
    PermissionDeniedError,
    ServerError,
)
from tests.contract.faults.byte_server import Action
from tests.contract.faults.harness import by_call, by_stream, by_way, closed, fail
from tests.contract.faults.registry import HUGGINGCHAT, Provider, fault

PAGE = b"<!DOCTYPE html><html><head><title>Hello there</title></head><body>Hello</body></html>"
CHALLENGE = PAGE.replace(b"<body>", b'<body><script src="/cdn-cgi/challenge-platform/x"></script>')
HTML = "text/html; charset=utf-8"


def status(code: int, body: bytes = b"", content_type: str = "application/json") -> Action:
    """Answer with this status and body."""
    return lambda exchange: exchange.respond(code, body, content_type=content_type)


@fault(5)
@by_call
@pytest.mark.parametrize(
    ("body", "content_type", "detail"),
    [
        (b"Invalid referer for POST request", "text/plain", "Invalid referer"),
        (b'{"error":"not yours"}', "application/json", "not yours"),
        (PAGE, HTML, ""),
        (b"", "", ""),
    ],
)
async def test_403_is_permission_denied(
    provider: Provider, way: str, body: bytes, content_type: str, detail: str
) -> None:
    """What the service says is told, unless it is a page."""
    for part in provider.good_call:
        with provider.server(**{part: status(403, body, content_type)}) as server:
            error = await fail(provider.model(server), way, PermissionDeniedError, host=None)
            assert provider.asked(server) == provider.refused(part)
        assert (error.status_code, error.is_retryable) == (403, False)
        assert detail in str(error)
        assert detail in error.body
        assert "<" not in str(error) + error.body


@fault(5)
@by_call
@pytest.mark.parametrize("code", [403, 429, 503])
async def test_challenge_page_is_told_and_not_tried_again(
    provider: Provider, way: str, code: int
) -> None:
    """A bot protection is named, whatever its status, and asking again would only annoy it."""
    for part in provider.good_call:
        with provider.server(**{part: status(code, CHALLENGE, HTML)}) as server:
            error = await fail(provider.model(server), way, ChallengeError, host=None)
            assert provider.asked(server) == provider.refused(part, code=code)
        assert "Cloudflare" in str(error)
        assert "<" not in str(error) + error.body


@fault(5, 6)
@by_way
@pytest.mark.parametrize("page", [PAGE, CHALLENGE], ids=["page", "challenge"])
async def test_page_with_status_200_is_no_answer(provider: Provider, way: str, page: bytes) -> None:
    """A page in place of the service's JSON is malformed, and the error names its type."""
    for part in provider.good_call:
        with provider.server(**{part: status(200, page, HTML)}) as server:
            error = await fail(provider.model(server), way, MalformedStreamError, host=None)
            assert provider.asked(server)[: len(provider.until(part))] == provider.until(part)
        assert "text/html" in str(error)
        assert "Hello" not in str(error)
        assert error.partial_text == ""


@fault(6, where=lambda provider: provider.key != "FG")  # whose type is not known
@by_call
async def test_answer_without_a_content_type_is_no_answer(provider: Provider, way: str) -> None:
    """What does not say that it is an answer is not read as one."""
    lines = b"".join(provider.whole("Hello"))
    with provider.server(answer=status(200, lines, "")) as server:
        error = await fail(provider.model(server), way, MalformedStreamError, host=None)
    assert "content type" in str(error)


@fault(11)
@by_call
@pytest.mark.parametrize(
    ("code", "body", "detail"),
    [
        (413, {"message": "File too large, should be <10MB"}, "File too large, should be <10MB"),
        (422, {"detail": [{"loc": ["body", "x"], "msg": "not a number"}]}, "not a number"),
        (422, {"detail": "no such field"}, "no such field"),
        (400, {"error": {"reason": "too long"}}, "too long"),
        (413, {"message": "too large! " * 10_000}, "too large!"),
        (400, ["nonsense"], "nonsense"),
        (400, None, ""),
    ],
)
async def test_refused_message_is_a_bad_request_with_the_reason(
    provider: Provider, way: str, code: int, body: object, detail: str
) -> None:
    """The reason is in the message, cut to a readable length, and nothing is sent again."""
    refuse = status(code, json.dumps(body).encode())
    with provider.server(**{provider.message: refuse}) as server:
        error = await fail(provider.model(server), way, BadRequestError, host=None)
        assert provider.asked(server) == provider.refused(provider.message)
    assert (error.status_code, error.is_retryable) == (code, False)
    assert detail in str(error)
    assert len(str(error)) < 1000
    assert len(error.body) < 1000


@fault(12)
@by_call
@pytest.mark.parametrize(("code", "kind"), [(500, ServerError), (422, BadRequestError)])
async def test_endless_error_body_is_not_read_to_its_end(
    provider: Provider, way: str, code: int, kind: type[APIStatusError]
) -> None:
    """The status counts; after 64 KiB the connection is dropped."""
    sent = 0

    def flood(exchange: object) -> None:
        nonlocal sent
        stream = exchange.start_stream(code, "text/plain")  # type: ignore[attr-defined]
        while sent < 1 << 30:
            stream.chunk(b"no! " * 4096)
            sent += 1 << 14

    with provider.server(answer=flood) as server:
        error = await fail(provider.model(server), way, kind, host=None)
        assert await closed(provider, server, provider.answer)
        assert provider.asked(server) == provider.refused(provider.answer, code=code)
    assert error.status_code == code
    assert "no! no!" in str(error)
    assert len(str(error)) < 1000
    assert sent < 32 << 20, "what the buffers of the system hold, but no more"


@fault(12)
@by_call
async def test_error_body_of_a_gigabyte_is_not_waited_for(provider: Provider, way: str) -> None:
    """A length of 1 GB, of which little comes, does not hold the error up for long."""

    def promise(exchange: object) -> None:
        exchange.send(  # type: ignore[attr-defined]
            b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n"
            b"Content-Length: 1073741824\r\n\r\n" + b"gone " * 20_000
        )
        exchange.never_answer()  # type: ignore[attr-defined]

    with provider.server(answer=promise) as server:
        error = await fail(provider.model(server), way, NotFoundError, host=None)
        assert await closed(provider, server, provider.answer)
    assert "gone gone" in str(error)


# --- HuggingChat's own ---------------------------------------------------------------------------


@pytest.mark.proves("fault:7:HC")
@by_call
async def test_unknown_model_is_looked_up_once(way: str) -> None:
    """The server calls it an invalid request; one look at its list says what was wrong."""
    refused = status(400, b'{"message":"Invalid request"}')
    with HUGGINGCHAT.server(create=refused) as server:
        model = HUGGINGCHAT.model(server, model="lab/text-smal")
        error = await fail(model, way, ModelNotFoundError)
        assert HUGGINGCHAT.asked(server) == ("create", "models")
    assert error.closest[0] == "lab/text-small"
    assert "lab/text-small" in str(error)
    assert not error.is_retryable


@pytest.mark.proves("fault:7:HC")
@by_call
async def test_unknown_model_stays_a_bad_request_where_there_is_no_list(way: str) -> None:
    """A list that is missing too does not hide what happened first."""
    with HUGGINGCHAT.server(
        create=status(400, b'{"message":"Invalid request"}'), models=status(404)
    ) as server:
        error = await fail(HUGGINGCHAT.model(server), way, BadRequestError, host=None)
        assert HUGGINGCHAT.asked(server) == ("create", "models", "plain_models")
    assert "Invalid request" in str(error)


@pytest.mark.proves("fault:7:HC")
@by_stream
@pytest.mark.parametrize("part", ["create", "send"])
async def test_404_is_told_and_not_tried_again(way: str, part: str) -> None:
    """What does not exist will not exist a moment later."""
    with HUGGINGCHAT.server(**{part: status(404, b'{"message":"Not here"}')}) as server:
        error = await fail(HUGGINGCHAT.model(server), way, NotFoundError, host=None)
        assert HUGGINGCHAT.asked(server) == HUGGINGCHAT.refused(part)
    assert "Not here" in str(error)


@pytest.mark.proves("fault:7:HC")
@by_call
async def test_missing_list_of_models_is_asked_in_both_forms_and_no_more(way: str) -> None:
    """Servers differ in where their list is; two questions settle it."""
    with HUGGINGCHAT.server(models=status(404), plain_models=status(404)) as server:
        model = HUGGINGCHAT.model(server, model=None)
        await fail(model, way, NotFoundError, host=None)
        assert HUGGINGCHAT.asked(server) == ("models", "plain_models")
