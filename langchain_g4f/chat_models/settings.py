"""What is set on a chat model, and the facts of a provider: fields and nothing else."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

from langchain_core.language_models import BaseChatModel
from pydantic import (
    AliasChoices,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from langchain_g4f.errors import ConfigurationError
from langchain_g4f.events import Progress
from langchain_g4f.limits import Clocks

UNHONOURED = ("temperature", "max_tokens")
"""Standard parameters that only some services have."""


class ChatSettings(BaseChatModel):
    """The fields that all chat models of this package have."""

    model_config = ConfigDict(
        populate_by_name=True, arbitrary_types_allowed=True, hide_input_in_errors=True
    )

    label: ClassVar[str] = ""
    """Name of the service for people."""
    provider: ClassVar[str] = ""
    """Name of the provider in errors, metadata and traces."""
    url: ClassVar[str] = ""
    """Where a person finds the service."""
    needs_auth: ClassVar[bool] = False
    supports_stream: ClassVar[bool] = True
    supports_system_message: ClassVar[bool] = True
    supports_message_history: ClassVar[bool] = True
    default_model: ClassVar[str] = ""
    default_vision_model: ClassVar[str] = ""
    models: ClassVar[tuple[str, ...]] = ()
    """Known models, for when the service cannot be asked."""
    image_models: ClassVar[tuple[str, ...]] = ()
    vision_models: ClassVar[tuple[str, ...]] = ()
    model_aliases: ClassVar[Mapping[str, str]] = {}
    options: ClassVar[tuple[str, ...]] = ()
    """Parameters of a call beyond LangChain's own; fields of that name are defaults."""
    honoured: ClassVar[frozenset[str]] = frozenset()
    """Which of the standard parameters below the service can honour."""

    model: str | None = Field(default=None, validation_alias=AliasChoices("model", "model_name"))
    """Model to ask; None for the service's default."""
    base_url: str = ""
    """Address of the service: origin and path."""
    timeout: float | Clocks | None = None
    """Seconds for a whole call, or the clocks one by one."""
    max_retries: int = Field(default=2, ge=0)
    """How often a request is repeated where that cannot do harm."""
    proxy: SecretStr | None = None
    """URL of a proxy; None for the one the environment names, if any."""
    http_client: Any = Field(default=None, exclude=True, repr=False)
    """An ``httpx.Client`` of your own, for sync calls; you close it."""
    http_async_client: Any = Field(default=None, exclude=True, repr=False)
    """An ``httpx.AsyncClient`` of your own, for async calls; you close it."""
    stop: list[str] | None = Field(
        default=None, validation_alias=AliasChoices("stop", "stop_sequences")
    )
    """Strings at which the answer is cut and the service is told to stop."""
    streaming: bool = False
    """Whether ``invoke`` streams underneath; the answer is the same."""
    on_progress: Callable[[Progress], object] | None = Field(default=None, exclude=True, repr=False)
    """Called with what happens on the way: retries, title, queue, login needed."""
    temperature: float | None = None
    max_tokens: int | None = None

    @field_validator("stop", mode="before")
    @classmethod
    def _stop_as_list(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("base_url")
    @classmethod
    def _base_url_is_http(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            msg = "base_url: expected an address that begins with http:// or https://"
            raise ConfigurationError(msg)
        return value.rstrip("/")

    @model_validator(mode="after")
    def _warn_of_unhonoured(self) -> Self:
        self._warn_about({name: getattr(self, name) for name in UNHONOURED})
        return self

    def _warn_about(self, parameters: Mapping[str, object]) -> None:
        """Say by name which of these are set and will have no effect."""
        for name, value in parameters.items():
            if value is not None and name not in self.honoured:
                warnings.warn(
                    f"{self.label} has no parameter {name!r}: it is ignored", stacklevel=3
                )


__all__ = ["UNHONOURED", "ChatSettings"]
