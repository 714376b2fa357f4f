"""Where progress goes that is no part of the answer.

Three ways out: the model's ``on_progress`` callback always; and, unless the model has
``progress_events=False``, a LangChain custom event where there is a parent run to attach it
to, and LangGraph's stream writer inside a graph (its ``stream_mode="custom"`` shows nothing else).
"""

from __future__ import annotations

import sys
from contextlib import suppress
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import adispatch_custom_event, dispatch_custom_event
from langchain_core.runnables.config import var_child_runnable_config

from langchain_g4f.chat_models.awaiting import awaited, run_blocking
from langchain_g4f.core.events import Event, Progress, Title
from langchain_g4f.errors import AuthenticationError

if TYPE_CHECKING:
    from collections.abc import Callable

EVENT_NAME = "g4f_progress"
"""Name of the LangChain custom event."""


def as_progress(event: Event) -> Progress | None:
    """The progress that ``event`` means for somebody watching, if any."""
    match event:
        case Progress():
            return event
        case Title():
            return Progress("title", event.title)
        case _:
            return None


def login_required(error: AuthenticationError) -> Progress:
    """What somebody watching has to know of a missing login."""
    return Progress("login_required", str(error), {"login_url": error.login_url})


def no_call(said: str) -> Progress:
    """What somebody watching has to know of an answer that lacks the call it had to have."""
    return Progress(
        "tool_retry", "the answer has no tool call, it is asked for again", {"text": said}
    )


def report(
    progress: Progress,
    provider: str,
    callback: Callable[[Progress], object] | None,
    *,
    events: bool = True,
) -> None:
    """Tell everybody who listens; an error of the callback is the caller's.

    Args:
        progress: What happened.
        provider: Where.
        callback: Of the caller.
        events: Whether LangChain and LangGraph are told, too.
    """
    if callback is not None and isawaitable(told := callback(progress)):
        run_blocking(awaited(told))
    if not events or var_child_runnable_config.get() is None:
        return
    data = _payload(progress, provider)
    _write_to_graph(data)
    with suppress(RuntimeError):  # no parent run
        dispatch_custom_event(EVENT_NAME, data)


async def areport(
    progress: Progress,
    provider: str,
    callback: Callable[[Progress], object] | None,
    *,
    events: bool = True,
) -> None:
    """Like `report`, from a coroutine."""
    if callback is not None:
        await awaited(callback(progress))
    if not events or var_child_runnable_config.get() is None:
        return
    data = _payload(progress, provider)
    _write_to_graph(data)
    with suppress(RuntimeError):  # no parent run
        await adispatch_custom_event(EVENT_NAME, data)


def _payload(progress: Progress, provider: str) -> dict[str, Any]:
    return {
        "type": EVENT_NAME,
        "provider": provider,
        "kind": progress.kind,
        "message": progress.message,
        **progress.data,
    }


def _write_to_graph(data: dict[str, Any]) -> None:
    langgraph = sys.modules.get("langgraph.config")
    if langgraph is None:
        return
    try:
        write = langgraph.get_stream_writer()
    except (RuntimeError, KeyError, AttributeError):  # not inside a graph
        return
    write(data)


__all__ = ["EVENT_NAME", "areport", "as_progress", "login_required", "no_call", "report"]
