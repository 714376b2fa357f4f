"""Where progress goes that is no part of the answer.

Three ways out: the model's ``on_progress`` callback always; and, unless the model has
``progress_events=False``, a LangChain custom event where there is a parent run to attach it
to, and LangGraph's stream writer inside a graph (its ``stream_mode="custom"`` shows nothing else).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from langchain_core.callbacks import adispatch_custom_event, dispatch_custom_event
from langchain_core.runnables.config import var_child_runnable_config

from langchain_g4f.core.callbacks import awaited, run_blocking
from langchain_g4f.core.events import Progress
from langchain_g4f.errors import AuthenticationError

EVENT_NAME = "g4f_progress"
"""Name of the LangChain custom event."""


def login_required(error: AuthenticationError) -> Progress:
    """The progress of a refused login."""
    return Progress("login_required", str(error), {"login_url": error.login_url})


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who is told of the progress of a model's calls.

    Attributes:
        provider: Name of the provider.
        callback: The caller's ``on_progress``; what it raises is raised by the call.
        events: Whether LangChain and LangGraph are told, too.
    """

    provider: str
    callback: Callable[[Progress], object] | None
    events: bool = True

    def report(self, progress: Progress) -> None:
        """Tell them."""
        if self.callback is not None and isawaitable(result := self.callback(progress)):
            run_blocking(awaited(result))
        if (data := self._event(progress)) is not None:
            with suppress(RuntimeError):  # no parent run
                dispatch_custom_event(EVENT_NAME, data)

    async def areport(self, progress: Progress) -> None:
        """Like `report`, from a coroutine."""
        if self.callback is not None:
            await awaited(self.callback(progress))
        if (data := self._event(progress)) is not None:
            with suppress(RuntimeError):  # no parent run
                await adispatch_custom_event(EVENT_NAME, data)

    def _event(self, progress: Progress) -> dict[str, Any] | None:
        """The LangChain event, which LangGraph has been told already; None if none is wanted."""
        if not self.events or var_child_runnable_config.get() is None:
            return None
        data = {
            "type": EVENT_NAME,
            "provider": self.provider,
            "kind": progress.kind,
            "message": progress.message,
            **progress.data,
        }
        _write_to_graph(data)
        return data


def _write_to_graph(data: dict[str, Any]) -> None:
    langgraph = sys.modules.get("langgraph.config")
    if langgraph is None:
        return
    try:
        write = langgraph.get_stream_writer()
    except (RuntimeError, KeyError, AttributeError):  # not inside a graph
        return
    write(data)


__all__ = ["EVENT_NAME", "Listeners", "login_required"]
