"""Who is logged in, and what "not logged in" looks like.

Follows docs/protocols/huggingchat.md, section 2.2. A server of the older generation says it
in its page alone: who is logged in is offered to log out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from langchain_g4f.codecs.fields import want
from langchain_g4f.core.http import Request, RetryWhen
from langchain_g4f.core.limits import MIB
from langchain_g4f.core.plan import send
from langchain_g4f.errors import (
    APIStatusError,
    AuthenticationError,
    ConfigurationError,
    NotFoundError,
)
from langchain_g4f.providers.huggingchat.reader import IN_ANSWER, NAME

if TYPE_CHECKING:
    from langchain_g4f.core.plan import PlanOf

HOME = "https://huggingface.co/chat"
UNNAMED = "(a user whose name the server does not tell)"

# Linear in the page, whatever it is: a tag is searched up to the next "<", a value up to the next
# "=", and neither is entered again. No possessive group: CPython 3.11.2 misses its matches.
_LOGOUT_FORM = re.compile(
    r"""<form\b[^<>]*?\baction=["']?+(?:[^"'<>=\s/]|/(?!logout))*/logout""", re.IGNORECASE
)
_PAGE_LIMIT = 4 * MIB


def explained(error: APIStatusError, base_url: str) -> APIStatusError:
    """A redirect or 401 becomes "log in", with the way to do it (2.2).

    A 401 inside an answer is the backend's: no login of the caller helps there.
    """
    if error.phase == IN_ANSWER:
        return error
    if not _wants_login(error):
        return error
    there = "" if base_url == HOME else f" --base-url {base_url}"
    login = AuthenticationError(
        f"{NAME}: {base_url} wants a login to {error.phase}. Run `langchain-g4f login"
        f" huggingchat{there}`; or log in with a browser and pass its cookies, hf-chat and token,"
        " as ChatHuggingChat(cookies='hf-chat=...; token=...')."
        f" Login page: {base_url}/login",
        status_code=error.status_code,
        provider=NAME,
        phase=error.phase,
    )
    login.login_url = f"{base_url}/login"
    return login


def login_page(base_url: str) -> PlanOf[str]:
    """The page on which a browser logs in; the older generation has a form on its first.

    Raises:
        ConfigurationError: The server has no login.
    """
    request = _read(f"{base_url}/api/v2/feature-flags", "ask whether there is a login")
    try:
        response = yield from send(lambda: request)
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
    request = _read(f"{base_url}/api/v2/user", "ask who is logged in")
    try:
        response = yield from send(lambda: request)
    except APIStatusError as error:
        if not isinstance(error, NotFoundError) and not _wants_login(error):
            raise
        return (yield from _whoami_of_page(base_url))
    if response.headers.content_type != "application/json":
        return (yield from _whoami_of_page(base_url))
    user = want(response.json(), "json", dict, default={})
    if not user:
        return None
    return want(user, "username", str, default="") or want(user, "email", str, default=UNNAMED)


def _whoami_of_page(base_url: str) -> PlanOf[str | None]:
    request = _read(f"{base_url}/", "read the page", "text/html")
    try:
        page = (yield from send(lambda: request, limit=_PAGE_LIMIT)).body.decode(errors="replace")
    except APIStatusError as error:
        if not _wants_login(error):
            raise
        return None
    form = _LOGOUT_FORM.search(page)
    return UNNAMED if form else None


def _wants_login(error: APIStatusError) -> bool:
    return 300 <= error.status_code < 400 or isinstance(error, AuthenticationError)


def _read(url: str, phase: str, accept: str = "application/json") -> Request:
    return Request("GET", url, {"accept": accept}, retry=RetryWhen.ALWAYS, phase=phase)


def origin(base_url: str) -> str:
    """Scheme, host and port, as the ``Origin`` header wants them (2.4)."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}"


__all__ = ["HOME", "explained", "login_page", "origin", "whoami"]
