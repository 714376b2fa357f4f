"""What no linter holds about the source itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("langchain_g4f", "tests", "scripts", "benchmarks", "examples")
WITHOUT_ASYNC = ("auth", "codecs", "media", "providers", "text", "tools")


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_file_is_over_400_lines(folder: str) -> None:
    """A longer one holds two things. One that has a reason says so: `# Over 400 lines: ...`."""
    texts = {path: path.read_text(encoding="utf-8") for path in (ROOT / folder).rglob("*.py")}
    assert [
        path for path, text in texts.items()
        if text.count("\n") > 400 and "# Over 400 lines: " not in text[:1000]
    ] == []  # fmt: skip


@pytest.mark.parametrize("floor", WITHOUT_ASYNC)
def test_floor_without_io_has_no_async_code(floor: str) -> None:
    """What does no I/O serves the sync world and the async one alike."""
    for path in (ROOT / "langchain_g4f" / floor).rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        assert not any(isinstance(node, ast.AsyncFunctionDef | ast.Await) for node in nodes), path
