"""Answers, errors and models of a server of the older generation (section 9)."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from langchain_core.messages import HumanMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.core.events import Progress
from langchain_g4f.errors import (
    AuthenticationError,
    EmptyResponseError,
    ModelNotFoundError,
    NotFoundError,
    PermissionDeniedError,
    ServerError,
    ServerStreamError,
    StreamInterruptedError,
)
from tests.contract.recordings.huggingchat.recordings import (
    COOKIES,
    LEGACY_MODELS,
    REASONER,
    TEXT,
    Refused,
    assert_as_recorded,
    by_chunking,
    by_mode,
    by_stream_mode,
    handle_of,
    legacy_server,
    model_on,
    play,
    proves,
    refused,
    with_models,
)
from tests.contract.recordings.huggingchat.test_answers import HuggingChatSuite, words
from tests.contract.recordings.replay import Cut, Replayer
from tests.contract.recordings.suite import Scenario, ask, scenarios

SIGNED_IN = "hf-chat=00000000-0000-4000-8000-000000000003"
SEARCH = "search something"


def chat(
    name: str,
    prompt: str | list[tuple[str, str]],
    text: str = "",
    model: str = TEXT,
    settings: dict[str, Any] | None = None,
    **more: Any,
) -> Scenario:
    """An answer of the older generation."""
    settings = {"model": model} | (settings or {})
    return Scenario(f"huggingchat-legacy/{name}", prompt, settings, text=text, **more)


class LegacySuite(HuggingChatSuite):
    """The server has its page for every path of the current generation."""

    def model(self, scenario: Scenario, replayer: Replayer) -> ChatHuggingChat:
        return model_on(replayer, legacy_server(replayer), **scenario.settings)


class TestLegacyAnswers(LegacySuite):
    SCENARIOS: ClassVar = scenarios(
        chat(
            "chat-text",
            "Hello there",
            "Echo (lab/text-small, turn 1): Hello there",
            metadata={
                "title": "💬 Title: Hello there",
                "model_name": TEXT,
                "finish_reason": "stop",
                "restarted": None,
            },
        ),
        chat(
            "chat-unicode",
            "Zażółć [[unicode]]",
            'Zażółć gęślą jaźń 😀👩\u200d👩\u200d👧\u200d👦\nline two: "quoted" \\ back 漢字',
        ),
        chat("chat-long-answer", "Count [[long:300]]", words(300)),
        chat(
            "chat-finish-length",  # the title comes in the midst of the text
            "cut [[length]]",
            "Echo (lab/text-small, turn 1): cut",
            metadata={"title": "💬 Title: cut", "finish_reason": "stop"},
        ),
        chat("chat-keep-alive", "wait [[slow]]", "Echo (lab/text-small, turn 1): wait"),
        chat(
            "chat-reasoning-inline",
            "Why? [[think-inline]]",
            "Echo (lab/reasoner, turn 1): Why?",
            REASONER,
            reasoning="Inline thoughts come first.",
        ),
        chat(
            "chat-system-prompt",
            [("system", "You are a pirate."), ("user", "Hello [[echo]]")],
            '[{"role": "system", "text": "You are a pirate.\\n\\nYou are a pirate."},'
            ' {"role": "user", "text": "Hello [[echo]]"}]',
        ),
        chat(
            "chat-web-search-error",
            SEARCH,
            "Echo (lab/text-small, turn 1): search something",
            settings={"web_search": True},
            metadata={"finish_reason": "stop"},
        ),
        chat(
            "auth-login-flow",  # with the cookie that the login gave
            "Hello from a signed-in user",
            "Echo (lab/text-small, turn 1): Hello from a signed-in user",
            settings={"cookies": SIGNED_IN},
        ),
    )


class TestLegacyErrors(LegacySuite):
    SCENARIOS: ClassVar = scenarios(
        chat("error-backend-500", "fail [[error500]]", error=ServerStreamError),
        chat(
            "error-backend-drops-mid-stream",
            "fail [[midstream-drop]]",
            "Echo (lab/text-small,",
            error=ServerStreamError,
        ),
        chat("error-backend-empty-answer", "nothing [[empty]]", error=EmptyResponseError),
        chat(
            "stop-generating",  # stopped by another client: it just ends (9.2)
            "count [[long:100]][[pace:100]]",
            words(15),
            error=StreamInterruptedError,
        ),
        chat(
            "auth-required-without-session",
            "hi",
            error=AuthenticationError,
            attributes={"status_code": 401, "login_url": "http://127.0.0.1:17871/chat/login"},
        ),
        chat(
            "error-unknown-model",
            "hi",
            model="lab/nope",
            error=ModelNotFoundError,
            attributes={"status_code": 400},
        ),
    )


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_search_that_fails_is_told_and_the_answer_comes_without_it(way: str) -> None:
    """What the server does, and what it is missing, reaches a callback."""
    told: list[Progress] = []
    replayer = play("huggingchat-legacy/chat-web-search-error")
    model = model_on(
        replayer, legacy_server(replayer), model=TEXT, web_search=True, on_progress=told.append
    )
    await ask(model, SEARCH, way)
    search = [each for each in told if each.kind.startswith("web_search")]
    kinds = ["web_search_update", "web_search_error", "web_search_finished"]
    assert [each.kind for each in search] == kinds
    assert search[0].message.startswith("Searching Google: Echo")
    assert "SEARXNG_QUERY_URL" in search[1].message


@proves("huggingchat-legacy/stop-generating")
@by_stream_mode
async def test_run_is_stopped_while_its_answer_is_open(way: str, chunking: str) -> None:
    """A stop after that does nothing (9.2): it is sent first, and the answer read to its end."""
    replayer = play("huggingchat-legacy/stop-generating", chunking)
    model = model_on(replayer, legacy_server(replayer), model=TEXT)
    answer = await ask(model, "count [[long:100]][[pace:100]]", way, stop=[" w3"])
    assert answer.text == "w1 w2"
    assert [request.interaction for request in replayer.requests] == [0, 1, 3, 2]
    assert all(request.stream.closed for request in replayer.requests[-2:])
    whole = replayer.response(3).read()
    assert replayer.requests[-2].stream.delivered == len(whole)
    assert_as_recorded(replayer)


@proves("huggingchat-legacy/disconnect-then-poll-conversation")
@pytest.mark.proves("obligation:huggingchat:10")
@by_mode
async def test_cut_answer_is_what_there_is(way: str, chunking: str) -> None:
    """There is nothing to take up again: the caller gets the part, and is told."""
    generation = {"generationId": "b99093ee-5aa7-43da-94b2-b5a23bf43c80"}  # means nothing here
    replayer = play(
        "huggingchat-legacy/disconnect-then-poll-conversation",
        chunking,
        cut={2: Cut()},
        ignore={"is_retry": False} | generation,
    )
    model = model_on(replayer, legacy_server(replayer), model=TEXT)
    with pytest.raises(StreamInterruptedError) as caught:
        await ask(model, "count [[long:30]][[pace:50]]", way)
    assert caught.value.partial_text == words(6)
    assert [request.interaction for request in replayer.requests] == [0, 1, 2]
    assert not replayer.refused


@refused(
    Refused(
        "huggingchat-legacy/error-conversation-not-found",
        "0123456789abcdef01234567",
        (),
        NotFoundError,
        404,
    ),
    Refused(
        "huggingchat-legacy/error-conversation-invalid-id", "nonsense-id", (), ServerError, 500
    ),
    Refused(
        "huggingchat-legacy/error-foreign-conversation",
        "6afffa44c5565dbcaf61cd61",
        (0, 1, 2, 3, 4),
        PermissionDeniedError,
        403,
    ),
)
@by_mode
async def test_error_that_comes_with_status_200_is_one(
    way: str, chunking: str, refused: Refused
) -> None:
    """The page holds the status it would have had (9.1); nothing is sent."""
    replayer = play(refused.recording, chunking)
    replayer.skip(*refused.skipped)
    answer = handle_of(replayer, refused.conversation)
    model = model_on(replayer, legacy_server(replayer), model=TEXT)
    with pytest.raises(refused.error) as caught:
        await ask(model, [answer, HumanMessage("hi")], way, conversation=answer)
    assert type(caught.value) is refused.error
    assert getattr(caught.value, "status_code", None) == refused.status
    assert [request.method for request in replayer.requests] == ["GET"]
    assert_as_recorded(replayer)


@proves("huggingchat-legacy/conversation-rename-and-delete")
@by_mode
async def test_deleted_conversation_is_gone(way: str, chunking: str) -> None:
    """Both generations delete by the same path."""
    replayer = play("huggingchat-legacy/conversation-rename-and-delete", chunking)
    replayer.skip(0, 1, 2, 3)
    answer = handle_of(replayer, "6afffa4cc5565dbcaf61cd9c")
    model = model_on(replayer, legacy_server(replayer), model=TEXT, cookies=COOKIES)
    if way in {"invoke", "stream"}:
        model.delete_conversation(answer)
    else:
        await model.adelete_conversation(answer)
    with pytest.raises(NotFoundError, match="Conversation not found"):
        await ask(model, "And?", way, conversation=answer)
    assert [request.interaction for request in replayer.requests] == [4, 5]
    assert_as_recorded(replayer)


@proves("huggingchat-legacy/api-v2-on-legacy-server", "huggingchat-legacy/models-list-plain")
@by_chunking
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_page_in_the_place_of_a_list_is_no_list(asynchronous: bool, chunking: str) -> None:
    """A server that answers everything with 200 is recognised by what it answers (9.3)."""
    plain = "huggingchat-legacy/models-list-plain"
    replayer = play("huggingchat-legacy/api-v2-on-legacy-server", chunking)
    model = model_on(replayer, with_models(replayer, plain))
    found = await model.aget_models() if asynchronous else model.get_models()
    assert found == LEGACY_MODELS
    assert [request.interaction for request in replayer.requests] == [2]
    assert_as_recorded(replayer)
