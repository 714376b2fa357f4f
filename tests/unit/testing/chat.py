"""A plain client of the chat-ui sandbox that sends what no chat model of the package would."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

import httpx

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from langchain_g4f.testing import Conversation, Sandbox

File = tuple[str, bytes, str]


class Chat(httpx.Client):
    """One caller: a cookie jar and a conversation."""

    def __init__(self, sandbox: Sandbox, model: str = "sandbox/text-small") -> None:
        # There is no TLS here, and its set-up is slow.
        super().__init__(base_url=sandbox.base_url, timeout=10, trust_env=False, verify=False)
        self.sandbox = sandbox
        self.id = ""
        self._model = model

    def __enter__(self) -> Self:
        super().__enter__()
        if self._model:
            made = self.post("/conversation", json={"model": self._model})
            self.id = made.json()["conversationId"]
        return self

    @property
    def stored(self) -> Conversation:
        """The conversation as the server has it."""
        return self.sandbox.conversations[self.id]

    def message(self, *files: File, **data: Any) -> httpx.Request:
        """Build a send, by default behind the newest message."""
        data = {"id": self.stored.messages[-1].id, **data}
        parts: list[tuple[str, Any]] = [("data", (None, json.dumps(data)))]
        parts += [("files", file) for file in files]
        headers = {"origin": self.sandbox.origin}
        return self.build_request("POST", f"/conversation/{self.id}", files=parts, headers=headers)

    def say(self, inputs: str, *files: File, **data: Any) -> list[dict[str, Any]]:
        """Send a message and return the lines of the answer stream."""
        answer = self.send(self.message(*files, inputs=inputs, **data))
        assert answer.status_code == 200, answer.text
        return parse_lines(answer.text)

    def streaming(self, inputs: str, **data: Any) -> AbstractContextManager[httpx.Response]:
        """Send a message and return the open response."""
        request = self.message(inputs=inputs, **data)
        return self.stream("POST", request.url, content=request.read(), headers=request.headers)

    def stop(self, **point: Any) -> None:
        """Stop what is being generated."""
        self.post(f"/conversation/{self.id}/stop-generating", json=point)


def parse_lines(text: str) -> list[dict[str, Any]]:
    """Return the objects of a JSON-lines body, padding skipped."""
    return [json.loads(line) for line in text.split("\n") if line.strip()]
