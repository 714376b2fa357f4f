"""LangChain chat models for chat services that are reached with a browser session."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_g4f._version import __version__
    from langchain_g4f.chat_models.base import BaseChatG4F
    from langchain_g4f.chat_models.huggingchat import ChatHuggingChat
    from langchain_g4f.errors import G4FError
    from langchain_g4f.limits import Clocks

_WHERE = {
    "BaseChatG4F": "langchain_g4f.chat_models.base",
    "ChatHuggingChat": "langchain_g4f.chat_models.huggingchat",
    "Clocks": "langchain_g4f.limits",
    "G4FError": "langchain_g4f.errors",
    "__version__": "langchain_g4f._version",
}


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_WHERE[name]), name)


__all__ = ["BaseChatG4F", "ChatHuggingChat", "Clocks", "G4FError", "__version__"]
