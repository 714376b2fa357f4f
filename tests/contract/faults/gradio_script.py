"""A Gradio app of the 5.x line, and the Hub beside it, as building blocks for `ByteServer`.

Each block is the right behaviour; a fault is a script with one of its parts replaced. Bytes are
those of the recordings in cassettes/phi4, and so is the app: a message box whose submission is
prepared by a direct call and answered through the queue.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from tests.contract.faults.byte_server import Action, Exchange
from tests.contract.faults.multipart import uploads

EVENT_ID = "eba24e138d694380bdd4ba156800735a"
FOREIGN_ID = "5e10941fc627487c97e3f186dfd9dd60"
APP_ID = 6999681475873685366
MAX_FILE_SIZE = 10 << 20
SPACE = "microsoft/phi-4-multimodal"
FOLDER = "/home/user/gradio"
EVENT_STREAM = "text/event-stream; charset=utf-8"
HTML = "text/html; charset=utf-8"
PAGE = b"<!DOCTYPE html><html><head><title>Space</title></head><body>Preparing Space</body></html>"
FILE_META = {"_type": "gradio.FileData"}

STATE, CHATBOT, BOX = 2, 3, 8
PREPARATION, ANSWER, COSMETICS = 10, 11, 12

SUBMITTED = MappingProxyType({"targets": [[BOX, "submit"]], "trigger_after": None, "queue": False})
STREAMING = MappingProxyType({"types": {"generator": True, "cancel": False}})


def encode(obj: Any) -> bytes:
    """Write JSON as the server does: without blanks, characters as they are."""
    return json.dumps(obj, ensure_ascii=False, separators=(",", ":")).encode()


def reply(obj: Any, status: int = 200) -> Action:
    """Answer with JSON."""
    return lambda exchange: exchange.respond(status, encode(obj))


def page(status: int) -> Action:
    """Answer with a page of the platform, as in place of an app that is not up."""
    return lambda exchange: exchange.respond(status, PAGE, content_type=HTML)


# --- the app -------------------------------------------------------------------------------------


def function(number: int, name: str, inputs: Sequence[int], **more: Any) -> dict[str, Any]:
    """Describe a function of the app."""
    return {
        "id": number,
        "api_name": name,
        "inputs": inputs,
        "outputs": inputs,
        "targets": [[None, "then"]],
        "trigger_after": number - 1,
        "queue": True,
        "backend_fn": True,
        "types": {"generator": False, "cancel": False},
        "show_api": True,
        **more,
    }


def config(**changes: Any) -> dict[str, Any]:
    """Describe the app."""
    return {
        "version": "5.22.0",
        "api_prefix": "/gradio_api",
        "mode": "blocks",
        "app_id": APP_ID,
        "protocol": "sse_v3",
        "title": "Phi-4 stand-in",
        "space_id": None,
        "show_error": False,
        "max_file_size": MAX_FILE_SIZE,
        "components": [
            {"id": STATE, "type": "state", "props": {"name": "state"}},
            {"id": CHATBOT, "type": "chatbot", "props": {"value": [], "type": "messages"}},
            {"id": BOX, "type": "multimodaltextbox", "props": {"file_count": "multiple"}},
        ],
        "dependencies": [
            function(PREPARATION, "add_message", [CHATBOT, BOX, STATE], **SUBMITTED),
            function(ANSWER, "respond", [CHATBOT, STATE], **STREAMING),
            function(COSMETICS, "lambda_10", [BOX]),
        ],
        **changes,
    }


def message(role: str, content: Any) -> dict[str, Any]:
    """Make a message as the chatbot holds it."""
    return {"role": role, "metadata": None, "content": content, "options": None}


def config_ok(exchange: Exchange) -> None:
    """Describe the app."""
    exchange.respond(200, encode(config()))


def app_id_ok(exchange: Exchange) -> None:
    """Say that the app is still the same."""
    exchange.respond(200, encode({"app_id": APP_ID}))


def upload_ok(exchange: Exchange) -> None:
    """Keep each file under a path that its bytes and its name make."""
    files = [(hashlib.sha256(f.content).hexdigest(), f.name) for f in uploads(exchange)]
    exchange.respond(200, encode([f"{FOLDER}/{digest}/{name}" for digest, name in files]))


def predict_ok(exchange: Exchange) -> None:
    """Show files and message in the chatbot, and clear the box."""
    shown, box, _state = json.loads(exchange.body)["data"]
    shown += [message("user", {"file": file, "alt_text": None}) for file in box["files"]]
    shown.append(message("user", box["text"]))
    cleared = {"interactive": False, "value": None, "__type__": "update"}
    exchange.respond(200, encode(output([shown, cleared, None], more=False)))


def join_ok(exchange: Exchange) -> None:
    """Take the call into the queue."""
    exchange.respond(200, encode({"event_id": EVENT_ID}))


def cancel_ok(exchange: Exchange) -> None:
    """Say yes, as the app does to everything."""
    exchange.respond(200, encode({"success": True}))


# --- the stream ----------------------------------------------------------------------------------


def line(value: bytes) -> bytes:
    """Make an event of this data."""
    return b"data: " + value + b"\n\n"


def event(msg: str, event_id: str | None = EVENT_ID, **fields: Any) -> bytes:
    """Make an event of the queue."""
    return line(encode({"msg": msg, "event_id": event_id, **fields}))


def output(data: Any, *, more: bool = True) -> dict[str, Any]:
    """Make the output of a function."""
    times = {"duration": 0.02, "average_duration": 0.02}
    return {"data": data, "is_generating": more, **times, "render_config": None}


def estimation(rank: int = 0, size: int = 1, **fields: Any) -> bytes:
    """Tell the place in the queue."""
    return event("estimation", rank=rank, queue_size=size, **{"rank_eta": None, **fields})


def generating(data: Any, **fields: Any) -> bytes:
    """Tell the outputs, or how they have changed."""
    return event("process_generating", output=output(data), success=True, time_limit=None, **fields)


def edits(*changes: Any) -> bytes:
    """Tell how the chatbot has changed."""
    return generating([list(changes), []])


def token(text: str) -> bytes:
    """Tell a piece of text: the answer grows by it."""
    return edits(["append", [1, "content"], text])


def history(text: str) -> list[Any]:
    """Make what the chatbot shows: a question, and the answer so far."""
    return [message("user", "hi"), message("assistant", text)]


def completed(text: str) -> bytes:
    """End the call, with the whole answer."""
    return completed_with(output([history(text), None], more=False))


def completed_with(result: Any, *, success: bool = True, **fields: Any) -> bytes:
    """End the call with this output."""
    return event("process_completed", output=result, success=success, **{"title": None, **fields})


def failed(text: str | None, title: str | None = None) -> bytes:
    """End the call with an error of the app."""
    result = {"error": text, "duration": 10, "visible": True, "title": title}
    return completed_with(result if text is not None else {"error": None}, success=False)


def unexpected(text: str, **fields: Any) -> bytes:
    """Tell a failure of the stream itself."""
    return event("unexpected_error", None, message=text, success=False, **fields)


STARTS = event("process_starts", eta=None)
FIRST = generating([history(""), None])
HEARTBEAT = event("heartbeat", None)
CLOSE_STREAM = event("close_stream", None)
START = (estimation(), STARTS, FIRST)


def answer_ok(exchange: Exchange) -> None:
    """Answer "Hello there", with all that a good stream has."""
    stream = exchange.start_stream(content_type=EVENT_STREAM)
    words = (token("Hello"), HEARTBEAT, token(" there"))
    for piece in (*START, *words, completed("Hello there"), CLOSE_STREAM):
        stream.chunk(piece)
    stream.end()


# --- the Hub -------------------------------------------------------------------------------------


def stage(name: str) -> Action:
    """Tell the state of the Space."""
    hardware = {"current": "zero-a10g", "requested": "zero-a10g"}
    return reply({"stage": name, "hardware": hardware, "gcTimeout": 172800})


def jwt(value: str = "", **claims: Any) -> Action:
    """Give a token for the Space: this one, or one that makes these claims."""
    parts = [base64.urlsafe_b64encode(encode(each)).decode().rstrip("=") for each in ({}, claims)]
    return reply({"token": value or ".".join([*parts, "signature"])})


def said(request: Exchange) -> Mapping[str, Any]:
    """Read what a request says."""
    found: dict[str, Any] = json.loads(request.body)
    return found
