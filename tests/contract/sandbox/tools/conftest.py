"""Services for a test, one of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.contract.sandbox.tools.service import NATIVE, SERVICES, Serve, Service, service


@pytest.fixture(params=SERVICES)
def serve(request: pytest.FixtureRequest) -> Iterator[Serve]:
    """Starts a service, given the lines of its model."""
    yield from _serve(request.param)


@pytest.fixture(params=NATIVE)
def serve_native(request: pytest.FixtureRequest) -> Iterator[Serve]:
    """Starts a service that keeps conversations."""
    yield from _serve(request.param)


def _serve(kind: str) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(*lines: str, model: str | None = None) -> Service:
            return stack.enter_context(service(kind, *lines, model=model))

        yield start
