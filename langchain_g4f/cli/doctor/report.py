"""How findings are shown: a table with what to do below it, or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from langchain_g4f.cli.doctor.findings import Finding, Name, Status

_COLUMNS = ("provider", "reachable", "server", "signed in", "models", "streaming", "first token")
_SHORT = ("provider", "reachable", "streaming")
_STYLES: dict[Status, str] = {"ok": "green", "FAIL": "bold red", "skipped": "dim"}
_WIDTH_OF_A_FILE = 120
_WIDTH_OF_THE_TABLE = 80
"""Where there is less, rich would fold words, and leave out columns."""


def write_json(findings: Sequence[Finding]) -> None:
    """Print a list of objects."""
    sys.stdout.write(json.dumps([finding.as_json() for finding in findings], indent=2) + "\n")


def write_table(findings: Sequence[Finding]) -> None:
    """Print a row for each provider; below them, a line for each problem."""
    terminal = sys.stdout.isatty()
    # a line that is cut or folded at 80 characters is no use in a file
    console = Console(highlight=False, width=None if terminal else _WIDTH_OF_A_FILE)
    if console.width < _WIDTH_OF_THE_TABLE:
        _print_lists(console, findings)
    else:
        _print_table(console, findings)
    for finding in findings:
        for problem in finding.problems:
            line = f"{finding.provider}: {problem.what.rstrip('.')}. What to do: {problem.advice}."
            console.print(Text(line), soft_wrap=True)


def _print_table(console: Console, findings: Sequence[Finding]) -> None:
    # without bars it fits 80 columns
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for title in _COLUMNS:
        table.add_column(title, no_wrap=title in _SHORT, overflow="fold")
    for finding in findings:
        table.add_row(finding.provider, *_cells(finding))
    console.print(table)


def _print_lists(console: Console, findings: Sequence[Finding]) -> None:
    """What the table says, a line for each cell."""
    for finding in findings:
        cells = [Text(finding.provider), *_cells(finding)]
        rows = Table.grid("", "", padding=(0, 2, 0, 0))
        rows.columns[1].overflow = "fold"
        for title, cell in zip(_COLUMNS, cells, strict=True):
            rows.add_row(title, Text(", ").join(cell.split("\n")))
        console.print(rows)
        console.print()


def _cells(finding: Finding) -> list[Text]:
    unasked = "a login of somebody" if finding.login else "anonymous"
    first_token = "-" if finding.first_token_ms is None else f"{finding.first_token_ms} ms"
    return [
        _cell(finding, "reachable"),
        _cell(finding, "server", finding.server),
        _cell(finding, "signed_in", finding.user or "", unasked),
        _cell(finding, "models", _models(finding), _models(finding)),
        _cell(finding, "streaming", _counted(finding.chunks, "chunk")),
        Text(first_token),
    ]


def _cell(finding: Finding, name: Name, found: str = "", unasked: str = "") -> Text:
    """What was found, or in words what was not; the colour says nothing that the text does not."""
    status = finding.checks[name]
    shown = {"ok": found, "not asked": unasked}.get(status, "")
    return Text(f"{status}\n{shown}" if shown else status, style=_STYLES.get(status, ""))


def _models(finding: Finding) -> str:
    if finding.models is None:
        return ""
    return f"{_counted(finding.models, 'model')}\n{finding.default_model}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


__all__ = ["write_json", "write_table"]
