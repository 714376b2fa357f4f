"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from langchain_g4f.providers.registry import PROVIDERS

NAMES = ", ".join(PROVIDERS)


def known_provider(name: str | None) -> str | None:
    """Refuse a name that is not in `PROVIDERS`.

    Raises:
        typer.BadParameter: There is no such provider.
    """
    if name is None or name in PROVIDERS:
        return name
    raise typer.BadParameter(f"{name!r} is not a provider; choose one of {NAMES}")


def known_providers(names: list[str] | None) -> list[str]:
    """Like `known_provider`, for an option that may be repeated."""
    for name in names or ():
        known_provider(name)
    return names or []


_BASE_URL = typer.Option(metavar="URL", help="Address of another server of this kind.")

BaseUrl = Annotated[str | None, _BASE_URL]
Impersonate = Annotated[
    str | None, typer.Option(metavar="BROWSER", help="Send requests like those of this browser.")
]
ModelName = Annotated[
    str | None, typer.Option(metavar="NAME", help="Model to ask; by default the server's default.")
]
Profile = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Your account there, by the name you gave it at login."),
]
