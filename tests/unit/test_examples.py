"""The programs of `examples/` run, against the sandbox and a stand-in for Gradio."""

from __future__ import annotations

import io
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from langchain_g4f.cli.demo.steps import make_png
from langchain_g4f.testing import Sandbox
from tests.contract.sandbox.tools.service import call, in_turn
from tests.gradio_standin import GradioStandin

EXAMPLES = Path(__file__).parents[2] / "examples"
MINUTE_S = 60
COOKIES = "hf-chat=55555555-5555-4555-8555-555555555555"
LETTER = "Ink 4,50 and paper 12. Please pay until 1 May 2026. Ada Ltd"
INVOICE = {
    "sender": "Ada Ltd",
    "due": "2026-05-01",
    "items": [{"what": "ink", "euros": 4.5}, {"what": "paper", "euros": 12}],
}


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Play:
    """Runs a program as `python examples/NAME ...` does, in this process."""
    return Play(monkeypatch, capsys)


class Play:
    """See `play`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, sandbox: Sandbox, name: str, *arguments: str, given: str = "") -> list[str]:
        """The lines that it prints."""
        self._monkeypatch.setenv("HUGGINGCHAT_BASE_URL", sandbox.base_url)
        self._monkeypatch.setattr(sys, "argv", [name, *arguments])
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return self._capsys.readouterr().out.splitlines()


def test_agent_calls_both_tools_and_answers(play: Play) -> None:
    """Each call and each result is a line, and so is the answer."""
    script = in_turn(
        call("exchange_rate", currency="EURO"),
        call("exchange_rate", currency="EUR"),
        call("multiply", a=250, b=0.9),
        "That is 225 euros.",
    )
    with Sandbox(script) as sandbox:
        lines = play(sandbox, "agent_with_tools.py")
        assert len(sandbox.conversations) == 1
    assert lines == [
        "calls exchange_rate {'currency': 'EURO'}",
        "gets there is no rate for EURO, only for EUR, JPY",
        "calls exchange_rate {'currency': 'EUR'}",
        "gets 0.9",
        "calls multiply {'a': 250, 'b': 0.9}",
        "gets 225.0",
        "That is 225 euros.",
    ]


def test_graph_goes_on_in_another_process(
    play: Play, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two processes share a file, and the service has one conversation for them."""
    file = str(tmp_path / "mail.sqlite")
    said = ["Tell Ada that I come at nine.", "Shorter, please.", "yes"]
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", COOKIES)
    with Sandbox(in_turn("Dear Ada, I shall come at nine.", "At nine.")) as sandbox:
        printed = [play(sandbox, "graph_with_interrupt.py", file, said[0])]
        done = subprocess.run(
            [sys.executable, str(EXAMPLES / "graph_with_interrupt.py"), file, said[1]],
            capture_output=True,
            text=True,
            check=False,
            timeout=MINUTE_S,
        )
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout.splitlines())
        printed.append(play(sandbox, "graph_with_interrupt.py", file, said[2]))
        (conversation,) = sandbox.conversations.values()
    wait = "Send it? Say yes, or what to change."
    assert printed == [
        ["Draft: Dear Ada, I shall come at nine.", wait],
        ["Draft: At nine.", wait],
        ["Sent: At nine."],
    ]
    assert [message.content for message in conversation.messages[1:]] == [
        said[0],
        "Dear Ada, I shall come at nine.",
        said[1],
        "At nine.",
    ]


def test_extraction_prints_the_invoice(play: Play) -> None:
    """A first answer without the call is asked for again, in the same conversation."""
    with Sandbox(in_turn("It is an invoice.", call("Invoice", **INVOICE))) as sandbox:
        lines = play(sandbox, "structured_extraction.py", given=LETTER)
        assert len(sandbox.conversations) == 1
        assert LETTER in str(sandbox.prompts[0][-1]["content"])
    assert lines == [
        "      4.50  ink",
        "     12.00  paper",
        "     16.50  to Ada Ltd by 2026-05-01",
    ]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (["I see none.", "It is a poem."], "no invoice: .*It is a poem."),
        ([call("Invoice", **INVOICE | {"due": "soon"})], "no invoice: "),
    ],
    ids=["no call", "wrong date"],
)
def test_extraction_without_an_invoice_says_so(play: Play, answers: list[str], told: str) -> None:
    """It ends with what the model said, or with what is wrong with it."""
    with (
        Sandbox(in_turn(*answers)) as sandbox,
        pytest.raises(SystemExit, match=told),
    ):
        play(sandbox, "structured_extraction.py", given=LETTER)


def test_supervisor_lets_both_models_work(
    play: Play, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Phi-4 gets the picture, the editor a conversation of its own."""
    (tmp_path / "cat.png").write_bytes(make_png(8))
    script = in_turn(
        call("look", picture="dog.png", question="What is it?"),
        call("look", picture="cat.png", question="[[say:A cat.]]"),
        call("polish", text="cat, sits"),
        "A cat is sitting.",
        "A cat is sitting.",
    )
    with GradioStandin("phi4") as phi4, Sandbox(script) as sandbox:
        monkeypatch.setenv("PHI4_BASE_URL", phi4.base_url)
        lines = play(sandbox, "supervisor.py", str(tmp_path), "Write a caption for cat.png.")
        supervised, edited = [
            [message.content for message in conversation.messages]
            for conversation in sandbox.conversations.values()
        ]
        (upload,) = [request for request in phi4.requests if request.files]
    assert lines == ["A cat is sitting."]
    assert upload.files[0].content == make_png(8)
    assert "There is no such picture, only cat.png." in supervised[3]
    assert "\nA cat.\n" in supervised[5]
    assert edited[0].startswith("You are an editor.")
    assert edited[1:] == ["cat, sits", "A cat is sitting."]
