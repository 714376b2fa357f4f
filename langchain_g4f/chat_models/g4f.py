"""ChatG4F: any provider class with the g4f interface as a chat model."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, Unpack
from urllib.parse import unquote, urlsplit

from langchain_core.language_models import ModelProfile
from langchain_core.messages import BaseMessage
from pydantic import (
    AliasChoices,
    Field,
    PrivateAttr,
    SecretStr,
    field_serializer,
    field_validator,
    model_validator,
)

from langchain_g4f.auth.given_cookies import cookies_field, revealed
from langchain_g4f.chat_models.arguments import Arguments
from langchain_g4f.chat_models.base import BaseChatG4F
from langchain_g4f.chat_models.chunks import ChunkMapper
from langchain_g4f.chat_models.native_tools import native_messages, take_native
from langchain_g4f.chat_models.parameters import Parameter
from langchain_g4f.chat_models.tool_calling import ARGUMENTS
from langchain_g4f.core.chat_request import ChatRequest
from langchain_g4f.core.events import Event
from langchain_g4f.core.redact import forget_locals
from langchain_g4f.errors import G4FError
from langchain_g4f.g4f_adapter.drivers import AsyncProviderEvents, provider_events
from langchain_g4f.g4f_adapter.provider import Facts, find_model, listed_models, load, reference
from langchain_g4f.g4f_adapter.request import (
    ProviderCall,
    ProviderFiles,
    as_conversation,
    check_media,
    has_remote,
    media_of,
    starter,
    with_files,
)
from langchain_g4f.g4f_adapter.values import AuthResult, plain, texts
from langchain_g4f.providers.base import Provider

_PARAMETERS = (
    "web_search",
    "guidance_scale",
    "num_inference_steps",
    "randomize_seed",
    "safe",
    "enhance",
    "private",
    "aspect_ratio",
    "width",
    "height",
    "n",
    "seed",
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "reasoning_effort",
    "prompt",
)
"""Parameters that are passed to the provider as they are."""
_OPTIONS = ("conversation", "messages", "native", "more")
"""Options of a call that are not."""
_NOT_FOR_PROVIDERS = ("from_browser", "impersonate", "login_profile")
"""Fields without an effect, because a provider does its own I/O."""
_SHORTEST_SECRET = 6  # characters; a shorter text may be any word


class ChatG4F(BaseChatG4F):
    """Chat with any provider class that has the g4f interface.

    g4f is neither needed nor imported; a provider is known by its attributes. See
    docs/providers/g4f.md for what becomes of the objects that it yields.

    Instantiate:
        ``ChatG4F(provider=SomeProvider, model="gpt-4o")``, or
        ``ChatG4F(provider="package.module:SomeProvider")``; an instance will do, too.

    Errors:
        See `langchain_g4f.errors`; the provider's own exception is the cause.
    """

    label: ClassVar[str] = "g4f"
    provider: ClassVar[str] = "g4f"
    options: ClassVar[tuple[str, ...]] = (*_PARAMETERS, *_OPTIONS)
    supported_parameters: ClassVar[frozenset[str]] = frozenset({"temperature", "max_tokens"})

    wrapped: Any = Field(validation_alias=AliasChoices("provider", "wrapped"))
    """The provider: a class, an instance, or ``"module:Name"``."""
    base_url: str = Field(default="", validation_alias=AliasChoices("base_url", "api_base"))
    """Address of the service, for providers that take one."""
    api_key: SecretStr | None = None
    cookies: dict[str, SecretStr] | None = None
    """Cookies by name, or a ``Cookie`` header."""
    auth_result: Any = Field(default=None, exclude=True, repr=False)
    """Credentials in a provider's own form, for providers that want a login."""
    provider_kwargs: dict[str, Any] = Field(default_factory=dict, repr=False)
    """Further arguments for every call of the provider."""
    run_in_thread: bool = False
    """Whether an async provider blocks, and so has to run in a thread."""
    conversation: dict[str, Any] | None = Field(default=None, repr=False)
    """Handle of a conversation to continue; a call also takes an answer."""
    on_restart: Literal["raise", "mark"] = "raise"
    """What to do with an answer that starts again after a part of it was given."""
    allow_empty: bool = False
    """Whether an answer may have nothing in it."""
    include_raw: bool = False
    """Whether records of how an answer came about are passed on as blocks."""
    web_search: bool | None = None
    guidance_scale: float | None = None
    num_inference_steps: int | None = None
    randomize_seed: bool | None = None
    safe: bool | None = None
    enhance: bool | None = None
    private: bool | None = None
    aspect_ratio: str | None = None
    width: int | None = None
    height: int | None = None
    n: int | None = None
    seed: int | None = None
    top_p: float | None = None
    top_k: int | None = None
    reasoning_effort: str | None = None
    trusted_media_hosts: list[str] = Field(default_factory=list)
    """Hosts whose files may be downloaded although their address is private."""

    _facts: Facts | None = PrivateAttr(default=None)
    _warned: set[str] = PrivateAttr(default_factory=set)
    _access: dict[str, dict[str, str]] = PrivateAttr(default_factory=dict)
    _last_model: str = PrivateAttr(default="")

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            provider: Any = ...,
            wrapped: Any = ...,
            api_base: str = ...,
            api_key: str | SecretStr | None = ...,
            cookies: str | SecretStr | Mapping[str, str | SecretStr] | None = ...,
            auth_result: Any = ...,
            provider_kwargs: Mapping[str, Any] = ...,
            run_in_thread: bool = ...,
            conversation: Mapping[str, Any] | None = ...,
            on_restart: Literal["raise", "mark"] = ...,
            allow_empty: bool = ...,
            include_raw: bool = ...,
            web_search: bool | None = ...,
            guidance_scale: float | None = ...,
            num_inference_steps: int | None = ...,
            randomize_seed: bool | None = ...,
            safe: bool | None = ...,
            enhance: bool | None = ...,
            private: bool | None = ...,
            aspect_ratio: str | None = ...,
            width: int | None = ...,
            height: int | None = ...,
            n: int | None = ...,
            seed: int | None = ...,
            top_p: float | None = ...,
            top_k: int | None = ...,
            reasoning_effort: str | None = ...,
            trusted_media_hosts: Sequence[str] = ...,
            **settings: Unpack[Arguments],
        ) -> None: ...

    # -- settings --------------------------------------------------------------

    @field_validator("wrapped", mode="before")
    @classmethod
    def _provider_can_answer(cls, value: object) -> object:
        return load(value)

    @field_validator("cookies", mode="before")
    @classmethod
    def _cookies_by_name(cls, value: object) -> object:
        if not isinstance(value, str | SecretStr):
            return value
        return cookies_field(value, "")

    @field_validator("auth_result", mode="before")
    @classmethod
    def _auth_result_as_object(cls, value: object) -> object:
        return AuthResult(value) if isinstance(value, Mapping) else value

    @model_validator(mode="after")
    def _warn_of_the_provider(self) -> Self:
        if not self.facts.working:
            warnings.warn(f"{self.facts.name} says of itself that it does not work", stacklevel=2)
        for name in _NOT_FOR_PROVIDERS:
            if getattr(self, name) != type(self).model_fields[name].default:
                warnings.warn(f"ChatG4F: {name!r} is for chat models of this package", stacklevel=2)
        return self

    @field_serializer("wrapped", when_used="json")
    def _provider_by_name(self, value: object) -> str | None:
        return reference(value)

    @field_serializer("conversation")
    def _conversation_without_secrets(self, value: object) -> object:
        return plain(value) if value else value

    def _secret_variables(self) -> dict[str, str]:
        return {"api_key": "G4F_API_KEY", "cookies": "G4F_COOKIES"}

    @property
    def lc_attributes(self) -> dict[str, Any]:
        """The provider by its name, because only that can be serialized."""
        attributes = super().lc_attributes | {"wrapped": reference(self.wrapped)}
        if self.conversation:
            attributes["conversation"] = plain(self.conversation)
        return attributes

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        settings = {n: v for n, v in state["__dict__"].items() if n != "auth_result"}
        if self.conversation:
            settings["conversation"] = plain(self.conversation)
        private = state.get("__pydantic_private__") or {}
        private = private | {"_facts": None, "_access": {}}  # `_access` holds credentials
        return {**state, "__dict__": settings, "__pydantic_private__": private}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("auth_result", None)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """A copy; the provider and its credentials belong to the caller, and are shared."""
        memo = {} if memo is None else memo
        for shared in (self.wrapped, self.auth_result):
            memo[id(shared)] = shared
        return super().__deepcopy__(memo)

    # -- the provider ----------------------------------------------------------

    @property
    def facts(self) -> Facts:
        """What the provider says about itself."""
        if self._facts is None or self._facts.provider is not self.wrapped:
            self._facts = Facts(self.wrapped)
        return self._facts

    @property
    def last_model(self) -> str:
        """Model that answered last, as far as the provider says; else the one that was asked."""
        return self._last_model

    def get_models(self) -> list[str]:
        """The models the provider lists; it may ask its service."""
        try:
            return listed_models(self.facts, self._credentials(), self._secret_texts())
        except G4FError as error:
            forget_locals(error)
            raise

    async def aget_models(self) -> list[str]:
        """Like `get_models`, in a thread."""
        return await asyncio.to_thread(self.get_models)

    def get_model(self, name: str | None = None) -> str:
        """The provider's name for a model, or for its default; an unknown name stays."""
        return find_model(self.facts, self._asked_model(name), self.get_models)

    def _asked_model(self, name: str | None) -> str:
        return name or self.model or ""

    def _provider(self) -> Provider:
        return ProviderFiles(
            base_url=self.base_url, access=self._access, hosts=self.trusted_media_hosts
        )

    def _parameters(self) -> Iterator[Parameter]:
        yield from super()._parameters()
        for name, found in self.facts.parameters.items():
            if name not in type(self).model_fields:
                yield Parameter.of(name, found)

    def _supports(self, name: str) -> bool | None:
        if name in _PARAMETERS:
            return self.facts.supports(name)
        return name not in _NOT_FOR_PROVIDERS and super()._supports(name)

    def _resolve_model_profile(self) -> ModelProfile | None:
        takes = self.facts.takes_media
        profile = super()._resolve_model_profile() or {}
        return profile | {"image_inputs": takes, "image_url_inputs": takes}

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return super()._identifying_params | {"provider": self.facts.name}

    # -- credentials -----------------------------------------------------------

    def _login_advice(self) -> str:
        if self.api_key or self.cookies or self.auth_result or not self.facts.needs_auth:
            return ""
        return "it needs a login: give api_key=, cookies= or auth_result="

    def _credentials(self) -> dict[str, Any]:
        address = "base_url" if "base_url" in self.facts.parameters else "api_base"
        return {
            "api_key": self.api_key.get_secret_value() if self.api_key else None,
            "cookies": revealed(self.cookies) or None,
            "proxy": self.proxy.get_secret_value() if self.proxy else None,
            address: self.base_url or None,
        }

    def _secret_texts(self) -> tuple[str, ...]:
        """Texts that no error may quote."""
        given = self._credentials()
        password = unquote(urlsplit(given["proxy"] or "").password or "")
        secrets = [given["api_key"], given["cookies"], password, self.auth_result]
        return tuple(text for text in texts(secrets) if len(text) >= _SHORTEST_SECRET)

    # -- a call ----------------------------------------------------------------

    def _prepare(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> tuple[ChatRequest, ChunkMapper]:
        known = {*self.options, *ARGUMENTS, "model", "media", "stream", "max_tokens"}
        kwargs["more"] = {name: kwargs.pop(name) for name in [*kwargs] if name not in known}
        kwargs["native"] = native = take_native(kwargs, self.facts)
        kwargs["messages"] = native_messages(messages) if "tools" in native else None
        chat_request, mapper = super()._prepare(messages, stop, kwargs)
        check_media(chat_request, self.facts)  # before any of it is downloaded
        return chat_request, mapper

    def _events(self, chat_request: ChatRequest) -> Generator[Event]:
        if has_remote(chat_request):
            chat_request = self._client().result(with_files(chat_request, self.trusted_media_hosts))
        return provider_events(self._call(chat_request))

    def _aevents(self, chat_request: ChatRequest) -> AsyncProviderEvents:
        async def prepare() -> ProviderCall:
            if has_remote(chat_request):
                return self._call(
                    await self._client().aresult(with_files(chat_request, self.trusted_media_hosts))
                )
            return self._call(chat_request)

        return AsyncProviderEvents(prepare)

    def _call(self, chat_request: ChatRequest) -> ProviderCall:
        facts, options = self.facts, chat_request.options
        media = media_of(chat_request)
        model = chat_request.model or (media and facts.default_vision_model) or facts.default_model
        timeout = self.timeout if isinstance(self.timeout, float | int) else None
        auth_result = self.auth_result
        if auth_result is None and self.cookies:
            auth_result = AuthResult({"cookies": revealed(self.cookies), "headers": {}})
        values: dict[str, Any] = {
            **{n: timeout for n in ("timeout", "stream_timeout") if n in facts.parameters},
            **{name: options.get(name) for name in _PARAMETERS},
            **self._credentials(),
            **_mapping(options.get("native")),
            **self.provider_kwargs,
            **_mapping(options.get("more")),
            "media": media or None,
            "conversation": as_conversation(options.get("conversation")),
        }
        return ProviderCall(
            provider=facts.name,
            start=starter(
                facts, chat_request, model, values, auth_result=auth_result, warned=self._warned
            ),
            blocks=self.run_in_thread or facts.blocks,
            model=model,
            limits=self._limits(),
            max_retries=self.max_retries,
            random=self._state.random,
            allow_empty=self.allow_empty,
            include_raw=self.include_raw,
            mark_restarts=self.on_restart == "mark",
            login=self._login_advice(),
            secrets=self._secret_texts(),
            access=self._access,
            warned=self._warned,
            on_login=self.on_login_required,
            done=partial(setattr, self, "_last_model"),
        )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


__all__ = ["ChatG4F"]
