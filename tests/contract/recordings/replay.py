"""Plays a recorded conversation forward, as an httpx transport; recordings are vcrpy's YAML files.

vcrpy plays the first unplayed match, so a client that leaves out a recorded read gets that stale
read when it asks again later. Here a request is answered by the first match *after* the last
played interaction, with one exception: skipped reads are gone, skipped writes are still there.
vcrpy stores an interaction when its response ends, so a stop request stands before the stream it
stopped, though it was sent after it. A read tells the state of its moment and must not be given
late; a write has an answer of its own. It may be played late, once, and moves no position.

A recorded JSON body (or the JSON in a multipart field `data`) has to be sent with its values; what
a client sends beyond it is free. How values are compared can be told, where the recording client
put some of them otherwise. A request without an answer is an AssertionError, never a guess.

An answer is played whole or in single bytes; a long run of blanks, which chat-ui sends as padding,
comes in one piece even then, for thousands of equal bytes show nothing and cost the most.
"""

import functools
import json
import operator
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import httpx
import yaml

Chunking = Literal["whole", "bytes"]
Same = Callable[[Any, Any], bool]

# A recorded key with this value may be left out: it is the server's default.
IGNORE: Mapping[str, object] = {"is_retry": False}
NO_CUTS: Mapping[int, "Cut"] = {}
_PIECES = re.compile(rb" {64,}|.", re.DOTALL)
# These describe the body on the wire; the recorded one is decoded and joined.
_FRAMING = frozenset({"content-encoding", "content-length", "transfer-encoding"})
_PART = re.compile(
    r'(?i)content-disposition: form-data; name="([^"]*)"(?:; filename="([^"]*)")?'
    r"(?:\r\ncontent-type: (.+))?"
)


class UploadedFile(NamedTuple):
    field: str
    filename: str
    content_type: str | None
    content: bytes


@dataclass(frozen=True)
class SentRequest:
    """A request taken apart; `json` is its body, or what its multipart field `data` holds."""

    method: str
    path: str
    query: httpx.QueryParams
    headers: httpx.Headers
    json: Any
    fields: dict[str, str]
    files: tuple[UploadedFile, ...]

    def __str__(self) -> str:
        query = f"?{self.query}" if self.query else ""
        return f"{self.method} {self.path}{query} {self.json or ''!s:.200}".rstrip()


@dataclass(frozen=True)
class Cut:
    """How an answer ends before its time.

    Attributes:
        after: The last bytes that arrive; by default those at the end of the recording.
        broken: Whether the connection breaks, or the server closes it in good order.
    """

    after: bytes = b""
    broken: bool = True


class PlayedStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A recorded body being read: `delivered` bytes so far, and whether the reader closed it."""

    def __init__(self, content: str | bytes, chunking: Chunking, cut: Cut | None = None) -> None:
        self._content = content.encode() if isinstance(content, str) else content
        self._cut = cut
        if cut is not None and cut.after:
            begin, found, _ = self._content.partition(cut.after)
            assert found, f"not in the answer: {cut.after!r}"
            self._content = begin + found
        whole = [self._content] if self._content else []
        self._pieces = whole if chunking == "whole" else _PIECES.findall(self._content)
        self.delivered = 0
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if self.closed:
                raise httpx.StreamClosed
            self.delivered += len(piece)
            yield piece
        if self._cut is not None and self._cut.broken:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete body")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


@dataclass(frozen=True)
class PlayedRequest(SentRequest):
    """A request as the client sent it, the interaction that answered it, and the answer's body."""

    interaction: int
    stream: PlayedStream


