"""Who the caller is: cookies from text, files and the environment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import AuthenticationError
from langchain_g4f.testing import Sandbox
from tests.contract.sandbox.huggingchat.asking import (
    MODEL,
    Generation,
    echo,
    history,
    only,
)

HOUR_S = 3600


OTHERS = {"stolen": "canary-of-another-site", "old": "canary-of-yesterday"}


@pytest.fixture
def generation() -> Generation:
    """The version of the server makes no difference to these tests."""
    return "current"


@pytest.fixture
def closed(generation: Generation) -> Iterator[Sandbox]:
    """A server that wants a login, coupled to its site's own cookie."""
    with Sandbox(generation=generation, login_required=True, require_site_token=True) as sandbox:
        yield sandbox


def header(cookies: dict[str, str]) -> str:
    """The text of a ``Cookie`` header."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def netscape(cookies: dict[str, str]) -> str:
    """Netscape's form, as curl and browser extensions write it."""
    now = int(time.time())
    lines = ["# Netscape HTTP Cookie File", "# https://curl.se/docs/http-cookies.html", ""]
    for name, value in cookies.items():
        lines.append(f"#HttpOnly_127.0.0.1\tFALSE\t/\tFALSE\t{now + HOUR_S}\t{name}\t{value}")
    lines.append(f".example.org\tTRUE\t/\tTRUE\t0\tstolen\t{OTHERS['stolen']}")
    lines.append(f"127.0.0.1\tFALSE\t/\tFALSE\t{now - HOUR_S}\told\t{OTHERS['old']}")
    return "\n".join(lines) + "\n"


GIVEN: list[Callable[[dict[str, str]], Any]] = [
    header,
    lambda cookies: f"Cookie: {header(cookies)};",
    dict,
    lambda cookies: SecretStr(header(cookies)),
    lambda cookies: {name: SecretStr(value) for name, value in cookies.items()},
]


@pytest.mark.proves("promise:identity", "obligation:huggingchat:1")
@pytest.mark.parametrize("given", GIVEN, ids=["header", "line", "dict", "secret", "secrets"])
async def test_cookies_make_the_call_their_users(
    closed: Sandbox, given: Callable[[dict[str, str]], Any]
) -> None:
    """Both of them are needed, and both are sent with every request."""
    cookies = closed.login("jan")
    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL, cookies=given(cookies))
    first = await model.ainvoke("one")
    assert (await model.ainvoke(history("one", first, "two"))).text == echo(2, "two")
    assert only(closed).owner.startswith("user:")
    assert all(request.cookies == cookies for request in closed.requests)


@pytest.mark.proves("promise:identity", "obligation:huggingchat:1", "fault:40:HC")
@pytest.mark.parametrize("source", ["path", "environment"])
async def test_cookie_file_makes_the_call_its_users(
    closed: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    source: str,
) -> None:
    """Other sites' cookies and those that have expired stay in the file."""
    cookies = closed.login("jan")
    path = tmp_path / "cookies"
    path.write_text(netscape(cookies), encoding="utf-8")
    if source == "environment":
        monkeypatch.setenv("HUGGINGCHAT_BASE_URL", closed.base_url)
        monkeypatch.setenv("HUGGINGCHAT_COOKIE_FILE", str(path))
        model = ChatHuggingChat(model=MODEL)
    else:
        model = ChatHuggingChat(base_url=closed.base_url, model=MODEL, cookies=path)
    assert (await model.ainvoke("one")).text == echo(1, "one")
    assert all(request.cookies == cookies for request in closed.requests)
    assert model.cookies is not None
    assert model.cookies.keys() == cookies.keys()


