"""The recorded answers of chat-ui servers, and ways to cut them into pieces."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from langchain_g4f.core.events import Event, Finish, Reasoning, Text
from langchain_g4f.core.http import Headers, ResponseHead
from langchain_g4f.core.plan import Decoder
from langchain_g4f.errors import G4FError
from langchain_g4f.providers.huggingchat.answer import AnswerDecoder, Place, ReattachDecoder
from langchain_g4f.providers.huggingchat.reader import UpdateReader

CASSETTES = Path(__file__).parents[3] / "cassettes"
LINES, EVENTS = "application/jsonl", "text/event-stream"
LIMIT = 8 * 1024 * 1024
CONVERSATION_URL = "http://127.0.0.1/chat/conversation/1"


@dataclass(frozen=True)
class Answer:
    """A recorded body: JSON lines, or the events of a run that is followed again."""

    name: str
    kind: str
    body: bytes = field(repr=False)

    @property
    def legacy(self) -> bool:
        return "legacy" in self.name

    @functools.cached_property
    def told(self) -> bytes:
        """The body without the padding, which says nothing and is most of it."""
        return self.body.replace(b" " * 4096, b" " * 8)

    def decoder(self) -> Decoder:
        return make_decoder(self.kind)

    def __repr__(self) -> str:
        return f"<{self.name}>"


@dataclass
class Decoded:
    """What became of a body.

    Attributes:
        events: Its events, in order.
        error: What ended it, if anything did.
        finished: Whether the terminal event was seen.
    """

    events: list[Event] = field(default_factory=list)
    error: G4FError | None = None
    finished: bool = False

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Text))

    @property
    def reasoning(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Reasoning))

    @property
    def finishes(self) -> list[str]:
        return [event.reason for event in self.events if isinstance(event, Finish)]

    @property
    def outcome(self) -> object:
        """All that has to be the same however a body is cut."""
        error = self.error and (type(self.error), str(self.error), vars(self.error))
        return self.events, error, self.finished


def make_decoder(kind: str, covered: str = "") -> Decoder:
    """A decoder of the provider for a body of this kind."""
    head = ResponseHead(200, Headers([("content-type", kind)]))
    reader = UpdateReader(CONVERSATION_URL)
    if kind == EVENTS:
        return ReattachDecoder(head, reader, Place(covered), LIMIT)
    return AnswerDecoder(head, reader, LIMIT)


def decode(decoder: Decoder, pieces: Iterable[bytes], *, close: bool = True) -> Decoded:
    """Feed the pieces, then tell of the end, as the drivers do."""
    decoded = Decoded()
    try:
        for piece in pieces:
            for event in decoder.feed(piece):
                decoded.events.append(event)
        if close and not decoder.finished:
            for event in decoder.close():
                decoded.events.append(event)
    except G4FError as error:
        decoded.error = error
    decoded.finished = decoder.finished
    return decoded


def cut(body: bytes, at: Iterable[int]) -> list[bytes]:
    """The body in pieces that begin at these places; some may be empty."""
    places = [0, *sorted(at), len(body)]
    return [body[begin:end] for begin, end in pairwise(places)]


def cuts(body: bytes) -> st.SearchStrategy[list[bytes]]:
    """The body cut at random, or into pieces of one size."""
    anywhere = st.lists(st.integers(0, len(body)), max_size=40).map(lambda at: cut(body, at))
    return anywhere | st.integers(1, 64).map(lambda size: in_pieces(body, size))


def in_pieces(body: bytes, size: int) -> list[bytes]:
    """The body in pieces of this size."""
    return [body[at : at + size] for at in range(0, len(body), size)]


@functools.cache
def recorded_answers() -> Sequence[Answer]:
    """Every answer and every re-attached stream in the two folders."""
    found = []
    for folder in ("huggingchat", "huggingchat-legacy"):
        for path in sorted((CASSETTES / folder).glob("*.yaml")):
            found += _answers(path)
    return found


def _answers(path: Path) -> list[Answer]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = []
    recording = yaml.load(path.read_bytes(), loader)  # noqa: S506, one of the two safe ones
    for number, interaction in enumerate(recording["interactions"]):
        kind = _content_type(interaction["response"]["headers"])
        path_asked = interaction["request"]["uri"].partition("?")[0]
        if kind == LINES or (kind == EVENTS and path_asked.endswith("/stream")):
            body = interaction["response"]["body"]["string"]
            data = body.encode() if isinstance(body, str) else bytes(body)
            found.append(Answer(f"{path.parent.name}/{path.stem}:{number}", kind, data))
    return found


def _content_type(headers: dict[str, Any]) -> str:
    given = next((v for k, v in headers.items() if k.lower() == "content-type"), [""])
    return str(given[0]).partition(";")[0]


def good_answers() -> list[Answer]:
    """Those that came to their regular end."""
    return [
        answer
        for answer in recorded_answers()
        if "stop" in decode(answer.decoder(), [answer.body]).finishes
    ]
