"""What a call asks its driver to do, answered by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from langchain_g4f.core.context import CallContext
from langchain_g4f.core.events import Event, Finish, Text, Title
from langchain_g4f.core.http import Headers, Request, ResponseHead
from langchain_g4f.core.plan import Plan, Resolve, resolve, send, stream
from langchain_g4f.errors import APIConnectionError
from langchain_g4f.run.call import Call
from langchain_g4f.run.operations import CLOSE, READ, Open
from langchain_g4f.transport.retry import RetryBudget
from tests.unit.run.service import URL, Decoder, FakeService, Reply, request


def steps_of(plan: Plan, context: CallContext) -> Any:
    """The operations of a plan."""
    return Call(plan, context, RetryBudget()).steps()


@pytest.mark.parametrize("plan", [lambda: send(request("x")), lambda: resolve("h", 80)])
@pytest.mark.parametrize("outcome", [b"bytes", None])
def test_outcome_of_another_operation_is_a_type_error(plan: Any, outcome: object) -> None:
    """A driver that mixes up outcomes is found out at once."""
    steps = steps_of(plan(), FakeService().context())
    next(steps)
    with pytest.raises(TypeError):
        steps.send(outcome)


def test_host_is_looked_up_within_what_is_left_of_the_total() -> None:
    """The resolver cannot be waited for longer than the call may take."""
    steps = steps_of(resolve("example.com", 443), FakeService().context())  # type: ignore[arg-type]
    assert next(steps) == Resolve("example.com", 443, 600)


def test_request_to_an_address_brings_no_cookies_and_takes_none() -> None:
    """Whoever is asked at a given address is not the service."""
    context = FakeService().context(cookies={"a": "1"})

    def plan() -> Plan:
        yield from send(lambda: Request("GET", f"{URL}/x", address="192.0.2.1"))

    steps = steps_of(plan(), context)
    operation = next(steps)
    assert isinstance(operation, Open)
    assert "cookie" not in operation.request.headers
    assert steps.send(ResponseHead(200, Headers([("set-cookie", "a=2; Path=/")]))) is READ
    assert steps.send(None) is CLOSE
    assert context.cookies.header_for(URL) == "a=1"


async def test_redirect_is_a_response_where_the_plan_wants_it(mode: str) -> None:
    """Its body is not read, and the connection is closed."""

    def plan() -> Plan:
        response = yield from send(request("x"), redirects=True)
        yield Title(f"{response.status} {response.headers.get('location')} {response.body!r}")

    service = FakeService(x=Reply([b"elsewhere"], status=302, headers={"location": "/y"}))
    assert await service.call(mode, plan()).all() == [Title("302 /y b''")]
    assert service.asked == ["x"]
    assert service.open_bodies == 0


@pytest.mark.parametrize(("ending", "whole"), [(b"", False), (b"$", True)])
async def test_end_of_the_body_may_complete_the_answer(
    ending: bytes, whole: bool, mode: str
) -> None:
    """A decoder that held something back gives it out, and may be finished by that."""

    class Holding(Decoder):
        def close(self) -> Iterator[Event]:
            yield Title("before the end")
            yield Text("held")
            if ending:
                self.finished = True
                yield Finish()

    def plan() -> Plan:
        end = yield from stream(request("x"), Holding, abort=request("stop"))
        yield Title(f"{end.text} {end.error is None}")

    service = FakeService(x=Reply([b"a"]))
    events = await service.call(mode, plan()).all()
    assert events[:3] == [Text("a"), Title("before the end"), Text("held")]
    assert events[-1] == Title(f"aheld {whole}")
    assert service.asked == ["x", *["stop"] * (not whole)]


async def test_host_is_looked_up_for_the_plan(mode: str) -> None:
    """The addresses of a host, or an error the plan can catch."""

    def plan() -> Plan:
        yield Title(",".join((yield from resolve("127.0.0.1", 80))))
        try:
            yield from resolve("a" * 64 + ".example", 80)
        except APIConnectionError as error:
            yield Title(error.provider)

    assert await FakeService().call(mode, plan()).all() == [Title("127.0.0.1"), Title("example")]
