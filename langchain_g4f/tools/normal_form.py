"""A normal form of answers, to compare them.

A service keeps an answer as the model wrote it. LangChain keeps its text, its calls and its
invalid calls apart, without their order. The normal form has them in this order, and spells each
call as the model was asked to. Reasoning is left out.
"""

from __future__ import annotations

import json

from langchain_g4f.core.events import Text
from langchain_g4f.text.escape import escape
from langchain_g4f.text.think import without_think_elements
from langchain_g4f.tools.decode import calls_in
from langchain_g4f.tools.parser import RawCall, ToolCallParser
from langchain_g4f.tools.prompt import render_call, render_unreadable


def normal_form(text: str, nonce: str = "", *, strict: bool = False) -> str:
    """The normal form of an answer.

    Two answers have the same form if LangChain has the same text and the same calls for both.
    A text without calls stays as it is, apart from reasoning and escapes.

    Args:
        text: An answer as the model wrote it, or as a history has it.
        nonce: Id of the calls in it.
        strict: Whether an element without the id is text.
    """
    text = without_think_elements(text)
    parser = ToolCallParser(nonce, strict=strict, limit=len(text))
    events = [*parser.feed(text), *parser.close()]
    said = escape("".join(event.text for event in events if isinstance(event, Text)), nonce)
    raw = (event for event in events if isinstance(event, RawCall))
    calls = sorted((c for r in raw for c in calls_in(r)), key=lambda call: not call.readable)
    rendered = [
        render_call(call.name, json.loads(call.arguments), nonce)
        if call.readable
        else render_unreadable(json.loads(call.arguments), nonce)
        for call in calls
    ]
    return "\n".join(filter(None, [said.strip(), *rendered])) if rendered else said


def normal_forms(text: str, nonce: str) -> tuple[str, ...]:
    """The forms of an answer, by the ways in which a caller may have read it."""
    return normal_form(text, nonce), normal_form(text, nonce, strict=True)


__all__ = ["normal_form", "normal_forms"]
