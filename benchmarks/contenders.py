"""The clients that are compared: four that read the same tokens.

`Contender.text` takes the text out of an item of the stream, so that no client needs an extra
generator around its stream.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import httpx
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from benchmarks.floor import FloorModel
from langchain_g4f import ChatHuggingChat

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from langchain_core.language_models import BaseChatModel

PROMPT = "Say something long."
MODEL = "bench"
RAW, FLOOR, OURS, OPENAI = "httpx + json", "LangChain floor", "ChatHuggingChat", "ChatOpenAI"
PLAIN, TOOLS = "without tools", "with two tools bound"


class Raw:
    """A minimal client of a chat-ui server: httpx, a split at LF, `json.loads`."""

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url}/conversation"
        self._origin = {"origin": base_url[: base_url.index("/", len("http://"))]}
        self._http = httpx.Client()
        self._ahttp = httpx.AsyncClient()

    def stream(self, prompt: str = PROMPT) -> Iterator[str]:
        """The tokens of one answer."""
        created = self._http.post(self._url, json={"model": MODEL}).json()
        url, files = self._message(created, prompt)
        with self._http.stream("POST", url, files=files, headers=self._origin) as response:
            pending = b""
            for data in response.iter_raw():
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    value = json.loads(line)
                    if value["type"] == "stream":
                        yield value["token"].rstrip("\0")

    async def astream(self, prompt: str = PROMPT) -> AsyncIterator[str]:
        """The tokens of one answer, asynchronously."""
        created = (await self._ahttp.post(self._url, json={"model": MODEL})).json()
        url, files = self._message(created, prompt)
        async with self._ahttp.stream("POST", url, files=files, headers=self._origin) as response:
            pending = b""
            async for data in response.aiter_raw():
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    value = json.loads(line)
                    if value["type"] == "stream":
                        yield value["token"].rstrip("\0")

    def _message(
        self, created: dict[str, str], prompt: str
    ) -> tuple[str, dict[str, tuple[None, str]]]:
        root = json.loads(created["conversation"])["json"]["rootMessageId"]
        data = json.dumps({"inputs": prompt, "id": root})
        return f"{self._url}/{created['conversationId']}", {"data": (None, data)}


@dataclass(frozen=True)
class Contender:
    """A client; each call of `stream` or `astream` is one answer."""

    name: str
    stream: Callable[[], Iterator[Any]]
    astream: Callable[[], AsyncIterator[Any]]
    text: Callable[[Any], str]


def contenders(server: str, shape: str) -> list[Contender]:
    """All clients, for answers of this shape."""
    chat_ui = f"{server}/{shape}/chat"
    raw = Raw(chat_ui)
    openai = ChatOpenAI(
        model_name=MODEL, openai_api_base=f"{server}/{shape}/v1", openai_api_key=SecretStr("x")
    )
    return [
        Contender(RAW, raw.stream, raw.astream, str),
        _chat_model(FLOOR, FloorModel(raw=raw)),
        _chat_model(OURS, ChatHuggingChat(model=MODEL, base_url=chat_ui, cookies=None)),
        _chat_model(OPENAI, openai),
    ]


def plain_and_with_tools(server: str, shape: str) -> list[Contender]:
    """ChatHuggingChat without tools, and with tools that its answers do not call."""
    model = ChatHuggingChat(model=MODEL, base_url=f"{server}/{shape}/chat", cookies=None)
    bound = model.bind_tools([_weather, _add])
    stream, astream = partial(bound.stream, PROMPT), partial(bound.astream, PROMPT)
    return [_chat_model(PLAIN, model), Contender(TOOLS, stream, astream, attrgetter("content"))]


def _weather(city: str, days: int = 1) -> str:
    """Get the weather of the coming days in a city."""
    raise NotImplementedError


def _add(a: float, b: float) -> float:
    """Add two numbers."""
    raise NotImplementedError


def _chat_model(name: str, model: BaseChatModel) -> Contender:
    stream, astream = partial(model.stream, PROMPT), partial(model.astream, PROMPT)
    return Contender(name, stream, astream, attrgetter("content"))
