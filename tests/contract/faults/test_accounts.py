"""Logins that are kept: one that ends is replaced once, and no message is sent twice for that."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from langchain_g4f.auth import store
from langchain_g4f.auth.store import CredentialFile, Credentials
from langchain_g4f.errors import APIError, AuthenticationError
from tests.contract.faults import flowgpt_script as fg
from tests.contract.faults import gradio_script as gr
from tests.contract.faults.byte_server import Exchange
from tests.contract.faults.harness import ask, by_call, by_stream, by_way, fail
from tests.contract.faults.kept_logins import (
    FRESH,
    STALE,
    WRONG,
    gated,
    keep,
    knows,
    model_of,
    values,
)
from tests.contract.faults.registry import (
    FLOWGPT,
    HUGGINGCHAT,
    PHI4,
    Part,
    Provider,
    cut,
    fault,
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for settings of this test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    yield tmp_path
    store._warn_once.cache_clear()


# --- rows 4 and 43: it ends ----------------------------------------------------------------------


@fault(4, 43)
@by_way
async def test_login_that_is_refused_is_read_again_once(provider: Provider, way: str) -> None:
    """Another program has logged in: the call goes on, and later ones begin with that login."""
    with provider.server(**gated(provider)) as server:
        keep(provider, server, STALE)
        model = model_of(provider, server)
        keep(provider, server, FRESH)
        assert (await ask(model, way)).text == "Hello there"
        assert (await ask(model, way)).text == "Hello there"
        assert values(provider, server) == [STALE, FRESH, FRESH]


@fault(4, 43)
@by_way
async def test_second_refusal_of_a_login_is_final(provider: Provider, way: str) -> None:
    """The error says where to log in, and what to run."""
    with provider.server(**gated(provider)) as server:
        keep(provider, server, STALE)
        model = model_of(provider, server)
        keep(provider, server, WRONG)
        error = await fail(model, way, AuthenticationError, host=None)
        assert values(provider, server) == [STALE, WRONG]
        assert error.login_url == provider.login(server.url)
    assert "langchain-g4f login" in str(error)


@fault(4, 43)
@by_call
async def test_login_that_is_refused_and_is_the_only_one_is_not_sent_again(
    provider: Provider, way: str
) -> None:
    """What was refused once is refused twice."""
    with provider.server(**gated(provider)) as server:
        keep(provider, server, STALE)
        await fail(model_of(provider, server), way, AuthenticationError, host=None)
        assert values(provider, server) == [STALE]


@fault(43)
@pytest.mark.parametrize("threads", [False, True])
async def test_fifty_calls_read_a_refused_login_again_once(
    provider: Provider, threads: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was refused meanwhile takes what one of them found; all answer."""
    reads: list[CredentialFile] = []
    load = CredentialFile.load

    def counted(self: CredentialFile) -> Credentials | None:
        reads.append(self)
        return load(self)

    with provider.server(**gated(provider)) as server:
        keep(provider, server, STALE)
        model = model_of(provider, server)
        keep(provider, server, FRESH)
        monkeypatch.setattr(CredentialFile, "load", counted)
        if threads:
            with ThreadPoolExecutor(50) as pool:
                answers = await asyncio.to_thread(lambda: list(pool.map(model.invoke, ["hi"] * 50)))
        else:
            answers = await asyncio.gather(*(model.ainvoke("hi") for _ in range(50)))
        assert {answer.text for answer in answers} == {"Hello there"}
        assert values(provider, server).count(FRESH) == 50
    # a login whose session the server has renewed is read once more, to be written
    assert len(reads) == (2 if provider is HUGGINGCHAT else 1)


# --- row 43: a message that was taken ------------------------------------------------------------

REFUSED = b'{"message":"Unauthorized"}'


def refuse(exchange: Exchange) -> None:
    """Know nobody."""
    exchange.respond(401, REFUSED)


IN_BAND = {"statusCode": 401, "error": "Unauthorized", "message": "no session"}

TAKEN: dict[str, tuple[Provider, Callable[[], dict[str, Part]], str]] = {
    "answer breaks and cannot be read": (
        HUGGINGCHAT,
        lambda: {
            "send": HUGGINGCHAT.answering(*HUGGINGCHAT.start, HUGGINGCHAT.token("Hello"), then=cut),
            "read": refuse,
            "reattach": refuse,
        },
        "Hello",
    ),
    "answer of the queue is refused": (PHI4, lambda: {"data": refuse}, ""),
    "answer of the queue ends with a refusal": (
        PHI4,
        lambda: {
            "data": PHI4.answering(
                *PHI4.start, PHI4.token("Hello"), gr.failed("Expired ZeroGPU proxy token")
            )
        },
        "Hello",
    ),
    "answer is a refusal": (
        FLOWGPT,
        lambda: {"chat": FLOWGPT.answering(fg.event("error", IN_BAND))},
        "",
    ),
    "answer ends with a refusal": (
        FLOWGPT,
        lambda: {"chat": FLOWGPT.answering(fg.token("Hello"), fg.event("error", IN_BAND))},
        "Hello",
    ),
}


@pytest.mark.proves(
    "fault:43:HC", "fault:43:PH", "fault:43:FG", "promise:retry-never-after-an-event"
)
@by_stream
@pytest.mark.parametrize(("provider", "parts", "partial"), TAKEN.values(), ids=TAKEN)
async def test_message_that_was_taken_is_not_sent_again_for_a_new_login(
    provider: Provider, parts: Callable[[], dict[str, Part]], partial: str, way: str
) -> None:
    """Though one is there: the service may be at work, and the caller has its first words."""
    asked: list[str] = []
    with provider.server(**parts()) as server:
        keep(provider, server, STALE)
        model = model_of(provider, server, on_login_required=asked.append)
        keep(provider, server, FRESH)
        error = await fail(model, way, APIError, host=None, subclass=True)
        assert len(provider.sent(server, provider.message)) == 1
        assert not any(knows(request, FRESH) for request in tuple(server.requests))
    assert (error.partial_text, asked) == (partial, [])


# --- row 4: what was refused ---------------------------------------------------------------------


@fault(4)
@by_way
async def test_refusal_without_a_login_says_that_there_was_none(
    provider: Provider, way: str
) -> None:
    """Whoever has given nothing need not look for what has expired."""
    with provider.server(**gated(provider)) as server:
        error = await fail(model_of(provider, server), way, AuthenticationError, host=None)
    assert str(error).endswith("No login was given.")
    assert error.refused == ""


@fault(4)
@by_way
async def test_refusal_names_the_login_that_was_refused(provider: Provider, way: str) -> None:
    """An argument by its name, a kept one by its file and its profile."""
    with provider.server(**gated(provider)) as server:
        argument = "cookies" if provider is HUGGINGCHAT else "api_key"
        given = {argument: f"token={STALE}" if provider is HUGGINGCHAT else STALE}
        error = await fail(model_of(provider, server, **given), way, AuthenticationError, host=None)
        assert f"The login given as {argument}= was refused" in str(error)
        file = keep(provider, server, STALE)
        error = await fail(model_of(provider, server), way, AuthenticationError, host=None)
        assert f"The login kept in {file.path.name} was refused" in str(error)
        model = model_of(provider, server)
        keep(provider, server, WRONG)
        error = await fail(model, way, AuthenticationError, host=None)
        assert error.refused == f"kept in {file.path.name}"
        copied = pickle.loads(pickle.dumps(model_of(provider, server)))  # noqa: S301 -- our own
        error = await fail(copied, way, AuthenticationError, host=None)
        assert "was refused" in str(error)
