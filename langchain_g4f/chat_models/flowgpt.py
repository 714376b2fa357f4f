"""ChatFlowGpt: FlowGPT as a chat model."""

from __future__ import annotations

import secrets
import string
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Unpack

from pydantic import Field, SecretStr, field_validator

from langchain_g4f.auth.cookies import check_token
from langchain_g4f.chat_models.base import BaseChatG4F
from langchain_g4f.chat_models.settings import default_base_url
from langchain_g4f.providers.base import Provider
from langchain_g4f.providers.flowgpt import FlowGPT

if TYPE_CHECKING:
    from langchain_g4f.chat_models.arguments import Arguments


def _device_id() -> str:
    return "f-" + "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(19))


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

    provider_class: ClassVar[type[Provider]] = FlowGPT

    base_url: str = Field(default_factory=partial(default_base_url, FlowGPT))
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

    @field_validator("device_id")
    @classmethod
    def _device_id_can_be_sent(cls, value: str) -> str:
        check_token(value, "device_id")
        return value


__all__ = ["ChatFlowGpt"]
