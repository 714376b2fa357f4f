"""LangChain chat models for chat services that are reached with a browser session."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_g4f._version import __version__
    from langchain_g4f.chat_models.base import BaseChatG4F
    from langchain_g4f.chat_models.by_name import g4f_chat_model
    from langchain_g4f.chat_models.flowgpt import ChatFlowGpt
    from langchain_g4f.chat_models.g4f import ChatG4F
    from langchain_g4f.chat_models.gradio_space import ChatGradioSpace
    from langchain_g4f.chat_models.huggingchat import ChatHuggingChat
    from langchain_g4f.chat_models.microsoft_phi4 import ChatMicrosoftPhi4
    from langchain_g4f.core.limits import Clocks
    from langchain_g4f.errors import (
        APIConnectionError,
        APIError,
        APIStatusError,
        APITimeoutError,
        AppError,
        AuthenticationError,
        BadRequestError,
        BlockedURLError,
        ChallengeError,
        ConfigurationError,
        ConflictError,
        EmptyResponseError,
        G4FError,
        MalformedStreamError,
        MediaError,
        MediaTooLargeError,
        MissingDependencyError,
        ModelNotFoundError,
        NotFoundError,
        PermissionDeniedError,
        QueueFullError,
        QuotaExceededError,
        RateLimitError,
        ServerError,
        ServerStreamError,
        SessionLostError,
        SpaceNotRunningError,
        StreamError,
        StreamInterruptedError,
        TooLargeError,
        ToolCallError,
        UnsupportedMediaError,
    )
    from langchain_g4f.sign_in import Account, alogin, awhoami, login, logout, whoami

_WHERE = {
    "Account": "langchain_g4f.sign_in",
    "BaseChatG4F": "langchain_g4f.chat_models.base",
    "ChatG4F": "langchain_g4f.chat_models.g4f",
    "Clocks": "langchain_g4f.core.limits",
    "__version__": "langchain_g4f._version",
    "alogin": "langchain_g4f.sign_in",
    "awhoami": "langchain_g4f.sign_in",
    "g4f_chat_model": "langchain_g4f.chat_models.by_name",
    "login": "langchain_g4f.sign_in",
    "logout": "langchain_g4f.sign_in",
    "whoami": "langchain_g4f.sign_in",
}
"""Modules of the public names, but for errors and the chat models of `providers.registry`."""


def __getattr__(name: str) -> object:
    """Import a public name at first use."""
    from langchain_g4f.providers.registry import PROVIDERS

    modules = {row.chat_model: row.module for row in PROVIDERS.values()} | _WHERE
    if name not in __all__ and name not in modules:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(modules.get(name, "langchain_g4f.errors")), name)


__all__ = [
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "Account",
    "AppError",
    "AuthenticationError",
    "BadRequestError",
    "BaseChatG4F",
    "BlockedURLError",
    "ChallengeError",
    "ChatFlowGpt",
    "ChatG4F",
    "ChatGradioSpace",
    "ChatHuggingChat",
    "ChatMicrosoftPhi4",
    "Clocks",
    "ConfigurationError",
    "ConflictError",
    "EmptyResponseError",
    "G4FError",
    "MalformedStreamError",
    "MediaError",
    "MediaTooLargeError",
    "MissingDependencyError",
    "ModelNotFoundError",
    "NotFoundError",
    "PermissionDeniedError",
    "QueueFullError",
    "QuotaExceededError",
    "RateLimitError",
    "ServerError",
    "ServerStreamError",
    "SessionLostError",
    "SpaceNotRunningError",
    "StreamError",
    "StreamInterruptedError",
    "TooLargeError",
    "ToolCallError",
    "UnsupportedMediaError",
    "__version__",
    "alogin",
    "awhoami",
    "g4f_chat_model",
    "login",
    "logout",
    "whoami",
]
