"""The decoder alone, on prepared bytes: without a server, a client or LangChain.

The events are those of docs/protocols/gradio-space.md, sections 3 and 4, one per chunk.
"""

from __future__ import annotations

import gc
import json
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.common import WrongTextError
from langchain_g4f.core.events import Text
from langchain_g4f.core.http import Headers, ResponseHead
from langchain_g4f.providers.gradio_space.answer import AnswerDiffer
from langchain_g4f.providers.gradio_space.content import ChatbotReader, read_output
from langchain_g4f.providers.gradio_space.stream import QueueDecoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_g4f.core.http import JSON
    from langchain_g4f.providers.gradio_space.content import Snapshot

SHORT, LONG = 400, 4000
"""Chunks of the short and of the long answer."""
_EVENT_ID = "c7" * 16
_HEAD = ResponseHead(200, Headers([("content-type", "text/event-stream")]))
_LIMIT = 1 << 24


def words(count: int) -> list[str]:
    """The pieces of every answer: what the app's model says when asked for ``count`` words."""
    return [f"word{number} " for number in range(count - 1)] + [f"word{count - 1}"]


@dataclass(frozen=True)
class Shape:
    """How an app shows its answer.

    Attributes:
        parts: Whether a message is a list of parts, as on Gradio 6.
        before: Number of earlier messages; None for an interface, which sends only the answer.
    """

    parts: bool = False
    before: int | None = 0

    def message(self, role: str, text: str) -> JSON:
        """A message of the chatbot."""
        content: JSON = [{"type": "text", "text": text}] if self.parts else text
        return {"role": role, "metadata": None, "content": content, "options": None}

    @property
    def history(self) -> list[JSON]:
        """The messages that the chatbot shows before the answer."""
        roles = ("user", "assistant") * ((self.before or 0) // 2)
        return [*(self.message(role, "Something.") for role in roles), self.message("user", "Go!")]

    def shown(self, text: str) -> list[JSON]:
        """The outputs when the answer is ``text``."""
        if self.before is None:
            return [text]
        return [[*self.history, self.message("assistant", text)], None]

    def grown(self, text: str) -> JSON:
        """The outputs, as edits, when ``text`` is added."""
        if self.before is None:
            return [[["append", [], text]]]
        path = [len(self.history), "content", *((0, "text") if self.parts else ())]
        return [[["append", path, text]], []]

    @property
    def find(self) -> Callable[[JSON], Snapshot]:
        """The function that finds the answer in the outputs."""
        if self.before is None:
            return read_output
        return ChatbotReader(self.history, has_prompt=True)


SHAPES = {
    "chatbot of Gradio 5": Shape(),
    "chatbot of Gradio 6": Shape(parts=True),
    "the same after 40 messages": Shape(parts=True, before=40),
    "gr.ChatInterface": Shape(before=None),
}


def canned(shape: Shape, count: int) -> list[bytes]:
    """The events of an answer of ``count`` chunks."""
    first, *rest = words(count)
    full: JSON = list(shape.shown(first))
    datas = [full, *map(shape.grown, rest)]
    return [
        _event("estimation", rank=0, queue_size=1, rank_eta=None),
        _event("process_starts", eta=0.2),
        *(
            _event("process_generating", output=_output(data), success=True, time_limit=None)
            for data in datas
        ),
        _event(
            "process_completed",
            output=_output(list(shape.shown("".join(words(count))))),
            success=True,
            title=None,
        ),
    ]


def _output(data: JSON) -> JSON:
    return {
        "data": data,
        "is_generating": True,
        "duration": 0.0021,
        "average_duration": 0.0021,
        "render_config": None,
        "changed_state_ids": [],
    }


def _event(msg: str, **fields: JSON) -> bytes:
    message = {"msg": msg, "event_id": _EVENT_ID, **fields}
    return b"data: " + json.dumps(message, separators=(",", ":")).encode() + b"\n\n"


@dataclass
class DecoderSamples:
    """The figures of one shape, one for each round.

    Attributes:
        json_us: CPU of `json.loads` alone, in µs per event of the short answer.
        ours_us: CPU of the decoder, in µs per event of the short answer.
        growth: CPU of the long answer divided by that of the short one.
    """

    json_us: list[float] = field(default_factory=list)
    ours_us: list[float] = field(default_factory=list)
    growth: list[float] = field(default_factory=list)


def measure_decoder(rounds: int, short: int = SHORT, long: int = LONG) -> dict[str, DecoderSamples]:
    """Measure every shape ``rounds`` times, after one time to warm up."""
    streams = {name: (canned(s, short), canned(s, long)) for name, s in SHAPES.items()}
    samples = {name: DecoderSamples() for name in SHAPES}
    for number in range(rounds + 1):
        for name, (brief, lengthy) in streams.items():
            gc.collect()
            parsed = _timed(partial(_parse, brief))
            took, longer = (
                _timed(partial(_decode, SHAPES[name], data)) for data in (brief, lengthy)
            )
            if number:
                samples[name].json_us.append(1e6 * parsed / len(brief))
                samples[name].ours_us.append(1e6 * took / len(brief))
                samples[name].growth.append(longer / took)
    return samples


def _timed(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def _parse(events: list[bytes]) -> None:
    for event in events:
        json.loads(event[6:])


def _decode(shape: Shape, events: list[bytes]) -> None:
    reader = AnswerDiffer(shape.find, 0, "http://127.0.0.1/gradio_api/file=")
    decoder = QueueDecoder(_HEAD, _EVENT_ID, reader, _LIMIT)
    heard = [found for event in events for found in decoder.feed(event)]
    said = [found.text for found in heard if type(found) is Text]
    if said != words(len(events) - 3):
        raise WrongTextError("the decoder")
