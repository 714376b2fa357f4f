"""Cookies as a caller gives them: a header, or a file a browser exported."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from langchain_g4f.auth.cookie_files import parse_cookie_file
from langchain_g4f.auth.cookies import parse_cookie_header
from langchain_g4f.errors import ConfigurationError


def named_cookies(given: str | Path | SecretStr, base_url: str) -> dict[str, str]:
    """Cookies by name, out of a header or a cookie file.

    Raises:
        ConfigurationError: The file cannot be read, or is no such file.
    """
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


__all__ = ["named_cookies"]
