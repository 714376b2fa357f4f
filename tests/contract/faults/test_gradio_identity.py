"""Who pays for a GPU: fetched once for many calls, renewed once, and sent to the app alone."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from langchain_g4f import ChatMicrosoftPhi4
from langchain_g4f.core.events import Progress
from langchain_g4f.errors import AuthenticationError
from langchain_g4f.providers.gradio_space import provider as gradio_provider
from tests.contract.faults import gradio_script as gr
from tests.contract.faults.byte_server import Action, ByteServer, Exchange
from tests.contract.faults.gradio_entry import HUB_COOKIE, hub
from tests.contract.faults.harness import ask, assert_nothing_open, by_call, by_turns, fail
from tests.contract.faults.registry import CANARY, PHI4, Part, Provider, fault
from tests.contract.faults.test_cookies import cookies_of, setting

FETCHED = {"zerogpu_token": None, "zerogpu_uuid": None}
"""Settings of a model that asks the Hub for a token."""
ONE, TWO = (f"{CANARY}-fetched-{name}" for name in ("one", "two"))
REFUSE = gr.reply({"detail": "Not authenticated"}, 401)
EXPIRED = PHI4.answering(
    *gr.START[:2], gr.failed("Expired ZeroGPU proxy token", "ZeroGPU client error")
)


def fetching(server: ByteServer, **settings: Any) -> Any:
    """A model that asks the Hub for its token."""
    return PHI4.model(server, **{**FETCHED, **settings})


def payers(server: ByteServer) -> list[str | None]:
    """Who each call in the queue was booked on."""
    return [request.header("x-zerogpu-token") for request in PHI4.sent(server, "join")]


# --- rows 4 and 43 -------------------------------------------------------------------------------


def refusing(part: str) -> dict[str, Part]:
    """A server that takes no notice of the first token, in HTTP or in the answer."""
    if part == "join":
        return {"join": [REFUSE, gr.join_ok]}
    return {"data": [EXPIRED, gr.answer_ok]}


@fault(4, 43, only="PH")
@by_turns
@pytest.mark.parametrize("part", ["join", "data"])
async def test_token_that_is_refused_is_replaced_once(
    provider: Provider, way: str, part: str
) -> None:
    """This call and the next one use the new token."""
    jwt = [gr.jwt(ONE), gr.jwt(TWO)]
    with provider.server(jwt=jwt, **refusing(part)) as server:
        model = fetching(server)
        answer = await ask(model, way)
        await ask(model, way)
        asked = provider.asked(server)
        assert (asked.count("jwt"), asked.count("join")) == (2, 3)
        assert payers(server) == [ONE, TWO, TWO]
    assert (answer.text, answer.response_metadata["retries"]) == ("Hello there", 1)


@fault(4, 43, only="PH")
@by_turns
@pytest.mark.parametrize("part", ["join", "data"])
async def test_second_refusal_is_final(provider: Provider, way: str, part: str) -> None:
    """Whoever is refused twice has to log in; nothing is asked a third time."""
    refused = {"join": REFUSE} if part == "join" else {"data": EXPIRED}
    with provider.server(jwt=[gr.jwt(ONE), gr.jwt(TWO)], **refused) as server:
        error = await fail(fetching(server), way, AuthenticationError, host=None)
        asked = provider.asked(server)
        assert (asked.count("jwt"), asked.count("join")) == (2, 2)
        assert payers(server) == [ONE, TWO]
    hub = f"http://localhost:{server.port}" if part == "join" else "https://huggingface.co"
    assert error.login_url == f"{hub}/login"


@fault(4, only="PH")
@by_turns
async def test_token_of_the_caller_is_not_replaced(provider: Provider, way: str) -> None:
    """One that was given is the only one: its refusal is final."""
    with provider.server(join=REFUSE) as server:
        await fail(provider.model(server), way, AuthenticationError)
        assert provider.asked(server) == provider.until("join")


@fault(43, only="PH")
@pytest.mark.parametrize("way", ["tasks", "threads"])
async def test_fifty_calls_fetch_one_token(provider: Provider, way: str) -> None:
    """And one more when all of them are refused: no call fails, and none fetches twice."""
    jwt = [_slowly(gr.jwt(ONE)), _slowly(gr.jwt(TWO))]

    def join(exchange: Exchange) -> None:
        accepted = exchange.header("x-zerogpu-token") == TWO
        (gr.join_ok if accepted else REFUSE)(exchange)

    with provider.server(jwt=jwt, join=join) as server:
        model = fetching(server)
        await ask_fifty_times(model, way)
        asked = provider.asked(server)
        assert asked.count("jwt") == 2
        assert 50 < asked.count("join") <= 100
        assert payers(server).count(TWO) == 50
    assert_nothing_open()


async def ask_fifty_times(model: Any, way: str) -> None:
    """At once, and each gets its answer."""
    if way == "tasks":
        answers = await asyncio.gather(*(model.ainvoke("hi") for _ in range(50)))
    else:
        with ThreadPoolExecutor(50) as threads:
            answers = list(threads.map(model.invoke, ["hi"] * 50))
    assert [answer.text for answer in answers] == ["Hello there"] * 50


def _slowly(action: Action) -> Action:
    def act(exchange: Exchange) -> None:
        exchange.hold(0.2)
        action(exchange)

    return act


@fault(43, only="PH")
@by_turns
@pytest.mark.parametrize(("lifetime_s", "fetches"), [(3600, 1), (30, 2)])
async def test_token_is_kept_until_shortly_before_it_expires(
    provider: Provider, way: str, lifetime_s: int, fetches: int
) -> None:
    """Its own claim counts, and not what was asked for."""
    with provider.server(jwt=gr.jwt(exp=int(time.time()) + lifetime_s)) as server:
        model = fetching(server)
        await ask(model, way)
        await ask(model, way)
        assert provider.asked(server).count("jwt") == fetches


NO_TOKENS: dict[str, Action] = {
    "no token": gr.reply({}),
    "refused": gr.reply({"error": "Invalid credentials"}, 401),
    "redirected": lambda x: x.respond(307, headers=[("Location", "http://127.0.0.1:9/")]),
    "broken": Exchange.reset,
}


@fault(23, 38, 43, only="PH", curl=False)
@pytest.mark.proves("obligation:gradio-space:21")
@by_call
@pytest.mark.parametrize("jwt", NO_TOKENS.values(), ids=NO_TOKENS)
async def test_call_goes_on_without_a_token_that_is_not_to_be_had(
    provider: Provider, way: str, jwt: Action
) -> None:
    """No header is sent then, and no place holder; the Hub is not asked by each call."""
    seen: list[Progress] = []
    with provider.server(jwt=jwt) as server:
        model = fetching(server, on_progress=seen.append, max_retries=0)
        await ask(model, way)
        await ask(model, way)
        assert provider.asked(server).count("jwt") == 1
        assert payers(server) == [None, None]
    assert [progress.kind for progress in seen].count("identity_unavailable") == 1


# --- row 39 and 40 -------------------------------------------------------------------------------

LATER = int(time.time()) + 3600
NETSCAPE = "\n".join(
    [
        "# Netscape HTTP Cookie File",
        f"localhost\tFALSE\t/\tFALSE\t{LATER}\ttoken\tours",
        f"#HttpOnly_localhost\tFALSE\t/\tFALSE\t{LATER}\tsession\tours, too",
        f"127.0.0.1\tFALSE\t/\tFALSE\t{LATER}\tspaces-jwt\tof the app",
        f".elsewhere.example\tTRUE\t/\tFALSE\t{LATER}\ttoken\ttheirs",
        f".google.com\tTRUE\t/\tTRUE\t{LATER}\tSID\ttheirs",
        "",
    ]
)
EXPORTED = json.dumps(
    [
        {"domain": "localhost", "name": "token", "value": "ours", "path": "/"},
        {"domain": "localhost", "name": "session", "value": "ours, too", "path": "/"},
        {"domain": "127.0.0.1", "name": "spaces-jwt", "value": "of the app", "path": "/"},
        {"domain": ".elsewhere.example", "name": "token", "value": "theirs", "path": "/"},
    ]
)


@fault(40, only="PH")
@by_call
@pytest.mark.parametrize("exported", [NETSCAPE, EXPORTED], ids=["netscape", "json"])
async def test_exported_jar_of_a_browser_gives_only_the_hubs_cookies_and_to_the_hub_alone(
    provider: Provider, way: str, exported: str, tmp_path: Path
) -> None:
    """An app is a stranger's program: of the whole jar it gets nothing."""
    jar = tmp_path / "cookies.txt"
    jar.write_text(exported, encoding="utf-8")
    jar.chmod(0o600)
    with provider.server() as server:
        await ask(fetching(server, api_key=None, cookies=jar), way)
        (jwt,) = provider.sent(server, "jwt")
        assert cookies_of(jwt) == {"token": "ours", "session": "ours, too"}
        assert (jwt.header("host") or "").startswith("localhost:")
        others = [request for request in server.requests if request is not jwt]
        assert [cookies_of(request) for request in others] == [{}] * len(provider.good_call)


