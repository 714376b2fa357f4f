"""What a provider can say, as values: the words between providers and LangChain.

``Event`` is a closed union. Floors above consume it with ``match`` and
``assert_never``, so a new kind of event is a type error until it is mapped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, final

if TYPE_CHECKING:
    from langchain_g4f.core.http import JSON

QUEUED = "queued"
"""Kind of the `Progress` that says where in the service's queue the call is."""

FinishReason = Literal["stop", "interrupted", "length", "tool_calls", "content_filter", "unknown"]


@final
@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer, in order."""

    text: str


@final
@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of the model's reasoning; no part of the answer."""

    text: str


@final
@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call for the caller to execute.

    Attributes:
        name: Of the tool.
        arguments: JSON: an object, or a string with what could not be read as one.
        id: The service's name for the call; empty if it has none.
        repaired: Whether it was not spelled as asked for.
    """

    name: str
    arguments: str
    id: str = ""
    repaired: bool = False


@final
@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """A piece of a call that the service sends bit by bit.

    Attributes:
        index: Which of the answer's calls it is a part of, from 0.
        id: The service's name for the call, in its first part.
        name: Of the tool, in its first part.
        arguments: The next piece of their JSON.
    """

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@final
@dataclass(frozen=True, slots=True)
class FinalText:
    """The service's own version of the whole answer, reasoning removed.

    It is authoritative where it differs from the pieces that were streamed.

    Attributes:
        text: What it says.
        calls: The calls in it.
    """

    text: str
    calls: tuple[ToolCall, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class Source:
    """A page the answer rests on."""

    url: str
    title: str = ""


@final
@dataclass(frozen=True, slots=True)
class File:
    """A file that belongs to the answer.

    Attributes:
        name: Its name.
        mime_type: What it is.
        url: Where its bytes are; reading them may need the caller's identity.
        data: Its bytes, where the service sent them along.
        kind: Of what sort it is, where the type of its content is not known.
        about: What else the service says of it: a description, a transcript.
    """

    name: str
    mime_type: str
    url: str = ""
    data: bytes = field(default=b"", repr=False)
    kind: Literal["", "image", "audio", "video"] = ""
    about: dict[str, str] = field(default_factory=dict)


@final
@dataclass(frozen=True, slots=True)
class ServerToolCall:
    """A tool that the service itself runs; nothing for the caller to execute."""

    id: str
    name: str
    arguments: dict[str, JSON]


@final
@dataclass(frozen=True, slots=True)
class ServerToolResult:
    """What came out of a `ServerToolCall`."""

    id: str
    output: str
    is_error: bool = False


@final
@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Which model and backend provider really answered, and why a router chose them."""

    model: str = ""
    provider: str = ""
    route: str = ""


@final
@dataclass(frozen=True, slots=True)
class Usage:
    """How many tokens a call took, as the service counts; the last one counts.

    Attributes:
        input: Of the question.
        output: Of the answer, reasoning included.
        total: Of both, as the service says.
        reasoning: Those of ``output`` that are reasoning, if the service says so.
        cached: Those of ``input`` that it knew already, if it says so.
    """

    input: int
    output: int
    total: int
    reasoning: int | None = None
    cached: int | None = None


@final
@dataclass(frozen=True, slots=True)
class Metadata:
    """What the service says about the answer and has no event of its own; no secrets."""

    values: dict[str, JSON]


@final
@dataclass(frozen=True, slots=True)
class NonStandard:
    """Something that is passed on as it is."""

    value: dict[str, JSON]


@final
@dataclass(frozen=True, slots=True)
class Title:
    """The title the service gave the conversation."""

    title: str


@final
@dataclass(frozen=True, slots=True)
class ConversationStarted:
    """The conversation the answer belongs to; a handle without secrets."""

    handle: dict[str, JSON]


@final
@dataclass(frozen=True, slots=True)
class Progress:
    """Something that happened on the way and is no part of the answer.

    Attributes:
        kind: ``"started"``, ``"retry"``, ``"login_required"`` and the like.
        message: One line for a person.
        data: Details, each kind's own.
    """

    kind: str
    message: str = ""
    data: dict[str, JSON] = field(default_factory=dict)


@final
@dataclass(frozen=True, slots=True)
class Finish:
    """The answer is complete."""

    reason: FinishReason = "stop"


Event = (
    Text
    | Reasoning
    | FinalText
    | Source
    | File
    | ServerToolCall
    | ServerToolResult
    | ToolCall
    | ToolCallPart
    | ModelInfo
    | Usage
    | Metadata
    | NonStandard
    | Title
    | ConversationStarted
    | Progress
    | Finish
)

__all__ = [
    "QUEUED",
    "ConversationStarted",
    "Event",
    "File",
    "FinalText",
    "Finish",
    "FinishReason",
    "Metadata",
    "ModelInfo",
    "NonStandard",
    "Progress",
    "Reasoning",
    "ServerToolCall",
    "ServerToolResult",
    "Source",
    "Text",
    "Title",
    "ToolCall",
    "ToolCallPart",
    "Usage",
]
