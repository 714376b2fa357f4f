"""The caller stops reading, or its callbacks raise: closed, and the service told, in a second."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler

from langchain_g4f.core.events import Progress
from tests.contract.faults.byte_server import Action, ByteServer, Exchange
from tests.contract.faults.harness import (
    ask,
    assert_given_up,
    assert_nothing_open,
    begin,
    closed,
    end,
    eventually,
    nothing_open,
    read,
)
from tests.contract.faults.registry import PATIENT, STREAMS, Provider, fault, hang

WORDS = ("One ", "two ", "three ")


def unfinished(provider: Provider) -> Action:
    """An answer that goes on for ever after three words."""
    return provider.answering(*provider.start, *map(provider.token, WORDS), then=hang)


@fault(34, ways=STREAMS, count=[3, 0, 1])
async def test_stream_closed_early_is_closed_and_stopped(
    provider: Provider, way: str, count: int
) -> None:
    """After any number of events, closing ends the run at the service."""
    with provider.server(answer=unfinished(provider)) as server:
        stream = begin(provider.model(server), way)
        if count:
            assert await read(stream, count) == list(WORDS[:count])
        await end(stream)
        if count:
            await assert_given_up(provider, server)
        else:
            assert server.requests == [], "nothing was asked for yet"


@fault(34, ways=STREAMS)
async def test_stream_closed_after_its_end_is_not_stopped(provider: Provider, way: str) -> None:
    """There is nothing to stop: a stop would hit the next answer."""
    with provider.server() as server:
        stream = begin(provider.model(server), way)
        assert "".join(await read(stream, 2)) == "Hello there"
        while (
            await anext(stream, None) if isinstance(stream, AsyncIterator) else next(stream, None)
        ):
            pass
        await end(stream)
        await asyncio.sleep(0.05)
        assert provider.asked(server) == provider.good_call
    assert_nothing_open()


ABORTS: dict[str, Action] = {
    "refused": lambda x: x.respond(500, b'{"message":"cannot stop"}'),
    "reset": Exchange.reset,
    "redirected": lambda x: x.respond(302, headers=[("Location", "/login")]),
    "rate-limited": lambda x: x.respond(429, headers=[("Retry-After", "1")]),
}


@fault(34, where=lambda provider: provider.abort, ways=STREAMS, abort=ABORTS)
async def test_abort_that_fails_is_tried_once_and_hidden(
    provider: Provider, way: str, abort: Action
) -> None:
    """The caller has lost interest: there is no use in an error, nor in trying again."""
    parts = dict.fromkeys(provider.abort, abort)
    with provider.server(answer=unfinished(provider), **parts) as server:
        stream = begin(provider.model(server), way)
        await read(stream, 2)
        await end(stream)
        await assert_given_up(provider, server)


@fault(34, where=lambda provider: provider.abort, ways=STREAMS)
async def test_abort_that_is_not_answered_has_a_clock_of_its_own(
    provider: Provider, way: str
) -> None:
    """Closing takes no longer than the clock for it."""
    parts = dict.fromkeys(provider.abort, Exchange.never_answer)
    with provider.server(answer=unfinished(provider), **parts) as server:
        model = provider.model(server, timeout=replace(PATIENT, abort=0.3))
        stream = begin(model, way)
        await read(stream, 1)
        since = time.monotonic()
        await end(stream)
        expected = (*provider.good_call, *provider.abort)
        assert await eventually(lambda: provider.asked(server) == expected)
        assert await eventually(lambda: server.connections_open == 0, 3)
        assert 0.3 <= time.monotonic() - since < 3
        assert provider.asked(server) == expected
    assert_nothing_open()


@fault(34, ways=STREAMS)
async def test_abort_to_a_service_that_is_gone_is_hidden(provider: Provider, way: str) -> None:
    """Not even the connection for it can be made."""
    with provider.server(answer=unfinished(provider)) as server:
        stream = begin(provider.model(server), way)
        await read(stream, 1)
        server.shutdown()
        server.socket.close()
        await end(stream)
        assert await closed(provider, server, provider.answer)
    assert await eventually(nothing_open)


@fault(35, ways=STREAMS)
async def test_stream_that_is_dropped_is_closed_and_stopped(provider: Provider, way: str) -> None:
    """By losing the last reference, or by leaving a loop: as if it had been closed."""
    with provider.server(answer=unfinished(provider)) as server:
        stream = begin(provider.model(server), way)
        await read(stream, 2)
        del stream
        gc.collect()
        await assert_given_up(provider, server)


@fault(35)
# httpx makes generators for the abort, too, and asyncio says that this is late
@pytest.mark.filterwarnings("ignore:asynchronous generator:ResourceWarning")
@pytest.mark.parametrize("kept", [True, False], ids=["kept", "dropped"])
def test_loop_that_ends_with_a_stream_open_stops_it(
    provider: Provider, kept: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """`asyncio.run` returns in the midst of a stream: its end is not skipped, nor noisy."""
    held: list[Any] = []

    async def main(server: ByteServer) -> None:
        stream = begin(provider.model(server), "astream")
        await read(stream, 2)
        if kept:
            held.append(stream)

    with provider.server(answer=unfinished(provider)) as server:
        asyncio.run(main(server))
        assert provider.asked(server) == (*provider.good_call, *provider.abort)
        assert server.wait_closed(1)
    assert [record for record in caplog.records if record.name == "asyncio"] == []


@fault(34, ways=["invoke", "ainvoke"])
async def test_stop_string_ends_the_run_at_the_service(provider: Provider, way: str) -> None:
    """An answer that is cut by the caller's own stop string need not be written to its end."""
    with provider.server(answer=unfinished(provider)) as server:
        assert (await ask(provider.model(server, stop=["three"]), way)).text == "One two "
        await assert_given_up(provider, server)


