"""What somebody does who has to log in, step by step."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_g4f.errors import AuthenticationError

_COOKIE_STEPS = """\
Run this, and log in in the window that opens:
  langchain-g4f login huggingchat{base_url}
Or, without a window:
  1. Log in with a browser: {login_url}
  2. Copy its cookies hf-chat and token (developer tools, Storage or Application).
  3. {server}HUGGINGCHAT_COOKIES='hf-chat=...; token=...' langchain-g4f chat "..."
"""

_HUB_STEPS = """\
  1. Make a token that may read: https://huggingface.co/settings/tokens
  2. Keep it: langchain-g4f login gradio --token
It is sent to Spaces on hf.space and to the Hub, and nowhere else.
"""

_MEMBER_STEPS = """\
  1. Log in with a browser: {login_url}
  2. Copy its token (developer tools, Network: what follows "Bearer" in the header
     Authorization of a request to the service).
  3. Keep it: langchain-g4f login flowgpt --token
     Or put it before the same command: FLOWGPT_TOKEN=... langchain-g4f chat --provider flowgpt ...
It is sent to FlowGPT, or the server FLOWGPT_BASE_URL names, and nowhere else.
"""


def cookies_of_a_browser(error: AuthenticationError) -> str:
    """How the cookies of a browser get here."""
    from langchain_g4f.chat_models.huggingchat import ChatHuggingChat

    # a page of the user's choice does not tell where its cookies may be sent
    if not error.login_url or error.login_url == os.environ.get("G4F_LOGIN_URL"):
        return str(error)
    server = error.login_url.removesuffix("/login").removesuffix("/")
    given = f", and refused the login {error.refused}" if error.refused else ""
    what = f"{server} wants a login{given}." if error.status_code else str(error)
    # cookies of the environment are sent to the environment's server only
    home = server == ChatHuggingChat.url
    steps = _COOKIE_STEPS.format(
        login_url=error.login_url,
        server="" if home else f"HUGGINGCHAT_BASE_URL={server} ",
        base_url="" if home else f" --base-url {server}",
    )
    return f"{what}\n{steps}"


def token_of_the_hub(error: AuthenticationError) -> str:
    """How a token of the Hub gets here."""
    return f"{error}\n{_HUB_STEPS}"


def token_of_a_member(error: AuthenticationError) -> str:
    """How the token of a member gets here."""
    if not error.login_url:
        return str(error)
    return f"{error}\n{_MEMBER_STEPS.format(login_url=error.login_url)}"


def only_the_error(error: AuthenticationError) -> str:
    """What the service said, where nothing more is known."""
    return str(error)


__all__ = ["cookies_of_a_browser", "only_the_error", "token_of_a_member", "token_of_the_hub"]
