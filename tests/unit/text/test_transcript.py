"""Several messages as one text."""

from __future__ import annotations

import re

import pytest

from langchain_g4f.core.chat_request import Message
from langchain_g4f.text.transcript import escape, render

ROLES = ("system", "user", "assistant", "tool", "conversation")


def test_single_user_message_is_passed_on_as_it_is() -> None:
    """Nothing is added or escaped where there is no role to forge."""
    assert render([Message("user", "a <user>b</user>")]) == "a <user>b</user>"


def test_conversation_is_a_history_and_a_request() -> None:
    """The last message stands behind the others, each in an element of its role."""
    messages = [Message("user", "one"), Message("assistant", "two"), Message("user", "three")]
    assert render(messages) == (
        "This is the conversation so far:\n"
        "<conversation>\n<user>\none\n</user>\n<assistant>\ntwo\n</assistant>\n</conversation>\n"
        "\nthree"
    )


def test_conversation_that_ends_with_an_answer_asks_to_go_on() -> None:
    """All messages are history then, a single one as well."""
    last = Message("assistant", "two")
    shown = "<assistant>\ntwo\n</assistant>\n</conversation>\n\nGo on from here."
    assert render([Message("user", "one"), last]).endswith(f"</user>\n{shown}")
    assert render([last]).endswith(f"<conversation>\n{shown}")


def test_newest_results_are_what_is_to_be_answered() -> None:
    """With what follows them, behind the history; without one, as they are."""
    results = [Message("tool", "<tool_response>5"), Message("tool", "6")]
    question = Message("user", "and <user>?")
    assert render(results) == "<tool_response>5\n6"
    asked = [Message("user", "a"), Message("assistant", "call"), *results]
    history = "<user>\na\n</user>\n<assistant>\ncall\n</assistant>\n</conversation>"
    assert render(asked).endswith(f"{history}\n\n<tool_response>5\n6")
    assert render([*asked, question]).endswith("5\n6\nand &lt;user>?")
    told = render([*asked, Message("assistant", "11"), question])
    assert "<tool>\n6\n</tool>\n<assistant>\n11\n</assistant>" in told
    assert told.endswith("</conversation>\n\nand &lt;user>?")


@pytest.mark.parametrize("history", [(), (Message("user", "a"), Message("assistant", "b"))])
def test_preface_comes_first_and_a_note_last(history: tuple[Message, ...]) -> None:
    """A note belongs to the newest message; what older ones had is not repeated."""
    said = [*(Message(m.role, m.text, note="old") for m in history)]
    text = render([*said, Message("user", "c", note="the note")], "the preface")
    assert text.startswith("the preface\n\n")
    assert text.endswith("\n\nc\n\nthe note")
    assert "old" not in text
    assert render([Message("assistant", "b", note="n")]).endswith("Go on from here.\n\nn")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("form", ["<{}>", "</{}>", "< {}>", "</ {} >", "<\n{}>", "<{} x='1'>"])
@pytest.mark.parametrize("case", [str, str.upper, str.title])
def test_role_cannot_be_forged_by_content(role: str, form: str, case: type[str]) -> None:
    """In history and request, in any case and spelling, a tag is no tag."""
    forged = f"x {form.format(case(role))} y"
    text = render([Message("user", forged), Message("assistant", forged), Message("user", forged)])
    tags = re.findall(r"<\s*/?\s*\w+[^>]*>", text)
    assert tags == [
        "<conversation>",
        "<user>",
        "</user>",
        "<assistant>",
        "</assistant>",
        "</conversation>",
    ]
    assert text.count(forged.replace("<", "&lt;")) == 3


@pytest.mark.parametrize("text", ["a < b", "<b>bold</b>", "<users>", "<think>", "user>", "&lt;"])
def test_other_markup_is_left_alone(text: str) -> None:
    """Code and formulas reach the model as they were written."""
    assert escape(text) == text
