"""The steps of `langchain-g4f demo`. Each shows one thing the package does, and checks it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import struct
import sys
import time
import zlib
from collections.abc import AsyncIterator
from statistics import median
from typing import TYPE_CHECKING

from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.tools import tool
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from langchain_g4f.chat_models.flowgpt import ChatFlowGpt
from langchain_g4f.chat_models.huggingchat import ChatHuggingChat
from langchain_g4f.cli.demo.stage import (
    TIMEOUT_S,
    Meter,
    Stage,
    expect,
    milliseconds,
    show_answer,
)
from langchain_g4f.cli.failure import CommandError
from langchain_g4f.cli.screen import Screen
from langchain_g4f.errors import AuthenticationError
from langchain_g4f.testing import FlowGptSandbox, Prompt, Reply, Sandbox, echo

if TYPE_CHECKING:
    from langchain_g4f.testing import RecordedRequest

SMALL_MODEL = "sandbox/text-small"

# -- the models ------------------------------------------------------------------


async def show_models(stage: Stage) -> None:
    """List the models of the server."""
    models = await stage.chat_model().aget_models()
    for model in models:
        stage.say(f"  {model}")
    expect(len(models) > 1, "several models")


# -- one answer ------------------------------------------------------------------

QUESTION = "How did this answer get here?"
THOUGHTS = """\
They see words appear and want to know what happened in between. I am a script
in a loopback server, so I know: two requests, then a line of JSON per word."""
ANSWER = """\
Your program called `ChatHuggingChat.astream()`. That created a conversation
with one HTTP request and sent your message with a second one. The response to
it stayed open, and each word of this answer was a line of JSON in it; you see
it the moment it arrives. The lines above it were my reasoning, which LangChain
keeps apart from the answer, as a content block of its own."""
ANSWER_PACE_S = 0.02


def answer(prompt: Prompt) -> Reply:
    """The model of the sandbox: it knows one answer by heart, and repeats everything else."""
    if prompt.text == QUESTION:
        return Reply(text=ANSWER, reasoning=THOUGHTS, pace_s=ANSWER_PACE_S)
    return echo(prompt)


async def show_reasoning(stage: Stage) -> None:
    """Stream one answer, its reasoning first."""
    stage.say(f"{QUESTION}\n", "bold")
    before = len(stage.sandbox.requests)
    meter = Meter()
    sent = 0

    async def measured() -> AsyncIterator[AIMessageChunk]:
        nonlocal sent
        async for chunk in stage.chat_model("sandbox/reasoner").astream(QUESTION):
            if meter.add(chunk) and meter.chunks == 1:
                sent = len(stage.sandbox.requests) - before
            yield chunk

    await Screen(reasoning=True, aside=sys.stdout).follow(measured())
    stage.say(
        f"\n{meter.chunks} chunks, the first after {milliseconds(meter.first_token_s)} "
        f"and {sent} requests"
    )
    expect(meter.reasoning == THOUGHTS, "the reasoning, apart from the answer")
    expect(meter.text == ANSWER, "the whole answer")
    expect(meter.finish_reason == "stop", "an answer that ends regularly")
    expect(sent == 2, "two requests before the first token")


# -- an image --------------------------------------------------------------------

IMAGE_QUESTION = "What is in this picture?"
SIDE_PIXELS = 8


async def show_image(stage: Stage) -> None:
    """Ask about an image, and compare its bytes with those the model received."""
    sent = make_png(SIDE_PIXELS)
    stage.say(f"{IMAGE_QUESTION} (a PNG, {SIDE_PIXELS} by {SIDE_PIXELS} pixels)\n", "bold")
    block = {
        "type": "image",
        "base64": base64.b64encode(sent).decode("ascii"),
        "mime_type": "image/png",
    }
    question = HumanMessage([{"type": "text", "text": IMAGE_QUESTION}, block])
    before = len(stage.sandbox.prompts)
    await show_answer(stage.chat_model("sandbox/vision-tools").astream([question]))
    prompts = stage.sandbox.prompts[before:]
    expect(len(prompts) == 1, "one question to the model")
    content = prompts[0][-1]["content"]
    images = [part for part in content if part["type"] == "image"]
    stage.say("")
    for name, data in ("sent", sent), *(("the model received", i["data"]) for i in images):
        stage.say_row(
            name, f"{len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()[:16]}..."
        )
    expect([image["data"] for image in images] == [sent], "the image at the model, byte for byte")
    expect(images[0]["mime_type"] == "image/png", "an image with the type of a PNG")


def make_png(side: int) -> bytes:
    """A square of `side` pixels in shades of red and green."""
    step = 255 // (side - 1)
    row = b"".join(bytes((step * x, 255 - step * x, 64)) for x in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)  # 8 bits each of red, green, blue
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress((b"\0" + row) * side)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )


# -- a conversation --------------------------------------------------------------


async def show_conversation(stage: Stage) -> None:
    """Ask twice; as LangChain does, the second call passes the whole history."""
    conversations = set(stage.sandbox.conversations)
    said: list[BaseMessage] = []
    before = 0
    for question in ("My name is Ada.", "What is my name?"):
        before = len(stage.sandbox.requests)
        stage.say(question, "bold")
        said.append(HumanMessage(question))
        said.append(await show_answer(stage.chat_model(SMALL_MODEL).astream(said)))
    second = stage.sandbox.requests[before:]
    stage.say("\nThe requests of the second question:")
    for request in second:
        text = f"  {_sent_text(request)!r}" if "data" in request.form else ""
        stage.say(f"  {request.method:4} {request.path}{text}")
    expect([r.method for r in second] == ["GET", "POST"], "two requests: read, then send")
    expect(_sent_text(second[-1]) == said[-2].text, "a message with the second question alone")

    new = [c for name, c in stage.sandbox.conversations.items() if name not in conversations]
    expect(len(new) == 1, "one conversation for both questions")
    root, *messages = new[0].messages
    stage.say("\nThe conversation on the server:")
    for message in messages:
        stage.say(f"  {message.role:9}  {message.content}")
    texts = [message.text for message in said]
    expect([m.content for m in messages] == texts, "the conversation as LangChain has it")
    parents = [root.id, *(message.id for message in messages[:-1])]
    expect([m.parent for m in messages] == parents, "each message under the one before it")
    received = [message["content"] for message in stage.sandbox.prompts[-1]]
    expect(received == texts[:-1], "a model that reads each message once")
    stage.say(f"\nThe model read {len(received)} messages, none of them twice.")


def _sent_text(request: RecordedRequest) -> object:
    """The text of a message that was sent."""
    return json.loads(request.form["data"]).get("inputs")


# -- a signature -----------------------------------------------------------------

SIGNATURE_QUESTION = "Who vouches for this request?"
SIGNATURE_ANSWER = """\
Its signature: I have computed it once more, from the time, the nonce and the
Authorization header, and remember the nonce, so that it cannot be used again."""
SIGNED = ("authorization", "x-timestamp", "x-nonce", "x-signature")
AHEAD_S = 3600.0
"""How far the second server's clock is ahead of ours."""


