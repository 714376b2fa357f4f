"""The providers under test; tests of the generic rows of the matrix get a provider from here.

A provider joins by one entry in `PROVIDERS`, in a module of its own beside this one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.contract.faults.flowgpt_entry import FLOWGPT
from tests.contract.faults.gradio_entry import PHI4
from tests.contract.faults.huggingchat_entry import HUGGINGCHAT
from tests.contract.faults.provider import (
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
from tests.evidence import ledger

PROVIDERS = (HUGGINGCHAT, PHI4, FLOWGPT)

Where = Callable[[Provider], object]


def fault(
    *rows: int, only: str = "", where: Where = bool, curl: bool = True
) -> pytest.MarkDecorator:
    """Run a test for each provider that has these rows of the matrix.

    It runs on httpx, and on curl where one of the rows is in the curl column.

    Args:
        rows: Their numbers; a provider for which one is "n/a" is left out.
        only: The key of the one provider that the test is about.
        where: What a provider must be like, for the test to say something of it.
        curl: Whether the test says something of curl.
    """
    return pytest.mark.parametrize(
        "provider",
        [
            pytest.param(p, id=repr(p), marks=_marks(p, rows))
            for p in _chosen(rows, only, where, curl=curl)
        ],
    )


def fault_cases(
    *rows: int,
    of: Callable[[Provider], Mapping[str, Any]],
    only: str = "",
    where: Where = bool,
    curl: bool = True,
) -> pytest.MarkDecorator:
    """Run a test for each provider that has these rows, and for each case it has; see `fault`."""
    return pytest.mark.parametrize(
        ("provider", "case"),
        [
            pytest.param(p, case, id=f"{name}-{p!r}", marks=_marks(p, rows))
            for p in _chosen(rows, only, where, curl=curl)
            for name, case in of(p).items()
        ],
    )


def _chosen(rows: tuple[int, ...], only: str, where: Where, *, curl: bool) -> list[Provider]:
    found = [
        provider
        for provider in PROVIDERS
        if only in ("", provider.key) and _ids(provider, rows) <= _owed() and where(provider)
    ]
    if not found:  # a typo, which would skip the test
        msg = f"no provider owes the rows {rows}"
        raise ValueError(msg)
    if curl:
        found += [p for p in map(Provider.on_curl, found) if _ids(p, rows) & _owed()]
    return found


@functools.cache
def _owed() -> frozenset[str]:
    return frozenset(item.id for group in ledger.load_owed() for item in group.items)


def _ids(provider: Provider, rows: tuple[int, ...]) -> frozenset[str]:
    column = f"{provider.key}:curl" if provider.curl else provider.key
    return frozenset(f"fault:{row}:{column}" for row in rows)


def _marks(provider: Provider, rows: tuple[int, ...]) -> pytest.MarkDecorator:
    # of several rows, some may be outside the curl column
    return pytest.mark.proves(*sorted(_ids(provider, rows) & _owed()))


__all__ = [
    "CANARY",
    "FLOWGPT",
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
