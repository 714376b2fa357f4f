"""Who is checked: what the options name, as chat models that are ready to be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_g4f.cli.failure import CommandError
from langchain_g4f.cli.providers import ANY_SPACE, DEFAULT, PROVIDERS
from langchain_g4f.cli.service import Choice, Service

if TYPE_CHECKING:
    from langchain_g4f.chat_models.base import BaseChatG4F

_OF_ITS_TIMEOUT = 0.8
"""How much of its time a Space may take to wake, so that it can still be said that it did not."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to ask.

    Attributes:
        timeout_s: Seconds for each check.
        model: Whom to ask; None for the server's default.
        impersonate: Browser to look like on the wire; None for none.
    """

    timeout_s: float
    model: str | None = None
    impersonate: str | None = None


def choices(
    names: Sequence[str],
    base_url: str | None,
    space: str | None,
    model: str | None,
    profile: str | None = None,
    *,
    sandbox: bool,
) -> list[Choice]:
    """The services to check, in the order of `PROVIDERS`.

    An address, a model and an account belong to one provider: as in `chat`, to the default one
    or that of the Space, unless another is named.

    Raises:
        CommandError: The options contradict each other, or leave open whom they mean.
    """
    if sandbox and (base_url or space):
        option = "--base-url" if base_url else "--space"
        raise CommandError(f"{option} and --sandbox name two servers: give one of them")
    of_one = {"--base-url": base_url, "--model": model, "--profile": profile}
    given = [option for option, value in of_one.items() if value]
    if len(set(names)) > 1 and given:
        raise CommandError(f"{given[0]} is for one provider, and several are named")
    if given:
        names = names or [ANY_SPACE if space else DEFAULT]
    known = [name for name in PROVIDERS if _has_server(name, space, sandbox=sandbox)]
    found = [name for name in PROVIDERS if name in (names or known)]
    of_the_space = found[0] if len(found) == 1 else ANY_SPACE
    if space and of_the_space not in found:
        raise CommandError(f"--space is for {ANY_SPACE}: give --provider {ANY_SPACE}, too")
    return [
        Choice(name, base_url, space if name == of_the_space else None, None, profile, sandbox)
        for name in found
    ]


def home_of(make: type[BaseChatG4F]) -> str:
    """The address that chat models of a class have by themselves; empty for none."""
    field = make.model_fields["base_url"]
    return str(field.get_default(call_default_factory=True, validated_data={}))


def _has_server(name: str, space: str | None, *, sandbox: bool) -> bool:
    """Whether there is somebody to ask where nobody is named."""
    if sandbox:
        return PROVIDERS[name].sandbox is not None
    return bool(home_of(PROVIDERS[name].chat_model) or (space and name == ANY_SPACE))


def chat_model(service: Service, settings: Settings) -> BaseChatG4F:
    """A chat model that asks once, and leaves nothing behind at the service.

    Raises:
        ValidationError: The settings, or those of the environment, cannot be used.
    """
    make = PROVIDERS[service.provider].chat_model
    more: dict[str, Any] = {
        "model": settings.model,
        "timeout": settings.timeout_s,
        "impersonate": settings.impersonate,
        "max_retries": 0,  # what only works at the third attempt is not well
    }
    if_it_can = {"delete_after": True, "wake_timeout": _OF_ITS_TIMEOUT * settings.timeout_s}
    more |= {name: value for name, value in if_it_can.items() if name in make.model_fields}
    return make(**service.settings, **more)


__all__ = ["Settings", "chat_model", "choices", "home_of"]
