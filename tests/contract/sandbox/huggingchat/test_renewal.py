"""A login that ended, and another one that the environment has by then."""

from __future__ import annotations

import asyncio

import pytest

from langchain_g4f import AuthenticationError, ChatHuggingChat
from langchain_g4f.auth.store import Credentials
from langchain_g4f.testing import Sandbox

MODEL = "sandbox/text-small"
ANSWER = f"Echo ({MODEL}, turn 1): hi"


def header(cookies: dict[str, str]) -> str:
    """The cookies as a browser shows them."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def model_of(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> ChatHuggingChat:
    """A model whose login, from the environment, has ended on the server."""
    monkeypatch.setenv("HUGGINGCHAT_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", header(sandbox.login("first")))
    model = ChatHuggingChat(model=MODEL)
    assert model.invoke("hi").text == ANSWER
    sandbox.expire_sessions()
    return model


@pytest.mark.proves("fault:43:HC")
@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_expired_login_is_taken_again_from_the_environment_once(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody logged in again meanwhile: the call goes on as that user."""
    with Sandbox(login_required=True) as sandbox:
        model = model_of(sandbox, monkeypatch)
        monkeypatch.setenv("HUGGINGCHAT_COOKIES", header(sandbox.login("second")))
        answer = model.invoke("hi") if way == "invoke" else await model.ainvoke("hi")
        assert answer.text == ANSWER
        creates = [r for r in sandbox.requests if r.path.endswith("/conversation")]
        assert [r.status for r in creates] == [200, 302, 200]


@pytest.mark.proves("fault:43:HC")
async def test_fifty_calls_renew_an_expired_login_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is refused at most once, and all of them answer."""
    reads = 0
    read = ChatHuggingChat._environment_credentials

    def counted(self: ChatHuggingChat) -> Credentials:
        nonlocal reads
        reads += 1
        return read(self)

    with Sandbox(login_required=True) as sandbox:
        model = model_of(sandbox, monkeypatch)
        monkeypatch.setattr(ChatHuggingChat, "_environment_credentials", counted)
        monkeypatch.setenv("HUGGINGCHAT_COOKIES", header(sandbox.login("second")))
        answers = await asyncio.gather(*(model.ainvoke("hi") for _ in range(50)))
        assert {answer.text for answer in answers} == {ANSWER}
        assert reads == 1


@pytest.mark.proves("fault:43:HC")
@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_second_refusal_is_final(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other cookies are no better: nothing is tried a third time."""
    with Sandbox(login_required=True) as sandbox:
        model = model_of(sandbox, monkeypatch)
        monkeypatch.setenv("HUGGINGCHAT_COOKIES", "hf-chat=made-up")
        before = len(sandbox.requests)
        with pytest.raises(AuthenticationError):
            await model.ainvoke("hi") if way == "ainvoke" else model.invoke("hi")
        assert [r.status for r in sandbox.requests[before:]] == [302, 302]


@pytest.mark.proves("fault:43:HC")
def test_cookies_that_were_given_are_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who passes cookies means those, whatever the environment has."""
    with Sandbox(login_required=True) as sandbox:
        monkeypatch.setenv("HUGGINGCHAT_BASE_URL", sandbox.base_url)
        model = ChatHuggingChat(model=MODEL, cookies=header(sandbox.login("first")))
        sandbox.expire_sessions()
        monkeypatch.setenv("HUGGINGCHAT_COOKIES", header(sandbox.login("second")))
        with pytest.raises(AuthenticationError):
            model.invoke("hi")
        assert len(sandbox.requests) == 1
