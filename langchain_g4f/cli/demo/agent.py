"""An agent: a model that cannot count, a tool that can, and the loop between them."""

from __future__ import annotations

import re

from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.tools import tool

from langchain_g4f.chat_models.huggingchat import ChatHuggingChat
from langchain_g4f.cli.demo.stage import TIMEOUT_S, Stage, expect
from langchain_g4f.cli.failure import CommandError
from langchain_g4f.cli.screen import Screen
from langchain_g4f.testing import Prompt, Sandbox

MODEL = "sandbox/text-small"
QUESTION = "Which word has more r's, strawberry or blueberry?"
WORDS = ("strawberry", "blueberry")
BEFORE = "I read tokens, not letters, so I let your tool count."
ANSWER = "It is strawberry: your tool counted 3 there, and 2 in blueberry."
_RESULT = re.compile(r"<tool_response [^>]*>\n(\d+)\n</tool_response>")
_MOST_STEPS = 5


@tool
def count_letter(word: str, letter: str) -> int:
    """Count how often a letter is in a word."""
    return word.count(letter)


def script(prompt: Prompt) -> str:
    """A model that was told of a tool, and answers with what came of it."""
    counted = _RESULT.findall(prompt.text)
    if counted:
        return "It is {0}: your tool counted {2} there, and {3} in {1}.".format(*WORDS, *counted)
    if '"name": "count_letter"' not in prompt.system:
        return "I cannot count."
    calls = (
        f'{{"name": "count_letter", "arguments": {{"word": "{w}", "letter": "r"}}}}' for w in WORDS
    )
    return "\n".join([BEFORE, *(f"<tool_call>{call}</tool_call>" for call in calls)])


async def show_agent(stage: Stage) -> None:
    """Ask, run the tools that are called, and ask again, as an agent does."""
    stage.say(QUESTION, "bold")
    with Sandbox(script) as sandbox:
        plain = ChatHuggingChat(
            base_url=sandbox.base_url, model=MODEL, cookies=None, timeout=TIMEOUT_S
        )
        model = plain.bind_tools([count_letter])
        said: list[BaseMessage] = [HumanMessage(QUESTION)]
        for _ in range(_MOST_STEPS):
            screen = Screen()
            await screen.follow(
                chunk async for chunk in model.astream(said) if isinstance(chunk, AIMessageChunk)
            )
            if screen.message is None:
                raise CommandError("the demo expected an answer with text")
            said.append(screen.message)
            for call in screen.message.tool_calls:
                result = await count_letter.ainvoke(call)
                arguments = ", ".join(map(repr, call["args"].values()))
                stage.say(f"  {call['name']}({arguments}) -> {result.text}")
                said.append(result)
            if not screen.message.tool_calls:
                break
        requests, conversations = sandbox.requests, [*sandbox.conversations.values()]
    stage.say(f"\n{len(requests)} requests; the second question was the results alone:")
    for line in conversations[0].messages[-2].content.splitlines():
        stage.say(f"  {line}")
    expect(said[-1].text == ANSWER, "an answer with what the tool has counted")
    expect([m.type for m in said] == ["human", "ai", "tool", "tool", "ai"], "two calls at once")
    expect(len(requests) == 4, "two requests for each of two answers")
    expect(len(conversations) == 1, "one conversation")
    kept = [message.role for message in conversations[0].messages[1:]]
    expect(kept == ["user", "assistant"] * 2, "a conversation that has everything once")


__all__ = ["show_agent"]
