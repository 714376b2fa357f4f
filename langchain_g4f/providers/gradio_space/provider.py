"""A Gradio app as a provider: its facts, whose credentials go to it, and where its plans stand.

The plans are imported at first use, so that the facts alone are quick to import.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ClassVar, TypeVar
from urllib.parse import urlsplit

from langchain_g4f.errors import ConfigurationError
from langchain_g4f.providers.base import Provider

if TYPE_CHECKING:
    from langchain_g4f.core.chat_request import ChatRequest
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.plan import Plan, PlanOf
    from langchain_g4f.providers.gradio_space.config import SpaceConfig
    from langchain_g4f.providers.gradio_space.identity import GPUQuota

T = TypeVar("T")

HUB_URL, HUB_VARIABLE = "https://huggingface.co", "HF_ENDPOINT"
"""Address of the Hub, and the environment variable that replaces it."""
_SPACE_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class GradioApp(Provider):
    """A Gradio app, on a Space of the Hub or elsewhere.

    Attributes:
        space: Id of the Space, ``owner/name``; empty if the app is not on one.
        hub_url: Address of the Hub.
        api_name: Name of one of the app's chats; empty if it has one.
        api_key: The caller's token of the Hub.
        api_key_given: Whether the caller has given it for this app, so that its code may have it.
        auth: Name and password of the app's own login.
        cookies: The caller's cookies of the Hub.
        zerogpu_token: A ZeroGPU token that the caller has.
        zerogpu_uuid: The session id that belongs to it.
        use_environment_token: Whether the token in ``HF_TOKEN`` may be used.
        wake_timeout: Seconds that a Space may take to wake up.
        trusted_media_hosts: Hosts whose files may be fetched from a private address.
    """

    name: ClassVar[str] = "gradio_space"
    label: ClassVar[str] = "the Space"
    url: ClassVar[str] = "https://huggingface.co/spaces"
    has_model_list: ClassVar[bool] = True
    has_own_login: ClassVar[bool] = True
    account_name: ClassVar[str] = "gradio"
    credential: ClassVar[str] = "api_key"
    credential_variables: ClassVar[Mapping[str, str]] = {"api_key": "HF_TOKEN"}
    options: ClassVar[tuple[str, ...]] = (
        "conversation",
        "history",
        "inputs",
        "temperature",
        "max_tokens",
        "top_p",
        "top_k",
        "seed",
        "trusted_media_hosts",
    )
    supported_parameters: ClassVar[frozenset[str]] = frozenset({"temperature", "max_tokens"})

    space: str = ""
    hub_url: str = HUB_URL
    api_name: str = ""
    api_key: str = field(default="", repr=False)
    api_key_given: bool = False
    auth: tuple[str, str] | None = field(default=None, repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    zerogpu_token: str = field(default="", repr=False)
    zerogpu_uuid: str = field(default="", repr=False)
    use_environment_token: bool = False
    wake_timeout: float = 300.0
    trusted_media_hosts: tuple[str, ...] = ()

    @property
    def config(self) -> SpaceConfig:
        """The Space as the plans take it."""
        from langchain_g4f.providers.gradio_space.config import SpaceConfig

        return SpaceConfig(
            base_url=self.base_url,
            space=self.space,
            hub_url=self.hub_url,
            api_name=self.api_name,
            token=self.api_key,
            oauth_token=self.api_key if self._may_be_passed_on else "",
            auth=self.auth,
            gpu_token=self.zerogpu_token,
            gpu_uuid=self.zerogpu_uuid,
            wake_timeout_s=self.wake_timeout,
        )

    # -- the app ---------------------------------------------------------------

    def chat(self, chat_request: ChatRequest, context: CallContext) -> Plan:
        """One answer of the app's chat function."""
        from langchain_g4f.providers.gradio_space.identity import with_reset_time
        from langchain_g4f.providers.gradio_space.plan import plan

        make_plan = partial(plan, chat_request, context, self.config)
        once = partial(self._logged_in, make_plan, context)
        # a token that was saved for an app elsewhere is not the Hub's
        hub_knows = self.api_key_given or self.is_on_hub or bool(self.space)
        return with_reset_time(once, self.config, context.wall_clock) if hub_knows else once()

    def list_models(self, context: CallContext) -> PlanOf[list[str]]:
        """The models that users of the app choose from, or the name of the Space."""
        from langchain_g4f.providers.gradio_space.capabilities import models_of
        from langchain_g4f.providers.gradio_space.space import open_app

        config = self.config
        app = yield from self._logged_in(partial(open_app, config, context), context)
        return (yield from models_of(app, config, context))

    def describe(self, context: CallContext) -> PlanOf[str]:
        """The version of Gradio, and a line for each input of the chat that can be set."""
        from langchain_g4f.providers.gradio_space.capabilities import describe
        from langchain_g4f.providers.gradio_space.space import open_app

        config = self.config
        app = yield from self._logged_in(partial(open_app, config, context), context)
        return (yield from describe(app, config, context))

    def fetch(self, url: str, context: CallContext) -> PlanOf[bytes]:
        """A file of the app."""
        from langchain_g4f.providers.gradio_space.files import fetch

        make_plan = partial(fetch, url, self.config, tuple(self.trusted_media_hosts))
        return self._logged_in(make_plan, context)

    def media_types(self, context: CallContext) -> frozenset[str] | None:
        """What the app takes, as far as it has said so."""
        from langchain_g4f.providers.gradio_space.capabilities import input_modalities
        from langchain_g4f.providers.gradio_space.space import cached_app

        app = cached_app(self.config, context)
        return None if app is None else input_modalities(app, self.config)

    # -- accounts --------------------------------------------------------------

    def whoami(self, context: CallContext) -> PlanOf[str | None]:
        """The user's name at the app, with a login to it, or on the Hub.

        For an app elsewhere, the Hub is asked only if it is a Hub of its own.
        """
        from langchain_g4f.providers.gradio_space.identity import whoami
        from langchain_g4f.providers.gradio_space.login import has_session, user_of

        if self.auth or has_session(self.config, context):
            return user_of(self.config, context)
        return whoami(self.config) if self._asks_hub else super().whoami(context)

    def quota(self, context: CallContext) -> PlanOf[GPUQuota]:
        """The GPU time that is left to the owner of the token.

        Raises:
            ConfigurationError: There is no token for the Hub.
        """
        from langchain_g4f.providers.gradio_space.identity import quota

        if not self._asks_hub:
            raise ConfigurationError(f"quota: {self.base_url} is no Space of the Hub")
        return quota(self.config)

    def _logged_in(self, make_plan: Callable[[], PlanOf[T]], context: CallContext) -> PlanOf[T]:
        from langchain_g4f.providers.gradio_space.login import logged_in

        return logged_in(make_plan, self.config, context)

    @property
    def _asks_hub(self) -> bool:
        """Whether the Hub is asked about the caller: for a Space, or a Hub that is named."""
        environment_hub = (self.environ.get(HUB_VARIABLE) or HUB_URL).rstrip("/")
        return self.is_on_hub or self.hub_url != environment_hub

    @property
    def _may_be_passed_on(self) -> bool:
        """Whether the app's code may act with the token: it was given, or is the allowed one."""
        named = self.environ.get(self.credential_variables["api_key"], "").strip()
        return self.api_key_given or (self.is_of_environment and self.api_key == named)

    def login_page(self, context: CallContext) -> PlanOf[str]:
        """The login page of the Hub."""
        if not self.is_on_hub:
            return (yield from super().login_page(context))
        return f"{self.hub_url}/login"

    @property
    def is_on_hub(self) -> bool:
        """Whether the app is a Space of the Hub, to which tokens of the Hub may go."""
        return is_on_hub(self.base_url)

    @property
    def account_url(self) -> str:
        """The Hub, or an app elsewhere."""
        return self.hub_url if self.is_on_hub else self.base_url

    @property
    def cookie_url(self) -> str:
        """The Hub."""
        return self.hub_url

    def initial_cookies(self) -> dict[str, str]:
        """The caller's cookies of the Hub."""
        return dict(self.cookies)

    @property
    def is_of_environment(self) -> bool:
        """Whether the token of the environment may be used: the owner of a Space can read it."""
        return self.use_environment_token and self.is_on_hub

    @property
    def takes_saved_cookies(self) -> bool:
        """Saved cookies are the Hub's: an app elsewhere has an account of its own."""
        return self.is_on_hub


def is_on_hub(base_url: str) -> bool:
    """Whether the app at ``base_url`` is a Space of the Hub."""
    parts = urlsplit(base_url)
    return parts.scheme == "https" and (parts.hostname or "").endswith(".hf.space")


def space_id(given: str) -> str:
    """The id of a Space, out of it or out of the URL of its page.

    Raises:
        ConfigurationError: It is neither.
    """
    path = given
    if "://" in given:
        path = urlsplit(given).path.strip("/").removeprefix("spaces/")
        path = "/".join(path.split("/")[:2])
    if given and not _SPACE_ID.fullmatch(path):
        msg = f"space: expected 'owner/name', not {given!r}"
        raise ConfigurationError(msg)
    return path


def space_url(space: str) -> str:
    """URL of the app of a Space: its id in lower case, with hyphens for the rest."""
    name = re.sub(r"[^a-z0-9]+", "-", space.lower()).strip("-")
    return f"https://{name}.hf.space"


__all__ = ["HUB_URL", "HUB_VARIABLE", "GradioApp", "is_on_hub", "space_id", "space_url"]
