"""A plain client of the sandbox for these tests; it keeps to the wire and forgives nothing."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_g4f.testing import Conversation, Sandbox

File = tuple[str, bytes, str]


class Chat:
    """One caller: a cookie jar and the conversation it is in."""

    def __init__(self, sandbox: Sandbox, cookies: dict[str, str] | None = None) -> None:
        self.sandbox = sandbox
        self.http = httpx.Client(
            base_url=sandbox.base_url,
            cookies=cookies,
            timeout=10,
            trust_env=False,
            verify=False,  # noqa: S501 -- there is no TLS here, and its set-up is slow
        )
        self.id = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    @property
    def stored(self) -> Conversation:
        """The conversation as the server has it."""
        return self.sandbox.conversations[self.id]

    @property
    def last(self) -> str:
        """Id of the newest message."""
        return self.stored.messages[-1].id

    def create(self, model: str = "sandbox/text-small", **fields: Any) -> str:
        """Start a conversation and return its root message's id."""
        answer = self.http.post("/conversation", json={"model": model, **fields})
        assert answer.status_code == 200, answer.text
        self.id = answer.json()["conversationId"]
        return self.stored.root.id

    def post(self, *files: File, origin: str | None = None, **data: Any) -> httpx.Response:
        """Post a `data` part, by default behind the newest message."""
        return self.http.send(self.request(*files, origin=origin, **data))

    def request(self, *files: File, origin: str | None = None, **data: Any) -> httpx.Request:
        """Build the request of `post`."""
        data = {"id": self.last, **data}
        parts: list[tuple[str, Any]] = [("data", (None, json.dumps(data)))]
        parts += [("files", file) for file in files]
        headers = {"origin": origin or self.sandbox.origin}
        return self.http.build_request(
            "POST", f"/conversation/{self.id}", files=parts, headers=headers
        )

    def say(self, inputs: str, *files: File, **data: Any) -> list[dict[str, Any]]:
        """Send a message and return the lines of the answer stream."""
        answer = self.post(*files, inputs=inputs, **data)
        assert answer.status_code == 200, answer.text
        return parse_lines(answer.text)

    @contextmanager
    def streaming(self, inputs: str, **data: Any) -> Iterator[httpx.Response]:
        """Send a message and hand out the open response."""
        response = self.http.send(self.request(inputs=inputs, **data), stream=True)
        try:
            yield response
        finally:
            response.close()


def parse_lines(text: str) -> list[dict[str, Any]]:
    """Return the objects of a JSON-lines body, padding skipped."""
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def tokens(lines: list[dict[str, Any]]) -> list[str]:
    """Return the tokens of an answer without their padding."""
    return [line["token"].rstrip("\0") for line in lines if line["type"] == "stream"]


def kinds(lines: list[dict[str, Any]]) -> list[str]:
    """Return what kind of update each line is, keep-alives and repeated tokens left out."""
    found: list[str] = []
    for line in lines:
        kind = line["status"] if line["type"] == "status" else line["type"]
        if kind != "keepAlive" and (kind != "stream" or found[-1:] != ["stream"]):
            found.append(kind)
    return found


def parse_events(text: str) -> list[tuple[str | None, str, Any]]:
    """Return id, event name and data of each server-sent event."""
    events: list[tuple[str | None, str, Any]] = []
    for block in text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        fields = dict(line.split(": ", 1) for line in lines)
        if fields:
            events.append((fields.get("id"), fields["event"], json.loads(fields["data"])))
    return events
