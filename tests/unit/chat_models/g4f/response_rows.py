"""What a provider yields, and what is found of it in an answer."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.g4f_standins import responses as r

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
DATA_URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
URL = "https://files.example/a.png"
A, B = {"url": "https://a.example", "title": "A"}, {"url": "https://b.example", "title": "B"}
CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 2}'}}
ADD = ("add", {"a": 2}, "c1")


def row(name: str, proofs: str, *values: Any, **expected: Any) -> Any:
    """What is yielded, and what is then found in the answer."""
    marks = pytest.mark.proves(*(f"g4f:{proof}" for proof in proofs.split()))
    return pytest.param(values, expected, id=name, marks=marks)


def file(kind: str, at: int = 1, **more: Any) -> dict[str, Any]:
    """A file of an answer."""
    return {"type": kind, "extras": {}, "index": f"lc_block_{at}", **more}


def calls(*pieces: Any) -> Any:
    """Tool calls, or pieces of them."""
    return r.ToolCalls([*pieces])


def tokens(given: int, made: int, total: int, reasoning: int, **more: Any) -> dict[str, Any]:
    """Token counts as LangChain has them."""
    details = {"output_token_details": {"reasoning": reasoning}} | more
    return {"input_tokens": given, "output_tokens": made, "total_tokens": total, **details}


def bottomless() -> dict[str, Any]:
    """An object that is in itself."""
    found: dict[str, Any] = {}
    found["a"] = found
    return found


DEEP: Any = {"a": None}
for _ in range(8):
    DEEP = {"a": DEEP}

TEXT = [
    row("text", "5:text 9:content-string", "a", "", None, "b", text="ab"),
    row("text subclass", "5:text", type("Md", (str,), {})("*a*"), text="*a*"),
    row("bytes", "5:text", b"\xc3\xa4", "b", text="äb"),
    row(
        "reasoning", "5:reasoning", r.Reasoning("th"), r.Reasoning("ink"), "a",
        text="a", reasoning="think",
    ),
    row(
        "reasoning marks", "5:reasoning-marks",
        r.Reasoning(is_thinking="<think>"), "why", "", r.Reasoning(is_thinking="</think>"), "a",
        text="a", reasoning="why",
    ),
    row(
        "think marks in text", "7:think-marks", "<th", "ink>why</thi", "nk>\n\na<b",
        text="a<b", reasoning="why",
    ),
    row("beginning of a mark", "7:think-marks", "a<th", text="a<th"),
    row(
        "reasoning status", "5:reasoning-status 9:events",
        r.Reasoning(status="reading"), r.Reasoning(label="L"), r.Reasoning(status=""),
        r.Reasoning(), "a",
        text="a", told=[("status", "reading"), ("status", "L"), ("status", "")],
    ),
]  # fmt: skip

FOUND = [
    row(
        "sources", "5:sources",
        "a", r.Sources([A, {"url": B["url"], "name": "B"}, {"title": "no address"}]),
        text="a", sources=[A, B],
    ),
    row(
        "sources, a list itself", "5:sources",
        "a", type("Sources", (list,), {})([{"url": "u"}, "no source"]),
        text="a", sources=[{"url": "u", "title": ""}],
    ),
    row(
        "source link", "5:source-link",
        "a", r.SourceLink("A", A["url"]), r.SourceLink("", "u"), ".",
        text="a [A](https://a.example) [u](u).", sources=[A, {"url": "u", "title": ""}],
    ),
    row(
        "search results", "5:search-results",
        r.SearchResults([{"link": "u", "title": "T", "snippet": "S"}, {"link": "v", "name": "N"}]),
        "a",
        text="a",
        metadata={"search_results": [
            {"url": "u", "title": "T", "snippet": "S"}, {"url": "v", "title": "N", "snippet": ""},
        ]},
    ),
]  # fmt: skip

FILES = [
    row(
        "image", "5:image 9:files", r.ImageResponse(URL, "a cat"),
        files=[file("image", url=URL, extras={"alt": "a cat"})], metadata={"images": [URL]},
    ),
    row(
        "images", "5:image", r.ImageResponse([URL, URL + "?2"], ["one"]),
        files=[
            file("image", url=URL, extras={"alt": "one"}), file("image", 2, url=URL + "?2"),
        ],
        metadata={"images": [URL, URL + "?2"]},
    ),
    row(
        "image in a data URI", "5:image", r.ImageResponse(DATA_URL),
        files=[file("image", mime_type="image/png", base64=DATA_URL.partition(",")[2])],
    ),
    row(
        "broken data URI", "5:image", r.ImageResponse("data:nonsense"),
        files=[file("image", url="data:nonsense")], metadata={"images": ["data:nonsense"]},
    ),
    row(
        "image preview", "5:image-preview 9:events",
        r.ImagePreview(URL, "p", {"cookies": {"c": "canary"}}), "a",
        text="a", told=[("preview", "")],
    ),
    row("preview", "5:preview 9:events", r.PreviewResponse("half"), "a",
        text="a", told=[("preview", "")]),
    row(
        "video", "5:video", r.VideoResponse("https://v.example/1", "v"),
        files=[file("video", url="https://v.example/1", extras={"alt": "v"})],
    ),
    row(
        "audio bytes", "5:audio", r.AudioResponse(b"\x00speech", "hi"),
        files=[file(
            "audio", mime_type="audio/mpeg", base64=base64.b64encode(b"\x00speech").decode(),
            extras={"transcript": "hi"},
        )],
    ),
    row("audio path", "5:audio", r.AudioResponse("/media/a.mp3"),
        files=[file("audio", url="/media/a.mp3")]),
    row("audio in a data URI", "5:audio", r.AudioResponse("data:audio/mpeg;base64,AAAA"),
        files=[file("audio", mime_type="audio/mpeg", base64="AAAA")]),
    *(
        row(
            f"videos, {kind.__name__}", "5:youtube", kind(["x", "y"]),
            files=[
                file("video", at, url=f"https://www.youtube.com/watch?v={name}")
                for at, name in enumerate("xy", 1)
            ],
            metadata={"youtube_ids": ["x", "y"]},
        )
        for kind in (r.YouTube, r.YouTubeResponse)
    ),
]  # fmt: skip

TOOLS = [
    row("tool call", "5:tool-calls", calls(CALL), calls=[ADD], reason="tool_calls"),
    row(
        "tool calls one by one, without index", "5:tool-calls",
        calls(CALL), calls(CALL | {"id": "c2"}, "none"),
        calls=[ADD, ("add", {"a": 2}, "c2")], reason="tool_calls",
    ),
    row(
        "tool call in pieces", "5:tool-calls",
        calls({"index": 0, "id": "c1", "function": {"name": "add", "arguments": ""}}),
        calls({"index": 0, "function": {"arguments": '{"a":'}}),
        calls({"function": {"arguments": " 2}"}}),
        calls({"index": 1, "id": "c2", "name": "sub", "arguments": {"b": 3}}),
        r.FinishReason("tool_calls"),
        calls=[ADD, ("sub", {"b": 3}, "c2")], reason="tool_calls",
    ),
]  # fmt: skip

ABOUT = [
    row(
        "usage", "5:usage 9:said-once",
        "a", r.Usage(prompt_tokens=1, completion_tokens=1), r.Usage(),
        r.Usage(
            prompt_tokens=3, completion_tokens=4.0, total_tokens=8,
            completion_tokens_details={"reasoning_tokens": 2},
            prompt_tokens_details={"cached_tokens": 1},
        ),
        text="a", usage=tokens(3, 4, 8, 2, input_token_details={"cache_read": 1}),
    ),
    row(
        "usage in other words", "5:usage",
        "a", r.Usage(inputTokens=3, output_tokens=4, reasoning_tokens=1),
        text="a", usage=tokens(3, 4, 7, 1),
    ),
    *(
        row(
            f"finish reason {given}", "5:finish-reason",
            "a", r.FinishReason("stop"), r.FinishReason(given), text="a", reason=wanted,
        )
        for given, wanted in (
            ("stop", "stop"), ("STOP", "stop"), ("end_turn", "stop"), ("length", "length"),
            ("max_tokens", "length"), ("content_filter", "content_filter"),
            ("interrupted", "interrupted"), (None, "unknown"), ("odd", "unknown"),
        )
    ),
    row(
        "conversation", "5:conversation 9:said-once 8:conversation-handle",
        r.JsonConversation(id="0"), "a",
        r.Conversation(
            id="1", cookies={"c": "canary"}, access_token="canary",
            deep={"list": [1, {"api_key": "canary", "ok": None}]},
        ),
        text="a", metadata={"conversation": {"id": "1", "deep": {"list": [1, {"ok": None}]}}},
    ),
    row(
        "conversation that says nothing of itself", "5:conversation",
        "a", type("JsonConversation", (), {"get_dict": lambda self: None, "_own": 1})(),
        text="a", metadata={"conversation": {}},
    ),
    row(
        "conversation without a bottom", "5:conversation",
        "a", r.JsonConversation(a=bottomless(), b=(1, 0.5, {2}), c=r.TitleGeneration("t")),
        text="a", metadata={"conversation": {"b": [1, 0.5, [2]], "c": {"title": "t"}, "a": DEEP}},
    ),
    row("title", "5:title 9:events", "a", r.TitleGeneration("A title"),
        text="a", metadata={"title": "A title"}, told=[("title", "A title")]),
    row("followups", "5:followups", "a", r.SuggestedFollowups(["b?", "c?"]),
        text="a", metadata={"suggested_followups": ["b?", "c?"]}),
    row("login", "5:request-login 9:events", r.RequestLogin("Some", "https://l.example"), "a",
        text="a", told=[("login_required", "Some wants a login")]),
    row("auth result", "5:auth-result",
        r.AuthResult(api_key="canary", cookies={"c": "canary"}), "a", text="a"),
    row("provider info", "5:provider-info",
        r.ProviderInfo(name="P", url="u", label="L", model="big"), "a",
        text="a", metadata={"provider": "P", "model_name": "big"}),
    row("parameters", "5:parameters",
        "a", r.Parameters(seed=7, api_key="canary", nan=float("nan"), bytes=b"x"),
        text="a", metadata={"parameters": {"seed": 7}}),
    row("synthesize", "5:synthesize", "a", r.SynthesizeData(provider="P", data={"text": "a"}),
        text="a", metadata={"synthesize": {"provider": "P", "data": {"text": "a"}}}),
]  # fmt: skip

ROWS = [*TEXT, *FOUND, *FILES, *TOOLS, *ABOUT]
