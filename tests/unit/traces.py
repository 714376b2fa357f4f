"""What an error tells whoever logs it with everything a traceback can show."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import langchain_g4f

PACKAGE = str(Path(langchain_g4f.__file__).parent)


def assert_tells_nothing(error: BaseException, *secrets: str) -> None:
    """No secret in text, fields, pickle, or in a local variable of any of our frames.

    No foreign error hangs on it either: that would bring its own frames along.
    """
    shown = [repr(error), str(error), repr(vars(error)), repr(pickle.dumps(error))]
    assert frames(error.__traceback__)
    for link in chain(error):
        module = type(link).__module__.partition(".")[0]
        assert module in {"langchain_g4f", "asyncio"}, f"{error!r} holds {link!r}"
        shown += frames(link.__traceback__)
    for secret in secrets:
        assert [text for text in shown if secret in text] == []


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and all it came from, shown in a traceback or not."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def frames(found: TracebackType | None) -> list[str]:
    """The frames of the package, with their local variables."""
    stack = traceback.StackSummary.extract(traceback.walk_tb(found), capture_locals=True)
    return [
        f"{frame.filename}:{frame.lineno} {frame.locals}"
        for frame in stack
        if frame.filename.startswith(PACKAGE)
    ]
