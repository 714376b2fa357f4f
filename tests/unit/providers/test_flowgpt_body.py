"""What is said, in the fields of FlowGPT's request (docs/protocols/flowgpt.md, section 5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from langchain_g4f import errors
from langchain_g4f.core.chat_request import Media, Message, RemoteMedia
from langchain_g4f.text.transcript import GO_ON
from tests.contract.recordings.flowgpt.marks import obligations
from tests.unit.providers.flowgpt_calls import SERVICE, asking, body_of, started

GREETED = {"role": "assistant", "content": "Hello!"}


@obligations(9)
def test_body_has_the_fields_of_the_document() -> None:
    """All of them, in the order in which they were recorded."""
    found = body_of(asking("hi", options={"temperature": 0.25}))
    assert list(found.items()) == [
        ("model", "gpt-3.5-turbo"),
        ("nsfw", False),
        ("question", "hi"),
        ("history", [GREETED]),
        ("system", "Be helpful."),
        ("temperature", 0.25),
        ("promptId", "model-gpt-3.5-turbo"),
        ("documentIds", []),
        ("chatFileDocumentIds", []),
        ("generateImage", False),
        ("generateAudio", False),
    ]


def user(text: str) -> dict[str, str]:
    """A user's turn in the history."""
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    """An answer in the history."""
    return {"role": "assistant", "content": text}


ANSWER = Message("assistant", "4")
MAPPED: list[Any] = [
    pytest.param(["a", ANSWER, "b"], [user("a"), assistant("4")], "b", id="multi-turn"),
    pytest.param(["a", "b"], [], "a\nb", id="two questions"),
    pytest.param(
        ["a", ANSWER, Message("tool", "r1"), Message("tool", "r2")],
        [user("a"), assistant("4")],
        "r1\nr2",
        id="tool results last",
    ),
    pytest.param(
        ["a", ANSWER, Message("tool", "r"), "b"],
        [user("a"), assistant("4")],
        "r\nb",
        id="tool result and question last",
    ),
    pytest.param(
        ["a", ANSWER, Message("tool", "r"), ANSWER, "b"],
        [user("a"), assistant("4"), user("r"), assistant("4")],
        "b",
        id="tool result in the history",
    ),
    pytest.param(["a", ANSWER], [user("a"), assistant("4")], GO_ON, id="answer last"),
    pytest.param(["a", ANSWER, ANSWER], [user("a"), *[assistant("4")] * 2], GO_ON, id="answers"),
    pytest.param(["a", ANSWER, ""], [user("a"), assistant("4")], GO_ON, id="nothing said"),
    pytest.param(["zażółć 😃\u2028"], [], "zażółć 😃\u2028", id="unicode"),
]


@pytest.mark.proves("fault:51:FG")
@pytest.mark.parametrize(("messages", "history", "question"), MAPPED)
def test_what_was_not_answered_is_the_question(
    messages: list[Message | str], history: list[Any], question: str
) -> None:
    """The trailing run of messages that are no answer; the rest is history, each in its role."""
    found = body_of(asking(*messages))
    assert (found["history"], found["question"]) == ([GREETED, *history], question)


@obligations(9)
def test_greeting_may_be_left_out() -> None:
    """Then the history is that of the caller."""
    assert body_of(asking("a"), replace(SERVICE, greeting=""))["history"] == []


@obligations(9)
@pytest.mark.parametrize(
    ("said", "default", "sent"),
    [
        ((), "Be helpful.", "Be helpful."),
        ((), "", ""),
        (("Be brief.",), "Be helpful.", "Be brief."),
        (("Be brief.", "Be\n\nkind."), "", "Be brief.\nBe\n\nkind."),
    ],
)
def test_system_messages_are_lines_and_replace_the_default(
    said: tuple[str, ...], default: str, sent: str
) -> None:
    """All of them, in order."""
    chat_request = asking("a", system="\n\n".join(said), system_messages=said)
    assert body_of(chat_request, replace(SERVICE, default_system=default))["system"] == sent


@pytest.mark.parametrize(("given", "sent"), [(None, 0.7), (0, 0), (1.5, 1.5), (-1, -1)])
def test_temperature_is_the_callers_or_what_clients_send(given: object, sent: float) -> None:
    """Which values make sense is for the service to say."""
    assert body_of(asking("a", options={"temperature": given}))["temperature"] == sent


@pytest.mark.parametrize("given", ["0.5", True, float("nan"), float("inf"), [0.5]])
def test_temperature_that_is_no_number_is_refused(given: object) -> None:
    """Before anything is sent; it is not replaced in silence."""
    with pytest.raises(errors.ConfigurationError, match="temperature: expected a number"):
        started(asking("a", options={"temperature": given}))


@pytest.mark.proves("fault:49:FG")
@pytest.mark.parametrize(
    "media", [Media(b"\x89PNG", "image/png", "a.png"), RemoteMedia("https://example.org/a.png")]
)
@pytest.mark.parametrize("place", [0, 2])
def test_image_is_refused_wherever_it_is(media: Media | RemoteMedia, place: int) -> None:
    """Before anything is sent or fetched."""
    messages = [Message("user", "a"), ANSWER, Message("user", "b")]
    messages[place] = replace(messages[place], media=(media,))
    with pytest.raises(errors.UnsupportedMediaError, match="takes text only"):
        started(asking(*messages))
