"""Calls of one function of an app (docs/protocols/gradio-space.md, sections 2 and 3)."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from langchain_g4f.core.events import Event, Finish, Text
from langchain_g4f.core.http import Headers, Request, Response, ResponseHead, RetryWhen
from langchain_g4f.core.plan import Send, Stream, StreamEnd
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    AppError,
    BadRequestError,
    MalformedStreamError,
    QueueFullError,
    ServerError,
    SpaceNotRunningError,
    StreamInterruptedError,
)
from langchain_g4f.providers.gradio_space.answer import AnswerDiffer, OutputCollector
from langchain_g4f.providers.gradio_space.app import Function
from langchain_g4f.providers.gradio_space.client import JOIN, FunctionClient
from langchain_g4f.providers.gradio_space.content import read_output
from tests.unit.providers.gradio_space.fake_space import APP, FakeSpace
from tests.unit.providers.gradio_space.replies import (
    Reply,
    completed,
    events,
    failed,
    generating,
    page,
    reply,
)

CANARY = "canary-f3a91c77d2"
HEADERS = {"authorization": f"Bearer {CANARY}", "referer": "https://page"}
GPU = {"x-zerogpu-token": f"{CANARY}-gpu"}
CLIENT = FunctionClient(f"{APP}/gradio_api", "hash", 8, HEADERS, GPU)
BODY = {
    "data": ["é", None],
    "event_data": None,
    "fn_index": 11,
    "trigger_id": 8,
    "session_hash": "hash",
}
DIRECT: dict[str, Any] = {"queue": False, "generator": False}


def function(*, queue: bool = True, generator: bool = True, name: str = "respond") -> Function:
    """A function with two inputs."""
    return Function(
        11, name, (1, 4), (1, 4), (), None, queue, generator, backend_fn=True, public=True
    )


def run(fake: FakeSpace, client: FunctionClient = CLIENT, **kind: Any) -> list[Event]:
    """The events of a call of the function; its first output is the answer."""
    differ = AnswerDiffer(read_output, 0, f"{APP}/gradio_api/file=")
    return list(fake.play(client.call(function(**kind), ["é", None], differ, fake.context)))


def queue(*messages: Any, **more: Any) -> FakeSpace:
    """A queue with these events."""
    table: Any = {"queue/join": reply({"event_id": "e"}), "queue/data": events(*messages), **more}
    return FakeSpace(table)


@pytest.mark.proves("obligation:gradio-space:3", "obligation:gradio-space:21")
def test_queued_function_is_joined_and_listened_to() -> None:
    """The headers that name who pays go with the call only."""
    fake = queue(generating("a"), completed("ab"))
    assert run(fake) == [Text("a"), Text("b"), Finish()]
    assert fake.sent("queue/join") == [BODY]
    join, listen = fake.requests
    assert (join.method, join.retry, join.phase) == ("POST", RetryWhen.NOT_SENT, JOIN)
    assert join.headers == {**HEADERS, **GPU, "content-type": "application/json"}
    assert listen.url == f"{APP}/gradio_api/queue/data?session_hash=hash"
    assert (listen.method, listen.retry) == ("GET", RetryWhen.NOT_PROCESSED)
    assert listen.headers == {**HEADERS, "accept": "text/event-stream"}
    # a direct call returns the first piece only
    assert run(queue(completed("a")), generator=False) == [Text("a"), Finish()]
    assert run(queue(completed("a")), queue=False) == [Text("a"), Finish()]


@pytest.mark.parametrize("name", ["respond", ""])
def test_other_function_is_called_directly(name: str) -> None:
    """An error names it."""
    answer = reply({"data": ["a", None], "is_generating": False})
    fake = FakeSpace({"run/predict": [answer, page(503)]})
    assert run(fake, name=name, **DIRECT) == [Text("a"), Finish()]
    assert fake.sent("run/predict") == [BODY]
    (request,) = fake.requests
    assert request.headers["x-zerogpu-token"] == f"{CANARY}-gpu"
    assert (request.retry, request.phase) == (RetryWhen.NOT_SENT, f"run {name or 'a function'}")
    with pytest.raises(ServerError) as caught:
        run(fake, name=name, **DIRECT)
    assert caught.value.phase == request.phase


@pytest.mark.proves("obligation:gradio-space:16")
@pytest.mark.parametrize(("can_cancel", "path"), [(True, "cancel"), (False, "reset")])
def test_call_that_is_given_up_is_cancelled_by_its_ids(can_cancel: bool, path: str) -> None:
    """From the moment it has joined the queue; older apps have another path."""
    client = replace(CLIENT, can_cancel=can_cancel)
    steps = client.call(function(), [], OutputCollector(), FakeSpace().context)
    assert isinstance(next(steps), Send)
    effect = steps.send(Response(200, Headers([]), APP, b'{"event_id": "e"}'))
    assert isinstance(effect, Stream)
    assert effect.already_started
    assert effect.abort is not None
    cancel = effect.abort()
    assert cancel.url == f"{APP}/gradio_api/{path}"
    ids = {"session_hash": "hash", "fn_index": 11, "event_id": "e"}
    assert json.loads(cancel.body) == ids  # type: ignore[arg-type]  # bytes
    assert isinstance(effect.make_request(), Request)
    effect.make_decoder(ResponseHead(200, Headers([("content-type", "text/event-stream")])))
    with pytest.raises(StopIteration):
        steps.send(StreamEnd(""))


@pytest.mark.proves("obligation:gradio-space:11")
def test_stream_that_is_cut_is_interrupted() -> None:
    """The error has the partial text."""
    with pytest.raises(StreamInterruptedError) as caught:
        run(queue(generating("a")))
    assert caught.value.partial_text == "a"


def test_skipped_events_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Once for each call that had any."""
    with caplog.at_level(logging.DEBUG, "langchain_g4f"):
        run(queue({"msg": "weather"}, completed("a")))
        run(queue(completed("a")))
        with pytest.raises(APIConnectionError):
            run(queue(**{"queue/data": APIConnectionError("x")}))
    assert caplog.messages == ["gradio_space: skipped {'weather': 1}"]


