"""The service that the options name, or the one that a saved conversation names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from langchain_g4f.cli.failure import CommandError
from langchain_g4f.cli.providers import (
    ANY_SPACE,
    DEFAULT,
    chat_model_of,
    default_base_url,
    run_sandbox,
)
from langchain_g4f.cli.terminal import one_line, say, tell
from langchain_g4f.errors import APIError, AuthenticationError
from langchain_g4f.providers.registry import PROVIDERS

if TYPE_CHECKING:
    from langchain_g4f.chat_models.base import BaseChatG4F
    from langchain_g4f.core.events import Progress


@dataclass(frozen=True, slots=True)
class Choice:
    """The options that choose a service.

    Attributes:
        provider: Key of `PROVIDERS`.
        base_url: Address of the server.
        space: Id of a Space.
        api_name: Name of one of the chats of a Space.
        profile: Name of one of the user's accounts.
        sandbox: Whether to start a server on this machine.
    """

    provider: str | None = None
    base_url: str | None = None
    space: str | None = None
    api_name: str | None = None
    profile: str | None = None
    sandbox: bool = False

    @property
    def name(self) -> str:
        """Name of the provider; a Space alone implies it."""
        return self.provider or (ANY_SPACE if self.space else DEFAULT)

    @property
    def settings(self) -> dict[str, Any]:
        """The fields of a chat model that name the server and the account."""
        named = {
            "base_url": self.base_url,
            "space": self.space,
            "api_name": self.api_name,
            "login_profile": self.profile,
        }
        return {name: value for name, value in named.items() if value}

    def or_else(self, place: Mapping[str, str]) -> Choice:
        """This choice, completed from the place of a saved conversation."""
        saved = place.get("provider", DEFAULT)
        provider = self.provider or (ANY_SPACE if self.space else saved)
        if provider != saved or self.base_url or self.space or self.sandbox:
            return replace(self, provider=provider)
        return Choice(
            provider,
            place.get("base_url"),
            place.get("space"),
            self.api_name or place.get("api_name"),
            self.profile or place.get("profile"),
        )

    def refuse_two_servers(self) -> None:
        """Raise CommandError if `--sandbox` is combined with the address of a server."""
        if self.sandbox and (self.base_url or self.space):
            option = "--base-url" if self.base_url else "--space"
            raise CommandError(f"{option} and --sandbox name two servers; choose one")


@dataclass(frozen=True, slots=True)
class Service:
    """A server to make chat models for.

    Attributes:
        provider: Key of `PROVIDERS`.
        name: Its address, as shown to the user.
        greeting: Text shown before a conversation.
        settings: The fields of a chat model that reach it.
    """

    provider: str
    name: str
    greeting: str
    settings: dict[str, Any] = field(repr=False)

    def chat_model(
        self,
        model: str | None = None,
        timeout: float | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        *,
        web_search: bool = False,
    ) -> BaseChatG4F:
        """A chat model of this server.

        Args:
            model: Name of the model; None for the server's default.
            timeout: Seconds for a whole call.
            on_progress: Called with each progress event.
            web_search: Whether the server searches the web.

        Raises:
            CommandError: The service has no web search.
        """
        make = chat_model_of(self.provider)
        more = dict(self.settings)
        if web_search:
            if "web_search" not in make.model_fields:
                raise CommandError(f"--web-search: {make.label} cannot search the web")
            more["web_search"] = True
        return make(model=model, timeout=timeout, on_progress=on_progress, **more)

    def place(self, model: BaseChatG4F) -> dict[str, str]:
        """The server and the account of ``model``, for a later command; no credentials."""
        named = {
            "provider": self.provider,
            "base_url": model.base_url,
            "space": self.settings.get("space"),
            "api_name": self.settings.get("api_name"),
            "profile": self.settings.get("login_profile"),
        }
        return {name: value for name, value in named.items() if value}


@contextmanager
def open_service(choice: Choice) -> Iterator[Service]:
    """The service of the options; a sandbox runs as long as the `with` block.

    Raises:
        CommandError: The options contradict each other, or the sandbox does not start.
        MissingDependencyError: The extra of the sandbox is not installed.
    """
    make = chat_model_of(choice.name)
    for option in ("space", "api_name"):
        if getattr(choice, option) and option not in make.model_fields:
            raise CommandError(f"--{option.replace('_', '-')} is not for {choice.name}")
    if choice.sandbox:
        with ExitStack() as running:
            yield _start_sandbox(choice, running)
        return
    if not (choice.base_url or choice.space or default_base_url(choice.name)):
        wanted = "--space owner/name, --base-url URL or --sandbox"
        raise CommandError(f"--provider {choice.name} needs {wanted}")
    name = choice.space or choice.base_url or make.url
    yield Service(choice.name, name, f"You are talking to {name}.", choice.settings)


def _start_sandbox(choice: Choice, running: ExitStack) -> Service:
    choice.refuse_two_servers()
    if choice.profile:
        raise CommandError("--profile: the sandbox has no accounts")
    sandbox = PROVIDERS[choice.name].sandbox
    if sandbox is None:
        raise CommandError(f"there is no sandbox for {choice.name}")
    try:
        settings = running.enter_context(run_sandbox(sandbox, chat_model_of(choice.name)))
    except RuntimeError as error:
        raise CommandError(str(error)) from None
    return Service(choice.name, "the sandbox", sandbox.greeting, settings | choice.settings)


def list_models(service: Service, timeout: float | None = None) -> None:
    """Print one model per line, the default first; then, on standard error, an app's inputs.

    For a service without a model list, print the known models, and say so on standard error.

    Raises:
        CommandError: The server did not list its models.
        AuthenticationError: The server requires a login.
    """
    model = service.chat_model(timeout=timeout)
    inputs: list[str] = []
    try:
        found = model.get_models()
        if "inputs" in model.options:
            inputs = model.describe().splitlines()[1:]
    except AuthenticationError:
        raise
    except APIError as error:
        raise CommandError(f"{service.name} did not list its models: {error}") from None
    if not (found or inputs):
        raise CommandError(f"{service.name} has no models")
    if not chat_model_of(service.provider).has_model_list:
        tell(f"[{service.name} has no model list; these are the models we know of]")
    for name in found:
        say(one_line(name))
    for line in inputs:
        tell(f"[{one_line(line)}]")
