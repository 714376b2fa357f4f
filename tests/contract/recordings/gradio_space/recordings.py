"""The recordings of both lines of Gradio, and models on them.

A recording client leaves out what it is not about: most recordings begin with a description that
is known, some behind the preparation, and few hold what a caller sends who leaves. `Space` answers
that as the app does, and everything else out of the recording.
"""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from langchain_g4f import ChatGradioSpace, ChatMicrosoftPhi4
from tests.contract.recordings.replay import (
    PlayedStream,
    Replayer,
    Routed,
    Transport,
    contains,
    load,
)
from tests.contract.recordings.suite import CASSETTES, CHUNKINGS, WAYS, ask, clients

PHI4, PHI4_ON_6 = "phi4", "phi4/gradio6"
INTERFACE, INTERFACE_ON_5 = "gradio-chatinterface", "gradio-chatinterface/gradio5"
TURN = ["run/predict", "queue/join", "queue/data"]
"""The steps of a turn."""
FUNCTION = 11
"""What the answering function of the recorded Phi-4 is called by."""

by_chunking = pytest.mark.parametrize("chunking", CHUNKINGS)
by_way = pytest.mark.parametrize("way", WAYS)
by_stream = pytest.mark.parametrize("way", ["stream", "astream"])
by_call = pytest.mark.parametrize("way", ["invoke", "ainvoke"])
by_server = pytest.mark.parametrize("server", [PHI4, PHI4_ON_6])


def proves(*names: str) -> pytest.MarkDecorator:
    """The mark of a test that replays these recordings."""
    return pytest.mark.proves(*(f"cassette:{name}" for name in names))


def on_both_lines(*names: str, folders: Sequence[str] = (PHI4, PHI4_ON_6)) -> pytest.MarkDecorator:
    """These recordings of each line, as `recording`, marked."""
    found = [f"{folder}/{name}" for name in names for folder in folders]
    cases = [pytest.param(each, id=each, marks=proves(each)) for each in found]
    return pytest.mark.parametrize("recording", cases)


def play(name: str, chunking: str = "whole", **options: Any) -> Replayer:
    """A replayer of a recording; the recording client left out what the server does not need."""
    return load(CASSETTES / f"{name}.yaml")(chunking=chunking, **{"same": contains} | options)


def whatever(recorded: Any, sent: Any) -> bool:
    """Ids are compared, data is not: for recordings of what our client would put otherwise."""
    return isinstance(recorded, list) or bool(recorded == sent)


def server_of(name: str) -> str:
    """The folder with what the server of a recording says of itself."""
    top, below, *_ = name.split("/")
    return f"{top}/{below}" if below in {"gradio5", "gradio6"} else top


def answering(make: Callable[[httpx.Request], httpx.Response]) -> httpx.MockTransport:
    """A server that is made up."""
    return httpx.MockTransport(make)


def reply(value: object) -> httpx.Response:
    """A JSON answer that can be read as it arrives."""
    stream = PlayedStream(json.dumps(value), "whole")
    return httpx.Response(200, headers={"content-type": "application/json"}, stream=stream)


def saying(value: object) -> httpx.MockTransport:
    """A server that answers with this."""
    return answering(lambda _: reply(value))


class Space(Routed):
    """A recorded server.

    Args:
        name: The recording.
        replayer: Of the recording; without one, only what is made up is answered.
        instead: Who answers a step in place of the recording.

    Attributes:
        asked: Each step that was asked for, in order: its path behind the API's prefix.
        cancelled: What was sent to cancel.
        description: What the server says of itself.
        instead: Who answers a step in place of the recording.
    """

    def __init__(
        self,
        name: str,
        replayer: Replayer | None = None,
        instead: Mapping[str, Transport] | None = None,
    ) -> None:
        super().__init__(self._answers)
        self.server = server_of(name)
        self.replayer = replayer or play(name)
        self.asked: list[str] = []
        self.cancelled: list[Any] = []
        description = play(f"{self.server}/discovery")
        self.host = description.recorded[0].headers["host"]
        self.description = json.loads(description.response(0).read())
        self.instead = dict(instead or {})
        self._made_up: dict[str, Transport] = {
            "config": answering(lambda _: description.response(0)),
            "app_id": saying({"app_id": self.description["app_id"]}),
            "run/predict": answering(self._prepare),
            "cancel": saying({"success": True}),
            "info": saying({}),
        }

    def _answers(self, request: httpx.Request) -> Transport:
        step = request.url.path.removeprefix("/").removeprefix("gradio_api/")
        self.asked.append(step)
        if step == "cancel":
            self.cancelled.append(json.loads(request.content))
        if step in self.instead:
            return self.instead[step]
        if step in self._made_up and not self._is_recorded(step, request):
            return self._made_up[step]
        return self.replayer

    def _is_recorded(self, step: str, request: httpx.Request) -> bool:
        """Whether the recording has this step, of this session and about the same."""
        found = [each for each in self.replayer.recorded if each.path.endswith(f"/{step}")]
        if request.method == "GET":
            return bool(found)
        about = _subject(json.loads(request.content))
        return any(about == _subject(each.json) for each in found)

    def _prepare(self, request: httpx.Request) -> httpx.Response:
        """What the app's preparation answers: the history with the message in it."""
        history, box, _ = json.loads(request.content)["data"]
        parts = self.description["version"].startswith("6")

        def message(content: dict[str, Any] | str) -> dict[str, Any]:
            """A message of the user, as this line shapes it."""
            if parts:
                kind = "text" if isinstance(content, str) else "file"
                shaped: Any = {"text": content} if isinstance(content, str) else content
                content = [{"type": kind, **shaped}]  # type: ignore[assignment]
            return {"role": "user", "metadata": None, "content": content, "options": None}

        shown = [*history, *(message({"file": file}) for file in box["files"])]
        shown += [message(box["text"])] if box["text"] else []
        return reply({"data": [shown, None, None], "is_generating": False})


