"""`langchain-g4f demo`: what the package does, step by step, on the sandbox.

A step is a coroutine function in `steps` that shows one thing and checks it. No request leaves
this machine. A check that fails ends the demo with exit code 1.
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
from langchain_g4f.cli.demo import steps
from langchain_g4f.cli.demo.stage import Stage, Step
from langchain_g4f.cli.providers import bypass_proxy
from langchain_g4f.testing import Sandbox

COMMAND = "langchain-g4f"

STEPS: tuple[tuple[str, Step], ...] = (
    ("The models of the server", steps.show_models),
    ("One answer, streamed with its reasoning", steps.show_reasoning),
    ("An image, and what the model received of it", steps.show_image),
    ("A second question, in the conversation of the first", steps.show_conversation),
    ("A signed request, to a FlowGPT server", steps.show_signature),
    ("Twenty answers at once", steps.show_many),
    ("An agent: your tool, for a service that has no tool calls", steps.show_agent),
)


def run_demo() -> None:
    """Run every step, then say what to try next.

    Raises:
        CommandError: A check failed.
    """
    console = Console(file=sys.stdout, force_terminal=sys.stdout.isatty(), highlight=False)
    started_s = time.perf_counter()
    bypass_proxy()
    with Sandbox(steps.answer, login_required=True) as sandbox:
        stage = Stage(console, sandbox, sandbox.login())
        stage.say(
            f"langchain-g4f {__version__}: LangChain over real HTTP to a chat-ui server, here a\n"
            f"scripted one at {sandbox.base_url}. No request leaves this machine."
        )
        asyncio.run(_run_steps(stage))
    stage.say(f"\nAll as expected, in {time.perf_counter() - started_s:.1f} s.\n", "green")
    stage.say(what_next(_command()))


async def _run_steps(stage: Stage) -> None:
    for number, (title, step) in enumerate(STEPS, 1):
        stage.say(f"\n{number}. {title}\n", "bold cyan")
        await step(stage)


def what_next(command: str) -> str:
    """What to try next."""
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
    """What to type to run this command again: in a fresh checkout it is not on the path."""
    here = Path(sys.argv[0])
    found = shutil.which(COMMAND)
    if found and here.exists() and Path(found).samefile(here):
        return COMMAND
    return sys.argv[0] if here.name == COMMAND else "python -m langchain_g4f"
