"""Walking over a reply's tokens, once more from the start if the server starts over."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_g4f.testing.script import Reply


class Attempt:
    """The tokens of a reply up to where it breaks.

    Attributes:
        number: 1, or 2 after a restart.
        failed: Whether the tokens ended because the model failed.
        position: Tokens given in this attempt.
    """

    def __init__(self, reply: Reply, tokens: Iterator[str]) -> None:
        self.reply = reply
        self.number = 1
        self.failed = False
        self.position = 0
        self._tokens = tokens
        self._seen: list[str] = []

    def next(self) -> str | None:
        """Return the next token, or None at the end and where this attempt fails."""
        breaks = [self.reply.error_after if self.reply.error else None]
        if self.number == 1:
            breaks.append(self.reply.restart_after)
        due = [at for at in breaks if at is not None]
        if due and self.position >= min(due):
            self.failed = True
            return None
        if self.position == len(self._seen):
            token = next(self._tokens, None)
            if token is None:
                # A failure due after more tokens than there are comes at the end.
                self.failed = bool(due)
                return None
            self._seen.append(token)
        self.position += 1
        return self._seen[self.position - 1]

    def restart(self) -> None:
        """Begin again with the first token."""
        self.number, self.position, self.failed = self.number + 1, 0, False
