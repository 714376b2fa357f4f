"""The suite every provider runs: its recordings through its public class.

A provider's test module subclasses `ProviderSuite`, names its scenarios and says how
to build a model; each scenario then runs blocking (invoke) and awaiting (astream)
over two chunkings (whole bodies, single bytes), and all four have to agree with what
the scenario expects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

from langchain_g4f.chat_models.base import BaseChatG4F
from langchain_g4f.errors import APIError
from tests.contract.recordings.replay import Chunking, Replayer, Transport, load

CASSETTES = Path(__file__).parents[3] / "cassettes"
WAYS = ("invoke", "astream")
CHUNKINGS: tuple[Chunking, ...] = ("whole", "bytes")


@dataclass(frozen=True)
class Scenario:
    """One recorded conversation and what the caller must get out of it.

    Attributes:
        cassette: Path below ``cassettes/``, without its ending.
        prompt: What is asked.
        settings: Arguments of the model.
        options: Arguments of the call.
        text: The answer, or the part of it that came before the error.
        streamed: The answer's text as it was streamed, where that differs.
        reasoning: The reasoning.
        metadata: Entries of ``response_metadata``.
        error: The error's class.
        attributes: Attributes of the error.
    """

    cassette: str
    prompt: str | list[tuple[str, str]] = "hi"
    settings: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    streamed: str | None = None
    reasoning: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    error: type[APIError] | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


def scenarios(*found: Scenario) -> list[Any]:
    """Parameters for pytest, each marked with the cassette it proves."""
    return [
        pytest.param(s, id=s.cassette, marks=pytest.mark.proves(f"cassette:{s.cassette}"))
        for s in found
    ]


class ProviderSuite:
    """What holds for every provider."""

    SCENARIOS: ClassVar[list[Any]] = []

    def replayer(self, scenario: Scenario, chunking: Chunking) -> Replayer:
        """A replayer of the recording. Overwritten where requests match in another way."""
        return load(CASSETTES / f"{scenario.cassette}.yaml")(chunking=chunking)

    def model(self, scenario: Scenario, replayer: Replayer) -> BaseChatG4F:
        """The model under test, on the replayer's transport."""
        raise NotImplementedError

    def check(self, replayer: Replayer) -> None:
        """What holds after every call: nothing was asked that the recording does not hold."""
        assert not replayer.refused

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "scenario" in metafunc.fixturenames:
            metafunc.parametrize("scenario", self.SCENARIOS)
        if "way" in metafunc.fixturenames:
            metafunc.parametrize("way", WAYS)
        if "chunking" in metafunc.fixturenames:
            metafunc.parametrize("chunking", CHUNKINGS)

    async def test_recording_gives_the_expected_answer(
        self, scenario: Scenario, way: str, chunking: Chunking
    ) -> None:
        """However it is asked and however the bytes are cut, the answer is the same."""
        replayer = self.replayer(scenario, chunking)
        model = self.model(scenario, replayer)
        if scenario.error is None:
            answer = await ask(model, scenario.prompt, way, **scenario.options)
            streaming = way in ("stream", "astream")
            text = scenario.text if scenario.streamed is None else scenario.streamed
            assert answer.content == (text if streaming else scenario.text)
            assert answer.additional_kwargs.get("reasoning_content") == scenario.reasoning
            found = {key: answer.response_metadata.get(key) for key in scenario.metadata}
            assert found == dict(scenario.metadata)
            assert answer.response_metadata["model_provider"] == model.provider
            assert answer.usage_metadata is None
        else:
            with pytest.raises(scenario.error) as caught:
                await ask(model, scenario.prompt, way, **scenario.options)
            assert type(caught.value) is scenario.error
            assert caught.value.provider == model.provider
            assert caught.value.partial_text == scenario.text
            found = {key: getattr(caught.value, key) for key in scenario.attributes}
            assert found == dict(scenario.attributes)
        self.check(replayer)


async def ask(model: BaseChatG4F, prompt: Any, way: str, **options: Any) -> AIMessage:
    """One answer, in one of the four ways; streamed chunks are added up."""
    match way:
        case "invoke":
            return model.invoke(prompt, **options)
        case "ainvoke":
            return await model.ainvoke(prompt, **options)
        case "stream":
            return _sum(list(model.stream(prompt, **options)))
        case _:
            return _sum([chunk async for chunk in model.astream(prompt, **options)])


def _sum(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    assert [c.chunk_position for c in chunks].count("last") == 1
    assert chunks[-1].chunk_position == "last"
    first, *rest = chunks
    whole: BaseMessage = first
    for chunk in rest:
        whole = whole + chunk  # type: ignore[assignment]
    assert isinstance(whole, AIMessageChunk)
    return whole


def clients(transport: Transport) -> dict[str, Any]:
    """The two client fields of a model, both on the same transport."""
    return {
        "http_client": httpx.Client(transport=transport),
        "http_async_client": httpx.AsyncClient(transport=transport),
    }
