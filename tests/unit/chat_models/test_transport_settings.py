from __future__ import annotations

import httpx
import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import APIConnectionError
from langchain_g4f.testing import Sandbox
from tests.unit.chat_models.ways import MODEL, ask


class Watched:
    """Clients of the caller's own, and the paths that went through them."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.client = httpx.Client(event_hooks={"request": [self._note]})
        self.async_client = httpx.AsyncClient(event_hooks={"request": [self._anote]})

    def _note(self, request: httpx.Request) -> None:
        self.paths.append(request.url.path)

    async def _anote(self, request: httpx.Request) -> None:
        self.paths.append(request.url.path)


@pytest.mark.proves("promise:own-http-client")
async def test_own_client_carries_every_request_and_stays_open(sandbox: Sandbox, mode: str) -> None:
    """The caller's client is used for models and messages, and is the caller's to close."""
    watched = Watched()
    model = ChatHuggingChat(
        base_url=sandbox.base_url,
        http_client=watched.client,
        http_async_client=watched.async_client,
    )
    for _ in range(2):
        assert (await ask(model, mode, "hi")).text
    assert watched.paths == [request.path for request in sandbox.requests]
    assert not watched.client.is_closed
    assert not watched.async_client.is_closed
    watched.client.close()
    await watched.async_client.aclose()


@pytest.mark.proves("promise:proxy")
async def test_proxy_that_is_down_is_not_gone_around(sandbox: Sandbox, mode: str) -> None:
    """A call that may not be sent through the proxy is not sent at all."""
    with Sandbox() as gone:
        proxy = gone.origin
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, proxy=proxy, max_retries=0)
    with pytest.raises(APIConnectionError):
        await ask(model, mode, "hi")
    assert not sandbox.requests
