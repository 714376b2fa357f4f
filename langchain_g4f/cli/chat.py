"""`langchain-g4f chat`: one question, or a conversation at the terminal."""

from __future__ import annotations

import asyncio
import re
import select
import sys
from collections.abc import Iterator
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
WAIT_S = 3.0
"""Seconds that a question waits for the first text from a pipe."""

_LASTING = (AuthenticationError, ConfigurationError, MediaError, ModelNotFoundError)
"""Errors that every other question would meet, too."""
_COMMAND = re.compile(r"/[^\W\d_]")
_QUOTED = re.compile(r"//[^\W\d_]")


def read_question(asked: str | None) -> str | None:
    """The question of the command line, with the text from a pipe below it.

    Args:
        asked: The question; None and `-` stand for standard input alone, however long it takes.

    Returns:
        The whole question; None if a person at a terminal has not asked one yet.

    Raises:
        CommandError: There is no question, or standard input is not text.
    """
    if asked is None and sys.stdin is not None and sys.stdin.isatty():
        return None
    alone = asked in (None, "-")
    piped = _read_text() if alone or _has_piped_text() else ""
    if "\0" in piped:
        raise CommandError("standard input is not text; use --file for images and sound")
    question = "\n\n".join(filter(None, ("" if alone else asked, piped.rstrip())))
    if not question:
        raise CommandError("no question: give one as an argument or on standard input")
    return question


def _has_piped_text() -> bool:
    """Whether standard input has text; a pipe that no program writes to would block for ever."""
    if sys.stdin is None or sys.stdin.isatty():
        return False
    try:
        found = select.select([sys.stdin], [], [], WAIT_S)[0]
    except (OSError, ValueError):  # on Windows, where `select` takes only sockets
        return True
    if not found:
        tell(f"[no text on standard input within {WAIT_S:g} s; `chat -` would wait for it]")
    return bool(found)


def _read_text() -> str:
    try:
        return "" if sys.stdin is None else sys.stdin.read()
    except OSError:  # it cannot be read from: nohup makes it so
        return ""


def ask(model: BaseChatG4F, screen: Screen, conversation: Conversation, question: str) -> None:
    """Show the answer to one question, and save as much of it as came."""
    messages = conversation.ask(question)
    try:
        asyncio.run(_answer(model, screen, messages))
    except KeyboardInterrupt:
        _keep(screen, conversation, messages)
        raise
    _keep(screen, conversation, messages)


def converse(model: BaseChatG4F, screen: Screen, conversation: Conversation) -> None:
    """Hold a conversation until the user leaves it.

    Ctrl-C stops an answer; the part that came stays in the conversation. A question that failed
    does not.
    """
    if count := conversation.questions:
        screen.hint(f"Continuing after {count} answered question{'s' * (count > 1)}.")
    screen.hint("Ctrl-C stops an answer. /exit or Ctrl-D ends the conversation. /help says more.\n")
    # One event loop for all questions keeps the connection, and turns Ctrl-C into a cancellation.
    with asyncio.Runner() as runner:
        for question in _questions(screen):
            messages = conversation.ask(question)
            try:
                runner.run(_answer(model, screen, messages))
            except KeyboardInterrupt:
                screen.hint("[stopped]")
            except _LASTING:
                raise
            except G4FError as error:
                report(error)
                continue
            screen.hint("")
            _keep(screen, conversation, messages)


def _keep(screen: Screen, conversation: Conversation, messages: list[BaseMessage]) -> None:
    if (answer := screen.message) and not conversation.keep(messages, answer):
        screen.note("this is a new conversation on the server; the history was sent along")


async def _answer(model: BaseChatG4F, screen: Screen, messages: list[BaseMessage]) -> None:
    await screen.follow(model.astream(messages))


def _questions(screen: Screen) -> Iterator[str]:
    """The user's questions, until `/exit`, Ctrl-D or a second Ctrl-C."""
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
            screen.note(f"{word} is not a command, and was not sent; see /help, or ask /{word}")
        elif question:
            yield question.removeprefix("/") if _QUOTED.match(question) else question


def _read_line(screen: Screen) -> str:
    if screen.terminal:
        return input(PROMPT)
    # input() would write the prompt among the answers.
    sys.stderr.write(PROMPT)
    sys.stderr.flush()
    return input()
