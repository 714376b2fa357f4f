"""Messages, with media, tool calls and results, as the service is told them."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
    messages_from_dict,
    messages_to_dict,
)
from langchain_core.messages.tool import invalid_tool_call

from langchain_g4f import ChatHuggingChat
from langchain_g4f.chat_models.messages import known_nonce, to_chat_request
from langchain_g4f.core.chat_request import ChatRequest, Media, Message
from langchain_g4f.errors import ConfigurationError, UnsupportedMediaError
from langchain_g4f.testing import Sandbox
from tests.unit.chat_models.tools import ADD, add, asked, saying, systems
from tests.unit.chat_models.ways import ask

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").decode()
IMAGE = {"type": "image", "base64": PNG, "mime_type": "image/png"}
CALL = ToolCall(name="add", args={"a": 2, "b": 3}, id="c1")
RENDERED = '<tool_call>{"name": "add", "arguments": {"a": 2, "b": 3}}</tool_call>'
ASKED = HumanMessage("2 and 3?")


def said(sandbox: Sandbox) -> str:
    """The user text the server's model was given last."""
    (*_, last) = sandbox.prompts[-1]
    assert last["role"] == "user"
    return str(last["content"])


@pytest.mark.proves("promise:system-prompt")
async def test_system_messages_become_the_conversations_prompt(
    model: ChatHuggingChat, sandbox: Sandbox, mode: str
) -> None:
    """All of them, in order, apart from what the user says."""
    messages = [
        SystemMessage("Be brief."),
        HumanMessage("hi"),
        ChatMessage(role="developer", content="Be kind."),
    ]
    await ask(model, mode, messages)
    (create, _) = sandbox.requests
    assert create.json["preprompt"] == "Be brief.\n\nBe kind."
    assert said(sandbox) == "hi"


def test_history_is_told_with_its_roles(model: ChatHuggingChat, sandbox: Sandbox) -> None:
    """A service that takes one message is given the conversation as one text."""
    model.invoke([HumanMessage("two?"), AIMessage("Three."), HumanMessage("sure?")])
    assert said(sandbox) == (
        "This is the conversation so far:\n<conversation>\n<user>\ntwo?\n</user>\n"
        "<assistant>\nThree.\n</assistant>\n</conversation>\n\nsure?"
    )


def test_text_blocks_and_names_are_read(model: ChatHuggingChat, sandbox: Sandbox) -> None:
    """Content may be a list of blocks, and a name does no harm."""
    blocks: list[str | dict[Any, Any]] = ["one ", {"type": "text", "text": "two"}]
    model.invoke([HumanMessage(blocks, name="ada")])
    assert said(sandbox) == "one two"


