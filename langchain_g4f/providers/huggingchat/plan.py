"""One answer from a chat-ui server: create a conversation, send the message.

Follows docs/protocols/huggingchat.md, sections 5.1 and 5.4, current generation.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from langchain_g4f.codecs.fields import need
from langchain_g4f.errors import APIStatusError, BadRequestError, MalformedStreamError
from langchain_g4f.events import ConversationStarted
from langchain_g4f.plan import PlanOf, send, stream
from langchain_g4f.providers.huggingchat.answer import NAME, AnswerDecoder
from langchain_g4f.providers.huggingchat.login import explained, origin
from langchain_g4f.providers.huggingchat.models import list_models, unknown_model
from langchain_g4f.text.transcript import render
from langchain_g4f.wire import Part, Repeat, Request

if TYPE_CHECKING:
    from langchain_g4f.plan import Plan, Session
    from langchain_g4f.turn import Turn
    from langchain_g4f.wire import JSON


def plan(turn: Turn, session: Session, base_url: str) -> Plan:
    """One answer from the server at ``base_url`` (origin and path, no final slash)."""
    model = turn.model or (yield from list_models(base_url))[0].name
    conversation, parent = yield from _create(turn, model, base_url)
    yield ConversationStarted({"id": conversation})
    generation = session.new_id()
    url = f"{base_url}/conversation/{conversation}"
    own_origin = origin(base_url)
    data: dict[str, JSON] = {
        "inputs": render(turn.messages),
        "id": parent,
        "generationId": generation,
    }
    boundary = session.new_id().replace("-", "")

    def message() -> Request:
        return Request(
            "POST",
            url,
            {
                "origin": own_origin,
                "accept": "application/jsonl, application/json",
                "content-type": f"multipart/form-data; boundary={boundary}",
            },
            (Part("data", json.dumps(data, ensure_ascii=False).encode()),),
            Repeat.UNSENT,
            "send the message",
        )

    def stop() -> Request:
        return Request(
            "POST",
            f"{url}/stop-generating",
            {"origin": own_origin, "content-type": "application/json"},
            json.dumps({"generationId": generation}).encode(),
            Repeat.UNSENT,
            "stop the answer",
        )

    try:
        end = yield from stream(
            message,
            lambda head: AnswerDecoder(head, session.limits.sizes.line),
            abort=stop,
        )
    except APIStatusError as error:
        raise explained(error, base_url) from None
    if end.error is not None:
        raise end.error


def _create(turn: Turn, model: str, base_url: str) -> PlanOf[tuple[str, str]]:
    """Create a conversation; its id and that of its root message (5.1)."""
    payload: dict[str, JSON] = {"model": model}
    if turn.system:
        payload["preprompt"] = turn.system
    request = Request(
        "POST",
        f"{base_url}/conversation",
        {"accept": "application/json", "content-type": "application/json"},
        json.dumps(payload, ensure_ascii=False).encode(),
        Repeat.REFUSED,
        "create the conversation",
    )
    try:
        response = yield from send(lambda: request)
    except BadRequestError as error:
        raise (yield from unknown_model(error, model, base_url)) from None
    except APIStatusError as error:
        raise explained(error, base_url) from None
    created = response.json()
    conversation = need(created, "conversationId", str)
    embedded = need(created, "conversation", str)
    try:
        root = need(need(json.loads(embedded), "json", dict), "rootMessageId", str)
    except (ValueError, RecursionError):
        msg = "'conversation' is no JSON"
        raise MalformedStreamError(msg, provider=NAME) from None
    return conversation, root


__all__ = ["plan"]
