"""`GradioSpace`: one of our small apps on a real Gradio server, as long as a `with` block lasts."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, Self, get_args

import anyio.to_thread

from langchain_g4f.core.extras import how_to_install
from langchain_g4f.errors import ConfigurationError, MissingDependencyError
from langchain_g4f.testing.gradio_space.calls import CallLog, GradioCall
from langchain_g4f.testing.gradio_space.process import ServerProcess, server_environment
from langchain_g4f.testing.loopback import ManagedServer

App = Literal[
    "phi4", "chat_interface", "chat_interface_text", "blocks", "two_chats", "no_chat", "files"
]
_HERE = Path(__file__).parent


class GradioSpace(ManagedServer):
    """A Gradio server on a loopback port, with a scripted model behind one of our apps.

    Gradio itself is the installed one, of any version, so what arrives on the wire is real
    (docs/protocols/gradio-space.md). The model repeats the user's text and obeys `[[directives]]`
    in it; `langchain_g4f.testing.gradio_space.apps.model` lists them.

    Use it as a context manager, sync or async. Starting takes the seconds that importing gradio
    takes. What it holds stays readable after it has stopped.

    Args:
        app: Which app to run: "phi4" is built like the Phi-4 Space (section 1), "chat_interface"
            and "chat_interface_text" are what `gr.ChatInterface` makes, "blocks" is a chat as most
            people write it, "two_chats" has two of them, "files" answers with files, too, and
            "no_chat" makes pictures.
        python: Interpreter that has gradio; None is this one.
        pace_s: Seconds between two tokens.
        queue_size: Events that may wait; None is no limit.
        concurrency: Events of one function that run at the same time.
        port: Port to listen on; 0 chooses a free one.
        show_error: Whether the app shows what its exceptions say (section 5).
        max_file_size: Largest upload as Gradio writes it, "20mb" for example; None is no limit.
        start_timeout_s: Seconds a start may take.

    Raises:
        ConfigurationError: There is no such app.
    """

    def __init__(
        self,
        app: App = "phi4",
        *,
        python: str | Path | None = None,
        pace_s: float = 0.02,
        queue_size: int | None = None,
        concurrency: int = 1,
        port: int = 0,
        show_error: bool = False,
        max_file_size: str | None = "20mb",
        start_timeout_s: float = 60.0,
    ) -> None:
        if app not in get_args(App):
            raise ConfigurationError(f"no app {app!r}: there are {', '.join(get_args(App))}")
        self._python = str(python or sys.executable)
        self._arguments = [f"--pace-s={pace_s}", f"--concurrency={concurrency}"]
        if queue_size is not None:
            self._arguments.append(f"--queue-size={queue_size}")
        if show_error:
            self._arguments.append("--show-error")
        if max_file_size is not None:
            self._arguments.append(f"--max-file-size={max_file_size}")
        self._app = app
        self._port = port
        self._start_timeout_s = start_timeout_s
        self._version = ""
        self._output = ""
        self._logs: list[CallLog] = []
        self._folder: Path | None = None
        self._process: ServerProcess | None = None
        self._end: Callable[[], object] = int
        self._lock = threading.RLock()

    @property
    def base_url(self) -> str:
        """Address of the app, `http://127.0.0.1:PORT`, as long as it runs."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def version(self) -> str:
        """Version of Gradio, as the server tells it."""
        return self._version

    @property
    def calls(self) -> list[GradioCall]:
        """What the app's answering function was given, in order, restarts included."""
        return [call for log in self._logs for call in log.read()]

    @property
    def busy(self) -> bool:
        """Whether an answer is still being generated."""
        if self._process is None:
            return False
        return any(call.outcome == "running" for call in self._logs[-1].read())

    @property
    def output(self) -> str:
        """The last lines the server printed: tracebacks of the app, for example."""
        return self._output if self._process is None else self._process.output

    def start(self) -> None:
        """Start serving; returns when `/config` answers. `with` does this.

        Raises:
            MissingDependencyError: gradio is not installed for the interpreter.
            RuntimeError: The server did not start; the message ends with what it printed.
        """
        with self._lock:
            if self._process is not None:
                raise RuntimeError("the Space is running already")
            try:
                self._launch()
                self._version = self._read_config()["version"]
            except BaseException:
                self.stop()
                raise

    def stop(self) -> None:
        """Kill the server and remove its files; a second call does nothing. `with` does this."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._output = self._process.output
                self._process = None
                self._logs[-1].read()
            self._end()

    def restart(self) -> None:
        """Stop and start on the same port: another `app_id`, no session, event or upload is kept.

        Raises:
            RuntimeError: See `start`.
        """
        with self._lock:
            self.stop()
            self.start()

    def _launch(self) -> None:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="gradio-space-"))
        else:
            # As on a real Space the paths are those from before a restart, and nothing is there.
            self._folder.mkdir(mode=0o700)
        folder = self._folder
        # Without a stop, the server and its files go when the interpreter ends, at the latest.
        held = ExitStack()
        held.callback(shutil.rmtree, folder, ignore_errors=True)
        self._end = weakref.finalize(self, _close, held, os.getpid())
        # Each start has a file of its own, so that the position in the last one does not matter.
        calls = folder / f"calls-{len(self._logs)}.jsonl"
        self._logs.append(CallLog(calls))
        work, uploads = folder / "work", folder / "uploads"
        work.mkdir()
        program = shutil.which(self._python)
        if program is None:
            raise RuntimeError(f"there is no interpreter {self._python}")
        # The server starts in another folder. Links stay: they identify a virtual environment.
        command = [str(Path(program).absolute()), "-m", "apps.spaces", self._app, *self._arguments]
        self._process = ServerProcess(
            [*command, f"--calls={calls}", f"--port={self._port}"],
            server_environment(os.environ, _HERE, folder, uploads),
            work,
        )
        held.callback(self._process.kill)
        message = self._process.wait_for_message(self._start_timeout_s) or {}
        if message.get("missing"):
            raise MissingDependencyError(
                f"gradio is not installed for {self._python}: the Space needs the extra "
                f"`sandbox-gradio`. {how_to_install('sandbox-gradio')}"
            )
        if "port" not in message:
            raise self._not_started("it did not say that it listens")
        self._port = message["port"]

    def _read_config(self) -> dict[str, Any]:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self._port, timeout=self._start_timeout_s
        )
        try:
            connection.request("GET", "/config")
            response = connection.getresponse()
            body = response.read()
        except OSError as error:
            raise self._not_started(f"/config: {error}") from error
        finally:
            connection.close()
        if response.status != 200:
            raise self._not_started(f"/config answers {response.status}")
        config: dict[str, Any] = json.loads(body)
        return config

    def _not_started(self, reason: str) -> RuntimeError:
        # Killed first, so that its output is complete.
        if self._process is not None:
            self._process.kill()
        return RuntimeError(f"the Gradio server did not start, {reason}:\n{self.output}")

    async def __aenter__(self) -> Self:
        """Start serving, in a thread: it takes seconds."""
        try:
            await anyio.to_thread.run_sync(self.start)
        except BaseException:
            # Cancelled while the thread goes on: the lock makes this wait for it.
            self.stop()
            raise
        return self


def _close(held: ExitStack, owner: int) -> None:
    # A forked child has inherited the object, not what it holds.
    if os.getpid() == owner:
        held.close()
