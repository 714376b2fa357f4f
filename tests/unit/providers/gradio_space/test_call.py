"""One function of an app is run (docs/protocols/gradio-space.md, sections 2 and 3)."""

from __future__ import annotations

import json
import logging
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
from langchain_g4f.providers.gradio_space import Function
from langchain_g4f.providers.gradio_space.answer import AnswerReader, OutputReader
from langchain_g4f.providers.gradio_space.call import JOIN, Line
from langchain_g4f.providers.gradio_space.content import answer_in_output
from tests.unit.providers.gradio_space.replies import (
    Reply,
    completed,
    events,
    failed,
    generating,
    page,
    reply,
)
from tests.unit.providers.gradio_space.world import APP, World

CANARY = "canary-f3a91c77d2"
LINE = Line(
    f"{APP}/gradio_api",
    "hash",
    8,
    {"authorization": f"Bearer {CANARY}", "referer": "https://page"},
    {"x-zerogpu-token": f"{CANARY}-gpu"},
)
BODY = {
    "data": ["é", None],
    "event_data": None,
    "fn_index": 11,
    "trigger_id": 8,
    "session_hash": "hash",
}


def function(*, queued: bool = True, streams: bool = True, name: str = "respond") -> Function:
    """Make a function with two inputs."""
    return Function(
        11, name, (1, 4), (1, 4), (), None, queued, streams, on_server=True, public=True
    )


def run(world: World, **kind: Any) -> list[Event]:
    """The events of a call of the function, whose first output is the answer."""
    reader = AnswerReader(answer_in_output, 0, f"{APP}/gradio_api/file=")
    return list(world.play(LINE.call(function(**kind), ["é", None], reader, world.context)))


def queue(*messages: Any, **more: Any) -> World:
    """A queue that answers so."""
    table: Any = {"queue/join": reply({"event_id": "e"}), "queue/data": events(*messages), **more}
    return World(table)


@pytest.mark.proves("obligation:gradio-space:3", "obligation:gradio-space:21")
def test_queued_function_is_joined_and_listened_to() -> None:
    """Who pays is said where the function is called, and not where it is listened to."""
    world = queue(generating("a"), completed("ab"))
    assert run(world) == [Text("a"), Text("b"), Finish()]
    join, listen = world.requests
    assert json.loads(join.body) == BODY  # type: ignore[arg-type]  # bytes
    assert (join.method, join.retry, join.phase) == ("POST", RetryWhen.NOT_SENT, JOIN)
    assert join.headers == {
        **LINE.headers,
        **LINE.payer,
        "content-type": "application/json",
    }
    assert listen.url == f"{APP}/gradio_api/queue/data?session_hash=hash"
    assert (listen.method, listen.retry) == ("GET", RetryWhen.NOT_PROCESSED)
    assert listen.headers == {**LINE.headers, "accept": "text/event-stream"}


@pytest.mark.parametrize(("queued", "streams"), [(True, False), (False, True)])
def test_function_that_streams_is_queued_whatever_it_says(queued: bool, streams: bool) -> None:
    """A direct call gives a first piece only."""
    world = queue(completed("a"))
    assert run(world, queued=queued, streams=streams) == [Text("a"), Finish()]


def test_function_that_is_not_queued_is_called_directly() -> None:
    """Its answer is complete at once."""
    world = World({"run/predict": reply({"data": ["a", None], "is_generating": False})})
    assert run(world, queued=False, streams=False) == [Text("a"), Finish()]
    (request,) = world.requests
    assert json.loads(request.body) == BODY  # type: ignore[arg-type]  # bytes
    assert request.headers["x-zerogpu-token"] == f"{CANARY}-gpu"
    assert (request.retry, request.phase) == (RetryWhen.NOT_SENT, "run respond")


@pytest.mark.proves("obligation:gradio-space:16")
def test_call_that_is_given_up_is_cancelled_by_its_names() -> None:
    """From the moment it was joined, not only when it is listened to."""
    steps = LINE.call(function(), [], OutputReader(), World().context)
    assert isinstance(next(steps), Send)
    joined = Response(200, Headers([]), APP, b'{"event_id": "e"}')
    effect = steps.send(joined)
    assert isinstance(effect, Stream)
    assert effect.already_started
    assert effect.abort is not None
    cancel = effect.abort()
    assert cancel.url == f"{APP}/gradio_api/cancel"
    assert json.loads(cancel.body) == {  # type: ignore[arg-type]  # bytes
        "session_hash": "hash",
        "fn_index": 11,
        "event_id": "e",
    }
    assert isinstance(effect.make_request(), Request)
    effect.make_decoder(ResponseHead(200, Headers([("content-type", "text/event-stream")])))
    with pytest.raises(StopIteration):
        steps.send(StreamEnd(""))


