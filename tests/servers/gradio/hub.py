"""A stand-in for the Hub: what it says of a Space, and the GPU tokens it gives out.

Follows docs/protocols/gradio-space.md, sections 9 and 10. It speaks of one Space; of any other, and
to whoever has not the right token, it says what the Hub says: that it does not exist.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence

from tests.contract.faults.byte_server import ByteServer, Exchange

SPACE = "owner/little-chat"
SUBDOMAIN = "owner-little-chat"
RESETS_AT = "2100-01-02T03:04:05.000Z"


class Hub(ByteServer):
    """Answers about `SPACE`, inside its `with` block.

    Args:
        stages: What the Space is at each request; the last one stays.
        token: The token its callers must have; None for a public Space.
        lifetime_s: Seconds until a GPU token expires.

    Attributes:
        told: The stages that were told so far.
        given: The GPU tokens that were given out so far.
    """

    def __init__(
        self,
        stages: Sequence[str] = ("RUNNING",),
        *,
        token: str | None = None,
        lifetime_s: float = 600.0,
    ) -> None:
        super().__init__(self._handle)
        self._stages = list(stages)
        self._token = token
        self._lifetime_s = lifetime_s
        self.told: list[str] = []
        self.given: list[str] = []

    @property
    def asked(self) -> list[str]:
        """What was asked, in order: the last part of each path."""
        return [exchange.path.rpartition("/")[2] for exchange in tuple(self.requests)]

    def _handle(self, exchange: Exchange) -> None:
        told = self._tell(exchange)
        body = json.dumps(told or {"error": "Repository not found"}).encode()
        # To be closed without a word is a broken connection for whoever wanted to use it again.
        over = exchange.header("connection") == "close"
        exchange.respond(200 if told else 404, body, [("Connection", "close")] if over else [])
        if over:
            exchange.close()

    def _tell(self, exchange: Exchange) -> dict[str, object] | None:
        if self._token not in {None, (exchange.header("authorization") or "").split(" ")[-1]}:
            return None
        if exchange.path.endswith(f"/api/spaces/{SPACE}/runtime"):
            self.told.append(self._stages.pop(0) if len(self._stages) > 1 else self._stages[0])
            return {"stage": self.told[-1], "hardware": {"current": None}}
        if exchange.path.endswith(f"/api/spaces/{SPACE}/jwt"):
            self.given.append(_jwt(len(self.given) + 1, time.time() + self._lifetime_s))
            return {"token": self.given[-1]}
        if exchange.path.endswith("/api/spaces/zero-gpu/quota"):
            return {"base": 2400, "current": 1810, "resetsAt": RESETS_AT, "overquotaUsed": 0}
        if exchange.path.endswith(f"/api/spaces/by-subdomain/{SUBDOMAIN}"):
            return {"id": SPACE}
        return None


def _jwt(number: int, expires_at: float) -> str:
    parts = ({"alg": "EdDSA"}, {"jti": number, "exp": int(expires_at)}, {"made": "up"})
    coded = (base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts)
    return ".".join(part.decode().rstrip("=") for part in coded)
