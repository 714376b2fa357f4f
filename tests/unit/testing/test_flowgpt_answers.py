"""How `FlowGptSandbox` answers: events, faults, and readers who leave."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from langchain_g4f.testing import FlowGptSandbox, Prompt, Reply
from tests.unit.testing.flowgpt_caller import (
    BODY,
    NOW_S,
    client,
    events,
    post,
    refusal,
    signed,
)

TOKENS = ["a ", "b ", "c"]


def sandbox_with(script: Any = None, **options: Any) -> FlowGptSandbox:
    """A server whose clock stands still; a reply is its script, too."""
    if isinstance(script, Reply | str):
        options["reply"] = script
    elif script is not None:
        options["script"] = script
    return FlowGptSandbox(clock=lambda: NOW_S, **options)


def test_answer_is_lines_with_empty_lines_between_them() -> None:
    """No charset is told, letters are not escaped, and nothing marks the end."""
    with sandbox_with("Según\n日本 \N{GRINNING FACE}") as sandbox:
        response = post(sandbox)
    assert response.headers["content-type"] == "text/plain"
    assert response.headers["transfer-encoding"] == "chunked"
    assert response.content.decode() == (
        '{"event":"text","data":"Según"}\n\n'
        '{"event":"text","data":"\\n日本"}\n\n'
        '{"event":"text","data":" \N{GRINNING FACE}"}\n\n'
    )


def test_half_a_character_goes_out_as_its_escape() -> None:
    """As a server in JavaScript would print it."""
    with sandbox_with(Reply(tokens=["\ud83d", "\ude00"])) as sandbox:
        assert events(post(sandbox)) == [("text", "\ud83d"), ("text", "\ude00")]


@pytest.mark.parametrize("reply", ["", Reply(), Reply(tokens=[])])
def test_answer_may_have_no_events(reply: str | Reply) -> None:
    """The body is empty."""
    with sandbox_with(reply) as sandbox:
        assert post(sandbox).content == b""


@pytest.mark.proves("promise:sandbox-deterministic")
def test_same_question_is_answered_in_the_same_way() -> None:
    """By default it is repeated, in words or in random pieces."""
    with sandbox_with() as sandbox:
        assert "".join(text for _, text in events(post(sandbox, "ask"))) == (
            "Echo (gpt-3.5-turbo, turn 1): ask"
        )
    found = []
    for seed in (1, 1, 2):
        with sandbox_with(split="random", seed=seed) as sandbox:
            found.append([text for _, text in events(post(sandbox, "ask"))])
    assert found[0] == found[1] != found[2]


def test_thoughts_are_text_in_tags() -> None:
    """The service is not known to have another place for them."""
    with sandbox_with() as sandbox:
        texts = [text for _, text in events(post(sandbox, "why [[think-inline]]"))]
    assert texts[0] == "<think>"
    assert "</think>" in texts


@pytest.mark.parametrize("pace", [{"pace_s": 0.02}, {"script": Reply(tokens=TOKENS, pace_s=0.02)}])
def test_pace_spreads_tokens_over_time(pace: dict[str, Any]) -> None:
    """That of the sandbox, or that of the reply."""
    with sandbox_with(**({"script": Reply(tokens=TOKENS)} | pace)) as sandbox:
        begun_s = time.monotonic()
        assert len(events(post(sandbox))) == 3
        assert time.monotonic() - begun_s >= 0.06


def test_endless_answer_ends_when_its_reader_leaves() -> None:
    """Nobody has to stop it: an answer belongs to its connection."""

    def script(_prompt: Prompt) -> Iterator[str]:
        while True:
            yield "more "

    with sandbox_with(script, pace_s=0.001) as sandbox:
        with (
            client(sandbox) as http,
            http.stream("POST", "/v3/chat-anonymous", json=BODY, headers=signed()) as response,
        ):
            next(response.iter_bytes())
        sandbox.wait_until(lambda: not sandbox.busy, timeout_s=1)
    (request,) = sandbox.requests
    assert (request.closed_early, request.finished) == (True, False)


@pytest.mark.parametrize(("after", "heard"), [(0, []), (2, TOKENS[:2]), (3, TOKENS), (9, TOKENS)])
def test_connection_can_drop(after: int, heard: list[str]) -> None:
    """Where the reply says; a place behind its end is its end."""
    arrived: list[bytes] = []
    with (
        sandbox_with(Reply(tokens=TOKENS, drop_after=after)) as sandbox,
        client(sandbox) as http,
        http.stream("POST", "/v3/chat-anonymous", json=BODY, headers=signed()) as response,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        arrived.extend(response.iter_bytes())
    lines = filter(None, b"".join(arrived).split(b"\n\n"))
    assert [json.loads(line)["data"] for line in lines] == heard
    assert sandbox.requests[0].closed_early


@pytest.mark.parametrize(("status", "after"), [(None, None), (None, 0), (429, 0)])
def test_error_may_be_all_there_is_of_an_answer(status: int | None, after: int | None) -> None:
    """An event cannot tell its status; the HTTP status was a good one."""
    with sandbox_with(Reply(tokens=TOKENS, error=(status, "no"), error_after=after)) as sandbox:
        assert events(post(sandbox)) == [("error", "no")]


@pytest.mark.parametrize(("after", "heard"), [(1, TOKENS[:1]), (3, TOKENS), (9, TOKENS)])
def test_error_may_come_in_the_middle(after: int, heard: list[str]) -> None:
    """Nothing follows it."""
    with sandbox_with(Reply(tokens=TOKENS, error=(500, "no"), error_after=after)) as sandbox:
        assert events(post(sandbox)) == [*(("text", text) for text in heard), ("error", "no")]


@pytest.mark.parametrize("status", [400, 402, 404, 429, 500, 503])
def test_error_with_a_status_refuses_the_request(status: int) -> None:
    """Before anything is said."""
    with sandbox_with() as sandbox:
        response = post(sandbox, f"[[error:{status}]]")
    assert refusal(response) == (status, "model_error", f"{status} backend says {status}")
    assert "retry-after" not in response.headers


@pytest.mark.parametrize(("seconds", "told"), [(None, None), (0, "0"), (2.0, "2"), (0.5, "0.5")])
def test_rate_limit_says_when_to_come_back(seconds: float | None, told: str | None) -> None:
    """If the operator wants it to; other refusals do not."""
    with sandbox_with(retry_after_s=seconds) as sandbox:
        assert post(sandbox, "[[error:429]]").headers.get("retry-after") == told
        assert "retry-after" not in post(sandbox, "[[error:503]]").headers


def test_script_that_raises_is_told() -> None:
    """The test sees what went wrong in its own script, at once or in the middle."""

    def at_once(_prompt: Prompt) -> str:
        raise LookupError("good")

    def later(_prompt: Prompt) -> Iterator[str]:
        yield "so far"
        raise LookupError("good")

    message = "the script failed: LookupError('good')"
    with sandbox_with(at_once) as sandbox:
        assert refusal(post(sandbox)) == (500, "model_error", message)
    with sandbox_with(later) as sandbox:
        assert events(post(sandbox)) == [("text", "so far"), ("error", message)]
