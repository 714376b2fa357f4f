"""A short form of a mark."""

from __future__ import annotations

import pytest


def obligations(*numbers: int) -> pytest.MarkDecorator:
    """The mark of a test that shows these obligations (docs/protocols/flowgpt.md, section 9)."""
    return pytest.mark.proves(*(f"obligation:flowgpt:{number}" for number in numbers))
