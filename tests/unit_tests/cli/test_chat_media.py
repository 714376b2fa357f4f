"""`chat --image` and `chat --web-search`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from langchain_g4f.cli.app import app
from langchain_g4f.cli.demo.steps import make_png
from langchain_g4f.testing import Sandbox
from tests.unit_tests.cli.terminal import Terminal

VISION = ["--model", "sandbox/vision-tools"]


def chat(sandbox: Sandbox, *arguments: str | Path) -> Result:
    """Run `chat` against a sandbox."""
    command = ["chat", "--base-url", sandbox.base_url, *map(str, arguments)]
    return CliRunner().invoke(app, command)


@pytest.mark.proves("promise:command-options", "promise:media-forms")
def test_chat_images_and_text_files_reach_the_model(g4f_sandbox: Sandbox, tmp_path: Path) -> None:
    """`--image`, given again for each file, sends the very bytes under the file's name."""
    pictures = [make_png(2), make_png(3)]
    paths = [tmp_path / "a.png", tmp_path / "b.png", tmp_path / "note.txt"]
    for path, data in zip(paths, [*pictures, b"about trees"], strict=True):
        path.write_bytes(data)
    options = [argument for path in paths for argument in ("--image", path)]
    result = chat(g4f_sandbox, *options, "what is this?")
    assert result.exit_code == 0
    assert result.stderr == ""
    text, *images = g4f_sandbox.prompts[-1][-1]["content"]
    assert [part["data"] for part in images] == pictures
    assert "about trees" in text["text"]
    assert text["text"].endswith("what is this?")
    sent = [file.filename for file in g4f_sandbox.requests[-1].files]
    assert sent == ["base64;a.png", "base64;b.png", "base64;note.txt"]


@pytest.mark.proves("promise:command-options")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.png", "missing.png: No such file"),
        (".", "Is a directory"),
        ("empty.png", "'empty.png' is empty"),
    ],
)
def test_chat_image_that_cannot_be_read_is_one_line(
    g4f_sandbox: Sandbox, tmp_path: Path, name: str, said: str
) -> None:
    """A file that is no file is named in one line, before anything is asked."""
    (tmp_path / "empty.png").touch()
    result = chat(g4f_sandbox, "--image", tmp_path / name, "what is this?")
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert g4f_sandbox.requests == []


@pytest.mark.proves("promise:command-options", "promise:media-refused")
def test_chat_image_for_a_model_that_takes_none_is_one_line(
    g4f_sandbox: Sandbox, tmp_path: Path
) -> None:
    """The models that take images are named, and nothing is asked."""
    path = tmp_path / "a.png"
    path.write_bytes(make_png(2))
    result = chat(g4f_sandbox, "--model", "sandbox/text-small", "--image", path, "what is this?")
    assert result.exit_code == 1
    assert "takes no images; those that do: omni, sandbox/vision-tools" in result.stderr
    assert result.stderr.count("\n") == 1
    assert g4f_sandbox.prompts == []


@pytest.mark.proves("promise:command-interactive")
def test_conversation_image_goes_with_the_first_answered_question(
    g4f_sandbox: Sandbox, tmp_path: Path
) -> None:
    """A failed question does not lose the image; a later one finds it in the conversation."""
    path = tmp_path / "a.png"
    path.write_bytes(make_png(2))
    options = ["--base-url", g4f_sandbox.base_url, *VISION, "--image", str(path)]
    with Terminal("chat", *options) as terminal:
        terminal.expect("> ")
        terminal.enter("[[error:402]] a failing one\n")
        terminal.expect("langchain-g4f: ")
        terminal.expect("> ")
        terminal.enter("one\n")
        terminal.expect("turn 1): one [images: 1]")
        terminal.expect("> ")
        terminal.enter("two\n")
        terminal.expect("turn 2): two [images: 1]")
        terminal.expect("> ")
        terminal.enter("/exit\n")
        assert terminal.exit_code() == 0
    sends = [request for request in g4f_sandbox.requests if "data" in request.form]
    assert [len(request.files) for request in sends] == [1, 1, 0]


@pytest.mark.proves("promise:command-options", "promise:server-options")
def test_chat_web_search_is_asked_for() -> None:
    """`--web-search` is in the message, and is off without it."""
    with Sandbox(generation="legacy") as sandbox:
        assert chat(sandbox, "--web-search", "what is new?").exit_code == 0
        assert chat(sandbox, "what is new?").exit_code == 0
    sends = [json.loads(r.form["data"]) for r in sandbox.requests if "data" in r.form]
    assert [data["web_search"] for data in sends] == [True, False]


@pytest.mark.proves("promise:command-options", "promise:server-options")
def test_chat_web_search_without_a_search_server_is_one_line(g4f_sandbox: Sandbox) -> None:
    """A server that cannot search is named, and nothing is asked."""
    result = chat(g4f_sandbox, "--web-search", "what is new?")
    assert result.exit_code == 1
    assert "lists no server for web search" in result.stderr
    assert result.stderr.count("\n") == 1
    assert g4f_sandbox.prompts == []
