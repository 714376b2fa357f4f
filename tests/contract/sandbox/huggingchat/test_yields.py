"""What a server says besides its text reaches the caller, in metadata, blocks and progress."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.testing import Reply, Sandbox
from tests.contract.sandbox.huggingchat.asking import (
    MODEL,
    WAYS,
    Generation,
    Watcher,
    ask,
    echo,
    history,
    inputs,
)

REASONER = "sandbox/reasoner"
THOUGHTS = "First I look at the question. Then I answer it."
SOURCES = [
    {"type": "citation", "url": "https://example.org/first", "title": "First result"},
    {"type": "citation", "url": "https://example.org/second", "title": "Second result"},
]


def types(answer: Any) -> list[str]:
    """The kinds of an answer's content blocks."""
    return [block["type"] for block in answer.content_blocks]


@pytest.mark.proves("promise:everything-yielded", "promise:progress-callback")
@pytest.mark.parametrize("slow", ["", "[[slow-title]]"])
@pytest.mark.parametrize("way", WAYS)
async def test_title_is_metadata_and_progress(
    sandbox: Sandbox, generation: Generation, way: str, slow: str
) -> None:
    """Early or late; a later turn gets none."""
    watcher = Watcher()
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, on_progress=watcher)
    first = await ask(model, way, f"Name me {slow}")
    title = "Title: Name me" if generation == "current" else "\N{SPEECH BALLOON} Title: Name me"
    assert first.response_metadata["title"] == title
    assert [p.message for p in watcher.seen if p.kind == "title"] == [title]
    second = await ask(model, way, history(f"Name me {slow}", first, "again"))
    assert "title" not in second.response_metadata


@pytest.mark.proves("promise:everything-yielded")
@pytest.mark.parametrize("way", WAYS)
async def test_router_names_who_answered(way: str) -> None:
    """`model_name` is the model behind the alias, said once however often chunks are added."""
    with Sandbox() as sandbox:
        answer = await ask(ChatHuggingChat(base_url=sandbox.base_url, model="omni"), way, "hi")
    assert answer.response_metadata["model_name"] == MODEL
    assert answer.response_metadata["route"] == "default"


@pytest.mark.proves("promise:everything-yielded")
@pytest.mark.parametrize("way", WAYS)
async def test_provider_behind_the_model_is_named(way: str) -> None:
    """It comes after the answer and belongs to it; the model keeps its name."""
    with Sandbox() as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
        answer = await ask(model, way, "hi [[provider:together]]")
    assert answer.response_metadata["backend_provider"] == "together"
    assert answer.response_metadata["model_name"] == MODEL


@pytest.mark.proves("promise:everything-yielded", "obligation:huggingchat:12")
@pytest.mark.parametrize(
    ("model_name", "prompt"), [(REASONER, "why"), (MODEL, "why [[think-inline]]")]
)
@pytest.mark.parametrize("way", WAYS)
async def test_reasoning_is_apart_in_every_form(
    sandbox: Sandbox, way: str, model_name: str, prompt: str
) -> None:
    """In a field of its own or in tags within the text, it is a block before the answer."""
    answer = await ask(ChatHuggingChat(base_url=sandbox.base_url, model=model_name), way, prompt)
    thoughts = THOUGHTS if model_name == REASONER else "Inline thoughts come first."
    assert answer.additional_kwargs["reasoning_content"] == thoughts
    assert answer.text == echo(1, "why", model_name)
    assert types(answer) == ["reasoning", "text"]
    assert answer.content_blocks[0].get("reasoning") == thoughts


@pytest.mark.proves("promise:everything-yielded")
@pytest.mark.parametrize("way", WAYS)
async def test_reasoning_that_never_ends_is_no_answer(way: str) -> None:
    """A model that stops in its thoughts has said nothing."""
    with Sandbox() as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
        answer = await ask(model, way, "why [[think-only]]")
    assert answer.text == ""
    assert types(answer) == ["reasoning"]


