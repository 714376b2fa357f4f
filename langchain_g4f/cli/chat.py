"""`langchain-g4f chat`: one question, or a conversation at the terminal."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from langchain_g4f.cli.failure import CommandError, report
from langchain_g4f.errors import AuthenticationError, G4FError, ModelNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_g4f.chat_models.base import BaseChatG4F
    from langchain_g4f.cli.screen import Screen

PROMPT = "> "
LEAVE = "/exit"


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


def ask(model: BaseChatG4F, screen: Screen, question: str, system: str | None = None) -> None:
    """Show the answer to one question."""
    asyncio.run(_answer(model, screen, [*_instructions(system), HumanMessage(question)]))


def converse(model: BaseChatG4F, screen: Screen, system: str | None = None) -> None:
    """Hold a conversation until the user leaves it.

    Ctrl-C stops an answer; what it said until then stays part of the conversation. A question
    that failed does not.
    """
    messages = _instructions(system)
    screen.hint(f"Ctrl-C stops an answer. {LEAVE} or Ctrl-D ends the conversation.\n")
    # One event loop for all turns keeps the connection, and turns Ctrl-C into a cancelled answer.
    with asyncio.Runner() as runner:
        for question in _questions(screen):
            turn = [*messages, HumanMessage(question)]
            try:
                runner.run(_answer(model, screen, turn))
            except KeyboardInterrupt:
                screen.hint("[stopped]")
            except (AuthenticationError, ModelNotFoundError):
                raise  # the next question would fail in the same way
            except G4FError as error:
                report(error)
                continue
            screen.hint("")
            if screen.text:
                messages = [*turn, AIMessage(screen.text)]


async def _answer(model: BaseChatG4F, screen: Screen, messages: list[BaseMessage]) -> None:
    await screen.follow(model.astream(messages))


def _instructions(system: str | None) -> list[BaseMessage]:
    return [SystemMessage(system)] if system else []


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
