"""Which functions of an app make up a chat (docs/protocols/gradio-space.md, section 8).

There are two kinds. An *interface* is one function of message and state that returns text;
``gr.ChatInterface`` has one for API clients. A *page* is what a click on the send button
does: functions that follow each other, one of which fills a chatbot. Functions with the same
message box belong to one chat. If the app has several boxes, the caller has to choose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from langchain_g4f.errors import ConfigurationError
from langchain_g4f.providers.gradio_space.app import BOXES, App, Component, Function


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat in an app.

    Attributes:
        box: Where the message is written.
        chatbot: Where the answer appears; None if it is the function's first output.
        preparation: Functions that run before the answer, in order.
        answer: The function that answers.
        trigger: Id of the component that starts them.
    """

    box: Component
    chatbot: Component | None
    preparation: tuple[Function, ...]
    answer: Function
    trigger: int | None

    @property
    def functions(self) -> tuple[Function, ...]:
        """All functions, in the order in which they run."""
        return (*self.preparation, self.answer)

    @property
    def output(self) -> int:
        """Index of the answer among the outputs of ``answer``."""
        return 0 if self.chatbot is None else self.answer.outputs.index(self.chatbot.id)

    def keeps_state(self, app: App) -> bool:
        """Whether the app remembers something between two calls."""
        read: set[int] = set()
        written: set[int] = set()
        for function in self.functions:
            # a value that an earlier function of the same call wrote is no memory
            read |= {*function.inputs} - written
            written |= {*function.outputs}
        return any(app.components[id_].type == "state" for id_ in read & written)

    def settings(self, app: App) -> list[Component]:
        """The inputs that the caller may set: all but message, history and state."""
        own = {self.box.id, self.chatbot.id if self.chatbot else None}
        ids = dict.fromkeys(id_ for f in self.functions for id_ in f.inputs if id_ not in own)
        components = (app.components[id_] for id_ in ids)
        return [each for each in components if each.type not in ("state", "chatbot")]


def find_chat(app: App, api_name: str = "") -> Chat:
    """The chat of the app.

    Args:
        app: The app.
        api_name: Name of one of the chat's functions, if there are several chats.

    Raises:
        ConfigurationError: There is no such chat, or more than one; the message lists them.
    """
    wanted = api_name.removeprefix("/")
    chats: dict[int, list[Chat]] = {}  # by message box
    for chat in (*_interfaces(app), *_pages(app)):
        if not wanted or wanted in {f.api_name for f in chat.functions}:
            chats.setdefault(chat.box.id, []).append(chat)
    best = [min(group, key=_rank) for group in chats.values()]
    if len(best) == 1:
        return best[0]
    if best:
        choice = ", ".join(map(_name, best))
        raise ConfigurationError(f"the app has several chats; choose one with api_name=: {choice}")
    public = (repr(f.api_name) for f in app.functions if f.public and f.api_name)
    what = f"no chat named {wanted!r}" if wanted else "no chat that could be found"
    names = ", ".join(public) or "none"
    raise ConfigurationError(f"the app has {what}; its functions are: {names}")


def _name(chat: Chat) -> str:
    """The ``api_name`` by which a caller can choose ``chat``."""
    names = (repr(f.api_name) for f in reversed(chat.functions) if f.api_name)
    return next(names, "one without a name")


def _rank(chat: Chat) -> tuple[bool, bool, bool, int]:
    """Sort key; first comes a chat for API clients, public, with files, oldest."""
    return (
        chat.chatbot is not None,
        not chat.answer.public,
        chat.box.type != BOXES[0],
        chat.functions[0].id,
    )


def _interfaces(app: App) -> Iterator[Chat]:
    for function in app.functions:
        if not (function.public and function.backend_fn and len(function.inputs) > 1):
            continue
        if function.trigger_after is not None or not function.outputs:
            continue
        box, state = (app.components[id_] for id_ in function.inputs[:2])
        outputs = [app.components[id_].type for id_ in function.outputs]
        if outputs[0] == "state" or "chatbot" in outputs:
            continue  # a function of a page may have such inputs, too
        if box.type in BOXES and state.type == "state":
            yield Chat(box, None, (), function, _trigger(function))


def _pages(app: App) -> Iterator[Chat]:
    for root in app.functions:
        if root.trigger_after is not None:
            continue
        chain = _chain(app, root)
        box, answer = _box(app, root, chain), _answer(app, chain)
        if box is None or answer is None:
            continue
        outputs = (app.components[id_] for id_ in answer.outputs)
        chatbot = next(each for each in outputs if each.type == "chatbot")
        before = tuple(chain[: chain.index(answer)])
        yield Chat(box, chatbot, before, answer, _trigger(root))


def _chain(app: App, root: Function) -> list[Function]:
    """``root`` and the server functions that follow it, in order."""
    chain = [root]
    for function in chain:
        following = (f for f in app.functions if f.trigger_after == function.id)
        chain += [f for f in following if f not in chain]
    return [function for function in chain if function.backend_fn]


def _answer(app: App, chain: list[Function]) -> Function | None:
    """The first function that streams into a chatbot, or else the last that fills one."""
    filling = [f for f in chain if any(app.components[i].type == "chatbot" for i in f.outputs)]
    streaming = [function for function in filling if function.generator]
    return next(iter(streaming or filling[-1:]), None)


def _box(app: App, root: Function, chain: list[Function]) -> Component | None:
    """The message box that starts the chain, if there is one."""
    ids = dict.fromkeys(id_ for function in chain for id_ in function.inputs)
    boxes = [app.components[id_] for id_ in ids if app.components[id_].type in BOXES]
    for target, event in root.targets:
        for box in boxes:
            if box.id == target and event == "submit":
                return box
    # components that the app renders later are targets, too, but are not listed
    buttons = {id_ for id_, component in app.components.items() if component.type == "button"}
    if not any(event == "click" and target in buttons for target, event in root.targets):
        return None
    cleared = {id_ for function in chain for id_ in function.outputs}  # a sent message is
    return min(
        boxes,
        key=lambda box: (
            BOXES.index(box.type),
            box.name.startswith("system"),
            box.id not in cleared,
        ),
        default=None,
    )


def _trigger(root: Function) -> int | None:
    return root.targets[0][0] if root.targets else None
