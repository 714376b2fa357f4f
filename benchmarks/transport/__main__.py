"""The benchmark of the transports: ``python -m benchmarks.transport``.

Compares plain httpx and browser impersonation, sync and async, in one run on loopback: how soon the
service notices that a stream was closed, when timeouts fire, how much memory an unread answer
takes, and the CPU per line. Only the CPU is measured in rounds, against a server in another
process; the server of the other figures is a thread of this process.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.common import WrongTextError, calm_environment, tell, write_docs
from benchmarks.transport.measure import table

DOCS = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transport", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="paired rounds (default: 9)")
    parser.add_argument("--lines", type=int, default=2000, help="lines per answer (default: 2000)")
    parser.add_argument(
        "--write-docs", action="store_true", help=f"put the table into docs/{DOCS.name}"
    )
    given = parser.parse_args()
    calm_environment()
    try:
        text = table(given.rounds, given.lines)
    except WrongTextError as error:
        tell(f"wrong text: {error}")
        return 1
    print(text)
    if given.write_docs:
        write_docs(DOCS, "transport", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
