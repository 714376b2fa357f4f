"""Whose account a chat model uses, and what happens when a service no longer knows it.

Credentials come from the first of these that has any: the argument; the environment; the
file that a login wrote; an installed browser, if one is named. A profile that is named is
an explicit choice, and comes before the environment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, PrivateAttr, SecretStr, field_validator, model_validator

from langchain_g4f.auth.store import DEFAULT_PROFILE, CredentialFile, Credentials
from langchain_g4f.chat_models.awaiting import Caller
from langchain_g4f.chat_models.settings import ChatSettings
from langchain_g4f.errors import AuthenticationError, ConfigurationError

if TYPE_CHECKING:
    from langchain_core.load.serializable import SerializedConstructor, SerializedNotImplemented

    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.plan import PlanOf


class LoginSettings(ChatSettings):
    """What all chat models have whose services know their callers."""

    account_of: ClassVar[str] = ""
    """What the file of an account is called after; empty for the provider."""
    credential: ClassVar[str] = ""
    """Name of the field that has the caller's credential; empty for no account."""

    login_profile: str = DEFAULT_PROFILE
    """Which of your accounts, by the name it was given at login; also taken as ``profile=``."""
    from_browser: str | None = None
    """An installed browser to read cookies from, ``"chrome"`` for example, if nothing else has
    any."""
    on_login_required: Callable[[str], object] | None = Field(
        default=None, exclude=True, repr=False
    )
    """Called with the address of the login page when a login is wanted, in async calls in a
    thread; what it returns, if anything, is taken as the credential. Then the call goes on.
    A coroutine function is awaited on the event loop of the call."""

    _login: str = PrivateAttr(default="")
    """Where the login in use was found; empty for an argument, and for none."""

    @model_validator(mode="before")
    @classmethod
    def _profile_by_name(cls, values: object) -> object:
        """A text is the name of an account; LangChain's ``profile`` says what a model can do."""
        if isinstance(values, dict) and isinstance(values.get("profile"), str):
            values = dict(values)
            values["login_profile"] = values.pop("profile")
        return values

    @field_validator("login_profile")
    @classmethod
    def _profile_is_a_name(cls, value: str) -> str:
        CredentialFile.of("", "", value)
        return value

    # -- what a provider gives -------------------------------------------------

    @property
    def account_url(self) -> str:
        """Address of the server that knows the caller. Overwritten where it is another one."""
        return self.base_url

    def _environment_credentials(self) -> Credentials:
        """What the environment has for the model's address, and no other."""
        return Credentials()

    def _given_credentials(self, given: object) -> Credentials:
        """What ``on_login_required`` returned. Overwritten where it is no token."""
        if isinstance(given, SecretStr):
            given = given.get_secret_value()
        return Credentials(api_key=given) if isinstance(given, str) else Credentials()

    def _login_advice(self) -> str:
        """Where else a login is looked for, for an error. Overwritten where that helps."""
        return ""

    def _use(self, found: Credentials, context: CallContext) -> bool:
        """Use these from now on; False if they are those in use."""
        raise NotImplementedError

    def _whoami_plan(self, context: CallContext) -> PlanOf[str | None]:
        """The plan that asks who the caller is. Overwritten where a service says so."""
        yield from ()
        raise ConfigurationError(f"{self.label} does not say who is logged in")

    def _login_page_plan(self, context: CallContext) -> PlanOf[str]:
        """The plan that finds where a browser logs in. Overwritten where one can."""
        yield from ()
        msg = f"{self.label} at {self.account_url} has no login in a browser"
        if self.credential == "api_key":
            msg += ": give a token, as api_key= or with `langchain-g4f login --token`"
        raise ConfigurationError(msg)

    def to_json(self) -> SerializedConstructor | SerializedNotImplemented:
        """What is found for the model is found anew where it is loaded: nothing names it."""
        dumped = super().to_json()
        if dumped["type"] == "constructor":
            for name in self.lc_secrets.keys() - self.model_fields_set:
                dumped["kwargs"].pop(name, None)
        return dumped

    # -- credentials -----------------------------------------------------------

    def get_cache_file(self) -> Path:
        """Where a login of this account is kept, whether there is one or not."""
        return self._credential_file().path

    def keep_login(self, user: str = "") -> bool:
        """Keep the credentials this model was given; False, with a warning, where it cannot be.

        Args:
            user: Whose they are, for people.
        """
        return self._credential_file().save(self._own_credentials(user))

    def _own_credentials(self, user: str) -> Credentials:
        given = self.model_fields_set
        cookies = getattr(self, "cookies", None) if "cookies" in given else None
        api_key = getattr(self, "api_key", None) if "api_key" in given else None
        token = api_key.get_secret_value() if api_key else ""
        return Credentials(revealed(cookies), token, user)

    def forget_login(self) -> bool:
        """Delete what was kept; False if there was nothing."""
        return self._credential_file().forget()

    def _credential_file(self) -> CredentialFile:
        name = self.account_of or self.provider
        return CredentialFile.of(name, self.account_url, self.login_profile)

    def _sources(self) -> Iterator[tuple[str, Credentials]]:
        """What is given and where, the source that counts first."""
        if self.login_profile == DEFAULT_PROFILE:
            yield "of the environment", self._environment_credentials()
        file = self._credential_file()
        yield f"kept in {file.path.name}", file.load() or Credentials()
        if self.from_browser:
            from langchain_g4f.auth.browsers import read_browser_cookies

            found = read_browser_cookies(self.from_browser, self.account_url)
            yield f"of {self.from_browser}", Credentials(found)

    def _found_credentials(self) -> Credentials:
        nothing = ("", Credentials())
        self._login, found = next((each for each in self._sources() if each[1]), nothing)
        return found

    def _refuse_unknown_profile(self) -> None:
        """A profile that was named is no wish to be anonymous."""
        if self.login_profile == DEFAULT_PROFILE or self.on_login_required is not None:
            return
        file = self._credential_file()
        given = {"cookies", "api_key"} & self.model_fields_set
        if given or self._login_in_use() or file.path.exists():
            return
        known = ", ".join(file.profiles()) or "none"
        msg = (
            f"profile: no login of {self.login_profile!r} is kept for {self.account_url}; kept are:"
            f" {known}. Run `langchain-g4f login` with --profile {self.login_profile}"
        )
        raise ConfigurationError(msg)

    def _refreshed(self, old: Mapping[str, str], new: Mapping[str, str]) -> None:
        """The service gave a session another name: the file follows."""
        with suppress(ConfigurationError):  # it is reported where it is read
            self._credential_file().refresh(old, new)

    def _renew(self, login_url: str, context: CallContext, caller: Caller) -> bool:
        """Take other credentials than those that were refused; False if there are none."""
        own = self.credential in self.model_fields_set
        if not own and self._use_first(context):
            return True
        if self.on_login_required is None:
            return False
        given = self._given_credentials(caller.wait(self.on_login_required(login_url)))
        if not given:
            return self._use_first(context)
        used = self._use(given, context)
        self._login = "from on_login_required" if used else self._login
        return used

    def _of_account(self, error: AuthenticationError) -> AuthenticationError:
        """``error``, which says what was refused, and for which account a login is wanted."""
        if not error.login_url:
            return error
        error.refused = self._login_in_use()
        said = "No login was given."
        if error.refused:
            said = f"The login {error.refused} was refused: it has expired, or is another server's."
        if self.login_profile != DEFAULT_PROFILE:
            command = f"add --profile {self.login_profile} to the command"
            said += f" (The account is {self.login_profile!r}: {command}.)"
        told = str(error).removesuffix(".")
        error.args = (f"{told}.{self._login_advice()} {said}",)
        return error

    @property
    def has_login(self) -> bool:
        """Whether calls have a login, be it good or not."""
        return bool(self._login_in_use())

    def _login_in_use(self) -> str:
        """Where the login that calls have is from; empty for none."""
        given = [n for n in ("cookies", "api_key") if getattr(self, n, None)]
        argument = " and ".join(f"{n}=" for n in given if n in self.model_fields_set)
        if self._login or not given:
            return self._login
        return f"given as {argument}" if argument else "of this model"

    def _use_first(self, context: CallContext) -> bool:
        """Use the first of what is given that is not in use."""
        with suppress(ConfigurationError):  # the refusal is what the caller has to know
            for place, found in self._sources():
                if found and self._use(found, context):
                    self._login = place
                    return True
        return False

    def __setstate__(self, state: dict[Any, Any]) -> None:
        super().__setstate__(state)
        self._login = ""  # it was found where the model was made


def revealed(secrets: Mapping[str, SecretStr] | None) -> dict[str, str]:
    """The plain values of secrets."""
    return {name: secret.get_secret_value() for name, secret in (secrets or {}).items()}


def hidden(values: Mapping[str, str]) -> dict[str, Any] | None:
    """Plain values as secrets; None for none."""
    return {name: SecretStr(value) for name, value in values.items()} or None


__all__ = ["LoginSettings", "hidden", "revealed"]
