"""The public sandbox: a chat service on a loopback port, for as long as a `with` block lasts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from langchain_g4f.errors import MissingDependencyError
from langchain_g4f.testing.chat_ui.options import Generation, Options
from langchain_g4f.testing.script import Reply, echo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Self

    from langchain_g4f.testing.chat_ui.models import SandboxModel
    from langchain_g4f.testing.chat_ui.store import Conversation
    from langchain_g4f.testing.recording import RecordedRequest
    from langchain_g4f.testing.script import ChatMessage, Prompt, Script, Split

_WEB_SOURCES = (
    ("First result", "https://example.org/first"),
    ("Second result", "https://example.org/second"),
)


class Sandbox:
    """A HuggingChat stand-in with a scripted model behind it (docs/protocols/huggingchat.md).

    Use it as a context manager, sync or async; both start and stop the same thread, which takes a
    few milliseconds. What it holds stays readable after it has stopped.

    Args:
        script: The model: a function from `Prompt` to `Reply`, text or tokens. It runs in the
            server's event loop and must not block.
        generation: Which chat-ui to be: "current" (August 2026) or "legacy" (`v0.9.5`, June 2025).
        login_required: Whether anonymous callers are turned away (section 2.2).
        require_site_token: Whether a session also needs the site's `token` cookie (section 2.3).
        models: The models to offer, the default first; empty means router, text, vision, reasoner
            and one unlisted. A plain string makes a text model.
        pace_s: Seconds before each token.
        reply: The same answer to everything, instead of `script`.
        split: How answers are cut into tokens: "words", or "random" pieces of 1 to 8 characters.
        seed: Seed of the random cuts and of every id.
        keep_alive_s: Seconds between keep-alives.
        stop_delay_s: Seconds until a running answer notices a stop.
        max_conversations: Conversations per owner (section 5.1); None is no limit.
        messages_per_minute: Sends per minute and owner (section 5.4); None is no limit.
        max_messages: Messages per conversation (section 5.4); None is no limit.
        max_input_chars: Characters per message (section 5.4); None is no limit.
        web_sources: Titles and addresses a legacy web search finds; empty makes the search fail.

    Raises:
        MissingDependencyError: starlette or uvicorn is not installed.
    """

    def __init__(
        self,
        script: Script = echo,
        generation: Generation = "current",
        *,
        login_required: bool = False,
        require_site_token: bool = False,
        models: Sequence[SandboxModel | str] = (),
        pace_s: float = 0.0,
        reply: str | Reply | None = None,
        split: Split = "words",
        seed: int = 0,
        keep_alive_s: float = 0.1,
        stop_delay_s: float = 0.05,
        max_conversations: int | None = None,
        messages_per_minute: int | None = None,
        max_messages: int | None = None,
        max_input_chars: int | None = None,
        web_sources: Sequence[tuple[str, str]] = _WEB_SOURCES,
    ) -> None:
        try:
            from langchain_g4f.testing.chat_ui.app import ChatUi
            from langchain_g4f.testing.recorder import Recorder
            from langchain_g4f.testing.server import ServerThread
        except ModuleNotFoundError as error:
            raise _missing(error) from error
        options = Options(
            script=script if reply is None else _constant(reply),
            generation=generation,
            login_required=login_required,
            require_site_token=require_site_token,
            models=models,
            pace_s=pace_s,
            split=split,
            seed=seed,
            keep_alive_s=keep_alive_s,
            stop_delay_s=stop_delay_s,
            max_conversations=max_conversations,
            messages_per_minute=messages_per_minute,
            max_messages=max_messages,
            max_input_chars=max_input_chars,
            web_sources=web_sources,
        )
        self._app = ChatUi(options)
        self._recorder = Recorder(self._app)
        self._server = ServerThread(self._recorder, self._app.close)

    @property
    def base_url(self) -> str:
        """Address of the service, `http://127.0.0.1:PORT/chat`."""
        return f"{self.origin}/chat"

    @property
    def origin(self) -> str:
        """Scheme, host and port: what the `Origin` header must say (section 2.4)."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def requests(self) -> list[RecordedRequest]:
        """Everything that arrived, in order."""
        return self._recorder.requests

    @property
    def conversations(self) -> dict[str, Conversation]:
        """The stored conversations by id, shared copies included."""
        return self._app.state.store.conversations

    @property
    def prompts(self) -> list[list[ChatMessage]]:
        """What the model received: the messages of each generation, in order."""
        return self._app.state.prompts

    @property
    def busy(self) -> bool:
        """Whether an answer is still being generated."""
        return self._app.state.busy

    def login(self, name: str = "user") -> dict[str, str]:
        """Open a session for `name`.

        Returns:
            Its cookies: `hf-chat`, and `token` where the site's own login is required too.
        """
        return self._app.state.sessions.login(name)

    def expire_sessions(self) -> None:
        """Turn every logged-in session anonymous."""
        self._app.state.sessions.expire()

    def wait_until(self, condition: Callable[[], object], timeout_s: float = 5.0) -> None:
        """Wait until `condition()` is true, for what the server notices a moment later.

        Raises:
            TimeoutError: It did not become true within `timeout_s` seconds.
        """
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline_s:
                raise TimeoutError("the sandbox did not get there in time")
            time.sleep(0.002)

    def start(self) -> None:
        """Start serving. `with` does this."""
        self._server.start()

    def stop(self) -> None:
        """Close every connection and end the server's thread. `with` does this."""
        self._server.stop()

    def __enter__(self) -> Self:
        """Start serving."""
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop serving."""
        self.stop()

    async def __aenter__(self) -> Self:
        """Start serving."""
        self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop serving."""
        self.stop()


def _constant(reply: str | Reply) -> Script:
    def constant(_prompt: Prompt) -> Reply:
        return Reply(text=reply) if isinstance(reply, str) else reply

    return constant


def _missing(error: ModuleNotFoundError) -> MissingDependencyError:
    return MissingDependencyError(
        f"{error.name} is not installed: the sandbox needs the extra `sandbox`. "
        'Install it from the checkout with: pip install -e ".[sandbox]"'
    )
