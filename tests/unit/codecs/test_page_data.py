"""The body that a legacy page's data comes in, made up and recorded."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from langchain_g4f.codecs.devalue import NodeError, page_data
from langchain_g4f.errors import MalformedStreamError

if TYPE_CHECKING:
    from collections.abc import Iterator

CASSETTES = Path(__file__).parents[3] / "cassettes"


def line(value: object) -> bytes:
    """One line of a body."""
    return json.dumps(value).encode() + b"\n"


def page(*nodes: object, chunks: tuple[object, ...] = ()) -> bytes:
    """A body with these nodes, and these lines after them."""
    return b"".join(map(line, [{"type": "data", "nodes": nodes}, *chunks]))


def node(*data: object) -> dict[str, object]:
    """A node with this array."""
    return {"type": "data", "data": data, "uses": {}}


def test_page_data_has_a_value_for_each_node() -> None:
    """One that was not asked for, or did not change, becomes None."""
    body = page(None, {"type": "skip"}, node({"a": 1}, "x"))
    assert page_data(body) == [None, None, {"a": "x"}]
    assert page_data(body.replace(b"\n", b"\r\n\n")) == [None, None, {"a": "x"}]


def test_failed_node_is_an_error_with_its_status() -> None:
    """The server leaves the status out of what it did not expect."""
    body = page(
        node("x"),
        {"type": "error", "status": 404, "error": {"message": "Gone."}},
        {"type": "error", "error": {"message": "An error occurred", "errorId": "1"}},
        {"type": "error", "status": 403, "error": {}},
    )
    expected = [
        "x",
        NodeError(404, "Gone."),
        NodeError(500, "An error occurred"),
        NodeError(403, ""),
    ]
    assert page_data(body) == expected


def test_redirect_is_an_error_that_says_where_to() -> None:
    """It is not followed here."""
    body = line({"type": "redirect", "location": "/chat/login"})
    assert page_data(body) == [NodeError(303, "/chat/login")]


def test_promise_is_filled_by_its_chunk() -> None:
    """Whatever the order of the lines; one without a line, or with a failed one, becomes None."""
    body = page(
        node(
            [1, 3, 5, 7], ["Promise", 2], 1, ["Promise", 4], 2, ["Promise", 6], 3, ["Promise", 8], 4
        ),
        chunks=(
            {"type": "chunk", "id": 2, "data": [["Promise", 1], 5]},
            {"type": "chunk", "id": 3, "error": [{"message": 1}, "no"]},
            {"type": "chunk", "id": 5, "data": [{"late": 1}, True]},
            {"type": "other"},
            {"type": "chunk", "id": 1, "data": -1},
            {"type": "chunk", "id": 0, "data": [7]},
        ),
    )
    assert page_data(body) == [[None, {"late": True}, None, None]]
    assert page_data(page(node(["Promise", 1], 0))) == [None]


def test_promises_of_each_other_are_refused() -> None:
    """A line may wait for a later one, and not for itself."""
    chunk = {"type": "chunk", "id": 1, "data": [["Promise", 1], 1]}
    with pytest.raises(MalformedStreamError, match="contains itself"):
        page_data(page(node(["Promise", 1], 1), chunks=(chunk,)))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "got nothing"),
        (b"\n \n", "got nothing"),
        (b"<!doctype html>", "no JSON in the line at byte 0"),
        (b"[1]\n", "JSON list, no object"),
        (line({}), "missing key 'type'"),
        (line({"type": "chunk", "id": 1, "data": [1]}), "got 'chunk'"),
        (line({"type": "data"}), "missing key 'nodes'"),
        (line({"type": "redirect"}), "missing key 'location'"),
        (page("x"), "expected an object with 'type', got str"),
        (page([]), "expected an object with 'type', got list"),
        (page({}), "missing key 'type'"),
        (page({"type": "data"}), "missing key 'data'"),
        (page({"type": "data", "data": None}), "index 0 does not exist"),
        (page({"type": "error"}), "missing key 'error'"),
        (page({"type": "error", "error": {}, "status": "404"}), "'status' should be int"),
        (page(chunks=({"type": "chunk", "data": [1]},)), "missing key 'id'"),
        (page() + b"{", "no JSON in the line at byte"),
    ],
)
def test_body_of_another_kind_is_an_error_that_says_what_is_wrong(
    body: bytes, message: str
) -> None:
    """Never a KeyError."""
    with pytest.raises(MalformedStreamError, match=message):
        page_data(body)


def recorded() -> Iterator[tuple[str, bytes]]:
    """The recorded bodies of page data, with the names of their cassettes."""
    for cassette in sorted(CASSETTES.glob("huggingchat*/*.yaml")):
        text = cassette.read_text(encoding="utf-8")
        if "__data.json" not in text:
            continue
        for interaction in yaml.load(text, yaml.CSafeLoader)["interactions"]:
            if "__data.json" in interaction["request"]["uri"]:
                body = interaction["response"]["body"]["string"]
                name = cassette.relative_to(CASSETTES).with_suffix("").as_posix()
                yield name, body.encode() if isinstance(body, str) else body


@lru_cache(maxsize=1)
def bodies() -> tuple[tuple[str, bytes], ...]:
    """All of them, read once."""
    return tuple(recorded())


def named(name: str) -> list[list[Any]]:
    """The pages of one cassette."""
    return [page_data(body) for found, body in bodies() if found == name]


def test_every_recorded_body_is_decoded() -> None:
    """A page's conversation is a tree of messages; a layout has the list of models."""
    legacy = [page_data(body) for name, body in bodies() if "legacy/" in name]
    assert len(legacy) == 73
    conversations = 0
    for nodes in legacy:
        layout, conversation = nodes
        assert isinstance(layout, dict)
        assert isinstance(layout["models"], list)
        assert isinstance(layout["assistants"], list)
        if not isinstance(conversation, dict):
            continue
        conversations += 1
        messages: Any = conversation["messages"]
        known = {message["id"] for message in messages}
        assert conversation["rootMessageId"] in known
        for message in messages:
            assert {*message.get("children", ()), *message.get("ancestors", ())} <= known
            assert message["createdAt"].endswith("Z")
    assert conversations >= 60


def test_recorded_errors_have_their_status() -> None:
    """They came with HTTP status 200."""
    (page,) = named("huggingchat-legacy/error-conversation-not-found")
    assert page[1] == NodeError(404, "Conversation not found.")
    (page,) = named("huggingchat-legacy/error-conversation-invalid-id")
    assert page[1] == NodeError(500, "An error occurred")
    *_, page = named("huggingchat-legacy/error-foreign-conversation")
    assert page[1].status == 403


def test_page_that_shares_to_be_large_is_refused() -> None:
    """Each of many messages has the same many updates: whoever looks at all of them never ends."""
    count = 10_000
    shared = [[1], {"messages": 2}, [3] * count, {"updates": 4}, [5] * count, {"type": 6}, "stream"]
    with pytest.raises(MalformedStreamError, match="more than 16 times as large as it is written"):
        page_data(page(node(*shared)))
    shared[2] = [3, 3]
    assert len(page_data(page(node(*shared)))) == 1
