"""Servers that the command starts itself, so that somebody without an account can talk to one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from langchain_g4f.testing import Sandbox, Script

PACE_S = 0.02
"""Seconds before each token, so that one sees it stream."""


@dataclass(frozen=True, slots=True)
class Stand:
    """How a sandbox is started.

    Attributes:
        open: Starts it, and gives the fields of a chat model that reach it.
        greeting: What a person is told before a conversation.
        wait: What a person is told while it starts; empty where that takes no time.
    """

    open: Callable[[], AbstractContextManager[dict[str, Any]]]
    greeting: str
    wait: str = ""


@contextmanager
def open_sandbox(
    script: Script | None = None, *, pace_s: float = 0.0, login_required: bool = False
) -> Iterator[Sandbox]:
    """A chat-ui server with a scripted model; without a script, it repeats what it is told.

    Raises:
        MissingDependencyError: The sandbox's extra is not installed.
    """
    from langchain_g4f.testing import Sandbox, echo

    _go_there_directly()
    with Sandbox(script or echo, pace_s=pace_s, login_required=login_required) as running:
        yield running


@contextmanager
def _chat_ui() -> Iterator[dict[str, Any]]:
    with open_sandbox(pace_s=PACE_S) as running:
        # Credentials of the environment are for somebody else.
        yield {"base_url": running.base_url, "cookies": None}


CHAT_UI = Stand(
    _chat_ui,
    "You are talking to the sandbox, a scripted server on this machine. It repeats\n"
    "what you say; [[think]] makes it reason first, [[long:200]] say 200 words.",
)


@contextmanager
def _flowgpt() -> Iterator[dict[str, Any]]:
    from langchain_g4f.testing import FlowGptSandbox

    _go_there_directly()
    with FlowGptSandbox(pace_s=PACE_S) as running:
        # A token of the environment is for somebody else.
        yield {"base_url": running.base_url, "api_key": None}


FLOWGPT = Stand(
    _flowgpt,
    "You are talking to the sandbox, a scripted server on this machine. It checks the\n"
    "signature of each question and repeats what you say; [[long:200]] makes it say 200 words.",
)


def gradio(app: Literal["phi4", "chat_interface"]) -> Stand:
    """A real Gradio server with one of the apps of `langchain_g4f.testing.GradioSpace`.

    Starting it raises MissingDependencyError if gradio is not installed, and RuntimeError if
    it does not start.
    """

    @contextmanager
    def start() -> Iterator[dict[str, Any]]:
        from langchain_g4f.testing import GradioSpace

        _go_there_directly()
        with GradioSpace(app, pace_s=PACE_S) as running:
            address = running.base_url
            # Nothing is asked of the Hub either, which would be told of a token.
            yield {"base_url": address, "hub_url": address, "api_key": None, "cookies": None}

    return Stand(
        start,
        "You are talking to a Gradio server on this machine, with a scripted model. It repeats\n"
        "what you say; [[thought]] makes it reason first, [[long:200]] say 200 words.",
        "Starting a Gradio server, which takes some seconds.",
    )


def _go_there_directly() -> None:
    """Keep the proxy that the environment may name out of the way to this machine."""
    exempt = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = f"{exempt},127.0.0.1".lstrip(",")


__all__ = ["CHAT_UI", "FLOWGPT", "Stand", "gradio", "open_sandbox"]
