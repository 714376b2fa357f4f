"""What a failed call tells: nothing of its credentials, and nothing of the HTTP library."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from langchain_g4f.core.http import Request
from langchain_g4f.core.limits import Sizes
from langchain_g4f.core.plan import Defer, Plan, send, stream
from langchain_g4f.errors import ConfigurationError, G4FError
from tests.unit.run.service import URL, Decoder, Reply, Serve
from tests.unit.traces import assert_tells_nothing

CANARY = "canary-f3a91c77d2"


def failing_with(exc: Exception) -> Exception:
    """An error of the HTTP library that holds a request, as theirs do."""
    sent = httpx.Request("POST", "http://x/", headers={"cookie": CANARY}, content=CANARY)
    if isinstance(exc, httpx.RequestError):
        exc.request = sent
    exc.__cause__ = OSError(f"while sending {CANARY}")
    return exc


def make() -> Request:
    """A request that is full of secrets."""
    return Request("POST", f"{URL}/x", {"authorization": CANARY}, CANARY.encode(), phase="ask")


def asking() -> Plan:
    """A small request."""
    yield Defer(make)
    response = yield from send(make)
    response.json()


def answering() -> Plan:
    """An answer."""
    end = yield from stream(make, Decoder, abort=make)
    if end.error:
        raise end.error


FAULTS: list[Any] = [
    pytest.param(lambda: Reply(fails=failing_with(httpx.ConnectError("no")), sent=False), id="no"),
    pytest.param(lambda: Reply(fails=failing_with(httpx.ConnectTimeout("")), sent=False), id="c"),
    pytest.param(lambda: Reply(fails=failing_with(httpx.ReadTimeout(CANARY))), id="no answer"),
    pytest.param(lambda: Reply(fails=failing_with(httpx.WriteTimeout(CANARY))), id="upload"),
    pytest.param(lambda: Reply(fails=failing_with(httpx.RemoteProtocolError(CANARY))), id="odd"),
    pytest.param(lambda: Reply(fails=failing_with(httpx.LocalProtocolError(CANARY))), id="ours"),
    pytest.param(lambda: Reply(fails=failing_with(httpx.ReadError(CANARY))), id="reset"),
    pytest.param(lambda: Reply(fails=failing_with(RuntimeError(CANARY))), id="closed client"),
    pytest.param(lambda: Reply(fails=failing_with(UnicodeError(CANARY))), id="host name"),
    pytest.param(lambda: Reply([b"a", failing_with(httpx.ReadError(CANARY))]), id="in the body"),
    pytest.param(lambda: Reply([b"a", failing_with(httpx.ReadTimeout(CANARY))]), id="silence"),
    pytest.param(lambda: Reply([b"x" * 2000]), id="too large"),
    pytest.param(lambda: Reply(headers={"content-encoding": "gzip"}), id="coded"),
    pytest.param(lambda: Reply([b"no, ", CANARY.encode()], status=403), id="cookie quoted"),
    pytest.param(
        lambda: Reply(status=302, headers={"location": f"/x/{CANARY}?{CANARY}"}), id="redirect"
    ),
    pytest.param(
        lambda: Reply([b"?"], headers={"set-cookie": f"other={CANARY}; Path=/"}), id="cookie set"
    ),
]


@pytest.mark.proves("obligation:huggingchat:19", "promise:redaction")
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("plan", [asking, answering])
async def test_error_tells_no_secret_and_holds_nothing_foreign(
    fault: Callable[[], Reply],
    plan: Callable[[], Plan],
    mode: str,
    serve: Serve,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not in its text, fields or pickle, not in a traceback with local variables, not in a log."""
    caplog.set_level(logging.DEBUG)
    service = serve(x=fault())
    context = service.context(
        cookies={"hf-chat": CANARY}, sizes=Sizes(response=1000), max_retries=1
    )
    with pytest.raises(G4FError) as caught:
        await service.call(mode, plan(), context).all()
    assert_tells_nothing(caught.value, CANARY)
    assert CANARY not in caplog.text


@pytest.mark.proves("obligation:huggingchat:19")
@pytest.mark.parametrize("fails_in", ["url", "header"])
async def test_request_that_cannot_be_built_tells_nothing_of_its_headers(
    fails_in: str, mode: str, serve: Serve
) -> None:
    """The error comes before anything is sent, and is the easiest to meet."""

    def plan() -> Plan:
        url = f"http://user:{CANARY}@[/" if fails_in == "url" else f"{URL}/x?token={CANARY}"
        yield from send(lambda: Request("POST", url, {"authorization": f"{CANARY}\u20ac"}))

    service = serve()
    with pytest.raises(ConfigurationError) as caught:
        await service.call(mode, plan(), service.context(cookies={"a": CANARY})).all()
    assert_tells_nothing(caught.value, CANARY)


@pytest.mark.proves("promise:redaction")
async def test_only_what_is_secret_in_a_request_is_masked_in_its_answer(
    mode: str, serve: Serve
) -> None:
    """A credential of any header, without its scheme; what a request says openly is quoted."""
    open_, token = "application/canary", f"{CANARY}-token"
    body = f'{{"detail": "no {CANARY} and {token} for {open_}"}}'.encode()
    headers = {"content-type": open_, "authorization": f"Bearer {CANARY}", "x-token": token}

    def plan() -> Plan:
        yield from send(lambda: Request("POST", f"{URL}/x", headers))

    reply = Reply([body], status=422, headers={"content-type": "application/json"})
    with pytest.raises(G4FError, match=open_) as caught:
        await serve(x=reply).call(mode, plan()).all()
    assert_tells_nothing(caught.value, CANARY)
