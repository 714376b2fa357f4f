"""What the function of an app was given, read from the lines that the apps write."""

from __future__ import annotations

import base64
import json
import mimetypes
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

Outcome = Literal["running", "completed", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class GradioFile:
    """A file as it reached the app.

    Attributes:
        name: Its name on the server, which cleans names.
        mime_type: What the name says about its type; empty if nothing.
        data: Its bytes.
    """

    name: str
    mime_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class GradioCall:
    """One call of an app's answering function.

    Attributes:
        function: The function's name.
        text: The user's message.
        history: Role and text of the messages before it, as the app saw them; a file has no text.
        files: The files of this message.
        system: The system prompt, where the app has a field for it.
        inputs: The app's other inputs by label.
        headers: Headers of the request that started the call, by lower-case name.
        outcome: How the call ended; "stopped" is one that Gradio did not let go on, because the
            caller cancelled or went away. On Gradio 5 that shows half a second later.
        said: What was answered until then; empty while the call is running.
    """

    function: str
    text: str
    history: list[tuple[str, str]]
    files: list[GradioFile]
    system: str | None
    inputs: dict[str, Any]
    headers: dict[str, str]
    outcome: Outcome = "running"
    said: str = ""


class CallLog:
    """Reads the lines of one server process, the new ones only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._calls: list[GradioCall] = []
        self._lock = threading.Lock()

    def read(self) -> list[GradioCall]:
        """Return the calls so far, in the order in which they began."""
        with self._lock:
            if self._path.exists():
                self._read_on()
            return list(self._calls)

    def _read_on(self) -> None:
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                # The last line may still be on its way.
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                self._take(json.loads(line))

    def _take(self, line: dict[str, Any]) -> None:
        if "began" in line:
            self._calls.append(_call(line["given"]))
            return
        number = line["ended"]
        self._calls[number] = replace(
            self._calls[number], outcome=line["outcome"], said=line["said"]
        )


def _call(given: dict[str, Any]) -> GradioCall:
    files = [
        GradioFile(
            file["name"],
            mimetypes.guess_type(file["name"])[0] or "",
            base64.b64decode(file["base64"]),
        )
        for file in given["files"]
    ]
    history = [(role, text) for role, text in given["history"]]
    return GradioCall(**{**given, "history": history, "files": files})
