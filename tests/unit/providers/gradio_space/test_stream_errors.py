"""What ends an event stream before its time (docs/protocols/gradio-space.md, 3 and 5)."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f.core.events import Text
from langchain_g4f.errors import (
    AppError,
    MalformedStreamError,
    QueueFullError,
    ServerStreamError,
    SessionLostError,
    TooLargeError,
)
from tests.unit.providers.gradio_space.replies import completed, failed, generating
from tests.unit.providers.gradio_space.test_stream import CANARY, decode, decoder, lines


@pytest.mark.proves("obligation:gradio-space:17")
@pytest.mark.parametrize(
    "message",
    [
        failed("it broke", title="Model error"),
        {**generating(), "success": False, "output": {"error": "it broke", "title": "Model error"}},
        {**failed("it broke"), "title": "Model error"},
    ],
)
def test_failure_of_the_app_ends_the_call(message: dict[str, Any]) -> None:
    """Before and after its first words."""
    for before in ([], [generating("a")]):
        reading = decoder()
        with pytest.raises(AppError, match="Model error: it broke") as caught:
            list(reading.feed(lines(*before, message)))
        assert caught.value.title == "Model error"
        assert reading.finished


@pytest.mark.proves("obligation:gradio-space:21")
def test_failure_does_not_repeat_a_secret() -> None:
    """An app that prints the headers it got is no reason to log them."""
    for message in (
        failed(CANARY, title=CANARY),
        {"msg": "unexpected_error", "event_id": None, "message": CANARY},
    ):
        with pytest.raises(ServerStreamError) as caught:
            decode(message)
        assert CANARY not in f"{caught.value} {vars(caught.value)}"


@pytest.mark.proves("obligation:gradio-space:11")
@pytest.mark.parametrize(
    ("more", "kind", "said"),
    [
        ({"message": "404: Session not found."}, SessionLostError, "404: Session not found"),
        ({"message": "404: Not Found", "session_not_found": True}, SessionLostError, "404"),
        ({"session_not_found": True}, SessionLostError, "no longer knows the session"),
        ({"message": "'stale'"}, ServerStreamError, "queue of the app failed: 'stale'"),
        ({"message": None}, ServerStreamError, "without a word"),
    ],
)
def test_failure_of_the_stream_ends_the_call(
    more: dict[str, Any], kind: type[Exception], said: str
) -> None:
    """Nothing is left to stop."""
    reading = decoder()
    with pytest.raises(kind, match=said) as caught:
        list(reading.feed(lines({"msg": "unexpected_error", "event_id": None, **more})))
    assert type(caught.value) is kind
    assert reading.finished


def test_full_queue_may_be_told_on_the_stream() -> None:
    """As the oldest apps do."""
    with pytest.raises(QueueFullError):
        decode({"msg": "queue_full"})


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (None, "'msg'"),
        ([], "'msg'"),
        ({}, "'msg'"),
        ({"msg": 1}, "'msg'"),
        ({"msg": "process_completed"}, "'event_id'"),
        ({"msg": "process_completed", "event_id": None}, "'event_id'"),
        ({"msg": "process_completed", "event_id": "e"}, "'output'"),
        ({"msg": "process_completed", "event_id": "e", "output": {"data": []}}, "'success'"),
        ({**completed(), "output": {"data": None}}, "'data'"),
        ({**completed(), "output": {"duration": 1}}, "'data'"),
        ({**generating(), "output": []}, "'output'"),
        ({**generating(), "output": {}}, "'data'"),
        (generating(), "0 outputs"),
    ],
)
def test_message_of_another_shape_is_an_error_that_names_it(message: Any, said: str) -> None:
    """Never a bare KeyError."""
    with pytest.raises(MalformedStreamError, match=said):
        decode(message)


@pytest.mark.parametrize("data", [[], ["a", "b"]])
def test_number_of_outputs_does_not_change(data: list[Any]) -> None:
    """Differences of other outputs would be applied to the wrong ones."""
    with pytest.raises(MalformedStreamError, match="outputs instead of 1"):
        decode(generating("a"), generating(*data))


@pytest.mark.parametrize("edits", [None, "x", [["append", [9], "x"]], {}, [["fly", [], 1]]])
def test_difference_that_does_not_fit_is_refused(edits: Any) -> None:
    """What is shown would be wrong from here on."""
    with pytest.raises(MalformedStreamError, match="Gradio diff"):
        decode(generating("a"), generating(edits))


@pytest.mark.parametrize("data", [b"data: {\n\n", b"data: \xff\n\n", b"data: [[[\n\n"])
def test_line_that_is_no_json_is_an_error(data: bytes) -> None:
    """Never skipped in silence."""
    with pytest.raises(MalformedStreamError):
        list(decoder().feed(data))


def test_event_that_is_larger_than_the_limit_is_refused() -> None:
    """A line may be as long as the history, and no longer than that."""
    with pytest.raises(TooLargeError):
        list(decoder(limit=100).feed(b"data: " + b"x" * 200))


def test_event_that_is_not_whole_at_the_end_is_none() -> None:
    """The driver says that the stream was cut."""
    reading = decoder()
    assert list(reading.feed(lines(generating("a")) + lines(completed("ab"))[:-1])) == [Text("a")]
    assert list(reading.close()) == []
    assert not reading.finished
