"""Logging in to a service, and who is logged in.

A login is kept only if the service says whose it is, or cannot be asked. It is kept in one
file, which the chat models of the same service, server and profile read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from traceback import clear_frames
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from pydantic import SecretStr

from langchain_g4f.auth.given_cookies import GivenCookies
from langchain_g4f.auth.store import DEFAULT_PROFILE
from langchain_g4f.chat_models.by_name import chat_model_class
from langchain_g4f.core.callbacks import run_blocking
from langchain_g4f.errors import AuthenticationError, ConfigurationError

if TYPE_CHECKING:
    from langchain_g4f.chat_models.base import BaseChatG4F

HUGGINGCHAT = "huggingchat"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody at a service.

    Attributes:
        provider: Name of the service, as `login` takes it.
        server: Address of the server that knows the account.
        user: The name the service has for them; None if not logged in, and empty where
            the service does not say.
        file: Where the login is kept.
        kept: Whether it is kept there.
    """

    provider: str
    server: str
    user: str | None
    file: Path
    kept: bool = True


class Place(TypedDict, total=False):
    """Which account of which server.

    Attributes:
        base_url: Address of the server; without one, the service's own.
        space: Id of a Space; all Spaces of the Hub share an account.
        hub_url: Address of the Hub.
        profile: Name of the account, if there are several.
        proxy: URL of a proxy.
        impersonate: Browser to look like on the wire.
    """

    base_url: str
    space: str
    hub_url: str
    profile: str
    proxy: str | SecretStr | None
    impersonate: str | None


class Means(Place, total=False):
    """How to log in; without any of the first three, in a browser window.

    Attributes:
        cookies: ``Cookie`` header, names and values, the path of an exported cookie file, or the
            list in it.
        api_key: A token.
        from_browser: Name of an installed browser whose cookies are read.
        browser_profile: Folder of the browser's profile.
        headless: Show no window; the profile has to be one that signs in by itself.
        browser: Path of the browser to start; without one, it is looked for.
        timeout: Seconds to wait for a person.
        on_window: Called with the address of the login page when a browser is about to open it.
    """

    cookies: GivenCookies
    api_key: str | SecretStr | None
    from_browser: str | None
    browser_profile: Path | None
    headless: bool
    browser: str | None
    timeout: float
    on_window: Callable[[str], object]


async def alogin(provider: str = HUGGINGCHAT, **means: Unpack[Means]) -> Account:
    """Log in to a service, and keep the login for the chat models of later programs.

    Args:
        provider: Name of the service.
        **means: See `Means`.

    Raises:
        AuthenticationError: Nobody was logged in, or not in time.
        ConfigurationError: It cannot be done that way; the message says what can.
        MissingDependencyError: The extra ``browser`` is not installed.
    """
    try:
        return await _log_in(provider, *_split(means))
    except Exception as error:
        del means  # some tracebacks show local variables
        clear_frames(error.__traceback__)
        raise


async def _log_in(provider: str, place: dict[str, Any], how: dict[str, Any]) -> Account:
    given = {name: how[name] for name in ("api_key", "cookies") if how.get(name) is not None}
    if given:
        if not all(given.values()):
            raise ConfigurationError(f"login: {' and '.join(given)}: there is nothing in it")
        model = _model(provider, place, given)
        user = await _user(model)
    elif browser := how.get("from_browser"):
        from langchain_g4f.auth.browsers import read_browser_cookies

        url = _model(provider, place, {}).account_url
        cookies = read_browser_cookies(browser, url, profile=how.get("browser_profile"))
        model = _model(provider, place, {"cookies": cookies})
        user = await _user(model)
    else:
        model, user = await _in_a_window(provider, place, how)
    return _account(provider, model, user, kept=model.keep_login(user))


def login(provider: str = HUGGINGCHAT, **means: Unpack[Means]) -> Account:
    """Like `alogin`, blocking; a running event loop does not matter."""
    work = alogin(provider, **means)
    del means  # see there
    return run_blocking(work)


