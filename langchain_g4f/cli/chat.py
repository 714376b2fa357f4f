"""`langchain-g4f chat`: one question, or a conversation at the terminal."""

from __future__ import annotations

import asyncio
import re
import select
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from langchain_g4f.cli.failure import CommandError, report
from langchain_g4f.cli.terminal import tell
from langchain_g4f.errors import (
    AuthenticationError,
    ConfigurationError,
    G4FError,
    MediaError,
    ModelNotFoundError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_core.messages import BaseMessage

    from langchain_g4f.chat_models.base import BaseChatG4F
    from langchain_g4f.cli.conversation import Conversation
    from langchain_g4f.cli.screen import Screen

PROMPT = "> "
LEAVE = ("/exit", "/quit")
HELP = (
    "/exit, /quit, Ctrl-D: end the conversation",
    "Ctrl-C: stop an answer",
    "/help: show this list",
    "//word: ask a question that begins with /word",
)
PIPED = "-"
"""The question that means: all of standard input, however long it takes."""
WAIT_S = 3.0
"""How long a question waits for the first of what is piped into the command along with it."""

_LASTING = (AuthenticationError, ConfigurationError, MediaError, ModelNotFoundError)
"""What no other question would mend."""
_COMMAND = re.compile(r"/[^\W\d_]")
_QUOTED = re.compile(r"//[^\W\d_]")


def read_question(asked: str | None) -> str | None:
    """The question: what was asked, and what is piped into the command below it.

    Args:
        asked: The question of the command line; None and `-` stand for standard input alone.

    Returns:
        None where a person at a terminal asks nothing yet.

    Raises:
        CommandError: There is no question, or standard input is no text.
    """
    if asked is None and sys.stdin is not None and sys.stdin.isatty():
        return None
    alone = asked in (None, PIPED)
    piped = _read_text() if alone or _is_piped_into() else ""
    if "\0" in piped:
        raise CommandError("standard input is no text: --file takes images and sound")
    question = "\n\n".join(filter(None, ("" if alone else asked, piped.rstrip())))
    if not question:
        raise CommandError("no question: give one as an argument or on standard input")
    return question


def _is_piped_into() -> bool:
    """Whether something comes on standard input, which may be one that nothing is written to."""
    if sys.stdin is None or sys.stdin.isatty():
        return False
    try:
        found = select.select([sys.stdin], [], [], WAIT_S)[0]
    except (OSError, ValueError):  # on Windows, where only sockets can be waited for
        return True
    if not found:
        tell(f"[nothing came on standard input within {WAIT_S:g} s; `chat -` would wait for it]")
    return bool(found)


def _read_text() -> str:
    try:
        return "" if sys.stdin is None else sys.stdin.read()
    except OSError:  # it cannot be read from: nohup makes it so
        return ""


def ask(model: BaseChatG4F, screen: Screen, conversation: Conversation, question: str) -> None:
    """Show the answer to one question, and keep it, as far as it came."""
    asked = conversation.ask(question)
    try:
        asyncio.run(_answer(model, screen, asked))
    except KeyboardInterrupt:
        _keep(screen, conversation, asked)
        raise
    _keep(screen, conversation, asked)


def converse(model: BaseChatG4F, screen: Screen, conversation: Conversation) -> None:
    """Hold a conversation until the user leaves it.

    Ctrl-C stops an answer; what it said until then stays part of the conversation. A question
    that failed does not.
    """
    if count := conversation.questions:
        screen.hint(f"Going on after {count} answered question{'s' * (count > 1)}.")
    screen.hint("Ctrl-C stops an answer. /exit or Ctrl-D ends the conversation. /help says more.\n")
    # One event loop for all turns keeps the connection, and turns Ctrl-C into a cancelled answer.
    with asyncio.Runner() as runner:
        for question in _questions(screen):
            asked = conversation.ask(question)
            try:
                runner.run(_answer(model, screen, asked))
            except KeyboardInterrupt:
                screen.hint("[stopped]")
            except _LASTING:
                raise  # the next question would fail in the same way
            except G4FError as error:
                report(error)
                continue
            screen.hint("")
            _keep(screen, conversation, asked)


def _keep(screen: Screen, conversation: Conversation, asked: list[BaseMessage]) -> None:
    if answer := screen.message:
        went_on = conversation.keep(asked, answer)
        if not went_on:
            screen.note("a new conversation on the server, which began with the history")


async def _answer(model: BaseChatG4F, screen: Screen, messages: list[BaseMessage]) -> None:
    await screen.follow(model.astream(messages))


def _questions(screen: Screen) -> Iterator[str]:
    """What the user asks, until `/exit`, Ctrl-D or a second Ctrl-C."""
    with suppress(ImportError):
        import readline  # noqa: F401 -- gives input() line editing and history
    interrupted = False
    while True:
        try:
            question = _read_line(screen).strip()
        except EOFError:
            screen.hint("")
            return
        except KeyboardInterrupt:
            if interrupted:
                raise
            interrupted = True
            screen.hint("\n[/exit, Ctrl-D or Ctrl-C once more to leave]")
            continue
        interrupted = False
        if question in LEAVE:
            return
        if question == "/help":
            for line in HELP:
                screen.note(line)
        elif _COMMAND.match(question):
            word = question.split()[0]
            screen.note(f"{word} is no command, and was not sent; /help shows them, /{word} asks")
        elif question:
            yield question.removeprefix("/") if _QUOTED.match(question) else question


def _read_line(screen: Screen) -> str:
    if screen.terminal:
        return input(PROMPT)
    # input() would write the prompt among the answers.
    sys.stderr.write(PROMPT)
    sys.stderr.flush()
    return input()


__all__ = ["ask", "converse", "read_question"]
