"""What several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

from langchain_g4f.cli.providers import PROVIDERS


def known(name: str | None) -> str | None:
    """The name of a provider, or none.

    Raises:
        typer.BadParameter: There is no such provider.
    """
    if name is None or name in PROVIDERS:
        return name
    raise typer.BadParameter(f"{name!r} is none of {', '.join(PROVIDERS)}")


Impersonate = Annotated[
    str | None,
    typer.Option(metavar="BROWSER", help="Look like this browser on the wire.", show_default=False),
]

Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Which of your accounts there, by the name you gave it at login.",
        show_default=False,
    ),
]

__all__ = ["Impersonate", "Profile", "known"]
