"""The clients that are compared: they ask the same app on the same server the same question.

The app is the one that is built like the Phi-4 Space: a direct call, a join, a stream. All clients
have read its description and opened their connections, as for the second answer of a program.
"""

from __future__ import annotations

import gc
import json
import subprocess
import time
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx

from benchmarks.floor import FloorModel
from langchain_g4f import ChatGradioSpace

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Iterator

    from langchain_core.language_models import BaseChatModel

RAW, FLOOR, OURS, CLIENT = "httpx + json", "LangChain floor", "ChatGradioSpace", "gradio_client"
MODES = ("async", "sync")
Key = tuple[str, str]
"""Name of the client, and mode; gradio_client uses threads and has one mode, "sync"."""
Taker = Callable[[str], "Turn"]
"""Sends a prompt, and returns the answer with its times."""
Contenders = dict[Key, Taker]
T = TypeVar("T")
_content = attrgetter("content")


@dataclass(frozen=True)
class Turn:
    """An answer and its times.

    Attributes:
        text: Text that was read.
        first_ms: Wall time until the first piece, in ms.
        wall_ms: Wall time until the end, in ms.
        cpu_ms: CPU time of the client's process, all threads, in ms.
    """

    text: str
    first_ms: float
    wall_ms: float
    cpu_ms: float


class Raw:
    """A minimal client of this app: httpx, a split at LF, `json.loads`."""

    def __init__(self, base_url: str) -> None:
        self._api = f"{base_url}/gradio_api"
        self._http = httpx.Client(timeout=30)
        self._ahttp = httpx.AsyncClient(timeout=30)
        config = self._http.get(f"{base_url}/config").json()
        self._ids = {each["api_name"]: each["id"] for each in config["dependencies"]}

    def stream(self, prompt: str) -> Iterator[str]:
        """The pieces of one answer."""
        prepare, join, query = self._bodies(prompt)
        made = self._http.post(f"{self._api}/run/predict", json=prepare).json()
        join["data"][0] = made["data"][0]
        self._http.post(f"{self._api}/queue/join", json=join)
        with self._http.stream("GET", f"{self._api}/queue/data", params=query) as response:
            pending = b""
            for data in response.iter_raw():
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    if piece := _piece(line):
                        yield piece

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        """The pieces of one answer, asynchronously."""
        prepare, join, query = self._bodies(prompt)
        made = (await self._ahttp.post(f"{self._api}/run/predict", json=prepare)).json()
        join["data"][0] = made["data"][0]
        await self._ahttp.post(f"{self._api}/queue/join", json=join)
        url = f"{self._api}/queue/data"
        async with self._ahttp.stream("GET", url, params=query) as response:
            pending = b""
            async for data in response.aiter_raw():
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    if piece := _piece(line):
                        yield piece

    async def close(self) -> None:
        """Close the connections."""
        self._http.close()
        await self._ahttp.aclose()

    def _bodies(self, prompt: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
        query = {"session_hash": uuid.uuid4().hex}
        message = {"text": prompt, "files": []}
        prepare = {"fn_index": self._ids["add_message"], "data": [[], message, None], **query}
        return prepare, {"fn_index": self._ids["respond"], "data": [None, None], **query}, query


def _piece(line: bytes) -> str:
    """The text that an event adds to the answer. This app sends one edit, which appends."""
    if not line.startswith(b"data: "):
        return ""
    event = json.loads(line[6:])
    if event["msg"] != "process_generating":
        return ""
    shown = event["output"]["data"][0]
    if not isinstance(shown[0], dict):
        piece: str = shown[0][2]
        return piece
    content = shown[-1]["content"]  # the first event has the whole history
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


class GradioClient:
    """gradio_client in its own process, which measures its own times."""

    def __init__(self, python: Path, base_url: str) -> None:
        script = Path(__file__).with_name("client.py")
        self._process = subprocess.Popen(
            [str(python), "-P", str(script), base_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.version = str(json.loads(self._line()))

    def __call__(self, prompt: str) -> Turn:
        """Send a prompt, and return the answer."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(prompt) + "\n")
        self._process.stdin.flush()
        return Turn(**json.loads(self._line()))

    def _line(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("gradio_client has ended")
        return line

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def contenders(
    base_url: str, runner: asyncio.Runner, client: GradioClient | None = None
) -> Iterator[Contenders]:
    """All clients, for the app at this address."""
    raw = Raw(base_url)
    found: Contenders = {}
    found[RAW, "async"] = _awaited(raw.astream, str, runner)
    found[RAW, "sync"] = _blocking(raw.stream, str)
    models: dict[str, BaseChatModel] = {
        FLOOR: FloorModel(raw=raw),
        OURS: ChatGradioSpace(base_url=base_url),
    }
    for name, model in models.items():
        found[name, "async"] = _awaited(model.astream, _content, runner)
        found[name, "sync"] = _blocking(model.stream, _content)
    if client is not None:
        found[CLIENT, "sync"] = client
    try:
        yield found
    finally:
        runner.run(raw.close())


class _Reading:
    """Measures one answer in this process while it is read."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._first = 0.0
        gc.collect()
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def take(self, piece: str) -> None:
        if piece:
            self._first = self._first or time.perf_counter() - self._wall
            self._pieces.append(piece)

    def end(self) -> Turn:
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return Turn("".join(self._pieces), 1e3 * self._first, 1e3 * wall, 1e3 * cpu)


def _blocking(stream: Callable[[str], Iterator[T]], text: Callable[[T], str]) -> Taker:
    def turn(prompt: str) -> Turn:
        reading = _Reading()
        for piece in stream(prompt):
            reading.take(text(piece))
        return reading.end()

    return turn


def _awaited(
    astream: Callable[[str], AsyncIterator[T]], text: Callable[[T], str], runner: asyncio.Runner
) -> Taker:
    async def turn(prompt: str) -> Turn:
        reading = _Reading()
        async for piece in astream(prompt):
            reading.take(text(piece))
        return reading.end()

    return lambda prompt: runner.run(turn(prompt))
