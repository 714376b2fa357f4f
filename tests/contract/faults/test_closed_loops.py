"""An event loop that is closed in the midst of a call: what the call held is free for others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.testing import Sandbox
from langchain_g4f.transport import client
from tests.contract.faults.byte_server import Exchange
from tests.contract.faults.gradio_entry import PHI4
from tests.contract.faults.harness import by_call, eventually
from tests.contract.sandbox.huggingchat.asking import MODEL, echo

# what such a loop leaves open, and complains about, is the doing of who has closed it
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

PACE = "[[long:400]] [[pace:20]]"
COOKIES = {"hf-chat": "33333333-3333-4333-8333-333333333333"}


@contextmanager
def left_by_its_loop(call: Callable[[], Coroutine[Any, Any, object]]) -> Iterator[None]:
    """A call of which a part was done when its loop was closed, without a word to it."""
    loop = asyncio.new_event_loop()
    kept = loop.run_until_complete(call())
    loop.close()
    yield
    forget(loop)
    del kept


def forget(loop: asyncio.AbstractEventLoop) -> None:
    """Drop its clients, as the next call on another loop does."""
    client._async.pop(loop, None)


def asked(model: Any, way: str, *arguments: Any) -> AIMessage:
    """An answer, from another loop or from none."""
    if way == "invoke":
        answer: AIMessage = model.invoke(*arguments)
    else:
        answer = asyncio.run(model.ainvoke(*arguments))
    return answer


@pytest.mark.proves("fault:61:HC", "promise:locks")
@by_call
def test_conversation_is_free_after_its_loop_was_closed(way: str) -> None:
    """The next question does not wait for an answer that nobody reads."""
    with Sandbox() as sandbox:

        def model() -> ChatHuggingChat:
            return ChatHuggingChat(
                base_url=sandbox.base_url, model=MODEL, cookies=COOKIES, timeout=20
            )

        first = [HumanMessage("one"), model().invoke("one")]

        async def begin() -> object:
            stream = model().astream([*first, HumanMessage(f"count {PACE}")])
            await anext(stream)
            return stream

        with left_by_its_loop(begin):
            since = time.monotonic()
            answer = asked(model(), way, [*first, HumanMessage("two")])
            assert time.monotonic() - since < 10
        assert answer.text == echo(2, "two")


@pytest.mark.proves("fault:61:HC", "promise:locks")
def test_waiter_notices_that_the_loop_of_the_holder_was_closed() -> None:
    """It waits already when that happens."""
    with Sandbox() as sandbox:
        settings: Any = {"base_url": sandbox.base_url, "model": MODEL, "cookies": COOKIES}
        model = ChatHuggingChat(timeout=20, **settings)
        first = [HumanMessage("one"), model.invoke("one")]

        async def begin() -> object:
            stream = model.astream([*first, HumanMessage(f"count {PACE}")])
            await anext(stream)
            return stream

        async def wait() -> AIMessage:
            other = ChatHuggingChat(timeout=20, **settings)
            waiting = asyncio.create_task(other.ainvoke([*first, HumanMessage("two")]))
            await asyncio.sleep(0.3)
            assert not waiting.done()
            loop.close()
            return await waiting

        loop = asyncio.new_event_loop()
        kept = loop.run_until_complete(begin())
        since = time.monotonic()
        assert asyncio.run(wait()).text == echo(2, "two")
        assert time.monotonic() - since < 10
        forget(loop)
        del kept


@pytest.mark.proves("fault:61:PH", "promise:locks")
@by_call
def test_token_can_be_fetched_after_the_loop_that_fetched_it_was_closed(way: str) -> None:
    """Calls fetch a token one at a time; the first of them never comes back."""
    good = PHI4.good
    with PHI4.server(jwt=[Exchange.never_answer, good]) as server:
        model = PHI4.model(server, zerogpu_token=None, zerogpu_uuid=None)

        async def begin() -> object:
            task = asyncio.create_task(model.ainvoke("hi"))
            assert await eventually(lambda: "jwt" in PHI4.asked(server), 5)
            return task

        with left_by_its_loop(begin):
            since = time.monotonic()
            assert asked(model, way, "hi").text == "Hello there"
            assert time.monotonic() - since < 10
        assert PHI4.asked(server).count("jwt") == 2
