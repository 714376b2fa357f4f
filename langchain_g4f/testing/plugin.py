"""pytest plugin: the fixture `g4f_sandbox`. Loading it imports nothing else of this package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_g4f.testing.sandbox import Sandbox


@pytest.fixture
def g4f_sandbox() -> Iterator[Sandbox]:
    """Run a sandbox of the current chat-ui for the duration of one test."""
    from langchain_g4f.testing.sandbox import Sandbox

    with Sandbox() as sandbox:
        yield sandbox
