"""Sessions that a call may continue (docs/protocols/gradio-space.md, sections 2 and 3)."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from langchain_g4f.core.chat_request import AnswerState, ChatRequest, Message, history_digest
from langchain_g4f.errors import ConfigurationError, SessionLostError
from langchain_g4f.providers.gradio_space.app import Component
from langchain_g4f.providers.gradio_space.sessions import (
    Continuation,
    SessionHandle,
    StoredSession,
    put_session,
    route_to,
    take_continuation,
    take_session,
)
from tests.unit.providers.gradio_space.fake_space import APP, FakeSpace

PROVIDER = "gradio_space"
CANARY = "canary-f3a91c77d2"
ELSEWHERE = "https://other.example"
FIRST, SECOND, THIRD = (Message("user", text) for text in "ace")


def handle(turn: int = 1, **more: Any) -> SessionHandle:
    """The handle of the answer to the first message."""
    return replace(SessionHandle(APP, "s", turn, history_digest((FIRST,), "", "")), **more)


def answer(of: SessionHandle | None, state: AnswerState = "whole") -> Message:
    """An answer with that handle."""
    return Message("assistant", "b", (), of.to_json(PROVIDER) if of else None, state)


def stored(turn: int = 1, route: str = "") -> StoredSession:
    """A session between two calls."""
    return StoredSession(turn, 7, {1: Component(1, "chatbot", "", {"value": [CANARY]})}, route)


class Store:
    """The sessions of a model object."""

    def __init__(self, *handles: SessionHandle, **more: Any) -> None:
        self.context = FakeSpace(**more).context
        for each in handles:
            put_session(each, stored(each.turn), self.context)

    def take(
        self, *messages: Message, conversation: object = "auto", **request: Any
    ) -> Continuation | None:
        said = ChatRequest(messages, **request)
        return take_continuation(said, conversation, APP, self.context)


OLDER = handle(session="t")
GO = (FIRST, answer(handle()), SECOND)


@pytest.mark.proves("obligation:gradio-space:6")
@pytest.mark.parametrize(
    ("messages", "given", "taken", "new"),
    [
        (GO, None, handle(), 1),
        (GO, handle(), handle(), 1),
        ((SECOND,), handle(), handle(), 1),  # the app has the history
        ((FIRST, answer(handle()), SECOND, answer(None), THIRD), None, handle(), 3),
        # two apps may answer in one conversation
        ((*GO, answer(handle(server=ELSEWHERE)), THIRD), None, handle(), 3),
        # a given handle counts more than newer answers
        ((FIRST, answer(OLDER), SECOND, answer(handle()), THIRD), OLDER, OLDER, 3),
    ],
)
def test_session_is_taken_once(
    messages: Any, given: SessionHandle | None, taken: SessionHandle, new: int
) -> None:
    """The messages after its answer are new; a second call gets none."""
    store = Store(handle(), OLDER)
    conversation: object = given.to_json(PROVIDER) if given else "auto"
    found = store.take(*messages, conversation=conversation)
    assert found == Continuation(taken, stored(), messages[-new:])
    assert take_session(taken, "", store.context) is None
    assert SessionHandle.from_json(taken.to_json(PROVIDER), PROVIDER) == taken


@pytest.mark.parametrize(
    ("messages", "request_"),
    [
        ((FIRST, answer(handle(), "part"), SECOND), {}),
        ((FIRST, answer(handle(), "restarted"), SECOND), {}),
        ((FIRST, answer(None), SECOND), {}),
        ((FIRST, answer(handle(turn=2)), SECOND), {}),
        ((FIRST, answer(handle(turn=0)), SECOND), {}),  # the session has moved on
        ((FIRST, answer(handle(session="other")), SECOND), {}),
        ((FIRST, answer(handle(server=ELSEWHERE)), SECOND), {}),
        ((Message("user", "A"), answer(handle()), SECOND), {}),
        ((answer(handle()), SECOND), {}),
        (GO, {"system": "x"}),
        (GO, {"model": "x"}),
        ((FIRST, answer(handle())), {}),
        ((SECOND,), {}),
    ],
)
@pytest.mark.proves("obligation:gradio-space:5")
def test_session_is_left_if_the_history_does_not_lead_to_it(
    messages: tuple[Message, ...], request_: dict[str, str]
) -> None:
    """Partial answers, edits, other prompts, other apps, nothing new."""
    store = Store(handle())
    assert store.take(*messages, **request_) is None
    assert store.take(*GO) is not None


def test_session_is_continued_on_the_same_replica() -> None:
    """The app's cookies lead there; those of the Hub do not count."""
    store = Store(cookies={"token": CANARY})
    cookies = store.context.cookies
    assert route_to(APP, store.context) == ""
    cookies.store(f"{APP}/", [f"replica={CANARY}; Path=/"])
    route = route_to(APP, store.context)
    assert route
    assert CANARY not in route
    put_session(handle(), stored(route=route), store.context)
    cookies.store(f"{APP}/", ["replica=2; Path=/"])
    assert store.take(*GO) is None
    cookies.store(f"{APP}/", [f"replica={CANARY}; Path=/"])
    assert store.take(*GO) is not None


@pytest.mark.parametrize("state", ["whole", "part", "restarted"])
def test_lost_session_is_an_error_without_its_history(state: AnswerState) -> None:
    """With it, the history is sent."""
    conversation = handle().to_json(PROVIDER)
    messages = (FIRST, answer(handle(), state), SECOND)
    assert Store().take(*messages, conversation=conversation) is None
    with pytest.raises(SessionLostError, match="send the whole history"):
        Store().take(SECOND, conversation=conversation)


HANDLE = {"provider": PROVIDER, "server": APP, "session": "s", "turn": 1, "digest": "d"}


@pytest.mark.parametrize(
    "conversation",
    [
        {},
        "newest",
        None,
        7,
        HANDLE | {"provider": "huggingchat"},
        {"provider": PROVIDER, "server": APP},
        HANDLE | {"turn": "1"},
        HANDLE | {"session": "../s"},
        HANDLE | {"server": ELSEWHERE},
    ],
)
def test_other_value_is_no_handle_of_this_app(conversation: object) -> None:
    """The error says what is accepted."""
    with pytest.raises(ConfigurationError, match=f"an answer of {APP} or the handle"):
        Store(handle()).take(SECOND, conversation=conversation)


@pytest.mark.proves("obligation:gradio-space:5")
def test_number_of_sessions_is_limited() -> None:
    """The one that was stored first is dropped; no repr shows messages."""
    context = FakeSpace().context
    first, second, *others = (handle(session=f"s{n}") for n in range(1001))
    put_session(first, stored(), context)
    put_session(second, stored(), context)
    assert take_session(first, "", context) == stored()
    for each in (first, *others):
        put_session(each, stored(), context)
    found = [take_session(each, "", context) for each in (second, first, *others)]
    assert found == [None, *[stored()] * 1000]
    assert CANARY not in repr(stored())


@pytest.mark.proves("obligation:gradio-space:6")
def test_one_of_many_threads_gets_a_session() -> None:
    """In every round."""
    context, rounds, threads = FakeSpace().context, 50, 8
    got: list[int] = []
    barrier = threading.Barrier(threads)

    def work(name: int) -> None:
        for number in range(rounds):
            if name == 0:
                put_session(handle(turn=number), stored(number), context)
            barrier.wait(10)
            if take_session(handle(turn=number), "", context):
                got.append(number)
            barrier.wait(10)

    workers = [threading.Thread(target=work, args=(name,)) for name in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert got == list(range(rounds))
