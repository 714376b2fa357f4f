"""The four ways to ask a chat model, as one."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.runnables import Runnable

WAYS = ("invoke", "ainvoke", "stream", "astream")

MODEL = "sandbox/text-small"
OTHER_MODEL = "sandbox/vision-tools"


async def ask(model: Runnable[Any, Any], way: str, prompt: Any, /, **kwargs: Any) -> AIMessage:
    """One answer; streamed chunks are added up."""
    answer: AIMessage
    match way:
        case "invoke":
            answer = model.invoke(prompt, **kwargs)
        case "ainvoke":
            answer = await model.ainvoke(prompt, **kwargs)
        case "stream":
            answer = add_up(model.stream(prompt, **kwargs))
        case _:
            answer = add_up([chunk async for chunk in model.astream(prompt, **kwargs)])
    return answer


def add_up(chunks: Iterable[AIMessageChunk]) -> AIMessageChunk:
    """The sum of the chunks, as a caller who keeps a running total gets it."""
    return functools.reduce(operator.add, chunks)
