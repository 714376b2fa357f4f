"""An app and a Hub that answer a plan: no driver, no socket, no waiting."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest

from langchain_g4f.auth.cookies import Cookies
from langchain_g4f.core.cache import Cache
from langchain_g4f.core.chat_request import ChatRequest, Message
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.error_mapping import status_error
from langchain_g4f.core.events import Event, Text
from langchain_g4f.core.http import Request
from langchain_g4f.core.limits import Limits
from langchain_g4f.core.locks import KeyedLocks
from langchain_g4f.core.plan import (
    Effect,
    Lock,
    PlanOf,
    Resolve,
    Result,
    Send,
    Sleep,
    Stream,
    StreamEnd,
    Unlock,
)
from langchain_g4f.errors import APIError, G4FError, StreamInterruptedError
from langchain_g4f.providers.gradio_space.config import SpaceConfig
from langchain_g4f.providers.gradio_space.plan import plan
from tests.unit.providers.gradio_space.replies import Reply

APP = "https://app.example"
HUB = "https://hub.example"

T = TypeVar("T")
E = TypeVar("E", bound=G4FError)


Answer = Reply | G4FError
Answers = Answer | Sequence[Answer] | Callable[[Request], Answer]


@dataclass
class FakeSpace:
    """An app and the Hub.

    Attributes:
        table: Answers by path, without the prefix of the API. Of a list, each is given once, and
            the last one again and again. A request for another path fails the test.
        cookies: Cookies of the Hub.
        requests: The requests, in order.
        slept: Seconds of each `Sleep`.
        held: Names of the locks that are held.
        now: Seconds on the monotonic clock.
        wall: Seconds since the epoch.
    """

    table: dict[str, Answers] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    max_retries: int = 2
    limits: Limits = field(default_factory=Limits)
    requests: list[Request] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    now: float = 1000.0
    wall: float = 1_700_000_000.0

    def __post_init__(self) -> None:
        ids = itertools.count(1)
        self.context = CallContext(
            provider="gradio_space",
            limits=self.limits,
            max_retries=self.max_retries,
            cookies=Cookies(HUB, self.cookies),
            locks=KeyedLocks(),
            cache=Cache(lambda: self.now),
            clock=lambda: self.now,
            wall_clock=lambda: self.wall,
            random=random.Random(1),
            new_id=lambda: f"id-{next(ids)}",
        )

    def call(
        self,
        *messages: Message | str,
        config: SpaceConfig | None = None,
        model: str = "",
        system: str = "",
        tools: str = "",
        **options: Any,
    ) -> Generator[Event]:
        """The events of a call, one by one; a text is a message of the user."""
        said = tuple(m if isinstance(m, Message) else Message("user", m) for m in messages)
        chat_request = ChatRequest(said, model, system, options, tools=tools)
        return self.play(plan(chat_request, self.context, config or SpaceConfig(base_url=APP)))

    def ask(self, *messages: Message | str, **more: Any) -> list[Event]:
        """The events of one call."""
        return list(self.call(*messages, **more))

    def fail(self, kind: type[E], *messages: Message | str, **more: Any) -> tuple[list[Event], E]:
        """The events before the error that ends the call, and the error."""
        found: list[Event] = []
        with pytest.raises(kind) as caught:
            found.extend(self.call(*messages, **more))
        return found, caught.value

    def result(self, steps: PlanOf[T]) -> T:
        """The return value of a plan."""
        return self.all_of(steps)[1]

    def all_of(self, steps: PlanOf[T]) -> tuple[list[Event], T]:
        """The events and the return value of a plan."""
        found: list[Event] = []
        playing = self.play(steps)
        while True:
            try:
                found.append(next(playing))
            except StopIteration as stop:
                return found, stop.value

    def play(self, steps: PlanOf[T]) -> Generator[Event, None, T]:
        """Perform the effects of a plan, and yield its events."""
        result: Result = None
        error: G4FError | None = None
        while True:
            try:
                step = steps.send(result) if error is None else steps.throw(error)
            except StopIteration as stop:
                found: T = stop.value
                return found
            result, error = None, None
            try:
                if isinstance(step, Effect):
                    result = yield from self._perform(step)
                else:
                    yield step
            except G4FError as exc:
                error = exc

    def _perform(self, effect: Effect) -> Generator[Event, None, Result]:
        match effect:
            case Send():
                request = effect.make_request()
                return self._answer(request).response(request.url)
            case Stream():
                return (yield from self._stream(effect))
            case Lock():
                assert effect.key not in self.held
                self.held.append(effect.key)
            case Unlock():
                self.held.remove(effect.key)
            case Sleep():
                self.slept.append(effect.seconds)
                self.now += effect.seconds
            case Resolve():
                return ("93.184.216.34",)
            case _:
                raise TypeError(effect)
        return None

    def _answer(self, request: Request) -> Reply:
        self.requests.append(request)
        path = path_of(request)
        assert path in self.table, f"{path} is asked for"
        answer = self.table[path]
        if callable(answer):
            answer = answer(request)
        elif isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, G4FError):
            raise answer
        assert isinstance(answer, Reply)
        self.context.cookies.store(request.url, list(answer.cookies))
        if answer.status >= 300:
            response = answer.response(request.url)
            raise status_error(response, provider="gradio_space", phase=request.phase)
        return answer

    def _stream(self, effect: Stream) -> Generator[Event, None, StreamEnd]:
        request = effect.make_request()
        answer = self._answer(request)
        decoder = effect.make_decoder(answer.head(request.url))
        texts: list[str] = []
        try:
            for event in decoder.feed(answer.body):
                texts += [event.text] if isinstance(event, Text) else []
                yield event
            assert list(decoder.close()) == []
            if not decoder.finished:
                raise StreamInterruptedError("the answer ended before it was complete")
        except APIError as error:
            error.partial_text = "".join(texts)
            if isinstance(error, StreamInterruptedError):
                return StreamEnd(error.partial_text, error)
            raise
        return StreamEnd("".join(texts))

    @property
    def asked(self) -> list[str]:
        """The paths of the requests, in order."""
        return [path_of(request) for request in self.requests]

    def sent(self, path: str) -> list[Any]:
        """The JSON bodies sent to ``path``, in order."""
        bodies = (request.body for request in self.requests if path_of(request) == path)
        return [json.loads(body) for body in bodies if isinstance(body, bytes)]


def path_of(request: Request) -> str:
    """The path of a request, without the prefix of the API."""
    return urlsplit(request.url).path.strip("/").removeprefix("gradio_api/")
