"""Who is talked to, and where: what the options name, or what a kept conversation names."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from langchain_g4f.cli.failure import CommandError
from langchain_g4f.cli.providers import ANY_SPACE, DEFAULT, PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from langchain_g4f.chat_models.base import BaseChatG4F
    from langchain_g4f.cli.providers import Provider
    from langchain_g4f.core.events import Progress


@dataclass(frozen=True, slots=True)
class Choice:
    """What the options say about the service.

    Attributes:
        provider: Its name in `PROVIDERS`.
        base_url: Address of the server.
        space: Id of a Space.
        api_name: Which of the chats of a Space.
        profile: Which of the user's accounts there.
        sandbox: Whether it is started here.
    """

    provider: str | None = None
    base_url: str | None = None
    space: str | None = None
    api_name: str | None = None
    profile: str | None = None
    sandbox: bool = False

    @property
    def name(self) -> str:
        """Name of the provider; a Space alone is enough to know it."""
        return self.provider or (ANY_SPACE if self.space else DEFAULT)

    @property
    def settings(self) -> dict[str, Any]:
        """The fields of a chat model that say where its service is, and who asks."""
        named = {
            "base_url": self.base_url,
            "space": self.space,
            "api_name": self.api_name,
            "login_profile": self.profile,
        }
        return {name: value for name, value in named.items() if value}

    def or_else(self, place: Mapping[str, str]) -> Choice:
        """This choice; what it leaves open is the place of a kept conversation."""
        kept = place.get("provider", DEFAULT)
        provider = self.provider or (ANY_SPACE if self.space else kept)
        if provider != kept or self.base_url or self.space or self.sandbox:
            return replace(self, provider=provider)
        return Choice(
            provider,
            place.get("base_url"),
            place.get("space"),
            self.api_name or place.get("api_name"),
            self.profile or place.get("profile"),
        )


@dataclass(frozen=True, slots=True)
class Service:
    """A server to make chat models for.

    Attributes:
        provider: Its name in `PROVIDERS`.
        name: Its address, for people.
        greeting: What a person is told before a conversation.
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
            model: Its name; None for the server's default.
            timeout: Seconds for a whole call.
            on_progress: Told what happens on the way.
            web_search: Whether the server searches the web.

        Raises:
            CommandError: The service has no web search.
        """
        make = PROVIDERS[self.provider].chat_model
        more = dict(self.settings)
        if web_search:
            if "web_search" not in make.model_fields:
                raise CommandError(f"--web-search: {make.label} cannot search the web")
            more["web_search"] = True
        return make(model=model, timeout=timeout, on_progress=on_progress, **more)

    def place(self, model: BaseChatG4F) -> dict[str, str]:
        """Where ``model`` leads, and as whom, for a later command; no credentials."""
        named = {name: self.settings.get(name) for name in ("space", "api_name")}
        named |= {"provider": self.provider, "base_url": model.base_url}
        named["profile"] = self.settings.get("login_profile")
        return {name: value for name, value in named.items() if value}

    @property
    def lists_models(self) -> bool:
        """Whether its server has a list of models that can be asked for."""
        return PROVIDERS[self.provider].chat_model.has_model_list

    def live_models(self, timeout: float | None = None) -> list[str]:
        """What the server says it has, its default first; what is known where it has no list.

        Args:
            timeout: Seconds for it to answer.

        Raises:
            G4FError: It does not say.
        """
        model = self.chat_model(timeout=timeout)
        return model.get_models()


@contextmanager
def open_service(choice: Choice) -> Iterator[Service]:
    """The service of the options; a sandbox runs as long as the `with` block.

    Raises:
        CommandError: The options contradict each other, or the sandbox does not start.
        MissingDependencyError: The sandbox's extra is not installed.
    """
    provider = PROVIDERS[choice.name]
    fields = provider.chat_model.model_fields
    for option in ("space", "api_name"):
        if getattr(choice, option) and option not in fields:
            raise CommandError(f"--{option.replace('_', '-')} is not for {choice.name}")
    if choice.sandbox:
        with ExitStack() as running:
            yield _start_sandbox(choice, provider, running)
        return
    has_a_home = fields["base_url"].get_default(call_default_factory=True, validated_data={})
    if not (choice.base_url or choice.space or has_a_home):
        wanted = "--space owner/name, --base-url URL or --sandbox"
        raise CommandError(f"--provider {choice.name} needs {wanted}")
    name = choice.space or choice.base_url or provider.chat_model.url
    yield Service(choice.name, name, f"You are talking to {name}.", choice.settings)


def _start_sandbox(choice: Choice, provider: Provider, running: ExitStack) -> Service:
    if choice.base_url or choice.space:
        option = "--base-url" if choice.base_url else "--space"
        raise CommandError(f"{option} and --sandbox name two servers: give one of them")
    if choice.profile:
        raise CommandError("--profile: the sandbox has no accounts")
    stand = provider.sandbox
    if stand is None:
        raise CommandError(f"there is no sandbox for {choice.name}")
    try:
        settings = running.enter_context(stand.open())
    except RuntimeError as error:
        raise CommandError(str(error)) from None
    return Service(choice.name, "the sandbox", stand.greeting, settings | choice.settings)


__all__ = ["Choice", "Service", "open_service"]
