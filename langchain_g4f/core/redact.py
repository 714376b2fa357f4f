"""What may be shown of requests and replies: an allow-list, not a deny-list.

Deny-lists forget (httpx masks ``authorization`` and prints ``cookie``). So a header
is shown by name only, a URL without user, password, query and fragment, and a
server's text only after everything that looks like a credential is masked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from traceback import clear_frames
from urllib.parse import quote, urlsplit

from langchain_g4f.errors import G4FError

MASK = "**********"
KINDS = 100
"""Kinds of events that are counted one by one."""

# Linear in the text, whatever it is: runs of word characters are entered at their start
# only, and quantifiers that could be tried in many ways are possessive. What seems to be
# the first letter of a word may end an escape, such as \n in JSON that is quoted as text.
_SECRET_LIKE = re.compile(
    r"""
    (?P<jwt>(?<![\w-])(?:(?<=\\)[nrt])?eyJ[\w-]{8,}+\.[\w-]++(?:\.[\w-]*+)?)
  | (?P<token>\b(?:(?<=\\)[nrt])?(?:hf|sk|ghp|xox[a-z])[_-][\w-]{6,}+)
  | (?P<cookies>(?P<name>(?i:(?<![\w-])(?:(?<=\\)[nrt])?(?:set-)?cookie\s*+:\s*+))[^\r\n"'}]++)
  | (?P<pair>(?P<key>(?i:(?<![\w-])
        (?=[\w-]*?(?:cookie|token|secret|password|passwd|authorization|api[_-]?key
            |session|hf-chat))
        [\w-]++\\*+["']?\s*+[:=]\s*+))
        (?:"(?:[^"\\]|\\.)*+"? | '(?:[^'\\]|\\.)*+'? | \\++["'][^"']*+
          | (?i:(?:basic|bearer|digest)\s++)?[^\s"',;}&]++))
  | (?P<bearer>(?i:\b(?:(?<=\\)[nrt])?(?:bearer|basic)\s++)[\w.~+/=-]{6,}+)
  | (?P<userinfo>(?<=://)[^\s/?\#]+(?=@))
    """,
    re.VERBOSE,
)

_MARGIN = 4096
"""Characters before a cut in which a credential may begin that is recognised only as a whole."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Characters that steer a terminal, or are none: halves of a surrogate pair."""

_HOST = re.compile(r"[\w.:%-]*")
"""Names and addresses."""
_HOST_AND_PORT = re.compile(r"(?:^|@)(?:\[[^\[\]]*\]|[^\[\]@:]*)(?::\d*)?$")
"""The end of what stands between ``//`` and the path."""

_NO_URL = "(no valid URL)"


def redact_url(url: str) -> str:
    """Scheme, host, port and path of ``url``; nothing that can carry a secret."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return _NO_URL
    if not _HOST.fullmatch(parts.hostname or "") or not _HOST_AND_PORT.search(parts.netloc):
        return _NO_URL
    if not parts.netloc and (parts.scheme or "@" in parts.path.partition("/")[0]):
        return _NO_URL  # data:..., or user:password@host: what looks like a path is not one
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    scheme = f"{parts.scheme}://" if parts.scheme else ""
    path = parts.path.partition(";")[0]  # some servers keep a session behind it
    return f"{scheme}{host}{port}{path}"


def redact_text(text: str, *secrets: str, limit: int = 2000) -> str:
    """``text`` cut to ``limit`` characters, with credentials and control characters masked.

    Args:
        text: What a server said.
        secrets: Values known to be secret, masked wherever they stand.
        limit: Number of characters kept.
    """
    spellings = {spelling for secret in secrets for spelling in _spellings(secret)}
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, MASK)
    # only what may be shown is looked at: looking takes microseconds a character
    looked_at = text[: limit + 2 * _MARGIN]
    masked = _SECRET_LIKE.sub(_mask, looked_at)
    if len(looked_at) < len(text):
        masked = masked[:-_MARGIN]
    cut = len(looked_at) < len(text) or len(masked) > limit
    shown = masked[:limit] + ("…" if cut else "")
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", shown)


def count_kind(counts: Counter[str], kind: str, *secrets: str) -> None:
    """Count a kind of event by its name, which is the server's word; of many kinds, the first.

    Args:
        counts: How often each kind came, by what may be shown of its name.
        kind: Its name.
        secrets: Values known to be secret.
    """
    shown = redact_text(kind, *secrets, limit=40)
    if shown in counts or len(counts) < KINDS:
        counts[shown] += 1


def forget_locals(error: BaseException) -> None:
    """Empty the frames that an error of ours came through, which have ended.

    What is received stands in their local variables, and some tracebacks show those.
    """
    link: BaseException | None = error
    while isinstance(link, G4FError):
        clear_frames(link.__traceback__)
        link = link.__cause__ or link.__context__


def _spellings(secret: str) -> Iterator[str]:
    """``secret`` as it is, in a URL, and in JSON that may itself stand in JSON."""
    if not secret:
        return
    yield quote(secret, safe="", errors="replace")
    for _ in range(3):
        yield secret
        secret = secret.replace("\\", "\\\\").replace('"', '\\"')


def _mask(match: re.Match[str]) -> str:
    return (match["key"] or match["name"] or "") + MASK


__all__ = ["KINDS", "MASK", "count_kind", "forget_locals", "redact_text", "redact_url"]
