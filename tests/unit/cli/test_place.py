"""`chat --save` and `chat --load`: who is talked to is kept, too."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from langchain_g4f.chat_models import client as model_client
from langchain_g4f.cli.app import app
from langchain_g4f.cli.demo.image import make_png
from langchain_g4f.testing import Sandbox
from tests.gradio_standin import GradioStandin


@pytest.fixture
def phi4() -> Iterator[GradioStandin]:
    """A server with an app built like the Phi-4 Space."""
    with GradioStandin() as server:
        yield server


def run(*arguments: str | Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, list(map(str, arguments)))


def asked(server: GradioStandin) -> list[str]:
    """The messages that were written into the box."""
    return [r.json["data"][1]["text"] for r in server.requests if r.path.endswith("/run/predict")]


@pytest.mark.proves("promise:command-options")
def test_save_keeps_provider_server_and_files(phi4: GradioStandin, tmp_path: Path) -> None:
    """Who goes on need not name the provider; another process sends the history, and says so."""
    picture, path = tmp_path / "a.png", tmp_path / "talk.json"
    picture.write_bytes(make_png(2))
    server = ["--provider", "phi4", "--base-url", phi4.base_url, "--model", "phi-4"]
    run("chat", *server, "--image", picture, "--save", path, "I am Ada")
    kept = json.loads(path.read_text())
    assert kept["place"] == {
        "provider": "phi4",
        "base_url": phi4.base_url,
    }
    block = kept["messages"][0]["data"]["content"][1]
    assert (block["type"], base64.b64decode(block["base64"])) == ("image", make_png(2))
    model_client._memory.clear()  # what another process does not have
    result = run("chat", "--load", path, "who am I?")
    assert result.exit_code == 0
    assert "a new conversation on the server" in result.stderr
    assert "I am Ada" in asked(phi4)[-1]
    assert asked(phi4)[-1].endswith("who am I?")


@pytest.mark.proves("promise:command-options")
def test_load_with_another_provider_leaves_server_and_model_behind(
    phi4: GradioStandin, g4f_sandbox: Sandbox, tmp_path: Path
) -> None:
    """What was said goes along; the model and the address are those of the other provider."""
    path = tmp_path / "talk.json"
    server = ["--base-url", g4f_sandbox.base_url]
    run("chat", *server, "--model", "sandbox/reasoner", "--save", path, "I am Ada")
    phi = ["--provider", "phi4", "--base-url", phi4.base_url]
    result = run("chat", *phi, "--load", path, "--save", path, "who am I?")
    assert result.exit_code == 0
    assert "I am Ada" in asked(phi4)[-1]
    assert json.loads(path.read_text())["place"]["provider"] == "phi4"
    assert len(g4f_sandbox.prompts) == 1


@pytest.mark.parametrize("place", [{"provider": "nobody"}, {"base_url": 1}, ["phi4"], None])
def test_load_of_a_place_that_is_none_is_one_line(place: object, tmp_path: Path) -> None:
    """A file that names nobody known is refused, and nobody is asked."""
    path = tmp_path / "talk.json"
    said = [{"type": "human", "data": {"content": "hi"}}]
    path.write_text(json.dumps({"place": place, "messages": said}))
    result = run("chat", "--load", path, "hello")
    assert result.exit_code == 1
    assert f"{path} holds no conversation" in result.stderr


def test_load_of_a_file_without_a_place_goes_to_the_server_of_its_answer(
    g4f_sandbox: Sandbox, tmp_path: Path
) -> None:
    """A conversation is never sent to another server than the one that had it."""
    path = tmp_path / "talk.json"
    run("chat", "--base-url", g4f_sandbox.base_url, "--save", path, "one")
    kept = json.loads(path.read_text())
    del kept["place"]
    path.write_text(json.dumps(kept))
    assert run("chat", "--load", path, "two").exit_code == 0
    assert "two" in str(g4f_sandbox.prompts[-1])


@pytest.mark.proves("promise:command-options")
@pytest.mark.parametrize("address", ["own", "of the file"])
def test_load_keeps_the_provider_where_only_an_address_is_given(
    phi4: GradioStandin, tmp_path: Path, address: str
) -> None:
    """An address without a provider is another server of the one in the file."""
    path = tmp_path / "talk.json"
    run("chat", "--provider", "phi4", "--base-url", phi4.base_url, "--save", path, "one")
    with GradioStandin() as another:
        given = ["--base-url", another.base_url] if address == "own" else []
        assert run("chat", "--load", path, *given, "two").stdout.startswith("Turn ")
        assert bool(asked(another)) is (address == "own")
