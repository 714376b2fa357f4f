"""Who pays for a GPU (docs/protocols/gradio-space.md, section 9)."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from langchain_g4f.core.events import Progress
from langchain_g4f.core.plan import Lock, Unlock
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    AppError,
    AuthenticationError,
    QuotaExceededError,
)
from langchain_g4f.providers.gradio_space import SpaceConfig
from langchain_g4f.providers.gradio_space.failure import with_login_hint
from langchain_g4f.providers.gradio_space.identity import (
    NO_TOKEN,
    GPUToken,
    can_renew,
    gpu_headers,
    gpu_token,
)
from tests.unit.providers.gradio_space.fake_space import APP, HUB, FakeSpace
from tests.unit.providers.gradio_space.replies import reply

JWT = "api/spaces/owner/name/jwt"
WHERE = SpaceConfig(base_url=APP, space="owner/name", hub_url=HUB, token="hf_token")
CANARY = "canary-f3a91c77d2"


def jwt(claims: object, head: str = "h") -> str:
    """A token that claims this."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{head}.{payload}.s"


def giving(*tokens: str, **more: Any) -> FakeSpace:
    """A Hub that gives these tokens, one after the other."""
    return FakeSpace({JWT: [reply({"token": token}) for token in tokens]}, **more)


def test_token_that_is_given_is_used_as_it_is() -> None:
    """The Hub is not asked."""
    world = FakeSpace()
    where = replace(WHERE, gpu_token="given")
    assert world.result(gpu_token(where, world.context)).value == "given"
    assert world.requests == []


def test_token_is_fetched_from_the_hub_for_its_user() -> None:
    """For ten minutes; the caller's token goes to the Hub alone."""
    world = giving("t")
    assert world.result(gpu_token(WHERE, world.context)) == GPUToken("t", world.wall + 540)
    (request,) = world.requests
    assert request.url.startswith(f"{HUB}/api/spaces/owner/name/jwt?")
    assert parse_qs(urlsplit(request.url).query) == {
        "expiration": ["2023-11-14T22:23:20.000Z"],
        "include_pro_status": ["true"],
    }
    assert request.headers == {"authorization": "Bearer hf_token"}


def test_cookies_of_the_hub_are_an_identity_too() -> None:
    """They are sent by the driver, without a header of ours."""
    world = giving("t", cookies={"token": CANARY})
    where = replace(WHERE, token="")
    assert world.result(gpu_token(where, world.context)).value == "t"
    assert world.requests[0].headers == {}
    assert CANARY not in str(list(world.context.memory))


@pytest.mark.proves("obligation:gradio-space:21")
@pytest.mark.parametrize("where", [replace(WHERE, token=""), replace(WHERE, space="")])
def test_nobody_gets_no_token(where: SpaceConfig) -> None:
    """Nothing is asked, and nothing is sent in its place."""
    world = FakeSpace()
    assert world.result(gpu_token(where, world.context)) == NO_TOKEN
    assert gpu_headers(where, NO_TOKEN) == {}


def test_headers_have_what_there_is() -> None:
    """A session id may come without a token."""
    where = replace(WHERE, gpu_uuid="u")
    assert gpu_headers(WHERE, GPUToken("t")) == {"x-zerogpu-token": "t"}
    assert gpu_headers(where, GPUToken("t")) == {"x-zerogpu-token": "t", "x-zerogpu-uuid": "u"}
    assert gpu_headers(where, NO_TOKEN) == {"x-zerogpu-uuid": "u"}


def test_token_is_kept_until_shortly_before_it_expires() -> None:
    """As it says itself."""
    world = FakeSpace()
    first, second = (jwt({"exp": world.wall + seconds}) for seconds in (3600, 7200))
    world.table[JWT] = [reply({"token": first}), reply({"token": second})]
    for later, token in ((0, first), (3539, first), (1, second), (3599, second)):
        world.wall += later
        assert world.result(gpu_token(WHERE, world.context)).value == token
    assert len(world.requests) == 2


@pytest.mark.parametrize(
    "token",
    [
        "opaque",
        "a.b",
        "a.é.c",
        jwt({}),
        jwt([]),
        jwt({"exp": "soon"}),
        jwt({"exp": 0}),
        jwt({"exp": 10**400}),
        "a." + base64.urlsafe_b64encode(b"[" * 100_000).decode() + ".c",
        "a." + base64.urlsafe_b64encode(b"\xff\xfe").decode() + ".c",
    ],
)
def test_token_that_does_not_say_when_it_expires_is_kept_as_long_as_asked(token: str) -> None:
    """Whatever it is."""
    world = giving(token)
    assert world.result(gpu_token(WHERE, world.context)) == GPUToken(token, world.wall + 540)


