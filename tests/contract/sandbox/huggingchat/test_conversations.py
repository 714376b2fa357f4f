"""Conversations of the server: what follows an answer, and what begins a new conversation."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.testing import Sandbox
from tests.contract.sandbox.huggingchat.asking import (
    MODEL,
    OTHER_MODEL,
    Generation,
    Watcher,
    asked,
    branches,
    echo,
    handle,
    history,
    inputs,
    only,
    sends,
)


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


async def test_reasoning_does_not_stand_in_the_way(
    sandbox: Sandbox, generation: Generation
) -> None:
    """The server's answer includes what its model thought; the caller's does not."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
    prompt = "why [[think]]" if generation == "current" else "why [[think-inline]]"
    first = await model.ainvoke(prompt)
    assert first.additional_kwargs["reasoning_content"]
    await model.ainvoke(history(prompt, first, "and"))
    assert inputs(sandbox) == [prompt, "and"]


@pytest.mark.proves("promise:native-conversations")
async def test_several_new_messages_become_one_message(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """What other assistants said in between is told to the model in one new message."""
    first = await model.ainvoke("one")
    between = AIMessage("I am another model.")
    await model.ainvoke(history("one", first, "two", between, "three"))
    assert len(sandbox.conversations) == 1
    assert inputs(sandbox)[1] == (
        "This is the conversation so far:\n<conversation>\n"
        "<user>\ntwo\n</user>\n<assistant>\nI am another model.\n</assistant>\n"
        "</conversation>\n\nthree"
    )


async def test_empty_session_of_another_caller_is_a_new_conversation(sandbox: Sandbox) -> None:
    """Another caller's conversation cannot be continued, so the history is sent along."""
    one, other = (
        ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, cookies={"hf-chat": f"c{n}"})
        for n in range(2)
    )
    first = await one.ainvoke("one")
    answer = await other.ainvoke(history("one", first, "two"))
    assert len(sandbox.conversations) == 2
    assert "one" in (inputs(sandbox)[1] or "")
    assert handle(answer)["conversation"] != handle(first)["conversation"]


async def two_turns(model: ChatHuggingChat, *before: BaseMessage) -> list[BaseMessage]:
    """A history of two questions and their answers."""
    found = history(before, "one")
    found.append(await model.ainvoke(found))
    found = history(found, "two")
    found.append(await model.ainvoke(found))
    return found


def transcript(*turns: tuple[str, str], request: str) -> str:
    """The first message of a conversation that begins in the middle."""
    told = "\n".join(f"<{role}>\n{text}\n</{role}>" for role, text in turns)
    head = f"This is the conversation so far:\n<conversation>\n{told}\n</conversation>"
    return f"{head}\n\n{request}"


@pytest.mark.proves("promise:changed-history")
async def test_edited_first_question_begins_a_new_conversation(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """No stored answer follows from it: everything is sent again, with roles."""
    edited = await two_turns(model)
    edited[0] = HumanMessage("uno")
    answer = await model.ainvoke(history(edited, "three"))
    assert len(sandbox.conversations) == 2
    turns = [("user", "uno"), ("assistant", echo(1, "one")), ("user", "two")]
    assert inputs(sandbox)[2] == transcript(*turns, ("assistant", echo(2, "two")), request="three")
    begun = sandbox.conversations[handle(answer)["conversation"]]
    assert len(begun.messages) == 3
    await model.ainvoke(history(edited, "three", answer, "four"))
    assert (len(sandbox.conversations), inputs(sandbox)[3]) == (2, "four")


@pytest.mark.proves("promise:changed-history")
@pytest.mark.parametrize("kept", [1, 2])
async def test_trimmed_history_begins_a_new_conversation(
    model: ChatHuggingChat, sandbox: Sandbox, kept: int
) -> None:
    """Cut from the front, the model is told what is left and nothing else."""
    turns = await two_turns(model)
    trimmed = turns[-kept:]
    await model.ainvoke(history(trimmed, "three"))
    assert len(sandbox.conversations) == 2
    roles = {"human": "user", "ai": "assistant"}
    told = [(roles[message.type], message.text) for message in trimmed]
    assert asked(sandbox)[2] == [("user", transcript(*told, request="three"))]


@pytest.mark.proves("promise:changed-history")
@pytest.mark.parametrize("system", [None, "Be long."])
async def test_other_system_prompt_begins_a_new_conversation(
    model: ChatHuggingChat, sandbox: Sandbox, system: str | None
) -> None:
    """A server sets it once, when a conversation begins; the transcript does not repeat it."""
    turns = await two_turns(model, SystemMessage("Be brief."))
    changed = [SystemMessage(system)] if system else []
    await model.ainvoke(history(changed, turns[1:], "three"))
    assert len(sandbox.conversations) == 2
    assert [c.preprompt for c in sandbox.conversations.values()] == ["Be brief.", system or ""]
    assert "Be " not in (inputs(sandbox)[2] or "")


@pytest.mark.proves("promise:changed-history", "promise:per-call-model")
async def test_other_model_begins_a_new_conversation(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """A conversation has one model; the other one is told what was said."""
    turns = await two_turns(model)
    answer = await model.ainvoke(history(turns, "three"), model=OTHER_MODEL)
    assert [c.model for c in sandbox.conversations.values()] == [MODEL, OTHER_MODEL]
    assert answer.text.startswith(f"Echo ({OTHER_MODEL}, turn 1): This is the conversation so far")
    # and back again: the first model's conversation lacks what the second said
    await model.ainvoke(history(turns, "three", answer, "four"))
    assert len(sandbox.conversations) == 2
    assert f"<assistant>\n{answer.text[:20]}" in (inputs(sandbox)[3] or "")


@pytest.mark.proves("promise:changed-history")
@pytest.mark.parametrize("at", [1, 3], ids=["earlier", "last"])
async def test_edited_answer_begins_a_new_conversation(sandbox: Sandbox, at: int) -> None:
    """The server's own answer would contradict the caller's; progress says so."""
    watcher = Watcher()
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, on_progress=watcher)
    turns = await two_turns(model)
    watcher.seen.clear()
    turns[at] = turns[at].model_copy(update={"content": "I never said that."})
    await model.ainvoke(history(turns, "three"))
    assert watcher.kinds[0] == "conversation_changed"
    assert len(sandbox.conversations) == 2
    assert "<assistant>\nI never said that.\n</assistant>" in (inputs(sandbox)[2] or "")
