"""Who the caller is to a current server that wants a login (section 2)."""

from __future__ import annotations

import pytest
from langchain_core.messages import HumanMessage

from langchain_g4f.errors import AuthenticationError, PermissionDeniedError
from tests.contract.recordings.huggingchat.recordings import (
    COOKIES,
    TEXT,
    assert_as_recorded,
    by_mode,
    model_on,
    play,
    proves,
)
from tests.contract.recordings.suite import ask

COUPLED = "huggingchat/auth-session-coupled-to-site-cookie"


@proves("huggingchat/auth-session-cookie-chat")
@pytest.mark.proves("obligation:huggingchat:1")
@by_mode
async def test_cookie_of_a_session_is_all_a_caller_needs(way: str, chunking: str) -> None:
    """It goes with every request, and the server's refreshed one is kept."""
    replayer = play("huggingchat/auth-session-cookie-chat", chunking)
    model = model_on(replayer, model=TEXT, cookies=COOKIES)
    answer = await ask(model, "Hello from a signed-in user", way)
    assert answer.text == "Echo (lab/text-small, turn 1): Hello from a signed-in user"
    sent = [request.headers["cookie"] for request in replayer.requests]
    assert sent == [COOKIES, COOKIES]
    assert_as_recorded(replayer)


@proves(COUPLED)
@pytest.mark.proves("obligation:huggingchat:1")
@by_mode
async def test_session_that_is_coupled_to_the_site_needs_both_cookies(
    way: str, chunking: str
) -> None:
    """With one of them the same caller is a stranger, to the server and to the conversation."""
    replayer = play(COUPLED, chunking)
    both = f"{COOKIES}; token=site-login-cookie"
    answer = await ask(model_on(replayer, model=TEXT, cookies=both), "Both cookies", way)
    assert answer.text == "Echo (lab/text-small, turn 1): Both cookies"
    assert [request.headers["cookie"] for request in replayer.requests] == [both, both]

    alone = model_on(replayer, model=TEXT, cookies=COOKIES)
    with pytest.raises(AuthenticationError, match="hf-chat and token") as caught:
        await ask(alone, "Only one cookie", way)
    assert caught.value.status_code == 302
    history = [HumanMessage("Both cookies"), answer, HumanMessage("Only one cookie")]
    with pytest.raises(PermissionDeniedError, match="don't have access"):
        await ask(alone, history, way, conversation=answer)
    assert_as_recorded(replayer)


@pytest.mark.proves("obligation:huggingchat:2")
@pytest.mark.parametrize(
    ("name", "cookies"),
    [
        pytest.param(
            "auth-required-without-session",
            None,
            marks=proves("huggingchat/auth-required-without-session"),
        ),
        pytest.param(
            "auth-unknown-session-cookie",
            COOKIES,
            marks=proves("huggingchat/auth-unknown-session-cookie"),
        ),
        pytest.param("auth-logout", None, marks=proves("huggingchat/auth-logout")),
    ],
)
@by_mode
async def test_caller_who_is_not_logged_in_is_told_how_to_be(
    way: str, chunking: str, name: str, cookies: str | None
) -> None:
    """The redirect to the login is not followed, and no secret of it is shown."""
    replayer = play(f"huggingchat/{name}", chunking)
    model = model_on(replayer, model=TEXT, cookies=cookies)
    with pytest.raises(AuthenticationError) as caught:
        await ask(model, "hi", way)
    login = "http://127.0.0.1:17861/chat/login"
    assert (caught.value.status_code, caught.value.login_url) == (302, login)
    assert login in str(caught.value)
    assert "code_challenge" not in f"{caught.value} {vars(caught.value)}"
    assert [(r.method, r.path) for r in replayer.requests] == [("POST", "/chat/conversation")]
    assert_as_recorded(replayer)


async def test_models_are_listed_without_a_login() -> None:
    """Who may not chat may still look what there is."""
    replayer = play("huggingchat/auth-required-without-session")
    assert model_on(replayer).get_models() == [TEXT, "lab/vision-tools", "lab/reasoner"]
    again = play("huggingchat/auth-required-without-session")
    assert await model_on(again).aget_models() == [TEXT, "lab/vision-tools", "lab/reasoner"]
    assert_as_recorded(replayer)
