"""The provider interface: everything that the rest of the package asks of a provider.

A provider is a small object that is made for one call, out of the fields of its chat model that
have the names of its own fields. It states facts, and describes conversations as plans (see
`langchain_g4f.core.plan`); it does no I/O, and knows neither LangChain nor other providers. A new
one needs `name`, `label` and `chat`; everything else has a default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from langchain_g4f.errors import ConfigurationError

if TYPE_CHECKING:
    from langchain_g4f.core.chat_request import ChatRequest
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.plan import Plan, PlanOf


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A chat service, or a kind of server.

    Attributes:
        base_url: Origin and path of the server, without a final slash.
        environ: The environment variables.
    """

    # -- facts -----------------------------------------------------------------

    name: ClassVar[str] = ""
    """Must. Name in errors, metadata and traces."""
    label: ClassVar[str] = ""
    """Must. Name of the service for people."""
    url: ClassVar[str] = ""
    """Web page where a person finds the service."""
    home: ClassVar[str] = ""
    """Default of ``base_url``; empty if the caller has to name a server."""
    home_variable: ClassVar[str] = ""
    """Environment variable that replaces `home`."""
    base_url_required: ClassVar[bool] = False
    """Whether an empty ``base_url`` is an error."""
    needs_auth: ClassVar[bool] = False
    supports_stream: ClassVar[bool] = True
    supports_system_message: ClassVar[bool] = True
    supports_message_history: ClassVar[bool] = True
    has_model_list: ClassVar[bool] = False
    """Whether `list_models` asks the service; if not, it returns `models`."""
    default_model: ClassVar[str] = ""
    default_vision_model: ClassVar[str] = ""
    models: ClassVar[tuple[str, ...]] = ()
    """Known models, for when the service cannot be asked."""
    image_models: ClassVar[tuple[str, ...]] = ()
    vision_models: ClassVar[tuple[str, ...]] = ()
    model_aliases: ClassVar[Mapping[str, str]] = {}
    options: ClassVar[tuple[str, ...]] = ()
    """Names of the parameters of a call beyond LangChain's own. A field of the chat model with
    such a name is the default of the parameter."""
    supported_parameters: ClassVar[frozenset[str]] = frozenset()
    """Those of ``temperature`` and ``max_tokens`` that have an effect."""
    credential: ClassVar[str] = ""
    """Field with the caller's credential, ``"cookies"`` or ``"api_key"``; empty for none."""
    credential_variables: ClassVar[Mapping[str, str]] = {}
    """Environment variables with credentials, by ``cookies``, ``cookie_file`` and ``api_key``."""
    has_own_login: ClassVar[bool] = False
    """Whether the server at `base_url` may have a login beside that of `account_url`."""
    account_name: ClassVar[str] = ""
    """First part of the file names of saved logins; empty for `name`."""

    base_url: str = ""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    # -- the service -----------------------------------------------------------

    def chat(self, chat_request: ChatRequest, context: CallContext) -> Plan:
        """Must. Send a request, and yield the events of its answer."""
        raise NotImplementedError

    def list_models(self, context: CallContext) -> PlanOf[list[str]]:
        """Return the models that can be asked, the default first."""
        yield from ()
        return list(self.models)

    def describe(self, context: CallContext) -> PlanOf[str]:
        """Return what the server says it is; empty if it does not say."""
        yield from ()
        return ""

    def fetch(self, url: str, context: CallContext) -> PlanOf[bytes]:
        """Download a file of an answer."""
        raise ConfigurationError(f"{self.label} has no files to fetch: {url}")

    # -- accounts --------------------------------------------------------------

    def whoami(self, context: CallContext) -> PlanOf[str | None]:
        """Return the name of the user who is logged in; None if no user is."""
        yield from ()
        raise ConfigurationError(f"{self.label} does not say who is logged in")

    def login_page(self, context: CallContext) -> PlanOf[str]:
        """Return the URL at which a browser logs in."""
        yield from ()
        msg = f"{self.label} at {self.account_url} has no login in a browser"
        if self.credential == "api_key":
            msg += ": give a token, as api_key= or with `langchain-g4f login --token`"
        raise ConfigurationError(msg)

    @property
    def account_url(self) -> str:
        """URL of the server that knows the caller."""
        return self.base_url

    @property
    def cookie_url(self) -> str:
        """URL of the server that owns the caller's cookies."""
        return self.base_url

    def initial_cookies(self) -> dict[str, str]:
        """Return the cookies that a new model starts with."""
        return {}

    @property
    def is_of_environment(self) -> bool:
        """Whether the server has the origin of the one that the environment names, or of `home`."""
        other = self.environ.get(self.home_variable) or self.home
        return urlsplit(self.base_url)[:2] == urlsplit(other)[:2]

    def environment_credentials(self) -> Mapping[str, str]:
        """Return the credentials of the environment, by the keys of `credential_variables`."""
        if not self.is_of_environment:
            return {}
        variables = self.credential_variables.items()
        return {kind: found for kind, name in variables if (found := self.environ.get(name, ""))}

    def media_types(self, context: CallContext) -> frozenset[str] | None:
        """Return which of image, audio, video and pdf are taken; None if it is not known yet."""
        return None

    @property
    def takes_saved_cookies(self) -> bool:
        """Whether the cookies of a saved login may be sent to `cookie_url`."""
        return True

    def login_hint(self) -> str:
        """Return where else a login is looked for, for the text of an error."""
        return ""


__all__ = ["Provider"]