async def show_signature(stage: Stage) -> None:
    """Ask a FlowGPT server, then one whose clock says that our request is old."""
    with FlowGptSandbox(reply=SIGNATURE_ANSWER) as sandbox:
        stage.say(SIGNATURE_QUESTION, "bold")
        message = await show_answer(_flowgpt(sandbox).astream(SIGNATURE_QUESTION))
        (request,) = sandbox.requests
    stage.say(f"\n  {request.method} {request.path} -> {request.status}")
    for name in SIGNED:
        stage.say(f"  {name + ':':14} {request.headers.get(name, '')}")
    expect(all(name in request.headers for name in SIGNED), "a request that is signed")
    expect(request.status == 200, "a signature that the server accepts")
    expect(message.text == SIGNATURE_ANSWER, "the whole answer")
    with FlowGptSandbox(reply=SIGNATURE_ANSWER, clock=lambda: time.time() + AHEAD_S) as sandbox:
        try:
            await _flowgpt(sandbox).ainvoke(SIGNATURE_QUESTION)
        except AuthenticationError as error:
            stage.say(f"\nTo a server whose clock is an hour ahead:\n  {error}")
            return
    raise CommandError("the demo expected a request that is too old to be refused")


def _flowgpt(sandbox: FlowGptSandbox) -> ChatFlowGpt:
    # Without the token of the environment, which belongs to the real service.
    return ChatFlowGpt(base_url=sandbox.base_url, api_key=None, timeout=TIMEOUT_S)


# -- many answers ----------------------------------------------------------------

STREAMS = 20
LENGTHS = [100 + 5 * number for number in range(STREAMS)]
"""Number of tokens of each answer."""
STREAM_PACE_MS = 10


