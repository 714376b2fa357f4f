"""The life of a login: it ends, another one is found, and the server renews its cookie."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from langchain_g4f import APIStatusError, ChatHuggingChat
from langchain_g4f.auth import store
from langchain_g4f.auth.store import CredentialFile, Credentials
from langchain_g4f.testing import Sandbox
from tests.contract.faults import chat_ui_script as hc
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.contract.sandbox.huggingchat.asking import (
    MODEL,
    Generation,
    Watcher,
    echo,
    history,
    inputs,
)

GIVEN = {"hf-chat": "session-0", "token": "hf_site_000"}


def renewing() -> Any:
    """A server that gives the session a new name in the answer to each creation."""
    numbers = itertools.count(1)

    def create(exchange: Exchange) -> None:
        asked = hc.encode(hc.conversation(MODEL, "")).decode()
        exchange.respond(
            200,
            hc.encode({"conversationId": hc.CONVERSATION_ID, "conversation": asked}),
            [
                ("Set-Cookie", f"hf-chat=session-{next(numbers)}; Path=/; HttpOnly; SameSite=Lax"),
                ("Set-Cookie", "hf-chat=elsewhere; Path=/; Domain=example.org"),
                ("Set-Cookie", "other=wide; Path=/; Domain=.0.0.1"),
            ],
        )

    def answer(exchange: Exchange) -> None:
        stream = exchange.start_stream()
        for piece in (hc.STARTED, hc.token("Hello"), hc.final("Hello"), hc.FINISHED):
            stream.chunk(piece)
        stream.end()

    return hc.chat_ui(create=create, send=answer)


def cookies(exchange: Exchange) -> dict[str, str]:
    """What a request had."""
    (line,) = [value for name, value in exchange.headers if name.lower() == "cookie"]
    return dict(pair.split("=", 1) for pair in line.split("; "))


@pytest.mark.proves("promise:identity", "obligation:huggingchat:1")
async def test_renewed_session_is_kept_from_then_on() -> None:
    """For the rest of the call and for later ones; what is not the server's to set is not kept."""
    with ByteServer(renewing()) as server:
        model = ChatHuggingChat(base_url=f"{server.url}/chat", model=MODEL, cookies=GIVEN)
        await model.ainvoke("one")
        await model.ainvoke("two")
        await model.ainvoke("three")
        sent = [cookies(request)["hf-chat"] for request in server.requests]
        assert sent == [f"session-{n}" for n in (0, 1, 1, 2, 2, 3)]
        assert {cookies(request)["token"] for request in server.requests} == {"hf_site_000"}
        assert all(cookies(request).keys() == GIVEN.keys() for request in server.requests)


auth_session = pytest.mark.proves("promise:login-required", "fault:43:HC")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for settings of this test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    yield tmp_path
    store._warn_once.cache_clear()


@pytest.fixture
def closed(generation: Generation) -> Iterator[Sandbox]:
    """A server that turns anonymous callers away."""
    with Sandbox(generation=generation, login_required=True) as sandbox:
        yield sandbox


def file_of(base_url: str) -> CredentialFile:
    """Where a login of this server is kept."""
    return CredentialFile.of("huggingchat", base_url, "default")


def keep(sandbox: Sandbox, name: str) -> None:
    """Log in, as a program that has ended did."""
    assert file_of(sandbox.base_url).save(Credentials(sandbox.login(name), "", name))


def model_of(sandbox: Sandbox, **settings: Any) -> ChatHuggingChat:
    """A model without a credential of its own."""
    return ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, **settings)


@auth_session
async def test_login_that_ended_is_replaced_by_the_one_of_another_process(closed: Sandbox) -> None:
    """The call that noticed goes on, and so do later ones; each message is sent once."""
    keep(closed, "ada")
    watcher = Watcher()
    model = model_of(closed, on_progress=watcher)
    first = await model.ainvoke("one")
    closed.expire_sessions()
    keep(closed, "ada")
    assert (await model.ainvoke(history("one", first, "two"))).text == echo(2, "two")
    assert (await model.ainvoke("three")).text == echo(1, "three")
    assert inputs(closed) == ["one", "two", "three"]
    assert watcher.kinds.count("login_renewed") == 1
    assert model.whoami() is not None


