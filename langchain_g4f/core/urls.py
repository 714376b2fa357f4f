"""Addresses of a service, built with what a server, an app or a handle of the history says.

Nothing of that may lead a request, and the caller's credentials with it, to another origin or to
another path: a name is quoted as one segment, a path is joined segment by segment.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

from langchain_g4f.errors import MalformedStreamError

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)


def is_id(text: str) -> bool:
    """Whether ``text`` has the form of ids: letters, digits, ``_`` and ``-``, at most 64."""
    return _ID.fullmatch(text) is not None


def segment(name: str) -> str:
    """``name`` as one segment of a path, or one value of a query.

    Raises:
        MalformedStreamError: It is empty, ``.`` or ``..``, which have a meaning of their own.
    """
    if name in ("", ".", ".."):
        raise MalformedStreamError(f"{name!r} cannot be a segment of a path")
    return quote(name, safe="", errors="replace")


def join(base_url: str, path: str) -> str:
    """The address of ``path`` below ``base_url``.

    Args:
        base_url: Origin and path of the service, without a final slash.
        path: What a server said: empty, or segments that need no quoting, each after a slash.

    Raises:
        MalformedStreamError: It is something else, and might lead to another origin.
    """
    first, *names = path.rstrip("/").split("/")
    if first or not all(map(_is_segment, names)):
        raise MalformedStreamError(f"what the server names is no path below {base_url}")
    return "/".join((base_url, *names))


def is_below(base_url: str, url: str) -> bool:
    """Whether ``url`` has the origin of ``base_url`` and a path below it."""
    rest = url.removeprefix(f"{base_url}/")
    if rest == url or urlsplit(base_url)[:2] != urlsplit(url)[:2]:
        return False
    path = unquote(re.split("[?#]", rest, maxsplit=1)[0]).replace("\\", "/")
    return {".", ".."}.isdisjoint(path.split("/"))


def _is_segment(name: str) -> bool:
    return name not in ("", ".", "..") and quote(name, safe="") == name


__all__ = ["is_below", "is_id", "join", "segment"]
