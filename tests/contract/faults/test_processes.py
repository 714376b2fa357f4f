"""One model in several threads, event loops and processes."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.contract.faults.harness import assert_nothing_open, transports
from tests.contract.faults.registry import PATIENT, Provider, fault
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


@fault(52)
@pytest.mark.parametrize("way", ["invoke", "stream", "asyncio.run"])
def test_eight_threads_get_their_own_answers(provider: Provider, way: str) -> None:
    """One model, eight threads, five calls each: nobody hears another's answer."""

    def ask(number: int) -> str:
        prompt = f"number {number}"
        if way == "invoke":
            return model.invoke(prompt).text
        if way == "stream":
            return "".join(chunk.text for chunk in model.stream(prompt))
        return asyncio.run(_ask(model, prompt))

    with echo(provider) as server:
        model = provider.model(server)
        together = threading.Barrier(8)
        with ThreadPoolExecutor(8, initializer=together.wait) as threads:
            answers = list(threads.map(ask, range(40)))
        assert answers == [expected(number) for number in range(40)]
        asked = provider.asked(server)
        assert {part: asked.count(part) for part in provider.again} == dict.fromkeys(
            provider.again, 40
        )
    assert_nothing_open()


@fault(52)
async def test_many_tasks_get_their_own_answers(provider: Provider) -> None:
    """The same on one event loop."""
    with echo(provider) as server:
        model = provider.model(server)
        answers = await asyncio.gather(*(_ask(model, f"number {n}") for n in range(40)))
        assert answers == [expected(number) for number in range(40)]
    assert_nothing_open()


@fault(52)
@pytest.mark.parametrize("way", ["ainvoke", "astream"])
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


@fault(52)
def test_loop_that_is_closed_without_ceremony_is_forgotten(provider: Provider) -> None:
    """Not everybody ends a loop as `asyncio.run` does."""
    with echo(provider) as server:
        model = provider.model(server)
        for number in range(2):
            loop = asyncio.new_event_loop()
            assert loop.run_until_complete(_ask(model, f"number {number}")) == expected(number)
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
        assert server.wait_closed(1)


@fault(52)
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


@fault(52)
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


@fault(52)
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
            timeout=PATIENT.total,
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
