"""A blocking call that is interrupted, as by Ctrl-C: closed, stopped, and raised unchanged."""

from __future__ import annotations

import signal
from dataclasses import replace
from types import FrameType
from typing import NoReturn

import pytest

from tests.contract.faults.byte_server import Action, Exchange
from tests.contract.faults.harness import assert_nothing_open
from tests.contract.faults.registry import PATIENT, Provider, fault, hang

REASON = "the caller went home"
SOON_S = 0.05


class InterruptError(BaseException):
    """What a signal handler raises, as Ctrl-C does."""


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise InterruptError(REASON)


def _soon(action: Action) -> Action:
    """Have the caller interrupted while this goes on."""

    def act(exchange: Exchange) -> None:
        signal.setitimer(signal.ITIMER_REAL, SOON_S)
        action(exchange)

    return act


@fault(36)
@pytest.mark.parametrize("way", ["invoke", "stream"])
@pytest.mark.parametrize("phase", ["create", "head", "body"])
def test_blocking_call_that_is_interrupted(provider: Provider, way: str, phase: str) -> None:
    """Ctrl-C in a blocking call: closed, stopped where there is a run, and raised unchanged."""
    pieces = [*provider.start, provider.token("Hello")]
    part, action, more = {
        "create": (provider.good_call[0], Exchange.never_answer, ()),
        "head": (provider.answer, Exchange.never_answer, provider.abort),
        "body": (provider.answer, provider.answering(*pieces, then=hang), provider.abort),
    }[phase]
    before = signal.signal(signal.SIGALRM, _interrupt)
    try:
        with provider.server(**{part: _soon(action)}) as server:
            model = provider.model(server, timeout=replace(PATIENT, abort=1))
            with pytest.raises(InterruptError, match=REASON):
                list(model.stream("hi")) if way == "stream" else model.invoke("hi")
            assert_nothing_open()
            assert provider.asked(server) == (*provider.until(part), *more)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
