"""Tool servers that a service is told of, and their headers, which may be credentials.

LangChain writes the arguments of a call into traces and into the keys of caches, and those of
`bind` into reprs and serialized chains: what it is shown of them has no header's value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.load.serializable import Serializable
from pydantic import ConfigDict, Field, SecretStr

from langchain_g4f.chat_models.base import BaseChatG4F
from langchain_g4f.core.redact import forget_locals
from langchain_g4f.errors import G4FError

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from langchain_g4f.chat_models.chunks import ChunkMapper
    from langchain_g4f.core.chat_request import ChatRequest


class ToolServer(Serializable):
    """A tool server (MCP, streamable HTTP) that the service may offer to the model."""

    model_config = ConfigDict(hide_input_in_errors=True, extra="forbid")

    name: str
    url: str
    headers: dict[str, SecretStr] = Field(default_factory=dict)

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Yes; headers are left out."""
        return True

    @property
    def lc_attributes(self) -> dict[str, Any]:
        """What is written in place of the headers."""
        return {"headers": {}}

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        return {**state, "__dict__": {**state["__dict__"], "headers": {}}}


class ToolServerModel(BaseChatG4F):
    """A chat model whose calls take ``mcp_servers``."""

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
            return super().bind(**_hiding(kwargs))

        def generate(self, *args: Any, **kwargs: Any) -> Any:
            """See `BaseChatModel`."""
            return super().generate(*args, **_hiding(kwargs))

        def agenerate(self, *args: Any, **kwargs: Any) -> Any:
            """See `BaseChatModel`."""
            return super().agenerate(*args, **_hiding(kwargs))

        def stream(self, *args: Any, **kwargs: Any) -> Any:
            """See `BaseChatModel`."""
            return super().stream(*args, **_hiding(kwargs))

        def astream(self, *args: Any, **kwargs: Any) -> Any:
            """See `BaseChatModel`."""
            return super().astream(*args, **_hiding(kwargs))

        def _get_invocation_params(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
            return super()._get_invocation_params(*args, **_masking(kwargs))

        def _get_llm_string(self, *args: Any, **kwargs: Any) -> str:
            return super()._get_llm_string(*args, **_masking(kwargs))


def _hiding(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a call in which headers are secrets; the dict itself has no others then."""
    if isinstance(given := kwargs.get("mcp_servers"), list | tuple):
        kwargs["mcp_servers"] = [ToolServer.model_validate(each) for each in given]
    return kwargs


def _masking(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a call as JSON has them, with headers masked."""
    if isinstance(given := _hiding(kwargs).get("mcp_servers"), list):
        kwargs["mcp_servers"] = [each.model_dump(mode="json") for each in given]
    return kwargs


__all__ = ["ToolServer", "ToolServerModel"]
