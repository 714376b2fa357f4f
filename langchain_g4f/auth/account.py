"""The account of a caller: where its credentials are looked for, and which of them are in use.

Credentials come from the first of these that has any: the argument; the environment; the file
that a login wrote; an installed browser, if one is named. A profile that is named is an explicit
choice, and comes before the environment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from langchain_g4f.auth.cookies import check_cookies, check_token
from langchain_g4f.auth.given_cookies import named_cookies, revealed, sealed
from langchain_g4f.auth.store import DEFAULT_PROFILE, CredentialFile, Credentials
from langchain_g4f.errors import AuthenticationError, ConfigurationError

if TYPE_CHECKING:
    from langchain_g4f.auth.renewal import ModelIdentity
    from langchain_g4f.core.context import CookieStore
    from langchain_g4f.providers.base import Provider

CREDENTIALS = frozenset({"cookies", "api_key"})
"""Fields with credentials."""
ON_LOGIN_REQUIRED = "from on_login_required"
"""Where a login was found that the application's callback has returned."""


@dataclass(frozen=True, slots=True, repr=False)
class ModelAccount:
    """The account of a chat model.

    Attributes:
        provider: The model's provider, which knows where the account is.
        fields: Fields of the model; credentials that are found are written there.
        given: Names of the fields that the caller has set.
        identity: Who the model is, with the place where its login was found.
    """

    provider: Provider
    fields: MutableMapping[str, Any]
    given: AbstractSet[str]
    identity: ModelIdentity

    @property
    def profile(self) -> str:
        """Name of the account, if the caller has several."""
        return str(self.fields["login_profile"])

    @property
    def file(self) -> CredentialFile:
        """Where a login is saved, whether there is one or not."""
        name = self.provider.account_name or self.provider.name
        return CredentialFile.of(name, self.provider.account_url, self.profile)

    @property
    def server(self) -> str:
        """URL of the server that has the account: the app itself, where there is a login to it."""
        own = self.saved == self._session
        return self.provider.base_url if own else self.provider.account_url

    @property
    def saved(self) -> CredentialFile:
        """Where the login to `server` is saved, whether there is one or not."""
        session = self._session
        own = self.provider.has_own_login and (self.fields.get("auth") or session.path.exists())
        return session if own else self.file

    def session(self) -> Mapping[str, str]:
        """Cookies of a saved login to the app itself; none if the caller gave another one.

        Raises:
            ConfigurationError: See `CredentialFile.load`.
        """
        session = self._session
        if not self.provider.has_own_login or "auth" in self.given or not session.path.exists():
            return {}
        kept = session.load()
        return kept.cookies if kept else {}

    @property
    def _session(self) -> CredentialFile:
        name = self.provider.account_name or self.provider.name
        return CredentialFile.of(f"{name}-app", self.provider.base_url, self.profile)

    @property
    def login_in_use(self) -> str:
        """Where the login of the calls comes from; empty if they have none."""
        found = [name for name in ("cookies", "api_key") if self.fields.get(name)]
        argument = " and ".join(f"{name}=" for name in found if name in self.given)
        if self.identity.source or not found:
            return self.identity.source
        return f"given as {argument}" if argument else "of this model"

    def own_credentials(self, user: str = "") -> Credentials:
        """The credentials that the caller has given."""
        own = {n: revealed(self.fields.get(n)) for n in CREDENTIALS & self.given}
        return Credentials(own.get("cookies") or {}, own.get("api_key") or "", user)

    def find(self) -> None:
        """Fill the fields with credentials that the caller has not given.

        Raises:
            ConfigurationError: A header cannot carry the credentials.
        """
        if not self.provider.credential:
            return
        _check(self.own_credentials())
        missing = CREDENTIALS & self.fields.keys() - self.given
        if not missing:
            return
        nothing = ("", Credentials())
        self.identity.source, found = next((each for each in self._sources() if each[1]), nothing)
        _check(found)
        # Not by assignment: they do not count as given, and are read again when they are refused.
        if "api_key" in missing:
            self.fields["api_key"] = SecretStr(found.api_key) if found.api_key else None
        if "cookies" in missing:
            cookies = found.cookies if self.provider.takes_saved_cookies else {}
            self.fields["cookies"] = sealed(cookies) or None

    def renew(self, cookies: CookieStore, ask: Callable[[], object] | None) -> bool:
        """Take other credentials than those in use; False if there are none.

        Args:
            cookies: The cookies in use.
            ask: Asks the application for a credential; None if it wants no such question.
        """
        if self._use_session(cookies):
            return True
        if self.provider.credential not in self.given and self._use_found(cookies):
            return True
        if ask is None:
            return False
        found = self._credentials(ask())
        if not found:
            return self._use_session(cookies) or self._use_found(cookies)
        used = self._use(found, cookies)
        if used:
            self.identity.source = ON_LOGIN_REQUIRED
        return used

    def explain(self, error: AuthenticationError) -> None:
        """Add to an error what was refused, and for which account a login is wanted."""
        if not error.login_url:
            return
        error.refused = self.login_in_use
        if error.login_command:
            error.refused = f"kept in {self._session.path.name}" if self.session() else ""
        said = "No login was given."
        if error.refused:
            said = f"The login {error.refused} was refused: it has expired, or is another server's."
        if self.profile != DEFAULT_PROFILE:
            command = f"add --profile {self.profile} to the command"
            said += f" (The account is {self.profile!r}: {command}.)"
        told = str(error).removesuffix(".")
        error.args = (f"{told}.{self.provider.login_hint()} {said}",)

    def check_profile(self) -> None:
        """Refuse a profile without a login: who names one does not want to be anonymous."""
        if self.profile == DEFAULT_PROFILE:
            return
        file = self.file
        given = {*CREDENTIALS, "auth"} & self.given
        if given or self.login_in_use or file.path.exists() or self.saved.path.exists():
            return
        known = ", ".join(file.profiles()) or "none"
        msg = (
            f"profile: no login of {self.profile!r} is kept for {self.provider.account_url}; kept"
            f" are: {known}. Run `langchain-g4f login` with --profile {self.profile}"
        )
        raise ConfigurationError(msg)

    def refresh(self, old: Mapping[str, str], new: Mapping[str, str]) -> None:
        """Save cookies that the service has renewed, if it is the old ones that are saved."""
        with suppress(ConfigurationError):  # it is reported where the file is read
            self.file.refresh(old, new)

    def _sources(self) -> Iterator[tuple[str, Credentials]]:
        """The credentials by where they are, in the order in which they count."""
        if self.profile == DEFAULT_PROFILE:
            yield "of the environment", self._environment()
        file = self.file
        yield f"kept in {file.path.name}", file.load() or Credentials()
        if browser := self.fields["from_browser"]:
            from langchain_g4f.auth.browsers import read_browser_cookies

            found = read_browser_cookies(browser, self.provider.account_url)
            yield f"of {browser}", Credentials(found)

    def _environment(self) -> Credentials:
        found = self.provider.environment_credentials()
        cookies: object = found.get("cookies")
        if not cookies and "cookie_file" in found:
            cookies = Path(found["cookie_file"]).expanduser()
        return Credentials(
            named_cookies(cookies, self.provider.base_url) or {}, found.get("api_key", "").strip()
        )

    def _credentials(self, given: object) -> Credentials:
        """Credentials out of what an application has returned."""
        if self.provider.credential != "cookies":
            token = revealed(given)
            return Credentials(api_key=token if isinstance(token, str) else "")
        if isinstance(given, Mapping):
            return Credentials({n: str(revealed(v)) for n, v in given.items()})
        return Credentials(named_cookies(given, self.provider.base_url) or {})

    def _use_session(self, cookies: CookieStore) -> bool:
        """Use the saved login to the app; False if it is in use or missing."""
        with suppress(ConfigurationError):  # the refusal is what the caller has to know
            return cookies.give(self.provider.base_url, self.session())
        return False

    def _use_found(self, cookies: CookieStore) -> bool:
        """Use the first credentials of the sources that are not in use."""
        with suppress(ConfigurationError):  # the refusal is what the caller has to know
            for source, found in self._sources():
                if found and self._use(found, cookies):
                    self.identity.source = source
                    return True
        return False

    def _use(self, found: Credentials, cookies: CookieStore) -> bool:
        """Use credentials from now on; False if they are in use."""
        _check(found)
        token = found.api_key if "api_key" in self.fields else ""
        # The cookies that a caller has given beside a token stay.
        own_cookies = "cookies" in self.given and self.provider.credential != "cookies"
        wanted = self.provider.takes_saved_cookies and not own_cookies
        renewed = wanted and cookies.renew(found.cookies)
        if token and token != revealed(self.fields["api_key"]):
            self.fields["api_key"] = SecretStr(token)
            renewed = True
        return renewed


def _check(found: Credentials) -> None:
    """Refuse what a header cannot carry."""
    check_cookies(found.cookies)
    check_token(found.api_key)


__all__ = ["ON_LOGIN_REQUIRED", "ModelAccount"]
