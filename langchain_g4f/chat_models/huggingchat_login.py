"""Where the address and the cookies of `ChatHuggingChat` come from if they are not given."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from langchain_g4f.chat_models.addresses import address

HOME = "https://huggingface.co/chat"
"""Address of HuggingChat itself."""


def environment_base_url() -> str:
    """The server that the environment names, or HuggingChat."""
    return os.environ.get("HUGGINGCHAT_BASE_URL") or HOME


def is_of_environment(base_url: str) -> bool:
    """Whether it is the environment's server, whose cookies those of the environment are."""
    return urlsplit(base_url)[:2] == urlsplit(environment_base_url())[:2]  # scheme, host and port


def default_base_url() -> str:
    """The same, if it is an address.

    Raises:
        ConfigurationError: The environment names something else.
    """
    return address(environment_base_url(), "HUGGINGCHAT_BASE_URL")


def environment_cookies(base_url: str) -> str | Path | None:
    """The environment's cookies, for the environment's server and no other."""
    if not is_of_environment(base_url):
        return None
    if header := os.environ.get("HUGGINGCHAT_COOKIES"):
        return header
    path = os.environ.get("HUGGINGCHAT_COOKIE_FILE")
    return Path(path).expanduser() if path else None


__all__ = [
    "HOME",
    "default_base_url",
    "environment_base_url",
    "environment_cookies",
    "is_of_environment",
]
