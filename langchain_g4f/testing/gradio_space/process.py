"""A server in a process of its own, that cannot outlive this one.

It is killed, not asked: nothing it holds is worth a tidy end. Its owner sees to it that this also
happens at the end of the interpreter; where nobody can, the server notices that its standard input
has ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from langchain_g4f.testing.gradio_space.apps.launch import MARK

KEPT_LINES = 200
_READER_TIMEOUT_S = 5.0


class ServerProcess:
    """Runs `command` until it is killed.

    Args:
        command: Program and arguments.
        environment: All of its environment variables.
        folder: Its working directory.

    Raises:
        OSError: There is no such program.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> None:
        # A group of its own, so that Ctrl-C is for the tests and a kill also gets its children.
        self._process = subprocess.Popen(  # noqa: S603 - the caller chooses the interpreter
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._ended = False
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._message: dict[str, Any] | None = None
        self._told = threading.Event()
        self._reader = threading.Thread(
            target=self._read, name=f"gradio-output-{self._process.pid}", daemon=True
        )
        self._reader.start()

    @property
    def output(self) -> str:
        """The last lines it printed."""
        return "\n".join(self._lines)

    def wait_for_message(self, timeout_s: float) -> dict[str, Any] | None:
        """Return the first message to this process; None if it ended or took too long."""
        self._told.wait(timeout_s)
        return self._message

    def kill(self) -> None:
        """End the process and all it holds; a second call does nothing."""
        if self._ended:
            return
        self._ended = True
        # Its number is not given to another until it is waited for, so the right group is hit. One
        # that has ended by itself cannot be killed, which systems say in different ways.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        self._process.wait()
        self._reader.join(_READER_TIMEOUT_S)
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            with self._process.stdout as output:
                for raw in output:
                    line = raw.decode("utf-8", "replace").rstrip()
                    if line.startswith(MARK):
                        self._message = json.loads(line.removeprefix(MARK))
                        self._told.set()
                    else:
                        self._lines.append(line)
        finally:
            self._told.set()
