"""HuggingChat, as the tests of the generic rows see it."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from langchain_g4f import ChatHuggingChat
from tests.contract.faults import chat_ui_script as hc
from tests.contract.faults.byte_server import Action, Exchange, routes
from tests.contract.faults.multipart import Uploaded, uploads
from tests.contract.faults.provider import CANARY, Hear, Part, Provider

MODELS = ("omni", "lab/text-small", "lab/vision-tools")
SEEING = "lab/vision-tools"
COOKIES = {"hf-chat": f"{CANARY}-session", "token": f"{CANARY}-site"}
_ID = "[0-9a-f]{24}"
_WAV = base64.b64encode(b"RIFF\x24\x00\x00\x00WAVEfmt ").decode()


def _list_models(exchange: Exchange) -> None:
    entries = [{"id": name, "name": name, "unlisted": False} for name in MODELS]
    exchange.respond(200, hc.encode({"json": entries, "meta": {"values": {}, "v": 1}}))


def list_seeing(exchange: Exchange) -> None:
    """List one model, which takes images."""
    entry = {"id": SEEING, "name": SEEING, "unlisted": False, "multimodal": True}
    exchange.respond(200, hc.encode({"json": [entry], "meta": {"values": {}, "v": 1}}))


def _serve(parts: Mapping[str, Part]) -> Action:
    good: dict[str, Part] = {
        "models": _list_models,
        "plain_models": _not_found,
        "create": _create(itertools.count(1)),
        "send": hc.answer_ok,
        "stop": hc.stop_ok,
        "reattach": hc.reattach_gone,
        "read": hc.read_ok,
        "delete": hc.delete_ok,
    }
    assert parts.keys() <= good.keys()
    return routes({HUGGINGCHAT.parts[name]: part for name, part in (good | dict(parts)).items()})


def _create(numbers: Iterator[int]) -> Action:
    """Create a conversation of its own for each call."""

    def act(exchange: Exchange) -> None:
        asked = json.loads(exchange.body)
        conversation = hc.conversation(asked["model"], asked.get("preprompt", ""))
        name = conversation["json"]["id"] = f"{next(numbers):024x}"
        created = {"conversationId": name, "conversation": hc.encode(conversation).decode()}
        exchange.respond(200, hc.encode(created), (("Set-Cookie", f"{hc.SESSION_COOKIE}; Path=/"),))

    return act


def _not_found(exchange: Exchange) -> None:
    exchange.respond(404, b'{"message":"Not found"}')


def _hearing(act: Hear) -> Mapping[str, Part]:
    return {"send": lambda exchange: act(exchange, exchange.body)}


def _received(requests: Sequence[Exchange]) -> list[Uploaded]:
    found = [file for each in requests if b'name="files"' in each.body for file in uploads(each)]
    assert all(file.name.startswith("base64;") for file in found)
    return [
        Uploaded(f.name.removeprefix("base64;"), f.content_type, base64.b64decode(f.content))
        for f in found
    ]


def _model(url: str, **settings: Any) -> ChatHuggingChat:
    return ChatHuggingChat(
        **{"base_url": f"{url}/chat", "model": "lab/text-small", "cookies": COOKIES, **settings}
    )


HUGGINGCHAT = Provider(
    key="HC",
    name="huggingchat",
    build=_model,
    serve=_serve,
    parts=MappingProxyType(
        {
            "models": ("GET", r"^/chat/api/v2/models$"),
            "plain_models": ("GET", r"^/chat/api/models$"),
            "create": ("POST", r"^/chat/conversation$"),
            "send": ("POST", rf"^/chat/conversation/{_ID}$"),
            "stop": ("POST", rf"^/chat/conversation/{_ID}/stop-generating$"),
            "reattach": ("GET", rf"^/chat/conversation/{_ID}/stream$"),
            "read": ("GET", rf"^/chat/api/v2/conversations/{_ID}$"),
            "delete": ("DELETE", rf"/conversations?/{_ID}$"),
        }
    ),
    good_call=("create", "send"),
    again=("create", "send"),
    full_call=("models", "create", "send"),
    full_settings={"model": None},
    full_prompt="hi",
    create="create",
    repeated=("models", "create"),
    message="send",
    answer="send",
    hearing=_hearing,
    abort=("stop",),
    after_refusal=("delete",),
    after_cut=("read", "reattach"),
    after_silent_cut=("read", "reattach"),
    content_type="application/jsonl",
    start=(hc.STARTED,),
    line=lambda value: value + b"\n",
    heartbeat=hc.KEEP_ALIVE,
    unknown=hc.line({"type": "weather", "sun": True}),
    failure=hc.line({"type": "status", "status": "error", "message": "too late"}),
    token=hc.token,
    end=lambda text: (hc.final(text), hc.FINISHED),
    cookies=COOKIES,
    authorization=None,
    login=lambda url: f"{url}/chat/login",
    credentials=tuple(COOKIES.values()),
    unsupported={
        "audio": ({"type": "audio", "base64": _WAV, "mime_type": "audio/wav"}, "audio/wav"),
        "a lie": ({"type": "image", "base64": _WAV, "mime_type": "image/png"}, "audio/wav"),
        "audio of OpenAI": (
            {"type": "input_audio", "input_audio": {"data": _WAV, "format": "wav"}},
            "audio/wav",
        ),
        "an unknown kind": ({"type": "hologram", "data": "x"}, "hologram"),
        "no kind": ({"data": "x"}, "None"),
    },
    image_parts={"models": list_seeing},
    image_settings={"model": SEEING},
    before_image=(),
    received=_received,
)
