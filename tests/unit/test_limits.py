"""The numbers: finite, and each can be changed."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from langchain_g4f.core.limits import Clocks, Limits, Sizes
from langchain_g4f.errors import ConfigurationError

NAMES = [field.name for field in fields(Clocks)]


def test_clocks_by_default_are_the_written_policy() -> None:
    """The numbers of docs/fault-matrix.md, section 2."""
    assert Clocks() == Clocks(
        connect=5,
        pool=10,
        write=30,
        first_event=60,
        silence=30,
        idle=60,
        queue=300,
        linger=5,
        abort=1.2,
        total=600,
    )


def test_sizes_by_default_are_the_written_policy() -> None:
    """The numbers of docs/fault-matrix.md, section 2."""
    sizes = Sizes()
    assert (sizes.line, sizes.response) == (8 << 20, 64 << 20)
    assert (sizes.error_body, sizes.attachment) == (64 << 10, 20 << 20)
    assert sizes.retry_after_s == 60


@pytest.mark.proves("promise:clocks")
@pytest.mark.parametrize("name", NAMES)
def test_clock_set_by_itself_leaves_the_others(name: str) -> None:
    """Every clock is an argument of its own."""
    clocks = Clocks(**{name: 1.25})
    assert getattr(clocks, name) == 1.25
    assert replace(clocks, **{name: getattr(Clocks(), name)}) == Clocks()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seconds", [0, -1, math.inf, -math.inf, math.nan])
def test_clock_that_is_not_positive_and_finite_is_refused(name: str, seconds: float) -> None:
    """A clock may be changed, never removed; the error names it."""
    with pytest.raises(ConfigurationError, match=repr(name)):
        Clocks(**{name: seconds})


@pytest.mark.proves("promise:clocks")
@pytest.mark.parametrize("total", [0.5, 7, 600, 1000])
def test_clocks_within_a_number_cut_each_to_it(total: float) -> None:
    """A single number is the total, and no other clock is longer."""
    clocks = Clocks.within(total)
    assert clocks.total == total
    for name in set(NAMES) - {"total"}:
        assert getattr(clocks, name) == min(getattr(Clocks(), name), total)


@pytest.mark.parametrize("total", [0, -3, math.inf, math.nan])
def test_clocks_within_no_number_of_seconds_are_refused(total: float) -> None:
    """A total that is not a time is an error, not an endless call."""
    with pytest.raises(ConfigurationError):
        Clocks.within(total)


def test_limits_cannot_be_changed_in_place() -> None:
    """They are shared by calls, so a change needs a new object."""
    limits = Limits()
    assert (limits.clocks, limits.sizes) == (Clocks(), Sizes())
    with pytest.raises(FrozenInstanceError):
        limits.clocks = Clocks(total=1)  # type: ignore[misc]