@fault(39, 40, only="PH")
@by_call
async def test_cookies_of_an_app_stay_with_the_app(provider: Provider, way: str) -> None:
    """They lead to one of its replicas; the Hub's own lead nowhere but to the Hub."""
    with ByteServer(setting(provider, "replica=2; Path=/")) as server:
        model = fetching(server)
        await ask(model, way)
        await ask(model, way)
        (jwt,) = provider.sent(server, "jwt")
        assert cookies_of(jwt) == {"token": HUB_COOKIE}
        (first, *others) = [each for each in server.requests if each is not jwt]
        assert cookies_of(first) == {}
        assert {str(cookies_of(each)) for each in others} == {str({"replica": "2"})}


@fault(40, 60, only="PH")
@by_call
@pytest.mark.parametrize("wanted", [False, True])
async def test_token_of_the_environment_is_sent_only_if_that_is_wanted(
    provider: Provider, way: str, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs a Space can read what it is sent; the Hub is not told of the caller, either."""
    monkeypatch.setattr(gradio_provider, "is_on_hub", lambda _: True)
    monkeypatch.setenv("HF_TOKEN", f"{CANARY}-environment")
    with provider.server() as server:
        model = ChatMicrosoftPhi4(
            base_url=server.url, hub_url=hub(server.url), use_environment_token=wanted
        )
        await ask(model, way)
        sent = {request.header("authorization") for request in server.requests}
        assert sent == {f"Bearer {CANARY}-environment" if wanted else None}
        assert bool(provider.sent(server, "jwt")) is wanted
