"""Logins: what an error says, and what the application brings that is asked for one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.exceptions import ModelAuthenticationError
from pydantic import SecretStr

from langchain_g4f import ChatFlowGpt, ChatHuggingChat, login
from langchain_g4f.chat_models import client as model_client
from langchain_g4f.core.events import Progress
from langchain_g4f.errors import AuthenticationError, ConfigurationError
from langchain_g4f.testing import FlowGptSandbox, Sandbox
from tests.unit.chat_models.ways import MODEL, ask
from tests.unit.traces import assert_tells_nothing

CANARY = "canary-f3a91c77d2"
ANSWER = f"Echo ({MODEL}, turn 1): hi"


@pytest.fixture
def closed() -> Iterator[Sandbox]:
    """A server that turns anonymous callers away."""
    with Sandbox(login_required=True) as sandbox:
        yield sandbox


class FakeApplication:
    """Is asked for a login, and does what it was made to do.

    Args:
        answer: What it does, given the address of the login page.
    """

    def __init__(self, answer: Callable[[str], object]) -> None:
        self._answer = answer
        self.asked: list[str] = []

    def __call__(self, login_url: str) -> object:
        self.asked.append(login_url)
        return self._answer(login_url)


def model_of(sandbox: Sandbox, application: FakeApplication, **settings: Any) -> ChatHuggingChat:
    """A model that asks the application."""
    return ChatHuggingChat(
        base_url=sandbox.base_url, model=MODEL, on_login_required=application, **settings
    )


def header(cookies: dict[str, str]) -> str:
    """The cookies as a browser shows them."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def exported(cookies: dict[str, str]) -> Path:
    """A file that a browser's add-on has written."""
    path = Path("cookies.txt").absolute()
    lines = ("\t".join(("127.0.0.1", "F", "/", "F", "0", *pair)) for pair in cookies.items())
    path.write_text("\n".join(lines))
    return path


FORMS: dict[str, Callable[[dict[str, str]], object]] = {
    "header": header,
    "secret": lambda cookies: SecretStr(header(cookies)),
    "names and values": dict,
    "secret values": lambda cookies: {n: SecretStr(v) for n, v in cookies.items()},
    "file": exported,
}


# -- what it returns ---------------------------------------------------------------------------


