"""What a call may ask for beyond its messages, read into typed values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from langchain_g4f.errors import ConfigurationError
from langchain_g4f.providers.gradio_space.inputs import STANDARD

History = Literal["auto", "flattened", "messages"]


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one call.

    Attributes:
        conversation: ``"auto"``, ``"new"`` or a handle.
        history: How earlier messages are sent: in one text, or as the chatbot's own.
        inputs: Values for inputs of the app, by name.
        parameters: LangChain's parameters, by name; None where they are not set.
        trusted_hosts: Whose files may be fetched though their address is private.
    """

    conversation: object
    history: History
    inputs: Mapping[str, object] = field(repr=False)  # an app may ask for a key of its own
    parameters: Mapping[str, object]
    trusted_hosts: tuple[str, ...]

    @classmethod
    def read(cls, given: Mapping[str, object]) -> Options:
        """The options in ``given``.

        Raises:
            ConfigurationError: One is of the wrong kind.
        """
        history = given.get("history") or "auto"
        if history not in ("auto", "flattened", "messages"):
            msg = f"history= takes 'auto', 'flattened' or 'messages', not {history!r}"
            raise ConfigurationError(msg)
        inputs = given.get("inputs") or {}
        if not isinstance(inputs, Mapping):
            msg = f"inputs= takes names and values, not {type(inputs).__name__}"
            raise ConfigurationError(msg)
        hosts = given.get("trusted_media_hosts") or ()
        if isinstance(hosts, str) or not isinstance(hosts, Sequence):
            msg = "trusted_media_hosts= takes a list of names"
            raise ConfigurationError(msg)
        conversation = given.get("conversation")
        return cls(
            "auto" if conversation is None else conversation,
            history,
            inputs,
            {name: given.get(name) for name in STANDARD},
            tuple(str(host) for host in hosts),
        )


__all__ = ["History", "Options"]