def test_reasoning_of_earlier_answers_is_not_told_again(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """An answer goes back into the history as it was, without its thoughts."""
    answer = model.invoke("why? [[think]]")
    blocks: list[str | dict[Any, Any]] = [
        {"type": "reasoning", "reasoning": "secretly"},
        {"type": "thinking", "thinking": "secretly"},
        {"type": "text", "text": "openly"},
    ]
    model.invoke([HumanMessage("why?"), answer, AIMessage(blocks), HumanMessage("why not?")])
    assert "First I look" not in said(sandbox)
    assert "secretly" not in said(sandbox)
    assert "<assistant>\nopenly\n</assistant>" in said(sandbox)


REFUSED: dict[str, list[BaseMessage]] = {
    "nothing": [],
    "system only": [SystemMessage("Be brief.")],
    "empty": [HumanMessage("")],
    "blank": [HumanMessage(" \n\t")],
    "assistant only": [AIMessage("hi")],
    "strange role": [ChatMessage(role="judge", content="hi")],
    "a call only": [AIMessage("", tool_calls=[CALL])],
    "a result only": [ToolMessage("2", tool_call_id="1")],
}


@pytest.mark.parametrize("messages", REFUSED.values(), ids=REFUSED)
async def test_what_cannot_be_said_is_refused_before_anything_is_sent(
    model: ChatHuggingChat, sandbox: Sandbox, messages: list[BaseMessage], mode: str
) -> None:
    """No message is dropped in silence; the server hears nothing."""
    with pytest.raises(ConfigurationError):
        await ask(model, mode, messages)
    assert not sandbox.requests


@pytest.mark.parametrize("kind", ["image/png", "audio/wav", "video/mp4", "application/pdf"])
async def test_media_that_the_model_does_not_take_begins_no_conversation(
    model: ChatHuggingChat, sandbox: Sandbox, mode: str, kind: str
) -> None:
    """A picture for a model without eyes is an error, not a question without its picture."""
    block = {"type": kind.partition("/")[0], "base64": PNG, "mime_type": kind}
    block["type"] = "file" if block["type"] == "application" else block["type"]
    with pytest.raises(UnsupportedMediaError):
        await ask(model, mode, [HumanMessage([{"type": "text", "text": "see"}, block])])
    assert not sandbox.conversations


def turned(*messages: BaseMessage, **more: Any) -> ChatRequest:
    """The turn of these messages."""
    return to_chat_request(messages, model="m", options={}, **more)


def test_half_of_a_surrogate_pair_is_refused() -> None:
    """It cannot be encoded, wherever it stands."""
    for messages in ([HumanMessage("\ud83d")], [SystemMessage("\ud83d"), ASKED]):
        with pytest.raises(ConfigurationError, match="surrogate"):
            turned(*messages)


def test_media_of_the_call_go_with_the_last_user_message() -> None:
    """Besides what that has itself."""
    given = Media(b"x", "image/png", "x.png")
    chat_request = turned(
        ASKED, AIMessage("a"), ASKED, ToolMessage("5", tool_call_id="1"), media=[given]
    )
    assert [message.media for message in chat_request.messages] == [(), (), (given,), ()]


@pytest.mark.parametrize(
    ("metadata", "state"),
    [
        ({"finish_reason": "stop"}, "whole"),
        ({"finish_reason": "stop", "restarted": True}, "restarted"),
        ({"finish_reason": "stop", "restarted": True, "final_text": "b"}, "whole"),
        ({"finish_reason": "interrupted", "restarted": True, "final_text": "b"}, "part"),
        ({"finish_reason": "stop", "stop_sequence": "#"}, "part"),
        ({}, "part"),
    ],
)
def test_answer_says_how_much_of_it_the_caller_has(metadata: dict[str, Any], state: str) -> None:
    """By what its metadata tell of its end."""
    chat_request = turned(ASKED, AIMessage("a", response_metadata=metadata), ASKED)
    assert chat_request.messages[1].state == state
    assert chat_request.messages[1].text == metadata.get("final_text", "a")


def test_system_message_with_an_image_is_refused() -> None:
    """There is no place for it; blocks of text are joined."""
    text: list[str | dict[Any, Any]] = [{"type": "text", "text": "Be brief."}]
    image = {"type": "image", "base64": PNG, "mime_type": "image/png"}
    assert turned(SystemMessage(text), ASKED).system == "Be brief."
    with pytest.raises(UnsupportedMediaError, match="'image'"):
        turned(SystemMessage([*text, image]), ASKED)


def shown(*messages: BaseMessage) -> tuple[Message, ...]:
    """The messages as the providers get them."""
    return to_chat_request(messages, model="m", options={}).messages


def test_call_and_result_read_as_the_model_writes_and_is_told_them() -> None:
    """The text of an answer comes first, then its calls."""
    (_, answer, result) = shown(
        ASKED,
        AIMessage("Let me see.", tool_calls=[CALL, {**CALL, "id": "c2"}]),
        ToolMessage("5", tool_call_id="c1", name="add"),
    )
    assert (answer.role, answer.text) == ("assistant", f"Let me see.\n{RENDERED}\n{RENDERED}")
    assert result == Message(
        "tool", '<tool_response id="c1" name="add" status="success">\n5\n</tool_response>'
    )


@pytest.mark.parametrize(
    ("message", "role", "begin"),
    [
        (FunctionMessage(content="5", name="add"), "tool", '<tool_response name="add" status="suc'),
        (ChatMessage(role="human", content="5"), "user", "5"),
        (ChatMessage(role="assistant", content="5"), "assistant", "5"),
    ],
)
def test_message_of_another_class_has_the_role_that_it_names(
    message: BaseMessage, role: str, begin: str
) -> None:
    """A function's result has a name and no id."""
    (_, found, _) = shown(ASKED, message, ASKED)
    assert (found.role, found.text[: len(begin)]) == (role, begin)


def test_calls_of_anthropic_are_told_once() -> None:
    """They stand in the content and in `tool_calls`; thoughts are left out."""
    blocks: list[str | dict[Any, Any]] = [
        {"type": "thinking", "thinking": "secretly", "signature": "x"},
        {"type": "text", "text": "Let me see."},
        {"type": "tool_use", "id": "c1", "name": "add", "input": {"a": 2, "b": 3}},
    ]
    (_, answer, _) = shown(
        ASKED, AIMessage(blocks, tool_calls=[CALL]), ToolMessage("5", tool_call_id="c1")
    )
    assert answer.text == f"Let me see.\n{RENDERED}"


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ({"content": "5"}, '<tool_response id="c1" status="success">\n5\n</tool_response>'),
        (
            {"content": [{"type": "text", "text": "5"}], "is_error": True},
            '<tool_response id="c1" status="error">\n5\n</tool_response>',
        ),
        ({}, '<tool_response id="c1" status="success">\n\n</tool_response>'),
    ],
)
@pytest.mark.parametrize("more", [[], [{"type": "text", "text": "And now?"}, IMAGE]])
def test_results_of_anthropic_in_a_users_message_are_results(
    block: dict[str, Any], told: str, more: list[Any]
) -> None:
    """What the user says beside them comes after them."""
    given = HumanMessage([{"type": "tool_result", "tool_use_id": "c1", **block}, *more])
    (_, _, result, *rest) = shown(ASKED, AIMessage("", tool_calls=[CALL]), given)
    assert result == Message("tool", told)
    assert [(m.role, m.text, len(m.media)) for m in rest] == [("user", "And now?", 1)][: len(more)]


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        ("\"{'a': oops\"", "<tool_call>\"{'a': oops\"</tool_call>"),
        ('{"a": oops', '<tool_call>"{\\"a\\": oops"</tool_call>'),
        ("[1]", '<tool_call>"[1]"</tool_call>'),
        (None, '<tool_call>""</tool_call>'),
    ],
)
def test_call_that_could_not_be_read_is_told_as_it_was_written(
    arguments: str | None, written: str
) -> None:
    """The model sees what it did; other services' broken arguments are told, too."""
    invalid = invalid_tool_call(name="add", args=arguments, id="c1")
    (_, answer, _) = shown(ASKED, AIMessage("", invalid_tool_calls=[invalid]), ASKED)
    assert answer.text == written


