"""The options of a call to a chat-ui server, beyond messages and model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from langchain_g4f.codecs.fields import need, want
from langchain_g4f.errors import ConfigurationError, MalformedStreamError, NotFoundError
from langchain_g4f.providers.huggingchat.reader import NAME
from langchain_g4f.providers.huggingchat.requests import get

if TYPE_CHECKING:
    from langchain_g4f.core.http import JSON
    from langchain_g4f.core.plan import PlanOf


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one call, checked.

    Attributes:
        conversation: ``"auto"``, ``"new"``, or a handle.
        regenerate: Answer the question of the last answer again.
        continue_answer: Continue the last answer (older servers).
        delete_after: Delete the conversation the call creates.
        web_search: Let the server search the web.
        tool_ids: Ids of the server's tools (older servers).
        mcp_servers: Tool servers to offer to the model.
        server_tools: Names of the operator's tool servers to offer to the model, too.
        timezone: IANA name told to the model.
        trusted_media_hosts: Hosts whose files may be fetched from private addresses.
        await_title: Wait for a title that comes after the answer.
    """

    conversation: object = "auto"
    regenerate: bool = False
    continue_answer: bool = False
    delete_after: bool = False
    web_search: bool = False
    tool_ids: tuple[str, ...] = ()
    mcp_servers: tuple[Mapping[str, object], ...] = field(default=(), repr=False)
    server_tools: tuple[str, ...] = ()
    timezone: str = ""
    trusted_media_hosts: tuple[str, ...] = ()
    await_title: bool = False

    @classmethod
    def read(cls, given: Mapping[str, object]) -> Options:
        """The options among those of a request; the others keep their defaults.

        Raises:
            ConfigurationError: Two of them exclude each other.
        """
        known = {name: value for name, value in given.items() if value is not None}
        for name in ("tool_ids", "mcp_servers", "server_tools", "trusted_media_hosts"):
            value = known.get(name, ())
            known[name] = tuple(value) if isinstance(value, (list, tuple)) else (value,)
        options = cls(**known)  # type: ignore[arg-type]  # the chat model has typed fields
        if options.regenerate and options.continue_answer:
            msg = f"{NAME}: an answer is either regenerated or continued"
            raise ConfigurationError(msg)
        return options

    @property
    def again(self) -> bool:
        """Whether the call works on the last answer instead of a new question."""
        return self.regenerate or self.continue_answer

    @property
    def offered(self) -> str:
        """The option that offers a model the tools of a server; empty without one."""
        named = ("web_search", "mcp_servers", "server_tools")
        return next((name for name in named if getattr(self, name)), "")


def tool_data(options: Options, base_url: str, *, legacy: bool) -> PlanOf[dict[str, JSON]]:
    """The fields of a message that choose tools (5.4, 7, 9.2).

    A current server takes a message without a list of names for one that wants all of the
    operator's tool servers, so the list is always sent. It has the caller's own, too.

    Raises:
        ConfigurationError: The server has no such thing.
    """
    if legacy:
        if options.mcp_servers or options.server_tools:
            msg = f"{NAME}: {base_url} is an older server and takes no tool servers"
            raise ConfigurationError(msg)
        return {"web_search": options.web_search, "tools": list(options.tool_ids)}
    if options.continue_answer:
        msg = f"{NAME}: {base_url} is a current server and cannot continue an answer"
        raise ConfigurationError(msg)
    if options.tool_ids:
        msg = f"{NAME}: {base_url} is a current server and has no tools with ids"
        raise ConfigurationError(msg)
    servers = [_server(server) for server in options.mcp_servers]
    names = [need(server, "name", str) for server in servers]
    if options.web_search or options.server_tools:
        names += yield from _operators(options, base_url)
    data: dict[str, JSON] = {"selectedMcpServerNames": [*dict.fromkeys(names)]}
    if servers:
        data["selectedMcpServers"] = [*servers]
    if options.timezone:
        data["timezone"] = options.timezone
    return data


def _server(server: Mapping[str, object]) -> dict[str, JSON]:
    name, url = server.get("name"), server.get("url")
    headers = server.get("headers") or {}
    if not (isinstance(name, str) and isinstance(url, str) and isinstance(headers, Mapping)):
        msg = f"{NAME}: a tool server is {{'name': ..., 'url': ..., 'headers': {{...}}}}"
        raise ConfigurationError(msg)
    if urlsplit(url).scheme not in ("http", "https"):
        msg = f"{NAME}: the address of tool server {name!r} is no http URL"
        raise ConfigurationError(msg)
    pairs: list[JSON] = [{"key": str(key), "value": str(headers[key])} for key in headers]
    return {"name": name, "url": url, "headers": pairs}


def _operators(options: Options, base_url: str) -> PlanOf[list[str]]:
    """The names of the operator's tool servers that are wanted (7)."""
    listed = yield from _list_servers(base_url)
    names = ", ".join(listed) or "none"
    for name in options.server_tools:
        if name not in listed:
            msg = f"{NAME}: {base_url} lists no tool server {name!r} (its tool servers: {names})"
            raise ConfigurationError(msg)
    if not options.web_search:
        return [*options.server_tools]
    for name, about in listed.items():
        if "search" in about or "exa.ai" in about:
            return [*options.server_tools, name]
    msg = f"{NAME}: {base_url} lists no server for web search (its tool servers: {names})"
    raise ConfigurationError(msg)


def _list_servers(base_url: str) -> PlanOf[dict[str, str]]:
    """The operator's tool servers: name, and name and address in lower case."""
    try:
        response = yield from get(f"{base_url}/api/mcp/servers", "list the tool servers")
    except NotFoundError:  # a server without any
        return {}
    servers = response.json()
    if not isinstance(servers, list):
        raise MalformedStreamError(f"{NAME}: expected a list of tool servers", provider=NAME)
    names = [need(server, "name", str) for server in servers]
    urls = [want(server, "url", str, default="") for server in servers]
    return {n: json.dumps([n, url]).lower() for n, url in zip(names, urls, strict=True)}


__all__ = ["Options", "tool_data"]
