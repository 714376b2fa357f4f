"""Images and text files in a message to a current server (5.4, 8)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_g4f.core.limits import MIB
from langchain_g4f.errors import MediaTooLargeError, UnsupportedMediaError
from tests.contract.recordings.huggingchat.recordings import (
    CURRENT,
    LEGACY,
    TEXT,
    VISION,
    assert_as_recorded,
    by_mode,
    by_version,
    by_way,
    model_for,
    model_on,
    play,
    proves,
    with_models,
)
from tests.contract.recordings.suite import ask

UPLOAD = "huggingchat/chat-image-upload"
RED = base64.b64decode(play(UPLOAD).recorded[2].files[0].content)
NOTES = "line one\nłine two".encode()
UPLOADED = {CURRENT: "6afff9b2977cd9b5eedcd0bb", LEGACY: "6afffa43c5565dbcaf61cd36"}
"""The conversation with the picture, on each version of the server."""
STORED = "c46f4220e919d16f31b8d24e560dd7e2a5e5659c4b27cbae43588c0c06641bc8"


def image(**more: str) -> dict[str, Any]:
    """The recorded picture as a content block."""
    return {"type": "image", "base64": base64.b64encode(RED).decode(), "mime_type": "image/png"} | {
        "extras": {"filename": "red.png"},
        **more,
    }


def text(said: str) -> dict[str, Any]:
    """Words as a content block."""
    return {"type": "text", "text": said}


def question(said: str, *blocks: Mapping[str, Any]) -> HumanMessage:
    """A message of words and files."""
    return HumanMessage([text(said), *map(dict, blocks)])


@by_version("chat-image-upload")
@by_mode
async def test_image_goes_with_its_message_and_not_with_later_ones(
    way: str, chunking: str, recording: str
) -> None:
    """The bytes are sent once, as they are; a current server shows them to the model again."""
    replayer = play(recording, chunking)
    model = model_for(recording, replayer, model=VISION)
    shown = "" if recording.startswith(LEGACY) else " [images: 1]"
    first = question("What is this?", image())
    answer = await ask(model, [first], way)
    assert answer.text == f"Echo (lab/vision-tools, turn 1): What is this?{shown}"
    (sent,) = replayer.requests[-1].files
    assert (sent.filename, sent.content_type) == ("base64;red.png", "image/png")
    assert base64.b64decode(sent.content) == RED
    later = await ask(model, [first, answer, HumanMessage("And now?")], way)
    assert later.text == f"Echo (lab/vision-tools, turn 2): And now?{shown}"
    assert replayer.requests[-1].files == ()
    assert_as_recorded(replayer)


@pytest.mark.parametrize("server", UPLOADED)
async def test_bytes_of_a_file_are_fetched_from_the_conversation(server: str) -> None:
    """The server's own files are read with the caller's identity."""
    recording = f"{server}/chat-image-upload"
    replayer, again = play(recording, "bytes"), play(recording)
    model = model_for(recording, replayer)
    url = f"{model.base_url}/conversation/{UPLOADED[server]}/output/{STORED}"
    assert model.fetch_file({"type": "image", "url": url}) == RED
    other = model_for(recording, again)
    assert await other.afetch_file({"type": "image", "url": url}) == RED
    assert_as_recorded(replayer)


@pytest.mark.parametrize("form", ["bytes", "path", "data URI", "OpenAI", "Anthropic"])
@proves(UPLOAD)
async def test_every_form_of_an_image_is_the_same_upload(form: str, tmp_path: Path) -> None:
    """However a caller has a picture, the server gets its bytes, and its name if it has one."""
    replayer = play(UPLOAD)
    model = model_on(replayer, with_models(replayer), model=VISION)
    encoded = base64.b64encode(RED).decode()
    path = tmp_path / "red.png"
    path.write_bytes(RED)
    uri = f"data:image/png;base64,{encoded}"
    source = {"type": "base64", "media_type": "image/png", "data": encoded}
    block: dict[str, Any] = {
        "data URI": {"type": "image", "url": uri, "extras": {"filename": "red.png"}},
        "OpenAI": {"type": "image_url", "image_url": {"url": uri}},  # which has no name
        "Anthropic": {"type": "image", "source": source, "name": "red.png"},
    }.get(form, {})
    given: dict[str, list[Any]] = {"bytes": [(RED, "red.png")], "path": [path]}
    asked = question("What is this?", block) if block else HumanMessage("What is this?")
    answer = await model.ainvoke([asked], media=given.get(form))
    assert str(answer.text).endswith("[images: 1]")
    (sent,) = replayer.requests[-1].files
    assert base64.b64decode(sent.content) == RED
    assert sent.filename == ("base64;file.png" if form == "OpenAI" else "base64;red.png")


@by_version("chat-image-reuse-by-hash")
@by_mode
async def test_image_the_conversation_has_is_named_instead_of_sent_again(
    way: str, chunking: str, recording: str
) -> None:
    """The server's name for it is read from the conversation: it is no digest of the bytes."""
    replayer = play(recording, chunking)
    model = model_for(recording, replayer, model=VISION)
    first = question("What is this?", image())
    answer = await ask(model, [first], way)
    again = await ask(model, [first, answer, question("Again?", image())], way)
    shown = "" if recording.startswith(LEGACY) else " [images: 2]"
    assert again.text == f"Echo (lab/vision-tools, turn 2): Again?{shown}"
    (sent,) = replayer.requests[-1].files
    assert (sent.filename, sent.content) == ("hash;red.png", STORED.encode())
    assert_as_recorded(replayer)


