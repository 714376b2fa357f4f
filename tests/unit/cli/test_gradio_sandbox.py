"""`--sandbox` with the providers whose sandbox is a Gradio server; none is started here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from langchain_g4f import testing
from langchain_g4f.cli.app import app
from tests.gradio_standin import GradioStandin


def run(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, arguments)


class _FakeSpace(GradioStandin):
    """The stand-in, with the arguments of a `GradioSpace`."""

    served: list[_FakeSpace]

    def __init__(self, app: Any, *, pace_s: float) -> None:
        super().__init__(app)
        self.served.append(self)


@pytest.mark.proves("promise:command-options")
@pytest.mark.parametrize(
    ("name", "answer"),
    [("phi4", "Turn 1. You said: hi\n"), ("gradio", "You said: hi\n")],
)
def test_sandbox_of_gradio_gets_no_credentials(
    monkeypatch: pytest.MonkeyPatch, name: str, answer: str
) -> None:
    """It is reached directly, and without what the environment has for Hugging Face."""
    monkeypatch.setattr(testing, "GradioSpace", _FakeSpace, raising=False)
    monkeypatch.setattr(_FakeSpace, "served", [], raising=False)
    monkeypatch.setenv("HF_TOKEN", "hf_not_for_the_sandbox")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    result = run("chat", "--provider", name, "--sandbox", "hi")
    assert (result.stdout, result.stderr) == (answer, "")
    (server,) = _FakeSpace.served
    assert all("hf_not" not in str(request.headers) for request in server.requests)


@pytest.mark.proves("promise:missing-extra")
def test_sandbox_of_gradio_without_its_extra_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where gradio is missing, one line has the extra and the pip command."""
    missing = "raise ModuleNotFoundError('no gradio', name='gradio')"
    (tmp_path / "gradio.py").write_text(missing)  # wherever the tests run, it is not there
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    result = run("chat", "--provider", "phi4", "--sandbox", "hi")
    assert result.exit_code == 1
    assert result.stderr.startswith("langchain-g4f: gradio is not installed")
    assert 'pip install -e ".[sandbox-gradio]"' in result.stderr
    assert result.stderr.count("\n") == 1


def test_sandbox_of_gradio_that_does_not_start_says_what_it_printed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A server that fails at the start is a message, no traceback of ours."""
    (tmp_path / "gradio.py").write_text("raise SystemExit('this gradio is broken')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    result = run("models", "--provider", "phi4", "--sandbox")
    assert result.exit_code == 1
    assert result.stderr.startswith("langchain-g4f: the Gradio server did not start")
    assert "this gradio is broken" in result.stderr
