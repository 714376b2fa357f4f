"""What a caller's document says of a file: it cannot write a header into the request."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_g4f.core.http import Part, Request
from langchain_g4f.errors import UnsupportedMediaError
from langchain_g4f.transport.request import as_httpx
from tests.contract.faults.downloads import PNG
from tests.contract.faults.harness import ask, by_turns, fail
from tests.contract.faults.registry import PATIENT, Provider, fault

CONTENT = base64.b64encode(b"\x00\x01 no format that is known").decode()
BREAKS = ["\r\nX-Injected: 1", "\n", "\r", "\0", "\x7f"]


@fault(64)
@by_turns
@pytest.mark.parametrize("end", BREAKS)
async def test_line_break_in_what_is_said_of_a_file_is_refused(
    provider: Provider, way: str, end: str
) -> None:
    """In its type or its name, whichever form the file has; nothing is sent."""
    block: dict[str, Any] = {"type": "file", "base64": CONTENT, "mime_type": "text/plain"}
    with provider.server(**provider.image_parts) as server:
        model = provider.model(server, **provider.image_settings)
        for bad in ({"mime_type": f"text/plain{end}"}, {"filename": f"a{end}.txt"}):
            prompt = [HumanMessage(["hi", {**block, **bad}])]
            await fail(model, way, UnsupportedMediaError, prompt, host=None)
        given = model.bind(media=[(PNG, f"cat{end}.png")])
        await fail(given, way, UnsupportedMediaError, host=None)
        assert server.requests == []
        assert (await ask(model, way)).text == "Hello there"


@pytest.mark.parametrize("word", ["text", "text/plain/x", "text plain", "/", "text/", "a/b\u2028"])
@fault(64, curl=False)
async def test_type_that_is_none_is_refused(provider: Provider, word: str) -> None:
    """The words are those of RFC 6838: a token, a slash, a token."""
    block = {"type": "file", "base64": CONTENT, "mime_type": word}
    with provider.server() as server:
        model = provider.model(server)
        error = await fail(
            model, "invoke", UnsupportedMediaError, [HumanMessage(["hi", block])], host=None
        )
        assert server.requests == []
    assert "media type" in str(error)


@pytest.mark.proves("fault:64:HC", "fault:64:PH")
@pytest.mark.parametrize("end", BREAKS)
@pytest.mark.parametrize("place", ["filename", "content_type"])
def test_multipart_body_takes_no_line_break(place: str, end: str) -> None:
    """Wherever a type or a name comes from, this is where it would become a header."""
    part = Part("files", b"x", **{"filename": "a", "content_type": "text/plain", place: f"a{end}"})
    with pytest.raises(UnsupportedMediaError, match="control character"):
        as_httpx(Request("POST", "http://x/", body=(part,)), PATIENT)