@proves("huggingchat/chat-two-images")
@pytest.mark.proves("obligation:huggingchat:6")
@by_mode
async def test_two_images_of_one_message_are_both_sent_in_order(way: str, chunking: str) -> None:
    """Even if they have the same bytes; a name may hold what separates names from kinds."""
    replayer = play("huggingchat/chat-two-images", chunking)
    model = model_on(replayer, with_models(replayer), model=VISION)
    media = [(RED, "a.png"), (RED, "b ; żółw.png")]
    answer = await ask(model, "Compare", way, media=media)
    assert answer.text == "Echo (lab/vision-tools, turn 1): Compare [images: 2]"
    assert_as_recorded(replayer)


@proves("huggingchat/chat-image-without-mime-type")
@by_mode
async def test_image_that_nobody_calls_one_is_recognised_by_its_bytes(
    way: str, chunking: str
) -> None:
    """What a file is called does not count, here or on the server."""
    replayer = play("huggingchat/chat-image-without-mime-type", chunking)
    model = model_on(replayer, with_models(replayer), model=VISION)
    block = image(type="file", mime_type="application/octet-stream")
    answer = await ask(model, [question("What is this?", block)], way)
    assert answer.text == "Echo (lab/vision-tools, turn 1): What is this? [images: 1]"
    assert replayer.requests[-1].files[0].content_type == "image/png"
    assert_as_recorded(replayer, labels=False)


@proves("huggingchat/chat-text-file-upload")
@by_mode
async def test_text_file_is_read_by_a_model_without_eyes(way: str, chunking: str) -> None:
    """The server puts it before the words, for any model; no list of models is asked for."""
    replayer = play("huggingchat/chat-text-file-upload", chunking)
    model = model_on(replayer, model=TEXT)
    answer = await ask(model, "Summarise [[echo]]", way, media=[(NOTES, "notes.txt")])
    assert "line one\\nłine two\\n</document>\\n\\nSummarise" in answer.text
    assert replayer.requests[-1].files[0].content_type == "application/vnd.chatui.clipboard"
    assert_as_recorded(replayer, labels=False)  # the recording client gave the file's own type


@proves("huggingchat/chat-router-omni")
@by_mode
async def test_router_says_which_model_answers_and_why(way: str, chunking: str) -> None:
    """A turn of words goes to one model, a turn with an image to another."""
    replayer = play("huggingchat/chat-router-omni", chunking)
    model = model_on(replayer, with_models(replayer), model="omni")
    first = HumanMessage("route me")
    answer = await ask(model, [first], way)
    seen = question("and an image", image())
    later = await ask(model, [first, answer, seen], way)
    assert [answer.text, later.text] == [
        "Echo (lab/text-small, turn 1): route me",
        "Echo (lab/vision-tools, turn 2): and an image [images: 1]",
    ]
    told = [
        (each.response_metadata["model_name"], each.response_metadata["route"])
        for each in (answer, later)
    ]
    assert told == [(TEXT, "default"), (VISION, "multimodal")]
    assert_as_recorded(replayer)


@by_way
async def test_image_for_a_model_without_eyes_is_refused_before_anything_is_sent(way: str) -> None:
    """The server would drop it in silence, and answer as if there were none."""
    replayer = play("huggingchat/chat-image-on-text-model")
    model = model_on(replayer, with_models(replayer), model=TEXT)
    with pytest.raises(UnsupportedMediaError, match="omni, lab/vision-tools"):
        await ask(model, [question("What is this? [[echo]]", image())], way)
    assert replayer.requests == []


@pytest.mark.proves("obligation:huggingchat:6")
@by_way
async def test_file_that_is_too_large_is_refused_before_anything_is_sent(way: str) -> None:
    """The limit is known, and the server would answer 413 once it has all the bytes."""
    replayer = play("huggingchat/error-file-too-large")
    model = model_on(replayer, with_models(replayer), model=VISION)
    with pytest.raises(MediaTooLargeError, match=r"big\.txt"):
        await ask(model, "What?", way, media=[(b"x" * (10 * MIB + 1), "big.txt")])
    assert replayer.requests == []
