"""`GradioSpace` and its scripted model, as far as they go without gradio.

Where a server is needed, a module called gradio stands in for the real one: it serves `/config` and
nothing else, which takes a tenth of a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from langchain_g4f.errors import ConfigurationError, MissingDependencyError
from langchain_g4f.testing import GradioFile, GradioSpace
from langchain_g4f.testing.gradio_space.apps import launch, messages, model
from langchain_g4f.testing.gradio_space.apps.model import PartialAnswer, Question
from langchain_g4f.testing.gradio_space.calls import CallLog

STAND_IN = """
import http.server, json, os, threading
__version__ = "6.0.0"
class Request: ...
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"version": __version__, "pid": os.getpid()}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments): ...
class ChatInterface:
    def __init__(self, function): ...
    def queue(self, **options): print("queue", options)
    def launch(self, server_port, server_name):
        server = http.server.ThreadingHTTPServer((server_name, server_port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
"""

Install = Callable[[str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return a function that makes a source text the module gradio of every server."""

    def write(source: str) -> None:
        (tmp_path / "gradio.py").write_text(textwrap.dedent(source), encoding="utf-8")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return write


def config(space: GradioSpace) -> dict[str, Any]:
    """Return what the server says of itself."""
    address = space.base_url.removeprefix("http://")
    with contextlib.closing(http.client.HTTPConnection(address, timeout=5)) as connection:
        connection.request("GET", "/config")
        found: dict[str, Any] = json.load(connection.getresponse())
    return found


def ended(pid: int) -> bool:
    """Return whether a process is gone, or only waits for its parent to notice."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def test_space_without_gradio_names_the_extra(tmp_path: Path) -> None:
    """An interpreter that has no packages cannot serve, and the error says what to install."""
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n', encoding="utf-8")
    bare.chmod(0o755)
    space = GradioSpace(python=bare)
    with pytest.raises(MissingDependencyError, match=r'pip install -e "\.\[sandbox-gradio\]"'):
        space.start()


def test_what_cannot_run_is_named(tmp_path: Path) -> None:
    """A misspelt app is an error at once, an interpreter that is not there when it is needed."""
    with pytest.raises(ConfigurationError, match="no app 'phi5': there are phi4, chat_interface"):
        GradioSpace("phi5")  # type: ignore[arg-type]
    space = GradioSpace(python=tmp_path / "nowhere")
    with pytest.raises(RuntimeError, match=r"there is no interpreter .*nowhere"):
        space.start()


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            "import sys; print('before the end'); raise ValueError('broken install')",
            "broken install",
        ),
        ("import no_such_dependency", "No module named 'no_such_dependency'"),
        ("import socket; socket.create_connection(('192.0.2.1', 80))", "connect to 192.0.2.1"),
    ],
    ids=["dies", "lacks a dependency", "calls outside"],
)
def test_server_that_dies_at_start_reports_its_output(
    source: str, told: str, install: Install
) -> None:
    """The error ends with what the server printed last."""
    install(source)
    with pytest.raises(RuntimeError, match=told) as caught:
        GradioSpace("chat_interface_text").start()
    assert "the Gradio server did not start" in str(caught.value)
    assert not isinstance(caught.value, MissingDependencyError)


def test_server_that_hangs_at_start_is_given_up_and_killed(install: Install) -> None:
    """After `start_timeout_s` it is ended, and its output shown."""
    install("import os, time; print('my pid is', os.getpid()); time.sleep(600)")
    with pytest.raises(RuntimeError, match="did not start") as caught:
        GradioSpace("chat_interface_text", start_timeout_s=2).start()
    assert ended(int(str(caught.value).rpartition(" ")[2]))


def test_space_serves_restarts_on_its_port_and_leaves_nothing(install: Install) -> None:
    """A restart is another process at the same address; afterwards none is left."""
    install(STAND_IN)
    with GradioSpace("chat_interface_text", queue_size=3, concurrency=2) as space:
        first, address = config(space)["pid"], space.base_url
        assert space.version == "6.0.0"
        assert (space.calls, space.busy) == ([], False)
        space.restart()
        second = config(space)["pid"]
        assert (space.base_url, second != first) == (address, True)
        with pytest.raises(RuntimeError, match="running already"):
            space.start()
    assert ended(first)
    assert ended(second)
    assert "'max_size': 3, 'default_concurrency_limit': 2" in space.output
    space.stop()


async def test_cancelled_start_leaves_no_server(install: Install) -> None:
    """A task that is cancelled while the server starts waits for its end."""
    install(STAND_IN)
    space = GradioSpace("chat_interface_text")
    entering = asyncio.create_task(space.__aenter__())
    await asyncio.to_thread(space.wait_until, lambda: space._process)
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    with pytest.raises(OSError, match="refused"):
        config(space)


@pytest.mark.parametrize("killed", [False, True], ids=["ends", "is killed"])
def test_server_ends_with_the_interpreter_that_started_it(killed: bool, install: Install) -> None:
    """It needs no stop, and not even a kill leaves it behind."""
    install(STAND_IN)
    program = """
        import json, os, signal, urllib.request
        from langchain_g4f.testing import GradioSpace
        space = GradioSpace("chat_interface_text")
        space.start()
        pid = json.load(urllib.request.urlopen(space.base_url + "/config"))["pid"]
        print(pid, space._folder, flush=True)
    """
    last = "os.kill(os.getpid(), signal.SIGKILL)" if killed else ""
    command = [sys.executable, "-c", f"{textwrap.dedent(program)}\n{last}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == (-signal.SIGKILL if killed else 0), done.stderr
    pid, folder = done.stdout.split()
    GradioSpace().wait_until(lambda: ended(int(pid)) and not Path(folder).exists())


DISPLAY = Mock(error=lambda text, title, _duration_s, visible: LookupError(text, title, visible))
"""A display that shows nothing."""


def ask(text: str, *, many: bool = True, **given: Any) -> list[PartialAnswer]:
    """Return the stages of an answer, without waiting."""
    question = Question(text, **given)
    return list(model.answer(question, DISPLAY, pace_s=1, many=many, sleep=lambda _: None))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("What is it?", "Turn 2. You said: What is it?"),
        ("[[slow]] one\n two", "Turn 2. You said: one\n two"),
        ("[[say:[1, [2]]]] no", "[1, [2]]"),
        ("[[echo]] as  it is ", "as  it is "),
        ("[[long:3]]", "word0 word1 word2"),
        ("[[empty]]", ""),
        ("[[files]]", "No files."),
        ("[[state]]", "Turn 2. Prompts so far: ['a', 'b']. Files: 0."),
        ("[[history]]", "History: 1 messages ['user']. System: 'S'. Top-p: 1."),
        ("[[unknown]] [[1, 2]]", "Turn 2. You said: [[unknown]] [[1, 2]]"),
    ],
)
def test_model_answers_in_the_words_of_the_recordings(text: str, answer: str) -> None:
    """Directives decide what is said, and other brackets are text."""
    given: dict[str, Any] = {"turn": 2, "prompts": ["a", "b"], "history": [("user", "earlier")]}
    replies = ask(text, system="S", inputs={"Top-p": 1}, **given)
    assert replies[-1].text == answer
    assert [reply.text for reply in replies] == sorted((r.text for r in replies), key=len)


def test_model_lists_files_and_thinks_and_takes_back(tmp_path: Path) -> None:
    """A file is told by name, size and digest; thoughts and retractions go by stages."""
    path = tmp_path / "a b.txt"
    path.write_bytes(b"abc")
    listed = "You said: see File 1: a b.txt, 3 bytes, sha256 ba7816bf"
    assert ask("see", files=[path])[-1].text.startswith(listed)
    first, *_, last = ask("[[thought]] why")
    assert messages.assistant_messages(first)[0]["metadata"]["status"] == "pending"
    assert [message["content"] for message in messages.assistant_messages(last)] == [
        "First, read the question.",
        "You said: why",
    ]
    assert [len(reply.extra) for reply in ask("[[retract]] x")[-4:]] == [0, 3, 0, 0]
    assert ask("[[retract]] x", many=False)[-1].text == "Let me start again."


@pytest.mark.parametrize(
    ("directive", "error", "said"),
    [
        ("[[error]]", "The model refused this request.", ""),
        ("[[error:mid]]", "The model stopped half way.", "You said: a "),
        ("[[quota:html]]", "Create a free account</a>", ""),
        ("[[needs-image]]", "AttributeError: no picture", ""),
        ("[[crash]]", "broke before", ""),
        ("[[crash:mid]]", "broke half way", "You said: a "),
    ],
)
def test_failing_call_is_recorded_with_what_was_said(
    directive: str, error: str, said: str, tmp_path: Path
) -> None:
    """Each error comes where its directive wants it, and the call is recorded as failed."""
    question = Question(f"{directive} a b c")
    replies = model.answer(question, DISPLAY, pace_s=0)
    watched = launch.CallRecorder(tmp_path / "calls").watch("f", question, replies)
    with pytest.raises((LookupError, RuntimeError), match=error):
        list(watched)
    (call,) = CallLog(tmp_path / "calls").read()
    assert (call.function, call.outcome, call.said) == ("f", "failed", said)


def test_call_is_read_while_it_runs_and_when_it_is_left(tmp_path: Path) -> None:
    """What was given shows at once; an abandoned call counts as stopped, unless it continues."""
    now_s, path = [0.0], tmp_path / "calls"
    (tmp_path / "a.png").write_bytes(b"\x00\xff")
    recorder, log = launch.CallRecorder(path, clock=lambda: now_s[0]), CallLog(path)
    assert log.read() == []
    question = Question("hi", [("user", "x")], [tmp_path / "a.png"], headers={"a": "b"})
    replies = iter([PartialAnswer("one"), PartialAnswer("one two"), PartialAnswer("one two three")])
    watched: Iterator[PartialAnswer] = recorder.watch("f", question, replies)
    next(watched)
    recorder.sweep()
    (call,) = log.read()
    assert (call.outcome, call.history, call.headers) == ("running", [("user", "x")], {"a": "b"})
    assert call.files == [GradioFile("a.png", "image/png", b"\x00\xff")]
    now_s[0] = 1.0
    recorder.sweep()
    assert [(call.outcome, call.said) for call in log.read()] == [("stopped", "one")]
    assert len(list(watched)) == 2
    with path.open("ab") as file:
        file.write(b'{"half')
    assert [(call.outcome, call.said) for call in log.read()] == [("completed", "one two three")]


def test_history_is_read_in_every_shape() -> None:
    """Strings, typed parts, bare parts, files and pairs give role and text."""
    parts = [{"type": "text", "text": "b"}, {"type": "file", "file": {}}]
    shapes = ["a", parts, ["c", {"path": "p"}], ("p",)]
    history = [{"role": "user", "content": shape} for shape in shapes]
    told = [("user", "a"), ("user", "b"), ("user", "c"), ("user", "")]
    assert messages.read_history(history) == told
    assert messages.read_history([["d", "e"]]) == [("user", "d"), ("assistant", "e")]
    assert messages.split_last([*history, {"role": "user", "content": "f"}]) == ("f", told[:3])
