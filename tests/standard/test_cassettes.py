from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from vcr import VCR  # type: ignore[import-untyped]

from langchain_g4f import ChatHuggingChat
from langchain_g4f.testing import Sandbox
from tests.standard.conftest import CASSETTES

SECRET = "canary-4711"


async def answers(base_url: str) -> list[str]:
    """What a model at that address says, whole and streamed, sync and async."""
    cookies: Any = {"hf-chat": SECRET}
    model = ChatHuggingChat(base_url=base_url, model="sandbox/text-small", cookies=cookies)
    return [
        model.invoke("one").text,
        (await model.ainvoke("two")).text,
        "".join(chunk.text for chunk in model.stream("three")),
        "".join([chunk.text async for chunk in model.astream("four")]),
    ]


@pytest.mark.proves("promise:vcr-replay", "fault:41:HC")
async def test_cassette_recorded_with_vcrpy_replays_through_a_model(
    vcr_config: dict[str, Any], tmp_path: Path
) -> None:
    """Recorded once, the same calls get the same answers without a server, and hold no cookie."""
    cassette = tmp_path / "recorded.yaml"
    settings = {**vcr_config, "allow_playback_repeats": False}
    use = partial(VCR().use_cassette, str(cassette), **settings)
    with Sandbox() as sandbox, use(record_mode="once"):
        said = await answers(sandbox.base_url)
    with use(record_mode="none") as played:
        assert await answers("http://127.0.0.1:1/chat") == said
    assert played.all_played
    assert SECRET not in cassette.read_text()


@pytest.mark.parametrize("path", sorted(CASSETTES.glob("*.yaml")), ids=lambda path: path.stem)
def test_committed_cassette_holds_no_cookie(path: Path) -> None:
    """What identifies the one who recorded it was left out."""
    assert "cookie" not in path.read_text().lower()