@pytest.mark.proves("obligation:gradio-space:11")
def test_stream_that_is_cut_is_interrupted() -> None:
    """What was said is kept."""
    with pytest.raises(StreamInterruptedError) as caught:
        run(queue(generating("a")))
    assert caught.value.partial_text == "a"


def test_skipped_events_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """For whoever looks for a reason; nothing is said where nothing was skipped."""
    with caplog.at_level(logging.DEBUG, "langchain_g4f"):
        run(queue({"msg": "weather"}, completed("a")))
        run(queue(completed("a")))
        with pytest.raises(APIConnectionError):
            run(queue(**{"queue/data": APIConnectionError("x")}))
    assert caplog.messages == ["gradio_space: skipped {'weather': 1}"]


@pytest.mark.proves("obligation:gradio-space:17", "fault:10:PH")
def test_full_queue_is_an_error_of_its_own() -> None:
    """Trying again later may help."""
    text = "Queue is full. Max size is 4 and size is 4."
    with pytest.raises(QueueFullError, match="Max size is 4") as caught:
        run(queue(**{"queue/join": reply({"detail": text}, 503)}))
    assert (caught.value.status_code, caught.value.body) == (503, text)
    assert caught.value.is_retryable


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (page(503), ServerError),
        (reply({"detail": "Queue is stopped."}, 503), ServerError),
        (Reply(b"Queue is full", 503, "text/plain"), ServerError),
        (Reply(b"Traceback", 500, "text/plain"), ServerError),
        (reply({"detail": [{"type": "missing", "loc": ["body"]}]}, 422), BadRequestError),
    ],
)
@pytest.mark.proves("fault:11:PH", "obligation:gradio-space:20")
def test_other_refusals_to_join_stay_what_they_are(answer: Reply, kind: type[APIError]) -> None:
    """A page is the platform's, and is not quoted."""
    with pytest.raises(kind) as caught:
        run(queue(**{"queue/join": answer}))
    assert not isinstance(caught.value, QueueFullError | SpaceNotRunningError)
    assert "<" not in str(caught.value)


@pytest.mark.parametrize("body", [{}, {"event_id": None}, [], None])
def test_queue_that_gives_no_name_is_an_error(body: Any) -> None:
    """Without it no event is ours."""
    with pytest.raises(MalformedStreamError, match="'event_id'"):
        run(queue(**{"queue/join": reply(body)}))


DIRECT: dict[str, Any] = {"queued": False, "streams": False}


@pytest.mark.proves("obligation:gradio-space:17", "obligation:gradio-space:18")
@pytest.mark.parametrize(
    ("error", "said"),
    [("it broke", "the app raised an error: it broke"), (None, "does not say why")],
)
def test_failure_of_a_direct_call_is_the_app_s(error: str | None, said: str) -> None:
    """It has a status, and says as little as on the stream."""
    world = World({"run/predict": reply({"error": error}, 500)})
    with pytest.raises(AppError, match=said) as caught:
        run(world, **DIRECT)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Reply(b"Internal Server Error", 500, "text/plain"), ServerError),
        (page(503), ServerError),
        (reply({"detail": "x"}, 422), BadRequestError),
        (reply({}), MalformedStreamError),
        (page(), MalformedStreamError),
    ],
)
def test_other_failures_of_a_direct_call_stay_what_they_are(
    answer: Reply, kind: type[APIError]
) -> None:
    """The app had no part in them."""
    with pytest.raises(kind):
        run(World({"run/predict": answer}), **DIRECT)


def test_function_without_a_name_is_run_all_the_same() -> None:
    """An error says that it was one."""
    with pytest.raises(ServerError) as caught:
        run(World({"run/predict": page(503)}), name="", **DIRECT)
    assert caught.value.phase == "run a function"


@pytest.mark.proves("obligation:gradio-space:21")
def test_error_does_not_repeat_what_the_app_was_sent() -> None:
    """An app may print its headers."""
    with pytest.raises(AppError) as caught:
        run(queue(failed(f"got {CANARY} and {CANARY}-gpu")))
    assert CANARY not in f"{caught.value} {vars(caught.value)}"


@pytest.mark.proves("obligation:gradio-space:21")
def test_repr_of_a_line_shows_no_credentials() -> None:
    """It stands in many frames."""
    assert CANARY not in repr(LINE)


def test_nothing_is_secret_where_nothing_is_sent() -> None:
    """An empty value would be in every text."""
    world = queue(failed("x"))
    line = Line(f"{APP}/gradio_api", "hash", None, {}, {})
    with pytest.raises(AppError, match=r"an error: x$"):
        list(world.play(line.call(function(), [], OutputReader(), world.context)))
