"""What is in a source distribution."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


GIT = shutil.which("git")


@pytest.mark.skipif(not (GIT and (ROOT / ".git").exists()), reason="this is no checkout")
def test_source_distribution_has_every_file_of_the_project() -> None:
    """Its tests are collected, and `make` works, as in a checkout."""
    command = [str(GIT), "-C", str(ROOT), "ls-files"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert included == sorted({f"/{name.partition('/')[0]}" for name in listed.stdout.splitlines()})
