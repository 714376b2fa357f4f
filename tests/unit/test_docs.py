"""The examples of the README and the docs run, against the sandboxes and a stand-in for Gradio.

Where a page has Gradio's own address for an app on this machine, the stand-in's is put in its
place: a page reads as a user would write it, and port 7860 may be in use here. The Hub,
which `--sandbox` and these examples do not need, cannot be reached from a test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from langchain_g4f.cli.demo.steps import make_png
from langchain_g4f.testing import FlowGptSandbox
from tests.gradio_standin import GradioStandin

if TYPE_CHECKING:
    from langchain_g4f.testing import Sandbox

    Server = FlowGptSandbox | GradioStandin | Sandbox

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("**/*.md")),
]
FILES_NOT_EXAMPLES = {"add-a-provider"}
"""Pages whose blocks are files of a provider; `test_add_a_provider` runs them."""
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
WITH_EXAMPLES = [
    page
    for page in PAGES
    if page.stem not in FILES_NOT_EXAMPLES and BLOCK.search(page.read_text(encoding="utf-8"))
]
GRADIO = "http://localhost:7860"
WAV = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0" + bytes(16) + b"data\0\0\0\0"


@pytest.fixture
def servers(g4f_sandbox: Sandbox) -> Iterator[dict[str, Server]]:
    """Whom each class talks to in the examples."""
    with (
        GradioStandin("phi4") as phi4,
        GradioStandin("chat_interface") as space,
        FlowGptSandbox() as flowgpt,
    ):
        yield {
            "ChatFlowGpt": flowgpt,
            "ChatGradioSpace": space,
            "ChatHuggingChat": g4f_sandbox,
            "ChatMicrosoftPhi4": phi4,
        }


@pytest.mark.proves("promise:docs-examples-run")
@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: page.stem)
def test_examples_of_a_page_run_in_order(
    page: Path,
    servers: dict[str, Server],
    g4f_sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A reader who pastes the blocks of a page one after the other gets no error."""
    monkeypatch.setenv("FLOWGPT_BASE_URL", servers["ChatFlowGpt"].base_url)
    monkeypatch.setenv("HUGGINGCHAT_BASE_URL", servers["ChatHuggingChat"].base_url)
    monkeypatch.setenv("PHI4_BASE_URL", servers["ChatMicrosoftPhi4"].base_url)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.chdir(tmp_path)
    Path("cookies.txt").write_text(json.dumps(g4f_sandbox.login("ada")))
    Path("photo.png").write_bytes(make_png(8))
    Path("question.wav").write_bytes(WAV)
    namespace: dict[str, object] = {"__name__": "example"}
    for number, block in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")), 1):
        there = block.replace(GRADIO, servers["ChatGradioSpace"].base_url)
        code = compile(there, f"{page.name}, block {number}", "exec")
        exec(code, namespace)  # noqa: S102 -- the project's own documentation
    used = [server for name, server in servers.items() if name in namespace]
    assert used
    assert all(server.requests for server in used)


@pytest.mark.proves("promise:docs-links")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """A relative link of a page names a file that exists."""
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
