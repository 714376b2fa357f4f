"""Their template for OpenAI-like services, against a loopback server: real requests, real bytes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool

from langchain_g4f import APITimeoutError, ChatG4F, Clocks
from tests.servers.g4f.server import Answer, OpenAIServer, delta, spoken
from tests.unit.chat_models.ways import WAYS, ask

pytestmark = pytest.mark.g4f


async def every_way(model: ChatG4F, server: OpenAIServer, answer: Answer) -> list[AIMessage]:
    """Return the answer as all four ways of asking give it."""
    server.will(*[answer] * 4)
    question = [SystemMessage("Be brief."), HumanMessage("Why?")]
    return [await ask(model, way, question) for way in WAYS]


async def test_answer_is_the_same_every_way(model: ChatG4F, server: OpenAIServer) -> None:
    """Text, finish reason, token counts and model, whole and streamed, sync and async."""
    for answer in await every_way(model, server, spoken("Ray", "leigh", " scattering.")):
        assert answer.text == "Rayleigh scattering."
        assert answer.response_metadata["finish_reason"] == "stop"
        assert answer.response_metadata["model_name"] == "loopback-1"
        assert answer.usage_metadata == {
            "input_tokens": 11,
            "output_tokens": 7,
            "total_tokens": 18,
            "input_token_details": {"cache_read": 4},
            "output_token_details": {"reasoning": 2},
        }
    for request in server.requests:
        assert request.path == "/v1/chat/completions"
        assert request.body["stream"] is True
        assert request.body["messages"] == [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Why?"},
        ]


async def test_pieces_arrive_one_by_one(model: ChatG4F, server: OpenAIServer) -> None:
    """Each delta is a chunk."""
    server.will(spoken("one ", "two ", "three"))
    texts = [chunk.text async for chunk in model.astream("Count.")]
    assert [text for text in texts if text] == ["one ", "two ", "three"]


async def test_reasoning_is_apart_from_the_answer(
    model: ChatG4F, server: OpenAIServer, line: str
) -> None:
    """A field of its own on the new line, marks in the text on both."""
    marked = spoken("<thi", "nk>Hm, ", "well.</th", "ink>", "Yes.")
    apart = Answer(
        (
            delta(reasoning_content="Hm, "),
            delta(reasoning_content="well."),
            delta(content="Yes."),
            delta({"finish_reason": "stop"}),
        )
    )
    for answer in [marked, apart] if line == "new" else [marked]:
        for message in await every_way(model, server, answer):
            assert message.content == "Yes."
            assert message.additional_kwargs["reasoning_content"] == "Hm, well."


async def test_settings_reach_the_service(model: ChatG4F, server: OpenAIServer) -> None:
    """Parameters that the template has are in the request, the key is in its header."""
    server.will(spoken("ok"))
    asked = model.model_copy(update={"temperature": 0.2, "max_tokens": 5, "top_p": 0.9})
    keyed = ChatG4F(**{**asked.__dict__, "wrapped": asked.wrapped, "api_key": "sk-very-secret"})
    assert keyed.invoke("Hello").text == "ok"
    sent = server.requests[-1]
    assert (sent.body["temperature"], sent.body["max_tokens"], sent.body["top_p"]) == (0.2, 5, 0.9)
    assert sent.headers["authorization"] == "Bearer sk-very-secret"
    assert "very-secret" not in repr(keyed)


async def test_stop_string_ends_the_answer(model: ChatG4F, server: OpenAIServer) -> None:
    """It is cut here across borders, whatever the service does with it."""
    server.will(spoken("one S", "TO", "P two"))
    answer = await model.ainvoke("Count.", stop=["STOP"])
    assert answer.text == "one "
    assert answer.response_metadata["finish_reason"] == "stop"


async def test_picture_goes_along(model: ChatG4F, server: OpenAIServer) -> None:
    """A picture of a message arrives as a part of it."""
    server.will(spoken("A dot."))
    png = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")
    assert (await model.ainvoke("What is this?", media=[(png, "dot.png")])).text == "A dot."
    parts = server.requests[-1].body["messages"][-1]["content"]
    pictures = [part for part in parts if part.get("type") == "image_url"]
    assert len(pictures) == 1
    assert pictures[0]["image_url"]["url"].startswith("data:image/png;base64,")


@tool
def weather(city: str) -> str:
    """Say what the weather is like."""
    return f"rain in {city}"


def called(*pieces: str) -> Answer:
    """A streamed call, its arguments in pieces."""
    first = {"index": 0, "id": "call_1", "type": "function"}
    begin = delta(tool_calls=[first | {"function": {"name": "weather", "arguments": ""}}])
    parts = [delta(tool_calls=[{"index": 0, "function": {"arguments": each}}]) for each in pieces]
    return Answer((begin, *parts, delta({"finish_reason": "tool_calls"}), b"data: [DONE]\n\n"))


async def test_tools_are_the_services_own_on_the_new_line(
    model: ChatG4F, server: OpenAIServer, line: str
) -> None:
    """Descriptions are sent, calls stream in pieces, results go back under their ids."""
    if line == "old":
        assert not model.facts.has_tools
        return
    bound = model.bind_tools([weather], tool_choice="any")
    server.will(*[called('{"ci', 'ty": "Os', 'lo"}')] * 2, spoken("It rains."))
    question = HumanMessage("Weather in Oslo?")
    answer = bound.invoke([question])
    streamed = await ask(bound, "astream", [question])
    for message in (answer, streamed):
        (call,) = message.tool_calls
        assert (call["name"], call["args"], call["id"]) == ("weather", {"city": "Oslo"}, "call_1")
        assert message.response_metadata["finish_reason"] == "tool_calls"
    assert server.requests[0].body["tools"][0]["function"]["name"] == "weather"
    assert server.requests[0].body["tool_choice"] == "required"
    result = weather.invoke(answer.tool_calls[0])
    assert model.bind_tools([weather]).invoke([question, answer, result]).text == "It rains."
    last = server.requests[-1].body["messages"]
    assert [message["role"] for message in last] == ["user", "assistant", "tool"]
    assert last[1]["tool_calls"][0]["id"] == last[2]["tool_call_id"] == "call_1"


async def test_tools_are_asked_for_in_words_on_the_old_line(
    model: ChatG4F, server: OpenAIServer, line: str
) -> None:
    """The template of old lines is no party to it: the text is read for calls."""
    if line == "new":
        assert model.facts.has_tools
        return
    call = json.dumps({"name": "weather", "arguments": {"city": "Oslo"}})
    server.will(spoken("<tool_", f"call>{call}</tool_call>"))
    answer = model.bind_tools([weather]).invoke("Weather in Oslo?")
    (found,) = answer.tool_calls
    assert (found["name"], found["args"]) == ("weather", {"city": "Oslo"})
    assert "tools" not in server.requests[-1].body


ENDLESS = Answer((delta(content="on STOP"), None))
"""An answer whose service goes on without another event."""


async def test_given_up_answer_ends_at_the_service(model: ChatG4F, server: OpenAIServer) -> None:
    """Who stops reading closes the connection, although their client waits for the body's end."""
    server.will(*[ENDLESS] * 4)
    chunks: Any = model.astream("Talk.")
    assert (await anext(chunks)).text == "on STOP"
    await chunks.aclose()
    await server.is_left()
    assert (await model.ainvoke("Talk.", stop=["STOP"])).text == "on "
    await server.is_left()
    stream: Any = model.stream("Talk.")
    assert next(stream).text == "on STOP"
    stream.close()
    await server.is_left()
    assert model.invoke("Talk.", stop=["STOP"]).text == "on "
    await server.is_left()


