"""The caller on the Hub, and GPU tokens (docs/protocols/gradio-space.md, section 9)."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from langchain_g4f.core.cache import Kind
from langchain_g4f.core.events import Progress
from langchain_g4f.core.plan import Lock, Unlock
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    AppError,
    AuthenticationError,
    QuotaExceededError,
)
from langchain_g4f.providers.gradio_space.config import SpaceConfig
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
CONFIG = SpaceConfig(base_url=APP, space="owner/name", hub_url=HUB, token="hf_token")
GIVEN = replace(CONFIG, gpu_token="given")
NO_SPACE = replace(CONFIG, space="")
CANARY = "canary-f3a91c77d2"


def jwt(claims: object) -> str:
    """A token with these claims."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"h.{payload}.s"


def hub(*tokens: str, **more: Any) -> FakeSpace:
    """A Hub that issues these tokens, one after the other."""
    return FakeSpace({JWT: [reply({"token": token}) for token in tokens]}, **more)


def token_of(fake: FakeSpace, config: SpaceConfig = CONFIG, **more: Any) -> GPUToken:
    """The token for a call."""
    return fake.result(gpu_token(config, fake.context, **more))


@pytest.mark.proves("obligation:gradio-space:21")
@pytest.mark.parametrize(
    ("config", "value"), [(GIVEN, "given"), (replace(CONFIG, token=""), ""), (NO_SPACE, "")]
)
def test_hub_is_not_asked_without_need(config: SpaceConfig, value: str) -> None:
    """The caller brings a token, is anonymous, or the app is no Space."""
    fake = FakeSpace()
    token = token_of(fake, config)
    assert (token.value, fake.requests) == (value, [])
    assert gpu_headers(config, token) == ({"x-zerogpu-token": value} if value else {})
    with_uuid = replace(config, gpu_uuid="u")
    assert gpu_headers(with_uuid, GPUToken("t")) == {"x-zerogpu-token": "t", "x-zerogpu-uuid": "u"}
    assert gpu_headers(with_uuid, NO_TOKEN) == {"x-zerogpu-uuid": "u"}


def test_token_is_issued_by_the_hub() -> None:
    """For ten minutes, to the caller's token or cookies."""
    fake = hub("t")
    assert token_of(fake) == GPUToken("t", fake.wall + 540)
    (request,) = fake.requests
    assert request.url.startswith(f"{HUB}/api/spaces/owner/name/jwt?")
    assert parse_qs(urlsplit(request.url).query) == {
        "expiration": ["2023-11-14T22:23:20.000Z"],
        "include_pro_status": ["true"],
    }
    assert request.headers == {"authorization": "Bearer hf_token"}
    fake = hub(CANARY, cookies={"token": CANARY})
    token = token_of(fake, replace(CONFIG, token=""))
    assert (token.value, fake.requests[0].headers) == (CANARY, {})
    lock = next(gpu_token(replace(CONFIG, token=CANARY), fake.context))
    assert CANARY not in f"{token!r} {lock}"


def test_token_is_cached_until_shortly_before_it_expires() -> None:
    """By Space, caller and Hub."""
    fake = FakeSpace()
    first, second = (jwt({"exp": fake.wall + seconds}) for seconds in (3600, 7200))
    fake.table = {JWT: [reply({"token": first}), reply({"token": second})]}
    for later, token in ((0, first), (3539, first), (1, second), (3599, second)):
        fake.wall += later
        assert token_of(fake).value == token
    assert len(fake.requests) == 2
    fake = FakeSpace(
        {JWT: reply({"token": "t"}), "api/spaces/owner/other/jwt": reply({"token": "o"})}
    )
    configs = (
        CONFIG,
        replace(CONFIG, space="owner/other"),
        replace(CONFIG, token="another"),
        replace(CONFIG, hub_url="https://other.example"),
    )
    for config in configs * 2:
        token_of(fake, config)
    assert len(fake.requests) == 4


def test_expired_token_leaves_the_cache() -> None:
    """When any call caches something."""
    fake = hub("t")
    token_of(fake)
    fake.now += 540
    fake.context.cache.put(Kind[str](), "another address", "")
    assert len(fake.context.cache) == 1


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
def test_token_without_an_expiry_is_cached_as_long_as_requested(token: str) -> None:
    """Whatever its form."""
    fake = hub(token)
    assert token_of(fake) == GPUToken(token, fake.wall + 540)


def test_refused_token_is_replaced_once() -> None:
    """Another call may have fetched a new one already."""
    fake = hub("1", "2", "3")
    first = token_of(fake)
    second = token_of(fake, refused=first)
    assert (first.value, second.value) == ("1", "2")
    assert token_of(fake, refused=first) == second


@pytest.mark.parametrize(
    "response",
    [
        reply({"error": "no"}, 401),
        reply({"error": "broken"}, 500),
        reply({}),
        reply({"token": None}),
        reply("t"),
        APIConnectionError("refused"),
    ],
)
def test_call_continues_without_a_token_if_the_hub_issues_none(response: Any) -> None:
    """The Hub is asked again after a minute."""
    fake = FakeSpace({JWT: [response, reply({"token": "t"})]})
    (told,), found = fake.all_of(gpu_token(CONFIG, fake.context))
    assert isinstance(told, Progress)
    assert told.kind == "identity_unavailable"
    assert told.message.startswith("going on without a GPU token: ")
    assert gpu_headers(CONFIG, found) == {}
    for later, value in ((0, ""), (59, ""), (1, "t")):
        fake.wall += later
        assert token_of(fake).value == value
    assert len(fake.requests) == 2


@pytest.mark.proves("fault:43:PH")
def test_token_is_fetched_under_a_lock_that_is_released_at_once() -> None:
    """Other calls find the token."""
    fake = hub("another call's")
    steps = gpu_token(CONFIG, fake.context)
    lock = next(steps)
    assert isinstance(lock, Lock)
    token_of(fake)
    assert steps.send(None) == Unlock(lock.key)
    with pytest.raises(StopIteration) as stopped:
        steps.send(None)
    assert stopped.value.value.value == "another call's"
    assert (len(fake.requests), fake.held) == (1, [])


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
def test_another_token_helps_if_the_caller_was_refused(error: APIError, *, helps: bool) -> None:
    """Not if a quota is used up, nor if the caller brought the token."""
    assert can_renew(CONFIG, error) is helps
    assert not can_renew(GIVEN, error)
    assert not can_renew(NO_SPACE, error)


def test_refused_caller_is_told_how_to_log_in() -> None:
    """Other errors stay as they are."""
    refused = AuthenticationError(
        "401", status_code=401, body="b", content_type="text/plain", provider="p", phase="f"
    )
    error = with_login_hint(refused, CONFIG)
    assert isinstance(error, AuthenticationError)
    assert error.login_url == f"{HUB}/login"
    assert str(error).startswith("401. ")
    assert "api_key=" in str(error)
    assert "hf_token" not in str(error)
    assert {**vars(error), "login_url": ""} == {**vars(refused), "login_url": ""}
    for known in (error, QUOTA):
        assert with_login_hint(known, CONFIG) is known
