"""Finding the chat of an app (docs/protocols/gradio-space.md, section 8)."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f.errors import ConfigurationError
from langchain_g4f.providers.gradio_space.app import read_app
from langchain_g4f.providers.gradio_space.discovery import Chat, find_chat
from tests.unit.providers.gradio_space.apps import (
    BOX,
    BUTTON,
    CHATBOT,
    CLICK,
    MULTIMODAL,
    PLAIN,
    STATE,
    SUBMIT,
    app,
    component,
    function,
    interface_config,
    page_config,
    recorded_config,
    steps_config,
)


def ids(chat: Chat) -> list[int]:
    """The ids of the functions of a chat."""
    return [each.id for each in chat.functions]


@pytest.mark.proves("obligation:gradio-space:1", "cassette:phi4/discovery")
@pytest.mark.parametrize("folder", ["phi4", "phi4/gradio6"])
def test_recorded_phi4_is_a_page_of_two_steps(folder: str) -> None:
    """Samples, the clear button and steps after the answer are left out."""
    found = read_app(recorded_config(folder))
    chat = find_chat(found)
    assert ids(chat) == [10, 11]
    assert (chat.box.id, chat.trigger, chat.output) == (8, 8, 0)
    assert chat.chatbot is found.components[3]
    assert chat.keeps_state
    assert chat.settings(found) == []


@pytest.mark.proves("cassette:gradio-chatinterface/discovery")
@pytest.mark.parametrize("folder", ["gradio-chatinterface", "gradio-chatinterface/gradio5"])
def test_recorded_interface_has_a_function_for_callers(folder: str) -> None:
    """It is used if it is named."""
    found = read_app(recorded_config(folder))
    for name in ("chat", "/chat"):
        chat = find_chat(found, name)
        assert ids(chat) == [6]
        assert (chat.box.id, chat.chatbot, chat.trigger, chat.output) == (12, None, 14, 0)
        assert chat.keeps_state
        assert [extra.name for extra in chat.settings(found)] == ["system_prompt", "temperature"]


@pytest.mark.parametrize("folder", ["gradio-chatinterface", "gradio-chatinterface/gradio5"])
def test_recorded_interface_is_used_as_its_page(folder: str) -> None:
    """The step after the answer copies the chatbot into the state, and takes a history, too."""
    found = read_app(recorded_config(folder))
    chat = find_chat(found)
    assert ids(chat) == [0, 1, 2, 3]
    assert [function.id for function in chat.seeds] == [3]
    assert (chat.box.id, chat.answer.id, chat.output, chat.loads) == (12, 2, 1, ())
    assert chat.takes_history
    assert not chat.keeps_state
    assert [extra.name for extra in chat.settings(found)] == ["system_prompt", "temperature"]


@pytest.mark.parametrize("name", ["ask", "predict", "chat_1", ""])
def test_interface_need_not_be_named_chat(name: str) -> None:
    """It is recognized by its inputs and outputs."""
    described = interface_config()
    described["dependencies"][0]["api_name"] = name or None
    assert ids(find_chat(read_app(described), name)) == [5]


def test_page_of_an_interface_can_be_named() -> None:
    """By any of its functions."""
    found = read_app(recorded_config("gradio-chatinterface"))
    assert find_chat(found, "_submit_fn") == find_chat(found)


@pytest.mark.parametrize("targets", [[SUBMIT, CLICK], [CLICK, SUBMIT], [SUBMIT], [CLICK]])
def test_page_with_box_and_button_is_one_chat(targets: list[tuple[int, str]]) -> None:
    """Whatever starts the function."""
    found = app([CHATBOT, BOX, BUTTON], [function(5, [2, 1], [2, 1], *targets)])
    chat = find_chat(found)
    assert (ids(chat), chat.box.id, chat.output) == ([5], 2, 1)
    assert chat.trigger == (2 if SUBMIT in targets else 3)


def test_submit_and_click_with_a_function_each_are_one_chat() -> None:
    """The message is submitted, though an older function answers a click."""
    functions = [function(9, [2, 1], [1], SUBMIT), function(6, [2, 1], [1], CLICK)]
    assert ids(find_chat(app([CHATBOT, BOX, BUTTON], functions))) == [9]


def test_public_function_is_preferred_for_the_same_box() -> None:
    """The author offers it to API clients."""
    private = function(5, [2, 1], [1], CLICK, show_api=False)
    other = component(7, "button", None, value="Ask")
    functions = [private, function(6, [2, 1], [1], (7, "click"))]
    assert ids(find_chat(app([CHATBOT, BOX, BUTTON, other], functions))) == [6]
    assert ids(find_chat(app([CHATBOT, BOX, BUTTON], [private]))) == [5]


SYSTEM = component(10, "textbox", "System prompt", value="Be brief.")


@pytest.mark.parametrize("inputs", [[2, 10, 1], [10, 2, 1]])
@pytest.mark.parametrize("target", [SUBMIT, CLICK])
def test_box_is_the_one_that_is_sent_or_cleared(inputs: list[int], target: tuple[int, str]) -> None:
    """A text box for a system prompt is a setting."""
    found = app([CHATBOT, BOX, BUTTON, SYSTEM], [function(5, inputs, [1, 2], target)])
    chat = find_chat(found)
    assert chat.box.id == 2
    assert [extra.id for extra in chat.settings(found)] == [10]


@pytest.mark.parametrize("label", ["System prompt", "System", "System message (optional)"])
def test_box_for_a_system_prompt_is_no_message_box_where_another_is(label: str) -> None:
    """Even if neither box is cleared, and it comes first."""
    system = component(10, "textbox", label)
    found = app([CHATBOT, BOX, BUTTON, system], [function(5, [10, 2, 1], [1], CLICK)])
    assert find_chat(found).box.id == 2


def test_box_that_takes_files_goes_before_others() -> None:
    """A click does not name its box."""
    found = app([CHATBOT, MULTIMODAL, BUTTON, SYSTEM], [function(5, [10, 2, 1], [1], CLICK)])
    assert find_chat(found).box.id == 2


def test_chain_of_three_preparations_is_run_in_order() -> None:
    """Scripts of the browser and steps after the answer are left out."""
    chat = find_chat(
        app(
            [CHATBOT, BOX, STATE, BUTTON],
            [
                function(8, [], [2], after=7, **PLAIN),
                function(7, [1], [1], after=6),
                function(6, [4], [4], after=3, **PLAIN),
                function(3, [], [], after=4, backend_fn=False, **PLAIN),
                function(4, [1, 2], [1], after=5, **PLAIN),
                function(5, [2], [4], SUBMIT, **PLAIN),
            ],
        )
    )
    assert ids(chat) == [5, 4, 6, 7]
    assert (chat.preparation[0].id, chat.answer.id) == (5, 7)


def test_chain_may_begin_in_the_browser() -> None:
    """The script is left out, the functions after it are run."""
    script = function(5, [], [], SUBMIT, backend_fn=False, **PLAIN)
    chat = find_chat(app([CHATBOT, BOX], [script, function(6, [2, 1], [1], after=5)]))
    assert (ids(chat), chat.trigger) == ([6], 2)


def test_last_function_that_fills_the_chatbot_answers_where_none_streams() -> None:
    """The functions before it prepare."""
    functions = [
        function(5, [2, 1], [1], SUBMIT, **PLAIN),
        function(6, [1], [1], after=5, types={}),
        function(7, [1], [4], after=6, types={}),
    ]
    assert ids(find_chat(app([CHATBOT, BOX, STATE], functions))) == [5, 6]


def test_functions_that_follow_each_other_in_a_circle_are_run_once() -> None:
    """A broken description does not hang the caller."""
    functions = [
        function(5, [2, 1], [2], SUBMIT, **PLAIN),
        function(6, [1], [4], after=5, **PLAIN),
        function(6, [1], [1], after=6),
    ]
    assert ids(find_chat(app([CHATBOT, BOX, STATE], functions))) == [5, 6]


def test_message_and_state_with_a_chatbot_is_a_page() -> None:
    """The first output of such a function is the cleared box."""
    found = app([CHATBOT, BOX, STATE], [function(5, [2, 4], [2, 1, 4], SUBMIT)])
    chat = find_chat(found)
    assert chat.chatbot is found.components[1]
    assert chat.output == 1
    assert chat.keeps_state


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": [4, 4]},
        {"outputs": []},
        {"outputs": [4, 2]},
        {"trigger_after": 1},
        {"backend_fn": False},
    ],
)
def test_function_that_does_not_answer_a_message_is_no_interface(change: dict[str, Any]) -> None:
    """It needs a message and an output."""
    described = interface_config()
    described["dependencies"][0] |= change
    with pytest.raises(ConfigurationError, match="no chat that could be found"):
        find_chat(read_app(described))


def test_state_that_is_written_before_it_is_read_is_no_memory() -> None:
    """It passes a value from one function of the call to the next."""
    components = [CHATBOT, BOX, STATE]
    steps = [function(5, [2], [2, 4], SUBMIT, **PLAIN), function(6, [4, 1], [1, 4], after=5)]
    passing = app(components, steps)
    assert not find_chat(passing).keeps_state
    kept = read_app(steps_config(stateful=True))
    assert find_chat(kept).keeps_state
    plain = read_app(steps_config())
    assert not find_chat(plain).keeps_state


OTHER_BOX = component(20, "textbox", "Other message")


def two_chats(**more: Any) -> Any:
    """An app with two message boxes."""
    return app(
        [CHATBOT, BOX, OTHER_BOX],
        [
            function(5, [2, 1], [1], SUBMIT, api_name="first"),
            function(6, [20, 1], [1], (20, "submit"), **{"api_name": "second", **more}),
        ],
    )


def test_several_chats_are_listed_to_choose_from() -> None:
    """The error lists their names."""
    with pytest.raises(ConfigurationError, match=r"several chats.*api_name=: 'first', 'second'"):
        find_chat(two_chats())
    assert ids(find_chat(two_chats(), "second")) == [6]
    assert ids(find_chat(two_chats(), "/first")) == [5]


def test_chat_without_a_name_is_listed_as_such() -> None:
    """It cannot be chosen."""
    with pytest.raises(ConfigurationError, match="'first', one without a name"):
        find_chat(two_chats(api_name=False))


def test_chat_is_listed_by_another_of_its_functions_if_its_answer_has_no_name() -> None:
    """The name of any function chooses the chat."""
    found = app(
        [CHATBOT, BOX, OTHER_BOX],
        [
            function(5, [2], [1], SUBMIT, api_name="add", **PLAIN),
            function(6, [1], [1], after=5, api_name=None),
            function(7, [20, 1], [1], (20, "submit")),
        ],
    )
    with pytest.raises(ConfigurationError, match="'add', 'fn_7'"):
        find_chat(found)
    assert ids(find_chat(found, "add")) == [5, 6]


def test_unknown_name_is_refused_with_the_public_functions() -> None:
    """The error lists them."""
    described = page_config()
    described["dependencies"].append(function(9, [], [1], show_api=False))
    with pytest.raises(ConfigurationError, match=r"no chat named 'x'; its functions are: 'fn_5'$"):
        find_chat(read_app(described), "/x")


@pytest.mark.parametrize("functions", [[], [function(5, [], [1], CLICK)]])
def test_app_without_a_chat_is_refused_with_what_it_has(functions: list[Any]) -> None:
    """A button that fills the chatbot without a message is no chat."""
    named = "'fn_5'" if functions else "none"
    with pytest.raises(ConfigurationError, match=f"no chat that could be found; .* {named}$"):
        find_chat(app([CHATBOT, BOX, BUTTON], functions))


@pytest.mark.parametrize("target", [(1, "retry"), (2, "change"), (99, "click"), (None, "click")])
def test_what_is_not_sent_by_a_person_is_no_chat(target: tuple[int | None, str]) -> None:
    """Nor is a function of a component that is not listed."""
    with pytest.raises(ConfigurationError, match="no chat"):
        find_chat(app([CHATBOT, BOX, BUTTON], [function(5, [2, 1], [1], target)]))


def test_function_without_targets_has_no_trigger() -> None:
    """An interface may be for API clients only."""
    described = interface_config()
    described["dependencies"][0]["targets"] = []
    assert find_chat(read_app(described)).trigger is None


# --- the evidence --------------------------------------------------------------------------------


def labelled(id_: int, text: str) -> Any:
    """A button."""
    return component(id_, "button", None, value=text)


@pytest.mark.parametrize("text", ["🔄 Regenerate", "Retry", "Clear history", "停止", "重新生成"])
def test_button_that_sends_nothing_starts_no_chat(text: str) -> None:
    """Though its function is older, reads the box and fills the chatbot; a name chooses it."""
    functions = [function(4, [2, 1], [2, 1], (9, "click")), function(5, [2, 1], [1], CLICK)]
    found = app([CHATBOT, BOX, BUTTON, labelled(9, text)], functions)
    assert ids(find_chat(found)) == [5]
    assert ids(find_chat(found, "fn_4")) == [4]


def test_function_that_clears_the_box_takes_the_message() -> None:
    """Also where a second function of the same event clears it."""
    functions = [
        function(4, [2, 1], [1], (9, "click")),
        function(5, [2, 1, 4], [1], CLICK),
        function(6, [], [2], CLICK, **PLAIN),
    ]
    chat = find_chat(app([CHATBOT, BOX, BUTTON, STATE, labelled(9, "Summarize")], functions))
    assert (ids(chat), chat.keeps_state) == ([5], True)


def test_box_of_a_setting_starts_no_chat_and_another_box_is_named_in_a_warning() -> None:
    """The caller learns of what is left out, and how to choose it."""
    other = component(20, "textbox", "Search")
    role = component(21, "textbox", "Role")
    functions = [
        function(5, [2, 1, 21], [2, 1], SUBMIT),
        function(6, [21], [21, 1], (9, "click")),
        function(7, [20], [1], (20, "submit"), api_name="search"),
    ]
    found = app([CHATBOT, BOX, other, role, labelled(9, "Set the role")], functions)
    with pytest.warns(UserWarning, match="'fn_5' is used; api_name= chooses another: 'search'"):
        assert ids(find_chat(found)) == [5]
    assert ids(find_chat(found, "search")) == [7]


def test_functions_that_only_change_the_look_are_not_run() -> None:
    """Those whose outputs another one reads, and those without outputs, are run."""
    functions = [
        function(5, [2], [2, 4], SUBMIT, **PLAIN),
        function(6, [], [3], after=5, **PLAIN),
        function(7, [4, 1], [1], after=5),
        function(8, [], [2, 3], after=7, **PLAIN),
        function(9, [1], [], after=7, **PLAIN),
        function(10, [1], [1], after=7, **PLAIN),
    ]
    chat = find_chat(app([CHATBOT, BOX, BUTTON, STATE], functions))
    assert ids(chat) == [5, 7, 9, 10]
    assert [each.id for each in chat.followers] == [9, 10]


def test_functions_of_the_opening_page_are_run_where_the_chat_reads_what_they_write() -> None:
    """Directly, or by way of another of them."""
    theme = component(8, "dropdown", "Theme")
    model = component(9, "dropdown", "Model")
    functions = [
        function(5, [2, 1, 4, 9], [2, 1], SUBMIT),
        function(6, [], [8], (None, "load"), **PLAIN),
        function(7, [], [11], (None, "load"), **PLAIN),
        function(8, [11], [9], after=7, **PLAIN),
    ]
    chat = find_chat(app([CHATBOT, BOX, STATE, theme, model, component(11, "json")], functions))
    assert [each.id for each in chat.loads] == [7, 8]


@pytest.mark.parametrize("event", ["upload", "change"])
def test_input_whose_file_is_worked_on_is_an_input_of_the_chat(event: str) -> None:
    """The function that works on it writes what the chat reads."""
    file = component(9, "file", "Document")
    functions = [
        function(5, [2, 1, 4], [2, 1], SUBMIT),
        function(6, [9], [4], (9, event), **PLAIN),
    ]
    found = app([CHATBOT, BOX, STATE, file], functions)
    chat = find_chat(found)
    assert [each.id for each in chat.uploads[9]] == [6]
    assert [each.name for each in chat.settings(found)] == ["document"]


@pytest.mark.parametrize("kind", ["textbox", "markdown", "json", "label"])
def test_app_without_a_chatbot_turns_the_box_into_a_text(kind: str) -> None:
    """It is found only where nothing fills a chatbot; flagging and clearing are left out."""
    functions = [
        function(5, [2], [6], SUBMIT, CLICK),
        function(7, [2, 6], [], (9, "click"), **PLAIN),
    ]
    parts = [BOX, BUTTON, component(6, kind), labelled(9, "Flag")]
    chat = find_chat(app(parts, functions))
    assert (ids(chat), chat.chatbot, chat.shown.id, chat.keeps_state) == ([5], None, 6, False)
    asking = function(8, [2, 1], [1], (10, "click"))
    chat = find_chat(app([*parts, CHATBOT, labelled(10, "Ask")], [*functions, asking]))
    assert ids(chat) == [8]
