"""Failures that a user can cause or meet: one message on standard error and an exit code.

A bug of this package keeps its traceback.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from langchain_g4f.cli.terminal import give_up_output, is_of_output, tell

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 and the number of SIGINT."""


class CommandError(Exception):
    """The command cannot continue; the message says why."""


@contextmanager
def one_line_failures() -> Iterator[None]:
    """Turn the failures of users, services and output into a message and an exit code."""
    from pydantic import ValidationError

    from langchain_g4f.errors import G4FError

    try:
        with warnings.catch_warnings():
            # The place in our code where a warning was raised does not help a user.
            warnings.showwarning = lambda message, *_, **__: tell(f"[{message}]")
            yield
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except OSError as error:
        if not is_of_output(error):
            raise
        raise typer.Exit(give_up_output(error)) from None
    except (CommandError, G4FError, ValidationError) as error:
        report(error)
        raise typer.Exit(1) from None


def report(error: Exception) -> None:
    """Write what happened, and what to do about it where that is known."""
    from langchain_g4f.cli.providers import login_help
    from langchain_g4f.errors import AuthenticationError

    text = login_help(error) if isinstance(error, AuthenticationError) else message_of(error)
    tell(f"langchain-g4f: {text.rstrip()}")


def message_of(error: Exception) -> str:
    """The message of an error, without the text that pydantic adds to ours."""
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        faults = (fault["msg"].removeprefix("Value error, ") for fault in error.errors())
        return "; ".join(faults)
    return str(error) or type(error).__name__
