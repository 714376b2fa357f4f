"""ChatGradioSpace: the chat of any Gradio app, on a Hugging Face Space or anywhere else.

The provider is imported at first use, to keep the import of the class quick.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, Unpack

from langchain_core.language_models import LangSmithParams
from langchain_core.messages import AIMessage
from pydantic import Field, SecretStr, field_validator, model_validator

from langchain_g4f.chat_models.given_cookies import GivenCookies
from langchain_g4f.chat_models.gradio_account import HubAccount, plain
from langchain_g4f.chat_models.gradio_address import (
    environment_hub,
    space_id,
    space_url,
)
from langchain_g4f.errors import ConfigurationError

if TYPE_CHECKING:
    from langchain_core.language_models import ModelProfile

    from langchain_g4f.chat_models.arguments import Arguments
    from langchain_g4f.core.chat_request import ChatRequest
    from langchain_g4f.core.limits import Limits
    from langchain_g4f.core.plan import CallContext, Plan, PlanOf
    from langchain_g4f.providers.gradio_space import App, SpaceConfig


class ChatGradioSpace(HubAccount):
    """Chat with a Gradio app: a ``gr.ChatInterface``, or a page with a chatbot.

    Setup:
        Public Spaces need nothing. For a private Space, or to have GPU time booked on your
        account, give a token as ``api_key=``, or say ``use_environment_token=True`` for the
        one in ``HF_TOKEN``, which goes to Spaces on hf.space alone.

    Instantiate:
        ``ChatGradioSpace(space="owner/name")``, or
        ``ChatGradioSpace(base_url="http://localhost:7860")``.

    Inputs:
        ``temperature``, ``max_tokens``, ``top_p``, ``top_k``, ``seed`` and a system message
        go into the app's inputs with such a label; ``inputs={"name": value}`` sets any.

    Conversations:
        An app that keeps state is gone on with where the history leads to its last answer;
        otherwise the history is sent.

    Errors:
        See `langchain_g4f.errors`; those of apps are AppError, QuotaExceededError,
        QueueFullError, SpaceNotRunningError and SessionLostError.
    """

    label: ClassVar[str] = "the Space"
    provider: ClassVar[str] = "gradio_space"
    url: ClassVar[str] = "https://huggingface.co/spaces"
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
    honoured: ClassVar[frozenset[str]] = frozenset({"temperature", "max_tokens"})

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
    """Values for inputs of the app, by label or name."""
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    queue_timeout: float | None = Field(default=None, gt=0)
    """Seconds the place in the app's queue may stay the same; None for five minutes."""
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

    @field_validator("space")
    @classmethod
    def _space_is_an_id(cls, value: str) -> str:
        return space_id(value)

    @model_validator(mode="after")
    def _find_address(self) -> Self:
        self._read_environment()
        if self.profile == self._resolve_model_profile():
            self.model_fields_set.discard("profile")  # it was set by langchain-core
        return self

    def _read_environment(self) -> None:
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
        self._read_account()

    @property
    def lc_secrets(self) -> dict[str, str]:
        """Where credentials are read from when a serialized model is loaded."""
        return {
            "api_key": "HF_TOKEN" if self._on_hub else "GRADIO_SPACE_TOKEN",
            "cookies": "HF_COOKIES",
            "zerogpu_token": "ZEROGPU_TOKEN",
            "zerogpu_uuid": "ZEROGPU_UUID",
        }

    def get_models(self) -> list[str]:
        """The models the app lets its users choose from, or what the Space is called."""
        return super().get_models()

    def _where(self) -> SpaceConfig:
        from langchain_g4f.providers.gradio_space import SpaceConfig

        return SpaceConfig(
            base_url=self.base_url,
            space=self.space,
            hub_url=self.hub_url,
            api_name=self.api_name,
            token=plain(self.api_key),
            gpu_token=plain(self.zerogpu_token),
            gpu_uuid=plain(self.zerogpu_uuid),
            wake_timeout_s=self.wake_timeout,
        )

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        # the one model of an app has no name of its own
        params.setdefault("ls_model_name", self.space or self.base_url)
        return params

    def _limits(self) -> Limits:
        from dataclasses import replace

        limits = super()._limits()
        if self.queue_timeout is None:
            return limits
        return replace(limits, clocks=replace(limits.clocks, queue=self.queue_timeout))

    def _option(self, name: str, value: object) -> object:
        if isinstance(value, AIMessage):
            return value.response_metadata.get("conversation", {})  # no handle is not "auto"
        return value

    def _plan(self, chat_request: ChatRequest, context: CallContext) -> Plan:
        from langchain_g4f.providers.gradio_space import plan

        try:
            yield from plan(chat_request, context, self._where())
        finally:
            self._learn(context)

    def _whoami_plan(self, context: CallContext) -> PlanOf[str | None]:
        from langchain_g4f.providers.gradio_space import whoami

        if not self._on_hub and self.hub_url == environment_hub():
            return super()._whoami_plan(context)
        return whoami(self._where())

    def _describe_plan(self, context: CallContext) -> PlanOf[str]:
        from langchain_g4f.providers.gradio_space import open_app

        where = self._where()
        app = yield from open_app(where, context)
        return "Gradio" if app is where.fallback_app else f"Gradio {app.version}"

    def _models_plan(self, context: CallContext) -> PlanOf[list[str]]:
        from langchain_g4f.providers.gradio_space import models_of, open_app

        where = self._where()
        app = yield from open_app(where, context)
        self._learn(context)
        name = app.space_id or self.space or app.title
        return models_of(app, where) or ([name] if name else [])

    def _fetch_plan(self, url: str) -> PlanOf[bytes]:
        from langchain_g4f.providers.gradio_space import fetch

        return fetch(url, self._where(), tuple(self.trusted_media_hosts))

    def _learn(self, context: CallContext) -> None:
        """Let the profile follow what the app has said of itself."""
        from langchain_g4f.providers.gradio_space import cached_app

        app = cached_app(self._where(), context)
        if app is not None and "profile" not in self.model_fields_set:
            self.__dict__["profile"] = self._profile_of(app)

    def _profile_of(self, app: App) -> ModelProfile:
        from langchain_g4f.providers.gradio_space import input_modalities

        takes = input_modalities(app, self._where())
        return {
            **(super()._resolve_model_profile() or {}),
            "image_inputs": "image" in takes,
            "image_url_inputs": "image" in takes,
            "audio_inputs": "audio" in takes,
            "video_inputs": "video" in takes,
            "pdf_inputs": "pdf" in takes,
        }


__all__ = ["ChatGradioSpace"]
