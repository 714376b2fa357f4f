"""Which Space is asked, and by whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from langchain_g4f.core.urls import join, segment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_g4f.providers.gradio_space.app import App

HUB = "https://huggingface.co"
"""Address of the Hub, which knows the state of a Space and who pays for its GPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A Space as a caller names it; its repr has no credential.

    Attributes:
        base_url: Address of the app, without a final slash.
        space: Id of the Space, ``owner/name``; empty if it is none.
        hub_url: Address of the Hub.
        api_name: Which of the app's chats; empty where there is one.
        token: The caller's token for the Hub.
        gpu_token: A ZeroGPU token the caller has.
        gpu_uuid: The session id that goes with it.
        wake_timeout_s: Seconds a Space may take to wake up.
        referer: The page that requests come from; empty for none.
        takes: Media types of files, or their beginnings; empty for what the app says.
        models: Names of the Space's own model, which need not be chosen in the app.
        known: What the app is taken for if it does not describe itself.
    """

    base_url: str
    space: str = ""
    hub_url: str = HUB
    api_name: str = ""
    token: str = field(default="", repr=False)
    gpu_token: str = field(default="", repr=False)
    gpu_uuid: str = field(default="", repr=False)
    wake_timeout_s: float = 300.0
    referer: str = ""
    takes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    known: App | None = field(default=None, repr=False)

    @property
    def headers(self) -> Mapping[str, str]:
        """What every request to the app carries."""
        found = {"referer": self.referer} if self.referer else {}
        return found | ({"authorization": f"Bearer {self.token}"} if self.token else {})

    def api(self, app: App) -> str:
        """Address of the app's API, below that of the app.

        Raises:
            MalformedStreamError: The app says that it is elsewhere.
        """
        return join(self.base_url, app.prefix)

    @property
    def subdomain(self) -> str:
        """The Space's own name in its address on hf.space; empty elsewhere."""
        host = urlsplit(self.base_url).hostname or ""
        return host.removesuffix(".hf.space") if host.endswith(".hf.space") else ""


def space_path(space: str) -> str:
    """The id of a Space, ``owner/name``, as two segments of a path.

    Raises:
        MalformedStreamError: One of them cannot be a segment.
    """
    return "/".join(map(segment, space.split("/", 1)))


__all__ = ["HUB", "Where", "space_path"]
