"""ChatHuggingChat: HuggingChat, and any other chat-ui server, as a chat model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Unpack

from langchain_core.messages import AIMessage
from pydantic import Field, SecretStr, ValidationInfo, field_validator

from langchain_g4f.auth.given_cookies import GivenCookies, cookies_field
from langchain_g4f.chat_models.base import BaseChatG4F
from langchain_g4f.chat_models.settings import default_base_url
from langchain_g4f.chat_models.tool_servers import ToolServer, hiding, masking
from langchain_g4f.core.redact import forget_locals
from langchain_g4f.errors import ConfigurationError, G4FError
from langchain_g4f.providers.base import Provider
from langchain_g4f.providers.huggingchat.provider import HuggingChat

if TYPE_CHECKING:
    from langchain_core.language_models import ModelProfile
    from langchain_core.messages import BaseMessage

    from langchain_g4f.chat_models.arguments import Arguments
    from langchain_g4f.chat_models.chunks import ChunkMapper
    from langchain_g4f.core.chat_request import ChatRequest
    from langchain_g4f.core.plan import PlanOf


class ChatHuggingChat(BaseChatG4F):
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
        leads to such an answer is continued on the server; only what is new is sent.

    Errors:
        See `langchain_g4f.errors`. A missing or expired login is AuthenticationError.
    """

    provider_class: ClassVar[type[Provider]] = HuggingChat

    base_url: str = Field(default_factory=partial(default_base_url, HuggingChat))
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
        return cookies_field(value, str(info.data.get("base_url", "")))

    @field_validator("timezone")
    @classmethod
    def _timezone_is_known(cls, value: str | None) -> str | None:
        _known_timezone(value)
        return value

    @property
    def lc_attributes(self) -> dict[str, Any]:
        """Tool servers, too, are written down without their headers."""
        servers = [server.model_dump(exclude={"headers"}) for server in self.mcp_servers]
        return super().lc_attributes | ({"mcp_servers": servers} if servers else {})

    def delete_conversation(self, message: AIMessage) -> None:
        """Delete the conversation that ``message`` is an answer of.

        Raises:
            ConfigurationError: The message has no handle of this server.
            NotFoundError: The conversation is gone, or another caller's.
        """
        self._client().result(self._delete(message))

    async def adelete_conversation(self, message: AIMessage) -> None:
        """Like `delete_conversation`."""
        await self._client().aresult(self._delete(message))

    def _delete(self, message: AIMessage) -> PlanOf[None]:
        handle = message.response_metadata.get("conversation")
        return HuggingChat(base_url=self.base_url).delete(handle)

    def _asked_model(self, name: str | None) -> str:
        wanted = name or self.model
        if wanted or self.base_url == HuggingChat.home:
            return super()._asked_model(wanted)
        return ""  # another server's default is its own

    def _options(self, values: dict[str, Any]) -> dict[str, Any]:
        _known_timezone(values["timezone"])
        if isinstance(servers := values["mcp_servers"], list):
            values["mcp_servers"] = [ToolServer.model_validate(each).revealed() for each in servers]
        return super()._options(values)

    def _resolve_model_profile(self) -> ModelProfile | None:
        profile = super()._resolve_model_profile() or {}
        return profile | {
            "image_inputs": True,
            "image_url_inputs": True,
            "reasoning_output": True,
        }

    # -- the headers of tool servers, which LangChain would write into traces and keys ---------

    def _prepare(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> tuple[ChatRequest, ChunkMapper]:
        try:
            return super()._prepare(messages, stop, kwargs)
        except G4FError as error:
            forget_locals(error)  # an option has the headers as they are sent
            raise

    if not TYPE_CHECKING:  # the types are those of LangChain

        def bind(self, **kwargs: Any) -> Any:
            """See `BaseChatModel`; headers are hidden, here and in all that follows."""
            return super().bind(**hiding(kwargs))

        def generate(self, *args: Any, **kwargs: Any) -> Any:
            """See `BaseChatModel`."""
            return super().generate(*args, **hiding(kwargs))

        def agenerate(self, *args: Any, **kwargs: Any) -> Any:
            """See `BaseChatModel`."""
            return super().agenerate(*args, **hiding(kwargs))

        def stream(self, *args: Any, **kwargs: Any) -> Any:
            """See `BaseChatModel`."""
            return super().stream(*args, **hiding(kwargs))

        def astream(self, *args: Any, **kwargs: Any) -> Any:
            """See `BaseChatModel`."""
            return super().astream(*args, **hiding(kwargs))

        def _get_invocation_params(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
            return super()._get_invocation_params(*args, **masking(kwargs))

        def _get_llm_string(self, *args: Any, **kwargs: Any) -> str:
            return super()._get_llm_string(*args, **masking(kwargs))


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
