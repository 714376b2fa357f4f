"""A network that is a table: it performs the effects of a download's plan."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from langchain_g4f.core.chat_request import Media
from langchain_g4f.core.http import Headers, Request, Response
from langchain_g4f.core.plan import Resolve, Send
from langchain_g4f.errors import BlockedURLError, G4FError
from langchain_g4f.media.download import download

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUg==")
PUBLIC, OTHER = "93.184.216.34", "2606:2800:21f::1"

Answer = Response | G4FError


def answer(status: int = 200, body: bytes = PNG, **headers: str) -> Response:
    """What a server says."""
    return Response(status, Headers(list(headers.items())), "", body)


def to(location: str, status: int = 302) -> Response:
    """A redirect."""
    return answer(status, b"", location=location)


@dataclass
class Net:
    """Performs a plan's effects from a table, and notes them."""

    hosts: Mapping[str, Sequence[str] | G4FError] = field(default_factory=dict)
    answers: Mapping[str, Answer | Callable[[Request], Answer]] = field(default_factory=dict)
    looked_up: list[tuple[str, int]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)

    def download(self, url: str, limit: int = 1000, trusted: Sequence[str] = ()) -> Media:
        plan = download(url, limit=limit, trusted_hosts=trusted)
        result: Any = None
        while True:
            try:
                effect = plan.throw(result) if isinstance(result, G4FError) else plan.send(result)
            except StopIteration as stop:
                found: Media = stop.value
                return found
            match effect:
                case Resolve():
                    self.looked_up.append((effect.host, effect.port))
                    addresses = self.hosts[effect.host]
                    result = addresses if isinstance(addresses, G4FError) else tuple(addresses)
                case Send():
                    request = effect.make_request()
                    self.sends.append(effect)
                    self.requests.append(request)
                    given = self.answers[request.url]
                    result = given(request) if callable(given) else given
                case _:
                    pytest.fail(f"unexpected: {effect!r}")

    def blocked(self, url: str, trusted: Sequence[str] = ()) -> BlockedURLError:
        with pytest.raises(BlockedURLError) as caught:
            self.download(url, trusted=trusted)
        assert caught.value.__context__ is None
        return caught.value
