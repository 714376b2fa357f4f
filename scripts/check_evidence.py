"""Hold docs/evidence.md to the tests: nothing claimed without a test, and nothing out of date.

With `--write`, write the document instead; what is missing is then named, but is no failure.
"""

from __future__ import annotations

import argparse
import difflib
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "evidence.md"
SHOWN = 40  # lines of a difference


def collect(out: Path) -> tuple[int, str]:
    """Have pytest collect the tests and write the document; return its status and its report."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--collect-only", "-qq", "--no-header"),
            *("-p", "no:cacheprovider", "-m", "", "--evidence-out", str(out)),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    return done.returncode, done.stdout + done.stderr


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check or write docs/evidence.md.")
    parser.add_argument("--write", action="store_true", help="write the document")
    write: bool = parser.parse_args(arguments).write

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "evidence.md"
        status, report = collect(out)
        if status not in {0, 1} or not out.exists():
            print(report)
            print("the tests cannot be collected")
            return 1
        wanted = out.read_text(encoding="utf-8")

    missing = [line.split("`")[1] for line in wanted.splitlines() if line.endswith("**missing** |")]
    if missing:
        print(f"{len(missing)} claimed without a test:", *missing, sep="\n  ")
    name = DOCUMENT.relative_to(ROOT).as_posix()
    if write:
        DOCUMENT.parent.mkdir(exist_ok=True)
        DOCUMENT.write_text(wanted, encoding="utf-8")
        print(f"wrote {name}")
        return 0
    present = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    if present != wanted:
        diff = difflib.unified_diff(
            present.splitlines(), wanted.splitlines(), name, "the tests", lineterm="", n=0
        )
        print(*list(diff)[:SHOWN], sep="\n")
        print(f"{name} is out of date: run `make evidence`")
        return 1
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
