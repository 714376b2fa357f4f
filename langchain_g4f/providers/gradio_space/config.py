"""The Space to call, the caller's credentials for it, and the options of one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from langchain_g4f.core.urls import join, segment
from langchain_g4f.errors import ConfigurationError
from langchain_g4f.providers.gradio_space.app import App

HUB = "https://huggingface.co"
"""URL of the Hub, which knows the state of a Space and issues GPU tokens."""

PARAMETERS = ("temperature", "max_tokens", "top_p", "top_k", "seed")
"""LangChain's parameters that many apps have an input for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceConfig:
    """A Space and its caller; the repr shows no credential.

    Attributes:
        base_url: URL of the app, without a final slash.
        space: Id of the Space, ``owner/name``; empty if the app is not on the Hub.
        hub_url: URL of the Hub.
        api_name: Name of one of the chat's functions; required if the app has several chats.
        token: The caller's token for the Hub.
        oauth_token: The token, if the app's code may have it, to act as the caller on the Hub.
        auth: Name and password of the app's own login; empty without them.
        gpu_token: A ZeroGPU token, if the caller brings one.
        gpu_uuid: The session id that belongs to ``gpu_token``.
        wake_timeout_s: Seconds a Space may take to wake up.
        referer: Value of the ``Referer`` header; empty for none.
        file_types: Prefixes of the media types that can be sent; empty to follow the app.
        models: Names of the Space's only model, which the app has no input for.
        fallback_app: Description to use if the app does not describe itself.
    """

    base_url: str
    space: str = ""
    hub_url: str = HUB
    api_name: str = ""
    token: str = field(default="", repr=False)
    oauth_token: str = field(default="", repr=False)
    auth: tuple[str, str] | None = field(default=None, repr=False)
    gpu_token: str = field(default="", repr=False)
    gpu_uuid: str = field(default="", repr=False)
    wake_timeout_s: float = 300.0
    referer: str = ""
    file_types: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    fallback_app: App | None = field(default=None, repr=False)

    @property
    def authorization(self) -> Mapping[str, str]:
        """The header with the caller's token; empty without a token."""
        return {"authorization": f"Bearer {self.token}"} if self.token else {}

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of every request to the app."""
        return ({"referer": self.referer} if self.referer else {}) | {**self.authorization}

    def api(self, app: App) -> str:
        """URL of the app's API, below ``base_url``.

        Raises:
            MalformedStreamError: The app names a prefix that leads elsewhere.
        """
        return join(self.base_url, app.api_prefix)

    def hub_api(self, space: str) -> str:
        """URL of what the Hub's API knows of ``space``, ``owner/name``.

        Raises:
            MalformedStreamError: A part of the id cannot be a path segment.
        """
        return "/".join((self.hub_url, "api/spaces", *map(segment, space.split("/", 1))))

    @property
    def subdomain(self) -> str:
        """The part of the host name before ``.hf.space``; empty for other hosts."""
        host = urlsplit(self.base_url).hostname or ""
        return host.removesuffix(".hf.space") if host.endswith(".hf.space") else ""


@dataclass(frozen=True, slots=True)
class CallOptions:
    """The options of one call.

    Attributes:
        conversation: ``"auto"``, ``"new"`` or a handle.
        history: How earlier messages are sent: as one text, or as messages of the chatbot.
        inputs: Values for inputs of the app, by label or name. May contain a user's API key.
        parameters: LangChain's parameters, by name; None where not set.
        trusted_hosts: Hosts whose files may be fetched even from a private address.
    """

    conversation: object
    history: Literal["auto", "flattened", "messages"]
    inputs: Mapping[str, object] = field(repr=False)
    parameters: Mapping[str, object]
    trusted_hosts: tuple[str, ...]

    @classmethod
    def read(cls, given: Mapping[str, object]) -> CallOptions:
        """The options in ``given``.

        Raises:
            ConfigurationError: One is of the wrong kind.
        """
        history = given.get("history") or "auto"
        if history not in ("auto", "flattened", "messages"):
            raise ConfigurationError(
                f"history= takes 'auto', 'flattened' or 'messages', not {history!r}"
            )
        inputs = given.get("inputs") or {}
        if not isinstance(inputs, Mapping):
            raise ConfigurationError(f"inputs= takes names and values, not {type(inputs).__name__}")
        hosts = given.get("trusted_media_hosts") or ()
        if isinstance(hosts, str) or not isinstance(hosts, Sequence):
            raise ConfigurationError("trusted_media_hosts= takes a list of names")
        conversation = given.get("conversation")
        return cls(
            "auto" if conversation is None else conversation,
            history,
            inputs,
            {name: given.get(name) for name in PARAMETERS},
            tuple(map(str, hosts)),
        )
