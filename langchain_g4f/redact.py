"""What may be shown of requests and replies: an allow-list, not a deny-list.

Deny-lists forget (httpx masks ``authorization`` and prints ``cookie``). So a header
is shown by name only, a URL without user, password, query and fragment, and a
server's text only after everything that looks like a credential is masked.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

MASK = "**********"

_SECRET_LIKE = re.compile(
    r"""
    (?P<jwt>\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?)
  | (?P<token>\b(?:hf|sk|ghp|xox[a-z])[_-][\w-]{6,})
  | (?P<bearer>(?i:\b(?:bearer|basic)\s+)[\w.~+/=-]{6,})
  | (?P<pair>(?i:\b[\w-]*(?:cookie|token|secret|password|passwd|authorization|api[_-]?key
        |session|hf-chat)[\w-]*["']?\s*[:=]\s*["']?)[^\s"',;}&]+)
  | (?P<userinfo>(?<=://)[^\s/@:]+:[^\s/@]+(?=@))
    """,
    re.VERBOSE,
)


def redact_url(url: str) -> str:
    """Scheme, host, port and path of ``url``; nothing that can carry a secret."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    port = f":{parts.port}" if parts.port else ""
    scheme = f"{parts.scheme}://" if parts.scheme else ""
    return f"{scheme}{host}{port}{parts.path}"


def redact_text(text: str, *secrets: str, limit: int = 2000) -> str:
    """``text`` cut to ``limit`` characters with credentials masked.

    Args:
        text: What a server said.
        secrets: Values known to be secret, masked wherever they stand.
        limit: Number of characters kept.
    """
    for secret in secrets:
        if secret:
            text = text.replace(secret, MASK)
    masked = _SECRET_LIKE.sub(_mask, text)
    return masked if len(masked) <= limit else masked[:limit] + "…"


def _mask(match: re.Match[str]) -> str:
    found = match.group()
    if match.lastgroup == "pair":
        head = re.match(r"[^:=]*[:=]\s*[\"']?", found)
        return (head.group() if head else "") + MASK
    return MASK


__all__ = ["MASK", "redact_text", "redact_url"]