async def show_many(stage: Stage) -> None:
    """Stream twenty answers at once, with a bar on a terminal and a summary everywhere."""
    model = stage.chat_model(SMALL_MODEL)
    all_open = asyncio.Barrier(STREAMS)
    done = 0
    before = len(stage.sandbox.conversations)

    async def stream(number: int) -> Meter:
        nonlocal done
        meter = Meter()
        question = f"[[long:{LENGTHS[number]}]] [[pace:{STREAM_PACE_MS}]] stream {number}"
        async for chunk in model.astream(question):
            if not meter.add(chunk):
                continue
            if meter.chunks == 1:  # none is read to its end before every other one has begun
                await all_open.wait()
            # The sandbox sends one token per chunk.
            rate = progress.tasks[bar].completed / (time.perf_counter() - started_s)
            progress.update(bar, advance=1, rate=rate)
        done += 1
        progress.update(bar, done=done)
        return meter

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn(f"{{task.fields[done]:2}}/{STREAMS} done"),
        TextColumn("{task.fields[rate]:5.0f} tokens/s"),
        TimeElapsedColumn(),
    )
    started_s = time.perf_counter()
    hidden = not stage.console.is_terminal
    with Progress(*columns, console=stage.console, disable=hidden) as progress:
        bar = progress.add_task("streaming", total=sum(LENGTHS), done=0, rate=0.0)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(stream(number)) for number in range(STREAMS)]
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
    wall_s = time.perf_counter() - started_s
    meters = [task.result() for task in tasks]
    complete = sum(
        meter.finish_reason == "stop" and meter.text.split() == [f"w{n + 1}" for n in range(length)]
        for meter, length in zip(meters, LENGTHS, strict=True)
    )
    chunks = sum(meter.chunks for meter in meters)
    firsts = [meter.first_token_s for meter in meters]
    stage.say_row("complete", f"{complete} of {STREAMS}, all open at the same time")
    stage.say_row("wall time", f"{wall_s:.2f} s")
    stage.say_row("chunks", f"{chunks}, {chunks / wall_s:.0f} per second")
    middle, longest = milliseconds(median(firsts)), milliseconds(max(firsts))
    stage.say_row("time to first token", f"{middle} median, {longest} at most")
    expect(complete == STREAMS, f"{STREAMS} complete answers")
    expect(len(stage.sandbox.conversations) - before == STREAMS, "a conversation for each")


# -- an agent --------------------------------------------------------------------

AGENT_QUESTION = "Which word has more r's, strawberry or blueberry?"
WORDS = ("strawberry", "blueberry")
AGENT_CALLS = "I read tokens, not letters, so I let your tool count."
AGENT_ANSWER = "It is strawberry: your tool counted 3 there, and 2 in blueberry."
_RESULT = re.compile(r"<tool_response [^>]*>\n(\d+)\n</tool_response>")
_MOST_STEPS = 5


@tool
def count_letter(word: str, letter: str) -> int:
    """Count how often a letter is in a word."""
    return word.count(letter)


def agent_answer(prompt: Prompt) -> str:
    """The model of the agent: it calls the tool for each word, then answers with the results."""
    counted = _RESULT.findall(prompt.text)
    if counted:
        return "It is {0}: your tool counted {2} there, and {3} in {1}.".format(*WORDS, *counted)
    if '"name": "count_letter"' not in prompt.system:
        return "I cannot count."
    calls = (
        f'{{"name": "count_letter", "arguments": {{"word": "{w}", "letter": "r"}}}}' for w in WORDS
    )
    return "\n".join([AGENT_CALLS, *(f"<tool_call>{call}</tool_call>" for call in calls)])


async def show_agent(stage: Stage) -> None:
    """Ask, run the tools that the model calls, and ask again with the results."""
    stage.say(AGENT_QUESTION, "bold")
    with Sandbox(agent_answer) as sandbox:
        plain = ChatHuggingChat(
            base_url=sandbox.base_url, model=SMALL_MODEL, cookies=None, timeout=TIMEOUT_S
        )
        model = plain.bind_tools([count_letter])
        said: list[BaseMessage] = [HumanMessage(AGENT_QUESTION)]
        for _ in range(_MOST_STEPS):
            message = await show_answer(
                chunk async for chunk in model.astream(said) if isinstance(chunk, AIMessageChunk)
            )
            said.append(message)
            for call in message.tool_calls:
                result = await count_letter.ainvoke(call)
                arguments = ", ".join(map(repr, call["args"].values()))
                stage.say(f"  {call['name']}({arguments}) -> {result.text}")
                said.append(result)
            if not message.tool_calls:
                break
        requests, conversations = sandbox.requests, [*sandbox.conversations.values()]
    stage.say(f"\n{len(requests)} requests; the second question was the results alone:")
    for line in conversations[0].messages[-2].content.splitlines():
        stage.say(f"  {line}")
    expect(said[-1].text == AGENT_ANSWER, "an answer with what the tool has counted")
    expect([m.type for m in said] == ["human", "ai", "tool", "tool", "ai"], "two calls at once")
    expect(len(requests) == 4, "two requests for each of two answers")
    expect(len(conversations) == 1, "one conversation")
    kept = [message.role for message in conversations[0].messages[1:]]
    expect(kept == ["user", "assistant"] * 2, "a conversation that has everything once")
