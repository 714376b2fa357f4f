"""SessionStore that may be gone on with (docs/protocols/gradio-space.md, sections 2 and 3)."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from langchain_g4f.core.chat_request import AnswerState, ChatRequest, Message, history_digest
from langchain_g4f.errors import ConfigurationError, SessionLostError
from langchain_g4f.providers.gradio_space import sessions
from langchain_g4f.providers.gradio_space.sessions import (
    Continuation,
    SessionHandle,
    SessionStore,
    StoredSession,
    route_to,
    sessions_of,
    take_continuation,
)
from tests.unit.providers.gradio_space.fake_space import APP, FakeSpace

PROVIDER = "gradio_space"
CANARY = "canary-f3a91c77d2"
FIRST = Message("user", "a")


def handle(turn: int = 1, said: tuple[Message, ...] = (FIRST,), **more: Any) -> SessionHandle:
    """A handle of an answer to what was said."""
    return replace(SessionHandle(APP, "s", turn, history_digest(said, "", "")), **more)


def answer(of: SessionHandle | None, state: AnswerState = "whole", text: str = "b") -> Message:
    """An answer with that handle."""
    return Message("assistant", text, (), of.to_json(PROVIDER) if of else None, state)


def kept(turn: int = 1, route: str = "") -> StoredSession:
    """A session between two calls."""
    return StoredSession(turn, 7, ["shown"], route)


class Memory:
    """What this process remembers, and one way to ask it."""

    def __init__(self, *handles: SessionHandle, **world: Any) -> None:
        self.world = FakeSpace(**world)
        for each in handles:
            sessions_of(self.world.context).put(each, kept(each.turn))

    def take(
        self, *messages: Message, conversation: object = "auto", **chat_request: Any
    ) -> Continuation | None:
        said = ChatRequest(messages, **chat_request)
        return take_continuation(said, conversation, APP, self.world.context)


SECOND = Message("user", "c")


@pytest.mark.parametrize("way", ["auto", "given"])
def test_session_of_the_newest_answer_is_gone_on_with(way: str) -> None:
    """It is taken out of the memory: nobody else gets it."""
    memory = Memory(handle())
    conversation: object = "auto" if way == "auto" else handle().to_json(PROVIDER)
    found = memory.take(FIRST, answer(handle()), SECOND, conversation=conversation)
    assert found == Continuation(handle(), kept(), (SECOND,))
    assert memory.take(FIRST, answer(handle()), SECOND) is None


def test_everything_after_the_answer_is_new() -> None:
    """Answers of others, too."""
    memory = Memory(handle())
    new = (SECOND, answer(None), Message("user", "d"))
    found = memory.take(FIRST, answer(handle()), *new)
    assert found is not None
    assert found.new == new


@pytest.mark.proves("obligation:gradio-space:6")
def test_fork_gets_the_session_once() -> None:
    """The second branch sends the history."""
    memory = Memory(handle())
    for branch, expected in (("x", True), ("y", False)):
        found = memory.take(FIRST, answer(handle()), Message("user", branch))
        assert (found is not None) is expected


@pytest.mark.parametrize(
    ("messages", "chat_request"),
    [
        ((FIRST, answer(handle(), "part"), SECOND), {}),
        ((FIRST, answer(handle(), "restarted"), SECOND), {}),
        ((FIRST, answer(None), SECOND), {}),
        ((FIRST, answer(handle(turn=2)), SECOND), {}),
        ((FIRST, answer(handle(session="other")), SECOND), {}),
        ((FIRST, answer(handle(server="https://other.example")), SECOND), {}),
        ((Message("user", "A"), answer(handle()), SECOND), {}),
        ((answer(handle()), SECOND), {}),
        ((FIRST, answer(handle()), SECOND), {"system": "x"}),
        ((FIRST, answer(handle()), SECOND), {"model": "x"}),
        ((FIRST, answer(handle())), {}),
        ((SECOND,), {}),
    ],
)
@pytest.mark.proves("obligation:gradio-space:5")
def test_session_is_left_where_the_history_does_not_lead_to_it(
    messages: tuple[Message, ...], chat_request: dict[str, str]
) -> None:
    """Parts, edits, other prompts, other apps, nothing new: the history is sent instead."""
    memory = Memory(handle())
    assert memory.take(*messages, **chat_request) is None
    assert memory.take(FIRST, answer(handle()), SECOND) is not None


def test_older_answer_is_looked_for_behind_one_that_does_not_fit() -> None:
    """Two apps may answer in one conversation."""
    memory = Memory(handle())
    other = handle(server="https://other.example")
    found = memory.take(FIRST, answer(handle()), SECOND, answer(other), Message("user", "d"))
    assert found is not None
    assert (found.handle, len(found.new)) == (handle(), 3)


def test_session_that_has_moved_on_is_not_gone_on_with() -> None:
    """It cannot be turned back."""
    memory = Memory(handle(turn=2))
    assert memory.take(FIRST, answer(handle(turn=1)), SECOND) is None


def test_app_with_replicas_is_gone_on_with_on_the_same_one() -> None:
    """Its cookies lead there; those of the Hub do not count."""
    memory = Memory(cookies={"token": CANARY})
    context = memory.world.context
    assert route_to(APP, context) == ""
    context.cookies.store(f"{APP}/", [f"replica={CANARY}; Path=/"])
    route = route_to(APP, context)
    assert route
    assert CANARY not in route
    sessions_of(context).put(handle(), kept(route=route))
    context.cookies.store(f"{APP}/", ["replica=2; Path=/"])
    assert memory.take(FIRST, answer(handle()), SECOND) is None
    context.cookies.store(f"{APP}/", [f"replica={CANARY}; Path=/"])
    assert memory.take(FIRST, answer(handle()), SECOND) is not None


def test_handle_alone_goes_on_without_the_history() -> None:
    """The app has it."""
    memory = Memory(handle())
    found = memory.take(SECOND, conversation=handle().to_json(PROVIDER))
    assert found == Continuation(handle(), kept(), (SECOND,))


def test_handle_that_is_given_wins_over_newer_answers() -> None:
    """And over a digest that no longer fits."""
    older, newer = handle(session="t"), handle()
    memory = Memory(older, newer)
    messages = (FIRST, answer(older), SECOND, answer(newer), Message("user", "d"))
    found = memory.take(*messages, conversation=older.to_json(PROVIDER), system="other")
    assert found is not None
    assert (found.handle, len(found.new)) == (older, 3)


@pytest.mark.parametrize("state", ["whole", "part", "restarted"])
def test_lost_session_whose_history_is_there_is_no_error(state: AnswerState) -> None:
    """The history is sent."""
    messages = (FIRST, answer(handle(), state), SECOND)
    assert Memory().take(*messages, conversation=handle().to_json(PROVIDER)) is None


def test_lost_session_without_its_history_is_an_error() -> None:
    """To begin anew would forget what was said, without a word."""
    with pytest.raises(SessionLostError, match="send the whole history"):
        Memory().take(SECOND, conversation=handle().to_json(PROVIDER))


@pytest.mark.parametrize(
    "conversation",
    [
        {},
        "newest",
        None,
        7,
        {"provider": "huggingchat", "server": APP, "session": "s", "turn": 1, "digest": "d"},
        {"provider": PROVIDER, "server": APP},
        {"provider": PROVIDER, "server": APP, "session": "s", "turn": "1", "digest": "d"},
        handle(server="https://other.example").to_json(PROVIDER),
    ],
)
def test_what_is_no_handle_of_this_app_is_refused(conversation: object) -> None:
    """The error says what is."""
    with pytest.raises(ConfigurationError, match=f"an answer of {APP} or the handle"):
        Memory(handle()).take(SECOND, conversation=conversation)


def test_handle_survives_its_json() -> None:
    """It stands in an answer's metadata."""
    assert SessionHandle.from_json(handle().to_json(PROVIDER), PROVIDER) == handle()


