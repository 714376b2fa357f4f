"""The benchmark of Gradio apps: ``python -m benchmarks.gradio``, on real servers 5 and 6.

Fails only if a client reads a different text than was sent; a slow machine is not a failure.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.common import WrongTextError, calm_environment, tell, write_docs

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results-gradio.json"
DOCS = ROOT / "docs" / "benchmarks.md"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gradio", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a round or two: rough figures")
    parser.add_argument("--least", action="store_true", help="one round of short answers: a check")
    parser.add_argument("--json", type=Path, default=RESULTS, help=f"default: {RESULTS.name}")
    parser.add_argument(
        "--write-docs", action="store_true", help=f"put the tables into docs/{DOCS.name}"
    )
    return parser.parse_args()


def main() -> int:
    given = _arguments()
    calm_environment()
    from benchmarks.gradio.decoder import measure_decoder
    from benchmarks.gradio.measure import LINES, Rounds, measure_line
    from benchmarks.gradio.report import summary, tables

    rounds = Rounds()
    if given.quick:
        rounds = Rounds(first=5, answer=2, paced=1, growth=1, decoder=3)
    if given.least:
        rounds = Rounds(first=1, answer=1, paced=1, growth=1, decoder=1, short=5, long=20)
    try:
        decoder = measure_decoder(rounds.decoder, rounds.short, rounds.long)
        lines = {line: measure_line(line, rounds, tell) for line in LINES}
    except WrongTextError as error:
        tell(f"wrong text: {error}")
        return 1
    found = summary(lines, decoder, rounds)
    text = tables(found)
    print(text)
    given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    if given.write_docs:
        write_docs(DOCS, "gradio", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
