"""Logging in to a service, and who is logged in.

A login is saved only if the service says which user it belongs to, or cannot be asked. It is saved
in one file, which the chat models of the same service, server and profile read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from traceback import clear_frames
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from pydantic import SecretStr

from langchain_g4f.auth.given_cookies import GivenCookies
from langchain_g4f.auth.store import DEFAULT_PROFILE
from langchain_g4f.chat_models.by_name import chat_model_class
from langchain_g4f.core.callbacks import run_blocking
from langchain_g4f.errors import AuthenticationError, ConfigurationError
from langchain_g4f.providers.registry import PROVIDERS

if TYPE_CHECKING:
    from langchain_g4f.chat_models.base import BaseChatG4F

DEFAULT = next(iter(PROVIDERS))


@dataclass(frozen=True, slots=True)
class Account:
    """A user's account at a service.

    Attributes:
        provider: Name of the service, as `login` takes it.
        server: URL of the server that has the account.
        user: Name of the user; None if not logged in, empty if the service does not say.
        file: File that the login is saved in.
        kept: Whether it is saved there.
    """

    provider: str
    server: str
    user: str | None
    file: Path
    kept: bool = True


class Place(TypedDict, total=False):
    """Which account of which server.

    Attributes:
        base_url: URL of the server; by default the service's own.
        space: Id of a Space; all Spaces of the Hub share an account, unless one has its own.
        hub_url: URL of the Hub.
        profile: Name of the account, if there are several.
        proxy: URL of a proxy.
        impersonate: Browser to send requests like.
    """

    base_url: str
    space: str
    hub_url: str
    profile: str
    proxy: str | SecretStr | None
    impersonate: str | None


class Means(Place, total=False):
    """How to log in; without any of the first four, in a browser window.

    Attributes:
        auth: Name and password of an app that has a login of its own.
        cookies: ``Cookie`` header, names and values, the path of an exported cookie file, or the
            list in it.
        api_key: A token.
        from_browser: Name of an installed browser whose cookies are read.
        browser_profile: Folder of the browser's profile.
        headless: Show no window; the profile has to be one that signs in by itself.
        browser: Path of the browser to start; by default an installed one.
        timeout: Seconds to wait for the user.
        on_window: Called with the URL of the login page when a browser is about to open it.
    """

    auth: tuple[str, str | SecretStr] | None
    cookies: GivenCookies
    api_key: str | SecretStr | None
    from_browser: str | None
    browser_profile: Path | None
    headless: bool
    browser: str | None
    timeout: float
    on_window: Callable[[str], object]


async def alogin(provider: str = DEFAULT, **means: Unpack[Means]) -> Account:
    """Log in to a service, and save the login for the chat models of later programs.

    Args:
        provider: Name of the service.
        **means: See `Means`.

    Raises:
        AuthenticationError: No user was logged in, or not in time.
        ConfigurationError: This way to log in does not work; the message names those that do.
        MissingDependencyError: The extra ``browser`` is not installed.
    """
    try:
        return await _log_in(provider, means)
    except Exception as error:
        del means  # some tracebacks show local variables
        clear_frames(error.__traceback__)
        raise


async def _log_in(provider: str, means: Means) -> Account:
    unknown = sorted(set(means) - set(Means.__annotations__))
    if unknown:
        raise ConfigurationError(f"login: unknown parameters: {unknown}")
    place = {name: value for name, value in means.items() if name in Place.__annotations__}
    given = {
        name: means[name] for name in ("api_key", "auth", "cookies") if means.get(name) is not None
    }
    if "auth" in given and not (means.get("base_url") or means.get("space")):
        raise ConfigurationError("login: auth= is for one app: name it with base_url= or space=")
    if given:
        if not all(given.values()):
            raise ConfigurationError(f"login: {' and '.join(given)}: there is nothing in it")
        model = _model(provider, place, given)
        user = await _user(model)
    elif browser := means.get("from_browser"):
        from langchain_g4f.auth.browsers import read_browser_cookies

        url = _model(provider, place, {}).account_url
        cookies = read_browser_cookies(browser, url, profile=means.get("browser_profile"))
        model = _model(provider, place, {"cookies": cookies})
        user = await _user(model)
    else:
        model, user = await _in_a_window(provider, place, means)
    return _account(provider, model, user, kept=model.keep_login(user))


def login(provider: str = DEFAULT, **means: Unpack[Means]) -> Account:
    """Like `alogin`, blocking; it may be called while an event loop is running."""
    work = alogin(provider, **means)
    del means  # some tracebacks show local variables
    return run_blocking(work)


def logout(provider: str = DEFAULT, **place: Unpack[Place]) -> Account:
    """Delete a saved login. The service is not told, as a browser may use the same session.

    Returns:
        The account; ``kept`` says whether a login was deleted.
    """
    model = _model(provider, place, {})
    account = _account(provider, model, None, kept=False)
    return replace(account, kept=model.forget_login())


async def awhoami(provider: str = DEFAULT, **place: Unpack[Place]) -> Account:
    """The account that a new chat model would use.

    The user's name is empty if there is a login, and the service does not say whose it is.
    """
    model = _model(provider, place)
    kept = model.get_cache_file().exists()
    user: str | None = None
    if kept or model.login_profile == DEFAULT_PROFILE:
        try:
            user = await model.awhoami()
        except ConfigurationError:  # the service does not say
            user = "" if model.has_login else None
    return _account(provider, model, user, kept=kept)


def whoami(provider: str = DEFAULT, **place: Unpack[Place]) -> Account:
    """Like `awhoami`, blocking."""
    return run_blocking(awhoami(provider, **place))


def _model(
    provider: str, place: Mapping[str, Any], credentials: Mapping[str, object] | None = None
) -> BaseChatG4F:
    """A chat model with these credentials and no others; None uses those that it finds."""
    if provider == "gradio" and not (place.get("base_url") or place.get("space")):
        provider = "phi4"  # any Space will do: all Spaces of the Hub share an account
    make = chat_model_class(provider)
    settings = {name: value for name, value in place.items() if value and name != "profile"}
    settings |= credentials or {}
    for name in settings:
        if name not in make.model_fields:
            raise ConfigurationError(f"{make.label} has no {name!r}")
    profile = place.get("profile") or DEFAULT_PROFILE
    if profile != DEFAULT_PROFILE:
        settings["login_profile"] = profile
    if credentials is not None:
        others = {"cookies", "api_key", "auth"} & make.model_fields.keys() - credentials.keys()
        settings |= dict.fromkeys(others)
    return make(**settings)


async def _user(model: BaseChatG4F) -> str:
    """The user whose credentials the model has; empty if the service does not say.

    Raises:
        AuthenticationError: The service does not know the credentials.
    """
    try:
        user = await model.awhoami()
    except ConfigurationError:
        return ""
    if user is None:
        msg = f"{model.label}: {model.account_url} does not know who this is; nothing was kept"
        raise AuthenticationError(msg, provider=model.provider)
    return user


async def _in_a_window(
    provider: str, place: Mapping[str, Any], means: Means
) -> tuple[BaseChatG4F, str]:
    from langchain_g4f.sign_in.browser import sign_in_with_browser

    model = _model(provider, place, {})
    login_url = os.environ.get("G4F_LOGIN_URL") or await model.alogin_page()

    async def who(cookies: Mapping[str, str]) -> str | None:
        return await _model(provider, place, {"cookies": dict(cookies)}).awhoami()

    if on_window := means.get("on_window"):
        on_window(login_url)
    cookies, user = await sign_in_with_browser(
        login_url=login_url,
        server=model.account_url,
        who=who,
        headless=bool(means.get("headless")),
        profile_dir=means.get("browser_profile"),
        executable=means.get("browser"),
        timeout_s=means.get("timeout") or 300.0,
        provider=model.provider,
    )
    return _model(provider, place, {"cookies": cookies}), user


def _account(provider: str, model: BaseChatG4F, user: str | None, *, kept: bool) -> Account:
    return Account(provider, model.account_url, user, model.get_cache_file(), kept)


__all__ = ["Account", "Means", "Place", "alogin", "awhoami", "login", "logout", "whoami"]
