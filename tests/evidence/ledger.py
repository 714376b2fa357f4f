"""What is owed, what is shown, and the document that sets one against the other.

The list of what is owed is `owed.toml` beside this file. It is data, written by hand: claiming an
item is an edit of its status. Nothing here knows pytest; `plugin.py` collects what tests show.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OWED_FILE = Path(__file__).parent / "owed.toml"

Status: TypeAlias = Literal["claimed", "later"]

HEAD = """\
# Evidence

What this package owes its users, and the tests that show it. **claimed** items hold today, and
`make lint` fails where one has no test. **later** items are owed but not promised yet. Tests marked
as skipped or as expected to fail show nothing and are left out. A number in parentheses counts the
variants of a test.

Written by `make evidence` from `tests/evidence/owed.toml` and the tests' marks; do not edit.
"""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing owed. Without a text, the id says it all."""

    id: str
    status: Status
    text: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Items from one source: a document, a folder, or (without one) this list itself."""

    id: str
    title: str
    source: str
    items: tuple[Item, ...]


def load_owed(path: Path | None = None) -> tuple[Group, ...]:
    """Read the list of what is owed.

    Raises:
        ValueError: an id is listed twice, or a status is not one of the two.
        TypeError: an entry has a key that is not known, or lacks one.
    """
    data = tomllib.loads((path or OWED_FILE).read_text(encoding="utf-8"))
    groups = tuple(
        Group(
            id=entry["id"],
            title=entry["title"],
            source=entry.get("source", ""),
            items=tuple(Item(**item) for item in entry["items"]),
        )
        for entry in data["group"]
    )
    items = [item for group in groups for item in group.items]
    twice = [id_ for id_, count in Counter(item.id for item in items).items() if count > 1]
    if twice:
        msg = f"listed twice: {', '.join(twice)}"
        raise ValueError(msg)
    for item in items:
        if item.status not in get_args(Status):
            msg = f"{item.id}: no such status: {item.status!r}"
            raise ValueError(msg)
    return groups


def find_missing(groups: Iterable[Group], shown: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the ids of claimed items that no test shows, in the order of the list."""
    return [
        item.id
        for group in groups
        for item in group.items
        if item.status == "claimed" and not shown.get(item.id)
    ]


def collapse(node_ids: Iterable[str]) -> list[str]:
    """Return node ids without their parameters, sorted, with the number of variants if several."""
    counts = Counter(node_id.partition("[")[0] for node_id in node_ids)
    return [
        f"`{name}`" if count == 1 else f"`{name}` ({count})"
        for name, count in sorted(counts.items())
    ]


def render(groups: Iterable[Group], shown: Mapping[str, Iterable[str]]) -> str:
    """Write the document: a summary, and per group a table of item, status and tests."""
    groups = tuple(groups)
    lines = [HEAD, "| | owed | claimed | shown |", "| --- | ---: | ---: | ---: |"]
    for group in groups:
        claimed = sum(item.status == "claimed" for item in group.items)
        with_tests = sum(bool(shown.get(item.id)) for item in group.items)
        lines.append(f"| {group.title} | {len(group.items)} | {claimed} | {with_tests} |")
    for group in groups:
        lines += ["", f"## {group.title}", ""]
        if group.source:
            lines += [f"Source: `{group.source}`", ""]
        lines += ["| item | status | tests |", "| --- | --- | --- |"]
        lines += [_render_item(item, shown.get(item.id, ())) for item in group.items]
    return "\n".join(lines) + "\n"


def _render_item(item: Item, node_ids: Iterable[str]) -> str:
    what = f"`{item.id}`"
    if item.text:
        what += f" {item.text.replace('|', '/')}"
    tests = "<br>".join(collapse(node_ids))
    nothing = "**missing**" if item.status == "claimed" else ""
    return f"| {what} | {item.status} | {tests or nothing} |"
