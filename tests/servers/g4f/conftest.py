"""What drives g4f: a home of its own, a loopback server, and its classes.

g4f is imported by `theirs` alone, and that by a fixture: the tests can be collected without it.
Where it is missing they fail: a run that showed nothing must not look like one that showed all.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import pytest

from langchain_g4f import ChatG4F
from tests.servers.g4f.server import OpenAIServer

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give g4f a folder for what it writes to the home and the working directory."""
    folder = tmp_path_factory.mktemp("home")
    before = os.getcwd()  # noqa: PTH109 -- what is restored
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        patch.setenv("G4F_DISABLE_CIRCUIT_BREAKER", "1")
        os.chdir(folder)
        yield folder
    os.chdir(before)


@pytest.fixture(scope="session")
def theirs(home: Path) -> Any:
    """Return the module with provider classes that have g4f's own bases."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is discouraged in there is not ours to say
        return import_module("tests.servers.g4f.theirs")


@pytest.fixture(scope="session")
def line() -> str:
    """Return which of the two generations is installed, "old" or "new"."""
    return "old" if version("g4f").startswith("0.5.1.") else "new"


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    """Return a server that speaks chat completions."""
    with OpenAIServer() as running:
        yield running


@pytest.fixture
def model(theirs: Any, server: OpenAIServer) -> ChatG4F:
    """Return a chat model of g4f's template for OpenAI-like services."""
    return ChatG4F(
        provider=theirs.OpenAILike, model="loopback-1", base_url=server.base_url, max_retries=0
    )


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what was driven."""
    try:
        driven = version("g4f")
    except PackageNotFoundError:
        return
    terminalreporter.write_line(f"driven: g4f {driven}")
