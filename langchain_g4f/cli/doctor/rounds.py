"""All providers at once: each is opened and checked by itself, and none stops the others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING

from pydantic import ValidationError
from rich.console import Console

from langchain_g4f.cli.doctor.advice import in_a_line
from langchain_g4f.cli.doctor.checks import Examination
from langchain_g4f.cli.doctor.findings import Finding
from langchain_g4f.cli.doctor.targets import Settings, chat_model
from langchain_g4f.cli.failure import CommandError
from langchain_g4f.cli.service import open_service
from langchain_g4f.errors import G4FError

if TYPE_CHECKING:
    from langchain_g4f.cli.service import Choice


def examine_all(
    choices: Sequence[Choice], settings: Settings, *, quiet: bool = False
) -> list[Finding]:
    """What is found at each service, in their order.

    Args:
        choices: The services.
        settings: How to ask them.
        quiet: Whether a person at a terminal is told nothing meanwhile.

    Raises:
        CommandError: The options contradict each other.
    """
    console = Console(stderr=True)
    names = ", ".join(choice.name for choice in choices)
    waiting = nullcontext() if quiet else console.status(f"asking {names}", spinner="dots")
    with waiting, ExitStack() as running:
        opened = [_open(choice, settings, running) for choice in choices]
        return asyncio.run(_examine(opened))


async def _examine(opened: Sequence[Finding | Examination]) -> list[Finding]:
    started = [each for each in opened if isinstance(each, Examination)]
    await asyncio.gather(*(each.run() for each in started))
    return [each.finding if isinstance(each, Examination) else each for each in opened]


def _open(choice: Choice, settings: Settings, running: ExitStack) -> Finding | Examination:
    """What will be checked; or what is found if it cannot be."""
    finding = Finding(choice.name, model=settings.model)
    try:
        service = running.enter_context(open_service(choice))
        model = chat_model(service, settings)
    except (CommandError, G4FError, ValidationError) as error:
        if isinstance(error, CommandError) and not choice.sandbox:
            raise
        finding.fail("reachable", in_a_line(error), "nothing was sent: mend this first")
        return finding
    finding.address = model.base_url
    return Examination(model, finding, settings.timeout_s)


__all__ = ["examine_all"]
