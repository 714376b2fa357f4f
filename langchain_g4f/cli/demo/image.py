"""An image as a content block, and the bytes that reach the model."""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib

from langchain_core.messages import HumanMessage

from langchain_g4f.cli.demo.stage import Stage, expect
from langchain_g4f.cli.screen import Screen

MODEL = "sandbox/vision-tools"
QUESTION = "What is in this picture?"
SIDE_PIXELS = 8


async def show_image(stage: Stage) -> None:
    """Ask about an image that was made just now."""
    sent = make_png(SIDE_PIXELS)
    stage.say(f"{QUESTION} (a PNG, {SIDE_PIXELS} by {SIDE_PIXELS} pixels)\n", "bold")
    block = {
        "type": "image",
        "base64": base64.b64encode(sent).decode("ascii"),
        "mime_type": "image/png",
    }
    question = HumanMessage([{"type": "text", "text": QUESTION}, block])
    before = len(stage.sandbox.prompts)
    await Screen().follow(stage.chat_model(MODEL).astream([question]))
    received = [
        part
        for prompt in stage.sandbox.prompts[before:]
        for message in prompt
        if isinstance(message["content"], list)
        for part in message["content"]
        if part["type"] == "image"
    ]
    stage.say("")
    stage.say(f"{'sent':>22}  {_fingerprint(sent)}")
    for part in received:
        stage.say(f"{'the model received':>22}  {_fingerprint(part['data'])}")
    expect(len(stage.sandbox.prompts) - before == 1, "one question to the model")
    expect([part["data"] for part in received] == [sent], "the image at the model, byte for byte")
    expect(received[0]["mime_type"] == "image/png", "an image that is said to be a PNG")


def make_png(side: int) -> bytes:
    """A square of `side` pixels in shades of red and green."""
    step = 255 // (side - 1)
    row = b"".join(bytes((step * x, 255 - step * x, 64)) for x in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)  # 8 bits each of red, green, blue
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress((b"\0" + row) * side)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_part(name, data) for name, data in parts)


def _part(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _fingerprint(data: bytes) -> str:
    return f"{len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()[:16]}..."


__all__ = ["make_png", "show_image"]
