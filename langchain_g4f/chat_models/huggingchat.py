"""ChatHuggingChat: HuggingChat, and any other chat-ui server, as a chat model."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, SecretStr, field_validator

from langchain_g4f.auth.cookies import check_cookies, parse_cookie_header
from langchain_g4f.chat_models.base import BaseChatG4F
from langchain_g4f.providers import huggingchat

if TYPE_CHECKING:
    from langchain_g4f.plan import Plan, PlanOf, Session
    from langchain_g4f.turn import Turn


def _cookies_from_environment() -> str | None:
    return os.environ.get("HUGGINGCHAT_COOKIES") or None


class ChatHuggingChat(BaseChatG4F):
    """Chat with HuggingChat or any other huggingface/chat-ui server."""

    label: ClassVar[str] = "HuggingChat"
    provider: ClassVar[str] = huggingchat.NAME
    url: ClassVar[str] = "https://huggingface.co/chat"
    needs_auth: ClassVar[bool] = True

    base_url: str = "https://huggingface.co/chat"
    cookies: dict[str, SecretStr] | None = Field(
        default_factory=_cookies_from_environment, validate_default=True
    )
    """The browser's cookies for the server, as ``Cookie`` header or by name."""

    @field_validator("cookies", mode="before")
    @classmethod
    def _cookies_by_name(cls, value: object) -> object:
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        return parse_cookie_header(value) if isinstance(value, str) else value

    @field_validator("cookies")
    @classmethod
    def _cookies_can_be_sent(
        cls, value: dict[str, SecretStr] | None
    ) -> dict[str, SecretStr] | None:
        check_cookies({n: v.get_secret_value() for n, v in (value or {}).items()})
        return value

    @property
    def lc_secrets(self) -> dict[str, str]:
        """Where credentials are read from when a serialized model is loaded."""
        return {"cookies": "HUGGINGCHAT_COOKIES"}

    def _secrets(self) -> dict[str, str]:
        return {n: v.get_secret_value() for n, v in (self.cookies or {}).items()}

    def _plan(self, turn: Turn, session: Session) -> Plan:
        return huggingchat.plan(turn, session, self.base_url)

    def _models_plan(self, session: Session) -> PlanOf[list[str]]:
        return [model.name for model in (yield from huggingchat.list_models(self.base_url))]


__all__ = ["ChatHuggingChat"]
