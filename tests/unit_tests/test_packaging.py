"""What is in a source distribution."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(
    not (shutil.which("git") and (ROOT / ".git").exists()), reason="this is no checkout"
)
def test_source_distribution_has_every_file_of_the_project() -> None:
    """Its tests are collected, and `make` works, as in a checkout."""
    listed = subprocess.run(
        ["git", "ls-files"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert included == sorted({f"/{name.partition('/')[0]}" for name in listed.stdout.splitlines()})
