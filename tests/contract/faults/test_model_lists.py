"""Lists of models that a service does not give: no other list stands for them."""

from __future__ import annotations

import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.chat_models.base import BaseChatG4F
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    MalformedStreamError,
    NotFoundError,
    ServerError,
)
from langchain_g4f.testing import Sandbox
from tests.contract.faults.byte_server import Action, ByteServer, Exchange
from tests.contract.faults.harness import assert_decent, assert_nothing_open, by_way, fail
from tests.contract.faults.registry import HUGGINGCHAT, Provider, fault, fault_cases
from tests.contract.sandbox.huggingchat.asking import Generation

by_world = pytest.mark.parametrize("world", ["sync", "async"])


def page(exchange: Exchange) -> None:
    """Answer with a web page."""
    exchange.respond(200, b"<!doctype html><p>Welcome", content_type="text/html")


def missing(exchange: Exchange) -> None:
    """Know no such path."""
    exchange.respond(404, b"404 page not found", content_type="text/plain")


def failing(exchange: Exchange) -> None:
    """Fail."""
    exchange.respond(500, b'{"message":"boom"}')


ANSWERS: dict[str, tuple[Action, type[APIError]]] = {
    "a page": (page, MalformedStreamError),
    "404": (missing, NotFoundError),
    "500": (failing, ServerError),
}


def answers_of(provider: Provider) -> dict[str, tuple[Action, type[APIError]]]:
    """What there is instead of a list; of the Phi-4 Space, what it says of itself is known."""
    return ANSWERS if provider is HUGGINGCHAT else {"a page": ANSWERS["a page"]}


async def models_of(model: BaseChatG4F, world: str) -> list[str]:
    """The models, in one of both worlds."""
    return model.get_models() if world == "sync" else await model.aget_models()


@fault_cases(67, of=answers_of)
@by_world
async def test_models_of_something_else_are_an_error(
    provider: Provider, world: str, case: tuple[Action, type[APIError]]
) -> None:
    """The caller would choose among models that are not there."""
    action, kind = case
    with ByteServer(action) as server:
        model = provider.model(server, max_retries=0)
        with pytest.raises(kind) as caught:
            await models_of(model, world)
    assert caught.value.provider == provider.name
    assert_decent(caught.value)
    assert_nothing_open()


@fault(67)
@by_world
async def test_models_of_a_dead_server_are_an_error(provider: Provider, world: str) -> None:
    """It says nothing, so nothing is known."""
    with ByteServer(page) as server:
        model = provider.model(server, max_retries=0)
    with pytest.raises(APIConnectionError):
        await models_of(model, world)


@pytest.mark.proves("fault:67:HC")
@by_world
@pytest.mark.parametrize("base", ["", "/chat", "/other"])
@pytest.mark.parametrize("action", [page, missing])
async def test_address_without_a_chat_ui_server_is_said_to_be_one(
    world: str, base: str, action: Action
) -> None:
    """With the hint that most often helps, where it can."""
    with ByteServer(action) as server:
        model = ChatHuggingChat(base_url=f"{server.url}{base}")
        with pytest.raises(APIError, match=f"no chat-ui server at {server.url}{base}:") as caught:
            await models_of(model, world)
    assert ("the path /chat is missing" in str(caught.value)) is (not base)


@pytest.mark.proves("fault:67:HC")
@by_way
@pytest.mark.parametrize("named", [True, False])
async def test_question_to_a_forgotten_path_gets_the_hint(way: str, named: bool) -> None:
    """Whether the model has to be asked for or not, on a real server's other paths."""
    generations: tuple[Generation, ...] = ("current", "legacy")
    for generation in generations:
        with Sandbox(generation=generation) as sandbox:
            model = ChatHuggingChat(
                base_url=sandbox.origin, model="sandbox/text-small" if named else None
            )
            error = await fail(model, way, APIError, host=None, subclass=True)
        assert "the path /chat is missing" in str(error)
        assert sandbox.origin in str(error)