@pytest.mark.proves("promise:identity")
async def test_environment_has_the_text_before_the_file(
    closed: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where both are set, the header counts; what is given in code wins over both."""
    path = tmp_path / "cookies.txt"
    path.write_text(netscape(closed.login("file")))
    monkeypatch.setenv("HUGGINGCHAT_BASE_URL", closed.base_url)
    monkeypatch.setenv("HUGGINGCHAT_COOKIE_FILE", str(path))
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", header(closed.login("text")))
    await ChatHuggingChat(base_url=closed.base_url, model=MODEL).ainvoke("one")
    given = closed.login("code")
    await ChatHuggingChat(base_url=closed.base_url, model=MODEL, cookies=given).ainvoke("two")
    assert [r.cookies["hf-chat"] for r in closed.requests if r.form][1] == given["hf-chat"]
    assert len({c.owner for c in closed.conversations.values()}) == 2


@pytest.mark.proves("promise:identity", "obligation:huggingchat:1")
@pytest.mark.parametrize("server", [None, "http://127.0.0.1:1/chat", "https://example.org/chat"])
async def test_environments_cookies_are_for_the_environments_server(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, server: str | None
) -> None:
    """Whoever names another server does not get the cookies of the usual one sent there."""
    if server:
        monkeypatch.setenv("HUGGINGCHAT_BASE_URL", server)
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", "hf-chat=mine-000; token=hf_mine_000")
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
    await model.ainvoke("one")
    assert model.cookies is None
    assert "mine-000" not in str([request.headers for request in sandbox.requests])


@pytest.mark.proves("promise:identity", "obligation:huggingchat:19")
@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[1, 2]",
        '{"cookies": [{"name": "a", "value": "secret-canary", "domain": "example.org"}]}',
        "127.0.0.1\tFALSE\t/\tFALSE\t1\thf-chat\tsecret-canary",
        "\x00secret-canary",
    ],
)
def test_cookie_file_without_a_cookie_for_the_server_is_refused(
    tmp_path: Path, content: str
) -> None:
    """The error names the file's trouble and nothing that stands in it."""
    path = tmp_path / "cookies.txt"
    path.write_text(content)
    with pytest.raises(ValueError, match="cookies") as caught:
        ChatHuggingChat(base_url="http://127.0.0.1:1", cookies=path)
    assert "secret-canary" not in f"{caught.value!r} {caught.value}"


@pytest.mark.proves("promise:identity")
def test_cookie_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The error has the name of the file and not its folder."""
    with pytest.raises(ValueError, match=r"cannot read none\.txt") as caught:
        ChatHuggingChat(base_url="http://127.0.0.1:1", cookies=tmp_path / "none.txt")
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.proves("promise:identity", "promise:login-required", "obligation:huggingchat:2")
@pytest.mark.parametrize("part", [(), ("hf-chat",), ("token",)])
async def test_without_both_cookies_the_error_says_what_to_do(
    closed: Sandbox, part: tuple[str, ...]
) -> None:
    """A site that couples the two takes neither alone."""
    login = closed.login()
    cookies = {name: login[name] for name in part} or None
    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL, cookies=cookies)
    with pytest.raises(AuthenticationError) as caught:
        await model.ainvoke("one")
    assert caught.value.login_url == f"{closed.base_url}/login"
    for advice in ("browser", "hf-chat", "token", caught.value.login_url):
        assert advice in str(caught.value)
    assert caught.value.refused == ("given as cookies=" if part else "")
    assert not caught.value.is_retryable
    assert not closed.conversations


@pytest.mark.proves("promise:identity", "promise:login-required")
async def test_session_that_expires_between_turns_is_told(closed: Sandbox) -> None:
    """The history is not told to a stranger's conversation: the caller has to log in again."""
    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL, cookies=closed.login())
    first = await model.ainvoke("one")
    closed.expire_sessions()
    with pytest.raises(AuthenticationError) as caught:
        await model.ainvoke(history("one", first, "two"))
    assert caught.value.login_url == f"{closed.base_url}/login"
    assert "The login given as cookies= was refused" in str(caught.value)
    assert len(closed.conversations) == 1


@pytest.mark.proves("promise:identity", "obligation:huggingchat:1")
async def test_anonymous_caller_stays_the_same(sandbox: Sandbox) -> None:
    """Without cookies an object is one and the same stranger, and can go on."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
    first = await model.ainvoke("one")
    assert (await model.ainvoke(history("one", first, "two"))).text == echo(2, "two")
    assert len({request.cookies["hf-chat"] for request in sandbox.requests}) == 1
    other = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
    await other.ainvoke("uno")
    assert len({c.owner for c in sandbox.conversations.values()}) == 2
