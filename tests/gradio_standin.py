"""A small stand-in for a Gradio server, for the examples of the docs and the command's tests.

It is no proof of anything about Gradio. It speaks as much of docs/protocols/gradio-space.md
(sections 2 to 5, 7 and 8, in the shapes of Gradio 5) as a turn of a chat takes, because gradio is
not installed where `make test` runs. What our code does with the real servers of both lines is
shown by the recordings and by `make test-servers`. The scripted model and the two apps are those
that run there: `langchain_g4f.testing.gradio_space.apps`.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from starlette.applications import Starlette
from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from langchain_g4f.testing.gradio_space.apps.model import answer
from langchain_g4f.testing.recording import RecordedRequest, Recorder
from langchain_g4f.testing.server import ServerThread
from tests.gradio_standin_apps import (
    PREFIX,
    App,
    Message,
    Session,
    asked,
    changes,
    config,
    prepare,
)


class _ShownError(Exception):
    """What an app raises for its users to see."""

    def __init__(self, output: Message) -> None:
        super().__init__(output["error"])
        self.output = output


@dataclass(slots=True)
class _Stage:
    """Notices and errors of the model, as messages of the stream."""

    tell: Callable[[Message], None]

    def log(self, text: str, level: str, title: str, duration_s: float) -> None:
        self.tell({"msg": "log", "log": text, "level": level, "title": title, "visible": True})

    def progress(self, index: int, length: int, unit: str, description: str) -> None:
        step = {"index": index, "length": length, "unit": unit, "desc": description}
        self.tell({"msg": "progress", "progress_data": [step | {"progress": None}]})

    def error(self, text: str, title: str, duration_s: float, *, visible: bool) -> Exception:
        return _ShownError({"error": text, "title": title, "visible": visible})


class GradioStandin:
    """Serves one app on a loopback port, for as long as a `with` block lasts.

    Args:
        app: "phi4" is built like the Phi-4 Space, "chat_interface" is what `gr.ChatInterface`
            makes with a system prompt and a temperature.
        ahead: How many others every call finds in the queue.
    """

    def __init__(self, app: App = "phi4", *, ahead: int = 0) -> None:
        self._app: App = app
        self._ahead = ahead
        self._sessions: dict[str, Session] = {}
        self._count = 0
        self._folder = tempfile.TemporaryDirectory(prefix="gradio-standin-")
        routes = [
            Route("/config", self._config),
            Route(f"{PREFIX}/app_id", self._app_id),
            Route(f"{PREFIX}/upload", self._upload, methods=["POST"]),
            Route(f"{PREFIX}/run/predict", self._predict, methods=["POST"]),
            Route(f"{PREFIX}/queue/join", self._join, methods=["POST"]),
            Route(f"{PREFIX}/queue/data", self._data),
            Route(f"{PREFIX}/cancel", self._cancel, methods=["POST"]),
        ]
        self._recorder = Recorder(Starlette(routes=routes))
        self._server = ServerThread(self._recorder, self._close)

    @property
    def base_url(self) -> str:
        """Address of the app."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def requests(self) -> list[RecordedRequest]:
        """Everything that arrived, in order."""
        return self._recorder.requests

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        self._folder.cleanup()

    async def _close(self) -> None:
        for session in self._sessions.values():
            for run in session.runs.values():
                run.cancel()

    async def _config(self, request: Request) -> Response:
        return JSONResponse(config(self._app))

    async def _app_id(self, request: Request) -> Response:
        return JSONResponse({"app_id": 1})

    async def _upload(self, request: Request) -> Response:
        paths = []
        for file in _arrived(request).files:
            self._count += 1
            path = Path(self._folder.name, str(self._count), Path(file.filename).name)
            path.parent.mkdir()
            path.write_bytes(file.content)  # noqa: ASYNC240 -- small, and no other task waits
            paths.append(str(path))
        return JSONResponse(paths)

    def _session(self, body: Message) -> Session:
        return self._sessions.setdefault(body["session_hash"], Session())

    async def _predict(self, request: Request) -> Response:
        body = _arrived(request).json
        data = prepare(self._session(body), body["data"])
        return JSONResponse({"data": data, "is_generating": False})

    async def _join(self, request: Request) -> Response:
        body = _arrived(request).json
        if body["fn_index"] not in (6, 11):
            return Response("Internal Server Error", 500, media_type="text/plain")
        self._count += 1
        event = f"{self._count:032x}"
        session = self._session(body)
        run = asyncio.create_task(self._run(event, session, body["data"], dict(request.headers)))
        session.runs[event] = run
        return JSONResponse({"event_id": event})

    async def _data(self, request: Request) -> Response:
        session = self._sessions.get(request.query_params["session_hash"])
        if session is None:
            lost = {"msg": "unexpected_error", "message": "404: Session not found."}
            return StreamingResponse(iter([_event(lost)]), media_type="text/event-stream")
        return StreamingResponse(_stream(session), media_type="text/event-stream")

    async def _cancel(self, request: Request) -> Response:
        body = _arrived(request).json
        session = self._session(body)
        if run := session.runs.pop(body["event_id"], None):
            run.cancel()
        return JSONResponse({"success": True})

    async def _run(
        self, event: str, session: Session, data: list[Any], headers: dict[str, str]
    ) -> None:
        loop = asyncio.get_running_loop()

        def tell(message: Message) -> None:
            message = {"event_id": event, "success": True} | message
            loop.call_soon_threadsafe(session.messages.put_nowait, message)

        for rank in range(self._ahead, -1, -1):
            tell({"msg": "estimation", "rank": rank, "queue_size": rank + 1, "rank_eta": 1.5})
        tell({"msg": "process_starts", "eta": None})
        question, show = asked(self._app, session, data, headers)
        before: list[Any] | None = None
        output: Message = {}
        try:
            async for reply in iterate_in_threadpool(answer(question, _Stage(tell), pace_s=0.0)):
                now = show(reply)
                edits = now if before is None else list(map(changes, before, now))
                tell({"msg": "process_generating", "output": {"data": edits}})
                before = now
            output = {"data": before}
        except _ShownError as error:
            output = error.output
        except Exception:  # noqa: BLE001 -- the app's own, which Gradio hides
            output = {"error": None}
        tell({"msg": "process_completed", "output": output, "success": "data" in output})
        tell({"msg": "close_stream", "event_id": None})


def _arrived(request: Request) -> RecordedRequest:
    """The request as the recorder has read it."""
    found: RecordedRequest = request.scope["extensions"]["sandbox.request"]
    return found


def _event(message: Message) -> bytes:
    return f"data: {json.dumps(message, separators=(',', ':'))}\n\n".encode()


async def _stream(session: Session) -> AsyncIterator[bytes]:
    while True:
        message = await session.messages.get()
        yield _event(message)
        if message["msg"] == "close_stream":
            return
