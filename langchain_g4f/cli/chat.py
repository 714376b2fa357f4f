"""`langchain-g4f chat`: one question, or a conversation at the terminal."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from langchain_g4f.cli.failure import CommandError, report
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
LEAVE = "/exit"

_LASTING = (AuthenticationError, ConfigurationError, MediaError, ModelNotFoundError)
"""What no other question would mend."""


def read_question() -> str | None:
    """The question on standard input; None if that is a terminal.

    Raises:
        CommandError: There is nothing on it.
    """
    if sys.stdin is not None and sys.stdin.isatty():
        return None
    question = "" if sys.stdin is None else sys.stdin.read().strip()
    if not question:
        raise CommandError("no question: give one as an argument or on standard input")
    return question


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
    screen.hint(f"Ctrl-C stops an answer. {LEAVE} or Ctrl-D ends the conversation.\n")
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
    """What the user types, until `/exit`, Ctrl-D or a second Ctrl-C."""
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
            screen.hint(f"\n[{LEAVE}, Ctrl-D or Ctrl-C once more to leave]")
            continue
        interrupted = False
        if question == LEAVE:
            return
        if question:
            yield question


def _read_line(screen: Screen) -> str:
    if screen.terminal:
        return input(PROMPT)
    # input() would write the prompt among the answers.
    sys.stderr.write(PROMPT)
    sys.stderr.flush()
    return input()


__all__ = ["ask", "converse", "read_question"]
