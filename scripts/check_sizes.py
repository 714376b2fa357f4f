"""Fail on a Python file of more than 300 lines that does not say why it is so long.

The reason stands near the head of the file, on a line `# Over 300 lines: <reason>`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("langchain_g4f", "tests", "benchmarks", "scripts", "examples")
MAX_LINES = 300
HEAD_LINES = 15
SHOWN = 10
REASON = re.compile(r"# Over 300 lines: \S+")


def measure(root: Path = ROOT) -> list[tuple[int, str, bool]]:
    """Return lines, path and "says why" of every Python file, the longest first."""
    found = []
    for folder in FOLDERS:
        for path in (root / folder).rglob("*.py"):
            lines = path.read_text(encoding="utf-8").splitlines()
            excused = any(REASON.match(line) for line in lines[:HEAD_LINES])
            found.append((len(lines), path.relative_to(root).as_posix(), excused))
    return sorted(found, key=lambda entry: (-entry[0], entry[1]))


def main() -> int:
    sizes = measure()
    for lines, name, _ in sizes[:SHOWN]:
        print(f"{lines:5}  {name}")
    too_long = [entry for entry in sizes if entry[0] > MAX_LINES and not entry[2]]
    for lines, name, _ in too_long:
        print(f"{name}: {lines} lines, and no line `# Over 300 lines: <reason>` near its head")
    over = sum(lines > MAX_LINES for lines, _, _ in sizes)
    print(f"{len(sizes)} files, {over} over {MAX_LINES} lines, {len(too_long)} without a reason")
    return 1 if too_long else 0


if __name__ == "__main__":
    sys.exit(main())
