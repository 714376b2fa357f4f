"""The values that a call puts into the app's inputs (docs/protocols/gradio-space.md, 7, 8, 13)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import pytest

from langchain_g4f.core.chat_request import NO_TOOLS, Media, Message
from langchain_g4f.core.http import Part, Request
from langchain_g4f.errors import (
    ConfigurationError,
    MediaTooLargeError,
    ModelNotFoundError,
    UnsupportedMediaError,
)
from langchain_g4f.providers.gradio_space.app import read_app
from langchain_g4f.providers.gradio_space.config import SpaceConfig
from langchain_g4f.providers.gradio_space.discovery import find_chat
from langchain_g4f.providers.gradio_space.page import ComponentValues
from tests.unit.providers.gradio_space.apps import (
    BOX,
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
from tests.unit.providers.gradio_space.fake_space import APP
from tests.unit.providers.gradio_space.replies import Reply, completed, events, reply, text_of
from tests.unit.providers.gradio_space.test_plan import GOOD, answer, sent, space

PNG = Media(b"\x89PNG\r\n\x1a\n", "image/png", "pic.png")
WAV = Media(b"RIFF....WAVE", "audio/wav", "s.wav")
MP4 = Media(b"....ftypmp42", "video/mp4", "v.mp4")
EARLIER = (Message("user", "a"), Message("assistant", "b"))
WITH_FILES = (Message("user", "a", (PNG,)), EARLIER[1], Message("user", "c", (WAV, WAV)))
TRANSCRIPT = (
    "This is the conversation so far:\n<conversation>\n<user>\na\n</user>\n"
    "<assistant>\nb\n</assistant>\n</conversation>\n\nc"
)
TEMPERATURE = component(10, "slider", "Temperature", minimum=0, maximum=2, value=0.7)
TOKENS = component(11, "slider", "Max new tokens", minimum=1, maximum=4096, value=512)
SEED = component(12, "number", "Seed", value=0, minimum=None, maximum=2147483647)
SYSTEM = component(13, "textbox", "System prompt", value="Be brief.")
MODEL = component(14, "dropdown", "Model", choices=[["Small", "s"], ["Large", "l"]], value="s")
STYLE = component(15, "radio", "Style", choices=["plain", "ornate"], value="plain")
TAGS = component(16, "dropdown", "Tags", choices=["a", "b", "c"], multiselect=True, value=[])
FREE = component(17, "dropdown", "Voice", choices=["x"], allow_custom_value=True, value="x")
NOTES = component(18, "json", None, value={"n": 1})
ALL = (TEMPERATURE, TOKENS, SEED, SYSTEM, MODEL, STYLE, TAGS, FREE, NOTES)


class Filled:
    """The values of a chat, and the inputs that its function gets."""

    def __init__(self, described: Any) -> None:
        app = read_app(described)
        self.chat = find_chat(app)
        self.values = ComponentValues(app, self.chat, {})

    def set(self, inputs: Mapping[str, Any] | None = None, **parameters: Any) -> list[Any]:
        self.values.set_all(inputs or {}, parameters)
        return self.data

    @property
    def data(self) -> list[Any]:
        return self.values.inputs_of(self.chat.answer)


def interface(*settings: Any) -> Filled:
    """An interface with these settings."""
    return Filled(interface_config(*settings or ALL))


@pytest.mark.proves("obligation:gradio-space:3")
def test_inputs_have_defaults_and_keep_outputs_of_earlier_functions() -> None:
    """State is null; an update without a value and a missing output change nothing."""
    assert interface().data == ["", None, 0.7, 512, 0, "Be brief.", "s", "plain", [], "x", {"n": 1}]
    filled = Filled(page_config(SYSTEM))
    filled.values.put(filled.chat.box, "hi")
    assert filled.values.get(filled.chat.box) == "hi"
    update: Any = {"__type__": "update", "interactive": False}
    filled.values.apply(filled.chat.answer, [update])
    assert filled.data == ["hi", [], "Be brief."]
    filled.values.apply(filled.chat.answer, [update | {"value": None}, ["history"], "surplus"])
    assert filled.data == ["", ["history"], "Be brief."]


def test_second_chatbot_keeps_its_value_and_cannot_be_set() -> None:
    """It is neither a setting nor state."""
    arena = component(20, "chatbot", type="messages", value=[])
    with pytest.warns(UserWarning, match="'fn_5' fills 'Chat', 'chatbot_20'; only"):
        filled = Filled(config([CHATBOT, BOX, arena], [function(5, [2, 1, 20], [1, 20], SUBMIT)]))
    assert filled.data == ["", [], []]
    with pytest.raises(ConfigurationError, match="its inputs are: none"):
        filled.set({"chatbot_20": []})


def test_parameters_go_into_the_inputs_with_their_labels() -> None:
    """A parameter without an input is ignored with a warning; ``inputs=`` wins."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = interface().set({"style": "plain"}, temperature=1, max_tokens=64, top_p=None, seed=7)
    assert data[2:5] == [1, 64, 7]
    filled = interface(TEMPERATURE)
    with pytest.warns(UserWarning, match="no input for 'top_k'"):
        assert filled.set(top_k=5, temperature=0.1) == ["", None, 0.1]
    assert filled.set({"Temperature": 0.5}, temperature=1)[2] == 0.5
    with pytest.raises(ConfigurationError, match="'max_new_tokens' is 4096 at most, not 5000"):
        interface().set(max_tokens=5000)


