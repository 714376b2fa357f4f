"""The gallery: an app on one version of Gradio, and what a caller is to see of each app."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import httpx

from langchain_g4f.testing.gradio_space.process import ServerProcess, server_environment

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[2]
REPORTS = ROOT / "build" / "gallery"
VERSIONS = ("4.19.2", "4.31.5", "4.44.1", "5.0.2", "5.22.0", "5.49.1", "6.31.0")
_SHARED = {"5.22.0": ".venv-gradio5", "6.31.0": ".venv-gradio6"}
_START_S = 40.0
_READY = "Running on local URL"


@dataclass(frozen=True)
class Expected:
    """What is right for an app.

    Attributes:
        since: First version of Gradio on which the app runs.
        until: Last one.
        streams: Whether an answer comes in more than one chunk.
        system: Whether a system message goes into an input of the app or into the text.
        temperature: Whether the app has an input for it; if not, a warning says so.
        thinks: Whether the app shows thoughts.
        replaced: Texts that the app replaces in what its model said, and with what.
        appended: What the app appends to it.
        settings: Arguments of the model.
        environment: Variables for the app.
        error: Pattern of the error that is right in place of an answer.
        warning: Pattern of a warning of the first call.
        also: Names of further checks.
    """

    since: str = VERSIONS[0]
    until: str = VERSIONS[-1]
    streams: bool = True
    system: Literal["input", "text", "any"] = "text"
    temperature: bool = False
    thinks: bool = False
    replaced: tuple[str, str] = ("", "")
    appended: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    warning: str = ""
    also: tuple[str, ...] = ()

    def on(self, version: str) -> bool:
        """Whether the app runs on this version."""
        at = VERSIONS.index
        return at(self.since) <= at(version) <= at(self.until)


SPACE = {  # where Gradio's login button does not ask the Hub for the developer's own account
    "SYSTEM": "spaces",
    "SPACE_ID": "owner/gallery",
    "OAUTH_CLIENT_ID": "client",
    "OAUTH_CLIENT_SECRET": "made-up",
    "OAUTH_SCOPES": "openid profile",
    "OPENID_PROVIDER_URL": "http://127.0.0.1:1",
}
OAUTH = Expected(
    since="4.31.5",
    environment=SPACE,
    error=r"(?i)sign in|log ?in|Hugging Face account",
    also=("token",),
)
APPS = {
    "arena": Expected(warning=r"Model B|api_name="),
    "blocks_messages": Expected(since="4.44.1", system="input", temperature=True),
    "blocks_null": Expected(),
    "blocks_pair": Expected(),
    "blocks_tuples": Expected(since="4.44.1", until="5.49.1"),
    "chatglm_prompt": Expected(system="any", temperature=True),
    "document_beside": Expected(also=("document",)),
    "fastchat_server": Expected(temperature=True),
    "function_markdown": Expected(streams=False, temperature=True),
    "function_stream": Expected(),
    "function_text": Expected(streams=False),
    "image_beside": Expected(also=("picture",)),
    "images_compared": Expected(also=("ambiguous_picture",)),
    "interface_error": Expected(also=("failure",)),
    "interface_login": Expected(settings={"auth": ("user", "password")}, also=("no_login",)),
    "interface_media": Expected(since="5.22.0", streams=False, also=("media_answers",)),
    "interface_messages": Expected(since="4.44.1"),
    "interface_multimodal": Expected(since="4.31.5", also=("picture",)),
    "interface_notes": Expected(temperature=True),
    "interface_oauth": OAUTH,
    "interface_plain": Expected(),
    "interface_queue": Expected(),
    "interface_sliders": Expected(temperature=True),
    "interface_template": Expected(system="input", temperature=True),
    "interface_thoughts": Expected(since="5.22.0", thinks=True),
    "interface_whole": Expected(streams=False),
    "internlm_session": Expected(temperature=True),
    "labels_chinese": Expected(system="input", temperature=True),
    "labels_german": Expected(system="input", temperature=True),
    "llava_image": Expected(temperature=True, also=("picture",)),
    "minicpm_regenerate": Expected(streams=False),
    "oauth_page": OAUTH,
    "placeholder_first": Expected(),
    "qwen_system_button": Expected(system="any"),
    "qwen_upload": Expected(also=("picture",)),
    "qwen_web_demo": Expected(),
    "reasoning_tags": Expected(since="6.31.0", thinks=True),
    "rewritten_end": Expected(
        replaced=("I know", "I remember"), appended="\n\nSources: [1](https://example.com)"
    ),
    "saved_after": Expected(),
    # nothing says that the app does not read its chatbot, so a branch has to be sent as text
    "session_memory": Expected(since="4.31.5", settings={"history": "flattened"}),
    "smolagents_ui": Expected(since="5.0.2", thinks=True),
    "think_tags": Expected(thinks=True),
    "translate_beside": Expected(),
    "two_chats": Expected(settings={"api_name": "coder"}, also=("no_api_name",)),
}


class Server:
    """An app on a version of Gradio, running inside its `with` block.

    Args:
        version: Of Gradio.
        app: Name of the file.
        folder: An empty folder.

    Attributes:
        version: Of Gradio.
        base_url: Address of the app.

    Raises:
        FileNotFoundError: The environment of this version is missing.
    """

    def __init__(self, version: str, app: str, folder: Path) -> None:
        place = _SHARED.get(version, f".venv-gradio-{version}")
        self._python = ROOT / place / "bin" / "python"
        if not self._python.exists():
            raise FileNotFoundError(f"{self._python} is missing: run `make test-gallery`")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.version = version
        self.base_url = f"http://127.0.0.1:{port}"
        self._app, self._folder, self._log = app, folder, folder / "calls.jsonl"
        self._environment = {
            **server_environment(os.environ, FOLDER / "apps", folder, folder / "uploads"),
            "GRADIO_SERVER_NAME": "127.0.0.1",
            "GRADIO_SERVER_PORT": str(port),
            "GALLERY_LOG": str(self._log),
            **APPS[app].environment,
        }

    def __enter__(self) -> Self:
        command = [str(self._python), str(FOLDER / "apps" / f"{self._app}.py")]
        self._process = ServerProcess(command, self._environment, self._folder)
        deadline = time.monotonic() + _START_S
        with httpx.Client(base_url=self.base_url, trust_env=False, verify=False) as client:  # noqa: S501
            # Gradio 4 describes itself before its queue takes calls; then it says where it runs.
            while not (_READY in self._process.output and _is_up(client)):
                time.sleep(0.1)
                if time.monotonic() > deadline or self._process._told.is_set():
                    self._process.kill()
                    raise TimeoutError(f"the app does not answer:\n{self._process.output}")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()

    @property
    def output(self) -> str:
        """The last lines that the app printed."""
        return self._process.output

    @property
    def calls(self) -> list[dict[str, Any]]:
        """What the app's model was asked, in the order in which it ended."""
        return [json.loads(line) for line in self._log.read_text("utf-8").splitlines()]

    @property
    def last_word(self) -> int:
        """When the app's model said its last word, in nanoseconds."""
        return self._log.stat().st_mtime_ns


def _is_up(client: httpx.Client) -> bool:
    try:
        return client.get("/config").status_code in (200, 401)
    except httpx.TransportError:
        return False
