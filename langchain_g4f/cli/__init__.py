"""The `langchain-g4f` command; typer and rich (extra `cli`) are imported when it runs."""

from __future__ import annotations

import sys
from io import TextIOWrapper

_EXTRA = ("rich", "typer")


def main() -> None:
    """Run the command and exit: 0, 1 for a failure, 2 for wrong usage, 130 after Ctrl-C."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Questions and answers may hold what the terminal's encoding does not.
            stream.reconfigure(errors="replace")
    try:
        from langchain_g4f.cli.app import app

        app(prog_name="langchain-g4f")
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _EXTRA:
            raise
        sys.stderr.write(
            f"langchain-g4f: {missing} is not installed: the command needs the extra `cli`. "
            'Install it from the checkout with: pip install -e ".[cli]"\n'
        )
        sys.exit(1)


__all__ = ["main"]