FULL = "Queue is full. Max size is 4 and size is 4."
NAMELESS: list[Any] = [{}, {"event_id": None}, [], None]
MISSING = {"detail": [{"type": "missing", "loc": ["body"]}]}


@pytest.mark.proves("obligation:gradio-space:17", "obligation:gradio-space:18")
@pytest.mark.proves("obligation:gradio-space:20", "fault:10:PH", "fault:11:PH")
@pytest.mark.parametrize(
    ("path", "response", "kind", "said"),
    [
        ("queue/join", reply({"detail": FULL}, 503), QueueFullError, "503: Queue is full. Max"),
        ("queue/join", page(503), ServerError, "503"),
        ("queue/join", reply({"detail": "Queue is stopped."}, 503), ServerError, "stopped"),
        ("queue/join", Reply(b"Queue is full", 503, "text/plain"), ServerError, "503"),
        ("queue/join", Reply(b"Traceback", 500, "text/plain"), ServerError, "500"),
        ("queue/join", reply(MISSING, 422), BadRequestError, "missing"),
        *(("queue/join", reply(body), MalformedStreamError, "'event_id'")
          for body in NAMELESS),
        ("run/predict", reply({"error": "it broke"}, 500), AppError, "an error: it broke"),
        ("run/predict", reply({"error": None}, 500), AppError, "does not say why"),
        ("run/predict", Reply(b"Internal Server Error", 500, "text/plain"), ServerError, "500"),
        ("run/predict", page(503), ServerError, "503"),
        ("run/predict", reply({"detail": "x"}, 422), BadRequestError, "422"),
        ("run/predict", reply({}), MalformedStreamError, "'data'"),
        ("run/predict", page(), MalformedStreamError, "JSON"),
    ],
)  # fmt: skip
def test_refused_call_has_the_error_of_its_cause(
    path: str, response: Reply, kind: type[APIError], said: str
) -> None:
    """JSON comes from the app, a page from the platform; a page is not quoted."""
    fake = queue(**{path: response})
    with pytest.raises(kind, match=said) as caught:
        run(fake, **(DIRECT if path == "run/predict" else {}))
    error = caught.value
    assert (isinstance(error, QueueFullError), "<" in str(error)) == (kind is QueueFullError, False)
    assert not isinstance(error, SpaceNotRunningError)
    assert error.__cause__ is None
    if isinstance(error, QueueFullError):
        assert (error.status_code, error.body, error.is_retryable) == (503, FULL, True)


@pytest.mark.proves("obligation:gradio-space:21")
def test_credentials_are_in_no_error_and_no_repr() -> None:
    """Even if the app prints its headers; an empty credential masks nothing."""
    assert CANARY not in repr(CLIENT)
    with pytest.raises(AppError) as caught:
        run(queue(failed(f"got {CANARY} and {CANARY}-gpu")))
    assert CANARY not in f"{caught.value} {vars(caught.value)}"
    with pytest.raises(AppError, match=r"an error: x$"):
        run(queue(failed("x")), FunctionClient(f"{APP}/gradio_api", "hash", None, {}, {}))
