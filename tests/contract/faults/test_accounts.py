"""Logins that are kept: one that ends is replaced once; a file that others can touch is refused."""

from __future__ import annotations

import asyncio
import json
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from langchain_g4f import BaseChatG4F
from langchain_g4f.auth import store
from langchain_g4f.auth.store import CredentialFile, Credentials
from langchain_g4f.errors import APIError, AuthenticationError, G4FError
from tests.contract.faults import flowgpt_script as fg
from tests.contract.faults import gradio_script as gr
from tests.contract.faults.byte_server import Exchange
from tests.contract.faults.harness import ask, by_stream, fail
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
    CANARY,
    FLOWGPT,
    HUGGINGCHAT,
    PATIENT,
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
async def test_refusal_is_final_and_names_the_login(provider: Provider, way: str) -> None:
    """None, an argument, a kept one, and the one after it: where to log in, and what to run."""
    with provider.server(**gated(provider)) as server:
        error = await fail(model_of(provider, server), way, AuthenticationError, host=None)
        assert str(error).endswith("No login was given.")
        assert error.refused == ""
        argument = "cookies" if provider is HUGGINGCHAT else "api_key"
        given = {argument: f"token={STALE}" if provider is HUGGINGCHAT else STALE}
        error = await fail(model_of(provider, server, **given), way, AuthenticationError, host=None)
        assert f"The login given as {argument}= was refused" in str(error)
        file = keep(provider, server, STALE)
        seen = len(values(provider, server))
        error = await fail(model_of(provider, server), way, AuthenticationError, host=None)
        assert f"The login kept in {file.path.name} was refused" in str(error)
        assert values(provider, server)[seen:] == [STALE], "refused once, it is refused twice"
        copied = pickle.loads(pickle.dumps(model_of(provider, server)))  # noqa: S301 -- our own
        error = await fail(copied, way, AuthenticationError, host=None)
        assert "was refused" in str(error)
        model, seen = model_of(provider, server), len(values(provider, server))
        keep(provider, server, WRONG)
        error = await fail(model, way, AuthenticationError, host=None)
        assert values(provider, server)[seen:] == [STALE, WRONG]
        assert error.refused == f"kept in {file.path.name}"
        assert error.login_url == provider.login(server.url)
        assert "langchain-g4f login" in str(error)


@fault(43, threads={"tasks": False, "threads": True})
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
        slow = replace(PATIENT, first_event=50, idle=50, total=50)  # for fifty on a busy machine
        model = model_of(provider, server, timeout=slow)
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
    """Know no login."""
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
@pytest.mark.parametrize(("provider", "parts", "partial"), TAKEN.values(), ids=TAKEN)
@by_stream
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


# --- row 44: a file with which something is wrong -------------------------------------------------


def shared(file: CredentialFile) -> None:
    """Let others read it."""
    file.path.chmod(0o644)


def linked(file: CredentialFile) -> None:
    """Put a link in its place."""
    there = file.path.with_suffix(".there")
    file.path.rename(there)
    file.path.symlink_to(there)


@fault(44, harm=[shared, linked])
async def test_login_that_others_can_touch_is_refused(
    provider: Provider, way: str, harm: Callable[[CredentialFile], None]
) -> None:
    """It renews no login; a new model says how to mend it, without the credential."""
    with provider.server(**gated(provider)) as server:
        keep(provider, server, STALE)
        model = model_of(provider, server)
        harm(keep(provider, server, FRESH))
        await fail(model, way, AuthenticationError, host=None)
        assert values(provider, server) == [STALE]
        with pytest.raises(ValueError, match=r"chmod 600|rm ") as caught:
            model_of(provider, server)
        assert values(provider, server) == [STALE]
    assert CANARY not in f"{caught.value} {caught.value!r}"


@fault(44)
async def test_login_that_is_half_written_is_ignored_with_a_warning(
    provider: Provider, way: str
) -> None:
    """When a model is made, and when one looks for another login."""
    with provider.server(**gated(provider)) as server:
        file = keep(provider, server, STALE)
        model = model_of(provider, server)
        file.path.write_text(json.dumps({"version": 1, "api_key": FRESH})[:-1])
        with pytest.warns(UserWarning, match="is not what this package writes") as warned:
            await fail(model, way, AuthenticationError, host=None)
        assert CANARY not in str(warned[0].message)
        with pytest.warns(UserWarning, match="is not what this package writes"):
            model = model_of(provider, server)
        await _fail_with_warning(model, way)
        assert FRESH not in values(provider, server)


async def _fail_with_warning(model: BaseChatG4F, way: str) -> None:
    with (
        pytest.warns(UserWarning, match="is not what this package writes"),
        pytest.raises(G4FError),
    ):
        await ask(model, way)


@fault(44)
async def test_folder_that_cannot_be_written_does_not_matter_to_a_call(
    provider: Provider, way: str, home: Path
) -> None:
    """The login that was given works, unsaved, and the warning comes once."""
    (home / "langchain-g4f").write_bytes(b"")
    with provider.server() as server:
        model = provider.model(server)
        with pytest.warns(UserWarning, match="sessions are not kept") as warned:
            assert not model.keep_login()
        assert not model.keep_login()
        assert (await ask(model, way)).text == "Hello there"
    assert CANARY not in str(warned[0].message)