@pytest.mark.proves("promise:login-required")
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
async def test_cookies_that_the_application_returns_log_in(
    closed: Sandbox,
    mode: str,
    form: Callable[[dict[str, str]], object],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """In any form in which they could be given; nothing is written."""
    monkeypatch.chdir(tmp_path)
    application = FakeApplication(lambda _: form(closed.login("ada")))
    seen: list[Progress] = []
    model = model_of(closed, application, on_progress=seen.append)
    assert (await ask(model, mode, "hi")).text == ANSWER
    assert (await ask(model, mode, "hi")).text == ANSWER
    assert application.asked == [f"{closed.base_url}/login"]
    assert [progress.kind for progress in seen].count("login_renewed") == 1
    assert not model.get_cache_file().exists()


@pytest.mark.proves("promise:login-required")
@pytest.mark.parametrize("form", [str, SecretStr])
async def test_token_that_the_application_returns_logs_in(
    mode: str, form: Callable[[str], object]
) -> None:
    """Where a service takes a token."""
    with FlowGptSandbox(login_required=True) as sandbox:
        application = FakeApplication(lambda _: form(sandbox.login(CANARY)))
        model = ChatFlowGpt(base_url=sandbox.base_url, on_login_required=application)
        assert (await ask(model, mode, "hi")).text.endswith("hi")
        sent = [request.headers["authorization"] for request in sandbox.requests]
    assert sent == ["Bearer null", f"Bearer {CANARY}-token"]
    assert application.asked == ["https://flowgpt.com"]
    assert CANARY not in repr(model)


@pytest.mark.parametrize("nothing", [None, "", {}, 7, False])
async def test_application_that_returns_nothing_of_use_leaves_the_refusal(
    closed: Sandbox, mode: str, nothing: object
) -> None:
    """The window was closed, say; the next call asks again."""
    application = FakeApplication(lambda _: nothing or None)
    model = model_of(closed, application)
    for count in (1, 2):
        with pytest.raises(AuthenticationError) as caught:
            await ask(model, mode, "hi")
        assert caught.value.login_url == f"{closed.base_url}/login"
        assert len(application.asked) == count
    assert len(closed.requests) == 2


async def test_credentials_that_were_refused_are_not_tried_again(
    closed: Sandbox, mode: str
) -> None:
    """The application has nothing new, so there is nothing to send."""
    ended = closed.login("ada")
    closed.expire_sessions()
    application = FakeApplication(lambda _: ended)
    with pytest.raises(AuthenticationError):
        await ask(model_of(closed, application, cookies=ended), mode, "hi")
    assert (len(application.asked), len(closed.requests)) == (1, 1)


async def test_credentials_that_were_given_are_replaced_by_the_application_alone(
    closed: Sandbox, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment's are not what the caller meant."""
    monkeypatch.setenv("HUGGINGCHAT_BASE_URL", closed.base_url)
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", header(closed.login("environment")))
    application = FakeApplication(lambda _: closed.login("application"))
    model = model_of(closed, application, cookies={"hf-chat": "ended"})
    assert (await ask(model, mode, "hi")).text == ANSWER
    assert model.whoami() == "application"


# -- what it does ------------------------------------------------------------------------------


class WindowError(Exception):
    """What an application may raise."""


@pytest.mark.proves("promise:redaction")
@pytest.mark.parametrize("given", [f"hf-chat={CANARY}\r\nx: y", {"hf-chat": f"{CANARY};"}, CANARY])
async def test_credentials_that_cannot_be_sent_are_refused_and_not_repeated(
    closed: Sandbox, mode: str, given: object
) -> None:
    """A line break would begin another header."""
    with pytest.raises(ConfigurationError, match="cookies") as caught:
        await ask(model_of(closed, FakeApplication(lambda _: given)), mode, "hi")
    assert_tells_nothing(caught.value, CANARY)
    assert len(closed.requests) == 1


async def test_application_is_not_asked_while_another_login_is_there(
    closed: Sandbox, mode: str
) -> None:
    """Another program has kept a login since the model was made."""
    application = FakeApplication(lambda _: None)
    model = model_of(closed, application)
    login("huggingchat", base_url=closed.base_url, cookies=closed.login("ada"))
    assert (await ask(model, mode, "hi")).text == ANSWER
    assert application.asked == []


# -- many calls --------------------------------------------------------------------------------


@pytest.mark.proves("fault:43:HC")
@pytest.mark.parametrize("fails", [False, True])
async def test_fifty_calls_ask_once_although_no_login_comes(
    closed: Sandbox, *, fails: bool
) -> None:
    """Fifty windows, one after the other, would be shown to a person who has closed the first."""
    all_refused = threading.Event()

    def give_up(_: str) -> object:
        assert all_refused.wait(5)
        if fails:
            raise WindowError("closed")
        return None

    async def refused() -> None:
        while sum(len(held.behind) for held in model_client._locks._held.values()) < 49:  # noqa: ASYNC110 -- no event
            await asyncio.sleep(0.005)
        all_refused.set()

    application = FakeApplication(give_up)
    model = model_of(closed, application)
    calls = [model.ainvoke("hi") for _ in range(50)]
    *ends, _ = await asyncio.gather(*calls, refused(), return_exceptions=True)
    assert len(application.asked) == 1
    assert sum(isinstance(end, AuthenticationError) for end in ends) == 50 - fails


@pytest.mark.proves("promise:login-required")
async def test_coroutine_function_is_awaited(closed: Sandbox, mode: str) -> None:
    """On the event loop of an async call; a blocking one has its end before it goes on."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def log_in(_: str) -> object:
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())
        return closed.login("ada")

    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL, on_login_required=log_in)
    assert (await ask(model, mode, "hi")).text == ANSWER
    here = asyncio.get_running_loop()
    assert [loop is here for loop in loops] == [mode in {"ainvoke", "astream"}]


def test_coroutine_function_needs_no_event_loop(closed: Sandbox) -> None:
    """A program without one may share its callback with one that has."""

    async def log_in(_: str) -> object:
        return closed.login("ada")

    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL, on_login_required=log_in)
    assert model.invoke("hi").text == ANSWER


async def test_cancelled_call_leaves_the_coroutine_to_its_loop(closed: Sandbox) -> None:
    """It goes on there, and nothing waits for ever."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def log_in(_: str) -> None:
        begun.set()
        await asyncio.sleep(0.05)
        ended.set()

    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL, on_login_required=log_in)
    call = asyncio.create_task(model.ainvoke("hi"))
    await begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.wait_for(ended.wait(), 5)


async def test_models_can_be_listed_without_a_login(closed: Sandbox) -> None:
    """What there is to choose from is no secret."""
    model = ChatHuggingChat(base_url=closed.base_url)
    assert MODEL in model.get_models()
    assert MODEL in await ChatHuggingChat(base_url=closed.base_url).aget_models()


def test_refusal_of_what_is_no_message_says_the_same(closed: Sandbox) -> None:
    """A file or a conversation that is deleted is asked for with the same login."""
    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL, cookies="hf-chat=ended")
    with pytest.raises(AuthenticationError, match="given as cookies= was refused"):
        model.fetch_file({"type": "image", "url": f"{closed.base_url}/conversation/a/output/b"})


@pytest.mark.proves("promise:login-required", "fault:4:HC", "obligation:huggingchat:2")
@pytest.mark.parametrize("named", [False, True], ids=["another server", "the environment's"])
async def test_error_says_how_to_log_in(
    closed: Sandbox, mode: str, named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The redirect is not followed; the variable is named only where it would be read."""
    if named:
        monkeypatch.setenv("HUGGINGCHAT_BASE_URL", closed.base_url)
    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL)
    with pytest.raises(AuthenticationError, match="No login was given") as caught:
        await ask(model, mode, "hi")
    assert isinstance(caught.value, ModelAuthenticationError)
    assert (caught.value.status_code, caught.value.is_retryable) == (302, False)
    assert caught.value.login_url == f"{closed.base_url}/login"
    assert ("HUGGINGCHAT_COOKIES" in str(caught.value)) is named
    other = model.model_copy(update={"login_profile": "work", "cookies": {"hf-chat": "ended"}})
    with pytest.raises(AuthenticationError, match="--profile work"):
        await ask(other, mode, "hi")
    assert [request.path for request in closed.requests] == ["/chat/conversation"] * 2


async def test_progress_may_be_told_to_a_coroutine_function(closed: Sandbox, mode: str) -> None:
    """Before the call goes on."""
    seen: list[str] = []

    async def told(progress: Progress) -> None:
        await asyncio.sleep(0)
        seen.append(progress.kind)

    application = FakeApplication(lambda _: closed.login("ada"))
    model = model_of(closed, application, on_progress=told)
    assert (await ask(model, mode, "hi")).text == ANSWER
    assert "login_renewed" in seen
