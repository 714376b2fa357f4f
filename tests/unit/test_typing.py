from __future__ import annotations

import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

import langchain_g4f

ROOT = Path(__file__).parents[2]


@pytest.mark.proves("promise:typed")
def test_package_ships_its_types() -> None:
    """The marker file that type checkers look for is part of the package."""
    assert resources.files(langchain_g4f).joinpath("py.typed").is_file()


@pytest.mark.proves("promise:typed")
def test_ordinary_use_type_checks_in_a_project_of_its_own(tmp_path: Path) -> None:
    """Strict mypy, with no plugin and none of our settings, finds nothing wrong with it."""
    usage = tmp_path / "usage.py"
    shutil.copy(ROOT / "tests" / "typing" / "api.py", usage)
    cache = ROOT / ".mypy_cache" / "usage"  # the first run takes ten seconds
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", cache, usage],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.stdout == "Success: no issues found in 1 source file\n"
