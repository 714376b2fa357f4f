"""Output: text that is safe to show on a terminal, and output that cannot be written.

Answers, names, titles and errors are written by others. Whatever the command shows of them goes
through `printable`. An answer that is written to a pipe or a file stays as it came.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from contextlib import suppress

_CONTROL = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and line feed, DEL, C1: escape sequences begin here
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks and overrides of the text direction
    "\u206a-\u206f\ufff9-\ufffb"  # deprecated shaping, annotations beside the line
    "\ud800-\udfff"  # halves of surrogate pairs: no terminal has an encoding for them
    "]"
)
_OF_OUTPUT = frozenset({errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC, errno.EPIPE})


def printable(text: str) -> str:
    """``text`` with U+FFFD in place of each character that a terminal obeys or reorders text by.

    It looks at single characters, so it also stops a sequence that is split over chunks.
    """
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r", ""))


def one_line(text: str) -> str:
    """Like `printable`, for a name or a title: it cannot add a line of its own."""
    return printable(" ".join(text.split()))


def say(line: str) -> None:
    """Print a line on standard output."""
    sys.stdout.write(printable(line) + "\n")


def tell(line: str) -> None:
    """Print a line on standard error, after everything written to standard output before."""
    sys.stdout.flush()
    sys.stderr.write(printable(line) + "\n")


def is_of_output(error: OSError) -> bool:
    """Whether writing to standard output failed, rather than to a file or a connection."""
    return error.errno in _OF_OUTPUT and error.filename is None


def give_up_output(error: OSError) -> int:
    """Report why standard output failed, unless its reader has left; return the exit code.

    Buffered output is dropped: Python would fail again when it flushes at exit.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno != errno.EPIPE:
        with suppress(OSError):  # standard error may be on the same disk
            sys.stderr.write(f"langchain-g4f: write error: {error.strerror}\n")
    return 1
