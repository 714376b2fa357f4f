"""Chat models that look like a browser, from one end to the other."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import httpx
import pytest

from langchain_g4f import ChatFlowGpt, ChatHuggingChat
from langchain_g4f.testing import Reply, Sandbox
from langchain_g4f.transport.client import sync_client
from tests.unit.transport.exchanges import CHROME

pytestmark = pytest.mark.proves("promise:impersonate-end-to-end")

TEXT = "Hello there, 東京"


def test_model_streams() -> None:
    """Every request of a call is made as Chrome makes it."""
    with Sandbox(reply=TEXT) as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, impersonate="chrome")
        assert "".join(chunk.text for chunk in model.stream("Hi")) == TEXT
        assert model.invoke("Hi").text == TEXT
        agents = {request.headers.get("user-agent", "") for request in sandbox.requests}
    assert len(agents) == 1
    assert "Chrome/" in agents.pop()
    assert sync_client(CHROME).http.is_closed is False


async def test_model_stops_what_is_given_up() -> None:
    """The service is told, by the same browser."""
    tokens = ["word "] * 500
    async with Sandbox(reply=Reply(tokens=tokens, pace_s=0.01)) as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, impersonate="chrome")
        stream: Any = model.astream("Hi")
        await anext(stream)
        await stream.aclose()
        await asyncio.to_thread(sandbox.wait_until, lambda: not sandbox.busy, timeout_s=1)
        stops = [r for r in sandbox.requests if r.path.endswith("/stop-generating")]
        assert len(stops) == 1
        assert "Chrome/" in stops[0].headers["user-agent"]


@pytest.mark.parametrize("field", ["http_client", "http_async_client"])
def test_own_client_and_impersonation_exclude_each_other(field: str) -> None:
    """What is seen on the wire is the client's, whoever it is."""
    client = httpx.Client() if field == "http_client" else httpx.AsyncClient()
    with pytest.raises(ValueError, match="impersonate: a client of your own"):
        ChatHuggingChat(impersonate="chrome", **{field: client})  # type: ignore[arg-type]


def test_target_travels_with_the_model() -> None:
    """It is no secret."""
    model = ChatFlowGpt(impersonate="chrome")
    assert pickle.loads(pickle.dumps(model)).impersonate == "chrome"  # noqa: S301 -- our own
    assert model.model_copy(update={"impersonate": None}).impersonate is None
