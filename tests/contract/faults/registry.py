"""The providers under test, and the mark that runs a test for those that owe a row of the matrix.

A provider joins by one entry in `PROVIDERS`, in a module of its own beside this one.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any, TypeVar

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

SYNC_AND_ASYNC = ("invoke", "astream")
STREAMS = ("stream", "astream")

Where = Callable[[Provider], object]
Table = Mapping[str, Any] | Sequence[Any] | Callable[[Provider], Mapping[str, Any]]
Test = TypeVar("Test", bound=Callable[..., Any])


def fault(
    *rows: int,
    only: str = "",
    where: Where = bool,
    curl: bool = True,
    ways: Sequence[str] = SYNC_AND_ASYNC,
    each: bool = False,
    **table: Table,
) -> Callable[[Test], Test]:
    """Run a test for the providers that owe these rows of the matrix, without multiplying it.

    The first provider proves the mechanism that all of them share: in every way and every case,
    on httpx and (where a row is in the curl column) on curl. Each other provider has one case.

    Args:
        rows: Their numbers; a provider for which one is "n/a" is left out.
        only: The key of the one provider that the test is about.
        where: What a provider must be like, for the test to say something of it.
        curl: Whether the test says something of curl.
        ways: Of asking; the argument `way` of the test. Where there is a table, its cases take
            turns.
        each: Whether the table is about the providers' own code, so that all have every case.
        table: One argument of the test and its values, perhaps made for a provider.
    """
    chosen = _chosen(rows, only, where, curl=curl)

    def mark(test: Test) -> Test:
        wanted = inspect.signature(test).parameters.keys() - _given(test)
        names = [name for name in ("provider", "way", *table) if name in wanted]
        marked: Test = pytest.mark.parametrize(
            names,
            [
                pytest.param(
                    *(case[name] for name in names), id=_id(case), marks=_marks(case, rows)
                )
                for case in _cases(chosen, ways if "way" in names else [""], table, each=each)
            ],
        )(test)
        return marked

    return mark


def _given(test: Callable[..., Any]) -> set[str]:
    """The arguments that other marks of the test give."""
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    found = [mark.args[0] for mark in marks]
    return {name for each in found for name in ([each] if isinstance(each, str) else each)}


def _cases(
    chosen: Sequence[Provider], ways: Sequence[str], table: Mapping[str, Table], *, each: bool
) -> Iterator[dict[str, Any]]:
    [(name, values)] = table.items() or [("", [""])]
    lead, in_turn = chosen[0].key, cycle(ways)
    for provider in chosen:
        cases = _values(values, provider)
        if provider.key != lead and not each:
            cases = dict([*cases.items()][:1])
        for case_id, value in cases.items():
            one = [next(in_turn)]
            for way in ways if provider.key == lead and not table else one:
                yield {"provider": provider, "way": way, name: value, "id": case_id}


def _id(case: Mapping[str, Any]) -> str:
    return "-".join(filter(None, [repr(case["provider"]), case["way"], case["id"]]))


def _values(table: Table, provider: Provider) -> Mapping[str, Any]:
    values = table(provider) if callable(table) else table
    if isinstance(values, Mapping):
        return values
    return {getattr(value, "__name__", str(value)): value for value in values}


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


def _marks(case: Mapping[str, Any], rows: tuple[int, ...]) -> pytest.MarkDecorator:
    # of several rows, some may be outside the curl column
    return pytest.mark.proves(*sorted(_ids(case["provider"], rows) & _owed()))


__all__ = [
    "CANARY",
    "FLOWGPT",
    "HUGGINGCHAT",
    "PATIENT",
    "PHI4",
    "PROVIDERS",
    "STREAMS",
    "SYNC_AND_ASYNC",
    "After",
    "Hear",
    "Part",
    "Provider",
    "cut",
    "end",
    "fault",
    "hang",
    "reset",
]
