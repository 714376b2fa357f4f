"""What is in the package and its source distribution, and what people are told to install."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from importlib import resources
from pathlib import Path

import pytest

import langchain_g4f
from langchain_g4f.core.extras import how_to_install

PACKAGE = Path(langchain_g4f.__file__).parent
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


def test_package_is_installed_from_the_checkout() -> None:
    """Its name on the public index belongs to other people."""
    assert how_to_install("cli,browser").endswith('pip install -e ".[cli,browser]"')


def test_no_text_names_the_package_of_the_public_index() -> None:
    """Whoever reads it may be about to hand over cookies."""
    folders = (PACKAGE, PACKAGE.parent / "docs", PACKAGE.parent / "examples")
    texts = [*(f for folder in folders for f in folder.rglob("*.*")), PACKAGE.parent / "README.md"]
    for path in texts:
        if path.suffix in (".py", ".md"):
            said = path.read_text(encoding="utf-8")
            assert not re.search(r"pip install\s+['\"]?langchain[-_]g4f", said), path


def test_extras_that_are_named_exist() -> None:
    """A misspelled one is installed without a word."""
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    named = re.compile(r"how_to_install\([\"']([^\"']+)[\"']\)")
    found = {
        extra
        for path in PACKAGE.rglob("*.py")
        for group in named.findall(path.read_text(encoding="utf-8"))
        for extra in group.split(",")
    }
    assert found
    assert found <= project["project"]["optional-dependencies"].keys()


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
