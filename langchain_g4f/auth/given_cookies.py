"""Credentials in the forms in which a caller gives them, and in which a field keeps them.

They are sealed as secrets before anything is checked: some tracebacks show local variables.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from langchain_g4f.auth.cookie_files import parse_cookie_file, pick_cookies
from langchain_g4f.auth.cookies import parse_cookie_header
from langchain_g4f.errors import ConfigurationError

GivenCookies = (
    str | Path | SecretStr | Mapping[str, str | SecretStr] | Sequence[Mapping[str, Any]] | None
)
"""A ``Cookie`` header, path of an exported file, names and values, or the list in such a file."""


def sealed(value: Any) -> Any:  # noqa: ANN401 -- of the kind that is given
    """A credential in any form, its texts as secrets."""
    match value:
        case str():
            return SecretStr(value)
        case Mapping():
            return {name: sealed(each) for name, each in value.items()}
        case list() | tuple():
            return [
                {**each, "value": sealed(each.get("value"))}
                if isinstance(each, Mapping)
                else sealed(each)
                for each in value
            ]
        case _:
            return value


def revealed(value: Any) -> Any:  # noqa: ANN401 -- of the kind that is given
    """The opposite of `sealed`: secrets, and the secrets in a mapping or a tuple, as text."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return tuple(map(revealed, value))
    if isinstance(value, Mapping):
        return {name: revealed(each) for name, each in value.items()}
    return value


def named_cookies(given: object, base_url: str) -> dict[str, str] | None:
    """Cookies by name, out of a header, a cookie file or a browser's list; None for another form.

    Raises:
        ConfigurationError: The file cannot be read, or is no such file; or there is no cookie for
            the host.
    """
    host = urlsplit(base_url).hostname or ""
    match given:
        case Path():
            return parse_cookie_file(_read(given), host, time.time())
        case str() | SecretStr():
            return parse_cookie_header(revealed(given))
        case list() | tuple():
            return pick_cookies(
                (
                    {**each, "value": str(revealed(each.get("value")))}
                    for each in given
                    if isinstance(each, Mapping) and each.get("value") is not None
                ),
                host,
                time.time(),
            )
        case _:
            return None


def cookies_field(value: object, base_url: str) -> object:
    """The value of a field with cookies: named secrets, if ``value`` is another form of cookies."""
    found = named_cookies(value, base_url)
    return value if found is None else sealed(found) or None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        msg = f"cookies: cannot read {path.name}: {type(error).__name__}"
    raise ConfigurationError(msg)


__all__ = ["GivenCookies", "cookies_field", "named_cookies", "revealed", "sealed"]
