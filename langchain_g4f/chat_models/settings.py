"""What is set on a chat model, how that travels, and the facts of a provider.

A pickled or serialized model holds no credential. Where it is loaded they are read from
the environment; a proxy keeps its address, so that nobody goes around it by accident.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar, Self

from langchain_core.language_models import BaseChatModel
from pydantic import (
    AliasChoices,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from langchain_g4f.chat_models.addresses import address, split
from langchain_g4f.chat_models.given_cookies import sealed
from langchain_g4f.chat_models.parameters import Parameter, in_lines
from langchain_g4f.core.events import Progress
from langchain_g4f.core.limits import Clocks
from langchain_g4f.core.redact import redact_url
from langchain_g4f.errors import ConfigurationError

UNHONOURED = ("temperature", "max_tokens")
"""Standard parameters that only some services have."""


class ChatSettings(BaseChatModel):
    """The fields that all chat models of this package have."""

    model_config = ConfigDict(
        populate_by_name=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
        defer_build=True,  # an import should not pay for classes it does not use
    )

    label: ClassVar[str] = ""
    """Name of the service for people."""
    provider: ClassVar[str] = ""
    """Name of the provider in errors, metadata and traces."""
    url: ClassVar[str] = ""
    """Where a person finds the service."""
    needs_address: ClassVar[bool] = False
    """Whether there is nothing to ask without ``base_url``."""
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
    impersonate: str | None = None
    """Browser to look like on the wire, such as "chrome": its TLS, HTTP/2 and headers; None for
    none. Any target of curl_cffi; see docs/impersonate.md."""
    http_client: Any = Field(default=None, exclude=True, repr=False)
    """An ``httpx.Client`` or ``httpx2.Client`` of your own, for sync calls; you close it."""
    http_async_client: Any = Field(default=None, exclude=True, repr=False)
    """The same for async calls: an ``httpx.AsyncClient`` or ``httpx2.AsyncClient``."""
    stop: list[str] | None = Field(
        default=None, validation_alias=AliasChoices("stop", "stop_sequences")
    )
    """Strings at which the answer is cut and the service is told to stop."""
    streaming: bool = False
    """Whether ``invoke`` streams underneath; the answer is the same."""
    on_progress: Callable[[Progress], object] | None = Field(default=None, exclude=True, repr=False)
    """Called with what happens on the way: retries, title, queue, login needed. May be a coroutine
    function."""
    progress_events: bool = True
    """Whether that is reported to LangChain, as custom events, and to LangGraph's custom stream."""
    tool_retries: int = Field(default=0, ge=0)
    """How often a tool call is asked for again that was demanded and did not come."""
    strict_tool_calls: bool = False
    """Whether only those tool calls count that carry the id which the model was told."""
    temperature: float | None = None
    max_tokens: int | None = None

    if not TYPE_CHECKING:

        def __init__(self, *args: Any, **data: Any) -> None:
            # so that no frame of a call that is refused has a credential in the clear
            for name in _secret_names(type(self)) & data.keys():
                data[name] = sealed(data[name])
            super().__init__(*args, **data)

    @model_validator(mode="before")
    @classmethod
    def _settings_are_known(cls, values: object) -> object:
        if isinstance(values, dict):
            cls._check_names(values)
        return values

    @classmethod
    def _check_names(cls, settings: Mapping[str, Any]) -> None:
        """Refuse a misspelt setting and name an unknown one: pydantic would drop both.

        Without ``baseurl`` or ``cookie`` a question would go to another server than was meant.
        """
        for name, value in settings.items():
            if name in _names(cls):
                continue
            meant = near_miss(name, _names(cls))
            if not meant and isinstance(value, str) and value.startswith(("http://", "https://")):
                meant = "base_url"  # no address is ignored
            if meant:
                msg = f"{cls.label} has no parameter {name!r}: did you mean {meant!r}?"
                raise ConfigurationError(msg)
            warnings.warn(f"{cls.label} has no parameter {name!r}: it is ignored", stacklevel=3)

    def _checked_update(self, update: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is changed in a copy; pydantic takes it as it is."""
        self._check_names(update)
        if "base_url" not in update:
            return update
        return {**update, "base_url": self._base_url_is_http(update["base_url"])}

    @field_validator("stop", mode="before")
    @classmethod
    def _stop_as_list(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("base_url")
    @classmethod
    def _base_url_is_http(cls, value: str) -> str:
        return address(value, "base_url") if value or cls.needs_address else value

    @field_validator("proxy")
    @classmethod
    def _proxy_has_a_host(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and split(value.get_secret_value()) is None:
            msg = "proxy: expected a URL such as 'http://user:password@host:3128'"
            raise ConfigurationError(msg)
        return value

    @field_validator("timeout")
    @classmethod
    def _timeout_is_a_time(cls, value: float | Clocks | None) -> float | Clocks | None:
        if isinstance(value, float):
            Clocks.within(value)
        return value

    @model_validator(mode="after")
    def _one_way_to_the_wire(self) -> Self:
        own = self.http_client is not None or self.http_async_client is not None
        if self.impersonate is not None and own and "impersonate" in self.model_fields_set:
            msg = "impersonate: a client of your own decides itself what is seen on the wire"
            raise ConfigurationError(msg)
        return self

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

    def get_parameters(self, *, as_json: bool = False) -> dict[str, Any]:
        """The parameters of this model and its calls by name: type, default, whether honoured.

        Args:
            as_json: Give values that JSON has, in place of `Parameter` objects.
        """
        found = {each.name: each for each in self._parameters()}
        return {n: each.as_json() for n, each in found.items()} if as_json else found

    @property
    def params(self) -> str:
        """The parameters of this model and its calls, one a line."""
        return in_lines(self._parameters())

    def _parameters(self) -> Iterator[Parameter]:
        for name, field in type(self).model_fields.items():
            if name not in BaseChatModel.model_fields:
                yield Parameter.of_field(name, field, honoured=self._honours(name))

    def _honours(self, name: str) -> bool | None:
        """Whether a field has an effect; None if the service does not say."""
        return name not in UNHONOURED or name in self.honoured

    @property
    def _proxy_address(self) -> str | None:
        """The proxy, without user and password."""
        return redact_url(self.proxy.get_secret_value()) if self.proxy else None

    @property
    def lc_attributes(self) -> dict[str, Any]:
        """Settings in the form in which LangChain can write them down."""
        attributes: dict[str, Any] = {"proxy": self._proxy_address} if self.proxy else {}
        if isinstance(self.timeout, Clocks):
            attributes["timeout"] = asdict(self.timeout)
        return attributes

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        settings = {n: v for n, v in state["__dict__"].items() if not (v and n in self.lc_secrets)}
        if self._proxy_address:
            settings["proxy"] = SecretStr(self._proxy_address)
        return {**state, "__dict__": settings}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        super().__setstate__(state)
        missing = [name for name in self.lc_secrets if name not in self.__dict__]
        if missing:
            names = set(type(self).model_fields) & set(self.__dict__) - set(UNHONOURED)
            fresh = type(self)(**{name: self.__dict__[name] for name in names})
            self.__dict__.update({name: getattr(fresh, name) for name in missing})
            self.model_fields_set.difference_update(missing)  # they may be read anew again


@functools.cache
def _names(settings: type[ChatSettings]) -> frozenset[str]:
    """What a setting may be called: fields, and their other names."""
    found = set(settings.model_fields)
    for field in settings.model_fields.values():
        for alias in (field.alias, field.validation_alias):
            names = alias.choices if isinstance(alias, AliasChoices) else [alias]
            found.update(name for name in names if isinstance(name, str))
    return frozenset(found)


@functools.cache
def _secret_names(settings: type[ChatSettings]) -> frozenset[str]:
    """The fields that hold secrets."""
    fields = settings.model_fields.items()
    return frozenset(name for name, field in fields if "SecretStr" in str(field.annotation))


def near_miss(name: object, known: Iterable[str]) -> str:
    """What ``name`` is probably meant to be; empty if it is like none of those that are known."""
    found = get_close_matches(str(name).lower().replace("-", "_"), known, n=1, cutoff=0.8)
    return found[0] if found else ""


__all__ = ["UNHONOURED", "ChatSettings", "near_miss"]
