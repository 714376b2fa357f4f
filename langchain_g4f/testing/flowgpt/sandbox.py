"""`FlowGptSandbox`: a FlowGPT server on a loopback port, as long as a `with` block lasts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from langchain_g4f.testing.loopback import Loopback
from langchain_g4f.testing.script import Reply, Splitter, echo, scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from langchain_g4f.testing.flowgpt.app import FlowGpt
    from langchain_g4f.testing.script import ChatMessage, Script, Split

MODELS = (
    "gpt-3.5-turbo",
    "gpt-3.5-long",
    "gpt-4-turbo",
    "google-gemini",
    "claude-instant",
    "claude-v1",
    "claude-v2",
    "llama2-13b",
    "mythalion-13b",
    "pygmalion-13b",
    "chronos-hermes-13b",
    "Mixtral-8x7B",
    "Dolphin-2.6-8x7B",
)
"""What the last client of anonymous callers offered (section 8)."""


class FlowGptSandbox(Loopback):
    """A FlowGPT stand-in with a scripted model behind it (docs/protocols/flowgpt.md).

    It holds a client to that document and says nothing about the real service: a request needs
    its fields, a signature over them, a time within five minutes of the server's, and a nonce
    that was not used in the last ten. Use it as a context manager, sync or async; what it holds
    stays readable after it has stopped.

    Of a `Reply`, an `error` with a status and without `error_after` refuses the request with that
    status; any other error is an event of the answer, whose status is not told. Restarts, titles
    and the name of a provider are no part of this service and are ignored.

    Args:
        script: The model: a function from `Prompt` to `Reply`, text or tokens. It runs in the
            server's event loop and must not block.
        login_required: Whether anonymous callers are turned away.
        models: Names of the models there are; a request for another one is refused.
        pace_s: Seconds before each token.
        reply: The same answer to everything, instead of `script`.
        split: How answers are cut into tokens: "words", or "random" pieces of 1 to 8 characters.
        seed: Seed of the random cuts.
        retry_after_s: Seconds that a refusal with status 429 asks to wait; None says nothing.
        clock: What the server takes for the time, in seconds since the epoch.

    Raises:
        MissingDependencyError: starlette or uvicorn is not installed.
    """

    def __init__(
        self,
        script: Script = echo,
        *,
        login_required: bool = False,
        models: Collection[str] = MODELS,
        pace_s: float = 0.0,
        reply: str | Reply | None = None,
        split: Split = "words",
        seed: int = 0,
        retry_after_s: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        def make_app() -> FlowGpt:
            from langchain_g4f.testing.flowgpt.app import FlowGpt, FlowGptOptions

            self._app = FlowGpt(
                FlowGptOptions(
                    script=scripted(script, reply),
                    login_required=login_required,
                    models=models,
                    pace_s=pace_s,
                    split=Splitter(split, seed),
                    retry_after_s=retry_after_s,
                    clock=clock,
                )
            )
            return self._app

        super().__init__(make_app)

    @property
    def base_url(self) -> str:
        """Address of the service, `http://127.0.0.1:PORT`."""
        return self.origin

    @property
    def prompts(self) -> list[list[ChatMessage]]:
        """What the model received: the messages of each answer, in order."""
        return self._app.prompts

    @property
    def busy(self) -> bool:
        """Whether an answer is still being generated."""
        return bool(self._app.running)

    def login(self, name: str = "user") -> str:
        """Sign `name` in.

        Returns:
            The member's token.
        """
        token = f"{name}-token"
        self._app.tokens.add(token)
        return token

    def expire_tokens(self) -> None:
        """Sign all members out."""
        self._app.tokens.clear()
