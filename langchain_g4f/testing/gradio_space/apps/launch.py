"""How an app becomes a server: options, recorded calls, a process that ends with its parent.

The server listens on loopback and may connect to nothing else; an attempt fails there and then.
"""

import argparse
import base64
import inspect
import json
import os
import random
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .model import Level, PartialAnswer, Question, answer

MARK = "langchain-g4f "
# Below the ports that systems choose for outgoing connections: one of those could take the port of
# a server that is being restarted, or a client even connect to itself.
_PORTS = range(20_000, 32_000)
_ATTEMPTS = 20
# Gradio asks for the next piece within milliseconds, whether or not a client reads it.
ABANDONED_S = 0.5
_SWEEP_S = 0.1
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class CallRecorder:
    """Writes what the apps' functions were given to a file that `GradioSpace` reads.

    A call takes two lines of JSON: one when it begins, with all it was given, and one when it ends.
    A later end of the same call corrects an earlier one. Gradio calls an app in several threads.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        # A generator that is collected while its thread holds the lock writes its end right then.
        self._lock = threading.RLock()
        self._calls = 0
        self._waiting: dict[int, tuple[float, str]] = {}

    def watch(
        self, function: str, question: Question, replies: Iterator[PartialAnswer]
    ) -> Iterator[PartialAnswer]:
        """Hand the replies on, and record how the call began and how it ended."""
        number = self._begin(function, question)
        said, outcome = "", "stopped"
        try:
            for reply in replies:
                said = reply.text
                self._waiting[number] = (self._clock(), said)
                yield reply
                self._waiting.pop(number, None)
            outcome = "completed"
        except Exception:
            outcome = "failed"
            raise
        finally:
            self._waiting.pop(number, None)
            with self._lock:
                self._append({"ended": number, "outcome": outcome, "said": said})

    def sweep(self) -> None:
        """Record the calls that Gradio has abandoned as stopped.

        Gradio 5 neither closes nor frees the generator of an event that was cancelled.
        """
        for number, (since_s, said) in list(self._waiting.items()):
            if self._clock() - since_s <= ABANDONED_S:
                continue
            with self._lock:
                # Gone if the call continued meanwhile; if it does now, its end is written later.
                if self._waiting.pop(number, None):
                    self._append({"ended": number, "outcome": "stopped", "said": said})

    def sweep_for_ever(self) -> None:
        """Sweep several times a second, in a thread that ends with the process."""

        def sweep() -> None:
            while True:
                time.sleep(_SWEEP_S)
                self.sweep()

        threading.Thread(target=sweep, name="sweep", daemon=True).start()

    def _begin(self, function: str, question: Question) -> int:
        files = [
            {"name": path.name, "base64": base64.b64encode(path.read_bytes()).decode()}
            for path in question.files
        ]
        given = {
            "function": function,
            "text": question.text,
            "history": list(question.history),
            "files": files,
            "system": question.system,
            "inputs": dict(question.inputs),
            "headers": dict(question.headers),
        }
        with self._lock:
            number = self._calls
            self._calls += 1
            self._append({"began": number, "given": given})
        return number

    def _append(self, line: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


class Model:
    """The scripted model, as an app uses it."""

    def __init__(self, recorder: CallRecorder, pace_s: float) -> None:
        self._recorder = recorder
        self._pace_s = pace_s

    def ask(
        self, function: str, question: Question, *, many: bool = True
    ) -> Iterator[PartialAnswer]:
        """Answer a question token by token, and record it under the name of the app's function."""
        replies = answer(question, _GradioDisplay(), pace_s=self._pace_s, many=many)
        return self._recorder.watch(function, question, replies)


class _GradioDisplay:
    """Notices, progress and errors as Gradio shows them."""

    def log(self, text: str, level: Level, title: str, duration_s: float) -> None:
        import gradio as gr

        show = {"info": gr.Info, "warning": gr.Warning, "success": gr.Success}[level]
        show(text, duration=duration_s, title=title)

    def progress(self, index: int, length: int, unit: str, description: str) -> None:
        import gradio as gr

        gr.Progress()((index, length), desc=description, unit=unit)

    def error(self, text: str, title: str, duration_s: float, *, visible: bool) -> Exception:
        import gradio as gr

        error: Exception = gr.Error(text, duration=duration_s, visible=visible, title=title)
        return error


def serve(apps: Mapping[str, Callable[[Model], Any]]) -> None:
    """Serve the app that the command line names until standard input ends."""
    options = _parse()
    sys.addaudithook(_stay_on_loopback)
    try:
        import gradio
    except ModuleNotFoundError as error:
        if error.name != "gradio":
            raise
        _tell({"missing": "gradio"})
        sys.exit(1)
    recorder = CallRecorder(options.calls)
    recorder.sweep_for_ever()
    app = apps[options.app](Model(recorder, options.pace_s))
    app.queue(max_size=options.queue_size, default_concurrency_limit=options.concurrency)
    _tell({"port": _launch(app, options), "version": gradio.__version__})
    # The parent holds the other end and never writes: it ends with the parent, however that ends.
    sys.stdin.buffer.read()
    shutil.rmtree(options.calls.parent, ignore_errors=True)
    os._exit(0)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("app")
    parser.add_argument("--calls", type=Path, required=True)
    parser.add_argument("--pace-s", type=float, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--concurrency", type=int, default=1)
    parser.add_argument("--queue-size", type=int)
    parser.add_argument("--max-file-size")
    parser.add_argument("--show-error", action="store_true")
    return parser.parse_args()


def _tell(message: dict[str, Any]) -> None:
    sys.stdout.write(f"{MARK}{json.dumps(message)}\n")
    sys.stdout.flush()


def _launch(app: Any, options: argparse.Namespace) -> int:
    """Start serving and return the port."""
    wanted = {
        "server_name": "127.0.0.1",
        "share": False,
        "inbrowser": False,
        "quiet": True,
        "prevent_thread_lock": True,
        "show_error": options.show_error,
        "max_file_size": options.max_file_size,
        "ssr_mode": False,
    }
    known = inspect.signature(app.launch).parameters
    settings = {name: value for name, value in wanted.items() if name in known}
    ports = [options.port] if options.port else random.sample(_PORTS, _ATTEMPTS)
    for port in ports:
        try:
            app.launch(server_port=port, **settings)
        except OSError:
            if port == ports[-1]:
                raise
        else:
            return port
    raise AssertionError("there is a last port")


def _stay_on_loopback(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if host is not None and host not in _LOOPBACK:
        raise PermissionError(f"the sandbox does not connect to {host}")
