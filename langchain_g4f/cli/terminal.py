"""The edge to the terminal: what may be shown on one, and what happens where nothing can be.

Answers, names, titles and errors are written by others. Whatever the command shows of them goes
through `printable`. An answer in a pipe or a file stays as it came.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from contextlib import suppress

_STEERING = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and line feed, DEL, C1: escape sequences begin here
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # order what is written from right to left
    "\u206a-\u206f\ufff9-\ufffb"  # deprecated shaping, annotations beside the line
    "\ud800-\udfff"  # halves of surrogate pairs: no terminal has an encoding for them
    "]"
)

_OF_OUTPUT = frozenset({errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC, errno.EPIPE})


def printable(text: str) -> str:
    """``text`` without what a terminal obeys or reorders: U+FFFD is shown in its place.

    It looks at single characters, so a sequence that is split over chunks is found, too.
    """
    return _STEERING.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r", ""))


def one_line(text: str) -> str:
    """Like `printable`, for a name or a title, which forges no line of its own."""
    return printable(" ".join(text.split()))


def say(line: str) -> None:
    """Print a line on standard output."""
    sys.stdout.write(printable(line) + "\n")


def tell(line: str) -> None:
    """Print a line on standard error, after what standard output was given before it."""
    sys.stdout.flush()
    sys.stderr.write(printable(line) + "\n")


def is_of_output(error: OSError) -> bool:
    """Whether writing to standard output failed, and not a file or a connection of ours."""
    return error.errno in _OF_OUTPUT and error.filename is None


def give_up_output(error: OSError) -> int:
    """Say why standard output took no more, unless its reader has left; return the exit code.

    What is still to be written is dropped: Python would fail again when it flushes at exit.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno != errno.EPIPE:
        with suppress(OSError):  # the same disk may hold standard error
            sys.stderr.write(f"langchain-g4f: write error: {error.strerror}\n")
    return 1


__all__ = ["give_up_output", "is_of_output", "one_line", "printable", "say", "tell"]
