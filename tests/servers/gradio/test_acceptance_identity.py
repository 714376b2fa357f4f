"""Who asks: what the apps on real servers of both lines see of it, and what no server sees."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.contract.faults.harness import ask, by_turns
from tests.servers.gradio.acceptance import (
    NOWHERE,
    aside,
    five_workers,
    last_calls,
    obligation,
    one_worker,
    phi4_at,
)
from tests.servers.gradio.conftest import Space
from tests.servers.gradio.front import Front
from tests.servers.gradio.hub import SPACE, Hub

pytestmark = [pytest.mark.servers, obligation(21)]

KEY = "hf_made_up"


@by_turns
async def test_gpu_token_of_the_hub_arrives_where_the_call_is_queued(
    way: str, space: Space
) -> None:
    """The app sees the token that the Hub gave for this Space, and whose it is."""
    server = one_worker(space)
    with Hub(token=KEY) as hub, Front(server) as front:
        model = phi4_at(front, space=SPACE, hub_url=hub.url, api_key=KEY)
        answer = await ask(model, way, "[[headers]]")
        (token,) = hub.given
        assert answer.text.startswith(f"Headers: x-zerogpu-token={token}, x-zerogpu-uuid=None, ")
        assert [exchange.header("x-zerogpu-token") for exchange in front.to("/join")] == [token]
        assert [exchange.header("x-zerogpu-token") for exchange in front.to("/data")] == [None]
        (asked,) = hub.requests
        assert "include_pro_status=true" in asked.query
        assert "expiration=" in asked.query

        # It is kept, for other models of the same caller, too.
        again = phi4_at(front, space=SPACE, hub_url=hub.url, api_key=KEY)
        await ask(again, way, "[[headers]]")
        assert last_calls(server)[0].headers["x-zerogpu-token"] == token
        assert hub.asked == ["jwt"]


@pytest.mark.parametrize("way", ["batch", "abatch"])
async def test_gpu_token_is_fetched_once_for_many_calls(way: str, space: Space) -> None:
    """Ten calls that begin together share one token."""
    server = five_workers(space)
    with Hub(token=KEY) as hub:
        model = phi4_at(server, space=SPACE, hub_url=hub.url, api_key=KEY)
        prompts: list[Any] = ["[[headers]]"] * 10
        at_once: Any = {"max_concurrency": 10}
        if way == "batch":
            answers = model.batch(prompts, at_once)
        else:
            answers = await model.abatch(prompts, at_once)
        (token,) = hub.given
    assert all(f"x-zerogpu-token={token}," in answer.text for answer in answers)


@by_turns
async def test_gpu_token_that_has_expired_is_fetched_anew(way: str, space: Space) -> None:
    """A token is not used in the last minute of its life."""
    server = one_worker(space)
    with Hub(token=KEY, lifetime_s=59) as hub:
        model = phi4_at(server, space=SPACE, hub_url=hub.url, api_key=KEY)
        for _ in range(2):
            await ask(model, way, "[[headers]]")
        tokens = [call.headers["x-zerogpu-token"] for call in last_calls(server, 2)]
        assert tokens == hub.given
        assert len({*tokens}) == 2


@by_turns
async def test_given_gpu_token_is_used_and_nobody_asked(way: str, space: Space) -> None:
    """A token and the session it belongs to, as a browser has them, are sent as they are."""
    server = one_worker(space)
    given: dict[str, Any] = {"zerogpu_token": "made-up-token", "zerogpu_uuid": "made-up-uuid"}
    with Hub() as hub:
        model = phi4_at(server, space=SPACE, hub_url=hub.url, **given)
        answer = await ask(model, way, "[[headers]]")
        assert hub.requests == []
    assert answer.text.startswith(
        "Headers: x-zerogpu-token=made-up-token, x-zerogpu-uuid=made-up-uuid, "
    )


@by_turns
async def test_cookies_of_the_hub_fetch_a_token_and_stay_there(way: str, space: Space) -> None:
    """The app is told no cookie, and gets the token."""
    server = one_worker(space)
    with Hub() as hub:
        # Cookies go by host, whatever the port: so the Hub has a name of its own.
        hub_url = hub.url.replace("127.0.0.1", "localhost")
        model = phi4_at(server, space=SPACE, hub_url=hub_url, cookies={"token": "made-up"})
        await ask(model, way, "[[headers]]")
        (token,) = hub.given
        assert hub.requests[0].header("cookie") == "token=made-up"
    headers = last_calls(server)[0].headers
    assert headers["x-zerogpu-token"] == token
    assert "cookie" not in headers
    assert "authorization" not in headers


@by_turns
async def test_token_of_the_hub_is_the_bearer(way: str, space: Space) -> None:
    """Each request to the app has it; where the Hub cannot be asked, the call goes on."""
    server = one_worker(space)
    with Front(server) as front:
        model = phi4_at(front, api_key=KEY, hub_url=NOWHERE, max_retries=0)
        answer = await ask(model, way, "[[headers]]")
        said = {exchange.header("authorization") for exchange in front.requests}
        assert said == {f"Bearer {KEY}"}
    assert answer.text.startswith("Headers: x-zerogpu-token=None, x-zerogpu-uuid=None, ")
    assert last_calls(server)[0].headers["authorization"] == f"Bearer {KEY}"


@by_turns
async def test_caller_without_identity_sends_no_placeholder(way: str, space: Space) -> None:
    """Nothing is sent in place of what is not there, and the Hub is not asked."""
    server = one_worker(space)
    with Hub() as hub:
        answer = await ask(phi4_at(server, space=SPACE, hub_url=hub.url), way, "[[headers]]")
        assert hub.requests == []
    assert answer.text == (
        "Headers: x-zerogpu-token=None, x-zerogpu-uuid=None, x-ip-token=None,"
        f" x-hf-authorization=None, referer={server.base_url}?__theme=light, x-gradio-user=None"
    )
    unwanted = {"authorization", "cookie", "x-zerogpu-token", "x-zerogpu-uuid", "x-ip-token"}
    assert not unwanted & {*last_calls(server)[0].headers}


async def test_callers_with_other_tokens_are_others(space: Space) -> None:
    """Two identities on one server at the same time are not mixed."""
    server = five_workers(space)
    with Hub() as hub:
        keys = [f"hf_number_{number}" for number in range(4)]
        models = [phi4_at(server, space=SPACE, hub_url=hub.url, api_key=key) for key in keys]
        ways = ["invoke", "ainvoke"] * 2
        answers = await asyncio.gather(
            *(aside(model, way, key) for model, way, key in zip(models, ways, keys, strict=True))
        )
        assert [answer.text for answer in answers] == [f"Turn 1. You said: {key}" for key in keys]
        fetched = {
            (exchange.header("authorization") or "").rpartition(" ")[2]: token
            for exchange, token in zip(hub.requests, hub.given, strict=True)
        }
    calls = {call.text: call.headers for call in last_calls(server, 4)}
    assert {key: calls[key]["authorization"] for key in keys} == {k: f"Bearer {k}" for k in keys}
    assert len({calls[key]["x-zerogpu-token"] for key in keys}) == 4
    assert fetched.keys() == {*keys}
