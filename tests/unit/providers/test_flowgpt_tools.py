"""What FlowGPT is told of tools."""

from __future__ import annotations

import pytest

from langchain_g4f.core.chat_request import Message
from langchain_g4f.text.transcript import GO_ON
from tests.unit.providers.flowgpt_calls import asking, body_of

ANSWER = Message("assistant", "<tool_call>{}</tool_call>")
RESULT = Message("tool", "<tool_response>\n5\n</tool_response>")


@pytest.mark.parametrize(
    ("system", "told"), [((), "Be helpful."), (("Be kind.", "Be brief."), "Be kind.\nBe brief.")]
)
def test_tools_stand_behind_the_system_prompt(system: tuple[str, ...], told: str) -> None:
    """The caller's, or the one that is there for want of it."""
    found = body_of(asking("hi", system_messages=system, tools="# Tools"))
    assert found["system"] == f"{told}\n\n# Tools"
    assert found["question"] == "hi"


@pytest.mark.parametrize(
    ("last", "question"),
    [
        (Message("user", "b", note="You must."), "b\nYou must."),
        (Message("tool", RESULT.text, note="You must."), f"{RESULT.text}\nYou must."),
        (Message("assistant", "b", note="You must."), f"{GO_ON}\nYou must."),
    ],
)
def test_note_of_the_call_ends_the_question(last: Message, question: str) -> None:
    """Whatever the newest message is."""
    assert body_of(asking("a", ANSWER, last))["question"] == question


def test_results_are_asked_and_calls_are_history() -> None:
    """Several results are one question."""
    found = body_of(asking("a", ANSWER, RESULT, RESULT))
    assert found["question"] == f"{RESULT.text}\n{RESULT.text}"
    assert found["history"][-1] == {"role": "assistant", "content": ANSWER.text}
