"""Tools and wanted formats for services that have neither: the model is told of them in words.

What is bound travels as arguments of the call, in OpenAI's form, as it does with other
chat models; `Emulation` reads it there and says what the model has to be told and how its
answer is to be read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool

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

    from langchain_g4f.chat_models.tool_call_filter import ToolCallFilter

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
    def take(cls, kwargs: dict[str, Any], nonce: str = "") -> Emulation:
        """Take what concerns tools and formats out of the arguments of a call.

        Args:
            kwargs: The arguments.
            nonce: What the model writes on its calls in this conversation; empty if there is
                nothing yet.

        Raises:
            ConfigurationError: A tool is chosen that is not there, or a format not known.
        """
        given = {name: kwargs.pop(name, None) for name in ARGUMENTS}
        tools = [formatted_tool(tool)["function"] for tool in given["tools"] or ()]
        wanted = given["response_format"]
        if isinstance(wanted, Mapping) and wanted.get("type") == "text":  # as nothing said
            wanted = None
        if not tools and wanted is None:
            return cls(nonce=nonce)
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

    def new_filter(self, *, strict: bool) -> Callable[[], ToolCallFilter] | None:
        """Makes what reads the answer; None if it is plain text.

        Args:
            strict: Whether calls without the nonce are text.
        """
        if not (self.section or self.bare_json):
            return None
        from langchain_g4f.chat_models.tool_call_filter import ToolCallFilter

        return partial(
            ToolCallFilter,
            tools=bool(self.section),
            bare_json=self.bare_json,
            parallel=self.parallel,
            nonce=self.nonce,
            strict=strict,
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


def formatted_tool(tool: Tool | BaseTool) -> dict[str, Any]:
    """A tool in OpenAI's form.

    Raises:
        ConfigurationError: It is a tool that a service runs itself.
    """
    found = convert_to_openai_tool(tool)
    if not isinstance(found.get("function"), Mapping):
        msg = f"tools: {found.get('type')!r} is run by another service, and is not known here"
        raise ConfigurationError(msg)
    return found


def bound(
    model: BaseChatModel,
    tools: Sequence[Tool | BaseTool],
    *,
    choice: Choice,
    parallel: bool | None,
    **kwargs: Any,
) -> Runnable[LanguageModelInput, AIMessage]:
    """``model`` with these tools, each given in any of LangChain's forms."""
    formatted = [formatted_tool(tool) for tool in tools]
    chosen = tool_choice(choice, [tool["function"]["name"] for tool in formatted])
    if chosen:
        kwargs["tool_choice"] = chosen
    if parallel is not None:
        kwargs["parallel_tool_calls"] = parallel
    return model.bind(tools=formatted, **kwargs)


__all__ = ["ARGUMENTS", "Choice", "Emulation", "Tool", "bound", "tool_choice"]
