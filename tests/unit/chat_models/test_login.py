from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.exceptions import ModelAuthenticationError
from pydantic import SecretStr

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import AuthenticationError
from langchain_g4f.testing import Sandbox
from tests.unit.chat_models.ways import MODEL, WAYS, ask


@pytest.fixture
def closed() -> Iterator[Sandbox]:
    """A server that turns anonymous callers away, coupled to its site's own cookie."""
    with Sandbox(login_required=True, require_site_token=True) as sandbox:
        yield sandbox


def header(cookies: dict[str, str]) -> str:
    """Write the cookies as a browser shows them."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


@pytest.mark.proves("promise:login-required", "fault:4:HC", "obligation:huggingchat:2")
@pytest.mark.parametrize("way", WAYS)
async def test_without_a_login_the_error_says_where_to_log_in(closed: Sandbox, way: str) -> None:
    """The redirect is not followed; the error names the page and the way to pass cookies."""
    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL)
    with pytest.raises(AuthenticationError, match="No login was given") as caught:
        await ask(model, way, "hi")
    assert isinstance(caught.value, ModelAuthenticationError)
    assert caught.value.login_url == f"{closed.base_url}/login"
    assert caught.value.status_code == 302
    assert not caught.value.is_retryable
    assert [request.path for request in closed.requests] == ["/chat/conversation"]


@pytest.mark.proves("promise:login-required")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "given",
    [
        pytest.param(header, id="header"),
        pytest.param(lambda cookies: f"Cookie: {header(cookies)};", id="header with its name"),
        pytest.param(lambda cookies: SecretStr(header(cookies)), id="secret"),
        pytest.param(dict, id="names and values"),
        pytest.param(lambda c: {k: SecretStr(v) for k, v in c.items()}, id="secret values"),
    ],
)
async def test_cookies_of_a_browser_log_in(
    closed: Sandbox, way: str, given: Callable[[dict[str, str]], Any]
) -> None:
    """As the header a browser shows or by name, they make the call its user's."""
    cookies = closed.login()
    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL, cookies=given(cookies))
    assert (await ask(model, way, "hi")).text == f"Echo ({MODEL}, turn 1): hi"
    assert all(request.cookies == cookies for request in closed.requests)


@pytest.mark.proves("promise:login-required")
@pytest.mark.parametrize("way", WAYS)
async def test_cookies_of_the_environment_log_in(
    closed: Sandbox, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing has to stand in the code."""
    monkeypatch.setenv("HUGGINGCHAT_BASE_URL", closed.base_url)
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", header(closed.login()))
    model = ChatHuggingChat(model=MODEL)
    assert (await ask(model, way, "hi")).text == f"Echo ({MODEL}, turn 1): hi"


@pytest.mark.proves("obligation:huggingchat:1")
@pytest.mark.parametrize("way", WAYS)
async def test_cookies_of_the_environment_go_to_no_other_server(
    closed: Sandbox, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are those of huggingface.co, or of the server that the environment names."""
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", header(closed.login()))
    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL)
    with pytest.raises(AuthenticationError):
        await ask(model, way, "hi")
    assert set(closed.requests[0].cookies.values()).isdisjoint(closed.login().values())


def test_cookies_that_are_given_win_over_the_environment(
    closed: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment is for those who give none."""
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", header(closed.login("other")))
    given = header(closed.login("user"))
    ChatHuggingChat(base_url=closed.base_url, model=MODEL, cookies=given).invoke("hi")
    assert header(closed.requests[0].cookies) == given


@pytest.mark.proves("promise:login-required")
@pytest.mark.parametrize("way", WAYS)
async def test_login_that_ends_is_told_at_the_next_call(closed: Sandbox, way: str) -> None:
    """A session that expired on the server asks for a new login."""
    cookies = closed.login()
    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL, cookies=cookies)
    await ask(model, way, "hi")
    closed.expire_sessions()
    with pytest.raises(AuthenticationError) as caught:
        await ask(model, way, "hi")
    assert caught.value.login_url == f"{closed.base_url}/login"
    assert cookies["hf-chat"] not in str(caught.value)


def test_half_of_the_cookies_is_not_a_login(closed: Sandbox) -> None:
    """Where the site's own cookie is needed too, the session's alone is turned away."""
    cookies = {"hf-chat": closed.login()["hf-chat"]}
    with pytest.raises(AuthenticationError):
        ChatHuggingChat(base_url=closed.base_url, model=MODEL, cookies=cookies).invoke("hi")


async def test_models_can_be_listed_without_a_login(closed: Sandbox) -> None:
    """What there is to choose from is no secret."""
    model = ChatHuggingChat(base_url=closed.base_url)
    assert MODEL in model.get_models()
    assert MODEL in await ChatHuggingChat(base_url=closed.base_url).aget_models()


@pytest.mark.parametrize("way", WAYS)
async def test_error_of_another_profile_says_which(closed: Sandbox, way: str) -> None:
    """The command it names would log in another account otherwise."""
    ended = "hf-chat=ended"
    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL, profile="work", cookies=ended)
    with pytest.raises(AuthenticationError, match="--profile work") as caught:
        await ask(model, way, "hi")
    assert caught.value.login_url == f"{closed.base_url}/login"


@pytest.mark.proves("promise:login-required")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("named", [False, True], ids=["another server", "the environment's"])
async def test_variable_is_named_where_it_is_read(
    closed: Sandbox, way: str, named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cookies of the environment are for the environment's server; elsewhere they do not help."""
    if named:
        monkeypatch.setenv("HUGGINGCHAT_BASE_URL", closed.base_url)
    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL)
    with pytest.raises(AuthenticationError) as caught:
        await ask(model, way, "hi")
    assert ("HUGGINGCHAT_COOKIES" in str(caught.value)) is named


def test_refusal_of_what_is_no_message_says_the_same(closed: Sandbox) -> None:
    """A file or a conversation that is deleted is asked for with the same login."""
    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL, cookies="hf-chat=ended")
    with pytest.raises(AuthenticationError, match="given as cookies= was refused"):
        model.fetch_file({"type": "image", "url": f"{closed.base_url}/conversation/a/output/b"})