class Replayer(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers sync and async requests.

    Args:
        interactions: What was recorded.
        chunking: How the bodies arrive.
        ignore: What need not be sent to match.
        same: Whether a recorded value of a JSON body and the one that was sent match.
        cut: The interactions whose answers end before their time.
    """

    def __init__(
        self,
        interactions: Sequence[tuple[SentRequest, dict[str, Any]]],
        *,
        chunking: Chunking = "whole",
        ignore: Mapping[str, object] = IGNORE,
        same: Same = operator.eq,
        cut: Mapping[int, Cut] = NO_CUTS,
    ) -> None:
        self._responses = [response for _, response in interactions]
        self._cut = cut
        self.recorded = [request for request, _ in interactions]
        self.unplayed = dict(enumerate(self.recorded))
        self.requests: list[PlayedRequest] = []
        # Messages of the AssertionErrors: a client may swallow one, say while it cleans up.
        self.refused: list[str] = []
        self._chunking = chunking
        self._ignore = ignore
        self._same = same

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        return self._play(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return self._play(request)

    def _play(self, request: httpx.Request) -> httpx.Response:
        if request.url.host != "127.0.0.1":
            raise self._refusal(f"A recording speaks for 127.0.0.1, not for {request.url.host}")
        sent = _parse(request)
        index = self._find(sent)
        del self.unplayed[index]
        response = self.response(index)
        stream = response.stream
        assert isinstance(stream, PlayedStream)
        self.requests.append(PlayedRequest(**vars(sent), interaction=index, stream=stream))
        return response

    def response(self, index: int) -> httpx.Response:
        """The recorded answer, for whoever wants to give it without playing the interaction."""
        recorded = self._responses[index]
        return httpx.Response(
            recorded["status"]["code"],
            headers=[each for each in _pairs(recorded["headers"]) if each[0] not in _FRAMING],
            stream=PlayedStream(recorded["body"]["string"], self._chunking, self._cut.get(index)),
            extensions={"reason_phrase": recorded["status"]["message"].encode()},
        )

    def skip(self, *indexes: int) -> None:
        """Take interactions as those of another client: they are over."""
        for index in indexes:
            del self.unplayed[index]

    def _find(self, sent: SentRequest) -> int:
        position = 1 + max((each.interaction for each in self.requests), default=-1)
        matches = [i for i, each in self.unplayed.items() if self._match(each, sent)]
        ahead = [index for index in matches if index >= position]
        if ahead or (matches and sent.method in {"DELETE", "PATCH", "POST"}):
            return (ahead or matches)[0]
        passed = {index: " (passed)" for index in self.unplayed if index < position}
        left = [f"\n  {i}{passed.get(i, '')} {each}" for i, each in self.unplayed.items()]
        raise self._refusal(f"No recorded answer is left for {sent}; not played:{''.join(left)}")

    def _match(self, recorded: SentRequest, sent: SentRequest) -> bool:
        if (sent.method, sent.path, sent.query) != (recorded.method, recorded.path, recorded.query):
            return False
        if not (isinstance(recorded.json, dict) and isinstance(sent.json, dict)):
            return recorded.json is None or bool(recorded.json == sent.json)
        said = {**self._ignore, **sent.json}
        items = recorded.json.items()
        return all(key in said and self._same(value, said[key]) for key, value in items)

    def _refusal(self, message: str) -> AssertionError:
        self.refused.append(message)
        return AssertionError(message)


class Routed(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Hands each request to the transport that `route` picks."""

    def __init__(self, route: Callable[[httpx.Request], "Transport"]) -> None:
        self._route = route

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._route(request).handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._route(request).handle_async_request(request)


Transport = Replayer | Routed | httpx.MockTransport


def contains(recorded: Any, sent: Any) -> bool:
    """Whether all that was recorded was sent, and perhaps more, at any depth of dicts."""
    if isinstance(recorded, dict) and isinstance(sent, dict):
        return all(key in sent and contains(value, sent[key]) for key, value in recorded.items())
    if isinstance(recorded, list) and isinstance(sent, list):
        return len(recorded) == len(sent) and all(map(contains, recorded, sent))
    return bool(recorded == sent)


@functools.cache
def load(path: Path) -> Callable[..., Replayer]:
    """Make `Replayer`s of this file; each call takes the keyword arguments of one."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    recording = yaml.load(path.read_bytes(), loader)  # noqa: S506, one of the two safe ones
    return functools.partial(
        Replayer,
        [(_recorded(**each["request"]), each["response"]) for each in recording["interactions"]],
    )


def _recorded(method: str, uri: str, headers: dict[str, list[str]], body: str) -> SentRequest:
    return _parse(httpx.Request(method, uri, headers=_pairs(headers), content=body))


def _pairs(headers: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in headers.items() for value in values]


def _parse(request: httpx.Request) -> SentRequest:
    body, fields, files = request.content, {}, []
    kind, _, boundary = request.headers.get("content-type", "").partition("boundary=")
    if kind.startswith("multipart/form-data"):
        for part in (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:-1]:
            head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            said = _PART.fullmatch(head.decode())
            assert said, f"not a part of a form: {head!r}"
            name, filename, content_type = said.groups()
            if filename is None:
                fields[name] = content.decode()
            else:
                files.append(UploadedFile(name, filename, content_type, content))
        body = fields.get("data", "").encode()
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = None
    where = (request.method, request.url.path, request.url.params, request.headers)
    return SentRequest(*where, parsed, fields, tuple(files))
