"""HuggingChat as a provider: its facts, and where its plans stand.

The plans are imported at first use, so that the facts alone are quick to import.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from langchain_g4f.providers.base import Provider

if TYPE_CHECKING:
    from langchain_g4f.core.chat_request import ChatRequest
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.plan import Plan, PlanOf


@dataclass(frozen=True, kw_only=True)
class HuggingChat(Provider):
    """A chat-ui server.

    Attributes:
        cookies: Cookies of the caller for the server.
        trusted_media_hosts: Hosts whose images may be fetched from a private address.
    """

    name: ClassVar[str] = "huggingchat"
    label: ClassVar[str] = "HuggingChat"
    url: ClassVar[str] = "https://huggingface.co/chat"
    home: ClassVar[str] = url
    home_variable: ClassVar[str] = "HUGGINGCHAT_BASE_URL"
    base_url_required: ClassVar[bool] = True
    needs_auth: ClassVar[bool] = True
    has_model_list: ClassVar[bool] = True
    credential: ClassVar[str] = "cookies"
    credential_variables: ClassVar[Mapping[str, str]] = {
        "cookies": "HUGGINGCHAT_COOKIES",
        "cookie_file": "HUGGINGCHAT_COOKIE_FILE",
    }
    default_model: ClassVar[str] = "omni"
    models: ClassVar[tuple[str, ...]] = ("omni",)
    options: ClassVar[tuple[str, ...]] = (
        "conversation",
        "regenerate",
        "continue_answer",
        "delete_after",
        "web_search",
        "tool_ids",
        "mcp_servers",
        "server_tools",
        "timezone",
        "trusted_media_hosts",
        "await_title",
    )

    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    trusted_media_hosts: tuple[str, ...] = ()

    def chat(self, chat_request: ChatRequest, context: CallContext) -> Plan:
        """One answer, in a conversation of the server."""
        from langchain_g4f.providers.huggingchat.plan import plan

        return plan(chat_request, context, self.base_url)

    def list_models(self, context: CallContext) -> PlanOf[list[str]]:
        """The server's list."""
        from langchain_g4f.providers.huggingchat.server import known_models

        return [model.name for model in (yield from known_models(context, self.base_url))]

    def describe(self, context: CallContext) -> PlanOf[str]:
        """The version of chat-ui, as far as the server shows it."""
        from langchain_g4f.providers.huggingchat.server import describe

        return describe(self.base_url)

    def fetch(self, url: str, context: CallContext) -> PlanOf[bytes]:
        """A file of the server, or an image elsewhere."""
        from langchain_g4f.providers.huggingchat.plan import fetch

        return fetch(url, self.base_url, tuple(self.trusted_media_hosts))

    def whoami(self, context: CallContext) -> PlanOf[str | None]:
        """The user's name, as the server says it."""
        from langchain_g4f.providers.huggingchat.login import whoami

        return whoami(self.base_url)

    def login_page(self, context: CallContext) -> PlanOf[str]:
        """The login page that the server leads to."""
        from langchain_g4f.providers.huggingchat.login import login_page

        return login_page(self.base_url)

    def initial_cookies(self) -> dict[str, str]:
        """The caller's cookies, and a session id for a caller who has none."""
        # The server accepts a session id of our choice (section 2.1). Left to choose, it gives one
        # to each first request, and calls that begin at once lose each other's conversations.
        return {"hf-chat": str(uuid.uuid4()), **self.cookies}

    def login_hint(self) -> str:
        """The variable with cookies, if they are for this server."""
        if not self.is_of_environment:
            return ""
        return " Cookies in the environment variable HUGGINGCHAT_COOKIES are read, too."

    def delete(self, handle: object) -> PlanOf[None]:
        """Delete the conversation of a handle.

        Raises:
            ConfigurationError: It is no handle of this server.
        """
        from langchain_g4f.errors import ConfigurationError
        from langchain_g4f.providers.huggingchat.handle import Handle
        from langchain_g4f.providers.huggingchat.plan import delete

        found = Handle.from_json(handle)
        if found is None:
            msg = "the message has no handle of a HuggingChat conversation"
            raise ConfigurationError(msg)
        return delete(found, self.base_url)


__all__ = ["HuggingChat"]