def _subject(body: Any) -> tuple[str, str]:
    """Session, and message or event."""
    match body:
        case {"session_hash": str(session), "data": [_, {"text": str(text)}, *_]}:
            return session, text
        case _:
            return body["session_hash"], body.get("event_id", "")


class Renamed(Routed):
    """Plays a turn under whatever session.

    Args:
        replayer: Of a recording of one turn.

    Attributes:
        sessions: Of the caller, one for each request.
        bodies: What was sent.
    """

    def __init__(self, replayer: Replayer) -> None:
        super().__init__(self._rename)
        self.sessions: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self._replayer = replayer
        (self._recorded,) = sessions_in(replayer)

    def _rename(self, request: httpx.Request) -> Transport:
        if request.method == "GET":
            self.sessions.append(request.url.params["session_hash"])
            url = request.url.copy_set_param("session_hash", self._recorded)
            renamed = httpx.Request("GET", url)
        else:
            body = json.loads(request.content)
            self.bodies.append(body)
            self.sessions.append(body["session_hash"])
            body = body | {"session_hash": self._recorded}
            renamed = httpx.Request("POST", request.url, json=body)
        return answering(lambda _: self._replayer.handle_request(renamed))


def model_on(space: Space, sessions: Sequence[str] = (), **settings: Any) -> ChatGradioSpace:
    """A model on a recorded server; it gives its sessions these names, or those recorded."""
    kind = ChatMicrosoftPhi4 if space.server.startswith(PHI4) else ChatGradioSpace
    defaults = {"base_url": f"http://{space.host}", "max_retries": 0, **clients(space)}
    model = kind(**defaults | settings)
    name_sessions(model, sessions or sessions_in(space.replayer))
    return model


def sessions_in(replayer: Replayer) -> list[str]:
    """What the sessions of a recording are called, in order."""
    bodies = [each.json for each in replayer.recorded if isinstance(each.json, dict)]
    found = [body["session_hash"] for body in bodies if "session_hash" in body]
    found += [
        each.query["session_hash"] for each in replayer.recorded if each.path.endswith("/data")
    ]
    return list(dict.fromkeys(found))


def name_sessions(model: ChatGradioSpace, sessions: Iterable[str]) -> None:
    """Let the model give its sessions these names; what else it names is free."""
    others = (str(uuid.UUID(int=number)) for number in itertools.count())
    ids = itertools.chain(sessions, others)
    model._state.new_id = lambda: next(ids)


async def converse(model: ChatGradioSpace, way: str, questions: Sequence[Any]) -> list[BaseMessage]:
    """Ask one question after the other, each with all that was said before it."""
    history: list[BaseMessage] = []
    for question in questions:
        history.append(HumanMessage(question))
        history.append(await ask(model, history, way))
    return history


def answers(history: Sequence[BaseMessage]) -> list[AIMessage]:
    """The answers of a dialogue."""
    return [message for message in history if isinstance(message, AIMessage)]


def played(replayer: Replayer) -> list[int]:
    """Which interactions were played, in order."""
    return [request.interaction for request in replayer.requests]


def assert_as_recorded(replayer: Replayer, *, exactly: bool = True) -> None:
    """Nothing was asked that the recording does not hold, and bodies are what they were.

    Args:
        replayer: Of the recording.
        exactly: Whether nothing was sent beyond what was recorded.
    """
    assert not replayer.refused
    for request in replayer.requests:
        recorded = replayer.recorded[request.interaction]
        assert contains(recorded.json, request.json)
        assert request.json == recorded.json or not exactly
        assert request.fields == recorded.fields
        assert request.files == recorded.files
        if "referer" in recorded.headers:
            assert request.headers["referer"] == recorded.headers["referer"]
