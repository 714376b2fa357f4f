"""`langchain-g4f demo`: the package at work on the sandbox, step by step.

A step is a coroutine function that shows one thing and checks it; a new one is a line in `STEPS`.
Nothing leaves this machine, and what is not as expected ends the demo with exit code 1.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

from pydantic import SecretStr
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from langchain_g4f import __version__
from langchain_g4f.chat_models.huggingchat import ChatHuggingChat
from langchain_g4f.cli.failure import CommandError
from langchain_g4f.cli.screen import Screen
from langchain_g4f.cli.service import open_sandbox
from langchain_g4f.testing import Prompt, Reply, Sandbox, echo

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk

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
ANSWER_PACE_S = 0.03

STREAMS = 20
SHORTEST_TOKENS = 100
STEP_TOKENS = 5
STREAM_PACE_MS = 10

TIMEOUT_S = 60.0
COMMAND = "langchain-g4f"


@dataclass(frozen=True, slots=True)
class Stage:
    """What a step works with.

    Attributes:
        cookies: Those of a browser that has logged in to the sandbox.
    """

    console: Console
    sandbox: Sandbox
    cookies: dict[str, str]

    def chat_model(self, model: str | None = None) -> ChatHuggingChat:
        """A chat model of the sandbox; None asks for the default one."""
        return ChatHuggingChat(
            base_url=self.sandbox.base_url,
            model=model,
            cookies={name: SecretStr(value) for name, value in self.cookies.items()},
            timeout=TIMEOUT_S,
        )

    def say(self, text: str, style: str = "") -> None:
        """Print a line."""
        self.console.out(text, style=style, highlight=False)


Step: TypeAlias = Callable[[Stage], Awaitable[None]]


@dataclass(slots=True)
class Meter:
    """What one stream brought, and when.

    Attributes:
        started_s: When it was asked for.
        first_token_s: Seconds from then until the first piece of the answer or its reasoning.
        chunks: Number of pieces.
    """

    started_s: float
    first_token_s: float = 0.0
    chunks: int = 0
    text: str = ""
    reasoning: str = ""
    conversation: str = ""
    finish_reason: str = ""

    def add(self, chunk: AIMessageChunk) -> bool:
        """Count a chunk; tell whether it had text or reasoning."""
        metadata = chunk.response_metadata
        self.conversation = metadata.get("conversation", {}).get("id", self.conversation)
        self.finish_reason = metadata.get("finish_reason", self.finish_reason)
        reasoning = chunk.additional_kwargs.get("reasoning_content", "")
        if not (chunk.text or reasoning):
            return False
        if not self.chunks:
            self.first_token_s = time.perf_counter() - self.started_s
        self.chunks += 1
        self.text += chunk.text
        self.reasoning += reasoning
        return True


def script(prompt: Prompt) -> Reply:
    """The model of the demo: it knows one answer by heart and obeys directives."""
    if prompt.text == QUESTION:
        return Reply(text=ANSWER, reasoning=THOUGHTS, pace_s=ANSWER_PACE_S)
    return echo(prompt)


async def show_models(stage: Stage) -> None:
    """Ask what there is."""
    models = await stage.chat_model().aget_models()
    for model in models:
        stage.say(f"  {model}")
    _expect(len(models) > 1, "several models")


async def show_reasoning(stage: Stage) -> None:
    """Stream one answer, its reasoning first."""
    stage.say(f"{QUESTION}\n", "bold")
    before = len(stage.sandbox.requests)
    meter = Meter(time.perf_counter())
    asked = 0

    async def measured() -> AsyncIterator[AIMessageChunk]:
        nonlocal asked
        async for chunk in stage.chat_model("sandbox/reasoner").astream(QUESTION):
            if meter.add(chunk) and meter.chunks == 1:
                asked = len(stage.sandbox.requests) - before
            yield chunk

    await Screen(reasoning=True, aside=sys.stdout).follow(measured())
    stage.say(
        f"\n{meter.chunks} chunks, the first after {_ms(meter.first_token_s)} and {asked} requests"
    )
    _expect(meter.reasoning == THOUGHTS, "the reasoning, apart from the answer")
    _expect(meter.text == ANSWER, "the whole answer")
    _expect(meter.finish_reason == "stop", "an answer that ends regularly")
    _expect(asked == 2, "two requests before the first token")


async def show_many(stage: Stage) -> None:
    """Stream twenty answers at once."""
    model = stage.chat_model("sandbox/text-small")
    lengths = [SHORTEST_TOKENS + STEP_TOKENS * number for number in range(STREAMS)]
    now_open: set[int] = set()
    most_open = 0

    async def stream(number: int) -> Meter:
        nonlocal most_open
        meter = Meter(time.perf_counter())
        question = f"[[long:{lengths[number]}]] [[pace:{STREAM_PACE_MS}]] stream {number}"
        async for chunk in model.astream(question):
            if meter.add(chunk):
                now_open.add(number)
                most_open = max(most_open, len(now_open))
                progress.advance(bar)
        now_open.discard(number)
        progress.update(bar, done=progress.tasks[bar].fields["done"] + 1)
        return meter

    started_s = time.perf_counter()
    with _progress(stage.console) as progress:
        bar = progress.add_task("streaming", total=sum(lengths), done=0)
        meters = await asyncio.gather(*map(stream, range(STREAMS)))
    wall_s = time.perf_counter() - started_s
    complete = sum(
        meter.finish_reason == "stop" and meter.text.split() == _words(length)
        for meter, length in zip(meters, lengths, strict=True)
    )
    _report_many(stage, meters, complete, wall_s, most_open)
    _expect(complete == STREAMS, f"{STREAMS} complete answers")
    _expect(len({meter.conversation for meter in meters}) == STREAMS, "a conversation for each")
    _expect(most_open == STREAMS, f"all {STREAMS} streams open at the same time")


def _report_many(
    stage: Stage, meters: list[Meter], complete: int, wall_s: float, most_open: int
) -> None:
    chunks = sum(meter.chunks for meter in meters)
    firsts = sorted(meter.first_token_s for meter in meters)
    stage.say(f"{'complete':>22}  {complete} of {STREAMS}, {most_open} open at the same time")
    stage.say(f"{'wall time':>22}  {wall_s:.2f} s")
    stage.say(f"{'chunks':>22}  {chunks}, {chunks / wall_s:.0f} per second")
    stage.say(
        f"{'time to first token':>22}  {_ms(median(firsts))} in the middle, "
        f"{_ms(firsts[-1])} at most"
    )


class _RateColumn(ProgressColumn):
    """Tokens per second. The sandbox sends one token per chunk."""

    def render(self, task: Task) -> Text:
        """Show the rate since the beginning."""
        return Text(f"{task.completed / (task.elapsed or 1):5.0f} tokens/s")


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn(f"{{task.fields[done]:2}}/{STREAMS} done"),
        _RateColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def _words(count: int) -> list[str]:
    return [f"w{number}" for number in range(1, count + 1)]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise CommandError(f"the demo expected {what}")


STEPS: tuple[tuple[str, Step], ...] = (
    ("What the server offers", show_models),
    ("One answer, streamed with its reasoning", show_reasoning),
    ("Twenty answers at once", show_many),
)


def run_demo() -> None:
    """Play every step, then say how to go on.

    Raises:
        CommandError: Something is not as expected.
    """
    console = Console(file=sys.stdout, force_terminal=sys.stdout.isatty(), highlight=False)
    started_s = time.perf_counter()
    with open_sandbox(script, login_required=True) as sandbox:
        stage = Stage(console, sandbox, sandbox.login())
        stage.say(
            f"langchain-g4f {__version__}: LangChain over real HTTP to a chat-ui server, here a\n"
            f"scripted one at {sandbox.base_url}. Nothing leaves this machine."
        )
        asyncio.run(_play(stage))
    stage.say(f"\nAll as expected, in {time.perf_counter() - started_s:.1f} s.\n", "green")
    stage.say(_what_next(_command()))


async def _play(stage: Stage) -> None:
    for number, (title, step) in enumerate(STEPS, 1):
        stage.say(f"\n{number}. {title}\n", "bold cyan")
        await step(stage)


def _what_next(command: str) -> str:
    return f"""\
Talk to the sandbox yourself:
  {command} chat --sandbox

Talk to HuggingChat: log in at {ChatHuggingChat.url} with a browser,
copy its cookies hf-chat and token (developer tools), then
  HUGGINGCHAT_COOKIES='hf-chat=...; token=...' {command} chat "..."

Talk to any other chat-ui server:
  {command} chat --base-url https://chat.example.org/chat "..."\
"""


def _command() -> str:
    """What to type to get this command again: in a fresh checkout it is not on the path."""
    here = Path(sys.argv[0])
    found = shutil.which(COMMAND)
    if found and here.exists() and Path(found).samefile(here):
        return COMMAND
    return sys.argv[0] if here.name == COMMAND else f"python -m {__package__}"


__all__ = ["STEPS", "Stage", "Step", "run_demo"]
