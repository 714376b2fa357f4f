"""A chat-ui server of the current generation as building blocks for `ByteServer`.

Each block is the right behaviour; a fault is a script with one of its parts replaced. Bytes are
those of the recordings in cassettes/huggingchat.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from tests.contract.faults.byte_server import Action, Exchange, routes

CONVERSATION_ID = "0123456789abcdef01234567"
ROOT_MESSAGE_ID = "0b6f5a3e-52c5-4d6b-9d5c-6f2f4f0e8a11"
SESSION_COOKIE = "hf-chat=00000000-0000-4000-8000-000000000001"

_TIME = "2026-11-20T07:41:31.841Z"
_CONVERSATION = rf"^/chat/conversation/{CONVERSATION_ID}"
_API = rf"^/chat/api/v2/conversations/{CONVERSATION_ID}$"
# The server renews its cookie with every POST.
_SET_COOKIE = (("Set-Cookie", f"{SESSION_COOKIE}; Path=/; HttpOnly; SameSite=Lax"),)

Part = Action | Sequence[Action]


def encode(obj: Any) -> bytes:
    """Write JSON as the server does: without blanks, characters as they are."""
    return json.dumps(obj, ensure_ascii=False, separators=(",", ":")).encode()


def line(obj: Any) -> bytes:
    """Make one line of the answer stream."""
    return encode(obj) + b"\n"


def token(text: str) -> bytes:
    """Make the line of a piece of text, which the server pads with NUL to 16 UTF-16 units."""
    units = len(text.encode("utf-16-le")) // 2
    return line({"type": "stream", "token": text + "\0" * (16 - units)})


def final(text: str, *, interrupted: bool = False) -> bytes:
    """Make the line of the whole text and the padding, which has no line end of its own."""
    answer = {"type": "finalAnswer", "text": text, "interrupted": interrupted}
    return line(answer) + b" " * 4096


STARTED = line({"type": "status", "status": "started"})
KEEP_ALIVE = line({"type": "status", "status": "keepAlive"})
FINISHED = line({"type": "status", "status": "finished"})


def conversation(model: str, preprompt: str) -> dict[str, Any]:
    """Make a new conversation, which holds its root message only, in superjson."""
    root = {
        "id": ROOT_MESSAGE_ID,
        "from": "system",
        "content": preprompt,
        "createdAt": _TIME,
        "updatedAt": _TIME,
        "children": [],
        "ancestors": [],
    }
    value = {
        "messages": [root],
        "title": "New Chat",
        "model": model,
        "preprompt": preprompt,
        "rootMessageId": ROOT_MESSAGE_ID,
        "id": CONVERSATION_ID,
        "updatedAt": _TIME,
        "modelId": model,
        "shared": False,
        "deployedSpaces": None,
    }
    dates = ("messages.0.createdAt", "messages.0.updatedAt", "updatedAt")
    types = {**{path: ["Date"] for path in dates}, "deployedSpaces": ["undefined"]}
    return {"json": value, "meta": {"values": types, "v": 1}}


def create_ok(exchange: Exchange) -> None:
    """Create the conversation and tell it whole, as text inside the JSON."""
    asked = json.loads(exchange.body)
    embedded = encode(conversation(asked["model"], asked.get("preprompt", ""))).decode()
    created = {"conversationId": CONVERSATION_ID, "conversation": embedded}
    exchange.respond(200, encode(created), _SET_COOKIE)


def read_ok(exchange: Exchange) -> None:
    """Tell the conversation as it was created."""
    exchange.respond(200, encode(conversation("lab/text-small", "")))


def answer_ok(exchange: Exchange) -> None:
    """Answer "Hello there", with all that a good stream has."""
    stream = exchange.start_stream(headers=_SET_COOKIE)
    stream.chunk(STARTED)
    stream.chunk(KEEP_ALIVE)
    stream.chunk(line({"type": "title", "title": "Greeting"}))
    stream.chunk(token("Hello"))
    stream.chunk(token(" there"))
    stream.chunk(final("Hello there"))
    stream.chunk(FINISHED)
    stream.end()


def stop_ok(exchange: Exchange) -> None:
    """Take note of the stop."""
    exchange.respond(200, headers=_SET_COOKIE, content_type="")


def delete_ok(exchange: Exchange) -> None:
    """Delete the conversation; only the API says so in words."""
    api = "/api/" in exchange.path
    exchange.respond(200, encode({"json": {"success": True}}) if api else b"")


def reattach_gone(exchange: Exchange) -> None:
    """Know of no such run."""
    stream = exchange.start_stream(content_type="text/event-stream")
    stream.chunk(b'event: end\ndata: {"status":"gone"}\n\n')
    stream.end()


def chat_ui(
    *,
    create: Part = create_ok,
    read: Part = read_ok,
    send: Part = answer_ok,
    stop: Part = stop_ok,
    reattach: Part = reattach_gone,
    delete: Part = delete_ok,
    more: Mapping[tuple[str, str], Part] = MappingProxyType({}),
) -> Action:
    """Make the handler of a server under /chat; `more` routes come before these."""
    parts: dict[tuple[str, str], Part] = {
        ("POST", r"^/chat/conversation$"): create,
        ("GET", _API): read,
        ("POST", _CONVERSATION + "$"): send,
        ("POST", _CONVERSATION + "/stop-generating$"): stop,
        ("GET", _CONVERSATION + "/stream$"): reattach,
        ("DELETE", rf"/conversations?/{CONVERSATION_ID}$"): delete,
    }
    return routes({**more, **parts, **more})
