"""The account of a caller of Gradio apps: on the Hub, or at the app itself.

Tokens and cookies of the Hub go to Spaces of the Hub, and to no other app. A ZeroGPU token
is fetched with them, unless one is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from langchain_g4f.auth.cookies import check_cookies
from langchain_g4f.auth.store import Credentials
from langchain_g4f.chat_models.addresses import address
from langchain_g4f.chat_models.base import BaseChatG4F
from langchain_g4f.chat_models.given_cookies import named_cookies
from langchain_g4f.chat_models.gradio_address import (
    environment_hub,
    environment_token,
    is_on_hub,
)
from langchain_g4f.chat_models.login import hidden, revealed

if TYPE_CHECKING:
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.plan import PlanOf


class HubAccount(BaseChatG4F):
    """What a chat model of a Gradio app knows of its caller."""

    account_of: ClassVar[str] = "gradio"
    credential: ClassVar[str] = "api_key"

    hub_url: str = Field(default_factory=lambda: address(environment_hub(), "HF_ENDPOINT"))
    """Address of the Hub, which knows Spaces and identities."""
    api_key: SecretStr | None = None
    """Token of the Hub, sent to the app and to the Hub."""
    use_environment_token: bool = False
    """Take the token in ``HF_TOKEN`` where none is given, for an app on hf.space."""
    cookies: dict[str, SecretStr] | None = None
    """Cookies of the Hub, for the Hub alone: header, names and values, path of a cookie file, or
    the list that a browser exports."""
    zerogpu_token: SecretStr | None = None
    """A ZeroGPU token you have; otherwise the Hub is asked for one."""
    zerogpu_uuid: SecretStr | None = None
    """The session id that goes with it."""

    @field_validator("hub_url")
    @classmethod
    def _hub_is_http(cls, value: str) -> str:
        return address(value, "hub_url")

    @field_validator("cookies", mode="before")
    @classmethod
    def _cookies_by_name(cls, value: object, info: ValidationInfo) -> object:
        found = named_cookies(value, str(info.data.get("hub_url", "")))
        return value if found is None else hidden(found)

    @field_validator("cookies")
    @classmethod
    def _cookies_can_be_sent(
        cls, value: dict[str, SecretStr] | None
    ) -> dict[str, SecretStr] | None:
        check_cookies(revealed(value))
        return value

    def _read_account(self) -> None:
        """Take what is not given from the environment or a login, for this address."""
        missing = {"api_key", "cookies"} - self.model_fields_set
        found = self._found_credentials() if missing else Credentials()
        check_cookies(found.cookies)
        if "api_key" in missing:
            self.__dict__["api_key"] = SecretStr(found.api_key) if found.api_key else None
        if "cookies" in missing:
            # they are the Hub's: an app elsewhere has an account of its own
            self.__dict__["cookies"] = hidden(found.cookies) if self._on_hub else None

    @property
    def _on_hub(self) -> bool:
        return is_on_hub(self.base_url)

    @property
    def account_url(self) -> str:
        """The Hub, or an app elsewhere."""
        return self.hub_url if self._on_hub else self.base_url

    def _environment_credentials(self) -> Credentials:
        # whoever runs a Space can read what it is sent
        wanted = self.use_environment_token and self._on_hub
        return Credentials(api_key=environment_token() if wanted else "")

    def _use(self, found: Credentials, context: CallContext) -> bool:
        check_cookies(found.cookies)
        own = "cookies" in self.model_fields_set or not self._on_hub
        renewed = not own and context.cookies.renew(found.cookies)
        if found.api_key and found.api_key != plain(self.api_key):
            self.__dict__["api_key"] = SecretStr(found.api_key)
            renewed = True
        return renewed

    def _login_page_plan(self, context: CallContext) -> PlanOf[str]:
        if not self._on_hub:
            return (yield from super()._login_page_plan(context))
        return f"{self.hub_url}/login"

    def _identity_url(self) -> str:
        return self.hub_url

    def _secrets(self) -> dict[str, str]:
        return revealed(self.cookies)


def plain(secret: SecretStr | None) -> str:
    """The value of a secret; empty for none."""
    return secret.get_secret_value() if secret is not None else ""


__all__ = ["HubAccount", "plain"]
