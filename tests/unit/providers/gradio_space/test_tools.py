"""What an app is told of tools (docs/protocols/gradio-space.md, sections 2, 7 and 8)."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f.core.chat_request import NO_TOOLS, ChatRequest, Message
from langchain_g4f.providers.gradio_space import SpaceConfig, plan
from tests.unit.providers.gradio_space.apps import component, interface_config
from tests.unit.providers.gradio_space.replies import completed, events, reply
from tests.unit.providers.gradio_space.test_conversations import answer, sent
from tests.unit.providers.gradio_space.test_plan import GOOD, world
from tests.unit.providers.gradio_space.world import APP, World

SYSTEM = component(10, "textbox", "System prompt", value="Be brief.")
RESULT = Message("tool", "<tool_response>\n5\n</tool_response>")


def ask(trial: World, *messages: Message | str, tools: str = "", system: str = "") -> Message:
    """The answer to a call with these tools."""
    said = tuple(m if isinstance(m, Message) else Message("user", m) for m in messages)
    chat_request = ChatRequest(said, system=system, tools=tools)
    return answer(list(trial.play(plan(chat_request, trial.context, SpaceConfig(base_url=APP)))))


def test_tools_go_into_the_input_of_the_system_prompt() -> None:
    """Behind the caller's own, and nowhere else."""
    trial = world(interface_config(SYSTEM))
    ask(trial, "hi", system="Be kind.", tools="# Tools")
    ((_, text),) = sent(trial)
    assert text == "hi"
    assert "Be kind.\n\n# Tools" in trial.sent("queue/join")[0]["data"]


@pytest.mark.parametrize("system", ["", "Be kind."])
def test_tools_without_an_input_stand_before_the_message(system: str) -> None:
    """With the system prompt, if there is one; the note of the call comes last."""
    trial = world()
    ask(trial, Message("user", "hi", note="You must."), system=system, tools="# Tools")
    ((_, text),) = sent(trial)
    told = "\n\n".join(filter(None, (system, "# Tools")))
    assert f"<system>\n{told}\n</system>" in text
    assert text.endswith("\n\nhi\n\nYou must.")


@pytest.mark.parametrize(
    ("tools", "reminder"), [("# Tools", ""), ("# Others", "# Others\n\n"), ("", f"{NO_TOOLS}\n\n")]
)
def test_session_is_reminded_of_tools_that_change(tools: str, reminder: str) -> None:
    """Only the new result is sent, and the tools where they are not those it was told of."""
    trial = world(None, GOOD, GOOD, GOOD)
    first = ask(trial, "a", tools="# Tools")
    second = ask(trial, "a", first, RESULT, tools=tools)
    ask(trial, "a", first, RESULT, second, "b", tools=tools)
    said = [text for _, text in sent(trial)]
    assert len({context for context, _ in sent(trial)}) == 1
    assert said[1:] == [f"{reminder}{RESULT.text}", "b"]


def test_input_of_the_system_prompt_needs_no_reminder() -> None:
    """It is given with each call."""
    trial = world(interface_config(SYSTEM), GOOD, GOOD)
    first = ask(trial, "a", tools="# Tools")
    ask(trial, "a", first, "b", tools="# Others")
    assert [text for _, text in sent(trial)] == ["a", "b"]
    given: list[Any] = [body["data"][-1] for body in trial.sent("queue/join")]
    assert given == ["# Tools", "# Others"]


def test_lost_session_is_told_everything_again() -> None:
    """The new one knows neither the history nor the tools."""
    trial = world(None, events(completed("ok", None)), GOOD, app_id=[reply({"app_id": 8})])
    first = ask(trial, "a", tools="# Tools")
    ask(trial, "a", first, RESULT, tools="# Tools")
    (_, (_, text)) = sent(trial)
    assert "# Tools" in text
    assert "<user>\na\n</user>" in text
    assert text.endswith(f"\n\n{RESULT.text}")