@pytest.mark.parametrize(
    ("name", "at", "value"),
    [
        ("Temperature", 2, 0.5),
        ("temperature", 2, 2),
        ("System prompt", 5, ""),
        ("Model", 6, "l"),
        ("tags", 8, ["a", "c"]),
        ("tags", 8, "b"),
        ("Voice", 9, "anything"),
        ("json_18", 10, {"x": [None, True, 1.5, "é", {}]}),
    ],
)
def test_input_is_set_by_label_or_name(name: str, at: int, value: object) -> None:
    """With a value that the component takes."""
    assert interface().set({name: value})[at] == value


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("Temperature", 2.5, "'temperature' is 2 at most, not 2.5"),
        ("Temperature", -1, "'temperature' is 0 at least, not -1"),
        ("Temperature", "hot", "'temperature' takes a number, not 'hot'"),
        ("Temperature", True, "'temperature' takes a number, not True"),
        ("Temperature", float("nan"), "'temperature' takes JSON, not float"),
        ("seed", 2147483648, "'seed' is 2147483647 at most, not 2147483648"),
        ("style", "blue", r"'style' takes one of \['plain', 'ornate'\], not 'blue'"),
        ("tags", ["a", "z"], r"'tags' takes one of .*, not \['a', 'z'\]"),
        ("model", "Large", r"'model' takes one of \['s', 'l'\], not 'Large'"),
        ("json_18", {1, 2}, "'json_18' takes JSON, not set"),
        ("json_18", "\ud800", "'json_18' takes JSON, not str"),
        ("json_18", ENDLESS, "'json_18' takes JSON, not list"),
        *((name, 1, f"the app has no input '{name}'; .*: 'temperature', 'max_new_tokens', ")
          for name in ("temprature", "", "message", "state_4", "Small")),
    ],
)  # fmt: skip
def test_wrong_input_is_refused_with_the_reason(name: str, value: Any, said: str) -> None:
    """The app itself would fail without one."""
    with pytest.raises(ConfigurationError, match=f"inputs: {said}"):
        interface().set({name: value})


@pytest.mark.parametrize(
    ("setting", "known"),
    [(MODEL, "s, l"), (TEMPERATURE, "owner/space"), (None, "one, without a name")],
)
def test_model_is_selected_or_refused_with_the_models_of_the_app(setting: Any, known: str) -> None:
    """An input for free text takes any name."""
    described = interface_config(*[setting] if setting else [])
    filled = Filled(described | ({"space_id": "owner/space"} if setting else {}))
    with pytest.raises(ModelNotFoundError, match=f"no model 'xl'; it has: {known}$"):
        filled.values.set_model("xl")
    free = interface(component(14, "textbox", "Model name", value="org/model"))
    free.values.set_model("org/other")
    assert free.data == ["", None, "org/other"]


# --- a whole call --------------------------------------------------------------------------------


def uploading(request: Request) -> Reply:
    """A path for each file, made of its name."""
    return reply([f"/up/{part.filename}" for part in request.body if isinstance(part, Part)])


