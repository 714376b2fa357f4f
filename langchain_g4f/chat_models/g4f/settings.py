"""The fields of ChatG4F."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import (
    AliasChoices,
    Field,
    PrivateAttr,
    SecretStr,
    field_serializer,
    field_validator,
    model_validator,
)

from langchain_g4f.auth.given_cookies import cookies_field
from langchain_g4f.chat_models.base import BaseChatG4F
from langchain_g4f.chat_models.g4f.arguments import OWN, PARAMETERS
from langchain_g4f.chat_models.g4f.facts import Facts, load, reference
from langchain_g4f.chat_models.g4f.values import AuthResult, plain

NOT_OURS = frozenset({"impersonate", "login_profile", "from_browser"})
"""Fields that a provider, which does its own I/O, knows nothing of."""


class G4FSettings(BaseChatG4F):
    """What is set on a chat model of a provider class."""

    label: ClassVar[str] = "g4f"
    provider: ClassVar[str] = "g4f"
    options: ClassVar[tuple[str, ...]] = (*PARAMETERS, *OWN)
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
    """More for every call of the provider."""
    run_in_thread: bool = False
    """Whether an async provider blocks, and so has to run in a thread."""
    conversation: dict[str, Any] | None = Field(default=None, repr=False)
    """Handle of a conversation to go on with; a call also takes an answer."""
    on_restart: Literal["raise", "mark"] = "raise"
    """What to do with an answer that begins anew after a part of it was given."""
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
    """Hosts whose files may be fetched although their address is private."""

    _facts: Facts | None = PrivateAttr(default=None)
    _warned: set[str] = PrivateAttr(default_factory=set)
    _access: dict[str, dict[str, str]] = PrivateAttr(default_factory=dict)
    _last_model: str = PrivateAttr(default="")

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
        fields = type(self).model_fields
        for name in sorted(n for n in NOT_OURS if getattr(self, n) != fields[n].default):
            warnings.warn(f"ChatG4F: {name!r} is for chat models of this package", stacklevel=2)
        return self

    @field_serializer("wrapped", when_used="json")
    def _provider_by_name(self, value: object) -> str | None:
        return reference(value)

    @field_serializer("conversation")
    def _conversation_without_secrets(self, value: object) -> object:
        return plain(value) if value else value

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        settings = {n: v for n, v in state["__dict__"].items() if n != "auth_result"}
        if self.conversation:
            settings["conversation"] = plain(self.conversation)
        private = state.get("__pydantic_private__") or {}
        private = private | {"_facts": None, "_access": {}}  # what fetches files is a credential
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

    @property
    def facts(self) -> Facts:
        """What the provider says of itself."""
        if self._facts is None or self._facts.provider is not self.wrapped:
            self._facts = Facts(self.wrapped)
        return self._facts


__all__ = ["NOT_OURS", "G4FSettings"]
