"""Pictures and sound for the recorded Phi-4 (7): uploaded as they are, named as the server says."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.messages import HumanMessage

from langchain_g4f.core.events import Progress
from langchain_g4f.errors import (
    APIError,
    AppError,
    BadRequestError,
    MalformedStreamError,
    MediaTooLargeError,
)
from tests.contract.recordings.gradio_space.recordings import (
    PHI4,
    PHI4_ON_6,
    TURN,
    Space,
    assert_as_recorded,
    by_call,
    by_chunking,
    by_way,
    model_on,
    on_both_lines,
    play,
    played,
    sessions_in,
    whatever,
)
from tests.contract.recordings.gradio_space.test_errors import HIDDEN
from tests.contract.recordings.gradio_space.test_refusals import RED, of
from tests.contract.recordings.replay import Replayer, Routed
from tests.contract.recordings.suite import ask

SOUND = play(f"{PHI4}/two_files").recorded[0].files[1].content
SEEN = "74 bytes, sha256 1f885f714ac91ca2d1bd84cceb8a7d1b7ccbf6bb5e92e480561da2543cf02af1."
HEARD = "52 bytes, sha256 125f39eda3fea4265c129447c18ea5a89ed7302255c7a33ef104393c1f716873."


def block(kind: str, content: bytes, name: str, mime_type: str) -> dict[str, Any]:
    """A file as a content block."""
    encoded = base64.b64encode(content).decode()
    return {"type": kind, "base64": encoded, "mime_type": mime_type, "extras": {"filename": name}}


PICTURE = block("image", RED, "a.png", "image/png")
RECORDED_SOUND = block("audio", SOUND, "b.wav", "audio/wav")


@on_both_lines("image_question")
@pytest.mark.proves("obligation:gradio-space:2", "obligation:gradio-space:4")
@by_chunking
@by_way
async def test_picture_is_uploaded_first_and_goes_with_its_question(
    way: str, chunking: str, recording: str
) -> None:
    """Byte for byte, by the path the server gave it; its progress is told."""
    replayer = play(recording, chunking)
    space = Space(recording, replayer)
    told: list[Progress] = []
    model = model_on(space, on_progress=told.append)
    picture = block("image", RED, "red square.png", "image/png")
    question = HumanMessage([{"type": "text", "text": "Describe this image:"}, picture])
    answer = await ask(model, [question], way)
    said = "Turn 1. You said: Describe this image: File 1: red square.png, "
    assert answer.text == said + SEEN
    assert space.asked == ["config", "upload", *TURN]
    assert_as_recorded(replayer)
    uploads = [(each.data, each.message) for each in told if each.kind == "upload"]
    assert uploads == [
        ({"sent": 0, "total": 74, "files": 1}, "0 of 74 bytes uploaded"),
        ({"sent": 74, "total": 74, "files": 1}, "74 of 74 bytes uploaded"),
    ]


@on_both_lines("two_files")
@pytest.mark.parametrize("given", ["blocks", "media"])
@by_chunking
@by_way
async def test_picture_and_sound_of_one_message_go_in_one_upload_in_order(
    way: str, chunking: str, given: str, recording: str, tmp_path: Path
) -> None:
    """The app has both, as they are: its model tells their sizes and digests."""
    replayer = play(recording, chunking)
    model = model_on(Space(recording, replayer))
    if given == "blocks":
        text = {"type": "text", "text": "Compare"}
        answer = await ask(model, [HumanMessage([text, PICTURE, RECORDED_SOUND])], way)
    else:
        sound = tmp_path / "b.wav"
        sound.write_bytes(SOUND)
        answer = await ask(model, "Compare", way, media=[(RED, "a.png"), sound])
    assert answer.text == f"Turn 1. You said: Compare File 1: a.png, {SEEN} File 2: b.wav, {HEARD}"
    assert not replayer.unplayed
    assert_as_recorded(replayer, exactly=False)
    # the recording client named path, name and kind alone; ours says the rest, too
    for file, sent in zip(replayer.recorded[0].files, _files(replayer, 1), strict=True):
        size = {
            "size": len(file.content),
            "url": f"{model.base_url}/gradio_api/file={sent['path']}",
        }
        assert sent.items() >= size.items()
        assert sent["meta"] == {"_type": "gradio.FileData"}


def _files(replayer: Replayer, request: int) -> Any:
    return replayer.requests[request].json["data"][1]["files"]


SHAPES = {PHI4: (1, 7), PHI4_ON_6: (3, 9)}
"""Where in the recording of shapes text and file are as we send them."""


@on_both_lines("content_shapes")
@pytest.mark.proves("obligation:gradio-space:2")
@pytest.mark.parametrize("kind", ["text", "file"])
@by_chunking
@by_way
async def test_shape_we_send_is_the_one_that_the_line_takes(
    way: str, chunking: str, kind: str, recording: str
) -> None:
    """Text is a string or typed parts, a file is bare or typed: by the first number."""
    replayer = play(recording, chunking)
    space = Space(recording, replayer)
    joined = SHAPES[space.server][kind == "file"]
    session = replayer.recorded[joined].json["session_hash"]
    model = model_on(space, [session])
    if kind == "text":
        answer = await ask(model, "hello shape", way)
        assert answer.text == "Turn 0. You said: hello shape"
    else:
        space.instead["upload"] = of(replayer, 0)
        answer = await ask(
            model, [HumanMessage([block("image", RED, "image.png", "image/png")])], way
        )
        assert answer.text == "Turn 0. You said: "
    assert played(replayer) == [joined, joined + 1]
    assert_as_recorded(replayer, exactly=False)


@on_both_lines("content_shapes")
@pytest.mark.proves("obligation:gradio-space:18")
@by_chunking
@by_way
async def test_other_shape_would_fail_without_a_reason(
    way: str, chunking: str, recording: str
) -> None:
    """Whatever the other line takes, and what is OpenAI's, the queue takes and the app refuses."""
    replayer = play(recording, chunking, same=whatever)
    space = Space(recording, replayer)
    sessions = sessions_in(replayer)
    taken = [replayer.recorded[at].json["session_hash"] for at in SHAPES[space.server]]
    refused = [session for session in sessions if session not in taken]
    model = model_on(space, refused)
    for _ in refused:
        with pytest.raises(AppError) as caught:
            await ask(model, "hello shape", way)
        assert str(caught.value) == HIDDEN
    assert len(refused) == 5


