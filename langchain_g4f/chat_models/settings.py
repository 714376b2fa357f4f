"""Settings of chat models: their names, addresses and secrets."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from pydantic import AliasChoices, BaseModel, SecretStr

from langchain_g4f.auth.store import CredentialFile
from langchain_g4f.core.limits import Clocks
from langchain_g4f.errors import ConfigurationError

if TYPE_CHECKING:
    from langchain_g4f.providers.base import Provider


def address(given: str, name: str) -> str:
    """Origin and path of a service, without a final slash.

    Args:
        given: The address.
        name: Name of the field or the variable that has it.

    Raises:
        ConfigurationError: It is no address, or has what may be secret.
    """
    parts = split(given)
    plain = parts is not None and not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts is None or not plain or parts.scheme not in {"http", "https"}:
        msg = (
            f"{name}: expected an address that begins with http:// or https://,"
            " without user, password, query and fragment, such as 'http://localhost:3000/chat'"
        )
        raise ConfigurationError(msg)
    return given.rstrip("/")


def split(given: str) -> SplitResult | None:
    """The parts of an address, None if there is no host or no valid port."""
    try:
        parts = urlsplit(given)
        parts.port  # noqa: B018 -- raises where it is no number
    except ValueError:
        return None
    return parts if parts.hostname else None


def check_profile(name: str) -> str:
    """The name of a profile, which is a part of a file name.

    Raises:
        ConfigurationError: It cannot be one.
    """
    CredentialFile.of("", "", name)
    return name


def check_proxy(proxy: SecretStr | None) -> SecretStr | None:
    """The URL of a proxy.

    Raises:
        ConfigurationError: It has no host.
    """
    if proxy is not None and split(proxy.get_secret_value()) is None:
        msg = "proxy: expected a URL such as 'http://user:password@host:3128'"
        raise ConfigurationError(msg)
    return proxy


def check_timeout(timeout: float | Clocks | None) -> float | Clocks | None:
    """A timeout, which is positive and finite."""
    if isinstance(timeout, float):
        Clocks.within(timeout)
    return timeout


def as_list(value: object) -> object:
    """A list of one for a text."""
    return [value] if isinstance(value, str) else value


def address_of_environment(variable: str, default: str) -> str:
    """The address in an environment variable, or a default."""
    return address(os.environ.get(variable) or default, variable)


def default_base_url(provider: type[Provider]) -> str:
    """The server of a provider that is used if the caller names none."""
    return address_of_environment(provider.home_variable, provider.home)


def check_names(model: type[BaseModel], label: str, settings: Mapping[str, object]) -> None:
    """Refuse a misspelt setting and warn about an unknown one: pydantic would drop both.

    Without ``baseurl`` or ``cookie`` a question would go to another server than was meant.

    Raises:
        ConfigurationError: A name is close to that of a setting, or a value is an address.
    """
    for name, value in settings.items():
        if name in _names(model):
            continue
        meant = near_miss(name, _names(model))
        if not meant and isinstance(value, str) and value.startswith(("http://", "https://")):
            meant = "base_url"  # no address is ignored
        if meant:
            msg = f"{label} has no parameter {name!r}: did you mean {meant!r}?"
            raise ConfigurationError(msg)
        warnings.warn(f"{label} has no parameter {name!r}: it is ignored", stacklevel=4)


def near_miss(name: object, known: Iterable[str]) -> str:
    """The known name that ``name`` is probably meant to be; empty if it is close to none."""
    found = get_close_matches(str(name).lower().replace("-", "_"), known, n=1, cutoff=0.8)
    return found[0] if found else ""


@functools.cache
def secret_names(model: type[BaseModel]) -> frozenset[str]:
    """The fields that hold secrets."""
    fields = model.model_fields.items()
    return frozenset(name for name, field in fields if "SecretStr" in str(field.annotation))


@functools.cache
def _names(model: type[BaseModel]) -> frozenset[str]:
    """What a setting may be called: fields, and their other names."""
    found = set(model.model_fields)
    for field in model.model_fields.values():
        for alias in (field.alias, field.validation_alias):
            names = alias.choices if isinstance(alias, AliasChoices) else [alias]
            found.update(name for name in names if isinstance(name, str))
    return frozenset(found)


__all__ = [
    "address",
    "address_of_environment",
    "as_list",
    "check_names",
    "check_profile",
    "check_proxy",
    "check_timeout",
    "default_base_url",
    "near_miss",
    "secret_names",
    "split",
]