def data_of(described: Any, *messages: Message | str, **options: Any) -> list[Any]:
    """The data that the function of an app gets."""
    outputs = ["ok", None] if described["components"][0]["type"] != "chatbot" else [
        "", [user("?"), assistant("ok")]
    ]  # fmt: skip
    fake = space(described, events(completed(*outputs)), upload=uploading)
    assert text_of(fake.ask(*messages, **options)) == "ok"
    (join,) = fake.sent("queue/join")
    data: list[Any] = join["data"]
    return data


def message(role: str, content: Any) -> dict[str, Any]:
    """A message with the required keys only."""
    return {"role": role, "content": content}


@pytest.mark.proves("obligation:gradio-space:3")
def test_first_message_goes_into_the_box() -> None:
    """With an empty history, and an empty list of files where the box takes files."""
    assert data_of(page_config(), "hi") == ["hi", []]
    assert data_of(page_config(box=MULTIMODAL), "hi") == [{"text": "hi", "files": []}, []]
    assert data_of(interface_config(), "hi") == ["hi", None]
    assert data_of(interface_config(box=MULTIMODAL), "hi") == [{"text": "hi", "files": []}, None]


@pytest.mark.proves("obligation:gradio-space:2")
def test_history_of_a_page_without_state_is_the_value_of_its_chatbot() -> None:
    """In the shape of its Gradio version."""
    for version, shape in (("6.31.0", lambda t: [{"type": "text", "text": t}]), ("5.22.0", str)):
        data = data_of(page_config(version=version), *EARLIER, "c")
        assert data == ["c", [message("user", shape("a")), message("assistant", shape("b"))]]
    old = page_config(version="4.44.1", api_prefix="")
    old["components"][0] = component(1, "chatbot", value=[])
    fake = space(old, events(completed("", [["a", "b"], ["c", "ok"]])))
    assert text_of(fake.ask(*EARLIER, "c")) == "ok"
    assert fake.sent("queue/join")[0]["data"] == ["c", [["a", "b"]]]
    assert fake.requests[1].url == f"{APP}/queue/join?__theme=light"


@pytest.mark.parametrize(
    ("described", "history", "flattened"),
    [
        (page_config(), "auto", False),
        (page_config(), "messages", False),
        (page_config(), "flattened", True),
        (interface_config(), "messages", True),
    ],
)
def test_history_is_one_text_without_a_chatbot_or_on_request(
    described: Any, history: str, flattened: bool
) -> None:
    """And if the newest message is an answer."""
    text, shown = data_of(described, *EARLIER, "c", history=history)
    assert text == (TRANSCRIPT if flattened else "c")
    assert len(shown or []) == (0 if flattened else 2)
    text, shown = data_of(described, *EARLIER)
    assert text.endswith("Go on from here.")
    assert not shown


@pytest.mark.parametrize(
    ("history", "as_messages"), [("auto", False), ("flattened", False), ("messages", True)]
)
@pytest.mark.proves("obligation:gradio-space:4")
def test_app_with_state_gets_messages_only_on_request(history: str, as_messages: bool) -> None:
    """It may ignore the value of its chatbot."""
    fake = space(
        steps_config(stateful=True),
        events(completed([user("a"), assistant("b"), user("c"), assistant("ok")], None)),
    )
    fake.table["run/predict"] = reply({"data": [["prepared"], {"text": "", "files": []}, None]})
    assert text_of(fake.ask(*EARLIER, "c", history=history)) == "ok"
    (prepare,), (join,) = fake.sent("run/predict"), fake.sent("queue/join")
    shown, box, state = prepare["data"]
    assert len(shown) == (2 if as_messages else 0)
    assert box == {"text": "c" if as_messages else TRANSCRIPT, "files": []}
    assert (state, join["data"]) == (None, [["prepared"], None])


@pytest.mark.parametrize(("preparing", "answering"), [([2], [1]), ([1, 2], [4]), ([2, 4], [4])])
def test_chatbot_that_no_function_reads_is_no_history(
    preparing: list[int], answering: list[int]
) -> None:
    """The model gets its messages from elsewhere."""
    steps = [
        function(5, preparing, [1, 2], SUBMIT, **PLAIN),
        function(6, answering, [1], after=5),
    ]
    fake = space(
        config([CHATBOT, MULTIMODAL, STATE], steps),
        events(completed([user("?"), assistant("ok")])),
    )
    fake.table["run/predict"] = reply({"data": [[user("?")], None]})
    fake.ask(*EARLIER, "c")
    assert {"text": TRANSCRIPT, "files": []} in fake.sent("run/predict")[0]["data"]


