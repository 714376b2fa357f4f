"""What is owed, what is shown, and the document that sets one against the other.

The list of what is owed is `owed.toml` beside this file. It is data, written by hand: claiming an
item is an edit of its status, and an excused item has a reason, in the list itself or in the file
that its group names. Nothing here knows pytest; `plugin.py` collects what tests show.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OWED_FILE = Path(__file__).parent / "owed.toml"
ROOT = Path(__file__).parents[2]

Status: TypeAlias = Literal["claimed", "excused", "later"]

HEAD = """\
# Evidence

What this package owes its users, and the tests that show it. **claimed** items hold today, and
`make test` fails where one has no test. **later** items are owed but not promised yet. **excused**
items get no test, for the reason that stands in its place. Tests marked as skipped or as expected
to fail show nothing and are left out. A number in parentheses counts the variants of a test.

Written by `make evidence` from `tests/evidence/owed.toml` and the tests' marks; do not edit.
"""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing owed. Without a text, the id says it all; `why` is the reason of an excused one."""

    id: str
    status: Status
    text: str = ""
    why: str = ""


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
        ValueError: an id is listed twice, a status is not one of the three, or a reason is missing
            or stands where none is wanted.
        TypeError: an entry has a key that is not known, or lacks one.
    """
    groups = tuple(_group(**entry) for entry in _read(path or OWED_FILE)["group"])
    items = [item for group in groups for item in group.items]
    twice = [id_ for id_, count in Counter(item.id for item in items).items() if count > 1]
    if twice:
        msg = f"listed twice: {', '.join(twice)}"
        raise ValueError(msg)
    for item in items:
        if item.status not in get_args(Status):
            msg = f"{item.id}: no such status: {item.status!r}"
            raise ValueError(msg)
        if (item.status == "excused") is not bool(item.why):
            msg = f"{item.id}: an excused item, and no other, has a reason"
            raise ValueError(msg)
    return groups


def _group(id: str, title: str, items: list[Any], source: str = "", excuses: str = "") -> Group:  # noqa: A002
    """Read a group; the file of its excuses has a table for each folder, with a line for a name."""
    folder = Path(source).name
    reasons = _read(ROOT / excuses)[folder] if excuses else {}
    prefix = f"cassette:{folder}/"
    found = tuple(
        Item(**{"why": reasons.pop(item.get("id", "").removeprefix(prefix), "")} | item)
        for item in items
    )
    if reasons:
        msg = f"{excuses}: nothing to excuse: {', '.join(reasons)}"
        raise ValueError(msg)
    return Group(id=id, title=title, source=source, items=found)


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


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
    lines = [HEAD, "| | owed | claimed | excused | shown |", "| --- | ---: | ---: | ---: | ---: |"]
    for group in groups:
        counts = Counter(item.status for item in group.items)
        numbers = (
            len(group.items),
            counts["claimed"],
            counts["excused"],
            sum(bool(shown.get(item.id)) for item in group.items),
        )
        lines.append(f"| {group.title} | {' | '.join(map(str, numbers))} |")
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
    nothing = "**missing**" if item.status == "claimed" else item.why.replace("|", "/")
    return f"| {what} | {item.status} | {tests or nothing} |"
