"""Models on real servers, and what the acceptance tests ask them with."""

from __future__ import annotations

import asyncio
import io
import random
import wave
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_g4f import ChatGradioSpace, ChatMicrosoftPhi4
from langchain_g4f.core.events import Progress
from langchain_g4f.testing import GradioCall, GradioSpace
from tests.servers.gradio.conftest import Space
from tests.servers.gradio.front import Front

NOWHERE = "http://127.0.0.1:1"
"""Stands for the Hub where nothing may be asked of it."""

_NOISE = random.Random(4).randbytes(3000)

by_model = pytest.mark.parametrize("kind", [ChatMicrosoftPhi4, ChatGradioSpace])


def _wav() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(_NOISE)
    return file.getvalue()


JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + _NOISE + b"\xff\xd9"
SOUNDS = {
    "wav": ("audio/wav", _wav()),
    "mp3": ("audio/mpeg", b"ID3\x04\x00\x00\x00\x00\x00\x00" + _NOISE),
    "flac": ("audio/flac", b"fLaC\x00\x00\x00\x22" + _NOISE),
}


def one_worker(space: Space) -> GradioSpace:
    """Return a server of "phi4" that answers one after the other, and lets three wait."""
    return space("phi4", queue_size=3, pace_s=0.002)


def five_workers(space: Space) -> GradioSpace:
    """Return a server of "phi4" that answers many at once, and takes small files only."""
    return space("phi4", concurrency=5, pace_s=0.002, max_file_size="30kb", show_error=True)


def obligation(*numbers: int) -> pytest.MarkDecorator:
    """Say which obligations of docs/protocols/gradio-space.md a test shows."""
    return pytest.mark.proves(*(f"obligation:gradio-space:{number}" for number in numbers))


def model_at(
    at: GradioSpace | Front, kind: type[ChatGradioSpace] = ChatGradioSpace, **settings: Any
) -> ChatGradioSpace:
    """Return a model that is told the address of the server."""
    base_url = at.url if isinstance(at, Front) else at.base_url
    return kind(**{"base_url": base_url, "hub_url": NOWHERE, "timeout": 30.0, **settings})


def phi4_at(at: GradioSpace | Front, **settings: Any) -> ChatGradioSpace:
    """Return a model for a server that runs the app "phi4"."""
    return model_at(at, ChatMicrosoftPhi4, **settings)


async def aside(model: Any, way: str, prompt: Any) -> AIMessage:
    """One answer, while others are on their way, too."""
    if way in {"ainvoke", "astream"}:
        answer: AIMessage = await model.ainvoke(prompt)
    else:
        answer = await asyncio.to_thread(model.invoke, prompt)
    return answer


def last_calls(space: GradioSpace, count: int = 1) -> list[GradioCall]:
    """Return the last calls of the app, once nothing is running."""
    space.wait_until(lambda: not space.busy)
    return space.calls[-count:]


class Heard(list[Progress]):
    """What a model tells, as its `on_progress`."""

    def __call__(self, progress: Progress) -> None:
        self.append(progress)

    def of(self, kind: str) -> list[Progress]:
        """Return what was of this kind."""
        return [each for each in self if each.kind == kind]

    @property
    def kinds(self) -> list[str]:
        """Return the kinds, in order."""
        return [each.kind for each in self]
