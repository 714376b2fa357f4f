"""Who a chat-ui server says is logged in, and where one logs in."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import pytest

from langchain_g4f.core.http import Headers, Response, RetryWhen
from langchain_g4f.core.plan import PlanOf, Send
from langchain_g4f.errors import (
    APIError,
    APIStatusError,
    AuthenticationError,
    ConfigurationError,
    NotFoundError,
    ServerError,
)
from langchain_g4f.providers.huggingchat.login import UNNAMED, login_page, whoami
from langchain_g4f.providers.huggingchat.requests import explain

BASE = "https://chat.example/chat"
USER, FLAGS, PAGE = f"{BASE}/api/v2/user", f"{BASE}/api/v2/feature-flags", f"{BASE}/"
NOT_THERE = NotFoundError("no", status_code=404)
UNKNOWN = AuthenticationError("no", status_code=401)
ELSEWHERE = APIStatusError("no", status_code=302)
BROKEN = ServerError("no", status_code=500)

T = TypeVar("T")
Answer = Response | APIError


def data(value: object) -> Response:
    """An answer of the API."""
    content = json.dumps({"json": value, "meta": {}}).encode()
    return Response(
        200, Headers([("content-type", "application/json; charset=utf-8")]), "", content
    )


def page(text: str) -> Response:
    """A page."""
    return Response(200, Headers([("content-type", "text/html")]), "", text.encode())


def result(plan: PlanOf[T], asked: list[str], *answers: Answer) -> T:
    """What a plan returns that is given these answers; the addresses it asks are noted."""
    given = iter(answers)
    answer: Answer | None = None
    try:
        while True:
            effect: Any = plan.throw(answer) if isinstance(answer, APIError) else plan.send(answer)
            assert isinstance(effect, Send)
            request = effect.make_request()
            assert (request.method, request.retry) == ("GET", RetryWhen.ALWAYS)
            asked.append(request.url)
            answer = next(given)
    except StopIteration as end:
        assert next(given, None) is None
        found: T = end.value
        return found


# -- whoami ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "name"),
    [
        (None, None),
        ({}, None),
        ({"id": "1", "username": "ada", "email": "ada@example.org"}, "ada"),
        ({"id": "1", "email": "ada@example.org"}, "ada@example.org"),
        ({"id": "1", "username": None, "email": None}, UNNAMED),
        ({"id": "1"}, UNNAMED),
    ],
)
def test_user_of_a_current_server_is_told_by_its_api(user: object, name: str | None) -> None:
    """By the best name there is."""
    asked: list[str] = []
    assert result(whoami(BASE), asked, data(user)) == name
    assert asked == [USER]


@pytest.mark.parametrize("first", [NOT_THERE, UNKNOWN, ELSEWHERE, page("<html>")])
@pytest.mark.parametrize(
    ("second", "name"),
    [
        (page('<form action="/chat/logout" method="post">'), UNNAMED),
        (page("<FORM class=x method=post action=/chat/logout>"), UNNAMED),
        (page("<form method='post' action='/chat/logout'>"), UNNAMED),
        (page('<form action="/chat/login" method="post">'), None),
        (page("/logout"), None),
        (page(""), None),
        (UNKNOWN, None),
        (ELSEWHERE, None),
    ],
)
def test_user_of_an_older_server_is_offered_to_log_out(
    first: Answer, second: Answer, name: str | None
) -> None:
    """Nothing else shows it; a caller who is sent to a login page is not logged in."""
    asked: list[str] = []
    assert result(whoami(BASE), asked, first, second) == name
    assert asked == [USER, PAGE]


@pytest.mark.parametrize("answers", [(BROKEN,), (NOT_THERE, BROKEN), (NOT_THERE, NOT_THERE)])
def test_server_that_fails_does_not_say_that_nobody_is_logged_in(
    answers: tuple[APIError, ...],
) -> None:
    """It says nothing."""
    with pytest.raises(APIError) as caught:
        result(whoami(BASE), [], *answers)
    assert caught.value is answers[-1]


# -- where one logs in -------------------------------------------------------------------------


@pytest.mark.parametrize("flags", [{"loginEnabled": True}, {}, {"loginEnabled": None}])
def test_current_server_has_a_login_page(flags: object) -> None:
    """Unless it says otherwise."""
    asked: list[str] = []
    assert result(login_page(BASE), asked, data(flags)) == f"{BASE}/login"
    assert asked == [FLAGS]


@pytest.mark.parametrize("answer", [NOT_THERE, UNKNOWN, page("<html>")])
def test_older_server_has_its_login_on_the_first_page(answer: Answer) -> None:
    """Its login is a form that a script has to send."""
    assert result(login_page(BASE), [], answer) == PAGE


def test_server_without_a_login_says_so() -> None:
    """There is no page to open."""
    with pytest.raises(ConfigurationError, match="has no login, and needs none"):
        result(login_page(BASE), [], data({"loginEnabled": False}))


# -- refused -----------------------------------------------------------------------------------


@pytest.mark.proves("promise:login-required")
@pytest.mark.parametrize("error", [UNKNOWN, ELSEWHERE])
@pytest.mark.parametrize(
    ("base_url", "command"),
    [
        (BASE, f"`langchain-g4f login huggingchat --base-url {BASE}`"),
        ("https://huggingface.co/chat", "`langchain-g4f login huggingchat`"),
    ],
)
def test_refusal_says_which_command_logs_in(
    error: APIStatusError, base_url: str, command: str
) -> None:
    """At the very server that refused."""
    found = explain(error, base_url)
    assert isinstance(found, AuthenticationError)
    assert command in str(found)
    assert found.login_url == f"{base_url}/login"
    assert found.status_code == error.status_code


@pytest.mark.parametrize("error", [NOT_THERE, BROKEN])
def test_other_failure_stays_what_it_is(error: APIStatusError) -> None:
    """No login helps."""
    assert explain(error, BASE) is error
