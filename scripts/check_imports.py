"""Import every module of the package by itself, and hold the import rules a linter cannot see.

Each module is imported in an interpreter of its own, so that a module which works only after
another one was imported fails here. Two light imports must stay light. On the floors without I/O
there is no `async`, and below the top floors only two named parts of langchain_core are used.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "langchain_g4f"

LIGHT_STATEMENTS = (f"import {PACKAGE}", f"from {PACKAGE} import ChatHuggingChat")
HEAVY = ("curl_cffi", "httpx", "rich", "starlette", "typer", "uvicorn")

SHOWN = 5  # lines of a traceback, the last

WITHOUT_ASYNC = ("auth", "codecs", "media", "providers", "text", "tools")
LANGCHAIN_PARTS = {
    f"{PACKAGE}.errors": "langchain_core.exceptions",
    f"{PACKAGE}.tools.schema": "langchain_core.utils.function_calling",
}


def find_modules(root: Path = ROOT) -> dict[str, Path]:
    """Return the files of the package by dotted module name."""
    modules = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


def run_statement(statement: str) -> str | None:
    """Run one statement in a fresh interpreter; return what it complained about, or None."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", statement],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if done.returncode == 0:
        return None
    end = done.stderr.strip().splitlines()[-SHOWN:]
    return "\n    ".join([statement.splitlines()[0], *end])


def light_statement(statement: str) -> str:
    """Return a program that runs the statement and fails when it loaded something heavy."""
    return (
        f"{statement}\n"
        "import sys\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "sys.exit('loads ' + ', '.join(loaded) if loaded else 0)"
    )


def check_source(name: str, source: str) -> list[str]:
    """Return what the source of one module does against the rules."""
    faults = []
    floor = name.split(".")[1] if "." in name else ""
    allowed = LANGCHAIN_PARTS.get(name)
    for node in ast.walk(ast.parse(source)):
        line = getattr(node, "lineno", 0)
        if floor in WITHOUT_ASYNC and isinstance(
            node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith
        ):
            faults.append(f"{name}, line {line}: async on a floor without I/O")
        if allowed is None:
            continue
        imported = []
        if isinstance(node, ast.Import):
            imported = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported = [f"{node.module}.{alias.name}" for alias in node.names]
        faults += [
            f"{name}, line {line}: imports {module}, may only import from {allowed}"
            for module in imported
            if module.split(".")[0] == "langchain_core"
            and not f"{module}.".startswith(f"{allowed}.")
        ]
    return faults


def main() -> int:
    modules = find_modules()
    if not modules:
        print(f"no modules found under {ROOT / PACKAGE}")
        return 1
    programs = [f"import {name}" for name in modules]
    programs += [light_statement(statement) for statement in LIGHT_STATEMENTS]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        faults = [fault for fault in pool.map(run_statement, programs) if fault]
    for name, path in modules.items():
        faults += check_source(name, path.read_text(encoding="utf-8"))
    for fault in faults:
        print(fault)
    print(f"{len(modules)} modules imported, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
