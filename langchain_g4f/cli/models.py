"""`langchain-g4f models`: what a server offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_g4f.cli.failure import CommandError
from langchain_g4f.cli.terminal import one_line, say, tell
from langchain_g4f.errors import APIError, AuthenticationError

if TYPE_CHECKING:
    from langchain_g4f.cli.service import Service


def list_models(service: Service, timeout: float | None = None) -> None:
    """Print one model per line, the default first.

    Where the server has no list, those are printed that are known, and standard error says so.

    Raises:
        CommandError: The server did not say.
        AuthenticationError: It wants to know who asks.
    """
    try:
        found = service.live_models(timeout)
    except AuthenticationError:
        raise
    except APIError as error:
        raise CommandError(f"{service.name} does not tell its models: {error}") from None
    if not found:
        raise CommandError(f"{service.name} has no models")
    if not service.lists_models:
        tell(f"[{service.name} has no list to ask for: these are the known models]")
    for name in found:
        say(one_line(name))


__all__ = ["list_models"]
