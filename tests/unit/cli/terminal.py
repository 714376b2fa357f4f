"""A command in a terminal of its own, typed at and read like by a person."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from typing import Self

CTRL_C = "\x03"
CTRL_D = "\x04"

_DEADLINE_S = 20.0
_MOMENT_S = 0.2
_KILLED_AFTER_S = 5.0
_IN_ITS_TERMINAL = """\
import fcntl, signal, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.default_int_handler)
from langchain_g4f.cli import main
main()
"""


class Terminal:
    """Runs `langchain-g4f` with `arguments`; use it in a `with` block.

    Args:
        columns: Width of the terminal.

    Attributes:
        seen: Everything that was shown.
    """

    def __init__(self, *arguments: str, columns: int = 200) -> None:
        self.seen = ""
        self._read_to = 0
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _IN_ITS_TERMINAL, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm", "COLUMNS": str(columns)},
        )
        os.close(theirs)

    def enter(self, text: str) -> None:
        """Type `text`, as it is, a moment after what was shown last."""
        # A Ctrl-C between readline's prompt and its waiting is noticed at the next key only.
        time.sleep(_MOMENT_S)
        os.write(self._ours, text.encode())

    def expect(self, text: str) -> str:
        """Wait until `text` is shown, and return what was new until then."""
        deadline_s = time.monotonic() + _DEADLINE_S
        while text not in self.seen[self._read_to :]:
            more = self._read(deadline_s - time.monotonic())
            assert more, f"{text!r} was not shown, but {self.seen[self._read_to :]!r}"
            self.seen += more
        end = self.seen.index(text, self._read_to) + len(text)
        new, self._read_to = self.seen[self._read_to : end], end
        return new

    def exit_code(self) -> int:
        """Wait for the end of the command."""
        while more := self._read(_DEADLINE_S):
            self.seen += more
        return self._process.wait(_DEADLINE_S)

    def _read(self, timeout_s: float) -> str:
        if not select.select([self._ours], [], [], max(0.0, timeout_s))[0]:
            return ""
        try:
            return os.read(self._ours, 65536).decode(errors="replace")
        except OSError:  # Linux: the other side is closed
            return ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(_KILLED_AFTER_S)
        os.close(self._ours)
