"""Errors of a current server: inside an answer, instead of one, and operators' limits."""

from __future__ import annotations

from typing import ClassVar

import pytest
from langchain_core.messages import HumanMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.core.limits import MIB
from langchain_g4f.errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    EmptyResponseError,
    ModelNotFoundError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    ServerStreamError,
)
from tests.contract.recordings.huggingchat.recordings import (
    COOKIES,
    MODELS,
    TEXT,
    VISION,
    Refused,
    assert_as_recorded,
    by_mode,
    by_way,
    converse,
    handle_of,
    model_on,
    play,
    proves,
    refused,
    with_deletions,
    with_models,
)
from tests.contract.recordings.huggingchat.test_answers import HuggingChatSuite
from tests.contract.recordings.replay import Replayer
from tests.contract.recordings.suite import Scenario, ask, scenarios

DOUBLED = "Echo (lab/text-small, turnEcho (lab/text-small, turn"
LAB = {"name": "lab", "url": "http://127.0.0.1:18095/mcp"}


def failure(
    name: str, prompt: str, error: type[APIError], text: str = "", **attributes: object
) -> Scenario:
    """An answer that fails after `text`."""
    return Scenario(
        f"huggingchat/{name}",
        prompt,
        {"model": TEXT},
        text=text,
        error=error,
        attributes={"phase": "answer"} | attributes if "status_code" in attributes else attributes,
    )


class TestErrors(HuggingChatSuite):
    def model(self, scenario: Scenario, replayer: Replayer) -> ChatHuggingChat:
        self.deleted: list[str] = []
        server = with_deletions(with_models(replayer), self.deleted)
        return model_on(replayer, server, **scenario.settings)

    def check(self, replayer: Replayer) -> None:
        """Only a conversation whose one message was refused is deleted."""
        super().check(replayer)
        sent = replayer.requests[-1]
        refused = replayer.response(sent.interaction).status_code == 400
        assert self.deleted == ([sent.path] if refused else [])

    SCENARIOS: ClassVar = scenarios(
        failure("error-backend-401", "fail [[error:401]]", AuthenticationError, status_code=401),
        failure(
            "error-backend-402",
            "fail [[error:402]]",
            QuotaExceededError,
            status_code=402,
            is_retryable=False,
            body="402 backend says 402",
        ),
        failure(
            "error-backend-429",
            "fail [[error:429]]",
            RateLimitError,
            status_code=429,
            is_retryable=True,
            retry_after=None,
        ),
        failure("error-backend-500", "fail [[error500]]", ServerError, status_code=500),
        failure(
            "error-backend-drops-mid-stream", "fail [[midstream-drop]]", ServerStreamError, DOUBLED
        ),
        failure(
            "error-backend-error-mid-stream", "fail [[midstream-error]]", ServerStreamError, DOUBLED
        ),
        failure("error-backend-empty-answer", "nothing [[empty]]", EmptyResponseError),
        Scenario(
            "huggingchat/backend-drops-once-with-tools-selected",
            "retry me [[flaky:c2f2c0c3-e78d-4ec0-a5a7-eb593472051c]]",
            {"model": VISION, "mcp_servers": [LAB]},
            text="Echo (lab/vision-tools, turn",
            error=ServerStreamError,
        ),
        Scenario(
            "huggingchat/limit-message-too-long",
            "x" * 201,
            {"model": TEXT, "cookies": COOKIES},
            error=BadRequestError,
            attributes={
                "status_code": 400,
                "body": "Message too long.",
                "phase": "send the message",
                "is_retryable": False,
            },
        ),
    )


@proves("huggingchat/error-body-too-large")
@by_way
async def test_message_larger_than_the_server_takes_is_a_bad_request(way: str) -> None:
    """The size of files is checked beforehand; of text, only the server knows the limit."""
    replayer, deleted = play("huggingchat/error-body-too-large"), list[str]()
    model = model_on(replayer, with_deletions(replayer, deleted), model=VISION)
    with pytest.raises(BadRequestError, match="An error occurred") as caught:
        await ask(model, "x" * (15 * MIB + 1), way)
    assert deleted == [replayer.requests[-1].path]
    assert caught.value.status_code == 413
    assert caught.value.phase == "send the message"
    assert not replayer.refused


