"""`langchain-g4f models`: what a server offers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from langchain_g4f.cli.failure import CommandError
from langchain_g4f.cli.screen import printable

if TYPE_CHECKING:
    from langchain_g4f.cli.service import Service


def list_models(service: Service, timeout: float | None = None) -> None:
    """Print one model per line, the default first.

    Raises:
        CommandError: The server did not say.
    """
    found = service.live_models(timeout)
    if not found:
        raise CommandError(
            f"{service.name} does not tell its models: is it up, and a chat-ui server's address, "
            "path included?"
        )
    for name in found:
        sys.stdout.write(printable(name) + "\n")


__all__ = ["list_models"]