@on_both_lines("upload_errors")
@pytest.mark.proves("obligation:gradio-space:19")
@by_call
async def test_file_larger_than_the_app_says_is_not_sent(way: str, recording: str) -> None:
    """The description has the limit, in bytes."""
    space = Space(recording)
    with pytest.raises(
        MediaTooLargeError, match=r"big\.png has 2200000 bytes, the limit is 2097152"
    ):
        await ask(model_on(space), "hi", way, media=[(_padded(2_200_000), "big.png")])
    assert space.asked == ["config"]


def _padded(size: int) -> bytes:
    """A picture with something behind it."""
    return RED.ljust(size, b"\0")


@on_both_lines("upload_errors")
@pytest.mark.proves("obligation:gradio-space:19", "obligation:gradio-space:20", "fault:48:PH")
@pytest.mark.parametrize(
    ("interaction", "expected"),
    [
        (0, (BadRequestError, "413: File size exceeded maximum allowed size of 2097152 bytes.")),
        (1, (BadRequestError, "400: Invalid content type.")),
        (2, (MalformedStreamError, "the upload of 1 files was not answered with their paths")),
    ],
)
@by_chunking
@by_way
async def test_upload_that_did_not_take_place_ends_the_call(
    way: str, chunking: str, interaction: int, expected: tuple[type[APIError], str], recording: str
) -> None:
    """It is said in text, in JSON, or not at all: a wrong field is answered with no paths."""
    replayer = play(recording, chunking)
    space = Space(recording, replayer, {"upload": of(replayer, interaction)})
    error, message = expected
    with pytest.raises(error) as caught:
        await ask(model_on(space), "hi", way, media=[(RED, "x.png")])
    assert type(caught.value) is error
    assert message in str(caught.value)
    assert caught.value.phase == "upload the files"
    assert space.asked == ["config", "upload"]


@on_both_lines("upload_errors")
@by_way
async def test_path_is_passed_back_as_the_server_gave_it(way: str, recording: str) -> None:
    """It cleans names as it likes; what it then does not let through fails without a reason."""
    replayer = play(recording)
    (path,) = json.loads(replayer.response(3).read())
    sent: list[Any] = []

    def refuse(request: httpx.Request) -> httpx.MockTransport:
        sent.append(json.loads(request.content))
        return of(replayer, 4)

    space = Space(recording, replayer, {"upload": of(replayer, 3), "run/predict": Routed(refuse)})
    with pytest.raises(AppError) as caught:
        await ask(model_on(space), "hi", way, media=[(RED, "../../e vil<>:*?.png")])
    assert str(caught.value) == HIDDEN
    assert path.endswith("/e vil.png")
    ((_, box, _),) = [body["data"] for body in sent]
    assert box["files"][0]["path"] == path
