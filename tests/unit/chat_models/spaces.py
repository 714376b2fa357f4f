"""A Gradio app and a Hub that answer in this process, and models on them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from langchain_g4f import ChatGradioSpace, ChatMicrosoftPhi4
from tests.unit.providers.gradio_space.replies import Reply, completed, events, reply

APP, HUB = "https://app.example", "https://hub.example"
GOOD = events(completed("ok", None))


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self._content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


class FakeApp(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers by path, without the prefix of the API; a path that is not listed is not there.

    Attributes:
        table: What is answered.
        requests: What was asked, in order.
    """

    def __init__(self, config: Any, **table: Reply) -> None:
        self.table: dict[str, Reply] = {
            "config": reply(config),
            "app_id": reply({"app_id": config["app_id"]}),
            "queue/join": reply({"event_id": "e"}),
            "queue/data": GOOD,
            **table,
        }
        self.requests: list[httpx.Request] = []

    @property
    def asked(self) -> list[str]:
        """The paths, in order."""
        return [_path(str(request.url)) for request in self.requests]

    def data(self) -> Any:
        """What the function was given the last time."""
        joins = (r for r in reversed(self.requests) if r.url.path.endswith("queue/join"))
        return json.loads(next(joins).content)["data"]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        return self._answer(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return self._answer(request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.table.get(_path(str(request.url)), reply({"detail": "Not Found"}, 404))
        headers = {"content-type": answer.kind}
        return httpx.Response(answer.status, headers=headers, stream=_Body(answer.body))

    def model(self, **settings: Any) -> ChatGradioSpace:
        """A model on the app."""
        return ChatGradioSpace(**self._settings(settings))

    def phi4(self, **settings: Any) -> ChatMicrosoftPhi4:
        """Phi-4 on the app."""
        return ChatMicrosoftPhi4(**self._settings(settings))

    def _settings(self, settings: dict[str, Any]) -> dict[str, Any]:
        clients = {
            "http_client": httpx.Client(transport=self),
            "http_async_client": httpx.AsyncClient(transport=self),
        }
        return {"base_url": APP, "hub_url": HUB, **clients, **settings}


def _path(url: str) -> str:
    return urlsplit(url).path.strip("/").removeprefix("gradio_api/")