@pytest.mark.proves("obligation:gradio-space:5")
def test_oldest_sessions_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded; one that is used is young again."""
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 2)
    memory = SessionStore()
    a, b, c = (handle(session=name) for name in "abc")
    memory.put(a, kept())
    memory.put(b, kept())
    taken = memory.take(a, "")
    assert taken is not None
    memory.put(a, taken)
    memory.put(c, kept())
    assert memory.take(b, "") is None
    assert (memory.take(a, ""), memory.take(c, "")) == (kept(), kept())


@pytest.mark.proves("obligation:gradio-space:6")
def test_one_of_many_threads_gets_a_session() -> None:
    """However many want it, over and over again."""
    memory, rounds, threads = SessionStore(), 200, 8
    got: list[int] = []
    barrier = threading.Barrier(threads)

    def work(name: int) -> None:
        for number in range(rounds):
            if name == 0:
                memory.put(handle(turn=number), kept(number))
            barrier.wait(10)
            if memory.take(handle(turn=number), ""):
                got.append(number)
            barrier.wait(10)

    workers = [threading.Thread(target=work, args=(name,)) for name in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert got == list(range(rounds))


def test_reprs_do_not_show_what_was_said() -> None:
    """A chatbot's messages are the caller's."""
    assert CANARY not in repr(StoredSession(1, 7, CANARY, ""))


def test_memory_that_holds_something_else_is_a_type_error() -> None:
    """Nobody else uses its name."""
    world = FakeSpace()
    world.context.memory["gradio sessions"] = "?"
    with pytest.raises(TypeError):
        sessions_of(world.context)
