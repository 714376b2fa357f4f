"""Whether a request may be answered: its fields, time, signature and nonce.

Follows docs/protocols/flowgpt.md, sections 4 and 10. The signature is computed here once more, and
not by the client's own function: the two have to agree.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FRESH_S = 300.0
"""How far a timestamp may be from the server's clock, in seconds."""

REMEMBERED_S = 2 * FRESH_S
"""How long a nonce is remembered: as long as a timestamp can pass, early or late."""

_SIGNED = ("authorization", "x-flow-device-id", "x-timestamp", "x-nonce", "x-signature")
_SECONDS = re.compile(r"[0-9]{1,12}")
_NONCE = re.compile(r"[0-9a-f]{32}")


class RefusedError(Exception):
    """Ends a request with an error body (section 10)."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(status, error, message)
        self.status = status
        self.error = error
        self.message = message


class Gate:
    """Lets each signed request pass once.

    Args:
        clock: Seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: dict[str, float] = {}

    def check(self, headers: Mapping[str, str]) -> None:
        """Let a request with these headers pass.

        Raises:
            RefusedError: 401 for missing or stale fields, 403 for a wrong signature or a nonce
                that was used.
        """
        for name in _SIGNED:
            if not headers.get(name):
                raise RefusedError(401, "missing_header", f"{name} is missing")
        timestamp, nonce = headers["x-timestamp"], headers["x-nonce"]
        now = self._clock()
        if not _SECONDS.fullmatch(timestamp) or abs(now - int(timestamp)) > FRESH_S:
            message = "x-timestamp is outside the accepted window"
            raise RefusedError(401, "stale_timestamp", message)
        if not _NONCE.fullmatch(nonce):
            message = "x-nonce is not 32 hexadecimal digits in lower case"
            raise RefusedError(401, "bad_nonce", message)
        text = "-".join([timestamp, nonce, headers["authorization"]])
        signature = hashlib.md5(text.encode("latin-1"), usedforsecurity=False).hexdigest()
        if headers["x-signature"] != signature:
            raise RefusedError(403, "bad_signature", "signature mismatch")
        self._use(nonce, now)

    def _use(self, nonce: str, now: float) -> None:
        self._seen = {n: at for n, at in self._seen.items() if now - at <= REMEMBERED_S}
        if nonce in self._seen:
            raise RefusedError(403, "nonce_reused", "x-nonce was already used")
        self._seen[nonce] = now
