"""What the recorded apps say of themselves, and what is made of it (8)."""

from __future__ import annotations

import pytest
from langchain_core.messages import HumanMessage

from langchain_g4f import ChatGradioSpace
from langchain_g4f.errors import NotFoundError
from tests.contract.recordings.gradio_space.recordings import (
    INTERFACE,
    INTERFACE_ON_5,
    PHI4,
    PHI4_ON_6,
    TURN,
    Space,
    answers,
    assert_as_recorded,
    by_chunking,
    by_server,
    by_way,
    converse,
    model_on,
    on_both_lines,
    play,
    played,
    saying,
)
from tests.contract.recordings.gradio_space.test_dialogues import ADA
from tests.contract.recordings.gradio_space.test_errors import QUESTION
from tests.contract.recordings.gradio_space.test_refusals import of
from tests.contract.recordings.suite import ask, clients

of_all = on_both_lines("discovery", folders=(PHI4, PHI4_ON_6, INTERFACE, INTERFACE_ON_5))
ANSWER = f"Turn 1. You said: {QUESTION}"


@of_all
@pytest.mark.proves("obligation:gradio-space:1")
@by_chunking
@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_description_is_all_that_is_asked_for_models_and_profile(
    kind: str, chunking: str, recording: str
) -> None:
    """Once in a process: another model object on the same app knows it already."""
    replayer = play(recording, chunking)
    space = Space(recording, replayer, {"config": replayer})
    model, other = model_on(space), model_on(space)
    for each in (model, other):
        models = each.get_models() if kind == "sync" else await each.aget_models()
        names = ["phi-4-multimodal", "phi-4", "Phi-4 stand-in"]
        assert models == (names if recording.startswith(PHI4) else ["Chat stand-in"])
    assert played(replayer) == [0]
    assert model.profile is not None
    files = {
        name: model.profile.get(f"{name}_inputs") for name in ("image", "audio", "video", "pdf")
    }
    more = not recording.startswith(PHI4)
    assert files == {"image": True, "audio": True, "video": more, "pdf": more}
    assert_as_recorded(replayer)


@on_both_lines("discovery")
@pytest.mark.proves("obligation:gradio-space:1")
@by_way
async def test_session_of_an_app_with_the_same_number_is_continued(
    way: str, recording: str
) -> None:
    """The number of the description is that of `app_id`, which is asked before going on."""
    replayer = play(recording)
    name = recording.replace("discovery", "multi_turn")
    space = Space(name, instead={"config": replayer, "app_id": replayer})
    model = model_on(space)
    found = answers(await converse(model, way, ADA[:2]))
    assert [answer.response_metadata["conversation"]["turn"] for answer in found] == [1, 2]
    assert played(replayer) == [0, 3]
    assert_as_recorded(space.replayer)


@on_both_lines("discovery")
@by_way
async def test_phi4_that_does_not_describe_itself_is_taken_for_what_it_was_known_as(
    way: str, recording: str
) -> None:
    """The functions and the button of the earlier client, and the shapes of Gradio 5."""
    described = play(recording)
    assert described.response(4).status_code == 404
    name = recording.replace("discovery", "text_turn")
    replayer = play(name)
    space = Space(name, replayer, {"config": of(described, 4)})
    assert (await ask(model_on(space), QUESTION, way)).text == ANSWER
    assert space.asked == ["config", *TURN]
    assert_as_recorded(replayer)


@on_both_lines("discovery")
@by_way
async def test_app_that_nobody_knows_has_to_describe_itself(way: str, recording: str) -> None:
    """No numbers are guessed: the caller is told that there is nothing at this address."""
    space = Space(recording, instead={"config": of(play(recording), 4)})
    model = ChatGradioSpace(base_url=f"http://{space.host}", max_retries=0, **clients(space))
    with pytest.raises(NotFoundError) as caught:
        await ask(model, "hi", way)
    assert caught.value.phase == "read the app's description"
    assert space.asked == ["config"]


@by_server
@pytest.mark.proves("obligation:gradio-space:22")
@by_way
async def test_other_host_in_a_description_is_not_followed(way: str, server: str) -> None:
    """`root` may name an inner address: the caller's own is good."""
    name = f"{server}/text_turn"
    space = Space(name)
    elsewhere = space.description | {"root": "http://10.0.0.1:7861/inner"}
    space.instead["config"] = saying(elsewhere)
    answer = await ask(model_on(space), [HumanMessage(QUESTION)], way)
    assert answer.text == ANSWER
    assert not space.replayer.unplayed
    assert_as_recorded(space.replayer)