@pytest.mark.proves("promise:everything-yielded", "promise:server-options")
@pytest.mark.parametrize("where", ["call", "model"])
@pytest.mark.parametrize("way", WAYS)
async def test_web_search_of_an_older_server_gives_sources(way: str, where: str) -> None:
    """They are citations of the answer, each once; what is searched for is progress."""
    watcher = Watcher()
    with Sandbox(generation="legacy") as sandbox:
        model = ChatHuggingChat(
            base_url=sandbox.base_url,
            model=MODEL,
            on_progress=watcher,
            web_search=where == "model",
        )
        options = {"web_search": True} if where == "call" else {}
        answer = await ask(model, way, "news", **options)
    assert answer.text == echo(1, "news")
    blocks: Any = answer.content_blocks
    (text,) = blocks
    found = [{key: note[key] for key in ("type", "url", "title")} for note in text["annotations"]]
    assert found == SOURCES
    searched = [p for p in watcher.seen if p.kind.startswith("web_search")]
    assert [p.kind for p in searched] == ["web_search_update", "web_search_finished"]
    assert searched[0].message == "Searching Google: news"


@pytest.mark.proves("promise:everything-yielded")
@pytest.mark.parametrize("way", WAYS)
async def test_web_search_that_fails_is_progress(way: str) -> None:
    """The model answers without it."""
    watcher = Watcher()
    with Sandbox(generation="legacy", web_sources=[]) as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, on_progress=watcher)
        answer = await ask(model, way, "news", web_search=True)
    assert "web_search_error" in watcher.kinds
    assert answer.text == echo(1, "news")
    assert types(answer) == ["text"]


def plain_blocks(blocks: Any) -> list[dict[str, Any]]:
    """Blocks without the places that chunks need to be added up, and without made-up ids."""
    return [
        {key: value for key, value in block.items() if key not in ("index", "id")}
        for block in blocks
    ]


SCENES: dict[str, tuple[Generation, str, str, dict[str, Any]]] = {
    "text": ("current", MODEL, "hi", {}),
    "reasoning": ("current", REASONER, "why", {}),
    "reasoning only": ("current", MODEL, "why [[think-only]]", {}),
    "older reasoning": ("legacy", REASONER, "why", {}),
    "sources": ("legacy", MODEL, "news", {"web_search": True}),
    "sources and reasoning": ("legacy", REASONER, "news", {"web_search": True}),
}


@pytest.mark.proves("promise:everything-yielded", "promise:invoke-equals-stream")
@pytest.mark.parametrize("version", [None, "v1"])
@pytest.mark.parametrize("scene", SCENES)
async def test_all_ways_give_the_same_blocks(scene: str, version: str | None) -> None:
    """Added up or whole, in LangChain's new form or the old one."""
    generation, name, prompt, options = SCENES[scene]
    with Sandbox(generation=generation, split="random") as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=name, output_version=version)
        answers = [await ask(model, way, prompt, **options) for way in WAYS]
    assert len({repr(plain_blocks(answer.content_blocks)) for answer in answers}) == 1
    assert len({answer.text for answer in answers}) == 1
    for answer in answers:
        assert isinstance(answer.content, list if version else str)
        if version:
            assert plain_blocks(answer.content) == plain_blocks(answer.content_blocks)


@pytest.mark.proves("promise:everything-yielded", "promise:native-conversations")
@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("way", WAYS)
async def test_answer_in_blocks_is_gone_on_from(scene: str, way: str) -> None:
    """Its form makes no difference to the conversation."""
    generation, name, prompt, options = SCENES[scene]
    with Sandbox(generation=generation) as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=name, output_version="v1")
        first = await ask(model, way, prompt, **options)
        second = await ask(model, way, history(prompt, first, "and"))
        assert second.text.startswith(f"Echo ({name}, turn 2): and")
        assert inputs(sandbox) == [prompt, "and"]


@pytest.mark.proves("promise:everything-yielded")
@pytest.mark.parametrize("way", WAYS)
async def test_length_and_tokens_are_not_made_up(sandbox: Sandbox, way: str) -> None:
    """A server says nothing of them, and neither does the answer."""
    answer = await ask(
        ChatHuggingChat(base_url=sandbox.base_url, model=MODEL), way, "hi [[long:50]]"
    )
    assert answer.usage_metadata is None
    assert answer.response_metadata["finish_reason"] == "stop"


@pytest.mark.proves("promise:everything-yielded", "obligation:huggingchat:13")
@pytest.mark.parametrize("way", WAYS)
async def test_what_follows_the_final_answer_is_read(way: str) -> None:
    """Title and provider may come last."""
    reply = Reply(text="Yes.", slow_title=True, provider="together", title="Late")
    with Sandbox(reply=reply) as sandbox:
        answer = await ask(ChatHuggingChat(base_url=sandbox.base_url, model=MODEL), way, "hi")
    assert answer.response_metadata["title"] == "Late"
    assert answer.response_metadata["backend_provider"] == "together"
