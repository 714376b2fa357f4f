"""The signature of a request (docs/protocols/flowgpt.md, section 4), on the wire."""

from __future__ import annotations

import pytest

from langchain_g4f.providers.flowgpt import sign
from tests.contract.recordings.flowgpt.recordings import (
    MEMBER,
    assert_as_recorded,
    by_way,
    model_on,
    play,
)
from tests.contract.recordings.suite import CASSETTES, ask

NONCE = "0123456789abcdef0123456789abcdef"
RECORDED = [
    pytest.param(path.stem, number, id=f"{path.stem}-{number}")
    for path in sorted((CASSETTES / "flowgpt").glob("*.yaml"))
    for number, request in enumerate(play(path.stem).recorded)
    if "x-signature" in request.headers and path.stem != "bad_signature"
]


@pytest.mark.proves("obligation:flowgpt:1", "obligation:flowgpt:2")
@by_way
async def test_request_is_the_worked_example_to_the_last_header(way: str) -> None:
    """With its clock and its nonce, all headers are those of the document and the recording."""
    replayer = play("text_stream")
    await ask(model_on(replayer), "Say hello", way)
    (sent,) = replayer.requests
    assert sent.headers["x-timestamp"] == "1713341603"
    assert sent.headers["x-nonce"] == NONCE
    assert sent.headers["authorization"] == "Bearer null"
    assert sent.headers["x-signature"] == "2d067f6fb396f263d5cd8f86783da105"
    assert_as_recorded(replayer)


@pytest.mark.proves("obligation:flowgpt:2")
@by_way
async def test_member_signs_with_the_token(way: str) -> None:
    """What is signed is the very header that is sent."""
    replayer = play("member_text")
    model = model_on(replayer, api_key=MEMBER)
    model._state.new_id = lambda: NONCE
    await ask(model, "Say hello", way)
    (sent,) = replayer.requests
    assert sent.headers["authorization"] == f"Bearer {MEMBER}"
    assert sent.headers["x-signature"] == "08f7199114cab47675a3358ea3d12ae3"


@pytest.mark.proves("obligation:flowgpt:2")
@pytest.mark.parametrize(("recording", "number"), RECORDED)
def test_recorded_signature_is_ours(recording: str, number: int) -> None:
    """Each signed request of the recordings would have been signed in the same way."""
    headers = play(recording).recorded[number].headers
    signature = sign(headers["x-timestamp"], headers["x-nonce"], headers["authorization"])
    assert signature == headers["x-signature"]
