"""ChatHuggingChat on the recordings of a real chat-ui server, current generation."""

from __future__ import annotations

from typing import ClassVar

import httpx
import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import (
    AuthenticationError,
    EmptyResponseError,
    ModelNotFoundError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    ServerStreamError,
)
from tests.provider_tests.replay import Chunking, Replayer, load
from tests.provider_tests.suite import (
    CASSETTES,
    CHUNKINGS,
    WAYS,
    ProviderSuite,
    Scenario,
    ask,
    clients,
    scenarios,
)

BASE_URL = "http://127.0.0.1:17860/chat"
TEXT = {"model": "lab/text-small"}
REASONER = {"model": "lab/reasoner"}
THOUGHTS = "First I look at the question. Then I answer it."
DOUBLED = "Echo (lab/text-small, turnEcho (lab/text-small, turn"


def chat(name: str) -> str:
    """The path of a recording."""
    return f"huggingchat/{name}"


class TestHuggingChat(ProviderSuite):
    SCENARIOS: ClassVar = scenarios(
        Scenario(
            chat("chat-text"),
            "Hello there",
            TEXT,
            "Echo (lab/text-small, turn 1): Hello there",
            metadata={
                "title": "Title: Hello there",
                "model_name": "lab/text-small",
                "finish_reason": "stop",
                "restarted": None,
            },
        ),
        Scenario(
            chat("chat-unicode"),
            "Zażółć [[unicode]]",
            TEXT,
            'Zażółć gęślą jaźń 😀👩\u200d👩\u200d👧\u200d👦\nline two: "quoted" \\ back 漢字',
        ),
        Scenario(
            chat("chat-long-answer"),
            "Count [[long:300]]",
            TEXT,
            " ".join(f"w{n}" for n in range(1, 301)),
        ),
        Scenario(
            chat("chat-reasoning-field"),
            "Why? [[think]]",
            REASONER,
            "Echo (lab/reasoner, turn 1): Why?",
            reasoning=THOUGHTS,
        ),
        Scenario(
            chat("chat-reasoning-inline"),
            "Why? [[think-inline]]",
            REASONER,
            "Echo (lab/reasoner, turn 1): Why?",
            reasoning="Inline thoughts come first.",
        ),
        Scenario(
            chat("chat-reasoning-without-answer"),
            "Why? [[think-only]]",
            REASONER,
            "",
            reasoning=THOUGHTS,
        ),
        Scenario(
            chat("chat-system-prompt"),
            [("system", "You are a pirate."), ("user", "Hello [[echo]]")],
            TEXT,
            '[{"role": "system", "text": "You are a pirate.\\n\\nYou are a pirate."},'
            ' {"role": "user", "text": "Hello [[echo]]"}]',
        ),
        Scenario(
            chat("chat-keep-alive"),
            "wait [[slow]]",
            TEXT,
            "Echo (lab/text-small, turn 1): wait",
        ),
        Scenario(
            chat("chat-title-after-final-answer"),
            "Late title [[slow-title]]",
            TEXT,
            "Echo (lab/text-small, turn 1): Late title",
            metadata={"title": "Title: Late title", "finish_reason": "stop"},
        ),
        Scenario(
            chat("chat-router-omni"),
            "route me",
            {"model": "omni"},
            "Echo (lab/text-small, turn 1): route me",
            metadata={"model_name": "lab/text-small"},
        ),
        Scenario(
            chat("stop-generating"),
            "count [[long:100]][[pace:100]]",
            TEXT,
            " ".join(f"w{n}" for n in range(1, 15)),
            metadata={"finish_reason": "interrupted"},
        ),
        Scenario(
            chat("backend-drops-once-then-recovers"),
            "retry me [[flaky:2d59ab51-f1a9-4353-8c11-b4630ebcf60c]]",
            TEXT,
            "Echo (lab/text-small, turn 1): retry me",
            streamed="Echo (lab/text-small, turnEcho (lab/text-small, turn 1): retry me",
            metadata={"restarted": True},
        ),
        Scenario(
            chat("auth-required-without-session"),
            "hi",
            TEXT | {"base_url": "http://127.0.0.1:17861/chat"},
            error=AuthenticationError,
            attributes={"status_code": 302, "login_url": "http://127.0.0.1:17861/chat/login"},
        ),
        Scenario(
            chat("error-backend-401"),
            "fail [[error:401]]",
            TEXT,
            error=AuthenticationError,
            attributes={"status_code": 401},
        ),
        Scenario(
            chat("error-backend-402"),
            "fail [[error:402]]",
            TEXT,
            error=QuotaExceededError,
            attributes={"status_code": 402, "is_retryable": False},
        ),
        Scenario(
            chat("error-backend-429"),
            "fail [[error:429]]",
            TEXT,
            error=RateLimitError,
            attributes={"status_code": 429, "is_retryable": True},
        ),
        Scenario(
            chat("error-backend-500"),
            "fail [[error500]]",
            TEXT,
            error=ServerError,
            attributes={"status_code": 500},
        ),
        Scenario(
            chat("error-backend-drops-mid-stream"),
            "fail [[midstream-drop]]",
            TEXT,
            DOUBLED,
            error=ServerStreamError,
        ),
        Scenario(
            chat("error-backend-error-mid-stream"),
            "fail [[midstream-error]]",
            TEXT,
            DOUBLED,
            error=ServerStreamError,
        ),
        Scenario(
            chat("error-backend-empty-answer"),
            "nothing [[empty]]",
            TEXT,
            error=EmptyResponseError,
        ),
    )

    def model(self, scenario: Scenario, replayer: Replayer) -> ChatHuggingChat:
        settings = {"base_url": BASE_URL} | dict(scenario.settings)
        return ChatHuggingChat(**settings, **clients(replayer), max_retries=0)


