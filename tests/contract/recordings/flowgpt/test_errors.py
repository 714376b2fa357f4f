"""How the recorded server fails, and what the caller learns of it."""

from __future__ import annotations

from typing import ClassVar

import pytest

from langchain_g4f.errors import (
    APIError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ChallengeError,
    EmptyResponseError,
    MalformedStreamError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    ServerStreamError,
    StreamInterruptedError,
)
from tests.contract.recordings.flowgpt.recordings import (
    answer,
    assert_as_recorded,
    by_chunking,
    by_way,
    freeze,
    model_on,
    play,
)
from tests.contract.recordings.flowgpt.test_answers import FlowGptSuite
from tests.contract.recordings.suite import Scenario, ask, scenarios

CLOCK = "this machine's clock is wrong"


def failure(
    name: str, prompt: str, error: type[APIError], text: str = "", **attributes: object
) -> Scenario:
    """An answer that fails after `text`."""
    attributes |= {"phase": "send the message"}
    return Scenario(f"flowgpt/{name}", prompt, text=text, error=error, attributes=attributes)


@pytest.mark.proves("obligation:flowgpt:6")
class TestErrors(FlowGptSuite):
    SCENARIOS: ClassVar = scenarios(
        failure(
            "bad_json_line",  # nothing is skipped in silence
            "Please garble [[badjson]]",
            MalformedStreamError,
            "before ",
            is_retryable=False,
        ),
        failure(
            "error_event",
            "Please fail [[error]]",
            ServerStreamError,
            "Partial ",
            args=("FlowGPT reported an error: The model is overloaded",),
        ),
        failure(
            "midstream_truncated",
            "Please cut [[truncate]]",
            StreamInterruptedError,
            "First second ",
            is_retryable=True,
        ),
        failure("empty", "Nothing [[empty]]", EmptyResponseError),
        failure(
            "insufficient_credit",
            "Broke [[credit]]",
            QuotaExceededError,
            body="Insufficient credit",
            is_retryable=False,
        ),
        failure(
            "rate_limited",
            "Too fast [[429]]",
            RateLimitError,
            status_code=429,
            retry_after=2.0,
            body="forced by the prompt",
            is_retryable=True,
        ),
        failure(
            "waf_challenge",
            "Challenge [[waf]]",
            ChallengeError,
            status_code=403,
            body="Cloudflare asks for a challenge in a browser",
            is_retryable=False,
        ),
    )


@pytest.mark.proves("cassette:flowgpt/unknown_model", "obligation:flowgpt:6")
@by_chunking
@by_way
async def test_unknown_model_is_asked_with_a_warning_and_refused(way: str, chunking: str) -> None:
    """The list of models is old, so the service decides."""
    replayer = play("unknown_model", chunking)
    with (
        pytest.warns(UserWarning, match="'gpt-9' is not a known model"),
        pytest.raises(BadRequestError, match="unknown model gpt-9") as caught,
    ):
        await ask(model_on(replayer, model="gpt-9"), "Say hello", way)
    assert caught.value.status_code == 400
    assert_as_recorded(replayer)


@pytest.mark.proves("cassette:flowgpt/bad_signature", "obligation:flowgpt:6")
@by_chunking
@by_way
async def test_refused_signature_hints_at_the_clock(way: str, chunking: str) -> None:
    """What is signed is the time and a secret: nothing else can be wrong with it."""
    replayer = play("bad_signature", chunking)
    with pytest.raises(PermissionDeniedError, match="signature mismatch") as caught:
        await ask(model_on(replayer), "Say hello", way)
    assert_refused(caught.value, 403)
    assert_as_recorded(replayer, "x-signature")
    assert replayer.requests[0].headers["x-signature"] != "0" * 32


@pytest.mark.proves("cassette:flowgpt/stale_timestamp", "obligation:flowgpt:6")
@by_chunking
@by_way
async def test_wrong_clock_is_an_authentication_error_that_says_so(
    way: str, chunking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine of the recording was 1603 seconds late."""
    freeze(monkeypatch, 1713340000.9)
    replayer = play("stale_timestamp", chunking)
    with pytest.raises(AuthenticationError, match="x-timestamp is outside") as caught:
        await ask(model_on(replayer), "Say hello", way)
    assert_refused(caught.value, 401)
    assert caught.value.login_url == "https://flowgpt.com"
    assert_as_recorded(replayer)


@pytest.mark.proves("cassette:flowgpt/nonce_reused", "obligation:flowgpt:1", "obligation:flowgpt:6")
@by_chunking
@by_way
async def test_nonce_is_good_for_one_request(way: str, chunking: str) -> None:
    """A model whose source of nonces repeats itself is refused at the second call."""
    replayer = play("nonce_reused", chunking)
    model = model_on(replayer)
    assert (await ask(model, "Say hello", way)).text == answer("Say hello")
    with pytest.raises(PermissionDeniedError, match="x-nonce was already used") as caught:
        await ask(model, "Say hello", way)
    assert_refused(caught.value, 403)
    assert len(replayer.requests) == 2
    assert_as_recorded(replayer)


@pytest.mark.proves("cassette:flowgpt/login_required", "obligation:flowgpt:6")
@by_chunking
@by_way
async def test_member_whose_token_has_expired_is_told(way: str, chunking: str) -> None:
    """The members' endpoint is asked with the token alone, and no anonymous one instead."""
    replayer = play("login_required", chunking)
    with pytest.raises(AuthenticationError, match="the token may have expired") as caught:
        await ask(model_on(replayer, api_key="made-up-token"), "Say hello", way)
    assert_refused(caught.value, 401)
    assert caught.value.login_url == "https://flowgpt.com"
    assert "made-up-token" not in f"{caught.value!r} {vars(caught.value)}"
    (sent,) = replayer.requests
    assert (sent.path, sent.headers["authorization"]) == ("/v3/chat", "Bearer made-up-token")
    assert_as_recorded(replayer, "authorization", "x-signature")


def assert_refused(error: APIStatusError, status: int) -> None:
    """It says when, by whom, and what else it may come from; asking again would not help."""
    assert error.status_code == status
    assert (error.provider, error.phase) == ("flowgpt", "send the message")
    assert CLOCK in str(error)
    assert not error.is_retryable
