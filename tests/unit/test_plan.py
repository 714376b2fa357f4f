"""The helpers that give effects their types."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from typing import Any

import pytest

from langchain_g4f.auth.cookies import Cookies
from langchain_g4f.core import plan
from langchain_g4f.core.cache import Cache, Kind
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.http import Headers, Request, Response, ResponseHead
from langchain_g4f.core.limits import Limits
from langchain_g4f.core.locks import KeyedLocks
from langchain_g4f.core.plan import Resolve, Send, Stream, StreamEnd

CANARY = "canary-f3a91c77d2"


def make_request() -> Request:
    """Make any request."""
    return Request("GET", "http://127.0.0.1/")


def make_decoder(head: ResponseHead) -> Any:
    """Make what is never used."""
    return head


HELPERS: list[Any] = [
    pytest.param(
        lambda: plan.send(make_request), Send(make_request), Response(200, Headers([])), id="send"
    ),
    pytest.param(
        lambda: plan.stream(make_request, make_decoder, abort=make_request),
        Stream(make_request, make_decoder, make_request, already_started=False),
        StreamEnd("text"),
        id="stream",
    ),
    pytest.param(
        lambda: plan.stream(make_request, make_decoder, abort=make_request, already_started=True),
        Stream(make_request, make_decoder, make_request, already_started=True),
        StreamEnd("text"),
        id="stream of what has begun",
    ),
    pytest.param(
        lambda: plan.resolve("example.com", 443),
        Resolve("example.com", 443),
        ("192.0.2.1",),
        id="resolve",
    ),
]
Helper = Callable[[], Generator[Any, Any, Any]]


@pytest.mark.parametrize(("helper", "effect", "result"), HELPERS)
def test_helper_yields_its_effect_and_returns_the_result(
    helper: Helper, effect: object, result: object
) -> None:
    """With ``yield from`` a plan has the result; that of another effect is a TypeError."""
    steps = helper()
    assert next(steps) == effect
    with pytest.raises(StopIteration) as stopped:
        steps.send(result)
    assert stopped.value.value == result
    mixed_up = helper()
    next(mixed_up)
    with pytest.raises(TypeError):
        mixed_up.send(None)


@pytest.mark.proves("promise:redaction")
def test_repr_of_a_session_shows_the_provider_alone() -> None:
    """A session holds the identity, and stands in many frames."""
    cache = Cache()
    cache.put(Kind[str](), "x", CANARY)
    context = CallContext(
        provider="example",
        limits=Limits(),
        max_retries=0,
        cookies=Cookies("http://127.0.0.1", {"name": CANARY}),
        locks=KeyedLocks(),
        cache=cache,
        clock=lambda: 0.0,
        wall_clock=lambda: 0.0,
        random=random.Random(1),
        new_id=lambda: CANARY,
    )
    assert repr(context) == "<Session example>"
