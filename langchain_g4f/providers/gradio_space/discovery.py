"""Which functions of an app make up a chat (docs/protocols/gradio-space.md, section 8).

A chat is what one event of the page starts: functions that follow each other, which read a
message box and fill a chatbot. An app without a chatbot may have functions that turn the box
into a text instead; such a function of a ``gr.ChatInterface``, the one for API clients, is
used only if the caller names it, because it returns neither files nor thoughts.

Many events read a text box: a button that repeats the last answer, a search field, a box for
the system prompt. The evidence in `_Evidence` decides between them.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from langchain_g4f.errors import ConfigurationError
from langchain_g4f.providers.gradio_space.app import BOXES, MEDIA, App, Component, Function
from langchain_g4f.providers.gradio_space.settings import find_setting

TEXTS = ("textbox", "markdown", "html", "code", "json", "label", "highlightedtext")
"""Types of the components that show the answer of an app without a chatbot."""
_NO_MESSAGE = re.compile(
    r"regenerat|retry|try again|undo|clear|reset|delete|remove|stop|cancel|abort|flag|vote"
    r"|new (chat|conversation|topic)|重试|重新|再生|撤|清|删|停|取消|erneut|nochmal|lösch"
)
"""Labels of buttons that send no message, in lower case."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat in an app.

    Attributes:
        box: Where the message is written.
        shown: Where the answer appears.
        loads: Functions that the page runs when it opens, and whose outputs the chat reads.
        uploads: Functions that the page runs when a file is put into an input, by its id.
        preparation: Functions that run before the answer, in order.
        answer: The function that answers.
        followers: Functions that run after the answer, in order.
        seeds: Those of the followers that copy the chatbot into the state of the chat.
        takes_history: Whether the answer depends on what the chatbot shows.
        keeps_state: Whether the app remembers something that only it can write.
        trigger: Id of the component that starts them.
    """

    box: Component
    shown: Component
    loads: tuple[Function, ...]
    uploads: Mapping[int, tuple[Function, ...]]
    preparation: tuple[Function, ...]
    answer: Function
    followers: tuple[Function, ...]
    seeds: tuple[Function, ...]
    takes_history: bool
    keeps_state: bool
    trigger: int | None

    @property
    def chatbot(self) -> Component | None:
        """The chatbot in which the answer appears; None if the app has none."""
        return self.shown if self.shown.type == "chatbot" else None

    @property
    def functions(self) -> tuple[Function, ...]:
        """The functions that a message starts, in the order in which they run."""
        return (*self.preparation, self.answer, *self.followers)

    @property
    def output(self) -> int:
        """Index of the answer among the outputs of ``answer``."""
        return self.answer.outputs.index(self.shown.id)

    def settings(self, app: App) -> list[Component]:
        """The inputs that the caller may set: all but message, history and state."""
        ids = dict.fromkeys((*(i for f in self.functions for i in f.inputs), *self.uploads))
        components = (app.components[id_] for id_ in ids if id_ not in (self.box.id, self.shown.id))
        return [each for each in components if each.type not in ("state", "chatbot")]


class _Evidence(NamedTuple):
    """What speaks for an event that sends a message; the first difference decides."""

    is_submitted: bool
    """The event is the submission of the box, not a click on a button."""
    clears_box: bool
    """A message that was sent disappears from the box."""
    has_history: bool
    """A chatbot or a state is read and written."""


class _Candidate(NamedTuple):
    evidence: _Evidence
    chat: Chat

    @property
    def rank(self) -> tuple[_Evidence, bool, int]:
        """Sort key among the candidates for one box; the last is the best."""
        return self.evidence, self.chat.answer.public, -self.chat.functions[0].id

    @property
    def name(self) -> str:
        """The ``api_name`` by which a caller can choose the chat."""
        functions = (self.chat.answer, *reversed(self.chat.preparation), *self.chat.followers)
        names = (repr(each.api_name) for each in functions if each.api_name)
        return next(names, "one without a name")


@lru_cache(64)
def find_chat(app: App, api_name: str = "") -> Chat:
    """The chat of the app.

    Chats that are left out, because less speaks for them, are named in a warning.

    Args:
        app: The app.
        api_name: Name of one of the chat's functions, if there are several chats.

    Raises:
        ConfigurationError: There is no such chat, or there are several with the same evidence;
            the message lists them.
    """
    wanted = api_name.removeprefix("/")
    boxes: dict[int, _Candidate] = {}
    for types in (("chatbot",), TEXTS):
        for found in sorted(_candidates(app, types, wanted), key=lambda each: each.rank):
            boxes[found.chat.box.id] = found
        if boxes:
            return _choose(sorted(boxes.values(), key=lambda each: -each.rank[-1]), app)
    public = (repr(f.api_name) for f in app.functions if f.public and f.api_name)
    what = f"no chat named {wanted!r}" if wanted else "no chat that could be found"
    names = ", ".join(public) or "none"
    raise ConfigurationError(f"the app has {what}; its functions are: {names}")


def _choose(candidates: list[_Candidate], app: App) -> Chat:
    """The chat with the most evidence; a box that is a setting of it starts no chat."""
    best = max(candidates, key=lambda each: each.evidence)
    settings = best.chat.settings(app)
    others = [each for each in candidates if app.components[each.chat.box.id] not in settings]
    equal = [each.name for each in others if each.evidence == best.evidence]
    if len(equal) > 1:
        choice = ", ".join(equal)
        raise ConfigurationError(f"the app has several chats; choose one with api_name=: {choice}")
    left_out = ", ".join(each.name for each in others if each is not best)
    if left_out:
        warnings.warn(
            f"of the chats of the app, {best.name} is used; api_name= chooses another: {left_out}",
            stacklevel=2,
        )
    outputs = (app.components[id_] for id_ in best.chat.answer.outputs)
    chatbots = [repr(f.label or f.name) for f in outputs if f.type == "chatbot"]
    if len(chatbots) > 1:
        warnings.warn(
            f"{best.name} fills {', '.join(chatbots)}; only the answer in the first is read",
            stacklevel=2,
        )
    return best.chat


def _candidates(app: App, types: Sequence[str], wanted: str) -> Iterator[_Candidate]:
    """What may be a chat whose answer appears in a component of one of ``types``."""
    roots = [function for function in app.functions if function.trigger_after is None]
    events = dict.fromkeys(target for root in roots for target in root.targets or [(None, "")])
    for target, event in events:
        if not (wanted or _sends(app, target, event)):
            continue
        started = [root for root in roots if (target, event) in (root.targets or [(None, "")])]
        chain = _chain(app, started)
        if wanted and wanted not in {function.api_name for function in chain}:
            continue
        box = _box(app, target, event, chain)
        answer = _answer(app, chain, types, box, wanted)
        if box is not None and answer is not None:
            outputs = (app.components[id_] for id_ in answer.outputs if id_ != box.id)
            shown = next(each for each in outputs if each.type in types)
            written = {id_ for function in chain for id_ in function.outputs}
            read = {id_ for function in chain for id_ in function.inputs}
            memory = {"chatbot", "state"} & {app.components[id_].type for id_ in read & written}
            evidence = _Evidence(event == "submit", box.id in written, bool(memory))
            yield _Candidate(evidence, _chat(app, chain, box, shown, answer, trigger=target))


def _sends(app: App, target: int | None, event: str) -> bool:
    """Whether a person may send a message by this event.

    Components that the app renders later are targets, too, but are not listed.
    """
    component = app.components.get(-1 if target is None else target)
    if component is None:  # a function for API clients may have no target
        return event == ""
    if event == "submit":
        return component.type in BOXES
    label = str(component.props.get("value")).lower()
    return event == "click" and component.type == "button" and not _NO_MESSAGE.search(label)


def _chain(app: App, roots: Sequence[Function]) -> list[Function]:
    """``roots`` and the server functions that follow them, in order."""
    chain = [*roots]
    for function in chain:
        following = (f for f in app.functions if f.trigger_after == function.id)
        chain += [f for f in following if f not in chain]
    return [function for function in chain if function.backend_fn]


def _box(app: App, target: int | None, event: str, chain: list[Function]) -> Component | None:
    """The message box that the chain reads, if there is one."""
    ids = dict.fromkeys(id_ for function in chain for id_ in function.inputs)
    boxes = [component for component in map(app.components.__getitem__, ids) if _is_box(component)]
    if event == "submit":
        return next((box for box in boxes if box.id == target), None)
    cleared = {id_ for function in chain for id_ in function.outputs}  # a sent message is
    key = lambda box: (BOXES.index(box.type), box.id not in cleared)  # noqa: E731
    return min(boxes, key=key, default=None)


def _is_box(component: Component) -> bool:
    """Whether a message may be written into it: no system prompt, and no password."""
    is_secret = component.props.get("type") == "password"
    is_system = find_setting([component], "system") is not None
    return component.type in BOXES and not is_secret and not is_system


def _answer(
    app: App, chain: list[Function], types: Sequence[str], box: Component | None, wanted: str
) -> Function | None:
    """The function that the caller names, the first that streams an answer, or the last."""
    own = box.id if box is not None else None
    filling = [
        function
        for function in chain
        if any(app.components[id_].type in types and id_ != own for id_ in function.outputs)
    ]
    named = [function for function in filling if wanted and function.api_name == wanted]
    streaming = [function for function in filling if function.generator]
    return next(iter(named or streaming or filling[-1:]), None)


def _chat(
    app: App,
    chain: list[Function],
    box: Component,
    shown: Component,
    answer: Function,
    *,
    trigger: int | None,
) -> Chat:
    chain = _useful(chain, box, shown, answer)
    at = chain.index(answer)
    preparation, followers = chain[:at], chain[at + 1 :]
    filling = [function for function in chain[: at + 1] if shown.id in function.outputs]
    states = {id_ for id_, component in app.components.items() if component.type == "state"}
    memory: set[int] = set()
    written: set[int] = set()
    for function in chain[: at + 1]:
        # a value that an earlier function of the same call wrote is no memory
        memory |= {*function.inputs} & states - written
        written |= {*function.outputs}
    copies = (function for function in followers if function.inputs == (shown.id,))
    seeds = [f for f in copies if memory & {*f.outputs} and states >= {*f.outputs}]
    seeded = {id_ for function in seeds for id_ in function.outputs}
    read = {id_ for function in chain for id_ in function.inputs} - {box.id}
    opening = _chain(app, [f for f in app.functions if "load" in (e for _, e in f.targets)])
    uploading = {
        id_: _that_write(_chain(app, [f for f in app.functions if _is_upload(f, id_)]), read)
        for id_, component in app.components.items()
        if component.type in MEDIA
    }
    return Chat(
        box=box,
        shown=shown,
        loads=_that_write(opening, read),
        uploads={id_: functions for id_, functions in uploading.items() if functions},
        preparation=tuple(preparation),
        answer=answer,
        followers=tuple(followers),
        seeds=tuple(seeds),
        takes_history=all({shown.id, *seeded} & {*f.inputs} for f in filling),
        keeps_state=not memory <= seeded,
        trigger=trigger,
    )


def _is_upload(function: Function, component: int) -> bool:
    return not {(component, "upload"), (component, "change")}.isdisjoint(function.targets)


def _useful(
    chain: Sequence[Function], box: Component, shown: Component, answer: Function
) -> list[Function]:
    """The functions of ``chain`` that do more than change the look of the page."""
    found: list[Function] = []
    for function in chain:
        is_before = answer not in found
        # what only the function itself will read does not matter after the answer
        readers = (f for f in chain if is_before or f is not function)
        read = {id_ for reader in readers for id_ in reader.inputs} - {box.id} | {shown.id}
        takes_message = is_before and box.id in function.inputs
        changes_look = bool(function.outputs) and read.isdisjoint(function.outputs)
        if takes_message or function is answer or not changes_look:
            found.append(function)
    return found


def _that_write(chain: Sequence[Function], read: set[int]) -> tuple[Function, ...]:
    """The functions of ``chain`` that write what ``read`` names, or what a later one reads."""
    found: list[Function] = []
    for function in reversed(chain):
        if not read.isdisjoint(function.outputs):
            found.append(function)
            read = read | {*function.inputs}
    return tuple(reversed(found))
