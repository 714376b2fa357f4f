"""Conversations of a current server, apart from what is said in them (5.3), and its models."""

from __future__ import annotations

import httpx
import pytest

from langchain_g4f.errors import NotFoundError
from tests.contract.recordings.huggingchat.recordings import (
    COOKIES,
    MODELS,
    TEXT,
    assert_as_recorded,
    by_chunking,
    by_mode,
    handle_of,
    model_on,
    play,
    proves,
)
from tests.contract.recordings.replay import Replayer, Routed
from tests.contract.recordings.suite import ask


@proves("huggingchat/conversation-delete")
@by_mode
async def test_deleted_conversation_is_gone(way: str, chunking: str) -> None:
    """By the path that both generations have; who goes on in it is told."""
    replayer = play("huggingchat/conversation-delete", chunking)
    replayer.skip(0, 1, 2, 3, 4, 5)
    answer = handle_of(replayer, "6afff9cb977cd9b5eedcd1bd")
    model = model_on(replayer, model=TEXT, cookies=COOKIES)
    if way in {"invoke", "stream"}:
        model.delete_conversation(answer)
    else:
        await model.adelete_conversation(answer)
    with pytest.raises(NotFoundError, match="Conversation not found"):
        await ask(model, "And?", way, conversation=answer)
    assert [request.interaction for request in replayer.requests] == [6, 7]
    assert_as_recorded(replayer)


@proves("huggingchat/models-list-v2")
@by_chunking
async def test_models_of_a_current_server_are_listed_with_the_default_first(chunking: str) -> None:
    """The router comes first and unlisted models are left out, sync and async."""
    assert model_on(play("huggingchat/models-list-v2", chunking)).get_models() == MODELS
    assert await model_on(play("huggingchat/models-list-v2", chunking)).aget_models() == MODELS


@proves("huggingchat/models-list-plain")
@by_chunking
async def test_models_of_a_server_without_v2_are_read_from_the_plain_list(chunking: str) -> None:
    """Where the JSON API is missing, the plain list serves, sync and async."""

    def without_v2(replayer: Replayer) -> Routed:
        """A server from before the JSON API: its paths are not found."""
        missing = httpx.MockTransport(lambda _: httpx.Response(404, json={"message": "Not Found"}))
        return Routed(lambda request: missing if "/api/v2/" in request.url.path else replayer)

    replayer = play("huggingchat/models-list-plain", chunking)
    assert model_on(replayer, without_v2(replayer)).get_models() == MODELS
    replayer = play("huggingchat/models-list-plain", chunking)
    assert await model_on(replayer, without_v2(replayer)).aget_models() == MODELS
    assert_as_recorded(replayer)
