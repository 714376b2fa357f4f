"""A loopback server that answers OpenAI's chat completions with what a test puts in."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

EVENTS, JSON_BODY, PLAIN = "text/event-stream", "application/json", "text/plain"


@dataclass(frozen=True)
class Answer:
    """What one request gets.

    Attributes:
        body: The pieces of the body; None in place of one waits until the test is over.
        content_type: Of the body.
        status: Of the response.
        length: The length of the body that is announced, if one is.
    """

    body: tuple[bytes | None, ...]
    content_type: str = EVENTS
    status: int = 200
    length: int | None = None


@dataclass(frozen=True)
class Request:
    """A question."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


def delta(more: dict[str, Any] | None = None, /, **delta: Any) -> bytes:
    """An event with a piece of an answer; ``more`` stands beside the piece, or beside all."""
    more = more or {}
    choice = {"index": 0, "delta": delta, "finish_reason": more.pop("finish_reason", None)}
    event = {"id": "chat-1", "model": "loopback-1", "choices": [choice], **more}
    return f"data: {json.dumps(event)}\n\n".encode()


USAGE = {
    "prompt_tokens": 11,
    "completion_tokens": 7,
    "total_tokens": 18,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 2},
}


def spoken(*words: str, reason: str = "stop") -> Answer:
    """A streamed answer, its end and its token counts."""
    pieces = [delta(content=word) for word in words]
    end = delta({"finish_reason": reason, "usage": USAGE})
    return Answer((*pieces, end, b"data: [DONE]\n\n"))


def refused(status: int, error: Any, content_type: str = JSON_BODY) -> Answer:
    """An error, as JSON or as text."""
    body = json.dumps({"error": error}) if content_type == JSON_BODY else str(error)
    return Answer((body.encode(),), content_type, status)


class OpenAIServer:
    """Serves while it is open.

    Attributes:
        requests: The questions that arrived, in order.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._left = threading.Event()
        self._answers: deque[Answer] = deque()
        self._over = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    @property
    def base_url(self) -> str:
        """Where the API is."""
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def will(self, *answers: Answer) -> None:
        """Answer the next requests so."""
        self._answers.extend(answers)

    async def is_left(self) -> None:
        """Wait until a client has gone away before the end of its answer.

        Raises:
            TimeoutError: None went within five seconds.
        """
        if not await asyncio.to_thread(self._left.wait, 5):
            raise TimeoutError
        self._left.clear()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                models = {"data": [{"id": "loopback-1"}, {"id": "loopback-2"}]}
                self._answer(Answer((json.dumps(models).encode(),), JSON_BODY))

            def do_POST(self) -> None:
                sent = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.requests.append(Request(self.path, headers, json.loads(sent)))
                self._answer(server._answers.popleft())

            def _answer(self, answer: Answer) -> None:
                self.send_response(answer.status)
                self.send_header("content-type", answer.content_type)
                self.send_header("connection", "close")
                if answer.length is not None:
                    self.send_header("content-length", str(answer.length))
                self.end_headers()
                try:
                    for piece in answer.body:
                        self._send(piece)
                except OSError:
                    server._left.set()

            def _send(self, piece: bytes | None) -> None:
                while piece is None and not server._over.wait(0.02):
                    self._write(b": still there\n\n")
                if piece is not None:
                    self._write(piece)

            def _write(self, data: bytes) -> None:
                self.wfile.write(data)
                self.wfile.flush()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
