"""Who is measured: four clients that read the same tokens.

`text()` gives the text of what their streams yield, so that no contender is wrapped in a generator
which the others do not have.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import httpx
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI
from pydantic import ConfigDict, SecretStr

from langchain_g4f import ChatHuggingChat

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

PROMPT = "Say something long."
MODEL = "bench"
RAW, FLOOR, OURS, OPENAI = "httpx + json", "LangChain floor", "ChatHuggingChat", "ChatOpenAI"


class Raw:
    """The least that reads a chat-ui server: httpx, a split at LF, `json.loads`."""

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url}/conversation"
        self._origin = {"origin": base_url[: base_url.index("/", len("http://"))]}
        self._http = httpx.Client()
        self._ahttp = httpx.AsyncClient()

    def stream(self) -> Iterator[str]:
        """The tokens of one answer."""
        created = self._http.post(self._url, json={"model": MODEL}).json()
        url, files = self._message(created)
        with self._http.stream("POST", url, files=files, headers=self._origin) as response:
            pending = b""
            for data in response.iter_raw():
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    value = json.loads(line)
                    if value["type"] == "stream":
                        yield value["token"].rstrip("\0")

    async def astream(self) -> AsyncIterator[str]:
        """The same."""
        created = (await self._ahttp.post(self._url, json={"model": MODEL})).json()
        url, files = self._message(created)
        async with self._ahttp.stream("POST", url, files=files, headers=self._origin) as response:
            pending = b""
            async for data in response.aiter_raw():
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    value = json.loads(line)
                    if value["type"] == "stream":
                        yield value["token"].rstrip("\0")

    def _message(self, created: dict[str, str]) -> tuple[str, dict[str, tuple[None, str]]]:
        root = json.loads(created["conversation"])["json"]["rootMessageId"]
        data = json.dumps({"inputs": PROMPT, "id": root})
        return f"{self._url}/{created['conversationId']}", {"data": (None, data)}


class FloorModel(BaseChatModel):
    """The least that is a chat model: `Raw`, a chunk a token, and what langchain-core adds."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    raw: Raw

    @property
    def _llm_type(self) -> str:
        return "floor"

    def _generate(self, *_: object, **__: object) -> ChatResult:
        raise NotImplementedError

    def _stream(self, *_: object, **__: object) -> Iterator[ChatGenerationChunk]:
        for token in self.raw.stream():
            yield ChatGenerationChunk(message=AIMessageChunk(content=token))

    async def _astream(self, *_: object, **__: object) -> AsyncIterator[ChatGenerationChunk]:
        async for token in self.raw.astream():
            yield ChatGenerationChunk(message=AIMessageChunk(content=token))


@dataclass(frozen=True)
class Contender:
    """Something that streams; each call of `stream` or `astream` is one answer."""

    name: str
    stream: Callable[[], Iterator[Any]]
    astream: Callable[[], AsyncIterator[Any]]
    text: Callable[[Any], str]


def contenders(server: str, shape: str) -> list[Contender]:
    """Everybody, for answers of this shape."""
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


def _chat_model(name: str, model: BaseChatModel) -> Contender:
    stream, astream = partial(model.stream, PROMPT), partial(model.astream, PROMPT)
    return Contender(name, stream, astream, attrgetter("content"))
