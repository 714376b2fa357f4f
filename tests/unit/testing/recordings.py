"""Replays a recorded conversation against a sandbox and notes what the two servers answered."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_g4f.testing import Sandbox

CASSETTES = Path(__file__).parents[3] / "cassettes"

_ORIGIN = re.compile(r"http://127\.0\.0\.1:178\d\d")
_ID = re.compile(r"[0-9a-f]{24}|[0-9a-f]{8}-[0-9a-f-]{27}|[A-Za-z0-9]{7}")
_OMITTED = re.compile(r"<(\d+) bytes omitted>")
_NOT_SERVED = re.compile(
    r"huggingchat (PATCH|DELETE) /chat/api/v2/.+"
    r"|huggingchat (GET|POST) /chat/api/v2/(conversations|user/settings|public-config|models/.+)"
    r"|huggingchat GET /chat/conversation/\w+/__data.json"
    r"|.* GET /chat/(api/conversations?(/\w+)?|__data.json)"
)
"""Routes that no chat model of the package calls and the sandbox therefore does not have."""

LAYOUT = {
    "assistants",
    "conversations",
    "loginEnabled",
    "loginRequired",
    "nConversations",
    "user",
}
"""The fields of a legacy page's layout that the sandbox has, too."""

_SENT = ("accept", "content-type", "origin", "cookie", "authorization", "last-event-id")


@dataclass(frozen=True)
class Answer:
    """One response, recorded or real. Cookies by name; JSON already parsed."""

    status: int
    kind: str | None
    cookies: dict[str, str]
    text: str
    location: str | None

    @property
    def json(self) -> Any:
        """The parsed body, None if it is not JSON."""
        return json.loads(self.text) if self.kind == "application/json" else None


@dataclass(frozen=True)
class Exchange:
    """One recorded request with both answers."""

    request: str
    recorded: Answer
    actual: Answer


@dataclass
class Replay:
    """Sends the requests of a cassette in order, with ids and cookies as the sandbox made them."""

    sandbox: Sandbox
    scenario: str
    known: dict[str, str] = field(default_factory=dict)

    def exchanges(self) -> Iterator[Exchange]:
        """Yield each request with what was recorded and what the sandbox says."""
        with httpx.Client(timeout=20, trust_env=False, verify=False) as client:  # noqa: S501 -- no TLS
            for interaction in load(self.scenario):
                path = interaction["request"]["uri"].partition("/chat")[2].partition("?")[0]
                folder, method = self.scenario.split("/")[0], interaction["request"]["method"]
                if _NOT_SERVED.fullmatch(f"{folder} {method} /chat{path}"):
                    continue
                request = self._request(interaction["request"])
                actual = _actual(client.send(request))
                # The recorded cookies are sent, none of the client's own.
                client.cookies.clear()
                recorded = _recorded(interaction["response"])
                self._learn(recorded, actual)
                yield Exchange(f"{request.method} {request.url.path}", recorded, actual)

    def translate(self, text: str) -> str:
        """Return recorded `text` with everything known replaced by the sandbox's own."""
        # Whole addresses first: they contain ids.
        for old in sorted(self.known, key=len, reverse=True):
            text = text.replace(old, self.known[old])
        return _ORIGIN.sub(self.sandbox.origin, text)

    def _request(self, recorded: dict[str, Any]) -> httpx.Request:
        sent = [name for name in _SENT if name in recorded["headers"]]
        headers = {name: self.translate(recorded["headers"][name][0]) for name in sent}
        uri = self.translate(recorded["uri"])
        content = self._body(recorded["body"] or "", headers)
        return httpx.Request(recorded["method"], uri, headers=headers, content=content)

    def _body(self, recorded: str | bytes, headers: dict[str, str]) -> bytes:
        if isinstance(recorded, bytes):
            return recorded
        omitted = _OMITTED.fullmatch(recorded)
        if not omitted:
            return self.translate(recorded).encode()
        boundary = headers["content-type"].partition("boundary=")[2]
        root = next(iter(self.sandbox.conversations.values())).root.id
        data = json.dumps({"inputs": "hi", "id": root})
        file = 'name="files"; filename="base64;big.png"\r\nContent-Type: image/png'
        parts = [f'name="data"\r\n\r\n{data}', f"{file}\r\n\r\n{'A' * (int(omitted[1]) // 4 * 4)}"]
        body = "".join(
            f"--{boundary}\r\nContent-Disposition: form-data; {part}\r\n" for part in parts
        )
        return f"{body}--{boundary}--\r\n".encode()

    def _learn(self, recorded: Answer, actual: Answer) -> None:
        if recorded.location and actual.location:
            self.known[recorded.location] = actual.location
        if isinstance(recorded.json, dict) and "location" in recorded.json:
            self.known[recorded.json["location"]] = actual.json["location"]
        for name in recorded.cookies.keys() & actual.cookies.keys():
            if recorded.cookies[name]:
                self.known[recorded.cookies[name]] = actual.cookies[name]
        pairs = zip(strings(unpack(recorded)), strings(unpack(actual)), strict=False)
        ids = [(old, new) for old, new in pairs if _ID.fullmatch(old) and _ID.fullmatch(new)]
        self.known.update(ids)


