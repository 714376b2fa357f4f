"""Single answers of a real chat-ui server, current generation."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.core.events import Progress
from langchain_g4f.providers.huggingchat.server import known_version, remember_version
from tests.contract.recordings.huggingchat.recordings import (
    REASONER,
    TEXT,
    THOUGHTS,
    assert_as_recorded,
    by_mode,
    by_stream,
    model_on,
    play,
    proves,
)
from tests.contract.recordings.replay import Replayer
from tests.contract.recordings.suite import ProviderSuite, Scenario, ask, scenarios

FLAKY = "retry me [[flaky:2d59ab51-f1a9-4353-8c11-b4630ebcf60c]]"


def words(count: int) -> str:
    """What the recorded model says when it is to count."""
    return " ".join(f"w{number}" for number in range(1, count + 1))


def chat(
    name: str, prompt: str | list[tuple[str, str]], text: str, model: str = TEXT, **more: Any
) -> Scenario:
    """An answer of the current generation."""
    return Scenario(f"huggingchat/{name}", prompt, {"model": model}, text=text, **more)


class HuggingChatSuite(ProviderSuite):
    """What holds for each recording of both generations."""

    def model(self, scenario: Scenario, replayer: Replayer) -> ChatHuggingChat:
        return model_on(replayer, **scenario.settings)

    def check(self, replayer: Replayer) -> None:
        assert_as_recorded(replayer)


@pytest.mark.proves("obligation:huggingchat:3", "promise:provider-suite")
class TestAnswers(HuggingChatSuite):
    SCENARIOS: ClassVar = scenarios(
        chat(
            "chat-text",
            "Hello there",
            "Echo (lab/text-small, turn 1): Hello there",
            metadata={
                "title": "Title: Hello there",
                "model_name": TEXT,
                "finish_reason": "stop",
                "restarted": None,
                "route": None,
                "backend_provider": None,
            },
        ),
        chat(
            "chat-unicode",
            "Zażółć [[unicode]]",
            'Zażółć gęślą jaźń 😀👩\u200d👩\u200d👧\u200d👦\nline two: "quoted" \\ back 漢字',
            metadata={"title": "Title: Zażółć"},
        ),
        chat("chat-long-answer", "Count [[long:300]]", words(300)),
        chat(
            "chat-markdown",
            "code please [[markdown]]",
            "Here:\n\n```python\nprint('hi')\n```\n\nDone.",
        ),
        chat(
            "chat-crlf-inputs",
            "one\r\ntwo [[echo]]",
            '[{"role": "user", "text": "one\\ntwo [[echo]]"}]',
        ),
        chat(
            "chat-finish-length",  # the backend's limit does not show (section 6)
            "cut [[length]]",
            "Echo (lab/text-small, turn 1): cut",
            metadata={"finish_reason": "stop"},
        ),
        chat(
            "chat-reasoning-field",
            "Why? [[think]]",
            "Echo (lab/reasoner, turn 1): Why?",
            REASONER,
            reasoning=THOUGHTS,
        ),
        chat(
            "chat-reasoning-inline",
            "Why? [[think-inline]]",
            "Echo (lab/reasoner, turn 1): Why?",
            REASONER,
            reasoning="Inline thoughts come first.",
        ),
        chat(
            "chat-reasoning-without-answer",
            "Why? [[think-only]]",
            "",
            REASONER,
            reasoning=THOUGHTS,
            metadata={"finish_reason": "stop"},
        ),
        chat(
            "chat-system-prompt",
            [("system", "You are a pirate."), ("user", "Hello [[echo]]")],
            '[{"role": "system", "text": "You are a pirate.\\n\\nYou are a pirate."},'
            ' {"role": "user", "text": "Hello [[echo]]"}]',
        ),
        chat("chat-keep-alive", "wait [[slow]]", "Echo (lab/text-small, turn 1): wait"),
        Scenario(
            "huggingchat/chat-title-after-final-answer",
            "Late title [[slow-title]]",
            {"model": TEXT, "await_title": True},
            text="Echo (lab/text-small, turn 1): Late title",
            metadata={"title": "Title: Late title", "finish_reason": "stop"},
        ),
        chat(
            "chat-provider-metadata",
            "who serves this [[provider:together]]",
            "Echo (lab/text-small, turn 1): who serves this",
            metadata={"model_name": TEXT, "backend_provider": "together", "route": None},
        ),
        chat(
            "settings-reasoning-effort",  # set elsewhere: it changes who answers, not how
            "Think hard",
            "Echo (lab/reasoner:together, turn 1): Think hard",
            REASONER,
            metadata={"model_name": REASONER},
        ),
        chat(
            "stop-generating",  # stopped by another client
            "count [[long:100]][[pace:100]]",
            words(14),
            metadata={"finish_reason": "interrupted", "restarted": None},
        ),
        chat(
            "backend-drops-once-then-recovers",
            FLAKY,
            "Echo (lab/text-small, turn 1): retry me",
            streamed="Echo (lab/text-small, turnEcho (lab/text-small, turn 1): retry me",
            metadata={"restarted": True, "finish_reason": "stop"},
        ),
    )


@proves("huggingchat/legacy-endpoints-on-current-server")
@by_mode
async def test_server_that_was_updated_is_spoken_to_as_what_it_is_now(
    way: str, chunking: str
) -> None:
    """Its create response tells; what only the older generation reads is not sent any more."""
    old = {"web_search": False, "tools": ["000000000000000000000001"], "is_continue": True}
    replayer = play(
        "huggingchat/legacy-endpoints-on-current-server", chunking, ignore={"is_retry": False} | old
    )
    model = model_on(replayer, model=TEXT)
    context = model._client().context
    remember_version(context, model.base_url, "legacy")
    answer = await ask(model, "hi there", way)
    assert answer.text == "Echo (lab/text-small, turn 1): hi there"
    assert known_version(context, model.base_url) == "current"
    assert not replayer.requests[-1].json.keys() & old.keys()
    assert not replayer.refused


@pytest.mark.proves("promise:two-requests")
@by_stream
async def test_first_word_of_an_answer_costs_two_requests(way: str) -> None:
    """The conversation is made and the message is sent; nothing is read in between."""
    replayer = play("huggingchat/chat-text")
    model = model_on(replayer, model=TEXT)
    sent = replayer.requests
    if way == "stream":
        asked = [(chunk.text, len(sent)) for chunk in model.stream("Hello there")]
    else:
        asked = [(chunk.text, len(sent)) async for chunk in model.astream("Hello there")]
    assert asked[0] == ("Echo", 2)
    assert len(sent) == 2
    assert_as_recorded(replayer)


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_progress_is_told_while_the_answer_is_made(way: str) -> None:
    """That a run began, and what it is called, reaches a callback as it happens."""
    told: list[Progress] = []
    replayer = play("huggingchat/chat-text")
    await ask(model_on(replayer, model=TEXT, on_progress=told.append), "Hello there", way)
    assert [(each.kind, each.message) for each in told] == [
        ("started", ""),
        ("title", "Title: Hello there"),
    ]
