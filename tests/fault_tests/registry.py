"""The providers under test; tests of the generic rows of the matrix get a provider from here.

A provider joins by one entry in `PROVIDERS`, in a module of its own beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.fault_tests.gradio_entry import PHI4
from tests.fault_tests.huggingchat_entry import HUGGINGCHAT
from tests.fault_tests.provider import (
    CANARY,
    PATIENT,
    After,
    Hear,
    Part,
    Provider,
    cut,
    end,
    hang,
    reset,
)

PROVIDERS = (HUGGINGCHAT, PHI4)


def fault(*rows: int, only: str = "") -> pytest.MarkDecorator:
    """Run a test for each provider that has these rows of the matrix."""
    return pytest.mark.parametrize(
        "provider",
        [pytest.param(p, id=p.key, marks=_marks(p, rows)) for p in _chosen(only)],
    )


def fault_cases(
    *rows: int, of: Callable[[Provider], Mapping[str, Any]], only: str = ""
) -> pytest.MarkDecorator:
    """Run a test for each provider that has these rows, and for each case it has."""
    return pytest.mark.parametrize(
        ("provider", "case"),
        [
            pytest.param(p, case, id=f"{name}-{p.key}", marks=_marks(p, rows))
            for p in _chosen(only)
            for name, case in of(p).items()
        ],
    )


def _chosen(only: str) -> list[Provider]:
    return [provider for provider in PROVIDERS if only in ("", provider.key)]


def _marks(provider: Provider, rows: tuple[int, ...]) -> pytest.MarkDecorator:
    return pytest.mark.proves(*(f"fault:{row}:{provider.key}" for row in rows))


__all__ = [
    "CANARY",
    "HUGGINGCHAT",
    "PATIENT",
    "PHI4",
    "PROVIDERS",
    "After",
    "Hear",
    "Part",
    "Provider",
    "cut",
    "end",
    "fault",
    "fault_cases",
    "hang",
    "reset",
]
