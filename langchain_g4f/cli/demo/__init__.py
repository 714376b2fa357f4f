"""`langchain-g4f demo`: the package at work on the sandbox, step by step.

A step is a coroutine function that shows one thing and checks it; a new one is a file and a line in
`STEPS`. Nothing leaves this machine, and what is not as expected ends the demo with exit code 1.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from pathlib import Path

from rich.console import Console

from langchain_g4f import __version__
from langchain_g4f.chat_models.huggingchat import ChatHuggingChat
from langchain_g4f.cli.demo.agent import show_agent
from langchain_g4f.cli.demo.image import show_image
from langchain_g4f.cli.demo.many import show_many
from langchain_g4f.cli.demo.reasoning import script, show_reasoning
from langchain_g4f.cli.demo.signed import show_signed
from langchain_g4f.cli.demo.stage import Stage, Step, expect
from langchain_g4f.cli.demo.turns import show_turns
from langchain_g4f.cli.sandboxes import open_sandbox

COMMAND = "langchain-g4f"


async def show_models(stage: Stage) -> None:
    """Ask what there is."""
    models = await stage.chat_model().aget_models()
    for model in models:
        stage.say(f"  {model}")
    expect(len(models) > 1, "several models")


STEPS: tuple[tuple[str, Step], ...] = (
    ("What the server offers", show_models),
    ("One answer, streamed with its reasoning", show_reasoning),
    ("An image, and what the model received of it", show_image),
    ("A second turn, in the conversation of the first", show_turns),
    ("A signed request, to a FlowGPT server", show_signed),
    ("Twenty answers at once", show_many),
    ("An agent: a tool of yours, for a service that has none", show_agent),
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
  {command} chat --base-url https://chat.example.org/chat "..."

Talk to Phi-4, with an image or sound, or to any Gradio Space that has a chat:
  {command} chat --provider phi4 --file photo.png "..."
  {command} chat --space owner/name "..."

Talk to FlowGPT, which was last seen to answer in 2024, or to a server like it:
  {command} chat --provider flowgpt "..."
  {command} chat --provider flowgpt --sandbox\
"""


def _command() -> str:
    """What to type to get this command again: in a fresh checkout it is not on the path."""
    here = Path(sys.argv[0])
    found = shutil.which(COMMAND)
    if found and here.exists() and Path(found).samefile(here):
        return COMMAND
    return sys.argv[0] if here.name == COMMAND else "python -m langchain_g4f"


__all__ = ["STEPS", "run_demo"]
