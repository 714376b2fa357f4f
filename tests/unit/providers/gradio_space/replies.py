"""What an app and a Hub answer, and what is in the events that come of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_g4f.core.events import Event, FinalText, Progress, Text
from langchain_g4f.core.http import Headers, Response, ResponseHead

JSON_TYPE, HTML_TYPE = "application/json", "text/html; charset=utf-8"


@dataclass
class Reply:
    """An answer: its body, status, content type and cookies."""

    body: bytes
    status: int = 200
    kind: str = JSON_TYPE
    cookies: Sequence[str] = ()

    def head(self, url: str) -> ResponseHead:
        return ResponseHead(self.status, self._headers, url)

    def response(self, url: str) -> Response:
        return Response(self.status, self._headers, url, self.body)

    @property
    def _headers(self) -> Headers:
        return Headers([("content-type", self.kind), *(("set-cookie", c) for c in self.cookies)])


def reply(value: object, status: int = 200, **more: Any) -> Reply:
    """Answer with this as JSON."""
    return Reply(json.dumps(value).encode(), status, **more)


def page(status: int = 200) -> Reply:
    """A page of the platform, for people."""
    return Reply(b"<html><title>Hello</title></html>", status, HTML_TYPE)


def events(*messages: Any) -> Reply:
    """The event stream of a queue."""
    lines = (f"data: {json.dumps(message)}\n\n" for message in messages)
    return Reply("".join(lines).encode(), kind="text/event-stream")


def generating(*data: Any, event_id: str = "e") -> dict[str, Any]:
    """One yield of a function."""
    output = {"data": list(data), "is_generating": True}
    return {"msg": "process_generating", "event_id": event_id, "output": output, "success": True}


def completed(*data: Any, event_id: str = "e") -> dict[str, Any]:
    """The regular end of a function."""
    output = {"data": list(data), "is_generating": False}
    return {"msg": "process_completed", "event_id": event_id, "output": output, "success": True}


def failed(error: str | None, **more: Any) -> dict[str, Any]:
    """The end of a function that raised."""
    output = {"error": error, **more}
    return {"msg": "process_completed", "event_id": "e", "output": output, "success": False}


CANCELLED = {"msg": "process_completed", "event_id": "e", "output": {}, "success": True}


def text_of(found: Sequence[Event]) -> str:
    """The text of the events."""
    return "".join(event.text for event in found if isinstance(event, Text))


def final_of(found: Sequence[Event]) -> list[str]:
    """The final texts among the events."""
    return [event.text for event in found if isinstance(event, FinalText)]


def kinds_of(found: Sequence[Event]) -> list[str]:
    """The kinds of progress among the events."""
    return [event.kind for event in found if isinstance(event, Progress)]
