"""What a provider says of its answer and with it, and what is found of it in the answer."""

from __future__ import annotations

from typing import Any

from tests.g4f_standins import responses_new as new
from tests.g4f_standins import responses_old as old
from tests.unit.chat_models.g4f.response_rows import MEDIA_AND_TEXT, block, row

CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 2}'}}


def bottomless() -> dict[str, Any]:
    """An object that is in itself."""
    found: dict[str, Any] = {}
    found["a"] = found
    return found


DEEP: Any = {"a": None}
for _ in range(8):
    DEEP = {"a": DEEP}

ROWS = [
    *MEDIA_AND_TEXT,
    row(
        "tool call",
        "5:tool-calls",
        values=[old.ToolCalls([CALL])],
        calls=[("add", {"a": 2}, "c1")],
        reason="tool_calls",
    ),
    row(
        "tool calls one by one, without index",
        "5:tool-calls",
        values=[old.ToolCalls([CALL]), old.ToolCalls([CALL | {"id": "c2"}, "none"])],  # type: ignore[list-item]
        calls=[("add", {"a": 2}, "c1"), ("add", {"a": 2}, "c2")],
        reason="tool_calls",
    ),
    row(
        "tool call in pieces",
        "5:tool-calls",
        values=[
            old.ToolCalls([{"index": 0, "id": "c1", "function": {"name": "add", "arguments": ""}}]),
            old.ToolCalls([{"index": 0, "function": {"arguments": '{"a":'}}]),
            old.ToolCalls([{"function": {"arguments": " 2}"}}]),
            old.ToolCalls([{"index": 1, "id": "c2", "name": "sub", "arguments": {"b": 3}}]),
            old.FinishReason("tool_calls"),
        ],
        calls=[("add", {"a": 2}, "c1"), ("sub", {"b": 3}, "c2")],
        reason="tool_calls",
    ),
    row(
        "usage",
        "5:usage",
        "9:said-once",
        values=[
            "a",
            old.Usage(prompt_tokens=1, completion_tokens=1),
            old.Usage(),
            old.Usage(
                prompt_tokens=3,
                completion_tokens=4.0,
                total_tokens=8,
                completion_tokens_details={"reasoning_tokens": 2},
                prompt_tokens_details={"cached_tokens": 1},
            ),
        ],
        text="a",
        usage={
            "input_tokens": 3,
            "output_tokens": 4,
            "total_tokens": 8,
            "output_token_details": {"reasoning": 2},
            "input_token_details": {"cache_read": 1},
        },
    ),
    row(
        "usage in other words",
        "5:usage",
        values=["a", old.Usage(inputTokens=3, output_tokens=4, reasoning_tokens=1)],
        text="a",
        usage={
            "input_tokens": 3,
            "output_tokens": 4,
            "total_tokens": 7,
            "output_token_details": {"reasoning": 1},
        },
    ),
    *(
        row(
            f"finish reason {given}",
            "5:finish-reason",
            values=["a", old.FinishReason("stop"), old.FinishReason(given)],
            text="a",
            reason=wanted,
        )
        for given, wanted in (
            ("stop", "stop"),
            ("STOP", "stop"),
            ("end_turn", "stop"),
            ("length", "length"),
            ("max_tokens", "length"),
            ("content_filter", "content_filter"),
            ("interrupted", "interrupted"),
            (None, "unknown"),
            ("odd", "unknown"),
        )
    ),
    row(
        "conversation",
        "5:conversation",
        "9:said-once",
        "8:conversation-handle",
        values=[
            old.JsonConversation(id="0"),
            "a",
            old.Conversation(
                id="1",
                cookies={"c": "canary"},
                deep={"list": [1, {"api_key": "canary", "ok": None}]},
                access_token="canary",
            ),
        ],
        text="a",
        metadata={"conversation": {"id": "1", "deep": {"list": [1, {"ok": None}]}}},
    ),
    row(
        "conversation that says nothing of itself",
        "5:conversation",
        values=["a", type("JsonConversation", (), {"get_dict": lambda self: None, "_own": 1})()],
        text="a",
        metadata={"conversation": {}},
    ),
    row(
        "conversation without a bottom",
        "5:conversation",
        values=[
            "a",
            old.JsonConversation(a=bottomless(), b=(1, 0.5, {2}), c=old.TitleGeneration("t")),
        ],
        text="a",
        metadata={"conversation": {"b": [1, 0.5, [2]], "c": {"title": "t"}, "a": DEEP}},
    ),
    row(
        "title",
        "5:title",
        "9:events",
        values=["a", old.TitleGeneration("A title")],
        text="a",
        metadata={"title": "A title"},
        told=[("title", "A title")],
    ),
    row(
        "followups",
        "5:followups",
        values=["a", old.SuggestedFollowups(["b?", "c?"])],
        text="a",
        metadata={"suggested_followups": ["b?", "c?"]},
    ),
    row(
        "login",
        "5:request-login",
        "9:events",
        values=[old.RequestLogin("Some", "https://l.example"), "a"],
        text="a",
        told=[("login_required", "Some wants a login")],
    ),
    row(
        "auth result",
        "5:auth-result",
        values=[old.AuthResult(api_key="canary", cookies={"c": "canary"}), "a"],
        text="a",
    ),
    row(
        "provider info",
        "5:provider-info",
        values=[old.ProviderInfo(name="P", url="u", label="L", model="big"), "a"],
        text="a",
        metadata={"provider": "P", "model_name": "big"},
    ),
    row(
        "parameters",
        "5:parameters",
        values=["a", old.Parameters(seed=7, api_key="canary", nan=float("nan"), bytes=b"x")],
        text="a",
        metadata={"parameters": {"seed": 7}},
    ),
    row(
        "synthesize",
        "5:synthesize",
        values=["a", old.SynthesizeData(provider="P", data={"text": "a"})],
        text="a",
        metadata={"synthesize": {"provider": "P", "data": {"text": "a"}}},
    ),
    *(
        row(
            f"videos, {kind.__name__}",
            "5:youtube",
            values=[kind(["x", "y"])],
            files=[
                block("video", url="https://www.youtube.com/watch?v=x"),
                block("video", url="https://www.youtube.com/watch?v=y", index="lc_block_2"),
            ],
            metadata={"youtube_ids": ["x", "y"]},
        )
        for kind in (old.YouTube, new.YouTubeResponse)
    ),
]
