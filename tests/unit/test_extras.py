"""What people are told to install."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import langchain_g4f
from langchain_g4f.core.extras import how_to_install

PACKAGE = Path(langchain_g4f.__file__).parent


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
