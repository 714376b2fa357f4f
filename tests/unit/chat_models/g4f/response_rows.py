"""What a provider yields, and what is found of it in an answer."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.g4f_standins import responses_new as new
from tests.g4f_standins import responses_old as old

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
DATA_URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
URL = "https://files.example/a.png"


def row(name: str, *proofs: str, values: Any, **expected: Any) -> Any:
    """What is yielded, and what is then found in the answer."""
    marks = pytest.mark.proves(*(f"g4f:{proof}" for proof in proofs))
    return pytest.param(values, expected, id=name, marks=marks)


def block(kind: str, **more: Any) -> dict[str, Any]:
    """A file of an answer."""
    return {"type": kind, "extras": {}, "index": "lc_block_1", **more}


MEDIA_AND_TEXT = [
    row("text", "5:text", "9:content-string", values=["a", "", None, "b"], text="ab"),
    row("text subclass", "5:text", values=[type("Md", (str,), {})("*a*")], text="*a*"),
    row("bytes", "5:text", values=[b"\xc3\xa4", "b"], text="äb"),
    row(
        "reasoning",
        "5:reasoning",
        values=[old.Reasoning(token="th"), old.Reasoning(token="ink"), "a"],
        text="a",
        reasoning="think",
    ),
    row(
        "reasoning marks",
        "5:reasoning-marks",
        values=[
            old.Reasoning(is_thinking="<think>"),
            "why",
            "",
            old.Reasoning(is_thinking="</think>"),
            "a",
        ],
        text="a",
        reasoning="why",
    ),
    row(
        "think marks in text",
        "7:think-marks",
        values=["<th", "ink>why</thi", "nk>\n\na<b"],
        text="a<b",
        reasoning="why",
    ),
    row("beginning of a mark", "7:think-marks", values=["a<th"], text="a<th"),
    row(
        "reasoning status",
        "5:reasoning-status",
        "9:events",
        values=[
            old.Reasoning(status="reading"),
            old.Reasoning(label="L"),
            old.Reasoning(status=""),
            old.Reasoning(),
            "a",
        ],
        text="a",
        told=[("status", "reading"), ("status", "L"), ("status", "")],
    ),
    row(
        "sources",
        "5:sources",
        values=[
            "a",
            old.Sources(
                [
                    {"url": "https://a.example", "title": "A"},
                    {"url": "https://b.example", "name": "B"},
                    {"title": "no address"},
                ]
            ),
        ],
        text="a",
        sources=[
            {"url": "https://a.example", "title": "A"},
            {"url": "https://b.example", "title": "B"},
        ],
    ),
    row(
        "sources, a list itself",
        "5:sources",
        values=["a", type("Sources", (list,), {})([{"url": "u"}, "no source"])],
        text="a",
        sources=[{"url": "u", "title": ""}],
    ),
    row(
        "source link",
        "5:source-link",
        values=["a", old.SourceLink("A", "https://a.example"), old.SourceLink("", "u"), "."],
        text="a [A](https://a.example) [u](u).",
        sources=[{"url": "https://a.example", "title": "A"}, {"url": "u", "title": ""}],
    ),
    row(
        "search results",
        "5:search-results",
        values=[
            new.SearchResults(
                [{"link": "u", "title": "T", "snippet": "S"}, {"link": "v", "name": "N"}]
            ),
            "a",
        ],
        text="a",
        metadata={
            "search_results": [
                {"url": "u", "title": "T", "snippet": "S"},
                {"url": "v", "title": "N", "snippet": ""},
            ]
        },
    ),
    row(
        "image",
        "5:image",
        "9:files",
        values=[old.ImageResponse(URL, "a cat")],
        files=[block("image", url=URL, extras={"alt": "a cat"})],
        metadata={"images": [URL]},
    ),
    row(
        "images",
        "5:image",
        values=[old.ImageResponse([URL, URL + "?2"], ["one"])],  # type: ignore[arg-type]
        files=[
            block("image", url=URL, extras={"alt": "one"}),
            block("image", url=URL + "?2", index="lc_block_2"),
        ],
        metadata={"images": [URL, URL + "?2"]},
    ),
    row(
        "image in a data URI",
        "5:image",
        values=[old.ImageResponse(DATA_URL, None)],
        files=[block("image", mime_type="image/png", base64=DATA_URL.partition(",")[2])],
    ),
    row(
        "broken data URI",
        "5:image",
        values=[old.ImageResponse("data:nonsense")],
        files=[block("image", url="data:nonsense")],
        metadata={"images": ["data:nonsense"]},
    ),
    row(
        "image preview",
        "5:image-preview",
        "9:events",
        values=[new.ImagePreview(URL, "p", {"cookies": {"c": "canary"}}), "a"],
        text="a",
        told=[("preview", "")],
    ),
    row(
        "preview",
        "5:preview",
        "9:events",
        values=[old.PreviewResponse("half"), "a"],
        text="a",
        told=[("preview", "")],
    ),
    row(
        "video",
        "5:video",
        values=[old.VideoResponse("https://v.example/1", "v")],
        files=[block("video", url="https://v.example/1", extras={"alt": "v"})],
    ),
    row(
        "audio bytes",
        "5:audio",
        values=[new.AudioResponse(b"\x00speech", transcript="hi")],
        files=[
            block(
                "audio",
                mime_type="audio/mpeg",
                base64=base64.b64encode(b"\x00speech").decode(),
                extras={"transcript": "hi"},
            )
        ],
    ),
    row(
        "audio path",
        "5:audio",
        values=[old.AudioResponse("/media/a.mp3")],
        files=[block("audio", url="/media/a.mp3")],
    ),
    row(
        "audio in a data URI",
        "5:audio",
        values=[old.AudioResponse("data:audio/mpeg;base64,AAAA")],
        files=[block("audio", mime_type="audio/mpeg", base64="AAAA")],
    ),
]
