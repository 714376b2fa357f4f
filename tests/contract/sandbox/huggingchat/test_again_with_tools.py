"""Regenerating an answer sends no text, so nothing new can be told with it."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_g4f import ChatHuggingChat, ConfigurationError
from langchain_g4f.testing import Sandbox


@pytest.mark.parametrize("argument", ["regenerate", "continue_answer"])
def test_wanted_format_without_a_new_message_is_refused(argument: str) -> None:
    """The model would not hear of the format, and answer as if nothing had been asked."""
    with Sandbox() as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url)
        question = HumanMessage("hi")
        answer = model.invoke([question])
        wanted: dict[str, Any] = {argument: True, "response_format": {"type": "json_object"}}
        with pytest.raises(ConfigurationError, match="need a new message"):
            model.invoke([question, answer], **wanted)
        assert len(sandbox.prompts) == 1
