"""HTTP messages as values: what is asked and what is answered. No I/O happens here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from langchain_g4f.core.redact import redact_url
from langchain_g4f.errors import MalformedStreamError

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]


class RetryWhen(Enum):
    """When a request may be sent again after a failure."""

    ALWAYS = "reads: after any transport failure, 429 and 5xx"
    NOT_PROCESSED = "creates: if it was not sent, after 429 and 502, 503, 504"
    NOT_SENT = "messages: if it was not sent, and after a 429 that says when to come back"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a ``multipart/form-data`` body."""

    name: str
    content: bytes = field(repr=False)
    filename: str | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """One HTTP request; its repr shows neither headers, query nor body.

    Attributes:
        method: The HTTP method.
        url: The absolute URL.
        headers: Header names and values.
        body: The bytes, or the parts of a form.
        retry: When it may be sent again.
        phase: What the request is for, in the words of error messages.
        address: Connect to this very address, with no proxy and no cookies. The host
            that is named and whose certificate is checked stays the URL's.
        final: Words in the body of a refusal after which it is not sent again.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | tuple[Part, ...] = b""
    retry: RetryWhen = RetryWhen.NOT_SENT
    phase: str = ""
    address: str = ""
    final: str = ""

    def __repr__(self) -> str:
        return f"<Request {self.method} {redact_url(self.url)}>"


_parse = json.JSONDecoder().raw_decode


def parse_json(text: str) -> JSON:
    """The value that ``text`` is, without blanks around it.

    Raises:
        ValueError: It is no JSON, or has half of a surrogate pair, which is no text.
        RecursionError: It is nested too deeply.
    """
    value: JSON
    value, end = _parse(text)
    if end != len(text):
        msg = "something follows the value"
        raise ValueError(msg)
    if "\\ud" in text or "\\uD" in text:
        json.dumps(value, ensure_ascii=False).encode()
    return value


class Headers:
    """Response headers: case-insensitive, repeated names kept, values not in the repr."""

    __slots__ = ("_items",)

    def __init__(self, items: list[tuple[str, str]]) -> None:
        self._items = [(name.lower(), value) for name, value in items]

    def get(self, name: str, default: str = "") -> str:
        """The first value of ``name``."""
        return next((v for n, v in self._items if n == name.lower()), default)

    def get_all(self, name: str) -> list[str]:
        """Every value of ``name``."""
        return [v for n, v in self._items if n == name.lower()]

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case."""
        return self.get("content-type").partition(";")[0].strip().lower()

    def __repr__(self) -> str:
        return f"<Headers {sorted({name for name, _ in self._items})}>"


@dataclass(frozen=True, slots=True, repr=False)
class ResponseHead:
    """Status and headers of a response, and the URL that was asked."""

    status: int
    headers: Headers
    url: str = ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status}>"


@dataclass(frozen=True, slots=True, repr=False)
class Response(ResponseHead):
    """A small response, read whole."""

    body: bytes = b""

    def json(self) -> JSON:
        """The body as JSON.

        Raises:
            MalformedStreamError: It is something else; the content type is named.
        """
        try:
            value = parse_json(self.body.decode().strip())
        except (ValueError, RecursionError):
            pass
        else:
            return value
        # raised outside, so that what is wrong with the body does not bring the body along
        kind = self.headers.content_type or "no content type"
        msg = f"expected JSON from {redact_url(self.url)}, got {kind}"
        raise MalformedStreamError(msg)


__all__ = [
    "JSON",
    "Headers",
    "Part",
    "Request",
    "Response",
    "ResponseHead",
    "RetryWhen",
    "parse_json",
]
