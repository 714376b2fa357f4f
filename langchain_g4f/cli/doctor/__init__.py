"""`langchain-g4f doctor`: which providers answer today, and what is wrong with the others."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from langchain_g4f.cli.doctor.checks import Examination, Finding, in_a_line
from langchain_g4f.cli.failure import CommandError
from langchain_g4f.cli.providers import ANY_SPACE, DEFAULT, chat_model_of, default_base_url
from langchain_g4f.cli.service import Choice, open_service
from langchain_g4f.errors import G4FError
from langchain_g4f.providers.registry import PROVIDERS

if TYPE_CHECKING:
    from langchain_g4f.cli.doctor.checks import Name, Status

_WAKE_SHARE = 0.8
"""Share of the time limit that a Space has to wake; the rest is left to report that it did not."""
_COLUMNS = ("provider", "reachable", "server", "signed in", "models", "streaming", "first token")
_SHORT = ("provider", "reachable", "streaming")
_STYLES: dict[Status, str] = {"ok": "green", "FAIL": "bold red", "skipped": "dim"}
_FILE_COLUMNS = 120
_TABLE_COLUMNS = 80
"""Width of the table; on a narrower screen rich would fold words and leave columns out."""


def choose(
    names: Sequence[str],
    base_url: str | None,
    space: str | None,
    model: str | None,
    profile: str | None = None,
    *,
    sandbox: bool,
) -> list[Choice]:
    """The services to check, in the order of `PROVIDERS`.

    An address, a model and an account belong to one provider: the named one, else the one that
    `chat` would use.

    Raises:
        CommandError: The options contradict each other, or do not say which provider they are for.
    """
    Choice(base_url=base_url, space=space, sandbox=sandbox).refuse_two_servers()
    of_one = {"--base-url": base_url, "--model": model, "--profile": profile}
    given = [option for option, value in of_one.items() if value]
    if len(set(names)) > 1 and given:
        raise CommandError(f"{given[0]} is for one provider, and several are named")
    if given:
        names = names or [ANY_SPACE if space else DEFAULT]
    names = names or [name for name in PROVIDERS if _has_server(name, space, sandbox=sandbox)]
    found = [name for name in PROVIDERS if name in names]
    with_space = found[0] if len(found) == 1 else ANY_SPACE
    if space and with_space not in found:
        raise CommandError(f"--space is for {ANY_SPACE}; add --provider {ANY_SPACE}")
    return [
        Choice(name, base_url, space if name == with_space else None, None, profile, sandbox)
        for name in found
    ]


def _has_server(name: str, space: str | None, *, sandbox: bool) -> bool:
    """Whether a provider that is not named has a server to check."""
    if sandbox:
        return PROVIDERS[name].sandbox is not None
    return bool(default_base_url(name) or (space and name == ANY_SPACE))


def examine_all(
    choices: Sequence[Choice],
    timeout_s: float,
    model: str | None = None,
    impersonate: str | None = None,
    *,
    quiet: bool = False,
) -> list[Finding]:
    """Check all services at the same time; the findings are in the order of ``choices``.

    Args:
        choices: The services.
        timeout_s: Seconds for each check.
        model: Name of the model to ask; None for the server's default.
        impersonate: Browser to send requests like; None for none.
        quiet: Whether to show nothing while the checks run.

    Raises:
        CommandError: The options contradict each other.
    """
    console = Console(stderr=True)
    names = ", ".join(choice.name for choice in choices)
    waiting = nullcontext() if quiet else console.status(f"asking {names}", spinner="dots")
    with waiting, ExitStack() as running:
        settings = {"model": model, "timeout": timeout_s, "impersonate": impersonate}
        opened = [_open(choice, running, settings, timeout_s) for choice in choices]
        return asyncio.run(_examine(opened))


async def _examine(opened: Sequence[Finding | Examination]) -> list[Finding]:
    await asyncio.gather(*(each.run() for each in opened if isinstance(each, Examination)))
    return [each.finding if isinstance(each, Examination) else each for each in opened]


def _open(
    choice: Choice, running: ExitStack, settings: dict[str, Any], timeout_s: float
) -> Finding | Examination:
    """The examination of a service, or the finding that there cannot be one."""
    finding = Finding(choice.name, model=settings["model"])
    make = chat_model_of(choice.name)
    # It asks once, and leaves nothing behind. A service that needs retries is not healthy.
    more: dict[str, Any] = {"max_retries": 0, "delete_after": True}
    more["wake_timeout"] = _WAKE_SHARE * timeout_s
    more = {name: value for name, value in more.items() if name in make.model_fields}
    try:
        service = running.enter_context(open_service(choice))
        model = make(**service.settings, **settings, **more)
    except (CommandError, G4FError, ValidationError) as error:
        if isinstance(error, CommandError) and not choice.sandbox:
            raise
        finding.fail("reachable", in_a_line(error), "fix this first; no request was sent")
        return finding
    finding.address = model.base_url
    return Examination(model, finding, timeout_s)


# -- the report ------------------------------------------------------------------


def write_json(findings: Sequence[Finding]) -> None:
    """Print a list of objects."""
    sys.stdout.write(json.dumps([finding.as_json() for finding in findings], indent=2) + "\n")


def write_table(findings: Sequence[Finding]) -> None:
    """Print a row for each provider; below them, a line for each problem."""
    # In a file, a line that is cut or folded is of no use.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _FILE_COLUMNS)
    if console.width < _TABLE_COLUMNS:
        _print_lists(console, findings)
    else:
        _print_table(console, findings)
    for finding in findings:
        if quota := finding.gpu_quota:
            until = f"; all of it again at {quota.resets_at:%Y-%m-%d %H:%M %Z}"
            line = f"GPU seconds left: {quota.current} of {quota.base}"
            console.print(f"{finding.provider}: {line}{until if quota.resets_at else ''}.")
        for problem in finding.problems:
            line = f"{finding.provider}: {problem.what.rstrip('.')}. What to do: {problem.advice}."
            console.print(Text(line), soft_wrap=True)


def _print_table(console: Console, findings: Sequence[Finding]) -> None:
    # Without bars between the columns, it fits 80 columns.
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for title in _COLUMNS:
        table.add_column(title, no_wrap=title in _SHORT, overflow="fold")
    for finding in findings:
        table.add_row(*_cells(finding))
    console.print(table)


def _print_lists(console: Console, findings: Sequence[Finding]) -> None:
    """Print the cells of the table on a line each."""
    for finding in findings:
        rows = Table.grid("", "", padding=(0, 2, 0, 0))
        rows.columns[1].overflow = "fold"
        for title, cell in zip(_COLUMNS, _cells(finding), strict=True):
            rows.add_row(title, Text(", ").join(cell.split("\n")))
        console.print(rows)
        console.print()


def _cells(finding: Finding) -> list[Text]:
    unasked = "login is used" if finding.login else "anonymous"
    models = first_token = ""
    if finding.models is not None:
        models = f"{_counted(finding.models, 'model')}\n{finding.default_model}"
    if finding.first_token_ms is not None:
        first_token = f"{finding.first_token_ms} ms"
    return [
        Text(finding.provider),
        _cell(finding, "reachable"),
        _cell(finding, "server", finding.server),
        _cell(finding, "signed_in", finding.user or "", unasked),
        _cell(finding, "models", models, models),
        _cell(finding, "streaming", _counted(finding.chunks, "chunk")),
        Text(first_token or "-"),
    ]


def _cell(finding: Finding, name: Name, found: str = "", unasked: str = "") -> Text:
    """The status in words and colour, and below it what was found."""
    status = finding.checks[name]
    shown = {"ok": found, "not asked": unasked}.get(status, "")
    return Text(f"{status}\n{shown}" if shown else status, style=_STYLES.get(status, ""))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
