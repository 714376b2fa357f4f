"""The service refuses: what each status means, and what is told of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.chat_models.base import BaseChatG4F
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    BadRequestError,
    ChallengeError,
    MalformedStreamError,
    ModelNotFoundError,
    NotFoundError,
    PermissionDeniedError,
    ServerError,
)
from langchain_g4f.testing import Sandbox
from tests.contract.faults.byte_server import Action, ByteServer, Exchange
from tests.contract.faults.harness import assert_decent, assert_nothing_open, by_turns, closed, fail
from tests.contract.faults.registry import HUGGINGCHAT, STREAMS, Provider, fault
from tests.contract.sandbox.huggingchat.asking import Generation

PAGE = b"<!DOCTYPE html><html><head><title>Hello there</title></head><body>Hello</body></html>"
CHALLENGE = PAGE.replace(b"<body>", b'<body><script src="/cdn-cgi/challenge-platform/x"></script>')
HTML = "text/html; charset=utf-8"


def status(code: int, body: bytes = b"", content_type: str = "application/json") -> Action:
    """Answer with this status and body."""
    return lambda exchange: exchange.respond(code, body, content_type=content_type)


FORBIDDEN: dict[str, tuple[bytes, str, str]] = {
    "text": (b"Invalid referer for POST request", "text/plain", "Invalid referer"),
    "JSON": (b'{"error":"not yours"}', "application/json", "not yours"),
    "a page": (PAGE, HTML, ""),
    "nothing": (b"", "", ""),
}


@fault(5, case=FORBIDDEN)
async def test_403_is_permission_denied(
    provider: Provider, way: str, case: tuple[bytes, str, str]
) -> None:
    """What the service says is told, unless it is a page."""
    body, content_type, detail = case
    for part in provider.good_call:
        with provider.server(**{part: status(403, body, content_type)}) as server:
            error = await fail(provider.model(server), way, PermissionDeniedError, host=None)
            assert provider.asked(server) == provider.refused(part)
        assert (error.status_code, error.is_retryable) == (403, False)
        assert detail in str(error)
        assert detail in error.body
        assert "<" not in str(error) + error.body


@fault(5, code=[403, 429, 503])
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


@fault(5, 6, page={"page": PAGE, "challenge": CHALLENGE})
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
async def test_answer_without_a_content_type_is_no_answer(provider: Provider, way: str) -> None:
    """What does not say that it is an answer is not read as one."""
    lines = b"".join(provider.whole("Hello"))
    with provider.server(answer=status(200, lines, "")) as server:
        error = await fail(provider.model(server), way, MalformedStreamError, host=None)
    assert "content type" in str(error)


REASONS: dict[str, tuple[int, object, str]] = {
    "a message": (413, {"message": "File too large, should be <10MB"}, "File too large"),
    "details": (422, {"detail": [{"loc": ["body", "x"], "msg": "not a number"}]}, "not a number"),
    "a detail": (422, {"detail": "no such field"}, "no such field"),
    "a reason": (400, {"error": {"reason": "too long"}}, "too long"),
    "a long message": (413, {"message": "too large! " * 10_000}, "too large!"),
    "a list": (400, ["nonsense"], "nonsense"),
    "null": (400, None, ""),
}


@fault(11, case=REASONS)
async def test_refused_message_is_a_bad_request_with_the_reason(
    provider: Provider, way: str, case: tuple[int, object, str]
) -> None:
    """The reason is in the message, cut to a readable length, and nothing is sent again."""
    code, body, detail = case
    refuse = status(code, json.dumps(body).encode())
    with provider.server(**{provider.message: refuse}) as server:
        error = await fail(provider.model(server), way, BadRequestError, host=None)
        assert provider.asked(server) == provider.refused(provider.message)
    assert (error.status_code, error.is_retryable) == (code, False)
    assert detail in str(error)
    assert len(str(error)) < 1000
    assert len(error.body) < 1000


@fault(12, case={"500": (500, ServerError), "422": (422, BadRequestError)})
async def test_endless_error_body_is_not_read_to_its_end(
    provider: Provider, way: str, case: tuple[int, type[APIStatusError]]
) -> None:
    """The status counts; after 64 KiB the connection is dropped."""
    code, kind = case
    sent = 0

    def flood(exchange: Exchange) -> None:
        nonlocal sent
        stream = exchange.start_stream(code, "text/plain")
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
async def test_error_body_of_a_gigabyte_is_not_waited_for(provider: Provider, way: str) -> None:
    """A length of 1 GB, of which little comes, does not hold the error up for long."""

    def promise(exchange: Exchange) -> None:
        head = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 1073741824"
        exchange.send(head + b"\r\n\r\n" + b"gone " * 20_000)
        exchange.never_answer()

    with provider.server(answer=promise) as server:
        error = await fail(provider.model(server), way, NotFoundError, host=None)
        assert await closed(provider, server, provider.answer)
    assert "gone gone" in str(error)


# --- row 7: HuggingChat's own, models and conversations that are not there -----------------------

INVALID = status(400, b'{"message":"Invalid request"}')


@fault(7, only="HC")
async def test_unknown_model_is_looked_up_once(provider: Provider, way: str) -> None:
    """The server calls it an invalid request; one look at its list says what was wrong."""
    with provider.server(create=INVALID) as server:
        error = await fail(provider.model(server, model="lab/text-smal"), way, ModelNotFoundError)
        assert provider.asked(server) == ("create", "models")
    assert error.closest[0] == "lab/text-small"
    assert "lab/text-small" in str(error)
    assert not error.is_retryable


@fault(7, only="HC")
async def test_list_that_is_missing_too_does_not_hide_what_happened(
    provider: Provider, way: str
) -> None:
    """Servers differ in where their list is; two questions settle it."""
    with provider.server(create=INVALID, models=status(404)) as server:
        refused = await fail(provider.model(server), way, BadRequestError, host=None)
        assert provider.asked(server) == ("create", "models", "plain_models")
    assert "Invalid request" in str(refused)
    with provider.server(models=status(404), plain_models=status(404)) as server:
        await fail(provider.model(server, model=None), way, NotFoundError, host=None)
        assert provider.asked(server) == ("models", "plain_models")


@fault(7, only="HC", ways=STREAMS, part=["create", "send"])
async def test_404_is_told_and_not_tried_again(provider: Provider, way: str, part: str) -> None:
    """What does not exist will not exist a moment later."""
    with provider.server(**{part: status(404, b'{"message":"Not here"}')}) as server:
        error = await fail(provider.model(server), way, NotFoundError, host=None)
        assert provider.asked(server) == provider.refused(part)
    assert "Not here" in str(error)


# --- row 67: no list of models, and no other list stands for it ----------------------------------

Answer = tuple[Action, type[APIError]]

ANSWERS: dict[str, Answer] = {
    "a page": (status(200, PAGE, HTML), MalformedStreamError),
    "404": (status(404, b"404 page not found", "text/plain"), NotFoundError),
    "500": (status(500, b'{"message":"boom"}'), ServerError),
}


def answers_of(provider: Provider) -> dict[str, Answer]:
    """What there is instead of a list; of the Phi-4 Space, what it says of itself is known."""
    return ANSWERS if provider is HUGGINGCHAT else {"a page": ANSWERS["a page"]}


async def models_of(model: BaseChatG4F, way: str) -> list[str]:
    """The models, blocking or awaiting."""
    return model.get_models() if way == "invoke" else await model.aget_models()


@fault(67, each=True, case=answers_of)
async def test_models_of_something_else_are_an_error(
    provider: Provider, way: str, case: Answer
) -> None:
    """The caller would choose among models that are not there."""
    action, kind = case
    with ByteServer(action) as server:
        model = provider.model(server, max_retries=0)
        with pytest.raises(kind) as caught:
            await models_of(model, way)
    assert caught.value.provider == provider.name
    assert_decent(caught.value)
    assert_nothing_open()
    with pytest.raises(APIConnectionError):  # a dead server says nothing, so nothing is known
        await models_of(model, way)


ADDRESSES: dict[str, tuple[str, Any]] = {
    f"{base} {name}": (base, ANSWERS[name][0])
    for base in ("", "/chat", "/other")
    for name in ("a page", "404")
}


@fault(67, only="HC", case=ADDRESSES)
async def test_address_without_a_chat_ui_server_is_said_to_be_one(
    way: str, case: tuple[str, Action]
) -> None:
    """With the hint that most often helps, where it can."""
    base, action = case
    with ByteServer(action) as server:
        model = ChatHuggingChat(base_url=f"{server.url}{base}")
        with pytest.raises(APIError, match=f"no chat-ui server at {server.url}{base}:") as caught:
            await models_of(model, way)
    assert ("the path /chat is missing" in str(caught.value)) is (not base)


@pytest.mark.proves("fault:67:HC")
@by_turns
@pytest.mark.parametrize("generation", ["current", "legacy"])
async def test_question_to_a_forgotten_path_gets_the_hint(way: str, generation: Generation) -> None:
    """Whether the model has to be asked for or not, on a real server's other paths."""
    with Sandbox(generation=generation) as sandbox:
        for name in ("sandbox/text-small", None):
            model = ChatHuggingChat(base_url=sandbox.origin, model=name)
            error = await fail(model, way, APIError, host=None, subclass=True)
            assert "the path /chat is missing" in str(error)
            assert sandbox.origin in str(error)
