"""What "not logged in" looks like (docs/protocols/huggingchat.md, section 2.2)."""

from __future__ import annotations

from urllib.parse import urlsplit

from langchain_g4f.errors import APIStatusError, AuthenticationError
from langchain_g4f.providers.huggingchat.reader import IN_ANSWER, NAME


def explained(error: APIStatusError, base_url: str) -> APIStatusError:
    """A redirect or 401 becomes "log in", with the way to do it (2.2).

    A 401 inside an answer is the backend's: no login of the caller helps there.
    """
    if error.phase == IN_ANSWER:
        return error
    redirect = 300 <= error.status_code < 400
    if not redirect and not isinstance(error, AuthenticationError):
        return error
    login = AuthenticationError(
        f"{NAME}: {base_url} wants a login to {error.phase}. Log in there with a"
        " browser and pass its cookies, hf-chat and token, as"
        " ChatHuggingChat(cookies='hf-chat=...; token=...') or in the environment"
        f" variable HUGGINGCHAT_COOKIES. Login page: {base_url}/login",
        status_code=error.status_code,
        provider=NAME,
        phase=error.phase,
    )
    login.login_url = f"{base_url}/login"
    return login


def origin(base_url: str) -> str:
    """Scheme, host and port, as the ``Origin`` header wants them (2.4)."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}"


__all__ = ["explained", "origin"]
