"""Phi-4 on a Gradio app, as the tests of the generic rows see it.

App and Hub are one server under two names, `127.0.0.1` and `localhost`: what belongs to one of
them is foreign to the other.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs

from langchain_core.messages import HumanMessage

from langchain_g4f import ChatMicrosoftPhi4
from tests.contract.faults import gradio_script as gr
from tests.contract.faults.byte_server import Action, Exchange, routes
from tests.contract.faults.multipart import Uploaded, uploads
from tests.contract.faults.provider import CANARY, Hear, Part, Provider

KEY, HUB_COOKIE = f"{CANARY}-key", f"{CANARY}-hub"
GPU_TOKEN, GPU_UUID = f"{CANARY}-gpu", f"{CANARY}-uuid"
_PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").decode()
_PDF = base64.b64encode(b"%PDF-1.7\n").decode()
_SVG = base64.b64encode(b"<svg onload='alert(1)'/>").decode()
_MP4 = base64.b64encode(b"\0\0\0\x18ftypmp42\0\0\0\0").decode()


def _serve(parts: Mapping[str, Part]) -> Action:
    good: dict[str, Part] = {
        "config": gr.config_ok,
        "app_id": gr.app_id_ok,
        "upload": gr.upload_ok,
        "predict": gr.predict_ok,
        "join": gr.join_ok,
        "data": gr.answer_ok,
        "cancel": gr.cancel_ok,
        "page": gr.page(200),
        "runtime": gr.stage("RUNNING"),
        "jwt": gr.jwt(exp=1 << 33),
    }
    assert parts.keys() <= good.keys()
    return routes({PHI4.parts[name]: part for name, part in (good | dict(parts)).items()})


def _hearing(act: Hear) -> Mapping[str, Part]:
    """What a session was asked stands in another request than that for its answer."""
    asked: dict[str, bytes] = {}

    def join(exchange: Exchange) -> None:
        asked[json.loads(exchange.body)["session_hash"]] = exchange.body
        gr.join_ok(exchange)

    def data(exchange: Exchange) -> None:
        (session,) = parse_qs(exchange.query)["session_hash"]
        act(exchange, asked[session])

    return {"join": join, "data": data}


def _received(requests: Sequence[Exchange]) -> list[Uploaded]:
    return [file for each in requests if b'name="files"' in each.body for file in uploads(each)]


def hub(url: str) -> str:
    """The Hub's name for the server at this address."""
    return url.replace("127.0.0.1", "localhost")


def _model(url: str, **settings: Any) -> ChatMicrosoftPhi4:
    return ChatMicrosoftPhi4(
        **{
            "base_url": url,
            "hub_url": hub(url),
            "api_key": KEY,
            "cookies": {"token": HUB_COOKIE},
            "zerogpu_token": GPU_TOKEN,
            "zerogpu_uuid": GPU_UUID,
            "wake_timeout": 1,
            **settings,
        }
    )


PHI4 = Provider(
    key="PH",
    name="microsoft_phi4",
    build=_model,
    serve=_serve,
    parts=MappingProxyType(
        {
            "config": ("GET", r"^/config$"),
            "app_id": ("GET", r"^/gradio_api/app_id$"),
            "upload": ("POST", r"^/gradio_api/upload$"),
            "predict": ("POST", r"^/gradio_api/run/predict$"),
            "join": ("POST", r"^/gradio_api/queue/join$"),
            "data": ("GET", r"^/gradio_api/queue/data$"),
            "cancel": ("POST", r"^/gradio_api/cancel$"),
            "page": ("GET", r"^/$"),
            "runtime": ("GET", rf"^/api/spaces/{gr.SPACE}/runtime$"),
            "jwt": ("GET", rf"^/api/spaces/{gr.SPACE}/jwt$"),
        }
    ),
    good_call=("config", "predict", "join", "data"),
    again=("predict", "join", "data"),
    full_call=("config", "upload", "predict", "join", "data"),
    full_settings={},
    full_prompt=[
        HumanMessage(
            [
                {"type": "text", "text": "hi"},
                {"type": "image", "base64": _PNG, "mime_type": "image/png"},
            ]
        )
    ],
    create="predict",
    repeated=("upload",),
    message="join",
    answer="data",
    hearing=_hearing,
    abort=("cancel",),
    after_cut=("cancel",),
    after_silent_cut=("predict", "join", "cancel", "data", "cancel"),
    content_type=gr.EVENT_STREAM,
    start=gr.START,
    line=gr.line,
    heartbeat=gr.HEARTBEAT,
    unknown=gr.event("weather", sun=True),
    failure=gr.failed("too late"),
    token=gr.token,
    end=lambda text: (gr.completed(text), gr.CLOSE_STREAM),
    cookies={},
    authorization=f"Bearer {KEY}",
    login=lambda url: f"{hub(url)}/login",
    credentials=(KEY, HUB_COOKIE, GPU_TOKEN, GPU_UUID),
    unsupported={
        "video": ({"type": "video", "base64": _MP4, "mime_type": "video/mp4"}, "video/mp4"),
        "a document": (
            {"type": "file", "base64": _PDF, "mime_type": "application/pdf"},
            "application/pdf",
        ),
        "a lie": ({"type": "image", "base64": _PDF, "mime_type": "image/png"}, "application/pdf"),
        "a drawing": (
            {"type": "image", "base64": _SVG, "mime_type": "image/png"},
            "image/svg+xml",
        ),
        "an unknown kind": ({"type": "hologram", "data": "x"}, "hologram"),
        "no kind": ({"data": "x"}, "None"),
    },
    before_image=("config",),
    received=_received,
)
