"""The description that a Gradio app serves at ``/config``, as typed values.

Follows docs/protocols/gradio-space.md, sections 2 and 8. Only what a chat needs is read;
fields of newer Gradio versions are skipped. Attributes have Gradio's own names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from langchain_g4f.codecs.fields import need, want
from langchain_g4f.core.http import JSON
from langchain_g4f.errors import MalformedStreamError

BOXES = ("multimodaltextbox", "textbox")
"""Types of the components that a user writes a message into."""

Shape = Literal["tuples", "strings", "parts"]
"""How a chatbot holds its messages: pairs, messages of text, messages of typed parts (7)."""


def keyword(label: str) -> str:
    """``label`` in snake case: ``"Max new tokens"`` and ``"maxNewTokens"`` are equal."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", label).lower()
    return re.sub(r"[\W_]+", "_", words).strip("_")


@dataclass(frozen=True, slots=True)
class Component:
    """One component of the app.

    Attributes:
        id: Number by which functions refer to it.
        type: Its kind, ``"chatbot"`` for example.
        label: The visible label; empty without one.
        props: Its properties, ``value`` among them.
    """

    id: int
    type: str
    label: str
    props: Mapping[str, JSON]

    @property
    def name(self) -> str:
        """The label in snake case, or type and id if it has no label."""
        return keyword(self.label) or f"{self.type}_{self.id}"

    @property
    def choices(self) -> list[JSON]:
        """The values to choose from; empty if the component takes any value."""
        found = self.props.get("choices")
        pairs = found if isinstance(found, list) else []
        return [pair[-1] if isinstance(pair, list) and pair else pair for pair in pairs]


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the app; Gradio calls it a *dependency*.

    Attributes:
        id: Number by which the queue refers to it.
        api_name: Its name in the API; empty if it has none.
        inputs: Ids of the components it reads.
        outputs: Ids of the components it changes.
        targets: Component and event that start it.
        trigger_after: Id of the function that it follows.
        queue: Whether calls go through the queue.
        generator: Whether it answers piece by piece.
        backend_fn: Whether it runs on the server rather than in the browser only.
        public: Whether the app offers it to API clients.
    """

    id: int
    api_name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    targets: tuple[tuple[int | None, str], ...]
    trigger_after: int | None
    queue: bool
    generator: bool
    backend_fn: bool
    public: bool


@dataclass(frozen=True, slots=True)
class App:
    """A running app.

    Attributes:
        app_id: Random number that changes when the app restarts.
        version: Version of Gradio.
        api_prefix: Path of the API, before every path but ``/config``.
        title: Title of the app.
        space_id: Id of the Space it runs in, if it tells.
        max_file_size: Largest upload in bytes; None without a limit.
        components: Components by id.
        functions: Functions in the order of their ids.
    """

    app_id: int
    version: str
    api_prefix: str
    title: str
    space_id: str
    max_file_size: int | None
    components: Mapping[int, Component]
    functions: tuple[Function, ...]

    @property
    def major_version(self) -> int:
        """The first number of the version, or 0."""
        found = re.match(r"\d{1,9}", self.version, re.ASCII)
        return int(found.group()) if found else 0

    def shape(self, chatbot: Component) -> Shape:
        """How ``chatbot`` holds its messages."""
        if self.major_version >= 6:
            return "parts"
        return "strings" if chatbot.props.get("type") == "messages" else "tuples"


def read_app(config: JSON) -> App:
    """The app that ``/config`` describes.

    Raises:
        MalformedStreamError: It is no such description, or the app is too old to send diffs.
    """
    protocol = want(config, "protocol", str, default="")
    if not protocol.startswith(("sse_v2", "sse_v3")):
        spoken = protocol or "no protocol"
        raise MalformedStreamError(
            f"the app speaks {spoken!r}, which is too old: Gradio 4.17 is needed"
        )
    listed = [_component(value) for value in need(config, "components", list)]
    components = {component.id: component for component in listed}
    functions = [_function(at, each) for at, each in enumerate(need(config, "dependencies", list))]
    # components that the app renders later are not listed, so their functions cannot be called
    callable_ = [f for f in functions if components.keys() >= {*f.inputs, *f.outputs}]
    limit = config.get("max_file_size") if isinstance(config, dict) else None
    return App(
        app_id=want(config, "app_id", int, default=0),
        version=need(config, "version", str),
        api_prefix=want(config, "api_prefix", str, default=""),
        title=want(config, "title", str, default=""),
        space_id=want(config, "space_id", str, default=""),
        max_file_size=limit if isinstance(limit, int) else None,
        components=components,
        functions=tuple(sorted(callable_, key=lambda function: function.id)),
    )


def _component(value: JSON) -> Component:
    props = want(value, "props", dict, default={})
    label = props.get("label")
    if not isinstance(label, str) or label.startswith("__i18n__"):  # a key of the page's texts
        label = ""
    return Component(need(value, "id", int), need(value, "type", str), label, props)


def _function(index: int, value: JSON) -> Function:
    fields = value if isinstance(value, dict) else {}
    name, after = fields.get("api_name"), fields.get("trigger_after")
    visible = want(value, "api_visibility", str, default="public") == "public"
    types = want(value, "types", dict, default={})
    return Function(
        id=want(value, "id", int, default=index),  # older apps number functions by position
        api_name=name if isinstance(name, str) else "",
        inputs=_ids(need(value, "inputs", list)),
        outputs=_ids(need(value, "outputs", list)),
        targets=tuple(map(_target, want(value, "targets", list, default=[]))),
        trigger_after=after if isinstance(after, int) else None,
        # null is the default in the apps of Gradio 4
        queue=want(value, "queue", bool, default=True),
        generator=want(types, "generator", bool, default=False),
        backend_fn=want(value, "backend_fn", bool, default=True),
        public=want(value, "show_api", bool, default=True) and visible and name is not False,
    )


def _ids(values: list[JSON]) -> tuple[int, ...]:
    return tuple(value for value in values if isinstance(value, int))


def _target(value: JSON) -> tuple[int | None, str]:
    match value:
        case [component, str(event)]:
            return component if isinstance(component, int) else None, event
    return None, ""