@pytest.mark.parametrize("history", ["auto", "flattened"])
def test_instructions_go_into_their_input_or_before_the_message(history: str) -> None:
    """The caller's system prompt, then the tools; the note of a message comes last."""
    data = data_of(page_config(SYSTEM), *EARLIER, "c", system="Be long.", history=history)
    assert data[2] == "Be long."
    assert "Be long." not in data[0]
    assert data_of(page_config(SYSTEM), "hi")[2] == "Be brief."
    asked = (*EARLIER, Message("user", "c", note="You must."))
    for described in (page_config(), interface_config()):
        text, _ = data_of(described, *asked, system="Be kind.", tools="# Tools", history=history)
        assert "<system>\nBe kind.\n\n# Tools\n</system>" in text
        assert text.endswith("\n\nc\n\nYou must.")


def test_own_name_of_the_space_is_no_model_to_select() -> None:
    """Any other name has to be offered, and inputs are checked before the queue is joined."""
    described = page_config(MODEL, space_id="owner/name")
    assert data_of(described, "hi", model="l")[2] == "l"
    copy = SpaceConfig(base_url=APP, space="owner/copy", models=("alias",))
    for name in ("owner/name", "owner/copy", "alias", "An app"):
        assert data_of(described, "hi", model=name, config=copy)[2] == "s"
    fake = space(described)
    with pytest.raises(ModelNotFoundError):
        fake.ask("hi", model="xl")
    with pytest.raises(ConfigurationError, match="no input 'x'"):
        fake.ask("hi", inputs={"x": 1})
    assert fake.asked == ["config", "info"]


def paths(files: list[Any]) -> list[str]:
    """The paths of files."""
    return [file["path"] for file in files]


def test_files_are_uploaded_once_each() -> None:
    """Those of a flattened history go with the message, others stay before their text."""
    (box, _) = data_of(interface_config(box=MULTIMODAL), *WITH_FILES)
    assert paths(box["files"]) == ["/up/pic.png", "/up/s.wav"]
    box, shown = data_of(page_config(box=MULTIMODAL), *WITH_FILES)
    assert paths(box["files"]) == ["/up/s.wav"]
    assert shown[0]["content"]["file"]["path"] == "/up/pic.png"
    assert [(each["role"], each["content"]) for each in shown[1:]] == [
        ("user", "a"),
        ("assistant", "b"),
    ]


@pytest.mark.proves("fault:49:PH")
@pytest.mark.parametrize("history", ["auto", "flattened"])
def test_every_file_is_checked_before_the_first_upload(history: str) -> None:
    """Type and size, of the newest message and of earlier ones."""
    images = component(2, "multimodaltextbox", file_types=["image"], file_count="multiple")
    kinds: list[tuple[Any, type[Exception]]] = [
        (page_config(box=images), UnsupportedMediaError),
        (page_config(box=MULTIMODAL, max_file_size=10), MediaTooLargeError),
        (page_config(), UnsupportedMediaError),
    ]
    for described, kind in kinds:
        fake = space(described)
        with pytest.raises(kind):
            fake.ask(*WITH_FILES, history=history)
        assert fake.asked == ["config"]


# --- tools in a session --------------------------------------------------------------------------

RESULT = Message("tool", "<tool_response>\n5\n</tool_response>")


@pytest.mark.parametrize(
    ("tools", "reminder"), [("# Tools", ""), ("# Others", "# Others\n\n"), ("", f"{NO_TOOLS}\n\n")]
)
def test_session_is_told_about_changed_tools(tools: str, reminder: str) -> None:
    """Once, and not where the app has an input for instructions."""
    fake = space(None, GOOD, GOOD, GOOD)
    first = answer(fake.ask("a", tools="# Tools"))
    second = answer(fake.ask("a", first, RESULT, tools=tools))
    fake.ask("a", first, RESULT, second, "b", tools=tools)
    (session, text), *others = sent(fake)
    assert "# Tools" in text
    assert others == [(session, f"{reminder}{RESULT.text}"), (session, "b")]
    fake = space(interface_config(SYSTEM))
    fake.ask("a", answer(fake.ask("a", tools="# Tools")), "b", tools=tools)
    assert [text for _, text in sent(fake)] == ["a", "b"]
    assert fake.sent("queue/join")[-1]["data"][-1] == (tools or "Be brief.")
