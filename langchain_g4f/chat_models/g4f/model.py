"""ChatG4F: any provider class with the g4f interface as a chat model."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Unpack
from urllib.parse import unquote, urlsplit

from langchain_core.messages import BaseMessage

from langchain_g4f.auth.given_cookies import revealed
from langchain_g4f.chat_models.g4f.arguments import (
    PARAMETERS,
    Parameters,
    as_conversation,
    has_remote,
    media_of,
    openai_messages,
)
from langchain_g4f.chat_models.g4f.call import ProviderCall
from langchain_g4f.chat_models.g4f.facts import check_call, named_by, reference
from langchain_g4f.chat_models.g4f.models import find_model, listed_models
from langchain_g4f.chat_models.g4f.native import native_messages, take_native
from langchain_g4f.chat_models.g4f.responses import ResponseReader
from langchain_g4f.chat_models.g4f.running import AsyncProviderEvents, provider_events
from langchain_g4f.chat_models.g4f.settings import NOT_OURS, G4FSettings
from langchain_g4f.chat_models.g4f.values import AuthResult, plain, texts
from langchain_g4f.chat_models.parameters import Parameter
from langchain_g4f.chat_models.tool_calling import ARGUMENTS
from langchain_g4f.core.redact import forget_locals
from langchain_g4f.errors import G4FError
from langchain_g4f.providers.base import Provider

if TYPE_CHECKING:
    from langchain_core.language_models import ModelProfile
    from pydantic import SecretStr

    from langchain_g4f.chat_models.arguments import Arguments
    from langchain_g4f.chat_models.chunks import ChunkMapper
    from langchain_g4f.core.chat_request import ChatRequest
    from langchain_g4f.core.events import Event
    from langchain_g4f.core.plan import PlanOf

_SHORTEST_SECRET = 6  # characters


class ChatG4F(G4FSettings):
    """Chat with any provider class that has the g4f interface.

    Nothing of g4f is needed or imported; a provider is known by what it can do. See
    docs/providers/g4f.md for what is mapped onto what.

    Instantiate:
        ``ChatG4F(provider=SomeProvider, model="gpt-4o")``, or
        ``ChatG4F(provider="package.module:SomeProvider")``; an instance will do, too.

    Errors:
        See `langchain_g4f.errors`; the provider's own exception is the cause.
    """

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

    # -- the provider ----------------------------------------------------------

    @property
    def last_model(self) -> str:
        """Who answered last, as far as the provider says; the one that was asked otherwise."""
        return self._last_model

    @property
    def lc_secrets(self) -> dict[str, str]:
        """Where credentials are read from when a serialized model is loaded."""
        return {"api_key": "G4F_API_KEY", "cookies": "G4F_COOKIES"}

    @property
    def lc_attributes(self) -> dict[str, Any]:
        """The provider by its name: nothing else of it can be written down."""
        attributes = super().lc_attributes | {"wrapped": reference(self.wrapped)}
        if self.conversation:
            attributes["conversation"] = plain(self.conversation)
        return attributes

    def get_models(self) -> list[str]:
        """The models the provider lists; it may ask its service."""
        try:
            return listed_models(self.facts, self._credentials(), self._never_quoted())
        except G4FError as error:
            forget_locals(error)
            raise

    async def aget_models(self) -> list[str]:
        """Like `get_models`, in a thread."""
        return await asyncio.to_thread(self.get_models)

    def get_model(self, name: str | None = None) -> str:
        """The name the provider has for ``name``, or its default; an unknown one stays."""
        return find_model(self.facts, name or self.model or "", self.get_models)

    def _asked_model(self, name: str | None) -> str:
        return name or self.model or ""

    def _sent_model(self, chat_request: ChatRequest) -> str:
        if chat_request.model:
            return chat_request.model
        vision = self.facts.default_vision_model if media_of(chat_request) else ""
        return vision or self.facts.default_model

    def _provider(self) -> Provider:
        return _Files(base_url=self.base_url, access=self._access, hosts=self.trusted_media_hosts)

    def _parameters(self) -> Iterator[Parameter]:
        yield from super()._parameters()
        for name, found in self.facts.parameters.items():
            if name not in type(self).model_fields:
                yield Parameter.of(name, found)

    def _supports(self, name: str) -> bool | None:
        if name in PARAMETERS:
            return Parameters(self.facts, self._warned).honoured(name)
        return name not in NOT_OURS and super()._supports(name)

    # -- a call ----------------------------------------------------------------

    def _prepare(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> tuple[ChatRequest, ChunkMapper]:
        known = {*self.options, *ARGUMENTS, "model", "media", "stream", "max_tokens"}
        kwargs["more"] = {name: kwargs.pop(name) for name in [*kwargs] if name not in known}
        kwargs["native"] = native = take_native(kwargs, self.facts)
        kwargs["messages"] = native_messages(messages) if "tools" in native else None
        chat_request, mapper = super()._prepare(messages, stop, kwargs)
        # before any of them is fetched
        Parameters(self.facts, self._warned).check_media(
            [m for t in chat_request.messages for m in t.media]
        )
        return chat_request, mapper

    def _fetched(self, chat_request: ChatRequest) -> PlanOf[ChatRequest]:
        """The turn with all of its files."""
        from langchain_g4f.chat_models.g4f.media import fetched

        return fetched(chat_request, self.trusted_media_hosts)

    def _events(self, chat_request: ChatRequest) -> Generator[Event]:
        if has_remote(chat_request):
            chat_request = self._client().result(self._fetched(chat_request))
        return provider_events(self._call(chat_request))

    def _aevents(self, chat_request: ChatRequest) -> AsyncProviderEvents:
        async def prepare() -> ProviderCall:
            whole = (
                await self._client().aresult(self._fetched(chat_request))
                if has_remote(chat_request)
                else chat_request
            )
            return self._call(whole)

        return AsyncProviderEvents(prepare)

    def _call(self, chat_request: ChatRequest) -> ProviderCall:
        facts, given = self.facts, chat_request.options
        parameters = Parameters(facts, self._warned)
        media = media_of(chat_request)
        conversation = as_conversation(given.get("conversation"))
        limits = self._limits()
        model = self._sent_model(chat_request)
        values = {
            **{name: given.get(name) for name in PARAMETERS},
            **self._credentials(),
            **_mapping(given.get("native")),
            **self.provider_kwargs,
            **_mapping(given.get("more")),
            "media": media or None,
            "conversation": conversation,
        }
        if "return_conversation" in facts.parameters:
            values.setdefault("return_conversation", True)
        for name in ("timeout", "stream_timeout"):
            if name in facts.parameters and isinstance(self.timeout, float | int):
                values.setdefault(name, self.timeout)
        kind, entry = facts.entry
        if facts.authed and (self.auth_result is not None or self.cookies):
            entry, values = facts.authed, {**values, "auth_result": self._auth_result()}
        if "stream" in named_by(entry):  # a wrapper may give what it wraps one of its own
            values.setdefault("stream", facts.streams)
        fitting = parameters.fitting(entry, values)
        check_call(facts.name, entry, model, fitting)

        def start() -> object:
            messages = openai_messages(chat_request, facts, continued=conversation is not None)
            return entry(model, messages, **fitting)

        return ProviderCall(
            provider=facts.name,
            start=start,
            blocks=self.run_in_thread or kind == "create_completion",
            model=model,
            reader=partial(
                ResponseReader,
                facts.name,
                include_raw=self.include_raw,
                access=self._access,
                mark_restarts=self.on_restart == "mark",
                login=self._login_advice(),
                secrets=self._never_quoted(),
                warned=self._warned,
                limit=limits.sizes.response,
            ),
            limits=limits,
            max_retries=self.max_retries,
            random=self._state.random,
            allow_empty=self.allow_empty,
            on_login=self.on_login_required,
            done=partial(setattr, self, "_last_model"),
        )

    def _login_advice(self) -> str:
        given = self.api_key or self.cookies or self.auth_result
        if given or not self.facts.needs_auth:
            return ""
        return "it needs a login: give api_key=, cookies= or auth_result="

    def _credentials(self) -> dict[str, Any]:
        return {
            "api_key": self.api_key.get_secret_value() if self.api_key else None,
            "cookies": revealed(self.cookies) or None,
            "proxy": self.proxy.get_secret_value() if self.proxy else None,
            ("base_url" if "base_url" in self.facts.parameters else "api_base"): self.base_url
            or None,
        }

    def _never_quoted(self) -> tuple[str, ...]:
        """What no error may quote; what is short may be any word."""
        given = self._credentials()
        password = unquote(urlsplit(given["proxy"] or "").password or "")
        secrets = [given["api_key"], given["cookies"], password, self.auth_result]
        return tuple(text for text in texts(secrets) if len(text) >= _SHORTEST_SECRET)

    def _auth_result(self) -> object:
        if self.auth_result is None:
            return AuthResult({"cookies": revealed(self.cookies), "headers": {}})
        return self.auth_result

    def _resolve_model_profile(self) -> ModelProfile | None:
        takes = self.facts.takes_media
        profile = super()._resolve_model_profile() or {}
        return profile | {"image_inputs": takes, "image_url_inputs": takes}

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return super()._identifying_params | {"provider": self.facts.name}


@dataclass(frozen=True, kw_only=True)
class _Files(Provider):
    """Downloads the files of answers; everything else is done by the wrapped provider.

    Attributes:
        access: Headers that fetch a file, by its URL.
        hosts: Hosts that may have a private address.
    """

    name: ClassVar[str] = "g4f"
    label: ClassVar[str] = "g4f"

    access: Mapping[str, dict[str, str]] = field(default_factory=dict, repr=False)
    hosts: Sequence[str] = ()

    def fetch(self, url: str) -> PlanOf[bytes]:
        """Download a file of an answer."""
        from langchain_g4f.chat_models.g4f.media import file_bytes

        return file_bytes(url, self.access.get(url), self.hosts)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


__all__ = ["ChatG4F"]