@proves("huggingchat/error-unknown-model", "huggingchat/error-unlisted-model")
@pytest.mark.proves("promise:closest-models")
@pytest.mark.parametrize(
    ("name", "model"),
    [("error-unknown-model", "lab/nope"), ("error-unlisted-model", "lab/hidden")],
)
@by_mode
async def test_model_that_cannot_be_asked_is_named_with_the_closest_ones(
    way: str, chunking: str, name: str, model: str
) -> None:
    """The server calls it an invalid request; the caller learns which models there are."""
    replayer = play(f"huggingchat/{name}", chunking)
    with pytest.raises(ModelNotFoundError, match=f"'{model}'") as caught:
        await ask(model_on(replayer, with_models(replayer), model=model), "hi", way)
    assert caught.value.closest
    assert set(caught.value.closest) <= set(MODELS)
    assert caught.value.status_code == 400
    assert_as_recorded(replayer)


@refused(
    Refused(
        "huggingchat/error-conversation-not-found",
        "0123456789abcdef01234567",
        (),
        NotFoundError,
        404,
    ),
    Refused("huggingchat/error-conversation-invalid-id", "nonsense-id", (), BadRequestError, 400),
    Refused(
        "huggingchat/error-foreign-conversation",
        "6afff9b3977cd9b5eedcd105",
        (0, 1, 2, 3, 4),
        PermissionDeniedError,
        403,
    ),
    Refused(
        "huggingchat/error-no-session-cookie",  # who lost the cookie is a stranger
        "6afff9b3977cd9b5eedcd10e",
        (0, 1),
        PermissionDeniedError,
        403,
    ),
)
@by_mode
async def test_conversation_that_cannot_be_continued_says_why(
    way: str, chunking: str, refused: Refused
) -> None:
    """A caller who names a conversation gets that one or an error, and nothing is sent."""
    replayer = play(refused.recording, chunking)
    replayer.skip(*refused.skipped)
    answer = handle_of(replayer, refused.conversation)
    model = model_on(replayer, model=TEXT)
    with pytest.raises(refused.error) as caught:
        await ask(model, [answer, HumanMessage("hi")], way, conversation=answer)
    assert type(caught.value) is refused.error
    assert caught.value.phase == "read the conversation"
    assert getattr(caught.value, "status_code", None) == refused.status
    assert [request.method for request in replayer.requests] == ["GET"]
    assert_as_recorded(replayer)


@proves("huggingchat/limit-messages-per-minute")
@by_mode
async def test_too_many_messages_in_a_minute_are_a_rate_limit(way: str, chunking: str) -> None:
    """It counts over conversations; how long to wait is not said."""
    replayer = play("huggingchat/limit-messages-per-minute", chunking)
    model = model_on(replayer, model=TEXT, cookies=COOKIES)
    question = "again [[say:ok]]"
    history = await converse(model, way, [question] * 4)
    history += await converse(model, way, [question] * 2)
    assert [message.text for message in history[1::2]] == ["ok"] * 6
    with pytest.raises(RateLimitError, match="too many messages") as caught:
        await ask(model, [*history[-4:], HumanMessage(question)], way)
    assert caught.value.retry_after is None
    assert caught.value.is_retryable
    assert not {3, 5, 7, 12, 14} & replayer.unplayed.keys()
    assert_as_recorded(replayer)


@proves("huggingchat/limit-too-many-messages-in-conversation")
@by_mode
async def test_conversation_that_is_full_is_a_quota(way: str, chunking: str) -> None:
    """Waiting does not help; the caller is told what does. The conversation stays."""
    replayer = play("huggingchat/limit-too-many-messages-in-conversation", chunking)
    model = model_on(replayer, model=TEXT, cookies=COOKIES)
    history = await converse(model, way, [f"turn {number}" for number in range(4)])
    assert history[-1].text == "Echo (lab/text-small, turn 4): turn 3"
    with pytest.raises(QuotaExceededError, match="conversation='new'") as caught:
        await ask(model, [*history, HumanMessage("turn 4")], way)
    assert caught.value.status_code == 429
    assert not caught.value.is_retryable
    assert_as_recorded(replayer)


@proves("huggingchat/limit-too-many-conversations")
@by_mode
async def test_too_many_conversations_are_a_quota(way: str, chunking: str) -> None:
    """It is asked once, for waiting does not help; the caller is told what does."""
    replayer = play("huggingchat/limit-too-many-conversations", chunking)
    replayer.skip(0, 1, 2, 3, 4)
    model = model_on(replayer, model=TEXT, cookies=COOKIES, max_retries=2)
    with pytest.raises(QuotaExceededError, match="delete_after=True") as caught:
        await ask(model, "hi", way)
    assert caught.value.phase == "create the conversation"
    assert not caught.value.is_retryable
    assert len(replayer.requests) == 1
    assert_as_recorded(replayer)
