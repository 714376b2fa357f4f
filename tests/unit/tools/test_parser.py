"""Text, reasoning and calls, split out of a streamed answer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import combinations

import pytest

from langchain_g4f.core.events import Reasoning, Text
from langchain_g4f.errors import TooLargeError
from langchain_g4f.tools.parser import RawCall, ToolCallParser
from tests.unit.timing import assert_grows

Parsed = list[Text | Reasoning | RawCall]

NONCE = "k7f2m9q4"
TAG = f'<tool_call id="{NONCE}">'


def marked(text: str) -> str:
    """The text with the id in each tag, but for those in JSON strings."""
    return re.sub('(?<!")<tool_call>', TAG, text)


def collect(parser: ToolCallParser, pieces: Iterable[str], events: Parsed) -> None:
    """Append the events of the pieces, up to an error if there is one."""
    for piece in pieces:
        events.extend(parser.feed(piece))
    events.extend(parser.close())


def parse(pieces: Iterable[str], limit: int = 1 << 20, *, strict: bool = False) -> Parsed:
    """The events of the pieces, adjacent ones of a kind joined."""
    events: Parsed = []
    collect(ToolCallParser(NONCE, strict=strict, limit=limit), pieces, events)
    found: Parsed = []
    for event in events:
        last = found[-1] if found else None
        if isinstance(event, Text) and isinstance(last, Text):
            found[-1] = Text(last.text + event.text)
        elif isinstance(event, Reasoning) and isinstance(last, Reasoning):
            found[-1] = Reasoning(last.text + event.text)
        else:
            found.append(event)
    return found


def call(text: str, *, closed: bool = True) -> RawCall:
    """A call of this content, with the id."""
    return RawCall(marked(text), closed)


CASES: list[tuple[str, Parsed]] = [
    ("", []),
    ("plain", [Text("plain")]),
    ("<tool_call>{}</tool_call>", [call("{}")]),
    ("one\n<tool_call> {}\n</tool_call>\n two ", [Text("one\n"), call(" {}\n"), Text("two ")]),
    ("<tool_call>a</tool_call>\n<tool_call>b</tool_call>\n", [call("a"), call("b")]),
    ("<tool_call>a</tool_call><tool_call>b</tool_call>", [call("a"), call("b")]),
    ("<tool_call></tool_call>", [call("")]),
    ("x<tool_call>{", [Text("x"), call("{", closed=False)]),
    ("x<tool_call>", [Text("x"), call("", closed=False)]),
    ("<tool_call>{}</tool_ca", [call("{}</tool_ca", closed=False)]),
    ("<tool_call>{}\\", [call("{}\\", closed=False)]),
    ("ends with <tool_cal", [Text("ends with <tool_cal")]),
    ("a < b <b> <tool> <tools>", [Text("a < b <b> <tool> <tools>")]),
    ("<<tool_call>a<</tool_call>", [Text("<"), call("a<")]),
    ("<TOOL_CALL>{}</TOOL_CALL>", [Text("<TOOL_CALL>{}</TOOL_CALL>")]),
    ("no</tool_call>tag", [Text("no</tool_call>tag")]),
    (
        "<tool_call><tool_call>{}</tool_call></tool_call>",
        [call("<tool_call>{}"), Text("</tool_call>")],
    ),
    ("<tool_call>{1}\n<tool_call>{2}</tool_call>", [call("{1}\n<tool_call>{2}")]),
    ("<tool_call><think>x</think></tool_call>", [call("<think>x</think>")]),
    ("<think>\n why </think>\n\nso", [Reasoning("why "), Text("so")]),
    ("<think>never closed</thin", [Reasoning("never closed</thin")]),
    ("<think> </think> <tool_call>{}</tool_call>", [call("{}")]),
    ("a <think>b</think> c", [Text("a <think>b</think> c")]),
    ("<tool_call>a</tool_call> <think>b</think>", [call("a"), Text("<think>b</think>")]),
    (
        "<think>a <tool_call>{}</tool_call> b</think>c",
        [Reasoning(marked("a <tool_call>{}</tool_call> b")), Text("c")],
    ),
    ("<think><tool_call>{}</tool_call>", [Reasoning(marked("<tool_call>{}</tool_call>"))]),
    # a closing tag inside a JSON string
    ('<tool_call>{"a": "</tool_call>"}</tool_call> b', [call('{"a": "</tool_call>"}'), Text("b")]),
    (
        '<tool_call>["<tool_call>\\"</tool_call>", "</tool_call>\\\\"]</tool_call>',
        [call('["<tool_call>\\"</tool_call>", "</tool_call>\\\\"]')],
    ),
    ('<tool_call>{"a": "</tool_call>"}', [call('{"a": "</tool_call>"}', closed=False)]),
    # and one behind a string that was not ended
    ('<tool_call>{"a": "b}</tool_call> so', [call('{"a": "b}'), Text("so")]),
    ('<tool_call>{"a": "b}</tool_call>\nso"', [call('{"a": "b}'), Text('so"')]),
    ('<tool_call>{"a": "b}</tool_call><tool_call>c', [call('{"a": "b}'), call("c", closed=False)]),
    (
        '<tool_call>{"a": "b}</tool_call><tool_call>{"a": "c}</tool_call>',
        [call('{"a": "b}'), call('{"a": "c}')],
    ),
    (
        '<tool_call>{"a": "b}</tool_call>" <tool_call>{}</tool_call>',
        [call('{"a": "b}'), Text('" '), call("{}")],
    ),
    ('<tool_call>"</tool_call>"</tool_call>', [call('"'), Text('"</tool_call>')]),
    ("<tool_call>{'a': '\"'}</tool_call> so", [call("{'a': '\"'}"), Text("so")]),
    # a string with a line break is no JSON, so that the next tag is the end
    ('<tool_call>{"a": "b\nc</tool_call>d"}', [call('{"a": "b\nc'), Text('d"}')]),
    ('<tool_call>{"a": "b\nc"}</tool_call>d', [call('{"a": "b\nc"}'), Text("d")]),
    ('<tool_call>{"a": "b\\</tool_call>d', [call('{"a": "b\\'), Text("d")]),
    ('<tool_call>{"a":\n"b"}</tool_call>d', [call('{"a":\n"b"}'), Text("d")]),
]


@pytest.mark.proves("property:6")
@pytest.mark.parametrize(("text", "events"), CASES)
def test_answer_cut_anywhere_is_split_in_the_same_way(text: str, events: Parsed) -> None:
    """Tags and escapes do not align with the pieces they come in."""
    text = marked(text)
    assert parse([text]) == events
    assert parse(text) == events
    for first, second in combinations(range(0, len(text) + 1, 1 + len(text) // 50), 2):
        assert parse([text[:first], text[first:second], text[second:]]) == events


def test_text_flows_without_delay() -> None:
    """Only what may be the beginning of an expected tag waits."""
    parser = ToolCallParser(NONCE)
    assert list(parser.feed("<think>four <tool_call")) == [Reasoning("four <tool_call")]
    assert list(parser.feed(">five")) == [Reasoning(">five")]
    assert list(parser.feed("</think>")) == []
    assert list(parser.feed("if a < b <b> </tool_call>")) == [Text("if a < b <b> </tool_call>")]
    assert list(parser.feed("three <tool_ca")) == [Text("three ")]
    assert list(parser.feed("n opener")) == [Text("<tool_can opener")]
    assert list(parser.feed('six <tool_call id="k7f')) == [Text("six ")]
    assert list(parser.feed("3<")) == [Text('<tool_call id="k7f3')]
    assert list(parser.feed("b>")) == [Text("<b>")]
    assert list(parser.feed("")) == []
    assert list(parser.close()) == []


def test_call_is_given_out_when_it_is_closed() -> None:
    """Not earlier, and not with the text behind it."""
    parser = ToolCallParser(NONCE)
    assert list(parser.feed(f"a{TAG}{{}}</tool_call")) == [Text("a")]
    assert list(parser.feed(">\n\n")) == [call("{}")]
    assert list(parser.feed(" ")) == []
    assert list(parser.feed(" b ")) == [Text("b ")]


def test_text_behind_a_doubtful_end_waits_for_the_end_of_the_line_only() -> None:
    """A JSON string has no line breaks."""
    parser = ToolCallParser(NONCE)
    assert list(parser.feed(TAG + '{"a": "b}</tool_call> and now')) == []
    assert list(parser.feed("\n")) == [call('{"a": "b}'), Text("and now\n")]
    assert list(parser.feed("more")) == [Text("more")]


ONE = '<tool_call>{"name": "a"}</tool_call>'
UNMARKED = RawCall('{"name": "a"}', closed=True, marked=False)
ALONE = [
    ONE,
    f"  {ONE}\n\n",
    f"So.\n{ONE}",
    f"<think>Why?</think>\n{ONE}",
    f"```\ncode\n```\n{ONE}",
    f"~~~~ python\n```\n~~~~\n{ONE}",
    f"- ```js\n  code\n  ```\n\n{ONE}",
    f"`code` and ``co`de``\n{ONE}",
    f"> quoted\n\n{ONE}",
    f"It's 5\" wide, and he said 'yes'\n{ONE}",
    f"<artifact identifier='a'>\nb\n</artifact>\n{ONE}",
    f"a lone ` mark\n\n{ONE}",
]


@pytest.mark.proves("property:6")
@pytest.mark.parametrize("text", ALONE)
def test_element_without_the_id_is_a_call_where_a_model_calls(text: str) -> None:
    """On a line of its own, outside of everything that quotes, at the end of the answer."""
    for pieces in ([text], text):
        *before, found = parse(pieces)
        assert found == UNMARKED
        said = "".join(event.text for event in before if isinstance(event, Text))
        assert said == text.removeprefix("<think>Why?</think>\n").partition(ONE)[0]


def test_several_elements_without_the_id_are_calls() -> None:
    """Side by side, and line by line; the last one may lack its end."""
    text = f"So.\n{ONE}{ONE}\n\n{ONE.removesuffix('</tool_call>')}"
    for pieces in ([text], text):
        cut_off = RawCall(UNMARKED.text, closed=False, marked=False)
        assert parse(pieces) == [Text("So.\n"), UNMARKED, UNMARKED, cut_off]


QUOTED = [
    f"The page says {ONE} and more.",
    f"The page says: {ONE}",
    f"{ONE} is what it says.",
    f"It says:\n{ONE}\nI did not do that.",
    f"{ONE}\n{ONE}\nSo.",
    f"`{ONE}`",
    f"`a\n{ONE}",
    f"``a ` b\n{ONE}",
    f"```\n{ONE}\n```",
    f"```\n{ONE}",
    f"~~~\n{ONE}\n~~~",
    f"````md\n```\n{ONE}\n```\n````",
    f"```md\n# A\n```\n{ONE}\n```\n```",
    f"1. ```xml\n{ONE}\n   ```",
    f"> {ONE}",
    f"> It says:\n{ONE}",
    f"    {ONE}",
    f"\t{ONE}",
    f"- {ONE}",
    f'It says "{ONE}"',
    f"It says: “\n{ONE}\n”",
    f"It says: '\n{ONE}",
    f"<artifact type='text/html'>\n{ONE}\n</artifact>",
    f"<artifact>\n{ONE}",
    f"{TAG}{{}}</tool_call>\n{ONE}",
]


@pytest.mark.proves("property:6", "fault:56:HC", "fault:56:PH", "fault:56:FG")
@pytest.mark.parametrize("text", QUOTED)
def test_element_without_the_id_that_is_quoted_is_text(text: str) -> None:
    """Not a letter of it is changed."""
    for pieces in ([text], text):
        events = parse(pieces)
        assert UNMARKED not in events
        said = "".join(event.text for event in events if isinstance(event, Text))
        assert said == text.removeprefix(f"{TAG}{{}}</tool_call>\n")
        with_id = [
            event for event in parse(text.replace(ONE, marked(ONE))) if event == call(UNMARKED.text)
        ]
        assert len(with_id) == text.count(ONE)


@pytest.mark.parametrize("text", ALONE)
def test_element_without_the_id_is_text_where_it_is_a_must(text: str) -> None:
    """Wherever it stands."""
    events = parse(text, strict=True)
    assert {type(event) for event in events} <= {Text, Reasoning}
    assert events[-1] == Text(text.removeprefix("<think>Why?</think>\n"))


@pytest.mark.parametrize(
    "tag",
    [
        f"<tool_call id='{NONCE}'>",
        f"<tool_call id={NONCE}>",
        f'<tool_call  name="a"  id = "{NONCE}" >',
    ],
)
def test_id_may_be_written_in_other_ways(tag: str) -> None:
    """As in HTML."""
    assert parse(f"So: {tag}{{}}</tool_call>") == [Text("So: "), call("{}")]


@pytest.mark.parametrize(
    "tag", ['<tool_call id="k7f2m9q3">', "<tool_call id=''>", "<tool_call k7f2m9q4>"]
)
def test_another_id_is_none(tag: str) -> None:
    """What carries it may be quoted from elsewhere."""
    text = f"So: {tag}{{}}</tool_call>"
    assert parse(text) == [Text(text)]


@pytest.mark.parametrize(
    "text",
    [
        "<tool_call>12345678901",
        "<tool_call>12345678901</tool_call>",
        '<tool_call>12345678"01</tool_call>\nx',
        '<tool_call>1234567"901</tool_call>"</tool_call>',
        "<tool_call>123456789\\",
    ],
)
def test_call_over_the_limit_is_an_error_however_it_is_cut(text: str) -> None:
    """And of what came before it nothing is lost; the tags do not count."""
    whole = f"{TAG}1234567890</tool_call>"
    assert parse([whole], 10) == parse(whole, 10) == [call("1234567890")]
    limit, text = 9 if text.endswith("\\") else 10, marked(text)
    for pieces in ([f"before {text}"], list(f"before {text}"), ["before ", text]):
        found: Parsed = []
        with pytest.raises(TooLargeError, match=f"longer than {limit} characters"):
            collect(ToolCallParser(NONCE, limit=limit), pieces, found)
        assert "".join(event.text for event in found) == "before "


@pytest.mark.parametrize("end", ["", '"}</tool_call>', " <tool_call>"])
def test_doubtful_end_is_the_end_when_the_call_gets_too_long(end: str) -> None:
    """The limit is there for one call and not for the text behind a broken one."""
    text, end = TAG + '{"a": "b</tool_call>' + "c" * 50, marked(end)
    ended = parse([text + end], 20)
    assert ended[:1] == [call('{"a": "b')]
    assert ended == parse(text + end, 20)
    assert isinstance(ended[1], Text)
    assert ended[1].text.startswith("c" * 50)


HOSTILE = {
    "calls": "<tool_call>{}</tool_call>",
    "openings": "<tool_call>",
    "endings": "</tool_call>",
    "beginnings": "<tool_cal",
    "attributes": "<tool_call a",
    "lines of calls": "<tool_call>{}</tool_call>\n",
    "lines with calls": "a <tool_call>{}</tool_call>\n",
    "fences": "```\n<tool_call>\n",
    "code": "` <tool_call>",
    "artifacts": "<artifact <tool_call>\n",
    "brackets": "<",
    "thoughts": "<think></think>",
    "open strings": '<tool_call>"</tool_call>',
    "open strings apart": '<tool_call>"</tool_call>"',
    "endings in strings": '<tool_call>"</tool_call>""</tool_call>',
    "escapes": '<tool_call>"\\"</tool_call>\\',
    "backslashes": '<tool_call>"\\\\',
    "lines": '<tool_call>"\n</tool_call>"\n',
    "one call": '","\\n',
    "one string": "</tool_call>",
}


WITHOUT_ID = ["lines of calls", "lines with calls", "fences", "code", "artifacts", "open strings"]


@pytest.mark.proves("property:6")
@pytest.mark.parametrize(
    ("name", "size", "with_id"),
    [
        *((name, size, True) for name in HOSTILE for size in (1, 1 << 30)),
        *((name, 1, False) for name in ("calls", "openings", *WITHOUT_ID)),
    ],
)
def test_hostile_answer_takes_linear_time(name: str, size: int, with_id: bool) -> None:
    """Four times the length takes far less than sixteen times as long, in pieces or whole."""
    begin = {"one call": "<tool_call>{", "one string": '<tool_call>"'}.get(name, "")

    def parse(length: int) -> None:
        text = begin + HOSTILE[name] * (length // len(HOSTILE[name]))
        text = marked(text) if with_id else text
        parser = ToolCallParser(NONCE)
        for at in range(0, len(text), size):
            for _ in parser.feed(text[at : at + size]):
                pass
        for _ in parser.close():
            pass

    assert_grows(parse, 4_000, 16_000, less_than=10, least_s=0.002)
