"""The service has probably ended, so it is used only on request by name."""

from __future__ import annotations

import inspect

import pytest

from langchain_g4f import ChatFlowGpt
from langchain_g4f.cli.providers import DEFAULT, chat_model_of
from langchain_g4f.cli.service import Choice

UNNAMED = {
    "nothing": Choice(),
    "an address": Choice(base_url="http://127.0.0.1:1"),
    "a Space": Choice(space="someone/space"),
    "a sandbox": Choice(sandbox=True),
    "a kept conversation": Choice().or_else({}),
}


@pytest.mark.proves("obligation:flowgpt:10")
@pytest.mark.parametrize("choice", UNNAMED.values(), ids=UNNAMED)
def test_command_talks_to_flowgpt_only_if_it_is_named(
    choice: Choice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where its token is at hand."""
    monkeypatch.setenv("FLOWGPT_TOKEN", "made-up")
    assert chat_model_of(choice.name) is not ChatFlowGpt
    assert chat_model_of(DEFAULT) is not ChatFlowGpt
    assert chat_model_of(Choice("flowgpt").name) is ChatFlowGpt


@pytest.mark.proves("obligation:flowgpt:10")
def test_class_says_that_its_service_may_be_gone() -> None:
    """Whoever finds it in a list reads there when it was last seen to work."""
    said = " ".join((inspect.getdoc(ChatFlowGpt) or "").split())
    assert "was last seen to answer anonymous clients in 2024" in said
