"""Event -> chunk: an answer that the service has replaced."""

from __future__ import annotations

import functools
import operator
from typing import Any

import pytest

from langchain_g4f.chat_models.chunks import ChunkMapper
from langchain_g4f.core.events import Event, FinalText, Finish, Text


def mapped(*events: Event, stop: tuple[str, ...] = ()) -> tuple[Any, Any]:
    """The sum of the chunks, and the folded answer."""
    mapper = ChunkMapper("example", "model", stop)
    chunks = [chunk for event in events if (chunk := mapper.chunk(event)) is not None]
    chunks.append(mapper.last())
    total = functools.reduce(operator.add, (chunk.message for chunk in chunks))
    return total, mapper.fold(chunks)


@pytest.mark.parametrize("final", ["Two", ""])
def test_replaced_answer_has_its_last_version_in_the_metadata(final: str) -> None:
    """A stream is never taken back; a folded answer is the last version."""
    streamed, folded = mapped(Text("One"), FinalText(final), Finish())
    assert (streamed.text, folded.text) == ("One", final)
    for message in (streamed, folded):
        assert message.response_metadata["restarted"] is True
        assert message.response_metadata["final_text"] == final


def test_last_version_ends_at_a_stop_string_where_it_is_the_answer() -> None:
    """The metadata have all of it."""
    _, folded = mapped(Text("One"), FinalText("Two###Three"), Finish(), stop=("###",))
    assert folded.text == "Two"
    assert folded.response_metadata["final_text"] == "Two###Three"
