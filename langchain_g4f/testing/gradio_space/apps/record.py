"""What the apps' functions were given, as lines of JSON in a file that `GradioSpace` reads.

A call takes two lines: one when it begins, with all it was given, and one when it ends. A later
end of the same call corrects an earlier one.
"""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .model import Question, Reply

# Gradio asks for the next piece within milliseconds, whether or not anybody reads.
ABANDONED_S = 0.5
_SWEEP_S = 0.1


class Recorder:
    """Appends to one file, from whichever threads Gradio calls the app in."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        # A generator that is collected while its thread holds the lock writes its end right then.
        self._lock = threading.RLock()
        self._calls = 0
        self._waiting: dict[int, tuple[float, str]] = {}

    def watch(self, function: str, question: Question, replies: Iterator[Reply]) -> Iterator[Reply]:
        """Hand the replies on, and record how the call began and how it ended."""
        number = self._begin(function, question)
        said, outcome = "", "stopped"
        try:
            for reply in replies:
                said = reply.text
                self._waiting[number] = (self._clock(), said)
                yield reply
                self._waiting.pop(number, None)
            outcome = "completed"
        except Exception:
            outcome = "failed"
            raise
        finally:
            self._waiting.pop(number, None)
            with self._lock:
                self._append({"ended": number, "outcome": outcome, "said": said})

    def sweep(self) -> None:
        """Record as stopped what nobody asks to go on.

        Gradio 5 neither closes nor frees the generator of an event that was cancelled.
        """
        for number, (since_s, said) in list(self._waiting.items()):
            if self._clock() - since_s <= ABANDONED_S:
                continue
            with self._lock:
                # Gone if it went on meanwhile; if it does so now, its own end is written after.
                if self._waiting.pop(number, None):
                    self._append({"ended": number, "outcome": "stopped", "said": said})

    def sweep_for_ever(self) -> None:
        """Sweep several times a second, in a thread that ends with the process."""

        def sweep() -> None:
            while True:
                time.sleep(_SWEEP_S)
                self.sweep()

        threading.Thread(target=sweep, name="sweep", daemon=True).start()

    def _begin(self, function: str, question: Question) -> int:
        files = [
            {"name": path.name, "base64": base64.b64encode(path.read_bytes()).decode()}
            for path in question.files
        ]
        given = {
            "function": function,
            "text": question.text,
            "history": list(question.history),
            "files": files,
            "system": question.system,
            "inputs": dict(question.inputs),
            "headers": dict(question.headers),
        }
        with self._lock:
            number = self._calls
            self._calls += 1
            self._append({"began": number, "given": given})
        return number

    def _append(self, line: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