@pytest.mark.parametrize("in_thread", [False, True])
async def test_silence_has_a_limit(model: ChatG4F, server: OpenAIServer, in_thread: bool) -> None:
    """A service that goes on without a word is left when the clock has run out."""
    server.will(*[ENDLESS] * 2)
    clocks = {"timeout": Clocks(idle=0.2), "run_in_thread": in_thread}
    waiting = model.model_copy(update=clocks)
    with pytest.raises(APITimeoutError, match="nothing more") as raised:
        await asyncio.wait_for(waiting.ainvoke("Talk."), 10)
    assert raised.value.kind == "idle"
    await server.is_left()
    with pytest.raises(APITimeoutError, match="nothing more"):
        waiting.invoke("Talk.")
    await server.is_left()


async def test_cancelled_call_in_a_thread_ends_at_once(
    model: ChatG4F, server: OpenAIServer
) -> None:
    """On the caller's own loop it would end when their client had read the body's end."""
    server.will(ENDLESS)
    arrived = asyncio.Event()

    async def read() -> None:
        async for _ in model.model_copy(update={"run_in_thread": True}).astream("Talk."):
            arrived.set()

    task = asyncio.create_task(read())
    await asyncio.wait_for(arrived.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
    await server.is_left()


def test_models_are_listed(model: ChatG4F) -> None:
    """The service is asked for them."""
    assert model.get_models() == ["loopback-1", "loopback-2"]
    assert model.get_model() == "loopback-1"