def logout(provider: str = HUGGINGCHAT, **place: Unpack[Place]) -> Account:
    """Forget a login; the service is not told, as a browser may use the same session.

    Returns:
        The account; ``kept`` says whether a login was forgotten.
    """
    model = _model(provider, dict(place), {})
    return _account(provider, model, None, kept=model.forget_login())


async def awhoami(provider: str = HUGGINGCHAT, **place: Unpack[Place]) -> Account:
    """Who a chat model made here and now would be.

    The name is empty if there is a login, and the service does not say whose it is.
    """
    model = _model(provider, dict(place))
    kept = model.get_cache_file().exists()
    logged_out = not kept and model.login_profile != DEFAULT_PROFILE
    user: str | None = None
    if not logged_out:
        try:
            user = await model.awhoami()
        except ConfigurationError:  # the service does not say
            user = "" if model.has_login else None
    return _account(provider, model, user, kept=kept)


def whoami(provider: str = HUGGINGCHAT, **place: Unpack[Place]) -> Account:
    """Like `awhoami`, blocking."""
    return run_blocking(awhoami(provider, **place))


def _split(means: Means) -> tuple[dict[str, Any], dict[str, Any]]:
    """Where the account is, and how to log in to it."""
    unknown = sorted(set(means) - set(Means.__annotations__))
    if unknown:
        raise ConfigurationError(f"login: unknown parameters: {unknown}")
    place = {name: value for name, value in means.items() if name in Place.__annotations__}
    return place, {name: value for name, value in means.items() if name not in place}


def _model(
    provider: str, place: Mapping[str, Any], credentials: Mapping[str, object] | None = None
) -> BaseChatG4F:
    """A model with these credentials, and no others; without any, with those that are found."""
    if provider == "gradio" and not (place.get("base_url") or place.get("space")):
        provider = "phi4"  # one Space of the Hub is as good as another: they share an account
    make = chat_model_class(provider)
    fields = {name: value for name, value in place.items() if value and name != "profile"}
    for name in (*fields, *(credentials or ())):
        if name not in make.model_fields:
            raise ConfigurationError(f"{make.label} has no {name!r}")
    profile = place.get("profile") or DEFAULT_PROFILE
    settings: dict[str, Any] = {**fields, **(credentials or {})}
    if profile != DEFAULT_PROFILE:
        settings["login_profile"] = profile
    if credentials is not None:
        others = {"cookies", "api_key"} & make.model_fields.keys() - credentials.keys()
        settings |= dict.fromkeys(others)
    return make(**settings)


async def _user(model: BaseChatG4F) -> str:
    """The name of who the model's credentials are; empty where a service does not say.

    Raises:
        AuthenticationError: They are nobody's.
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
    provider: str, place: Mapping[str, Any], how: Mapping[str, Any]
) -> tuple[BaseChatG4F, str]:
    from langchain_g4f.sign_in.browser import sign_in_with_browser

    model = _model(provider, place, {})
    login_url = os.environ.get("G4F_LOGIN_URL") or await model.alogin_page()

    async def who(cookies: Mapping[str, str]) -> str | None:
        return await _model(provider, place, {"cookies": dict(cookies)}).awhoami()

    if on_window := how.get("on_window"):
        on_window(login_url)
    cookies, user = await sign_in_with_browser(
        login_url=login_url,
        server=model.account_url,
        who=who,
        headless=bool(how.get("headless")),
        profile_dir=how.get("browser_profile"),
        executable=how.get("browser"),
        timeout_s=how.get("timeout") or 300.0,
        provider=model.provider,
    )
    return _model(provider, place, {"cookies": cookies}), user


def _account(provider: str, model: BaseChatG4F, user: str | None, *, kept: bool) -> Account:
    return Account(provider, model.account_url, user, model.get_cache_file(), kept)


__all__ = ["Account", "Means", "Place", "alogin", "awhoami", "login", "logout", "whoami"]
