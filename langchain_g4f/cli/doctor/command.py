"""The command `doctor` and its options."""

from __future__ import annotations

from typing import Annotated

import typer

from langchain_g4f.cli.failure import one_line_failures
from langchain_g4f.cli.options import Impersonate, Profile, known
from langchain_g4f.cli.providers import PROVIDERS


def _are_known(names: list[str] | None) -> list[str]:
    for name in names or ():
        known(name)
    return names or []


def doctor(  # noqa: PLR0917 -- one argument per option; typer passes them by name
    provider: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            callback=_are_known,
            help=f"Whom to check: {', '.join(PROVIDERS)}; may be given again. Else all of them.",
            show_default=False,
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Another server of this kind, with its path.", show_default=False
        ),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(
            metavar="OWNER/NAME",
            help="Gradio Space to check; it needs no --provider.",
            show_default=False,
        ),
    ] = None,
    profile: Profile = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Start scripted servers here, and check those.")
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Model to ask; else the server's default.", show_default=False
        ),
    ] = None,
    impersonate: Impersonate = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="For each check.")
    ] = 30.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a list of objects, for programs.")
    ] = False,
) -> None:
    """Ask every provider a short question, and say who answers; exit code 1 if one does not."""
    with one_line_failures():
        from langchain_g4f.cli.doctor.report import write_json, write_table
        from langchain_g4f.cli.doctor.rounds import examine_all
        from langchain_g4f.cli.doctor.targets import Settings, choices

        chosen = choices(provider or [], base_url, space, model, profile, sandbox=sandbox)
        findings = examine_all(chosen, Settings(timeout, model, impersonate), quiet=as_json)
        (write_json if as_json else write_table)(findings)
        if not all(finding.answers for finding in findings):
            raise typer.Exit(1)


__all__ = ["doctor"]
