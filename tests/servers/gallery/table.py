"""Write the table app x version -> result from what a run of the gallery has left in build/.

``python -m tests.servers.gallery.table [--faults] >docs/gradio-gallery.md``
"""

from __future__ import annotations

import ast
import json
import sys

from tests.servers.gallery.gallery import APPS, FOLDER, REPORTS, VERSIONS

HEAD = """# Gradio app gallery

Small apps of our own in the shapes of public ones, on real servers: `make test-gallery` writes this
table. Each is asked for streaming, three turns, a branch, a system prompt and a temperature, four
calls at once, a cancelled call, and for what is special to it. ✓: all is as it should be, or there
is a clear error where that is right. –: this version cannot run the app.
"""


def faults_of(version: str, app: str) -> dict[str, str] | None:
    """Return what was wrong, by check and way; None if the app has not run."""
    report = REPORTS / version / f"{app}.json"
    found: dict[str, str] | None = json.loads(report.read_text()) if report.exists() else None
    return found


def cell(version: str, app: str) -> str:
    """Return the result of one app on one version."""
    if not APPS[app].on(version):
        return "–"
    faults = faults_of(version, app)
    checks = ", ".join(dict.fromkeys(each.partition(",")[0] for each in faults or ()))
    return "not run" if faults is None else checks or "✓"


def rows() -> list[list[str]]:
    """Return the rows of the table, the head first."""
    found = [["app", "pattern", *VERSIONS], ["---"] * (2 + len(VERSIONS))]
    for app in APPS:
        text = ast.get_docstring(ast.parse((FOLDER / "apps" / f"{app}.py").read_text("utf-8")))
        found.append([f"`{app}`", str(text).rstrip("."), *(cell(each, app) for each in VERSIONS)])
    return found


if __name__ == "__main__":
    print(HEAD, *(f"| {' | '.join(row)} |" for row in rows()), sep="\n")  # noqa: T201
    for version, app in ((v, a) for v in VERSIONS for a in APPS if "--faults" in sys.argv):
        for check, fault in (faults_of(version, app) or {}).items():
            print(f"* {version} `{app}` {check}: {fault[:150]}".replace("\n", " "))  # noqa: T201
