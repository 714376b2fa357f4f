"""One model in several threads, event loops and processes; a loop that is closed in between."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.testing import Sandbox
from langchain_g4f.transport import client
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.contract.faults.gradio_entry import PHI4
from tests.contract.faults.harness import assert_nothing_open, by_call, eventually, transports
from tests.contract.faults.registry import Provider, fault
from tests.contract.sandbox.huggingchat import asking
from tests.contract.sandbox.huggingchat.asking import MODEL
from tests.strict import STRICT

ROOT = Path(__file__).parents[3]


def echo(provider: Provider) -> ByteServer:
    """A server that says the number that a message holds, a few times and without hurry."""

    def act(exchange: Exchange, message: bytes) -> None:
        found = re.search(rb"number (\d+)", message)
        assert found, message
        stream = exchange.start_stream(content_type=provider.content_type)
        word = f"{found[1].decode()} "
        for piece in provider.whole(*[word] * 5):
            stream.chunk(piece)
            exchange.hold(0.002)
        stream.end()

    return provider.server(**provider.hearing(act))


def expected(number: int) -> str:
    """What `echo` says."""
    return f"{number} " * 5


@fault(52, ways=["invoke", "asyncio.run"])
def test_eight_threads_get_their_own_answers(provider: Provider, way: str) -> None:
    """One model, eight threads, three calls each: no call hears the answer of another."""

    def ask(number: int) -> str:
        prompt = f"number {number}"
        if way == "invoke":
            return model.invoke(prompt).text
        return asyncio.run(_ask(model, prompt))

    with echo(provider) as server:
        model = provider.model(server)
        together = threading.Barrier(8)
        with ThreadPoolExecutor(8, initializer=together.wait) as threads:
            answers = list(threads.map(ask, range(24)))
        assert answers == [expected(number) for number in range(24)]
        asked = provider.asked(server)
        assert {part: asked.count(part) for part in provider.again} == dict.fromkeys(
            provider.again, 24
        )
    assert_nothing_open()


@fault(52, only="HC")
async def test_many_tasks_get_their_own_answers(provider: Provider) -> None:
    """The same on one event loop."""
    with echo(provider) as server:
        model = provider.model(server)
        answers = await asyncio.gather(*(_ask(model, f"number {n}") for n in range(24)))
        assert answers == [expected(number) for number in range(24)]
    assert_nothing_open()


@fault(52, ways=["ainvoke", "astream"])
def test_second_event_loop_has_connections_of_its_own(provider: Provider, way: str) -> None:
    """A model that was used in one `asyncio.run` works in the next, and leaves no client."""
    before = len(list(transports()))
    with echo(provider) as server:
        model = provider.model(server)
        for number in range(3):
            answer = asyncio.run(_ask(model, f"number {number}", way))
            assert answer == expected(number)
            assert server.wait_closed(1), "the loop's connections end with it"
        numbers = [request.connection_number for request in server.requests]
        assert numbers == sorted(numbers)
        assert len(set(numbers)) == 3
    assert len(list(transports())) == before


@fault(52, only="HC")
def test_loop_that_is_closed_without_ceremony_is_forgotten(provider: Provider) -> None:
    """A loop may be ended otherwise than `asyncio.run` does."""
    with echo(provider) as server:
        model = provider.model(server)
        for number in range(2):
            loop = asyncio.new_event_loop()
            assert loop.run_until_complete(_ask(model, f"number {number}")) == expected(number)
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
        assert server.wait_closed(1)


@fault(52, only="HC")
def test_two_loops_at_once_do_not_meet(provider: Provider) -> None:
    """Two threads, each with a loop, and the same model."""
    with echo(provider) as server:
        model = provider.model(server)

        async def several(first: int) -> list[str]:
            numbers = range(first, first + 10)
            return await asyncio.gather(*(_ask(model, f"number {n}") for n in numbers))

        with ThreadPoolExecutor(2) as threads:
            found = list(threads.map(asyncio.run, [several(0), several(10)]))
        assert found == [[expected(n) for n in range(10)], [expected(n) for n in range(10, 20)]]


@fault(52, only="HC")
def test_sync_call_inside_a_running_loop_works(provider: Provider) -> None:
    """As in a notebook, where a loop is always running."""
    with echo(provider) as server:
        model = provider.model(server)

        async def main() -> list[str]:
            return [model.invoke("number 1").text, await _ask(model, "number 2")]

        assert asyncio.run(main()) == [expected(1), expected(2)]


FORKING = """
import asyncio, json, os, sys, threading, time
from tests.contract.faults.registry import PROVIDERS, PATIENT
key, url = sys.argv[1:]
provider = next(p for p in PROVIDERS if p.key == key)
model = provider.build(url, timeout=PATIENT)

def invoke(number):
    return model.invoke(f"number {number}").text

def ainvoke(number):
    return asyncio.run(model.ainvoke(f"number {number}")).text

def fork(ask, number):
    said = [ask(number)]
    busy = threading.Thread(target=ask, args=(number + 1,))
    busy.start()  # a fork in the midst of another thread's call
    time.sleep(0.005)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, json.dumps(ask(number + 2)).encode())
            os._exit(0)
        except BaseException as error:
            os.write(writing, json.dumps(repr(error)).encode())
            os._exit(1)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    said.append(json.loads(os.read(reading, 1 << 16)))
    os.close(reading)
    busy.join()
    return [status, *said, ask(number + 3)]

print(json.dumps([fork(invoke, 0), fork(ainvoke, 4)]))
"""


@fault(52, only="HC")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_forked_child_has_connections_of_its_own(provider: Provider) -> None:
    """Parent and child go on, each on its own connections, also where a call was under way."""
    with echo(provider) as server:
        done = subprocess.run(
            [*STRICT, "-c", FORKING, provider.key, server.url],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        assert done.stderr == ""
        said = [[0, *map(expected, (first, first + 2, first + 3))] for first in (0, 4)]
        assert json.loads(done.stdout) == said
        by_number = {_number(r): r.connection_number for r in server.requests if _number(r)}
        children = {by_number[each] for each in "26"}
        assert len(children) == 2
        assert not children & {by_number[each] for each in "013457"}


def _number(request: Exchange) -> str:
    found = re.search(rb"number (\d+)", request.body)
    return found[1].decode() if found else ""


async def _ask(model: Any, prompt: str, way: str = "astream") -> str:
    if way == "ainvoke":
        answer: str = (await model.ainvoke(prompt)).text
        return answer
    return "".join([chunk.text async for chunk in model.astream(prompt)])


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
    """The next question does not wait for an answer that is not read."""
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
        assert answer.text == asking.echo(2, "two")


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
        assert asyncio.run(wait()).text == asking.echo(2, "two")
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
