"""FlowGPT's request, and how a call ends (docs/protocols/flowgpt.md, sections 3, 4 and 7)."""

from __future__ import annotations

import hashlib
import itertools
import random
import uuid

import pytest

from langchain_g4f import errors
from langchain_g4f.core.http import RetryWhen
from langchain_g4f.core.plan import StreamEnd
from langchain_g4f.providers.flowgpt import FlowGPT, sign
from tests.contract.recordings.flowgpt.marks import obligations
from tests.unit.providers.flowgpt_calls import (
    MEMBER,
    NONCE,
    NOW_S,
    SERVICE,
    TOKEN,
    asking,
    context,
    request_of,
    started,
)


@obligations(1, 2)
@pytest.mark.parametrize(
    ("authorization", "signature"),
    [
        ("Bearer null", "2d067f6fb396f263d5cd8f86783da105"),
        ("Bearer member-token", "08f7199114cab47675a3358ea3d12ae3"),
    ],
)
def test_signature_is_that_of_the_worked_vectors(authorization: str, signature: str) -> None:
    """Time, nonce and the whole value of the header, with dashes."""
    assert sign(str(NOW_S), NONCE, authorization) == signature


@pytest.mark.parametrize(
    ("parts", "mistake"),
    [
        ((str(NOW_S), NONCE, "null"), "0e0ec46f7be028cdb60848889cbfed2f"),
        ((f"{NOW_S}{NONCE}Bearer null",), "e5c63b9715613bc02bd90fa3978587d7"),
    ],
)
def test_known_mistakes_are_not_made(parts: tuple[str, ...], mistake: str) -> None:
    """The document says what comes out without the word Bearer, and without dashes."""
    assert hashlib.md5("-".join(parts).encode(), usedforsecurity=False).hexdigest() == mistake
    assert sign(str(NOW_S), NONCE, "Bearer null") != mistake


@obligations(1, 2, 9)
@pytest.mark.parametrize(
    ("service", "path", "authorization", "signature"),
    [
        (SERVICE, "chat-anonymous", "Bearer null", "2d067f6fb396f263d5cd8f86783da105"),
        (MEMBER, "chat", "Bearer member-token", "08f7199114cab47675a3358ea3d12ae3"),
    ],
)
def test_request_is_signed_with_what_it_sends(
    service: FlowGPT, path: str, authorization: str, signature: str
) -> None:
    """Anonymous callers and members differ in the path and in one header."""
    request = request_of(asking("hi"), service)
    assert (request.method, request.url) == ("POST", f"http://service.example/v3/{path}")
    assert request.headers == {
        "accept": "*/*",
        "authorization": authorization,
        "content-type": "application/json",
        "origin": "https://flowgpt.com",
        "referer": "https://flowgpt.com/",
        "x-flow-device-id": "f-abcdefghij012345678",
        "x-nonce": NONCE,
        "x-signature": signature,
        "x-timestamp": "1713341603",
    }
    assert (request.retry, request.phase) == (RetryWhen.NOT_SENT, "send the message")


@obligations(1)
def test_each_attempt_is_signed_anew() -> None:
    """A repeated request has another nonce and the time at which it is repeated."""
    ids, times = (uuid.UUID(int=n) for n in itertools.count(10)), itertools.count(NOW_S)
    shared = context(new_id=lambda: str(next(ids)), wall_clock=lambda: float(next(times)))
    _, effect = started(asking("hi"), shared=shared)
    attempts = [effect.make_request() for _ in range(3)]
    assert [a.headers["x-nonce"] for a in attempts] == [f"{n:032x}" for n in (10, 11, 12)]
    assert [int(a.headers["x-timestamp"]) - NOW_S for a in attempts] == [0, 1, 2]
    assert len({a.headers["x-signature"] for a in attempts}) == 3
    assert len({(a.body, a.headers["x-flow-device-id"]) for a in attempts}) == 1


@obligations(1)
def test_nonces_of_two_processes_with_the_same_dice_differ() -> None:
    """A fork copies the state of the random numbers, and the service takes a nonce only once."""
    shared = [context(random=random.Random(1), new_id=lambda: str(uuid.uuid4())) for _ in range(2)]
    first, second = (request_of(asking("hi"), shared=each).headers["x-nonce"] for each in shared)
    assert first != second
    assert {len(first), len(second)} == {32}
    assert int(first, 16)


@obligations(3)
def test_token_is_in_no_repr() -> None:
    """Neither in that of the service nor in that of a request."""
    assert TOKEN not in f"{MEMBER!r} {request_of(asking('hi'), MEMBER)!r}"


def test_plan_is_over_with_the_answer() -> None:
    """One request is all there is."""
    steps, _ = started(asking("hi"))
    with pytest.raises(StopIteration):
        steps.send(StreamEnd("all of it"))


def test_cut_answer_is_an_error() -> None:
    """Nothing is tried again once an answer began."""
    cut = errors.StreamInterruptedError("cut")
    steps, _ = started(asking("hi"))
    with pytest.raises(errors.StreamInterruptedError) as caught:
        steps.send(StreamEnd("so far", cut))
    assert caught.value is cut


@obligations(6)
@pytest.mark.parametrize(
    ("service", "advice"),
    [(SERVICE, "anonymous use may be closed"), (MEMBER, "the token may have expired")],
)
@pytest.mark.parametrize("kind", [errors.AuthenticationError, errors.PermissionDeniedError])
def test_refusal_says_what_it_may_come_from(
    kind: type[errors.APIStatusError], service: FlowGPT, advice: str
) -> None:
    """The service does not tell a wrong clock from a missing login."""
    steps, _ = started(asking("hi"), service)
    with pytest.raises(kind) as caught:
        steps.throw(kind("no", status_code=401, body="no"))
    login = "https://flowgpt.com" if kind is errors.AuthenticationError else None
    way_in = (
        f". Run `langchain-g4f login flowgpt --token` with a member's token. Login page: {login}"
    )
    assert str(caught.value) == (
        f"no; {advice}, or this machine's clock is wrong: requests are signed with it"
        + (way_in if login else "")
    )
    assert getattr(caught.value, "login_url", None) == login
    assert (caught.value.status_code, caught.value.body) == (401, "no")
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "error",
    [
        errors.ChallengeError("challenge", status_code=403),
        errors.RateLimitError("slowly", status_code=429),
        errors.NotFoundError("gone", status_code=404),
        errors.APIConnectionError("no way"),
    ],
)
def test_other_failures_are_passed_on(error: errors.APIError) -> None:
    """They have nothing to do with the clock."""
    steps, _ = started(asking("hi"))
    said = str(error)
    with pytest.raises(type(error)) as caught:
        steps.throw(error)
    assert caught.value is error
    assert str(error) == said
