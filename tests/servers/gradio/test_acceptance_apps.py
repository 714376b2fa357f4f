"""Apps not written for these tests, on real servers of both lines; only the address is given."""

from __future__ import annotations

import httpx
import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from langchain_g4f import ChatGradioSpace, ConfigurationError
from tests.contract.faults.harness import ask, by_call, by_stream, by_turns, fail, texts
from tests.servers.gradio.acceptance import last_calls, model_at, obligation
from tests.servers.gradio.conftest import Line, Space
from tests.servers.gradio.front import Front

pytestmark = pytest.mark.servers

CHATS = ["chat_interface", "chat_interface_text", "blocks", "files"]


@obligation(1, 2, 3)
@pytest.mark.parametrize("app", CHATS)
@by_turns
async def test_chat_of_an_app_is_found_and_answers(app: str, way: str, space: Space) -> None:
    """Each is asked by its address alone."""
    server = space(app)
    answer = await ask(model_at(server), way, "Hello there")
    assert answer.text == "You said: Hello there"
    (call,) = last_calls(server)
    assert (call.text, call.history, call.outcome) == ("Hello there", [], "completed")


@pytest.mark.parametrize("app", ["chat_interface", "blocks", "files"])
@by_stream
async def test_chat_of_an_app_is_streamed(app: str, way: str, space: Space) -> None:
    """What the app makes bit by bit arrives so."""
    pieces = await texts(model_at(space(app)), way, "[[slow:0.08]] one two three four")
    assert "".join(pieces) == "You said: one two three four"
    assert len(pieces) > 3


@by_turns
async def test_parameters_go_into_the_inputs_of_their_labels(way: str, space: Space) -> None:
    """A system message and the temperature are set where the app has a place for them."""
    server = space("chat_interface")
    with Front(server) as front:
        model = model_at(front, temperature=0.25)
        prompt = [SystemMessage("Be kind."), HumanMessage("Hello")]
        assert (await ask(model, way, prompt)).text == "You said: Hello"
        (call,) = last_calls(server)
        assert (call.text, call.system, call.inputs) == ("Hello", "Be kind.", {"Temperature": 0.25})

        await ask(model.bind(temperature=0.5), way, "Hello")
        assert last_calls(server)[0].inputs == {"Temperature": 0.5}


@by_turns
async def test_inputs_that_are_not_set_keep_what_the_app_has(way: str, space: Space) -> None:
    """All inputs are sent, with the app's own values."""
    server = space("chat_interface")
    await ask(model_at(server), way, "Hello")
    (call,) = last_calls(server)
    assert (call.system, call.inputs) == ("Be brief.", {"Temperature": 0.7})


@by_turns
async def test_inputs_are_set_by_label_and_by_name(way: str, space: Space) -> None:
    """What the model has counts for all calls, what a call has for that one."""
    server = space("chat_interface")
    model = model_at(server, inputs={"System prompt": "Be loud.", "temperature": 0.1})
    await ask(model, way, "Hello")
    (call,) = last_calls(server)
    assert (call.system, call.inputs) == ("Be loud.", {"Temperature": 0.1})
    await ask(model.bind(inputs={"system_prompt": "Be quiet."}), way, "Hello")
    assert last_calls(server)[0].system == "Be quiet."
    sliders = model_at(space("blocks"), max_tokens=64, top_p=0.5)
    await ask(sliders, way, "Hello")
    assert last_calls(space("blocks"))[0].inputs == {"Max new tokens": 64, "Top-p": 0.5}


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        ({"temprature": 0.1}, ["'temprature'", "'system_prompt'", "'temperature'"]),
        ({"temperature": 3}, ["'temperature'", "1 at most"]),
        ({"temperature": "hot"}, ["'temperature'", "a number"]),
    ],
)
@by_turns
async def test_input_that_the_app_does_not_have_is_refused(
    inputs: dict[str, object], names: list[str], way: str, space: Space
) -> None:
    """The error lists what there is, and nothing is asked."""
    with Front(space("chat_interface")) as front:
        model = model_at(front, inputs=inputs)
        error = await fail(model, way, ConfigurationError, host=None)
        assert all(name in str(error) for name in names)
        assert front.to("/join") == []


