"""ChatFlowGpt: FlowGPT as a chat model.

The provider is imported at first use, to keep the import of the class quick.
"""

from __future__ import annotations

import os
import re
import secrets
import string
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Self, Unpack

from pydantic import Field, SecretStr, model_validator

from langchain_g4f.auth.store import Credentials
from langchain_g4f.chat_models.addresses import address
from langchain_g4f.chat_models.base import BaseChatG4F
from langchain_g4f.errors import ConfigurationError
from langchain_g4f.text.escape import escape

if TYPE_CHECKING:
    from langchain_g4f.chat_models.arguments import Arguments
    from langchain_g4f.core.chat_request import ChatRequest
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.plan import Plan

_HOME = "https://prod-backend-k8s.flowgpt.com"


def _base_url() -> str:
    return os.environ.get("FLOWGPT_BASE_URL", "").rstrip("/") or _HOME


def _environment_token(base_url: str) -> str:
    """The environment's token; it is for the environment's server, and no other."""
    return os.environ.get("FLOWGPT_TOKEN", "").strip() if base_url == _base_url() else ""


def _device_id() -> str:
    return "f-" + "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(19))


def _is_plain(text: str) -> bool:
    return re.fullmatch("[!-~]*", text) is not None


class ChatFlowGpt(BaseChatG4F):
    """Chat with FlowGPT, as a member or anonymously.

    The service was last seen to answer anonymous clients in 2024, and nothing here was
    checked against it: expect a clear error rather than an answer.

    Setup:
        A member's token as ``api_key=`` or in ``FLOWGPT_TOKEN``; without one, requests are
        anonymous. The token of the environment goes to the service alone, or to the server
        that ``FLOWGPT_BASE_URL`` names. Requests are signed with the time: the clock has to
        be right.

    Instantiate:
        ``ChatFlowGpt(model="gemini", temperature=0.3)``

    Errors:
        See `langchain_g4f.errors`. A refused signature is AuthenticationError or
        PermissionDeniedError, a bot protection ChallengeError, no credit
        QuotaExceededError. ``finish_reason`` is ``"unknown"``: the service marks no end.
    """

    label: ClassVar[str] = "FlowGPT"
    provider: ClassVar[str] = "flowgpt"
    url: ClassVar[str] = "https://flowgpt.com"
    needs_address: ClassVar[bool] = True
    credential: ClassVar[str] = "api_key"
    default_model: ClassVar[str] = "gpt-3.5-turbo"
    models: ClassVar[tuple[str, ...]] = (
        "gpt-3.5-turbo",
        "gpt-3.5-long",
        "gpt-4-turbo",
        "google-gemini",
        "claude-instant",
        "claude-v1",
        "claude-v2",
        "llama2-13b",
        "mythalion-13b",
        "pygmalion-13b",
        "chronos-hermes-13b",
        "Mixtral-8x7B",
        "Dolphin-2.6-8x7B",
    )
    model_aliases: ClassVar[Mapping[str, str]] = {
        "gemini": "google-gemini",
        "gemini-pro": "google-gemini",
    }
    options: ClassVar[tuple[str, ...]] = ("temperature",)
    honoured: ClassVar[frozenset[str]] = frozenset({"temperature"})

    base_url: str = Field(default_factory=lambda: address(_base_url(), "FLOWGPT_BASE_URL"))
    api_key: SecretStr | None = None
    """Token of a member; None for anonymous use."""
    temperature: float | None = 0.7
    impersonate: str | None = "chrome"
    """As which browser the requests look on the wire: its protection may let no other through."""
    device_id: str = Field(default_factory=_device_id)
    """What the service knows this device by; one for each model object."""
    greeting: str = "Hello, how can I help you today?"
    """What the service is said to have said first; empty for nothing."""
    default_system: str = "You are helpful assistant. Follow the user's instructions carefully."
    """The system prompt if there is no system message; empty for none."""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            api_key: str | SecretStr | None = ...,
            device_id: str = ...,
            greeting: str = ...,
            default_system: str = ...,
            **settings: Unpack[Arguments],
        ) -> None: ...

    @model_validator(mode="after")
    def _settle_credentials(self) -> Self:
        self._read_environment()
        sendable = {"api_key": _is_plain(self._token), "device_id": _is_plain(self.device_id)}
        for name in (name for name, plain in sendable.items() if not plain):
            raise ConfigurationError(f"{name}: it has a character that a header cannot carry")
        return self

    def _read_environment(self) -> None:
        if "api_key" not in self.model_fields_set:
            found = self._found_credentials().api_key
            # not by assignment: it counts as not set, and is read again when refused
            self.__dict__["api_key"] = SecretStr(found) if found else None

    def _environment_credentials(self) -> Credentials:
        return Credentials(api_key=_environment_token(self.base_url))

    def _use(self, found: Credentials, context: CallContext) -> bool:
        if found.api_key in ("", self._token) or not _is_plain(found.api_key):
            return False
        self.__dict__["api_key"] = SecretStr(found.api_key)
        return True

    @property
    def _token(self) -> str:
        return self.api_key.get_secret_value() if self.api_key else ""

    @property
    def lc_secrets(self) -> dict[str, str]:
        """Where credentials are read from when a serialized model is loaded."""
        return {"api_key": "FLOWGPT_TOKEN"}

    def get_model(self, name: str | None = None) -> str:
        """The service's name for ``name``; one that is not known passes, with a warning."""
        resolved = self._asked_model(name)
        if resolved not in self.models:
            warnings.warn(f"FlowGPT: {resolved!r} is not a known model", stacklevel=2)
        return resolved

    def _plan(self, chat_request: ChatRequest, context: CallContext) -> Plan:
        from langchain_g4f.providers.flowgpt import FlowGPT, plan

        self.get_model(chat_request.model)
        service = FlowGPT(
            base_url=self.base_url,
            token=self._token,
            device_id=self.device_id,
            greeting=escape(self.greeting),
            system=escape(self.default_system),
        )
        return plan(chat_request, context, service)


__all__ = ["ChatFlowGpt"]
