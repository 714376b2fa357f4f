"""ChatHuggingChat: HuggingChat, and any other chat-ui server, as a chat model.

The provider is imported at first use, to keep the import of the class quick.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, Unpack

from langchain_core.messages import AIMessage
from pydantic import (
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from langchain_g4f.auth.cookies import check_cookies
from langchain_g4f.auth.store import Credentials
from langchain_g4f.chat_models.given_cookies import GivenCookies, named_cookies
from langchain_g4f.chat_models.huggingchat_login import (
    HOME,
    default_base_url,
    environment_cookies,
    is_of_environment,
)
from langchain_g4f.chat_models.login import hidden, revealed
from langchain_g4f.chat_models.tool_servers import ToolServer, ToolServerModel
from langchain_g4f.errors import ConfigurationError

if TYPE_CHECKING:
    from langchain_core.language_models import ModelProfile

    from langchain_g4f.chat_models.arguments import Arguments
    from langchain_g4f.core.chat_request import ChatRequest
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.plan import Plan, PlanOf


class ChatHuggingChat(ToolServerModel):
    """Chat with HuggingChat, or with any other huggingface/chat-ui server.

    Setup:
        On huggingface.co, log in with a browser and give its cookies ``hf-chat`` and
        ``token``, as ``cookies=`` or in ``HUGGINGCHAT_COOKIES``, or an exported cookie file
        as a path, or in ``HUGGINGCHAT_COOKIE_FILE``. Many other servers need no login.

    Instantiate:
        ``ChatHuggingChat(model="omni", cookies="hf-chat=...; token=...")``, or
        ``ChatHuggingChat(base_url="http://localhost:3000")``; ``HUGGINGCHAT_BASE_URL``
        names the server, too.

    Conversations:
        Answers carry a handle in ``response_metadata["conversation"]``. A history that
        leads to such an answer is gone on with on the server; only what is new is sent.

    Errors:
        See `langchain_g4f.errors`. A missing or expired login is AuthenticationError.
    """

    label: ClassVar[str] = "HuggingChat"
    provider: ClassVar[str] = "huggingchat"
    url: ClassVar[str] = HOME
    needs_address: ClassVar[bool] = True
    needs_auth: ClassVar[bool] = True
    credential: ClassVar[str] = "cookies"
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

    base_url: str = Field(default_factory=default_base_url)
    cookies: dict[str, SecretStr] | None = None
    """Cookies for the server: ``Cookie`` header, names and values, path of a cookie file, or the
    list that a browser exports."""
    conversation: Literal["auto", "new"] | dict[str, Any] = "auto"
    """Go on with the server's conversation where the history leads to one; always begin a
    new one; or go on from this handle. A call also takes an answer."""
    delete_after: bool = False
    """Delete the conversation that a call creates when the call ends."""
    web_search: bool = False
    """Let the server search the web."""
    mcp_servers: list[ToolServer] = Field(default_factory=list)
    """Tool servers to offer to the model; the service runs the calls itself."""
    server_tools: list[str] = Field(default_factory=list)
    """Names of the operator's tool servers to offer to the model; without a name, none is."""
    tool_ids: list[str] = Field(default_factory=list)
    """Ids of the server's own tools (servers of the older generation)."""
    timezone: str | None = None
    """IANA name, told to the model together with tools."""
    trusted_media_hosts: list[str] = Field(default_factory=list)
    """Hosts whose images may be fetched although their address is private."""
    await_title: bool = False
    """Wait for the title that a new conversation gets, at most five seconds after the answer."""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            cookies: GivenCookies = ...,
            conversation: Literal["auto", "new"] | Mapping[str, Any] = ...,
            delete_after: bool = ...,
            web_search: bool = ...,
            mcp_servers: Sequence[ToolServer | Mapping[str, Any]] = ...,
            server_tools: Sequence[str] = ...,
            tool_ids: Sequence[str] = ...,
            timezone: str | None = ...,
            trusted_media_hosts: Sequence[str] = ...,
            await_title: bool = ...,
            **settings: Unpack[Arguments],
        ) -> None: ...

    @field_validator("cookies", mode="before")
    @classmethod
    def _cookies_by_name(cls, value: object, info: ValidationInfo) -> object:
        found = named_cookies(value, str(info.data.get("base_url", "")))
        return value if found is None else hidden(found)

    @field_validator("cookies")
    @classmethod
    def _cookies_can_be_sent(
        cls, value: dict[str, SecretStr] | None
    ) -> dict[str, SecretStr] | None:
        check_cookies(revealed(value))
        return value

    @field_validator("timezone")
    @classmethod
    def _timezone_is_known(cls, value: str | None) -> str | None:
        _known_timezone(value)
        return value

    @model_validator(mode="after")
    def _take_cookies_of_environment(self) -> Self:
        self._read_environment()
        return self

    def _read_environment(self) -> None:
        if "cookies" in self.model_fields_set:
            return
        found = self._found_credentials().cookies
        check_cookies(found)
        # not by assignment: they count as not set, and are read again when refused
        self.__dict__["cookies"] = hidden(found)

    def _environment_credentials(self) -> Credentials:
        given = environment_cookies(self.base_url)
        return self._given_credentials(given)

    def _given_credentials(self, given: object) -> Credentials:
        if isinstance(given, Mapping):
            return Credentials({n: _plain(v) for n, v in given.items()})
        return Credentials(named_cookies(given, self.base_url) or {})

    def _login_advice(self) -> str:
        if not is_of_environment(self.base_url):
            return ""
        return " Cookies in the environment variable HUGGINGCHAT_COOKIES are read, too."

    def _use(self, found: Credentials, context: CallContext) -> bool:
        check_cookies(found.cookies)
        return context.cookies.renew(found.cookies)

    @property
    def lc_secrets(self) -> dict[str, str]:
        """Where credentials are read from when a serialized model is loaded."""
        return {"cookies": "HUGGINGCHAT_COOKIES"}

    @property
    def lc_attributes(self) -> dict[str, Any]:
        """Tool servers, too, are written down without their headers."""
        servers = [server.model_dump(exclude={"headers"}) for server in self.mcp_servers]
        return super().lc_attributes | ({"mcp_servers": servers} if servers else {})

    def delete_conversation(self, message: AIMessage) -> None:
        """Delete the conversation that ``message`` is an answer of.

        Raises:
            ConfigurationError: The message has no handle of this server.
            NotFoundError: The conversation is gone, or somebody else's.
        """
        self._result(self._delete(message))

    async def adelete_conversation(self, message: AIMessage) -> None:
        """Like `delete_conversation`."""
        await self._aresult(self._delete(message))

    def _delete(self, message: AIMessage) -> PlanOf[None]:
        from langchain_g4f.providers.huggingchat import Handle, delete

        handle = Handle.from_json(message.response_metadata.get("conversation"))
        if handle is None:
            msg = "the message has no handle of a HuggingChat conversation"
            raise ConfigurationError(msg)
        return delete(handle, self.base_url)

    def _fetch_plan(self, url: str) -> PlanOf[bytes]:
        from langchain_g4f.providers.huggingchat import fetch

        return fetch(url, self.base_url, tuple(self.trusted_media_hosts))

    def _secrets(self) -> dict[str, str]:
        # The server accepts a session id of our choice (section 2.1). Left to choose, it gives one
        # to each first request, and calls that begin at once lose each other's conversations.
        return {"hf-chat": str(uuid.uuid4())} | revealed(self.cookies)

    def _asked_model(self, name: str | None) -> str:
        wanted = name or self.model
        if wanted or self.base_url == HOME:
            return super()._asked_model(wanted)
        return ""  # another server's default is its own

    def _option(self, name: str, value: object) -> object:
        if isinstance(value, AIMessage):
            return value.response_metadata.get("conversation", {})  # no handle is not "auto"
        if name == "timezone":
            return _known_timezone(value)
        if name == "mcp_servers" and isinstance(value, list):
            servers = [ToolServer.model_validate(server) for server in value]
            return [
                {
                    "name": server.name,
                    "url": server.url,
                    "headers": {n: v.get_secret_value() for n, v in server.headers.items()},
                }
                for server in servers
            ]
        return value

    def _plan(self, chat_request: ChatRequest, context: CallContext) -> Plan:
        from langchain_g4f.providers.huggingchat import plan

        return plan(chat_request, context, self.base_url)

    def _whoami_plan(self, context: CallContext) -> PlanOf[str | None]:
        from langchain_g4f.providers.huggingchat import whoami

        return whoami(self.base_url)

    def _login_page_plan(self, context: CallContext) -> PlanOf[str]:
        from langchain_g4f.providers.huggingchat import login_page

        return login_page(self.base_url)

    def _describe_plan(self, context: CallContext) -> PlanOf[str]:
        from langchain_g4f.providers.huggingchat import describe

        return describe(self.base_url)

    def _models_plan(self, context: CallContext) -> PlanOf[list[str]]:
        from langchain_g4f.providers.huggingchat import list_models

        return [model.name for model in (yield from list_models(self.base_url))]

    def _resolve_model_profile(self) -> ModelProfile | None:
        profile = super()._resolve_model_profile() or {}
        return profile | {
            "image_inputs": True,
            "image_url_inputs": True,
            "reasoning_output": True,
        }


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _known_timezone(value: Any) -> Any:
    """``value``, which is a name of the IANA's list; where there is no list, any text."""
    from zoneinfo import ZoneInfo, available_timezones

    with suppress(KeyError, ValueError, TypeError, OSError):  # what `ZoneInfo` raises of a name
        if not value or ZoneInfo(value) is not None:
            return value
    if not available_timezones():
        return value
    msg = f"timezone: {str(value)[:40]!r} is no IANA name such as 'Europe/Warsaw'"
    raise ConfigurationError(msg)


__all__ = ["ChatHuggingChat", "ToolServer"]
