"""``bind_tools`` and ``with_structured_output`` for services that have neither.

What is bound travels as arguments of the call, in OpenAI's form, as it does with other
chat models; `Emulation` reads it there and says what the model has to be told and how its
answer is to be read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool

from langchain_g4f.chat_models.service import ServiceModel
from langchain_g4f.chat_models.structured import Method, structured
from langchain_g4f.errors import ConfigurationError
from langchain_g4f.tools.prompt import (
    ANY,
    directive,
    new_nonce,
    schema_directive,
    tools_section,
)

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel, LanguageModelInput
    from langchain_core.messages import AIMessage
    from langchain_core.runnables import Runnable
    from langchain_core.tools import BaseTool

Tool = Mapping[str, Any] | type | Callable[..., Any]
Choice = str | bool | Mapping[str, Any] | None

ARGUMENTS = ("tools", "tool_choice", "parallel_tool_calls", "strict", "response_format")
"""What a call may carry; see `Emulation`."""


@dataclass(frozen=True, slots=True)
class Emulation:
    """What a call with tools or a wanted format needs.

    Attributes:
        section: What the model is told of its tools; empty if there are none.
        note: What is said with the last message of this very call.
        parallel: Whether more than the first call is wanted.
        bare_json: Whether the answer is to be JSON and nothing else.
        forced: Whether a call has to come.
        nonce: What the model is told to write on its calls.
    """

    section: str = ""
    note: str = ""
    parallel: bool = True
    bare_json: bool = False
    forced: bool = False
    nonce: str = ""

    @classmethod
    def take(cls, kwargs: dict[str, Any], nonce: str = "") -> Emulation | None:
        """Take what concerns tools and formats out of the arguments of a call.

        Args:
            kwargs: The arguments.
            nonce: What the model writes on its calls in this conversation; empty if there is
                nothing yet.

        Raises:
            ConfigurationError: A tool is chosen that is not there, or a format not known.
        """
        given = {name: kwargs.pop(name, None) for name in ARGUMENTS}
        tools = [_formatted(tool)["function"] for tool in given["tools"] or ()]
        wanted = given["response_format"]
        if isinstance(wanted, Mapping) and wanted.get("type") == "text":  # as nothing said
            wanted = None
        if not tools and wanted is None:
            return None
        names = [tool["name"] for tool in tools]
        choice = tool_choice(given["tool_choice"], names)
        if choice == "none" or not tools:  # with none, "any" asks for what cannot come
            tools, choice = [], ""
        parallel = given["parallel_tool_calls"] is not False
        if tools:
            nonce = nonce or new_nonce()
        notes = [directive(choice, nonce)]
        if wanted is not None:
            notes.append(schema_directive(_schema(wanted)))
        return cls(
            tools_section(tools, nonce=nonce, parallel=parallel) if tools else "",
            "\n\n".join(filter(None, notes)),
            parallel,
            wanted is not None,
            bool(choice),
            nonce,
        )


def tool_choice(given: Choice, names: Sequence[str]) -> str:
    """A choice in one form: a name, ``"any"``, ``"none"``, or an empty string for no choice.

    Raises:
        ConfigurationError: It names no tool, or is of another kind.
    """
    if isinstance(given, Mapping):
        function = given.get("function")
        named = function if isinstance(function, Mapping) else given
        given = named.get("name") or str(given.get("type"))
    match given:
        case None | False | "auto" | "":
            return ""
        case True | "any" | "required":
            return ANY
        case "none":
            return "none"
        case str() if given in names:
            return given
    msg = f"tool_choice: there is no tool {given!r}; the tools are: {', '.join(names) or 'none'}"
    raise ConfigurationError(msg)


def _schema(wanted: Any) -> Mapping[str, Any] | None:
    """The JSON Schema of a wanted format; None where any JSON will do.

    Raises:
        ConfigurationError: The format is not known.
    """
    if isinstance(wanted, Mapping) and wanted.get("type") == "json_object":
        return None
    if isinstance(wanted, Mapping) and wanted.get("type") == "json_schema":
        inner = wanted.get("json_schema", wanted)
        found = inner.get("schema") if isinstance(inner, Mapping) else None
        if isinstance(found, Mapping):
            return found
    elif isinstance(wanted, type):
        return convert_to_json_schema(wanted)
    elif isinstance(wanted, Mapping) and wanted:
        with suppress(ValueError):  # it has no title, and needs none here
            return convert_to_json_schema(dict(wanted))
        return wanted
    msg = "response_format: expected a JSON Schema, a class, or {'type': 'json_object'}"
    raise ConfigurationError(msg)


def _formatted(tool: Tool | BaseTool) -> dict[str, Any]:
    """A tool in OpenAI's form.

    Raises:
        ConfigurationError: It is a tool that a service runs itself.
    """
    found = convert_to_openai_tool(tool)
    if not isinstance(found.get("function"), Mapping):
        msg = f"tools: {found.get('type')!r} is run by another service, and is not known here"
        raise ConfigurationError(msg)
    return found


class ToolCallingModel(ServiceModel):
    """What a chat model offers for tools and structured output."""

    def bind_tools(
        self,
        tools: Sequence[Tool | BaseTool],
        *,
        tool_choice: Choice = None,
        parallel_tool_calls: bool | None = None,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with tools, which it is told of in words; see docs/tools.md.

        Args:
            tools: Functions, classes, LangChain tools or schemas.
            tool_choice: ``"auto"``, ``"none"``, ``"any"``, or the name of a tool.
            parallel_tool_calls: False for one call at a time.
            strict: Taken for the sake of other models; nothing here can promise it.
            kwargs: Arguments of every call.

        Raises:
            ConfigurationError: There is no tool of that name.
        """
        if strict is not None:
            kwargs["strict"] = strict
        return _bound(self, tools, choice=tool_choice, parallel=parallel_tool_calls, **kwargs)

    def with_structured_output(
        self,
        schema: Mapping[str, Any] | type | None = None,
        *,
        method: Method = "function_calling",
        include_raw: bool = False,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """The model with its answer read as ``schema``.

        Args:
            schema: A pydantic class, a TypedDict or a JSON Schema.
            method: By a tool call, or by JSON that is asked for.
            include_raw: Whether to give the answer, too, and an error in place of raising it:
                a `ToolCallError` if there is no such call, pydantic's if it does not fit.
            strict: Taken for the sake of other models; nothing here can promise it.
            kwargs: Arguments of every call.

        Raises:
            ConfigurationError: There is no schema, or no such method.
        """
        if strict is not None:
            kwargs["strict"] = strict
        return structured(self, schema, method, include_raw=include_raw, **kwargs)


def _bound(
    model: BaseChatModel,
    tools: Sequence[Tool | BaseTool],
    *,
    choice: Choice,
    parallel: bool | None,
    **kwargs: Any,
) -> Runnable[LanguageModelInput, AIMessage]:
    """``model`` with these tools, each given in any of LangChain's forms."""
    formatted = [_formatted(tool) for tool in tools]
    chosen = tool_choice(choice, [tool["function"]["name"] for tool in formatted])
    if chosen:
        kwargs["tool_choice"] = chosen
    if parallel is not None:
        kwargs["parallel_tool_calls"] = parallel
    return model.bind(tools=formatted, **kwargs)


__all__ = ["ARGUMENTS", "Choice", "Emulation", "Method", "Tool", "ToolCallingModel"]
