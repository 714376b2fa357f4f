"""The performance table: ``python -m benchmarks``.

Fails only if a contender reads other text than was sent; a slow machine is no failure.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results.json"
DOCS = ROOT / "docs" / "benchmarks.md"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="paired rounds (default: 9)")
    parser.add_argument("--chunks", type=int, default=2000, help="chunks an answer (default: 2000)")
    parser.add_argument("--imports", type=int, default=15, help="rounds of imports (default: 15)")
    parser.add_argument("--quick", action="store_true", help="3 rounds, 500 chunks, 3 imports")
    parser.add_argument("--json", type=Path, default=RESULTS, help=f"default: {RESULTS.name}")
    parser.add_argument(
        "--write-docs", action="store_true", help=f"put the table into docs/{DOCS.name}"
    )
    given = parser.parse_args()
    if given.quick:
        given.rounds, given.chunks, given.imports = 3, 500, 3
    return given


def _calm_environment() -> None:
    """Neither proxies nor tracing, whatever this shell has."""
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    for name in list(os.environ):
        if name.startswith(("LANGCHAIN_", "LANGSMITH_", "OPENAI_")):
            del os.environ[name]


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    given = _arguments()
    _calm_environment()
    from benchmarks.measure import WrongTextError, measure_imports, measure_streams
    from benchmarks.report import summary, table, write_docs

    imports = measure_imports(given.imports, _tell)
    try:
        samples = measure_streams(given.rounds, given.chunks, _tell)
    except WrongTextError as error:
        _tell(f"wrong text: {error}")
        return 1
    found = summary(samples, imports, given.rounds, given.chunks)
    text = table(found)
    print(text)
    given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    if given.write_docs:
        write_docs(DOCS, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
