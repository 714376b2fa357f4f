"""Markers of ours and of chat templates, escaped."""

from __future__ import annotations

import json
from functools import partial

import pytest

from langchain_g4f.text.escape import escape, json_without_markers
from tests.unit.timing import cpu_seconds

MARKERS = [
    *["<tools>", "</tools>", "<tool_call>", '<tool_call id="1">', "</tool_call>", "<TOOL_CALL >"],
    *["<tool_response id='1'>", "</tool_response>", "< / tool_response>", "<\ntools>"],
    *["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|start_header_id|>"],
    *["<|user|>", "<|assistant|>", "<|system|>", "<|end|>", "<|START_OF_TURN_TOKEN|>"],
    *["<\uff5cUser\uff5c>", "<\uff5cbegin\u2581of\u2581sentence\uff5c>"],
    *["[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<s>", "</s>", "<bos>", "<eos>"],
    *["<start_of_turn>", "<end_of_turn>", "[gMASK]", "<sop>"],
    *["[TOOL_CALLS]", "[AVAILABLE_TOOLS]", "[/TOOL_RESULTS]", "[SYSTEM_PROMPT]"],
]
PLAIN = [
    "a < b <b> <tool> <toolbox> <tool_calls> <span> </section> <strong> <system>",
    "x <- f(a[i]) |> g; a <| b |> c; if (a<|b) {}",
    "[INSTALL] [inst] [x] list[str] [1, 2]",
    "&lt;tool_call>",
    "<|im start|> <||> <s >",
    "std::vector<s_type> Map<String, List<S>>",
]


@pytest.mark.parametrize("marker", MARKERS)
def test_marker_is_escaped_wherever_it_stands(marker: str) -> None:
    """One bracket is an entity then, and nothing else is changed."""
    for text in (marker, f"a{marker}b", f"<{marker}", marker * 2, f"[{marker}]"):
        escaped = escape(text)
        assert marker not in escaped
        assert escape(escaped) == escaped
        assert escaped.replace("&lt;", "<").replace("&#91;", "[") == text


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_marker_stays(text: str) -> None:
    """Code and HTML among it."""
    assert escape(text) == text


@pytest.mark.parametrize("marker", MARKERS)
def test_json_reads_back_and_has_no_marker(marker: str) -> None:
    """In keys and in values."""
    value = {marker: [marker, {"a": f"x{marker}"}]}
    said = json_without_markers(value)
    assert marker not in said
    assert json.loads(said) == value


def test_nonce_is_left_out() -> None:
    """Whoever has learned it cannot use it."""
    assert escape('<tool_call id="k7f2m9q4">', "k7f2m9q4") == '&lt;tool_call id="********">'


@pytest.mark.parametrize("unit", ["<", "< ", "</", "<|", "<|a", "[", "<<", "[/", "<tool", "a "])
def test_escape_takes_linear_time(unit: str) -> None:
    """A megabyte is a matter of milliseconds."""
    short, long = (cpu_seconds(partial(escape, unit * count)) for count in (50_000, 200_000))
    assert long < 8 * max(short, 0.005)  # four times as much; 16 times would be quadratic
    assert long < 0.2
