"""What a call puts into the app (docs/protocols/gradio-space.md, sections 7, 8 and 13)."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f.core.chat_request import Media, Message
from langchain_g4f.core.http import Part, Request
from langchain_g4f.errors import (
    ConfigurationError,
    MediaTooLargeError,
    ModelNotFoundError,
    UnsupportedMediaError,
)
from langchain_g4f.providers.gradio_space import SpaceConfig
from tests.unit.providers.gradio_space.apps import (
    CHATBOT,
    MULTIMODAL,
    PLAIN,
    STATE,
    SUBMIT,
    assistant,
    component,
    config,
    function,
    interface_config,
    page_config,
    steps_config,
    user,
)
from tests.unit.providers.gradio_space.replies import Reply, completed, events, reply, text_of
from tests.unit.providers.gradio_space.world import APP, World

PNG = Media(b"\x89PNG\r\n\x1a\n", "image/png", "pic.png")
WAV = Media(b"RIFF....WAVE", "audio/wav", "s.wav")
SYSTEM = component(10, "textbox", "System prompt", value="Be brief.")
TEMPERATURE = component(11, "slider", "Temperature", minimum=0, maximum=2, value=0.7)
EARLIER = (Message("user", "a"), Message("assistant", "b"))
TRANSCRIPT = (
    "This is the conversation so far:\n<conversation>\n<user>\na\n</user>\n"
    "<assistant>\nb\n</assistant>\n</conversation>\n\nc"
)


def uploading(request: Request) -> Reply:
    """Name each file by its name."""
    return reply([f"/up/{part.filename}" for part in request.body if isinstance(part, Part)])


def answering(described: Any, *outputs: Any, **more: Any) -> World:
    """An app that answers every question with "ok"."""
    shown = outputs or ("", [user("?"), assistant("ok")])
    table: dict[str, Any] = {
        "config": reply(described),
        "upload": uploading,
        "queue/join": reply({"event_id": "e"}),
        "queue/data": events(completed(*shown)),
    }
    return World(table | more)


def data_of(described: Any, *messages: Message | str, **options: Any) -> list[Any]:
    """What the function of an app is given."""
    outputs = [] if described["components"][0]["type"] == "chatbot" else ["ok", None]
    world = answering(described, *outputs)
    assert text_of(world.ask(*messages, **options)) == "ok"
    (join,) = world.sent("queue/join")
    data: list[Any] = join["data"]
    return data


def message(role: str, content: Any) -> dict[str, Any]:
    """A message with no more than has to be."""
    return {"role": role, "content": content}


def test_first_message_is_put_as_it_is() -> None:
    """Into the box, with an empty history."""
    assert data_of(page_config(), "hi") == ["hi", []]
    assert data_of(page_config(box=MULTIMODAL), "hi") == [{"text": "hi", "files": []}, []]
    assert data_of(interface_config(), "hi") == ["hi", None]


@pytest.mark.proves("obligation:gradio-space:3")
def test_message_without_files_has_an_empty_list_of_them() -> None:
    """Null is refused without a reason."""
    data = data_of(interface_config(box=MULTIMODAL), "hi")
    assert data == [{"text": "hi", "files": []}, None]


@pytest.mark.parametrize(
    ("version", "shape"),
    [
        ("6.31.0", lambda text: [{"type": "text", "text": text}]),
        ("5.22.0", str),
    ],
)
@pytest.mark.proves("obligation:gradio-space:2")
def test_history_of_a_page_without_state_is_its_chatbot(version: str, shape: Any) -> None:
    """In the shape of its version."""
    data = data_of(page_config(version=version), *EARLIER, "c")
    assert data == ["c", [message("user", shape("a")), message("assistant", shape("b"))]]


def test_history_of_a_page_of_gradio_4_is_pairs() -> None:
    """And has no prefix in its addresses."""
    chatbot = component(1, "chatbot", value=[])
    described = page_config(version="4.44.1", api_prefix="")
    described["components"][0] = chatbot
    world = answering(described, "", [["a", "b"], ["c", "ok"]])
    assert text_of(world.ask(*EARLIER, "c")) == "ok"
    assert world.sent("queue/join")[0]["data"] == ["c", [["a", "b"]]]
    assert world.requests[1].url == f"{APP}/queue/join?__theme=light"


@pytest.mark.parametrize(
    ("described", "history", "flattened"),
    [
        (page_config(), "auto", False),
        (page_config(), "messages", False),
        (page_config(), "flattened", True),
        (interface_config(), "auto", True),
        (interface_config(), "messages", True),
    ],
)
def test_history_is_sent_in_one_text_where_it_has_no_place(
    described: Any, history: str, flattened: bool
) -> None:
    """Or where the caller wants it so."""
    text, shown = data_of(described, *EARLIER, "c", history=history)
    assert text == (TRANSCRIPT if flattened else "c")
    assert len(shown or []) == (0 if flattened else 2)


def test_history_that_ends_with_an_answer_is_sent_in_one_text() -> None:
    """The app is asked to go on from there."""
    text, shown = data_of(page_config(), *EARLIER)
    assert text.endswith("Go on from here.")
    assert shown == []


@pytest.mark.parametrize(
    ("history", "messages"), [("auto", False), ("flattened", False), ("messages", True)]
)
@pytest.mark.proves("obligation:gradio-space:4")
def test_app_with_a_memory_is_sent_messages_only_if_asked_to(history: str, messages: bool) -> None:
    """It may not look at what its chatbot shows."""
    world = answering(
        steps_config(stateful=True),
        [user("a"), assistant("b"), user("c"), assistant("ok")],
        None,
        **{"run/predict": reply({"data": [["prepared"], {"text": "", "files": []}, None]})},
    )
    assert text_of(world.ask(*EARLIER, "c", history=history)) == "ok"
    (prepare,), (join,) = world.sent("run/predict"), world.sent("queue/join")
    shown, box, state = prepare["data"]
    assert len(shown) == (2 if messages else 0)
    assert box == {"text": "c" if messages else TRANSCRIPT, "files": []}
    assert (state, join["data"]) == (None, [["prepared"], None])


@pytest.mark.parametrize(("preparing", "answering_"), [([2], [1]), ([1, 2], [4]), ([2, 4], [4])])
def test_chatbot_that_is_filled_but_not_read_is_no_history(
    preparing: list[int], answering_: list[int]
) -> None:
    """What the model is given comes from elsewhere."""
    described = config(
        [CHATBOT, MULTIMODAL, STATE],
        [
            function(5, preparing, [1, 2], SUBMIT, **PLAIN),
            function(6, answering_, [1], after=5),
        ],
    )
    world = answering(
        described,
        [user("?"), assistant("ok")],
        **{"run/predict": reply({"data": [[user("?")], None]})},
    )
    world.ask(*EARLIER, "c")
    assert {"text": TRANSCRIPT, "files": []} in world.sent("run/predict")[0]["data"]


@pytest.mark.parametrize("history", ["auto", "flattened"])
def test_system_prompt_goes_into_its_input(history: str) -> None:
    """And stands nowhere else."""
    data = data_of(page_config(SYSTEM), *EARLIER, "c", system="Be long.", history=history)
    assert data[2] == "Be long."
    assert "Be long." not in data[0]
    assert data_of(page_config(SYSTEM), "hi")[2] == "Be brief."


@pytest.mark.parametrize("messages", [("hi",), (*EARLIER, "c")])
def test_system_prompt_without_an_input_stands_before_the_message(messages: Any) -> None:
    """As a part of the text."""
    for described in (page_config(), interface_config()):
        text, _ = data_of(described, *messages, system="Be long.")
        assert "<system>\nBe long.\n</system>" in text
        assert text.endswith(f"\n\n{messages[-1]}")


def test_parameters_and_inputs_are_set() -> None:
    """Each where a label says so."""
    data = data_of(
        page_config(SYSTEM, TEMPERATURE), "hi", temperature=1, inputs={"system_prompt": "x"}
    )
    assert data == ["hi", [], "x", 1]


def test_input_that_is_not_there_is_refused_before_anything_is_sent() -> None:
    """But for the question what there is."""
    world = answering(page_config())
    with pytest.raises(ConfigurationError, match="no input 'x'"):
        world.ask("hi", inputs={"x": 1})
    assert world.asked == ["config"]


def test_model_is_chosen_in_the_app_or_is_the_space_itself() -> None:
    """Any other name is refused."""
    model = component(12, "dropdown", "Model", choices=["s", "l"], value="s")
    assert data_of(page_config(model), "hi", model="l")[2] == "l"
    described = page_config(model, space_id="owner/name")
    assert data_of(described, "hi", model="owner/name")[2] == "s"
    where = SpaceConfig(base_url=APP, space="owner/copy", models=("alias",))
    for name in ("owner/copy", "alias"):
        assert data_of(described, "hi", model=name, where=where)[2] == "s"
    with pytest.raises(ModelNotFoundError):
        data_of(described, "hi", model="xl")


def named(files: list[Any]) -> list[str]:
    """Name the files by their paths."""
    return [file["path"] for file in files]


def test_files_are_uploaded_and_named_in_the_message() -> None:
    """Each once, however often it is said."""
    asked = Message("user", "look", (PNG, WAV, PNG))
    (box, _) = data_of(interface_config(box=MULTIMODAL), asked)
    assert box["text"] == "look"
    assert named(box["files"]) == ["/up/pic.png", "/up/s.wav"]


def test_files_of_a_history_in_one_text_go_with_it() -> None:
    """All of them, in their order."""
    messages = (
        Message("user", "a", (PNG,)),
        Message("assistant", "b"),
        Message("user", "c", (WAV,)),
    )
    (box, _) = data_of(interface_config(box=MULTIMODAL), *messages)
    assert named(box["files"]) == ["/up/pic.png", "/up/s.wav"]


def test_files_of_a_history_stay_where_they_were_said() -> None:
    """In the chatbot, before their text."""
    messages = (
        Message("user", "a", (PNG,)),
        Message("assistant", "b"),
        Message("user", "c", (WAV,)),
    )
    box, shown = data_of(page_config(box=MULTIMODAL), *messages)
    assert named(box["files"]) == ["/up/s.wav"]
    assert [each["role"] for each in shown] == ["user", "user", "assistant"]
    assert shown[0]["content"]["file"]["path"] == "/up/pic.png"
    assert [each["content"] for each in shown[1:]] == ["a", "b"]


@pytest.mark.proves("fault:49:PH")
@pytest.mark.parametrize("history", ["auto", "flattened"])
def test_file_the_app_does_not_take_is_refused_before_any_is_uploaded(history: str) -> None:
    """The newest message is looked at, too."""
    box = component(2, "multimodaltextbox", file_types=["image"], file_count="multiple")
    world = answering(page_config(box=box))
    messages = (
        Message("user", "a", (PNG,)),
        Message("assistant", "b"),
        Message("user", "c", (WAV,)),
    )
    with pytest.raises(UnsupportedMediaError):
        world.ask(*messages, history=history)
    world = answering(page_config(box=MULTIMODAL, max_file_size=10))
    with pytest.raises(MediaTooLargeError):
        world.ask(*messages, history=history)
    assert world.asked == ["config"]


@pytest.mark.proves("fault:49:PH")
def test_app_for_text_takes_no_files() -> None:
    """Neither in the newest message nor in an older one."""
    for messages in (
        (Message("user", "a", (PNG,)),),
        (Message("user", "a", (PNG,)), Message("assistant", "b"), Message("user", "c")),
    ):
        with pytest.raises(UnsupportedMediaError, match="text only"):
            answering(page_config()).ask(*messages)
