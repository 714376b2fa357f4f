"""One spelling for each answer, to compare answers by.

A service keeps an answer as the model wrote it; LangChain keeps its text, its calls, and
apart from them those that could not be read, and forgets how they stood among each other.
So here they come in that order, the calls as they are asked for. Reasoning is left out.
"""

from __future__ import annotations

import json

from langchain_g4f.events import Text
from langchain_g4f.tools.decode import calls_in
from langchain_g4f.tools.parser import RawCall, ToolCallParser
from langchain_g4f.tools.prompt import escape, render_call, render_unreadable


def normal_form(text: str) -> str:
    """``text`` as it would be if it were written as asked for.

    Two answers have the same one if LangChain has the same text and the same calls of
    them. What is without calls stays as it is, but for reasoning and for stray tags.
    """
    parser = ToolCallParser(limit=len(text))
    events = [*parser.feed(text), *parser.close()]
    said = escape("".join(event.text for event in events if isinstance(event, Text)))
    raw = (event for event in events if isinstance(event, RawCall))
    calls = sorted((c for r in raw for c in calls_in(r)), key=lambda call: not call.readable)
    rendered = [
        render_call(call.name, json.loads(call.arguments))
        if call.readable
        else render_unreadable(json.loads(call.arguments))
        for call in calls
    ]
    return "\n".join(filter(None, [said.strip(), *rendered])) if rendered else said


__all__ = ["normal_form"]
