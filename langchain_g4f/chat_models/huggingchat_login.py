"""Where the cookies of `ChatHuggingChat` come from: a header, a file, the environment."""

from __future__ import annotations

import os
import time
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from langchain_g4f.auth.cookies import parse_cookie_file, parse_cookie_header
from langchain_g4f.errors import ConfigurationError

HOME = "https://huggingface.co/chat"
"""Address of HuggingChat itself."""


def environment_base_url() -> str:
    """The server that the environment names, or HuggingChat."""
    return os.environ.get("HUGGINGCHAT_BASE_URL") or HOME


def environment_cookies(base_url: str) -> str | Path | None:
    """The environment's cookies; they are those of the environment's server, and no other's."""
    if urlsplit(base_url).netloc != urlsplit(environment_base_url()).netloc:
        return None
    if header := os.environ.get("HUGGINGCHAT_COOKIES"):
        return header
    path = os.environ.get("HUGGINGCHAT_COOKIE_FILE")
    return Path(path).expanduser() if path else None


def named_cookies(given: str | Path | SecretStr, base_url: str) -> dict[str, str]:
    """Cookies by name, out of a header or a cookie file."""
    if isinstance(given, Path):
        return parse_cookie_file(_read(given), urlsplit(base_url).hostname or "", time.time())
    header = given.get_secret_value() if isinstance(given, SecretStr) else given
    return parse_cookie_header(header)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        msg = f"cookies: cannot read {path.name}: {type(error).__name__}"
    raise ConfigurationError(msg)


__all__ = ["HOME", "environment_base_url", "environment_cookies", "named_cookies"]
