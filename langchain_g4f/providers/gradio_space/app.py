"""What a Gradio app says of itself in ``/config``, as typed values.

Follows docs/protocols/gradio-space.md, sections 2 and 8. Only what a chat needs is
read; what a newer Gradio adds is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from langchain_g4f.codecs.fields import need, want
from langchain_g4f.errors import MalformedStreamError

if TYPE_CHECKING:
    from langchain_g4f.core.http import JSON

BOXES = ("multimodaltextbox", "textbox")
"""Types of the components a message is written into."""

Shape = Literal["tuples", "strings", "parts"]
"""How a chatbot holds its messages: pairs, messages of text, messages of typed parts (7)."""


def keyword(label: str) -> str:
    """``label`` as a keyword: ``"maxNewTokens"`` is ``max_new_tokens``, too."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", label).lower()
    return re.sub(r"[\W_]+", "_", words).strip("_")


@dataclass(frozen=True, slots=True)
class Component:
    """One component of the app.

    Attributes:
        id: What functions name it by.
        type: Its kind, ``"chatbot"`` for example.
        label: What a person reads beside it; empty if there is nothing.
        props: Its properties, ``value`` among them.
    """

    id: int
    type: str
    label: str
    props: Mapping[str, JSON]

    @property
    def name(self) -> str:
        """The label as a keyword: ``"Max new tokens"`` is ``max_new_tokens``."""
        return keyword(self.label) or f"{self.type}_{self.id}"

    @property
    def choices(self) -> list[JSON]:
        """The values to choose from; empty where any may be given."""
        found = self.props.get("choices")
        pairs = found if isinstance(found, list) else []
        return [pair[-1] if isinstance(pair, list) and pair else pair for pair in pairs]


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the app, a *dependency* in Gradio's words.

    Attributes:
        id: What the queue names it by.
        name: What the API names it by; empty if it has no name.
        inputs: Ids of the components it is given.
        outputs: Ids of the components it changes.
        targets: What starts it: component and event.
        after: Id of the function it follows.
        queued: Whether it goes through the queue.
        streams: Whether it answers bit by bit.
        on_server: Whether it is more than a script in the browser.
        public: Whether the app offers it to API users.
    """

    id: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    targets: tuple[tuple[int | None, str], ...]
    after: int | None
    queued: bool
    streams: bool
    on_server: bool
    public: bool


@dataclass(frozen=True, slots=True)
class App:
    """A running app.

    Attributes:
        app_id: Another number means that the app has been restarted.
        version: Of Gradio.
        prefix: Stands before every path but ``/config``.
        title: What the app calls itself.
        space: Id of the Space it runs in, if it says so.
        file_limit: Bytes an uploaded file may have; None if there is no limit.
        tells_errors: Whether it tells what went wrong where its author did not foresee it.
        components: By id.
        functions: In the order of their ids.
    """

    app_id: int
    version: str
    prefix: str
    title: str
    space: str
    file_limit: int | None
    tells_errors: bool
    components: Mapping[int, Component]
    functions: tuple[Function, ...]

    @property
    def line(self) -> int:
        """The first number of the version: 5 or 6, for example."""
        found = re.match(r"\d{1,9}", self.version, re.ASCII)
        return int(found.group()) if found else 0

    def shape(self, chatbot: Component) -> Shape:
        """How ``chatbot`` holds its messages."""
        if self.line >= 6:
            return "parts"
        return "strings" if chatbot.props.get("type") == "messages" else "tuples"


def read_app(config: JSON) -> App:
    """The app that ``/config`` describes.

    Raises:
        MalformedStreamError: It is not as described, or too old to send differences.
    """
    protocol = want(config, "protocol", str, default="")
    if not protocol.startswith(("sse_v2", "sse_v3")):
        msg = (
            f"the app speaks {protocol or 'no protocol'!r}, which is too old: Gradio 4.17 is needed"
        )
        raise MalformedStreamError(msg)
    components = [_component(value) for value in need(config, "components", list)]
    functions = [_function(at, each) for at, each in enumerate(need(config, "dependencies", list))]
    known = {component.id: component for component in components}
    # what an app renders later is not listed, and a function that needs it cannot be called
    reachable = [f for f in functions if known.keys() >= {*f.inputs, *f.outputs}]
    limit = config.get("max_file_size") if isinstance(config, dict) else None
    return App(
        want(config, "app_id", int, default=0),
        need(config, "version", str),
        want(config, "api_prefix", str, default=""),
        want(config, "title", str, default=""),
        want(config, "space_id", str, default=""),
        limit if isinstance(limit, int) else None,
        want(config, "show_error", bool, default=False),
        known,
        tuple(sorted(reachable, key=lambda function: function.id)),
    )


def _component(value: JSON) -> Component:
    props = want(value, "props", dict, default={})
    label = props.get("label")
    known = isinstance(label, str) and not label.startswith("__i18n__")
    return Component(
        need(value, "id", int), need(value, "type", str), str(label) if known else "", props
    )


def _function(place: int, value: JSON) -> Function:
    name = value.get("api_name") if isinstance(value, dict) else None
    visibility = want(value, "api_visibility", str, default="public")
    types = want(value, "types", dict, default={})
    after = value.get("trigger_after") if isinstance(value, dict) else None
    return Function(
        want(value, "id", int, default=place),  # older apps name a function by its place
        name if isinstance(name, str) else "",
        _ids(need(value, "inputs", list)),
        _ids(need(value, "outputs", list)),
        tuple(_target(target) for target in want(value, "targets", list, default=[])),
        after if isinstance(after, int) else None,
        _flag(value, "queue", default=True),
        _flag(types, "generator", default=False),
        _flag(value, "backend_fn", default=True),
        _flag(value, "show_api", default=True) and visibility == "public" and name is not False,
    )


def _flag(value: JSON, key: str, *, default: bool) -> bool:
    """A yes or no; null is the default, as in the apps of Gradio 4."""
    return want(value, key, bool, default=default)


def _ids(values: list[JSON]) -> tuple[int, ...]:
    return tuple(value for value in values if isinstance(value, int))


def _target(value: JSON) -> tuple[int | None, str]:
    if isinstance(value, list) and len(value) == 2 and isinstance(value[1], str):
        component = value[0] if isinstance(value[0], int) else None
        return component, value[1]
    return None, ""


__all__ = ["BOXES", "App", "Component", "Function", "Shape", "keyword", "read_app"]