def load(scenario: str) -> list[dict[str, Any]]:
    """Return the interactions of a cassette, named `folder/scenario`."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (CASSETTES / f"{scenario}.yaml").read_bytes()
    interactions: list[dict[str, Any]] = yaml.load(text, loader)["interactions"]  # noqa: S506 -- safe
    return interactions


def scenarios(folder: str) -> list[str]:
    """Return the names of a folder's cassettes."""
    return sorted(f"{folder}/{path.stem}" for path in (CASSETTES / folder).glob("*.yaml"))


def _recorded(response: dict[str, Any]) -> Answer:
    headers = response["headers"]
    body = response["body"]["string"]
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    location = headers.get("location", [None])[0]
    kind = headers.get("content-type", [None])[0]
    cookies = _cookies(headers.get("set-cookie", []))
    return Answer(response["status"]["code"], kind, cookies, text, location)


def _actual(response: httpx.Response) -> Answer:
    headers = response.headers
    cookies = _cookies(headers.get_list("set-cookie"))
    text = response.content.decode("utf-8", "replace")
    location = headers.get("location")
    return Answer(response.status_code, headers.get("content-type"), cookies, text, location)


def _cookies(lines: list[str]) -> dict[str, str]:
    return {name: morsel.value for line in lines for name, morsel in SimpleCookie(line).items()}


def unpack(answer: Answer) -> Any:
    """Return the values of a body: of its lines, events or nodes, embedded JSON opened."""
    match answer.kind:
        case "application/json":
            value = answer.json
            if isinstance(value, dict) and isinstance(value.get("conversation"), str):
                return {**value, "conversation": json.loads(value["conversation"])}
            return value
        case "application/jsonl":
            return [json.loads(line) for line in answer.text.split("\n") if line.strip()]
        case "text/event-stream":
            return [_event(block) for block in answer.text.split("\n\n") if block.strip()]
        case "text/sveltekit-data":
            lines = [json.loads(line) for line in answer.text.split("\n") if line]
            return [_node(node) for line in lines for node in line.get("nodes", [line])]
    return answer.text


def _event(block: str) -> dict[str, Any]:
    fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
    return {**fields, "data": json.loads(fields.get("data", "null"))}


def _node(node: Any) -> Any:
    if isinstance(node, dict) and node.get("type") == "data":
        data = unflatten(node["data"], 0)
        if "nConversations" in data:
            data = {name: value for name, value in data.items() if name in LAYOUT}
        return {**node, "data": data}
    return node


def unflatten(array: list[Any], place: int) -> Any:
    """Return the value at `place` of a flattened array (docs/protocols/huggingchat.md, 9.1)."""
    if place < 0:
        return "undefined"
    match array[place]:
        case dict() as fields:
            return {name: unflatten(array, at) for name, at in fields.items()}
        case ["Date", str(date)]:
            return date
        case ["Promise", int(at)]:
            return {"promise": unflatten(array, at)}
        case list() as places:
            return [unflatten(array, at) for at in places]
    return array[place]


def strings(value: Any) -> Iterator[str]:
    """Yield the strings in `value`, objects by sorted name, so that equal shapes walk alike."""
    match value:
        case str():
            yield value
        case dict():
            for name in sorted(value):
                yield from strings(value[name])
        case list():
            for item in value:
                yield from strings(item)


def shape(value: Any) -> Any:
    """Return the keys and types of `value`; a list is the set of its items' shapes."""
    match value:
        case dict():
            return tuple((name, shape(value[name])) for name in sorted(value))
        case list():
            return frozenset(shape(item) for item in value)
    return type(value).__name__
