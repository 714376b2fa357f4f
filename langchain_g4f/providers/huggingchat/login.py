"""Who is logged in, and where to log in (docs/protocols/huggingchat.md, section 2.2).

An older server shows it only in its page, which has a form to log out for a user who is logged in.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from langchain_g4f.codecs.fields import want
from langchain_g4f.core.limits import MIB
from langchain_g4f.errors import (
    APIStatusError,
    AuthenticationError,
    ConfigurationError,
    NotFoundError,
)
from langchain_g4f.providers.huggingchat.reader import NAME
from langchain_g4f.providers.huggingchat.requests import get, wants_login

if TYPE_CHECKING:
    from langchain_g4f.core.plan import PlanOf

UNNAMED = "(a user whose name the server does not tell)"

# Linear in the page, whatever it is: a tag is searched up to the next "<", a value up to the next
# "=", and neither is entered again. No possessive group: CPython 3.11.2 misses its matches.
_LOGOUT_FORM = re.compile(
    r"""<form\b[^<>]*?\baction=["']?+(?:[^"'<>=\s/]|/(?!logout))*/logout""", re.IGNORECASE
)
_PAGE_LIMIT = 4 * MIB


def login_page(base_url: str) -> PlanOf[str]:
    """The page on which a browser logs in; an older server has a form on its first page.

    Raises:
        ConfigurationError: The server has no login.
    """
    url = f"{base_url}/api/v2/feature-flags"
    try:
        response = yield from get(url, "ask whether there is a login")
    except (NotFoundError, AuthenticationError):
        return f"{base_url}/"
    if response.headers.content_type != "application/json":
        return f"{base_url}/"
    flags = want(response.json(), "json", dict, default={})
    if not want(flags, "loginEnabled", bool, default=True):
        raise ConfigurationError(f"{NAME}: {base_url} has no login, and needs none")
    return f"{base_url}/login"


def whoami(base_url: str) -> PlanOf[str | None]:
    """The name of the user; None for a caller who is not logged in."""
    try:
        response = yield from get(f"{base_url}/api/v2/user", "ask who is logged in")
    except APIStatusError as error:
        if not isinstance(error, NotFoundError) and not wants_login(error):
            raise
        return (yield from _whoami_of_page(base_url))
    if response.headers.content_type != "application/json":
        return (yield from _whoami_of_page(base_url))
    user = want(response.json(), "json", dict, default={})
    if not user:
        return None
    return want(user, "username", str, default="") or want(user, "email", str, default=UNNAMED)


def _whoami_of_page(base_url: str) -> PlanOf[str | None]:
    try:
        response = yield from get(
            f"{base_url}/", "read the page", accept="text/html", limit=_PAGE_LIMIT
        )
    except APIStatusError as error:
        if not wants_login(error):
            raise
        return None
    return UNNAMED if _LOGOUT_FORM.search(response.body.decode(errors="replace")) else None


__all__ = ["UNNAMED", "login_page", "whoami"]
