"""The provider interface: what a provider has that states only its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import pytest

from langchain_g4f.core.chat_request import ChatRequest, Message
from langchain_g4f.core.context import CallContext
from langchain_g4f.errors import ConfigurationError
from langchain_g4f.providers.base import Provider

CONTEXT = cast("CallContext", None)  # no default asks it for anything
HOME = "https://chat.example.org"


@dataclass(frozen=True, kw_only=True)
class Named(Provider):
    """A provider with a home and a token."""

    name: ClassVar[str] = "named"
    label: ClassVar[str] = "Named"
    home: ClassVar[str] = HOME
    home_variable: ClassVar[str] = "NAMED_URL"
    models: ClassVar[tuple[str, ...]] = ("small", "large")
    credential: ClassVar[str] = "api_key"
    credential_variables: ClassVar[Mapping[str, str]] = {"api_key": "NAMED_TOKEN"}


def result_of(plan: Any) -> Any:
    """What a plan without effects returns."""
    with pytest.raises(StopIteration) as ended:
        next(plan)
    return ended.value.value


def test_default_answers_need_no_request() -> None:
    """The known models, and no description."""
    provider = Named(base_url=HOME)
    assert result_of(provider.list_models(CONTEXT)) == ["small", "large"]
    assert result_of(provider.describe(CONTEXT)) == ""
    assert provider.initial_cookies() == {}
    assert provider.media_types(CONTEXT) is None
    assert provider.login_hint() == ""
    assert provider.takes_saved_cookies
    assert provider.account_url == provider.cookie_url == HOME


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda p: next(p.whoami(CONTEXT)), "Named does not say who is logged in"),
        (lambda p: next(p.login_page(CONTEXT)), "no login in a browser: give a token"),
        (lambda p: p.fetch("https://a/b", None), "Named has no files to fetch: https://a/b"),
    ],
)
def test_what_a_provider_does_not_offer_is_an_error_with_its_label(
    ask: Callable[[Provider], object], said: str
) -> None:
    """Nothing is sent."""
    with pytest.raises(ConfigurationError, match=said):
        ask(Named(base_url=HOME))


def test_chat_has_no_default() -> None:
    """It is the one method that a provider must have."""
    with pytest.raises(NotImplementedError):
        Named().chat(ChatRequest((Message("user", "hi"),)), CONTEXT)


@pytest.mark.parametrize(
    ("base_url", "variable", "found"),
    [
        (HOME, "", {"api_key": "t"}),
        (f"{HOME}/v2", "", {"api_key": "t"}),
        ("http://chat.example.org", "", {}),
        ("https://other.example", "", {}),
        ("https://other.example", "https://other.example/chat", {"api_key": "t"}),
        (HOME, "https://other.example", {}),
    ],
)
def test_credentials_of_the_environment_are_for_its_own_server(
    base_url: str, variable: str, found: dict[str, str]
) -> None:
    """That is the one that the environment names, or the service's own."""
    environ = {"NAMED_TOKEN": "t", "NAMED_URL": variable}
    provider = Named(base_url=base_url, environ=environ)
    assert provider.environment_credentials() == found
    assert "NAMED_TOKEN" not in repr(provider)


def test_empty_variable_is_no_credential() -> None:
    """As in a file with a name and no value."""
    provider = Named(base_url=HOME, environ={"NAMED_TOKEN": ""})
    assert provider.environment_credentials() == {}
