"""Streaming benchmarks: ``python -m benchmarks``.

Fails only if a client reads a different text than was sent; a slow machine is not a failure.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.common import WrongTextError, calm_environment, tell, write_docs

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results.json"
DOCS = ROOT / "docs" / "benchmarks.md"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="paired rounds (default: 9)")
    parser.add_argument("--chunks", type=int, default=2000, help="chunks an answer (default: 2000)")
    parser.add_argument("--pairs", type=int, default=200, help="first tokens (default: 200)")
    parser.add_argument("--imports", type=int, default=15, help="rounds of imports (default: 15)")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, shorter answers")
    parser.add_argument("--json", type=Path, default=RESULTS, help=f"default: {RESULTS.name}")
    parser.add_argument(
        "--write-docs", action="store_true", help=f"put the table into docs/{DOCS.name}"
    )
    given = parser.parse_args()
    if given.quick:
        given.rounds, given.chunks, given.imports, given.pairs = 3, 500, 3, 30
    return given


def main() -> int:
    given = _arguments()
    calm_environment()
    from benchmarks.measure import measure_imports, measure_streams, measure_tools
    from benchmarks.report import summary, table

    imports = measure_imports(given.imports, tell)
    try:
        samples = measure_streams(given.rounds, given.chunks, tell)
        tools = measure_tools(given.pairs, tell)
    except WrongTextError as error:
        tell(f"wrong text: {error}")
        return 1
    found = summary(samples, tools, imports, given.rounds, given.chunks)
    text = table(found)
    print(text)
    given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    if given.write_docs:
        write_docs(DOCS, "table", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
