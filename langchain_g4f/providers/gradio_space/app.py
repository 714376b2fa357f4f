"""The description that a Gradio app serves at ``/config``, as typed values.

Follows docs/protocols/gradio-space.md, sections 2 and 8. Only what a chat needs is read;
fields of newer Gradio versions are skipped. Attributes have Gradio's own names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from langchain_g4f.codecs.fields import need, want
from langchain_g4f.core.http import JSON
from langchain_g4f.errors import ConfigurationError

FILE_BOX = "multimodaltextbox"
BOXES = (FILE_BOX, "textbox")
"""Types of the components that a user writes a message into; the first takes files, too."""

MEDIA: Mapping[str, str] = {
    "image": "image",
    "imageeditor": "image",
    "gallery": "image",
    "audio": "audio",
    "video": "video",
    "file": "",
    "uploadbutton": "",
}
"""Types of the components that hold files, and the family of media types that each takes."""
_EMPTY: Mapping[str, JSON] = {
    "textbox": "",
    "multimodaltextbox": {"text": "", "files": []},
    "chatbot": [],
}
"""What a page sends for a component without a value, where that is not null."""
_OLDEST = "4.17"
_CANCELS_SINCE = (4, 31)

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
        """Its best name: the label in snake case, or one that the author gave, or type and id."""
        return next(iter(self.names), f"{self.type}_{self.id}")

    @property
    def names(self) -> list[str]:
        """Label, name of the function's parameter, ``elem_id`` and placeholder, in snake case."""
        own = (self.props.get(key) for key in ("parameter_name", "elem_id", "placeholder"))
        texts = (self.label, *(text for text in own if isinstance(text, str)))
        return [*filter(None, map(keyword, texts))]

    @property
    def value(self) -> JSON:
        """What a page sends for it."""
        found = self.props.get("value")
        return _EMPTY.get(self.type) if found is None else found

    def updated(self, value: JSON) -> Component:
        """The component after a function returned ``value``, perhaps an update of properties."""
        if isinstance(value, dict) and value.get("__type__") == "update":
            return replace(self, props={**self.props, **value})
        return replace(self, props={**self.props, "value": value})

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


@dataclass(frozen=True, slots=True, eq=False)
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
        is_named: Whether the components have the names of the functions' parameters.
        token_functions: Names of the functions that announce that they take a token of the Hub.
    """

    app_id: int
    version: str
    api_prefix: str
    title: str
    space_id: str
    max_file_size: int | None
    components: Mapping[int, Component]
    functions: tuple[Function, ...]
    is_named: bool = False
    token_functions: frozenset[str] = frozenset()

    @property
    def numbers(self) -> tuple[int, int]:
        """The first two numbers of the version, or zeros."""
        found = re.match(r"(\d{1,9})(?:\.(\d{1,9}))?", self.version, re.ASCII)
        return (int(found[1]), int(found[2] or 0)) if found else (0, 0)

    @property
    def can_cancel(self) -> bool:
        """Whether it has ``/cancel``; older apps have ``/reset`` alone."""
        return not (0, 0) < self.numbers < _CANCELS_SINCE

    def shape(self, chatbot: Component) -> Shape:
        """How ``chatbot`` holds its messages."""
        if self.numbers >= (6, 0):
            return "parts"
        return "strings" if chatbot.props.get("type") == "messages" else "tuples"


def read_app(config: JSON) -> App:
    """The app that ``/config`` describes.

    Raises:
        ConfigurationError: The app is too old to send diffs.
        MalformedStreamError: It is no such description.
    """
    protocol, version = want(config, "protocol", str, default=""), need(config, "version", str)
    if not protocol.startswith(("sse_v2", "sse_v3")):
        raise ConfigurationError(
            f"the app runs Gradio {version}; this package needs {_OLDEST} or newer"
        )
    listed = [_component(value) for value in need(config, "components", list)]
    components = {component.id: component for component in listed}
    functions = [_function(at, each) for at, each in enumerate(need(config, "dependencies", list))]
    # components that the app renders later are not listed, so their functions cannot be called
    callable_ = [f for f in functions if components.keys() >= {*f.inputs, *f.outputs}]
    limit = config.get("max_file_size") if isinstance(config, dict) else None
    return App(
        app_id=want(config, "app_id", int, default=0),
        version=version,
        api_prefix=want(config, "api_prefix", str, default=""),
        title=want(config, "title", str, default=""),
        space_id=want(config, "space_id", str, default=""),
        max_file_size=limit if isinstance(limit, int) else None,
        components=components,
        functions=tuple(sorted(callable_, key=lambda function: function.id)),
    )


def named_app(app: App, info: JSON) -> App:
    """``app`` with the names that ``/info`` has for the inputs of its functions.

    A description lists the parameters of each function without its states.
    """
    named, unnamed = (want(info, f"{k}named_endpoints", dict, default={}) for k in ("", "un"))
    components = {**app.components}
    for function in app.functions:
        endpoint = named.get(f"/{function.api_name}") or unnamed.get(str(function.id))
        parameters = want(endpoint or {}, "parameters", list, default=[])
        inputs = [id_ for id_ in function.inputs if components[id_].type != "state"]
        for id_, parameter in zip(inputs, parameters, strict=False):
            name = want(parameter, "parameter_name", str, default="")
            props = components[id_].props
            if name:
                components[id_] = replace(components[id_], props={**props, "parameter_name": name})
    takers = (n for n, each in named.items() if isinstance(each, dict) and "oauth_token" in each)
    tokens = frozenset(name.removeprefix("/") for name in takers)
    return replace(app, components=components, is_named=True, token_functions=tokens)


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