@fault(34)
async def test_stream_closed_by_another_thread_than_its_reader_is_stopped(
    provider: Provider,
) -> None:
    """A generator may be handed on, as frameworks do between its items."""
    with provider.server(answer=unfinished(provider)) as server:
        stream = begin(provider.model(server), "stream")
        await read(stream, 1)
        closer = threading.Thread(target=stream.close)  # type: ignore[union-attr]
        closer.start()
        closer.join()
        await assert_given_up(provider, server)


# --- row 52: callbacks ---------------------------------------------------------------------------


class CallbackError(Exception):
    """What the caller's own code raises."""


class Loud(BaseCallbackHandler):
    """Raises at one of LangChain's events, and wants it known."""

    raise_error = True

    def __init__(self, event: str) -> None:
        self.seen = 0
        setattr(self, event, self._fail)

    def _fail(self, *_: Any, **__: Any) -> None:
        self.seen += 1
        raise CallbackError


class AsyncLoud(AsyncCallbackHandler):
    """The same, awaited."""

    raise_error = True

    def __init__(self, event: str) -> None:
        self.seen = 0
        setattr(self, event, self._fail)

    async def _fail(self, *_: Any, **__: Any) -> None:
        self.seen += 1
        await asyncio.sleep(0)
        raise CallbackError


class Quiet(Loud):
    """Raises, and LangChain logs that."""

    raise_error = False


Make = Callable[[str], Any]
HANDLERS: dict[str, tuple[str, Make]] = {
    "invoke": ("invoke", Loud),
    "astream": ("astream", Loud),
    "awaited": ("astream", AsyncLoud),
}


async def ask_with(model: Any, way: str, *handlers: Any) -> str:
    """The text of an answer, asked with these callbacks."""
    config = {"callbacks": list(handlers)}
    if way == "invoke":
        answer: str = model.invoke("hi", config).text
        return answer
    return "".join([chunk.text async for chunk in model.astream("hi", config)])


@fault(52, case=HANDLERS)
async def test_callback_that_raises_ends_the_run(
    provider: Provider, case: tuple[str, Make]
) -> None:
    """Its error comes back as it is: before any request, in the midst of an answer, at its end."""
    way, make = case
    handler = make("on_chat_model_start")
    with provider.server() as server:
        with pytest.raises(CallbackError):
            await ask_with(provider.model(server), way, handler)
        assert server.requests == []
    assert handler.seen
    handler = make("on_llm_new_token")
    with provider.server(answer=unfinished(provider)) as server:
        with pytest.raises(CallbackError):
            await ask_with(provider.model(server), way, handler)
        assert handler.seen == 1
        await assert_given_up(provider, server)
    handler = make("on_llm_end")
    with provider.server() as server:
        with pytest.raises(CallbackError):
            await ask_with(provider.model(server), way, handler)
        assert provider.asked(server) == provider.good_call
    assert handler.seen
    assert_nothing_open()


@fault(52)
async def test_callback_that_raises_quietly_changes_nothing(provider: Provider, way: str) -> None:
    """LangChain logs what other callbacks raise; the answer is the same."""
    quiet = Quiet("on_llm_new_token")
    with provider.server() as server:
        assert await ask_with(provider.model(server), way, quiet) == "Hello there"
        assert provider.asked(server) == provider.good_call


@fault(52)
async def test_progress_callback_that_raises_ends_the_call(provider: Provider, way: str) -> None:
    """In the midst of a run, or at the news of a retry: nothing is asked again after it."""

    def on_progress(_: Progress) -> None:
        raise CallbackError

    def refuse(exchange: Exchange) -> None:
        exchange.respond(429, headers=[("Retry-After", "1")])

    if provider.start:
        with provider.server(answer=unfinished(provider)) as server:
            with pytest.raises(CallbackError):
                await ask_with(provider.model(server, on_progress=on_progress), way)
            await assert_given_up(provider, server)

    def on_retry(progress: Progress) -> None:
        if progress.kind == "retry":
            on_progress(progress)

    with provider.server(**{provider.message: refuse}) as server:
        with pytest.raises(CallbackError):
            await ask_with(provider.model(server, on_progress=on_retry), way)
        assert provider.asked(server) == provider.until(provider.message)
    assert_nothing_open()


@fault(52)
async def test_callback_that_asks_the_same_model_works(provider: Provider, way: str) -> None:
    """A call inside a callback of another call has a connection of its own."""
    with provider.server() as server:
        model = provider.model(server)
        inner: list[str] = []

        class Asking(BaseCallbackHandler):
            raise_error = True

            def on_llm_new_token(self, *_: Any, **__: Any) -> None:
                if not inner:
                    inner.append("")
                    inner.append(model.invoke("and you?").text)

        assert await ask_with(model, way, Asking()) == "Hello there"
        assert inner[1] == "Hello there"
        assert len(server.requests) == len(provider.calls(2))
    assert_nothing_open()
