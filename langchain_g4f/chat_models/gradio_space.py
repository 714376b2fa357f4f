"""ChatGradioSpace: the chat of any Gradio app, on a Hugging Face Space or anywhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, Unpack, cast

from langchain_core.language_models import LangSmithParams
from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from langchain_g4f.auth.account import ON_LOGIN_REQUIRED
from langchain_g4f.auth.cookies import parse_cookie_header
from langchain_g4f.auth.given_cookies import GivenCookies, cookies_field, revealed, sealed
from langchain_g4f.auth.store import Credentials
from langchain_g4f.chat_models.base import BaseChatG4F
from langchain_g4f.chat_models.settings import address, address_of_environment
from langchain_g4f.errors import ConfigurationError
from langchain_g4f.providers.base import Provider
from langchain_g4f.providers.gradio_space.provider import (
    HUB_URL,
    HUB_VARIABLE,
    GradioApp,
    is_on_hub,
    space_id,
    space_url,
)

if TYPE_CHECKING:
    from langchain_g4f.chat_models.arguments import Arguments
    from langchain_g4f.core.chat_request import ChatRequest
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.limits import Limits
    from langchain_g4f.core.plan import Plan
    from langchain_g4f.providers.gradio_space.identity import GPUQuota


class ChatGradioSpace(BaseChatG4F):
    """Chat with a Gradio app: a ``gr.ChatInterface``, or a page with a chatbot.

    Setup:
        Public Spaces need nothing. For a private Space, or to have GPU time booked on your
        account, give a token as ``api_key=``, or say ``use_environment_token=True`` for the
        one in ``HF_TOKEN``, which goes to Spaces on hf.space alone. For an app with a login of
        its own, give ``auth=("user", password)``.

    Instantiate:
        ``ChatGradioSpace(space="owner/name")``, or
        ``ChatGradioSpace(base_url="http://localhost:7860")``.

    Inputs:
        ``temperature``, ``max_tokens``, ``top_p``, ``top_k``, ``seed`` and a system message
        go into the app's inputs with such a label; ``inputs={"name": value}`` sets any.

    Conversations:
        If an app keeps state and the history ends with its last answer, the session is
        continued. Otherwise the history is sent.

    Errors:
        See `langchain_g4f.errors`; those of apps are AppError, QuotaExceededError,
        QueueFullError, SpaceNotRunningError and SessionLostError.
    """

    provider_class: ClassVar[type[Provider]] = GradioApp

    hub_url: str = Field(default_factory=partial(address_of_environment, HUB_VARIABLE, HUB_URL))
    """Address of the Hub, which knows Spaces and identities."""
    api_key: SecretStr | None = None
    """Token of the Hub, sent to the app and to the Hub."""
    use_environment_token: bool = False
    """Take the token in ``HF_TOKEN`` where none is given, for an app on hf.space."""
    cookies: dict[str, SecretStr] | None = None
    """Cookies of the Hub, for the Hub alone: header, names and values, path of a cookie file, or
    the list that a browser exports."""
    auth: tuple[SecretStr, SecretStr] | None = None
    """Name and password for an app with a login of its own, ``("user", password)``; sent when the
    app asks for a login, to the app alone."""
    zerogpu_token: SecretStr | None = None
    """A ZeroGPU token you have; otherwise the Hub is asked for one."""
    zerogpu_uuid: SecretStr | None = None
    """The session id that goes with it."""
    space: str = ""
    """Id of the Space, ``owner/name``, or the address of its page."""
    base_url: str = ""
    """Address of the app; by default that of the Space."""
    api_name: str = ""
    """Name of one of the app's functions, where it has several chats."""
    conversation: Literal["auto", "new"] | dict[str, Any] = "auto"
    """Go on in the app's session where the history leads to one; always begin a new one; or
    go on from this handle. A call also takes an answer."""
    history: Literal["auto", "flattened", "messages"] = "auto"
    """How earlier messages are sent: in one text, or as messages of the chatbot."""
    inputs: dict[str, Any] = Field(default_factory=dict)
    """Values for inputs of the app, by label or name. For an input that holds files: a path,
    bytes, a PIL image, or a list of them."""
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    queue_timeout: float | None = Field(default=None, gt=0)
    """Seconds the place in the app's queue may stay the same, or the queue be full; None for five
    minutes."""
    wake_timeout: float = Field(default=300.0, ge=0)
    """Seconds a sleeping or building Space may take until it is up."""
    trusted_media_hosts: list[str] = Field(default_factory=list)
    """Hosts whose files may be fetched although their address is private."""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            space: str = ...,
            api_name: str = ...,
            hub_url: str = ...,
            api_key: str | SecretStr | None = ...,
            use_environment_token: bool = ...,
            cookies: GivenCookies = ...,
            auth: tuple[str, str | SecretStr] | None = ...,
            zerogpu_token: str | SecretStr | None = ...,
            zerogpu_uuid: str | SecretStr | None = ...,
            conversation: Literal["auto", "new"] | Mapping[str, Any] = ...,
            history: Literal["auto", "flattened", "messages"] = ...,
            inputs: Mapping[str, Any] = ...,
            top_p: float | None = ...,
            top_k: int | None = ...,
            seed: int | None = ...,
            queue_timeout: float | None = ...,
            wake_timeout: float = ...,
            trusted_media_hosts: Sequence[str] = ...,
            **settings: Unpack[Arguments],
        ) -> None: ...

    @field_validator("hub_url")
    @classmethod
    def _hub_is_http(cls, value: str) -> str:
        return address(value, "hub_url")

    @field_validator("cookies", mode="before")
    @classmethod
    def _cookies_by_name(cls, value: object, info: ValidationInfo) -> object:
        return cookies_field(value, str(info.data.get("hub_url", "")))

    @field_validator("auth", mode="before")
    @classmethod
    def _auth_is_a_pair(cls, value: object) -> object:
        """Take ``"name:password"``, too: an environment variable has no pairs."""
        if isinstance(value, str | SecretStr):
            name, _, password = str(revealed(value)).partition(":")
            value = sealed([name, password])
        if isinstance(value, list | tuple) and not (len(value) == 2 and all(map(revealed, value))):
            msg = 'auth: expected a name and a password, ("user", password)'
            raise ConfigurationError(msg)
        return value

    @field_validator("space")
    @classmethod
    def _space_is_an_id(cls, value: str) -> str:
        return space_id(value)

    @model_validator(mode="after")
    def _forget_default_profile(self) -> Self:
        if self.profile == self._resolve_model_profile():
            self.model_fields_set.discard("profile")  # it was set by langchain-core
        return self

    def _settle(self) -> None:
        """Settle the address first: it decides whose token goes there."""
        given = self.model_fields_set
        if not self.base_url or ("space" in given and "base_url" not in given):
            if not self.space:
                msg = f"{type(self).__name__}: give a Space or the base_url of an app"
                raise ConfigurationError(msg)
            # not by assignment: it counts as not set
            self.__dict__["base_url"] = space_url(self.space)
        elif {"space", "hub_url"}.isdisjoint(given) and self.base_url != space_url(self.space):
            self.__dict__["space"] = ""  # a copy elsewhere: what the Hub says is not of it
        super()._settle()

    def _provider(self) -> GradioApp:
        asked = self._state.identity.source == ON_LOGIN_REQUIRED
        given = "api_key" in self.model_fields_set or asked
        return replace(cast("GradioApp", super()._provider()), api_key_given=given)

    def keep_login(self, user: str = "") -> bool:
        """Keep the session of the login to the app, if there is one, or the other credentials."""
        client = self._client()
        session = client.context.cookies.header_for(f"{self.base_url}/")
        if not (self.auth and session):
            return super().keep_login(user)
        return self._account().saved.save(Credentials(parse_cookie_header(session), user=user))

    def quota(self) -> GPUQuota:
        """The GPU time (ZeroGPU) that is left to the owner of the token, as the Hub knows it.

        Raises:
            ConfigurationError: There is no token, or no Hub to ask.
            AuthenticationError: The Hub refuses the token.
        """
        client = self._client()
        return client.result(cast("GradioApp", client.provider).quota(client.context))

    async def aquota(self) -> GPUQuota:
        """Like `quota`."""
        client = self._client()
        return await client.aresult(cast("GradioApp", client.provider).quota(client.context))

    def _secret_variables(self) -> dict[str, str]:
        return {
            "api_key": "HF_TOKEN" if is_on_hub(self.base_url) else "GRADIO_SPACE_TOKEN",
            "auth": "GRADIO_SPACE_AUTH",
            "cookies": "HF_COOKIES",
            "zerogpu_token": "ZEROGPU_TOKEN",
            "zerogpu_uuid": "ZEROGPU_UUID",
        }

    def get_models(self) -> list[str]:
        """The models the app lets its users choose from, or what the Space is called."""
        found = super().get_models()
        self._update_profile(self._client().context)
        return found

    async def aget_models(self) -> list[str]:
        """Like `get_models`."""
        found = await super().aget_models()
        self._update_profile(self._client().context)
        return found

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        # the one model of an app has no name of its own
        params.setdefault("ls_model_name", self.space or self.base_url)
        return params

    def _limits(self) -> Limits:
        limits = super()._limits()
        if self.queue_timeout is None:
            return limits
        return replace(limits, clocks=replace(limits.clocks, queue=self.queue_timeout))

    def _options(self, values: dict[str, Any]) -> dict[str, Any]:
        found = super()._options(values)
        inputs = found.get("inputs")
        if isinstance(inputs, Mapping):
            from langchain_g4f.chat_models.attachments import given_files

            found["inputs"] = {name: given_files(value) for name, value in inputs.items()}
        return found

    def _plan(self, chat_request: ChatRequest, context: CallContext) -> Plan:
        try:
            yield from super()._plan(chat_request, context)
        finally:
            self._update_profile(context)

    def _update_profile(self, context: CallContext) -> None:
        """Let the profile follow what the app has said of itself."""
        takes = self._provider().media_types(context)
        if takes is not None and "profile" not in self.model_fields_set:
            self.__dict__["profile"] = {
                **(super()._resolve_model_profile() or {}),
                "image_inputs": "image" in takes,
                "image_url_inputs": "image" in takes,
                "audio_inputs": "audio" in takes,
                "video_inputs": "video" in takes,
                "pdf_inputs": "pdf" in takes,
            }


__all__ = ["ChatGradioSpace"]
