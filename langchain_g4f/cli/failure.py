"""Failures for people: one clear message on standard error and an exit code, no traceback.

Only what a user can meet is turned into a message. A fault of ours keeps its traceback.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from langchain_g4f.cli.terminal import give_up_output, is_of_output, tell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_g4f.errors import AuthenticationError

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 and the number of SIGINT."""


class CommandError(Exception):
    """The command cannot go on; the message says why."""


@contextmanager
def one_line_failures() -> Iterator[None]:
    """Turn what a user can meet into a message and an exit code."""
    from pydantic import ValidationError

    from langchain_g4f.errors import G4FError

    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
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


def _warn(message: Warning | str, *_where: object, **_more: object) -> None:
    """Say it in a line; where in our code it was noticed helps nobody at a terminal."""
    tell(f"[{message}]")


def report(error: Exception) -> None:
    """Write what happened, and what to do about it where that is known."""
    from langchain_g4f.errors import AuthenticationError

    text = _login(error) if isinstance(error, AuthenticationError) else message_of(error)
    tell(f"langchain-g4f: {text.rstrip()}")


def message_of(error: Exception) -> str:
    """What an error says, without what pydantic adds."""
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        # "Value error, base_url: ..." is pydantic's way to quote our own message.
        faults = (fault["msg"].removeprefix("Value error, ") for fault in error.errors())
        return "; ".join(faults)
    return str(error) or type(error).__name__


def _login(error: AuthenticationError) -> str:
    from langchain_g4f.cli.providers import PROVIDERS

    known = (p for p in PROVIDERS.values() if p.chat_model.provider == error.provider)
    provider = next(known, None)
    return provider.login(error) if provider is not None else message_of(error)


__all__ = ["INTERRUPTED", "CommandError", "message_of", "one_line_failures", "report"]
