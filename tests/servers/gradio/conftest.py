"""Real Gradio servers of both lines, each started once. `make test-servers` builds what they need.

A missing environment is an error, not a skip: a run that showed nothing must not look like one that
showed everything.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, get_args

import httpx
import pytest

from langchain_g4f.testing import GradioSpace

Line = Literal["gradio5", "gradio6"]
Space = Callable[..., GradioSpace]

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154"
    "789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
QUOTA = (
    "You have exceeded your ZeroGPU quota (60s requested vs. 0s left). Try again in 12:34:56. "
    "Authenticate with a Hugging Face token for more quota - "
    "https://huggingface.co/settings/tokens"
)
_ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session", params=get_args(Line))
def line(request: pytest.FixtureRequest) -> Line:
    """Run a test on each line of Gradio."""
    chosen: Line = request.param
    return chosen


@pytest.fixture(scope="session")
def gradio_python(line: Line) -> Path:
    """Return the interpreter that has this line of Gradio."""
    python = _ROOT / f".venv-{line}" / "bin" / "python"
    if not python.exists():
        raise FileNotFoundError(f"{python} is missing: run `make test-servers`")
    return python


@pytest.fixture(scope="session")
def space(request: pytest.FixtureRequest, line: Line, gradio_python: Path) -> Iterator[Space]:
    """Return a function from an app and its options to a server, shared by all who want the same.

    Its calls and sessions are therefore not the test's alone: look at the last ones, and make up
    new session names. All servers of a line stop when its last test is done.
    """
    # Starting takes seconds of one core, so what the tests name as their `app` starts ahead; what
    # is wanted now does not wait for that.
    ahead, now = ThreadPoolExecutor(max_workers=2), ThreadPoolExecutor(max_workers=1)
    servers: dict[tuple[Any, ...], Future[GradioSpace]] = {}

    def start(app: Any, options: dict[str, Any]) -> GradioSpace:
        server = GradioSpace(app, python=gradio_python, **options)
        server.start()
        return server

    def begin(pool: ThreadPoolExecutor, app: Any, options: dict[str, Any]) -> Future[GradioSpace]:
        key = (app, *sorted(options.items()))
        if key not in servers:
            servers[key] = pool.submit(start, app, options)
        return servers[key]

    def serve(app: Any, **options: Any) -> GradioSpace:
        return begin(now, app, options).result()

    for app in named_apps(request.session.items, line):
        begin(ahead, app, {})
    yield serve
    for pool in (ahead, now):
        pool.shutdown(cancel_futures=True)
    for future in servers.values():
        if not future.cancelled() and future.exception() is None:
            future.result().stop()


def named_apps(items: list[pytest.Item], line: Line) -> list[str]:
    """Return what the tests of a line have as their parameter `app`."""
    calls = [item.callspec.params for item in items if hasattr(item, "callspec")]
    return [call["app"] for call in calls if call.get("line") == line and "app" in call]


class Raw:
    """One session of the raw protocol."""

    def __init__(self, space: GradioSpace) -> None:
        self.space = space
        self.session = uuid.uuid4().hex
        self.http = httpx.Client(base_url=space.base_url, trust_env=False, timeout=20)
        self.config = self.http.get("/config").json()
        self.functions = {
            dependency["id"]: dependency for dependency in self.config["dependencies"]
        }
        self.types = {component["id"]: component["type"] for component in self.config["components"]}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.http.close()

    def describe(self) -> set[str]:
        """Return id, name, inputs and kind of every function of the app."""
        return {
            f"{number} {function['api_name']}"
            f"({', '.join(self.types[component] for component in function['inputs'])})"
            f"{' yields' if function['types']['generator'] else ''}"
            for number, function in self.functions.items()
        }

    def app_id(self) -> int:
        found: int = self.http.get("/gradio_api/app_id").json()["app_id"]
        return found

    def upload(self, *files: tuple[str, bytes]) -> httpx.Response:
        parts = [("files", (name, data, "application/octet-stream")) for name, data in files]
        return self.http.post("/gradio_api/upload", files=parts)

    def file_data(self, *files: tuple[str, bytes]) -> list[dict[str, Any]]:
        return [
            {"path": path, "meta": {"_type": "gradio.FileData"}}
            for path in self.upload(*files).json()
        ]

    def predict(self, function: int, data: list[Any]) -> list[Any]:
        body = {"data": data, "fn_index": function, "session_hash": self.session}
        answer = self.http.post("/gradio_api/run/predict", json=body)
        answer.raise_for_status()
        returned: list[Any] = answer.json()["data"]
        return returned

    def join(self, function: int, data: list[Any], **headers: str) -> httpx.Response:
        body = {"data": data, "fn_index": function, "session_hash": self.session}
        return self.http.post("/gradio_api/queue/join", json=body, headers=headers)

    @contextmanager
    def events(self) -> Iterator[Iterator[dict[str, Any]]]:
        query = {"session_hash": self.session}
        with self.http.stream("GET", "/gradio_api/queue/data", params=query) as response:
            lines = response.iter_lines()
            yield (json.loads(line[6:]) for line in lines if line.startswith("data: "))

    def run(self, function: int, data: list[Any], **headers: str) -> list[dict[str, Any]]:
        assert self.join(function, data, **headers).status_code == 200
        with self.events() as events:
            return list(events)

    def prepare_phi4(self, text: str, files: list[dict[str, Any]] | None = None) -> list[Any]:
        """Do the first step of a turn; return what the second is given."""
        message = {"text": text, "files": files or []}
        history, _, state = self.predict(10, [[], message, None])
        return [history, state]

    def ask_phi4(self, text: str) -> list[dict[str, Any]]:
        return self.run(11, self.prepare_phi4(text))


@pytest.fixture
def phi4(space: Space) -> Iterator[Raw]:
    """Return a session with the app that is built like the Phi-4 Space."""
    with Raw(space("phi4")) as raw:
        yield raw


def content_text(content: Any) -> str:
    """Return the text of a message of either line."""
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def ending(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the end of the one event whose messages these are."""
    assert events[-1]["msg"] == "close_stream"
    assert events[-2]["msg"] == "process_completed"
    return events[-2]


def last_text(events: list[dict[str, Any]]) -> str:
    """Return the text of the last message of the history at the end."""
    history = next(value for value in ending(events)["output"]["data"] if isinstance(value, list))
    return content_text(history[-1]["content"])
