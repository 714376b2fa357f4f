"""Answers that are read as what a schema says.

By a tool call, the default, an answer without a call will do if it is the JSON of one and
nothing else: many models leave the element out where it is all that they say. Nothing is
run by it. Any other answer is an error, for nothing tells a caller what ``None`` means.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.output_parsers.openai_tools import (
    JsonOutputKeyToolsParser,
    PydanticToolsParser,
)
from langchain_core.runnables import RunnableGenerator, RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_core.utils.pydantic import is_basemodel_subclass

from langchain_g4f.errors import ConfigurationError, ToolCallError
from langchain_g4f.tools.decode import calls_in
from langchain_g4f.tools.parser import RawCall
from langchain_g4f.tools.spelling import read_json

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel, LanguageModelInput
    from langchain_core.output_parsers import BaseOutputParser
    from langchain_core.runnables import Runnable

Method = Literal["function_calling", "json_mode", "json_schema"]

_FENCED = re.compile(r"```\w*\s*(.*?)\s*```", re.DOTALL)
_QUOTED = 200
"""Characters of an answer that stand in an error."""


def structured(
    model: BaseChatModel,
    schema: Mapping[str, Any] | type | None,
    method: Method,
    *,
    include_raw: bool,
    **kwargs: Any,
) -> Runnable[LanguageModelInput, Any]:
    """``model`` followed by what reads its answer as ``schema``.

    Raises:
        ConfigurationError: There is no schema, or no such method.
    """
    if schema is None and method != "json_mode":
        msg = f"with_structured_output: method={method!r} needs a schema"
        raise ConfigurationError(msg)
    reader: Runnable[Any, Any]
    parser: BaseOutputParser[Any]
    pydantic = isinstance(schema, type) and is_basemodel_subclass(schema)
    traced = {"kwargs": {"method": method}, "schema": schema}
    if method == "function_calling":
        tool = convert_to_openai_tool(schema)["function"]  # type: ignore[arg-type]
        llm = model.bind_tools(
            [schema],  # type: ignore[list-item]
            tool_choice=tool["name"],
            ls_structured_output_format=traced,
            **kwargs,
        )
        parser = (
            PydanticToolsParser(tools=[schema], first_tool_only=True)  # type: ignore[list-item]
            if pydantic
            else JsonOutputKeyToolsParser(key_name=tool["name"], first_tool_only=True)
        )
        reader = _call_of(tool) | parser
    elif method in ("json_schema", "json_mode"):
        wanted: Any = {"type": "json_object"} if schema is None else schema
        llm = model.bind(response_format=wanted, ls_structured_output_format=traced, **kwargs)
        reader = (
            PydanticOutputParser(pydantic_object=schema)  # type: ignore[arg-type]
            if pydantic
            else JsonOutputParser()
        )
    else:
        msg = f"with_structured_output: there is no method {method!r}"
        raise ConfigurationError(msg)
    if not include_raw:
        return llm | reader
    parsed = RunnablePassthrough.assign(
        parsed=itemgetter("raw") | reader, parsing_error=lambda _: None
    )
    failed = RunnablePassthrough.assign(parsed=lambda _: None)
    return RunnableMap(raw=llm) | parsed.with_fallbacks([failed], exception_key="parsing_error")


def _call_of(tool: Mapping[str, Any]) -> Runnable[AIMessage, AIMessage]:
    """Passes an answer on that has a call of this tool, or is one.

    Raises:
        ToolCallError: From a call, if it is neither.
    """

    def transform(answer: Iterator[AIMessage]) -> Iterator[AIMessage]:
        said = []
        for piece in answer:
            said.append(piece)
            if isinstance(piece, AIMessageChunk):
                yield piece
        yield from _rest(said, tool)

    async def atransform(answer: AsyncIterator[AIMessage]) -> AsyncIterator[AIMessage]:
        said = []
        async for piece in answer:
            said.append(piece)
            if isinstance(piece, AIMessageChunk):
                yield piece
        for piece in _rest(said, tool):
            yield piece

    return RunnableGenerator(transform, atransform)


def _rest(said: Sequence[AIMessage], tool: Mapping[str, Any]) -> Iterator[AIMessage]:
    """What is still to be passed on of an answer.

    Raises:
        ToolCallError: There is no call in it.
    """
    first, *more = said
    whole: Any = first + more if more else first
    streamed = isinstance(whole, AIMessageChunk)
    if any(call["name"] == tool["name"] for call in whole.tool_calls):
        if not streamed:
            yield whole
        return
    arguments = _arguments(whole.text, tool)
    if arguments is None:
        raise ToolCallError(_complaint(whole, tool["name"]), llm_output=whole.text)
    call_id = f"call_{uuid4().hex}"
    if not streamed:
        call = {"name": tool["name"], "args": arguments, "id": call_id}
        yield whole.model_copy(update={"tool_calls": [call]})
        return
    index = len(whole.tool_call_chunks)
    piece = tool_call_chunk(name=tool["name"], args=json.dumps(arguments), id=call_id, index=index)
    yield AIMessageChunk(content="", tool_call_chunks=[piece])


def _arguments(text: str, tool: Mapping[str, Any]) -> dict[str, Any] | None:
    """The arguments, if the text is nothing but a call without its element, or but them."""
    if not text.strip():
        return None
    call, *others = calls_in(RawCall(text, closed=True, marked=False))
    if not others and call.readable and call.name == tool["name"]:
        return json.loads(call.arguments)  # type: ignore[no-any-return]
    fenced = _FENCED.fullmatch(text.strip())
    value = read_json(fenced[1] if fenced else text)
    parameters = tool.get("parameters") or {}
    if not isinstance(value, dict) or not {*parameters.get("required", ())} <= value.keys():
        return None
    known = parameters.get("properties") or {}
    return value if not known or not known.keys().isdisjoint(value) else None


def _complaint(answer: AIMessage, name: str) -> str:
    """Why an answer is no call."""
    said = str(answer.text)
    if answer.invalid_tool_calls:
        said = str(answer.invalid_tool_calls[0].get("args") or "")
        why = f"the call of {name!r} cannot be read"
    elif answer.tool_calls:
        why = f"there is no call of {name!r}, but of {answer.tool_calls[0]['name']!r}"
    else:
        why = f"there is no call of {name!r} in the answer"
    shown = said if len(said) <= _QUOTED else f"{said[:_QUOTED]}..."
    return f"{why}: {shown!r}" if shown else why


__all__ = ["Method", "structured"]
