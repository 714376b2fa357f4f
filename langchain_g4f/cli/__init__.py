"""The `langchain-g4f` command; typer and rich (extra `cli`) are imported when it runs."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from traceback import format_exception

from langchain_g4f.cli.terminal import give_up_output, is_of_output, tell
from langchain_g4f.core.extras import how_to_install


def main() -> None:
    """Run the command and exit: 0, 1 for a failure, 2 for wrong usage, 130 after Ctrl-C."""
    try:
        code = _run()
        sys.stdout.flush()
    except KeyboardInterrupt:  # during the imports
        code = 130
    except OSError as error:
        code = give_up_output(error)
    sys.exit(code)


def _run() -> int:
    if sys.stderr is None:  # the caller has closed it
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stdout is None:
        sys.stderr.write("langchain-g4f: standard output is closed\n")
        sys.exit(1)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Text may hold characters that the terminal's encoding does not have.
            stream.reconfigure(errors="replace")
    try:
        from langchain_g4f.cli.app import app

        app(prog_name="langchain-g4f")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except Exception as error:  # noqa: BLE001 -- every way out is here
        return _failed(error)
    return 0


def _failed(error: Exception) -> int:
    if isinstance(error, OSError) and is_of_output(error):
        return give_up_output(error)
    missing = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
    if missing in ("rich", "typer"):
        needs = f"{missing} is not installed: the command needs the extra `cli`."
        tell(f"langchain-g4f: {needs} {how_to_install('cli')}")
    else:
        tell("".join(format_exception(error)).rstrip())  # it may quote what a service said
    return 1


__all__ = ["main"]
