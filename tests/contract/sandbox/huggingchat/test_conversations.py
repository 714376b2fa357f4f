"""Conversations are the server's own: a turn sends what is new, under the answer it follows."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, SystemMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.testing import Sandbox
from tests.contract.sandbox.huggingchat.asking import (
    MODEL,
    WAYS,
    Generation,
    ask,
    asked,
    branches,
    echo,
    handle,
    history,
    inputs,
    only,
    paths,
    sends,
)


@pytest.mark.proves("promise:native-conversations", "obligation:huggingchat:17")
@pytest.mark.parametrize("way", WAYS)
async def test_second_turn_sends_only_what_is_new_under_the_answer(
    model: ChatHuggingChat, sandbox: Sandbox, way: str
) -> None:
    """The server's tree grows by one turn, and the model gets the history once."""
    first = await ask(model, way, "one")
    second = await ask(model, way, history("one", first, "two"))
    assert second.text == echo(2, "two")
    assert inputs(sandbox) == ["one", "two"]
    assert sends(sandbox)[1]["id"] == only(sandbox).messages[2].id
    assert branches(only(sandbox)) == [["one", echo(1, "one"), "two", echo(2, "two")]]
    assert asked(sandbox)[1] == [("user", "one"), ("assistant", echo(1, "one")), ("user", "two")]


@pytest.mark.proves("promise:native-conversations", "obligation:huggingchat:4")
async def test_turn_costs_one_read_and_one_message(
    model: ChatHuggingChat, sandbox: Sandbox, generation: Generation
) -> None:
    """The generation is found out once, and the answer's id is read before the next turn."""
    answers = history("one", await model.ainvoke("one"))
    for text in ("two", "three"):
        answers = history(answers, text)
        answers.append(await model.ainvoke(answers))
    conversation = f"/chat/conversation/{only(sandbox).id}"
    read, first_reads = (
        f"GET {conversation}/__data.json",
        [
            f"GET /chat/api/v2/conversations/{only(sandbox).id}",
            f"GET {conversation}/__data.json",
        ],
    )
    if generation == "current":
        read, first_reads = f"GET /chat/api/v2/conversations/{only(sandbox).id}", []
    assert paths(sandbox) == [
        "POST /chat/conversation",
        *first_reads,
        f"POST {conversation}",
        *[read, f"POST {conversation}"] * 2,
    ]


@pytest.mark.proves("promise:branches")
@pytest.mark.parametrize("way", WAYS)
async def test_another_question_after_the_same_answer_is_a_branch(
    model: ChatHuggingChat, sandbox: Sandbox, way: str
) -> None:
    """Going back and asking differently leaves both branches in one conversation."""
    first = history("one", await ask(model, way, "one"))
    left = history(first, "left", await ask(model, way, history(first, "left")))
    right = history(first, "right", await ask(model, way, history(first, "right")))
    await ask(model, way, history(left, "left again"))
    await ask(model, way, history(right, "right again"))
    trunk = ["one", echo(1, "one")]
    assert branches(only(sandbox)) == [
        [*trunk, "left", echo(2, "left"), "left again", echo(3, "left again")],
        [*trunk, "right", echo(2, "right"), "right again", echo(3, "right again")],
    ]
    assert [text for _, text in asked(sandbox)[-1]] == branches(only(sandbox))[1][:-1]


@pytest.mark.proves("promise:branches")
async def test_same_question_twice_after_an_answer_is_two_branches(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """Each answer finds itself again among equal siblings."""
    first = history("one", await model.ainvoke("one"))
    twice = [await model.ainvoke(history(first, "again [[say:x]]")) for _ in range(2)]
    for number, answer in enumerate(twice):
        await model.ainvoke(history(first, "again [[say:x]]", answer, f"to {number}"))
    assert [branch[-2] for branch in branches(only(sandbox))] == ["to 0", "to 1"]
    answers = {only(sandbox).messages[at].id for at in (4, 6)}
    assert {data["id"] for data in sends(sandbox)[3:]} == answers


async def test_system_prompt_stays_with_its_conversation(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """It is said when the conversation begins; later turns do not repeat it."""
    begin = history(SystemMessage("Be brief."), "one")
    answer = await model.ainvoke(begin)
    await model.ainvoke(history(begin, answer, "two"))
    assert inputs(sandbox) == ["one", "two"]
    assert only(sandbox).preprompt == "Be brief."
    system, *_ = asked(sandbox)[1]
    assert system == ("system", "Be brief.\n\nBe brief.")  # the server says it twice


@pytest.mark.parametrize("way", WAYS)
async def test_reasoning_does_not_stand_in_the_way(
    sandbox: Sandbox, generation: Generation, way: str
) -> None:
    """The server's answer includes what its model thought; the caller's does not."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
    prompt = "why [[think]]" if generation == "current" else "why [[think-inline]]"
    first = await ask(model, way, prompt)
    assert first.additional_kwargs["reasoning_content"]
    await ask(model, way, history(prompt, first, "and"))
    assert inputs(sandbox) == [prompt, "and"]


async def test_reasoner_goes_on_natively(sandbox: Sandbox) -> None:
    """Reasoning that the server keeps apart from its text does not matter either."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model="sandbox/reasoner")
    first = await model.ainvoke("why")
    assert first.additional_kwargs["reasoning_content"]
    await model.ainvoke(history("why", first, "and"))
    assert inputs(sandbox) == ["why", "and"]


@pytest.mark.proves("promise:native-conversations")
async def test_several_new_messages_become_one_message(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """What other assistants said in between is told to the model in one new message."""
    first = await model.ainvoke("one")
    between = AIMessage("I am somebody else.")
    await model.ainvoke(history("one", first, "two", between, "three"))
    assert len(sandbox.conversations) == 1
    assert inputs(sandbox)[1] == (
        "This is the conversation so far:\n<conversation>\n"
        "<user>\ntwo\n</user>\n<assistant>\nI am somebody else.\n</assistant>\n"
        "</conversation>\n\nthree"
    )


async def test_conversation_goes_on_after_an_assistant_from_elsewhere(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """The answer to such a message is one to go on from, like any other."""
    first = history("one", await model.ainvoke("one"), "two", AIMessage("Not me."), "three")
    first.append(await model.ainvoke(first))
    await model.ainvoke(history(first, "four"))
    assert inputs(sandbox)[2] == "four"
    assert len(sandbox.conversations) == 1


async def test_model_objects_share_a_conversation(sandbox: Sandbox) -> None:
    """Who goes on need not be the object that began, if both are the same caller."""
    cookies = {"hf-chat": "11111111-1111-4111-8111-111111111111"}
    one, other = (
        ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, cookies=cookies) for _ in range(2)
    )
    first = await one.ainvoke("one")
    await other.ainvoke(history("one", first, "two"))
    assert branches(only(sandbox)) == [["one", echo(1, "one"), "two", echo(2, "two")]]


async def test_empty_session_of_another_caller_is_a_new_conversation(sandbox: Sandbox) -> None:
    """Somebody else's conversation cannot be gone on with, so the history goes along."""
    one, other = (
        ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, cookies={"hf-chat": f"c{n}"})
        for n in range(2)
    )
    first = await one.ainvoke("one")
    answer = await other.ainvoke(history("one", first, "two"))
    assert len(sandbox.conversations) == 2
    assert "one" in (inputs(sandbox)[1] or "")
    assert handle(answer)["conversation"] != handle(first)["conversation"]
