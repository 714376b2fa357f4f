"""The answer stream of the current generation: order, padding, faults."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING

import pytest

from langchain_g4f.testing import Prompt, Reply, Sandbox
from tests.unit.testing.chat import Chat, kinds, parse_lines, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN = "ed1faa52-43b2-4036-b12b-254062a83a2a"
OTHER_RUN = "ed1faa52-43b2-4036-b12b-254062a83a2b"


def test_a_stream_goes_from_started_to_finished_with_padding() -> None:
    """Tokens are padded to 16 UTF-16 units, the final answer by 4096 spaces."""
    with Sandbox(reply="a \N{GRINNING FACE}") as sandbox, Chat(sandbox) as chat:
        chat.create()
        answer = chat.post(inputs="Hello there")
    assert answer.headers["content-type"] == "application/jsonl"
    nul = "\\u0000"
    assert answer.text.splitlines() == [
        '{"type":"status","status":"started"}',
        '{"type":"status","status":"keepAlive"}',
        '{"type":"title","title":"Title: Hello there"}',
        f'{{"type":"stream","token":"a{nul * 15}"}}',
        f'{{"type":"stream","token":" \N{GRINNING FACE}{nul * 13}"}}',
        '{"type":"finalAnswer","text":"a \N{GRINNING FACE}","interrupted":false}',
        " " * 4096 + '{"type":"status","status":"finished"}',
    ]


def test_a_turn_is_stored_as_question_and_answer_under_the_parent() -> None:
    """The tree holds both, with the run's id and the stored updates."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        root = chat.create()
        chat.say("Hi", generationId=RUN)
        question, answer = chat.stored.messages[1:]
    assert (question.parent, question.content) == (root, "Hi")
    assert (answer.parent, answer.generation_id) == (question.id, RUN)
    assert answer.content == "Echo (sandbox/text-small, turn 1): Hi"
    assert answer.materialized_seq == 5
    assert {"type": "stream", "token": "", "len": 4} in (answer.updates or [])


def test_the_model_receives_the_branch_with_the_system_prompt_twice() -> None:
    """`prompts` has one list of messages per generation."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create(preprompt="Be brief.")
        chat.say("one")
        chat.say("two")
    system = {"role": "system", "content": "Be brief.\n\nBe brief."}
    first = {"role": "user", "content": "one"}
    answer = {"role": "assistant", "content": "Echo (sandbox/text-small, turn 1): one"}
    second = {"role": "user", "content": "two"}
    assert sandbox.prompts == [[system, first], [system, first, answer, second]]


def test_retrying_an_answer_makes_a_sibling() -> None:
    """No new question is added and the title stays."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        chat.say("Tell me")
        first = chat.last
        lines = parse_lines(chat.post(id=first, is_retry=True).text)
        assert kinds(lines) == ["started", "stream", "finalAnswer", "finished"]
        siblings = chat.stored.messages[1].children
    assert len(siblings) == 2
    assert siblings[0] == first


def test_editing_a_question_makes_a_sibling_branch() -> None:
    """The edit and its answer leave the first branch alone."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        root = chat.create()
        chat.say("wrong")
        chat.say("right", id=chat.stored.messages[1].id, is_retry=True)
        assert len(chat.stored.root.children) == 2
        assert chat.stored.messages[3].parent == root
    assert sandbox.prompts[-1] == [{"role": "user", "content": "right"}]


def test_the_router_reports_its_choice_before_the_text() -> None:
    """The model behind the alias answers; an image is routed to one that sees."""
    png = b"\x89PNG\r\n\x1a\n rest"
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create("omni")
        plain = chat.say("route me")
        seen = chat.say("and an image", ("base64;a.png", encoded(png), "image/png"))
    assert kinds(plain)[:3] == ["started", "title", "routerMetadata"]
    chosen = [line for lines in (plain, seen) for line in lines if "route" in line]
    assert [line["route"] for line in chosen] == ["default", "multimodal"]
    assert [line["model"] for line in chosen] == ["sandbox/text-small", "sandbox/vision-tools"]


def test_a_plain_model_reports_only_its_provider_after_the_text() -> None:
    """Route and model are empty there, and without a provider nothing is reported."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        lines = chat.say("who [[provider:together]]")
        assert not any("route" in line for line in chat.say("hm"))
    assert kinds(lines)[-3:] == ["finalAnswer", "routerMetadata", "finished"]
    assert lines[-2] == {"type": "routerMetadata", "route": "", "model": "", "provider": "together"}


