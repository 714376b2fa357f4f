"""Tool servers that a service is told of, and their headers, which may be credentials.

LangChain writes the arguments of a call into traces and into the keys of caches, and those of
`bind` into reprs and serialized chains: what it is shown of them has no header's value.
"""

from __future__ import annotations

from typing import Any

from langchain_core.load.serializable import Serializable
from pydantic import ConfigDict, Field, SecretStr

from langchain_g4f.auth.given_cookies import revealed


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

    def revealed(self) -> dict[str, Any]:
        """The server as it is sent, with the values of its headers."""
        return {"name": self.name, "url": self.url, "headers": revealed(self.headers)}

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        return {**state, "__dict__": {**state["__dict__"], "headers": {}}}


def hiding(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a call in which headers are secrets; the dict itself has no others then."""
    if isinstance(given := kwargs.get("mcp_servers"), list | tuple):
        kwargs["mcp_servers"] = [ToolServer.model_validate(each) for each in given]
    return kwargs


def masking(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a call as JSON has them, with headers masked."""
    if isinstance(given := hiding(kwargs).get("mcp_servers"), list):
        kwargs["mcp_servers"] = [each.model_dump(mode="json") for each in given]
    return kwargs


__all__ = ["ToolServer", "hiding", "masking"]
