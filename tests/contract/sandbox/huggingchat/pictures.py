"""Small files of several kinds."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image

from langchain_g4f.testing import Sandbox


def picture(colour: str = "red", kind: str = "PNG", side: int = 3) -> bytes:
    """An image of one colour."""
    made = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(made, format=kind)
    return made.getvalue()


def base64_of(data: bytes) -> str:
    """The text form of bytes."""
    return base64.b64encode(data).decode()


def data_url(data: bytes, mime_type: str = "image/png") -> str:
    """An address that is the file itself."""
    return f"data:{mime_type};base64,{base64_of(data)}"


def seen(sandbox: Sandbox) -> list[bytes]:
    """The images of the last question, as the model got them."""
    content = sandbox.prompts[-1][-1]["content"]
    if isinstance(content, str):
        return []
    return [part["data"] for part in content if part["type"] == "image"]


def read(sandbox: Sandbox) -> str:
    """The text of the last question, inlined files included, as the model got it."""
    content: Any = sandbox.prompts[-1][-1]["content"]
    if isinstance(content, str):
        return content
    return "\n\n".join(part["text"] for part in content if part["type"] == "text")


def uploads(sandbox: Sandbox) -> list[list[str]]:
    """The names under which files were sent, for each message; they begin with the kind."""
    return [
        [file.filename for file in request.files] for request in sandbox.requests if request.form
    ]


__all__ = ["base64_of", "data_url", "picture", "read", "seen", "uploads"]
