"""Which generation of chat-ui a server is (docs/protocols/huggingchat.md, section 9.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_g4f.core.http import Request, RetryWhen
from langchain_g4f.core.plan import send
from langchain_g4f.errors import (
    APIStatusError,
    MalformedStreamError,
    NotFoundError,
)
from langchain_g4f.providers.huggingchat.login import explained
from langchain_g4f.providers.huggingchat.refusals import no_server

if TYPE_CHECKING:
    from langchain_g4f.core.plan import PlanOf


def describe(base_url: str) -> PlanOf[str]:
    """``"chat-ui current"`` or ``"chat-ui legacy"``.

    Raises:
        AuthenticationError: The server wants a login for every path.
        MalformedStreamError: What is there is no chat-ui server.
    """
    try:
        if (yield from _is_json(f"{base_url}/api/v2/feature-flags")):
            return "chat-ui current"
        # an unknown path of the older generation is a page, and so it is at any other website
        if (yield from _is_json(f"{base_url}/api/models")):
            return "chat-ui legacy"
    except APIStatusError as error:
        raise explained(error, base_url) from None
    raise no_server(MalformedStreamError("it lists no models"), base_url)


def _is_json(url: str) -> PlanOf[bool]:
    accept = {"accept": "application/json"}
    request = Request("GET", url, accept, retry=RetryWhen.ALWAYS, phase="ask what the server is")
    try:
        response = yield from send(lambda: request)
    except NotFoundError:
        return False
    return response.headers.content_type == "application/json"


__all__ = ["describe"]