def test_a_slow_title_comes_after_the_final_answer() -> None:
    """The padding then precedes the title."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        assert kinds(chat.say("Late [[slow-title]]"))[-3:] == ["finalAnswer", "title", "finished"]


def test_a_title_can_be_given_and_has_four_words_otherwise() -> None:
    """Only the first turn gets one."""
    with Sandbox(reply=Reply("x", title="Mine")) as sandbox, Chat(sandbox) as chat:
        chat.create()
        assert "title" in kinds(chat.say("a"))
        assert "title" not in kinds(chat.say("b"))
        assert chat.stored.title == "Mine"
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        chat.say("one two three four five [[pace:0]]")
        assert chat.stored.title == "Title: one two three four"


def test_keep_alives_come_while_the_model_is_silent() -> None:
    """One at once, then one per period."""
    reply = Reply(tokens=["a", "b"], pace_s=0.05)
    with Sandbox(reply=reply, keep_alive_s=0.01) as sandbox, Chat(sandbox) as chat:
        chat.create()
        lines = chat.say("Hi")
    assert sum(line.get("status") == "keepAlive" for line in lines) >= 4


@pytest.mark.parametrize("status", [400, 402, 429, 500])
def test_an_error_of_the_backend_is_a_status_inside_the_stream(status: int) -> None:
    """The HTTP status is 200, the conversation stays usable."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        lines = chat.say(f"fail [[error:{status}]]")
        assert kinds(lines) == ["started", "title", "error"]
        message = f"{status} backend says {status}"
        assert lines[-1] == {
            "type": "status",
            "status": "error",
            "message": message,
            "statusCode": status,
        }
        assert chat.stored.messages[-1].content == ""
        assert kinds(chat.say("now work"))[-1] == "finished"


def test_an_error_in_the_middle_has_been_tried_twice() -> None:
    """The tokens of both attempts are streamed and stored."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        lines = chat.say("fail [[error-mid:503]]")
        stored = chat.stored.messages[-1].content
    once = ["Echo", " (sandbox/text-small,", " turn"]
    assert tokens(lines) == once * 2
    assert stored == "".join(once * 2)
    assert lines[-1]["statusCode"] == 503


def test_a_silent_restart_repeats_tokens_but_not_the_final_answer() -> None:
    """Nothing marks where the second attempt begins."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        lines = chat.say("retry me [[restart:2]]")
        stored = chat.stored.messages[-1].content
    full = "Echo (sandbox/text-small, turn 1): retry me"
    assert "".join(tokens(lines)) == "Echo (sandbox/text-small," + full
    assert lines[-2]["text"] == stored == full


def test_with_tools_selected_a_failure_is_not_tried_again() -> None:
    """The first failure is the answer."""
    with Sandbox(tool_servers=["x"]) as sandbox, Chat(sandbox) as chat:
        chat.create("sandbox/vision-tools")
        lines = chat.say("retry me [[restart]]", selectedMcpServerNames=["x"])
    assert len(tokens(lines)) == 3
    assert lines[-1] == {"type": "status", "status": "error", "message": "terminated"}


@pytest.mark.parametrize("reply", ["", "  \n", Reply("x", error=(None, ""), error_after=0)])
def test_an_answer_without_text_is_an_error(reply: str | Reply) -> None:
    """There is no final answer."""
    with Sandbox(reply=reply) as sandbox, Chat(sandbox) as chat:
        chat.create()
        assert kinds(chat.say("nothing"))[-1] == "error"


def test_a_script_that_raises_is_an_error_in_the_stream() -> None:
    """The test sees what went wrong in its own script."""

    def broken(_prompt: Prompt) -> Iterator[str]:
        yield "so far"
        raise LookupError("good")

    with Sandbox(broken) as sandbox, Chat(sandbox) as chat:
        chat.create()
        lines = chat.say("Hi")
    assert lines[-1]["message"] == "the script failed: LookupError('good')"


def test_pace_spreads_tokens_over_time() -> None:
    """Every token waits its turn."""
    with Sandbox(pace_s=0.02) as sandbox, Chat(sandbox) as chat:
        chat.create()
        begun_s = time.monotonic()
        chat.say("x [[long:5]]")
        assert time.monotonic() - begun_s >= 0.1


def encoded(content: bytes) -> bytes:
    """Return a file as a send wants it."""
    return base64.b64encode(content)
