"""Pictures and sound: what the apps of real servers of both lines receive are these very bytes."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage

from langchain_g4f import ChatGradioSpace, MediaTooLargeError, UnsupportedMediaError
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.contract.faults.harness import ask, by_turns, fail
from tests.servers.gradio.acceptance import (
    JPEG,
    SOUNDS,
    Heard,
    by_model,
    five_workers,
    last_calls,
    model_at,
    obligation,
    one_worker,
    phi4_at,
)
from tests.servers.gradio.conftest import PNG, Space
from tests.servers.gradio.front import Front

pytestmark = pytest.mark.servers


def block(kind: str, mime_type: str, data: bytes) -> dict[str, Any]:
    """Return a content block of LangChain's own form."""
    return {"type": kind, "base64": base64.b64encode(data).decode(), "mime_type": mime_type}


def message(text: str, *blocks: dict[str, Any]) -> list[BaseMessage]:
    """Return a prompt of one message."""
    return [HumanMessage([{"type": "text", "text": text}, *blocks])]


def received(space: Any) -> list[bytes]:
    """Return the bytes of the files that the last call of the app had."""
    (call,) = last_calls(space)
    return [file.data for file in call.files]


@obligation(3, 19)
@by_model
@by_turns
async def test_two_pictures_arrive_byte_for_byte(
    kind: type[ChatGradioSpace], way: str, space: Space
) -> None:
    """Both pictures of a message are there, in their order, under their own types."""
    server = one_worker(space)
    blocks = [block("image", "image/png", PNG), block("image", "image/jpeg", JPEG)]
    answer = await ask(model_at(server, kind), way, message("Compare these", *blocks))
    (call,) = last_calls(server)
    assert [(file.mime_type, file.data) for file in call.files] == [
        ("image/png", PNG),
        ("image/jpeg", JPEG),
    ]
    assert call.text == "Compare these"
    assert answer.text.count("sha256") == 2


@pytest.mark.parametrize("sound", SOUNDS)
@by_turns
async def test_sound_arrives_byte_for_byte(sound: str, way: str, space: Space) -> None:
    """Each kind of sound that the model hears reaches the app as it was, under its type."""
    server = one_worker(space)
    mime_type, data = SOUNDS[sound]
    await ask(phi4_at(server), way, message("What is said?", block("audio", mime_type, data)))
    ((file,),) = [call.files for call in last_calls(server)]
    assert file.data == data
    assert file.name.endswith((f".{sound}", f".{mime_type.rpartition('/')[2]}"))


@pytest.mark.parametrize("sound", SOUNDS)
@by_turns
async def test_sound_in_openai_form_and_as_media_arrives(
    sound: str, way: str, space: Space
) -> None:
    """The older block and `media=` do the same, a name included."""
    server = one_worker(space)
    _, data = SOUNDS[sound]
    coded = base64.b64encode(data).decode()
    older = {"type": "input_audio", "input_audio": {"data": coded, "format": sound}}
    model = phi4_at(server).bind(media=[(data, f"Name of it.{sound}")])
    await ask(model, way, message("What is said?", older))
    (call,) = last_calls(server)
    assert {file.data for file in call.files} == {data}
    await ask(model, way, "And now?")
    ((file,),) = [call.files for call in last_calls(server)]
    assert (file.name, file.data) == (f"Name of it.{sound}", data)


@by_model
@by_turns
async def test_picture_and_sound_of_one_message_arrive(
    kind: type[ChatGradioSpace], way: str, space: Space
) -> None:
    """Both kinds go with one message, and the upload is told."""
    server = one_worker(space)
    heard = Heard()
    mime_type, data = SOUNDS["wav"]
    blocks = [block("image", "image/png", PNG), block("audio", mime_type, data)]
    model = model_at(server, kind, on_progress=heard)
    await ask(model, way, message("Does this belong together?", *blocks))
    assert received(server) == [PNG, data]
    told = [(each.data["sent"], each.data["total"]) for each in heard.of("upload")]
    total = len(PNG) + len(data)
    assert (told[0], told[-1]) == ((0, total), (total, total))


@by_turns
async def test_files_of_earlier_turns_are_the_apps_own(way: str, space: Space) -> None:
    """A file goes to a session once; the app remembers it."""
    server = one_worker(space)
    with Front(server) as front:
        model = phi4_at(front)
        prompt = message("Look", block("image", "image/png", PNG))
        answer = await ask(model, way, prompt)
        answer = await ask(model, way, [*prompt, answer, HumanMessage("[[state]]")])
        assert answer.text.endswith("Files: 1.")
        assert len(front.to("/upload")) == 1
    assert received(server) == []


@by_turns
async def test_picture_at_a_trusted_address_is_fetched_and_sent(way: str, space: Space) -> None:
    """What the message only names arrives as the bytes that are there, under its name."""
    server = one_worker(space)

    def give(exchange: Exchange) -> None:
        exchange.respond(200, JPEG, content_type="image/jpeg")

    with ByteServer(give) as host:
        model = phi4_at(server, trusted_media_hosts=["127.0.0.1"])
        picture = {"type": "image", "url": f"{host.url}/album/cat.jpg?size=1"}
        await ask(model, way, message("Look", picture))
    (call,) = last_calls(server)
    assert [(file.name, file.data) for file in call.files] == [("cat.jpg", JPEG)]


@obligation(2)
@by_turns
async def test_picture_and_sound_reach_a_chat_interface(way: str, space: Space) -> None:
    """An app that takes messages with files is found out, and given them."""
    server = space("chat_interface")
    mime_type, data = SOUNDS["mp3"]
    await ask(model_at(server), way, message("Look", block("image", "image/jpeg", JPEG)))
    assert received(server) == [JPEG]
    await ask(model_at(server), way, message("Listen", block("audio", mime_type, data)))
    assert received(server) == [data]


@obligation(19)
@by_turns
async def test_file_the_app_does_not_take_is_refused_before_it_is_sent(
    way: str, space: Space
) -> None:
    """Too large for this server, no kind for this model, and no place for files at all."""
    server = five_workers(space)
    large = block("image", "image/png", PNG + bytes(31 * 1024))
    error = await fail(phi4_at(server), way, MediaTooLargeError, message("x", large), host=None)
    assert "30000" in str(error) or "30720" in str(error)
    film = block("video", "video/mp4", b"\0\0\0\x18ftypmp42\0\0\0\0")
    await fail(phi4_at(server), way, UnsupportedMediaError, message("x", film), host=None)
    picture = message("x", block("image", "image/png", PNG))
    with Front(space("blocks")) as front:
        await fail(model_at(front), way, UnsupportedMediaError, picture, host=None)
        assert [each.path for each in front.requests] == ["/config"]
