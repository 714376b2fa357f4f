"""The process of a Gradio server, which cannot outlive this one, and its environment.

The process is killed, not asked to end: nothing it holds is worth that. Its owner kills it when the
interpreter ends, at the latest; if this process is killed, the server notices that its standard
input has ended.
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

# What configures Gradio or names an account, a Space or a proxy would change the server, or be used
# by it: its own check that it is up goes through a proxy if one is set.
_DROPPED_PREFIXES = ("GRADIO_", "HF_", "HUGGINGFACE_", "HUGGING_FACE_", "SPACE_")
_DROPPED = ("ALL_PROXY", "FTP_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "SYSTEM")


def server_environment(
    outside: Mapping[str, str], apps: Path, folder: Path, uploads: Path
) -> dict[str, str]:
    """Return the environment of a server: no telemetry, no account, no connection to others.

    Args:
        outside: The environment of this process.
        apps: The folder that holds the package `apps`.
        folder: A folder the server may fill.
        uploads: Where it puts what is uploaded.
    """
    kept = {
        name: value
        for name, value in outside.items()
        if name.upper() not in _DROPPED and not name.upper().startswith(_DROPPED_PREFIXES)
    }
    path = outside.get("PYTHONPATH")
    return {
        **kept,
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_SSR_MODE": "False",
        "GRADIO_SHARE": "False",
        "GRADIO_TEMP_DIR": str(uploads),
        "HF_HOME": str(folder / "hf"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_OFFLINE": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "PYTHONPATH": os.pathsep.join([str(apps), path] if path else [str(apps)]),
        "PYTHONUNBUFFERED": "1",
    }


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
