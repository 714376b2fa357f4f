"""The public sandbox: a chat service on a loopback port, for as long as a `with` block lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from langchain_g4f.testing.chat_ui.options import ChatUiOptions
from langchain_g4f.testing.loopback import Loopback
from langchain_g4f.testing.script import Reply, Splitter, echo, scripted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_g4f.testing.chat_ui.app import ChatUi
    from langchain_g4f.testing.chat_ui.options import SandboxModel
    from langchain_g4f.testing.chat_ui.store import Conversation
    from langchain_g4f.testing.script import ChatMessage, Script, Split

Generation: TypeAlias = Literal["current", "legacy"]

_WEB_SOURCES = (
    ("First result", "https://example.org/first"),
    ("Second result", "https://example.org/second"),
)


class Sandbox(Loopback):
    """A HuggingChat stand-in with a scripted model behind it (docs/protocols/huggingchat.md).

    Use it as a context manager, sync or async; both start and stop the same thread, which takes a
    few milliseconds. What it holds stays readable after it has stopped.

    Args:
        script: The model: a function from `Prompt` to `Reply`, text or tokens. It runs in the
            server's event loop and must not block.
        generation: Which chat-ui to be: "current" (August 2026) or "legacy" (`v0.9.5`, June 2025).
        login_required: Whether anonymous callers are turned away (section 2.2).
        require_site_token: Whether a session also needs the site's `token` cookie (section 2.3).
        login_form: Whether the identity provider asks a browser who it is, once; without it,
            whoever comes is signed in at once.
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
        tool_servers: Names of the operator's tool servers (section 7); the sandbox offers them
            and runs none.

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
        login_form: bool = False,
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
        tool_servers: Sequence[str] = (),
    ) -> None:
        options = ChatUiOptions(
            script=scripted(script, reply),
            legacy=generation == "legacy",
            login_required=login_required,
            require_site_token=require_site_token,
            login_form=login_form,
            models=models,
            pace_s=pace_s,
            split=Splitter(split, seed),
            keep_alive_s=keep_alive_s,
            stop_delay_s=stop_delay_s,
            max_conversations=max_conversations,
            messages_per_minute=messages_per_minute,
            max_messages=max_messages,
            max_input_chars=max_input_chars,
            web_sources=web_sources,
            tool_servers=tool_servers,
        )

        def make_app() -> ChatUi:
            from langchain_g4f.testing.chat_ui.app import ChatUi

            self._app = ChatUi(options, seed)
            return self._app

        super().__init__(make_app)

    @property
    def base_url(self) -> str:
        """Address of the service, `http://127.0.0.1:PORT/chat`.

        Its `origin` is what the `Origin` header must say (section 2.4).
        """
        return f"{self.origin}/chat"

    @property
    def conversations(self) -> dict[str, Conversation]:
        """The stored conversations by id, shared copies included."""
        return self._app.state.store.conversations

    @property
    def prompts(self) -> list[list[ChatMessage]]:
        """What the model received: the messages of each run, in order."""
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
        return self._app.state.sessions.log_in(name)

    def expire_sessions(self) -> None:
        """Turn every logged-in session anonymous."""
        self._app.state.sessions.expire()
