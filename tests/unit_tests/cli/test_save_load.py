"""`chat --save` and `chat --load`: a conversation that outlives its process."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import messages_from_dict
from typer.testing import CliRunner, Result

from langchain_g4f.cli.app import app
from langchain_g4f.cli.demo.steps import make_png
from langchain_g4f.testing import Sandbox
from tests.unit_tests.cli.terminal import CTRL_C, Terminal

SESSION = "6d1f0c2e-0000-4000-8000-c0ffee000001"


@pytest.fixture
def somebody(g4f_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The sandbox, with the same identity for every command."""
    monkeypatch.setenv("HUGGINGCHAT_BASE_URL", g4f_sandbox.base_url)
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", f"hf-chat={SESSION}")
    return g4f_sandbox


def chat(*arguments: str | Path) -> Result:
    """Run `chat`; the environment names the server."""
    return CliRunner().invoke(app, ["chat", *map(str, arguments)])


def inputs(sandbox: Sandbox) -> list[Any]:
    """What was sent to the server as messages."""
    return [json.loads(r.form["data"])["inputs"] for r in sandbox.requests if "data" in r.form]


@pytest.mark.proves("promise:command-options", "promise:native-conversations", "promise:handle")
def test_save_then_load_in_another_process_goes_on_at_the_server(
    somebody: Sandbox, tmp_path: Path
) -> None:
    """Of an earlier conversation, with its image, only the new question is sent."""
    picture, path = tmp_path / "a.png", tmp_path / "talk.json"
    picture.write_bytes(make_png(2))
    asked = [
        ["--system", "Be kind.", "--image", str(picture), "--save", str(path), "I am Ada"],
        ["--load", str(path), "who am I?"],
        ["--save", str(path), "really?"],
    ]
    for arguments in asked:
        done = subprocess.run(
            [sys.executable, "-m", "langchain_g4f", "chat", *arguments],
            input="",
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
            env=dict(os.environ),
        )
        assert (done.returncode, done.stderr) == (0, "")
    (conversation,) = somebody.conversations.values()
    # --load alone kept nothing: the third question is another one after the first answer
    assert [m.content for m in conversation.messages if m.role == "user"] == [
        "I am Ada",
        "who am I?",
        "really?",
    ]
    assert inputs(somebody) == ["I am Ada", "who am I?", "really?"]
    roles = [message["role"] for message in somebody.prompts[-1]]
    assert roles == ["system", "user", "assistant", "user"]
    saved = messages_from_dict(json.loads(path.read_text())["messages"])
    assert [m.type for m in saved] == ["system", "human", "ai", "human", "ai"]


@pytest.mark.proves("promise:command-options")
def test_save_is_private_whole_and_without_secrets(somebody: Sandbox, tmp_path: Path) -> None:
    """The file is for its owner, holds no cookie, and nothing is left beside it."""
    path = tmp_path / "talk.json"
    path.touch(mode=0o644)  # an empty file is a new conversation
    assert chat("--save", path, "hello").exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SESSION not in path.read_text()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.proves("promise:command-options")
def test_save_keeps_the_model_and_the_server(
    g4f_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Who goes on need not name them again; another model begins anew, and says so."""
    path = tmp_path / "talk.json"
    server = ["--base-url", g4f_sandbox.base_url]
    monkeypatch.delenv("HUGGINGCHAT_COOKIES", raising=False)
    assert chat(*server, "--model", "sandbox/reasoner", "--save", path, "one").exit_code == 0
    answered = chat("--load", path, "two")  # as nobody: the conversation is not found
    assert answered.stdout.startswith("Echo (sandbox/reasoner, turn 1)")
    assert "a new conversation on the server" in answered.stderr

    monkeypatch.setenv("HUGGINGCHAT_BASE_URL", g4f_sandbox.base_url)
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", f"hf-chat={SESSION}")
    path.unlink()
    assert chat("--model", "sandbox/reasoner", "--save", path, "one").exit_code == 0
    same = chat("--load", path, "two")
    assert same.stdout == "Echo (sandbox/reasoner, turn 2): two\n"
    assert same.stderr == ""
    other = chat("--load", path, "--model", "sandbox/text-small", "two")
    assert "a new conversation on the server" in other.stderr
    assert "one" in str(g4f_sandbox.prompts[-1])


@pytest.mark.proves("promise:command-options")
def test_save_of_a_failed_question_leaves_the_file(somebody: Sandbox, tmp_path: Path) -> None:
    """What was kept stays as it was."""
    path = tmp_path / "talk.json"
    chat("--save", path, "hello")
    before = path.read_bytes()
    assert chat("--save", path, "[[error:402]]").exit_code == 1
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.proves("promise:command-interactive", "promise:interrupted-answers")
def test_save_keeps_a_stopped_answer_and_the_conversation_after_it(
    somebody: Sandbox, tmp_path: Path
) -> None:
    """Ctrl-C keeps what came; a conversation at the terminal goes on from it, and is kept."""
    path = tmp_path / "talk.json"
    with Terminal("chat", "--save", str(path), "[[long:5000]] [[pace:10]]") as terminal:
        terminal.expect("w3 w4")
        terminal.enter(CTRL_C)
        assert terminal.exit_code() == 130
    with Terminal("chat", "--save", str(path)) as terminal:
        terminal.expect("Going on after 1 answered question.")
        terminal.expect("> ")
        terminal.enter("and then?\n")
        terminal.expect("turn 2): and then?")
        terminal.expect("> ")
        terminal.enter("/exit\n")
        assert terminal.exit_code() == 0
    assert len(somebody.conversations) == 1
    assert len(json.loads(path.read_text())["messages"]) == 4


@pytest.mark.proves("promise:command-options")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--load", "missing.json"], "cannot read missing.json: No such file"),
        (["--load", "text.json"], "text.json holds no conversation"),
        (["--save", "text.json"], "text.json holds no conversation"),
        (["--save", "list.json"], "list.json holds no conversation"),
        (["--save", "nowhere/talk.json"], "there is no folder"),
        (["--save", "."], "cannot"),
        (["--load", "talk.json", "--save", "list.json"], "list.json holds another conversation"),
        (["--load", "talk.json", "--system", "Be kind."], "--system is for a new conversation"),
    ],
)
def test_save_and_load_of_impossible_files_are_one_line(
    somebody: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    options: list[str],
    said: str,
) -> None:
    """What cannot be used is named in one line, before anything is asked, and stays as it is."""
    monkeypatch.chdir(tmp_path)
    chat("--save", "talk.json", "hello")
    asked = len(somebody.requests)
    contents = {"text.json": "no JSON", "list.json": '{"messages": [1], "model": 2}'}
    for name, content in contents.items():
        Path(name).write_text(content)
    result = chat(*options, "and now?")
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert len(somebody.requests) == asked
    assert {name: Path(name).read_text() for name in contents} == contents
