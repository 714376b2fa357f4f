"""FlowGPT, as the tests of the generic rows see it: one request, by a member."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from langchain_g4f import ChatFlowGpt
from tests.contract.faults import flowgpt_script as fg
from tests.contract.faults.byte_server import Action, routes
from tests.contract.faults.provider import CANARY, Part, Provider

TOKEN = f"{CANARY}-token"
_PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").decode()
_WAV = base64.b64encode(b"RIFF\x24\x00\x00\x00WAVEfmt ").decode()


def _serve(parts: Mapping[str, Part]) -> Action:
    assert parts.keys() <= {"chat"}
    return routes({FLOWGPT.parts["chat"]: parts.get("chat", fg.answer_ok)})


def _model(url: str, **settings: Any) -> ChatFlowGpt:
    return ChatFlowGpt(**{"base_url": url, "api_key": TOKEN, "impersonate": None, **settings})


FLOWGPT = Provider(
    key="FG",
    name="flowgpt",
    build=_model,
    serve=_serve,
    parts=MappingProxyType({"chat": ("POST", r"^/v3/chat(-anonymous)?$")}),
    good_call=("chat",),
    again=("chat",),
    full_call=("chat",),
    full_settings={},
    full_prompt="hi",
    create="chat",
    message="chat",
    answer="chat",
    hearing=lambda act: {"chat": lambda exchange: act(exchange, exchange.body)},
    content_type=fg.PLAIN,
    line=fg.line,
    heartbeat=b"\n",
    unknown=fg.event("weather", sun=True),
    failure=fg.event("error", "too late"),
    token=fg.token,
    finish_reason="unknown",
    cookies={},
    authorization=f"Bearer {TOKEN}",
    login=lambda _: "https://flowgpt.com",
    credentials=(TOKEN,),
    unsupported={
        "an image": ({"type": "image", "base64": _PNG, "mime_type": "image/png"}, "text only"),
        "audio": ({"type": "audio", "base64": _WAV, "mime_type": "audio/wav"}, "text only"),
        "an unknown kind": ({"type": "hologram", "data": "x"}, "hologram"),
        "no kind": ({"data": "x"}, "None"),
    },
)