def kept_at(server: ByteServer) -> tuple[CredentialFile, ChatHuggingChat]:
    """A login at this server, and a model that found it."""
    base_url = f"{server.url}/chat"
    file = file_of(base_url)
    file.save(Credentials({"hf-chat": "session-0", "token": "site"}, "", "ada"))
    return file, ChatHuggingChat(base_url=base_url, model=MODEL)


@pytest.mark.proves("promise:identity", "obligation:huggingchat:1")
async def test_session_that_the_server_renews_is_kept() -> None:
    """The next program uses it; nothing else of the login changes."""
    with ByteServer(renewing()) as server:
        file, model = kept_at(server)
        for number in (1, 2):
            await model.ainvoke("hi")
            renewed = {"hf-chat": f"session-{number}", "token": "site"}
            assert file.load() == Credentials(renewed, "", "ada")
        other = ChatHuggingChat(base_url=model.base_url, model=MODEL)
        await other.ainvoke("hi")
        assert "hf-chat=session-2" in (server.requests[-2].header("cookie") or "")
    assert [path.name for path in file.path.parent.iterdir()] == [file.path.name]


@pytest.mark.proves("promise:identity")
@pytest.mark.parametrize("status", [302, 401, 403, 500])
async def test_session_that_comes_with_a_refusal_is_not_kept(status: int) -> None:
    """It is a stranger's."""

    def refuse(exchange: Exchange) -> None:
        stranger = ("Set-Cookie", "hf-chat=stranger; Path=/")
        exchange.respond(status, b"{}", [("Location", "/chat/login"), stranger])

    with ByteServer(refuse) as server:
        file, model = kept_at(server)
        before = file.load()
        with pytest.raises(APIStatusError) as caught:
            await model.ainvoke("hi")
        assert caught.value.status_code == status
        assert file.load() == before


@pytest.mark.proves("promise:identity", "fault:44:HC")
@pytest.mark.parametrize("then", ["other", "none", "link"])
async def test_session_is_not_kept_where_the_file_is_no_longer_its_own(
    then: str, tmp_path: Path
) -> None:
    """Somebody has logged in or out meanwhile; the call does not fail for that."""
    other = Credentials({"hf-chat": "other"}, "", "bea")
    with ByteServer(renewing()) as server:
        file, model = kept_at(server)
        file.forget()
        if then == "other":
            file.save(other)
        elif then == "link":
            (tmp_path / "there").write_bytes(b"x")
            file.path.symlink_to(tmp_path / "there")
        assert (await model.ainvoke("hi")).text == "Hello"
    if then == "link":
        assert (tmp_path / "there").read_bytes() == b"x"
    else:
        assert file.load() == (other if then == "other" else None)


ANSWER = f"Echo ({MODEL}, turn 1): hi"


def header(cookies: dict[str, str]) -> str:
    """The cookies as a browser shows them."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def model_from_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> ChatHuggingChat:
    """A model whose login, from the environment, has ended on the server."""
    monkeypatch.setenv("HUGGINGCHAT_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", header(sandbox.login("first")))
    model = ChatHuggingChat(model=MODEL)
    assert model.invoke("hi").text == ANSWER
    sandbox.expire_sessions()
    return model


@pytest.mark.proves("fault:43:HC")
async def test_expired_login_is_taken_again_from_the_environment_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody logged in again meanwhile: the call goes on as that user."""
    with Sandbox(login_required=True) as sandbox:
        model = model_from_environment(sandbox, monkeypatch)
        monkeypatch.setenv("HUGGINGCHAT_COOKIES", header(sandbox.login("second")))
        answer = await model.ainvoke("hi")
        assert answer.text == ANSWER
        creates = [r for r in sandbox.requests if r.path.endswith("/conversation")]
        assert [r.status for r in creates] == [200, 302, 200]