def test_texts_names_and_documents_are_escaped() -> None:
    """Wherever a model may read them; other files stay as they are."""
    (question,) = shown(
        HumanMessage(
            [
                {"type": "text", "text": "a </s>"},
                {"type": "text-plain", "text": "b [INST]", "title": "<|user|>.txt"},
                {**IMAGE, "name": "[INST].png"},
            ],
            name="<s>",
        )
    )
    document, image = question.media
    assert isinstance(document, Media)
    assert isinstance(image, Media)
    assert (question.text, question.name) == ("a &lt;/s>", "&lt;s>")
    assert (document.data, document.name) == (b"b &#91;INST]", "&lt;|user|>.txt")
    assert (image.data, image.name) == (base64.b64decode(PNG), "&#91;INST].png")
    given = [Media(b"\xff</s>", "text/plain", "<s>"), Media(b"</s>", "application/pdf", "a")]
    (question,) = to_chat_request([ASKED], model="m", options={}, media=given).messages
    assert [m.data for m in question.media if isinstance(m, Media)] == [b"\xff&lt;/s>", b"</s>"]


def test_content_of_a_result_that_cannot_be_sent_is_refused() -> None:
    """Nothing is dropped in silence."""
    with pytest.raises(UnsupportedMediaError, match="hologram"):
        shown(
            ASKED,
            AIMessage("", tool_calls=[CALL]),
            ToolMessage([{"type": "hologram"}], tool_call_id="c1"),
        )
    (*_, result) = shown(
        ASKED, AIMessage("", tool_calls=[CALL]), ToolMessage([IMAGE], tool_call_id="c1")
    )
    assert [type(media) for media in result.media] == [Media]


def requests(sandbox: Sandbox) -> list[str]:
    """What was asked, without names of conversations."""
    return [re.sub("[0-9a-f]{24}", "ID", f"{r.method} {r.path}") for r in sandbox.requests]


async def test_conversation_goes_on_with_the_same_id_in_another_process(mode: str) -> None:
    """It travels with the answers, so that the tools are not told again."""
    cookies = {"hf-chat": "11111111-1111-4111-8111-111111111111"}
    with saying(ADD, "Five.", cookies=cookies) as (model, sandbox):
        answer = await ask(model.bind_tools([add]), mode, [ASKED])
        kept = messages_from_dict(messages_to_dict([ASKED, answer]))
        result = ToolMessage("5", tool_call_id=str(answer.tool_calls[0]["id"]))
        other = ChatHuggingChat(base_url=sandbox.base_url, model=model.model, cookies=cookies)
        last = await ask(other.bind_tools([add]), mode, [*kept, result])
        assert asked(sandbox).startswith("<tool_response")
        assert len(sandbox.conversations) == 1
        assert last.response_metadata["tool_nonce"] == answer.response_metadata["tool_nonce"]
        await ask(model.bind_tools([add]), mode, [ASKED])
    (first, second) = re.findall(r'<tool_call id="(\w+)">{"name": "tool', "".join(systems(sandbox)))
    assert first == last.response_metadata["tool_nonce"] != second


@pytest.mark.parametrize("given", ["", "k7f2m9q", '">', 3, ["k7f2m9q4"]])
def test_id_in_a_history_that_is_none_is_left_alone(given: object) -> None:
    """Metadata may have come from anywhere; and what another service said is no matter here."""
    metadata = {"model_provider": "huggingchat", "tool_nonce": given}
    other = {"model_provider": "flowgpt", "tool_nonce": "k7f2m9q4"}
    answers = [AIMessage("", response_metadata=each) for each in (metadata, other)]
    assert known_nonce(answers, "huggingchat") == ""
    assert known_nonce(answers, "flowgpt") == "k7f2m9q4"


async def test_conversation_that_is_named_keeps_its_tools(mode: str) -> None:
    """Its system prompt is that of the caller and the tools, which is no other prompt."""
    with saying(ADD, "Five.") as (model, sandbox):
        bound = model.bind_tools([add])
        said: list[BaseMessage] = [SystemMessage("Be brief."), ASKED]
        answer = await ask(bound, mode, said)
        handle = answer.response_metadata["conversation"]
        result = ToolMessage("5", tool_call_id=str(answer.tool_calls[0]["id"]))
        last = await ask(bound, mode, [*said, answer, result], conversation=handle)
        assert len(sandbox.conversations) == 1
    assert last.content == "Five."
