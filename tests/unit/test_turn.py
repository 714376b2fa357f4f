"""What the caller wants said."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from langchain_g4f.core.chat_request import (
    NO_TOOLS,
    ChatRequest,
    Media,
    Message,
    RemoteMedia,
    history_digest,
)

CANARY = "canary-f3a91c77d2"


def test_digest_tells_media_apart() -> None:
    """By the bytes, or by the address where they are not known."""
    assert Media(b"x", "image/png", "x.png").digest == hashlib.sha256(b"x").hexdigest()
    assert RemoteMedia("http://x").digest == hashlib.sha256(b"http://x").hexdigest()


@pytest.mark.parametrize("media", [Media(CANARY.encode(), "", ""), RemoteMedia(CANARY)])
def test_repr_of_media_shows_neither_bytes_nor_address(media: object) -> None:
    """A signed address is a credential, and bytes are long."""
    assert CANARY not in repr(media)


PNG = Media(b"x", "image/png", "x.png")
HISTORY = (Message("user", "a", (PNG,)), Message("assistant", "b"))


def digest(*messages: Message, system: str = "s", model: str = "m") -> str:
    """Name a history."""
    return history_digest(messages, system, model)


def test_equal_histories_have_the_same_name() -> None:
    """Whatever files are called, and wherever the service keeps an answer."""
    same = (
        Message("user", "a", (Media(b"x", "image/jpeg", "y.jpg"),)),
        Message("assistant", "b", handle={"conversation": "c"}, state="part"),
    )
    assert digest(*HISTORY) == digest(*same) == digest(*HISTORY)
    assert len(digest()) == 32


@pytest.mark.parametrize(
    ("messages", "more"),
    [
        (HISTORY, {"system": "t"}),
        (HISTORY, {"model": "n"}),
        (HISTORY, {"system": "m", "model": "s"}),
        (HISTORY[:1], {}),
        (HISTORY[::-1], {}),
        ((Message("user", "a"), HISTORY[1]), {}),
        ((Message("user", "a", (PNG, PNG)), HISTORY[1]), {}),
        ((HISTORY[0], Message("user", "b")), {}),
        ((HISTORY[0], Message("assistant", "b ")), {}),
        ((Message("user", "a", (Media(b"y", "image/png", "x.png"),)), HISTORY[1]), {}),
        ((Message("user", "a", (RemoteMedia("http://x"),)), HISTORY[1]), {}),
    ],
)
def test_other_histories_have_other_names(
    messages: tuple[Message, ...], more: dict[str, str]
) -> None:
    """Every word, role, file and its place count."""
    assert digest(*messages, **more) != digest(*HISTORY)


@pytest.mark.parametrize("kind", [Media, RemoteMedia])
def test_file_that_goes_once_is_no_part_of_the_history(kind: type[Any]) -> None:
    """The next call does not have it."""
    given = ("http://x", "", False) if kind is RemoteMedia else (b"y", "image/png", "y.png", False)
    once = Message("user", "a", (PNG, kind(*given)))
    assert digest(once, HISTORY[1]) == digest(*HISTORY)


def test_text_cut_inside_a_character_has_a_name_too() -> None:
    """It is refused elsewhere, with a reason."""
    assert digest(Message("user", "\ud83d")) != digest(Message("user", "?"))


def test_what_the_caller_does_not_have_is_no_part_of_the_history() -> None:
    """Notes of a call, and messages that were added to it."""
    noted = (Message("user", "a", (PNG,), note="note"), HISTORY[1])
    added = (*HISTORY, Message("assistant", "x", in_history=False))
    assert digest(*noted) == digest(*added) == digest(*HISTORY)


@pytest.mark.parametrize(
    ("system", "tools", "told"),
    [("", "", ""), ("s", "", "s"), ("", "t", "t"), ("s", "t", "s\n\nt")],
)
def test_instructions_are_system_prompt_and_tools(system: str, tools: str, told: str) -> None:
    """The caller's words come first."""
    assert ChatRequest(HISTORY, system=system, tools=tools).instructions == told


def test_tools_are_said_again_where_they_are_not_those_that_are_known() -> None:
    """Others, none any more, or some where there were none."""
    some, others, none = (ChatRequest(HISTORY, tools=tools) for tools in ("a", "b", ""))
    assert none.tools_digest == ""
    assert len({some.tools_digest, others.tools_digest, ""}) == 3
    assert some.reminder(some.tools_digest) == none.reminder("") == ""
    assert some.reminder("") == some.reminder(others.tools_digest) == "a"
    assert none.reminder(some.tools_digest) == NO_TOOLS