@obligation(2)
@by_turns
async def test_history_goes_into_the_chatbot_message_by_message(way: str, space: Space) -> None:
    """An app without a memory is shown what was said, in the shape of its line, and no more."""
    server = space("blocks")
    prompt: list[BaseMessage] = [
        HumanMessage("first"),
        AIMessage("one"),
        HumanMessage("second"),
        AIMessage("two <b>bold</b>"),
        HumanMessage("[[history]]"),
    ]
    answer = await ask(model_at(server), way, prompt)
    assert answer.text.startswith("History: 4 messages ['user', 'assistant', 'user', 'assistant'].")
    (call,) = last_calls(server)
    assert call.history == [
        ("user", "first"),
        ("assistant", "one"),
        ("user", "second"),
        ("assistant", "two <b>bold</b>"),
    ]
    assert call.text == "[[history]]"


@obligation(5)
@by_turns
async def test_turns_with_a_page_are_continued_as_in_a_browser(
    way: str, line: Line, space: Space
) -> None:
    """What its chatbot shows goes along; a branch gets a session of its own."""
    with Front(space("blocks")) as front:
        model = model_at(front)
        history: list[BaseMessage] = [HumanMessage("first")]
        answer = await ask(model, way, history)
        history += [answer, HumanMessage("[[history]]")]
        for sessions in (1, 2):
            assert "2 messages ['user', 'assistant']" in (await ask(model, way, history)).text
            assert len({*front.sessions}) == sessions
        shown = front.bodies("/join")[-1]["data"][0]
    contents = [message["content"] for message in shown]
    kind = str if line == "gradio5" else list
    assert all(isinstance(content, kind) for content in contents)


@by_turns
async def test_of_two_chats_one_has_to_be_chosen(way: str, space: Space) -> None:
    """The error lists both; the name of a function chooses."""
    server = space("two_chats")
    error = await fail(model_at(server), way, ConfigurationError, host=None)
    assert "api_name" in str(error)
    assert "'fast'" in str(error)
    assert "'careful'" in str(error)
    for name in ("fast", "/careful"):
        answer = await ask(model_at(server, api_name=name), way, "Hello")
        assert answer.text == "You said: Hello"
        assert last_calls(server)[0].function == name.removeprefix("/")
    wrong = model_at(server, api_name="slow")
    error = await fail(wrong, way, ConfigurationError, host=None)
    assert "no chat named 'slow'" in str(error)
    assert "'fast', 'careful'" in str(error)


@by_turns
async def test_app_without_a_chat_is_refused_with_its_functions(
    way: str, line: Line, space: Space
) -> None:
    """The error lists what there is."""
    error = await fail(model_at(space("no_chat")), way, ConfigurationError, host=None)
    assert "no chat that could be found" in str(error)
    assert ("'predict'" if line == "gradio5" else "'paint'") in str(error)


@by_call
async def test_files_of_an_answer_are_blocks_that_can_be_fetched(way: str, space: Space) -> None:
    """A picture and a document follow the text, each with the address of its bytes."""
    answer = await ask(model_at(space("files")), way, "Draw")
    assert answer.text == "You said: Draw"
    text, picture, notes = answer.content_blocks
    assert (text["type"], picture["type"], notes["type"]) == ("text", "image", "file")
    urls = [block["url"] for block in (picture, notes)]  # type: ignore[typeddict-item]
    async with httpx.AsyncClient(trust_env=False) as http:
        image, document = [(await http.get(url)).raise_for_status().content for url in urls]
    assert image.startswith(b"\x89PNG")
    assert document == b"Notes on: Draw\n"


@by_stream
async def test_files_of_a_streamed_answer_are_the_same(way: str, space: Space) -> None:
    """Chunks add up to the same blocks, none of them twice."""
    answer = await ask(model_at(space("files")), way, "Draw")
    kinds = [block["type"] for block in answer.content_blocks]
    assert kinds == ["text", "image", "file"]


@pytest.mark.parametrize(
    ("app", "takes"),
    [("phi4", True), ("chat_interface", True), ("chat_interface_text", False), ("blocks", False)],
)
async def test_profile_follows_what_the_app_takes(app: str, takes: bool, space: Space) -> None:
    """Pictures and sound are in the profile of an app with a place for them."""
    model = model_at(space(app))
    assert await model.aget_models() == model.get_models()
    assert isinstance(model, ChatGradioSpace)
    profile = model.profile or {}
    found = {name: profile[name] for name in ("image_inputs", "audio_inputs")}
    assert found == {"image_inputs": takes, "audio_inputs": takes}