MODELS = ["omni", "lab/text-small", "lab/vision-tools", "lab/reasoner"]


@pytest.mark.proves("cassette:huggingchat/models-list-v2")
async def test_models_of_a_current_server_are_listed_with_the_default_first() -> None:
    """The router comes first and unlisted models are left out, sync and async."""
    replay = load(CASSETTES / "huggingchat/models-list-v2.yaml")
    model = ChatHuggingChat(base_url=BASE_URL, **clients(replay()))
    assert model.get_models() == MODELS
    other = ChatHuggingChat(base_url=BASE_URL, **clients(replay()))
    assert await other.aget_models() == MODELS


class _Chain(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """One recording for the list of models, another for everything else."""

    def __init__(self, replayer: Replayer, models: Replayer) -> None:
        self._replayer, self._models = replayer, models

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        listing = request.url.path.endswith("/models")
        return (self._models if listing else self._replayer).handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        listing = request.url.path.endswith("/models")
        return await (self._models if listing else self._replayer).handle_async_request(request)


@pytest.mark.proves("cassette:huggingchat/error-unknown-model", "promise:closest-models")
@pytest.mark.parametrize("chunking", CHUNKINGS)
@pytest.mark.parametrize("way", WAYS)
async def test_unknown_model_is_named_with_the_closest_ones(way: str, chunking: Chunking) -> None:
    """The server calls it an invalid request; the caller learns which models there are."""
    transport = _Chain(
        load(CASSETTES / "huggingchat/error-unknown-model.yaml")(chunking=chunking),
        load(CASSETTES / "huggingchat/models-list-v2.yaml")(chunking=chunking),
    )
    model = ChatHuggingChat(
        base_url=BASE_URL,
        model="lab/nope",
        http_client=httpx.Client(transport=transport),
        http_async_client=httpx.AsyncClient(transport=transport),
    )
    with pytest.raises(ModelNotFoundError, match="'lab/nope'") as caught:
        await ask(model, "hi", way)
    assert set(caught.value.closest) <= set(MODELS)
    assert caught.value.closest
    assert caught.value.status_code == 400


class _WithoutV2(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A server from before the JSON API: its paths are not found."""

    def __init__(self, replayer: Replayer) -> None:
        self._replayer = replayer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if "/api/v2/" in request.url.path:
            return httpx.Response(404, json={"message": "Not Found"})
        return self._replayer.handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if "/api/v2/" in request.url.path:
            return httpx.Response(404, json={"message": "Not Found"})
        return await self._replayer.handle_async_request(request)


@pytest.mark.proves("cassette:huggingchat/models-list-plain")
async def test_models_of_a_server_without_v2_are_read_from_the_plain_list() -> None:
    """Where the JSON API is missing, the plain list serves, sync and async."""
    replay = load(CASSETTES / "huggingchat/models-list-plain.yaml")
    transport = _WithoutV2(replay())
    model = ChatHuggingChat(base_url=BASE_URL, http_client=httpx.Client(transport=transport))
    assert model.get_models() == MODELS
    async_client = httpx.AsyncClient(transport=_WithoutV2(replay()))
    other = ChatHuggingChat(base_url=BASE_URL, http_async_client=async_client)
    assert await other.aget_models() == MODELS
