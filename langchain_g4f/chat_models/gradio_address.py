"""Where a Space is, and whether a token of the Hub may go there."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

from langchain_g4f.errors import ConfigurationError

_HUB = "https://huggingface.co"
_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)


def environment_hub() -> str:
    """The Hub that the environment names, or Hugging Face's own."""
    return (os.environ.get("HF_ENDPOINT") or _HUB).rstrip("/")


def is_on_hub(base_url: str) -> bool:
    """Whether the app is a Space of the Hub, to which tokens of the Hub may go."""
    address = urlsplit(base_url)
    return address.scheme == "https" and (address.hostname or "").endswith(".hf.space")


def environment_token() -> str:
    """The environment's token of the Hub."""
    return os.environ.get("HF_TOKEN", "")


def space_id(given: str) -> str:
    """The id of a Space, out of it or out of the address of its page.

    Raises:
        ConfigurationError: It is neither.
    """
    path = given
    if "://" in given:
        path = urlsplit(given).path.strip("/").removeprefix("spaces/")
        path = "/".join(path.split("/")[:2])
    if given and not _ID.fullmatch(path):
        msg = f"space: expected 'owner/name', not {given!r}"
        raise ConfigurationError(msg)
    return path


def space_url(space: str) -> str:
    """Where the app of a Space is: its id in lower case, with hyphens for the rest."""
    name = re.sub(r"[^a-z0-9]+", "-", space.lower()).strip("-")
    return f"https://{name}.hf.space"


__all__ = ["environment_hub", "environment_token", "is_on_hub", "space_id", "space_url"]