def test_tokens_are_kept_apart_by_space_user_and_hub() -> None:
    """A token is for one Space, and for one user."""
    world = FakeSpace(
        {JWT: reply({"token": "t"}), "api/spaces/owner/other/jwt": reply({"token": "o"})}
    )
    others = [
        WHERE,
        replace(WHERE, space="owner/other"),
        replace(WHERE, token="another"),
        replace(WHERE, hub_url="https://another-hub.example"),
    ]
    for where in others * 2:
        world.result(gpu_token(where, world.context))
    assert len(world.requests) == 4


def test_token_that_was_refused_is_fetched_anew() -> None:
    """Unless another call has fetched it already."""
    world = giving("1", "2", "3")
    first = world.result(gpu_token(WHERE, world.context))
    second = world.result(gpu_token(WHERE, world.context, refused=first))
    assert (first.value, second.value) == ("1", "2")
    assert world.result(gpu_token(WHERE, world.context, refused=first)) == second


@pytest.mark.parametrize(
    "answer",
    [
        reply({"error": "no"}, 401),
        reply({"error": "broken"}, 500),
        reply({}),
        reply({"token": None}),
        reply("t"),
        APIConnectionError("refused"),
    ],
)
def test_call_goes_on_without_a_token_where_there_is_none(answer: Any) -> None:
    """It is told, and the Hub is not asked again at once."""
    world = FakeSpace({JWT: [answer, reply({"token": "t"})]})
    events, found = world.all_of(gpu_token(WHERE, world.context))
    (told,) = events
    assert isinstance(told, Progress)
    assert told.kind == "identity_unavailable"
    assert told.message.startswith("going on without a GPU token: ")
    assert gpu_headers(WHERE, found) == {}
    for later, value in ((0, ""), (59, ""), (1, "t")):
        world.wall += later
        assert world.result(gpu_token(WHERE, world.context)).value == value
    assert len(world.requests) == 2


@pytest.mark.proves("fault:43:PH")
def test_token_is_fetched_under_a_lock_that_is_given_back_at_once() -> None:
    """Who waits for it finds the token, and does not wait for the whole call."""
    world = giving("t")
    steps = gpu_token(WHERE, world.context)
    lock = next(steps)
    assert isinstance(lock, Lock)
    assert CANARY not in lock.key
    world.context.memory[lock.key] = GPUToken("another call's", world.wall + 1)
    assert steps.send(None) == Unlock(lock.key)
    with pytest.raises(StopIteration) as stopped:
        steps.send(None)
    assert stopped.value.value.value == "another call's"
    world.wall += 2
    assert world.result(gpu_token(WHERE, world.context)).value == "t"
    assert world.held == []


def test_memory_that_holds_something_else_is_not_believed() -> None:
    """The token is fetched."""
    world = giving("t")
    lock = next(gpu_token(WHERE, world.context))
    assert isinstance(lock, Lock)
    world.context.memory[lock.key] = "?"
    assert world.result(gpu_token(WHERE, world.context)).value == "t"


AUTH, QUOTA = AuthenticationError("x"), QuotaExceededError("x", body="reached its GPU limit.")


@pytest.mark.parametrize(
    ("error", "helps"),
    [
        (AUTH, True),
        (QUOTA, True),
        (QuotaExceededError("x", body="exceeded your GPU quota"), False),
        (AppError("x"), False),
    ],
)
def test_another_token_helps_against_a_refused_identity(error: APIError, helps: bool) -> None:
    """Not against a quota that is used up, and not where the caller gave the token."""
    assert can_renew(WHERE, error) is helps
    assert not can_renew(replace(WHERE, gpu_token="given"), error)
    assert not can_renew(replace(WHERE, space=""), error)


def test_refused_identity_is_explained() -> None:
    """The error says how to log in, and keeps what it was."""
    refused = AuthenticationError(
        "401", status_code=401, body="b", content_type="text/plain", provider="p", phase="f"
    )
    error = with_login_hint(refused, WHERE)
    assert isinstance(error, AuthenticationError)
    assert error.login_url == f"{HUB}/login"
    assert str(error).startswith("401. ")
    assert "api_key=" in str(error)
    assert "hf_token" not in str(error)
    assert {**vars(error), "login_url": ""} == {**vars(refused), "login_url": ""}


def test_error_that_says_where_to_log_in_is_left_alone() -> None:
    """And so is any other."""
    known = AuthenticationError("x")
    known.login_url = "https://elsewhere"
    for error in (known, QUOTA):
        assert with_login_hint(error, WHERE) is error


@pytest.mark.proves("obligation:gradio-space:21")
def test_repr_of_a_token_does_not_show_it() -> None:
    """It stands in many frames."""
    assert CANARY not in repr(GPUToken(CANARY))
