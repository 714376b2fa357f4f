"""Which functions of an app make up a chat (docs/protocols/gradio-space.md, section 8).

Two kinds are known. An *interface* is one function of message and state that answers
with text; ``gr.ChatInterface`` offers it beside its page. A *page* is what a click on
its button does: functions that follow each other, one of which fills a chatbot. What
belongs to the same message box is the same chat; several boxes are for the caller to
choose from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from langchain_g4f.errors import ConfigurationError
from langchain_g4f.providers.gradio_space.app import BOXES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_g4f.providers.gradio_space.app import App, Component, Function


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat in an app.

    Attributes:
        box: Where the message is written.
        chatbot: Where the answer appears; None where it is the function's first output.
        preparation: What runs before the answer, in order.
        answer: What answers.
        trigger: Id of the component that starts it all.
    """

    box: Component
    chatbot: Component | None
    preparation: tuple[Function, ...]
    answer: Function
    trigger: int | None

    @property
    def functions(self) -> tuple[Function, ...]:
        """All that run, in order."""
        return (*self.preparation, self.answer)

    @property
    def output(self) -> int:
        """Which of the answer's outputs is the answer."""
        return 0 if self.chatbot is None else self.answer.outputs.index(self.chatbot.id)

    def keeps_state(self, app: App) -> bool:
        """Whether the app remembers something between two calls."""
        read: set[int] = set()
        written: set[int] = set()
        for function in self.functions:
            # what an earlier function of this very call has written is no memory
            read |= {*function.inputs} - written
            written |= {*function.outputs}
        return any(app.components[id_].type == "state" for id_ in read & written)

    def extras(self, app: App) -> list[Component]:
        """The inputs besides message, history and state: what the caller may set."""
        known = {self.box.id, self.chatbot.id if self.chatbot else None}
        found: dict[int, Component] = {}
        for function in self.functions:
            for id_ in function.inputs:
                component = app.components[id_]
                if id_ not in known and component.type not in ("state", "chatbot"):
                    found[id_] = component
        return list(found.values())


def find_chat(app: App, api_name: str = "") -> Chat:
    """The chat of the app.

    Args:
        app: The app.
        api_name: Name of one of its functions, where there are several chats.

    Raises:
        ConfigurationError: There is none, or more than one; what there is is listed.
    """
    wanted = api_name.removeprefix("/")
    found = [*_interfaces(app), *_pages(app)]
    if wanted:
        found = [chat for chat in found if wanted in {f.name for f in chat.functions}]
    boxes = dict.fromkeys(chat.box.id for chat in found)
    if len(boxes) == 1:
        return min(found, key=_rank)
    if boxes:
        choice = ", ".join(_name(min(_of(box, found), key=_rank)) for box in boxes)
        msg = f"the app has several chats; choose one with api_name=: {choice}"
    else:
        names = ", ".join(repr(f.name) for f in app.functions if f.public and f.name) or "none"
        what = f"no chat named {wanted!r}" if wanted else "no chat that could be found"
        msg = f"the app has {what}; its functions are: {names}"
    raise ConfigurationError(msg)


def _name(chat: Chat) -> str:
    """What ``chat`` can be chosen by, for people."""
    names = filter(None, (function.name for function in reversed(chat.functions)))
    return next(map(repr, names), "one without a name")


def _of(box: int, chats: list[Chat]) -> Iterator[Chat]:
    return (chat for chat in chats if chat.box.id == box)


def _rank(chat: Chat) -> tuple[bool, bool, bool, int]:
    """The best first: made for callers, public, takes files, oldest."""
    return (
        chat.chatbot is not None,
        not chat.answer.public,
        chat.box.type != BOXES[0],
        chat.functions[0].id,
    )


def _interfaces(app: App) -> Iterator[Chat]:
    for function in app.functions:
        if not (function.public and function.on_server and len(function.inputs) > 1):
            continue
        if function.after is not None or not function.outputs:
            continue
        box, state = (app.components[id_] for id_ in function.inputs[:2])
        outputs = [app.components[id_].type for id_ in function.outputs]
        if outputs[0] == "state" or "chatbot" in outputs:
            continue  # a page's function may begin with such inputs, too
        if box.type in BOXES and state.type == "state":
            yield Chat(box, None, (), function, _trigger(function))


def _pages(app: App) -> Iterator[Chat]:
    for root in app.functions:
        if root.after is not None:
            continue
        chain = _chain(app, root)
        box = _box(app, root, chain)
        answer = _answer(app, chain)
        if box is None or answer is None:
            continue
        chatbots = [app.components[id_] for id_ in answer.outputs]
        chatbot = next(found for found in chatbots if found.type == "chatbot")
        before = tuple(chain[: chain.index(answer)])
        yield Chat(box, chatbot, before, answer, _trigger(root))


def _chain(app: App, root: Function) -> list[Function]:
    """``root`` and what follows it, in order; scripts of the browser are left out."""
    found = [root]
    for function in found:
        found += [f for f in app.functions if f.after == function.id and f not in found]
    return [function for function in found if function.on_server]


def _answer(app: App, chain: list[Function]) -> Function | None:
    """The first function that streams into a chatbot, or the last that fills one."""
    filling = [
        function
        for function in chain
        if any(app.components[id_].type == "chatbot" for id_ in function.outputs)
    ]
    streaming = [function for function in filling if function.streams]
    return next(iter(streaming or filling[-1:]), None)


def _box(app: App, root: Function, chain: list[Function]) -> Component | None:
    """The message box that starts the chain, if one does."""
    taken = dict.fromkeys(id_ for function in chain for id_ in function.inputs)
    boxes = [app.components[id_] for id_ in taken if app.components[id_].type in BOXES]
    for target, event in root.targets:
        found = [box for box in boxes if box.id == target and event == "submit"]
        if found:
            return found[0]
    # a target need not be listed: what an app renders later is not
    buttons = {id_ for id_, component in app.components.items() if component.type == "button"}
    clicked = any(event == "click" and target in buttons for target, event in root.targets)
    if not clicked:
        return None
    written = {id_ for function in chain for id_ in function.outputs}  # a message box is cleared
    order = [
        (BOXES.index(box.type), box.name.startswith("system"), box.id not in written, at)
        for at, box in enumerate(boxes)
    ]
    return boxes[min(order)[-1]] if boxes else None


def _trigger(root: Function) -> int | None:
    return root.targets[0][0] if root.targets else None


__all__ = ["Chat", "find_chat"]
