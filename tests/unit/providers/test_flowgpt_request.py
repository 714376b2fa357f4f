"""FlowGPT's request, and how a call ends (docs/protocols/flowgpt.md, sections 3 to 5 and 7)."""

from __future__ import annotations

import itertools
import json
import random
import uuid
from dataclasses import replace
from typing import Any

import pytest

from langchain_g4f import errors
from langchain_g4f.core.chat_request import ChatRequest, Media, Message, RemoteMedia
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.http import Request, RetryWhen
from langchain_g4f.core.plan import Plan, Stream, StreamEnd
from langchain_g4f.providers.flowgpt import FlowGPT, plan, sign
from langchain_g4f.text.transcript import GO_ON
from tests.contract.recordings.flowgpt.marks import obligations
from tests.unit.run.service import FakeService

NOW_S = 1713341603
NONCE = "0123456789abcdef0123456789abcdef"
TOKEN = "member-token"
SERVICE = FlowGPT(
    base_url="http://service.example",
    device_id="f-abcdefghij012345678",
    greeting="Hello!",
    default_system="Be helpful.",
)
MEMBER = replace(SERVICE, api_key=TOKEN)


def context(**given: Any) -> CallContext:
    """A context with the clock and the nonce of section 4."""
    defaults: dict[str, Any] = {"wall_clock": lambda: NOW_S + 0.9, "new_id": lambda: NONCE}
    return replace(FakeService().context(), provider="flowgpt", **defaults | given)


def started(
    chat_request: ChatRequest, service: FlowGPT = SERVICE, shared: CallContext | None = None
) -> tuple[Plan, Stream]:
    """A plan and its first effect."""
    steps = plan(chat_request, shared or context(), service)
    effect = next(steps)
    assert isinstance(effect, Stream)
    return steps, effect


def asking(*messages: Message | str, **more: Any) -> ChatRequest:
    """A request with these messages; a text is a message of the user."""
    said = (m if isinstance(m, Message) else Message("user", m) for m in messages)
    return ChatRequest(tuple(said), "gpt-3.5-turbo", **more)


def request_of(
    chat_request: ChatRequest, service: FlowGPT = SERVICE, shared: CallContext | None = None
) -> Request:
    """The HTTP request of a call."""
    return started(chat_request, service, shared)[1].make_request()


def body_of(chat_request: ChatRequest, service: FlowGPT = SERVICE) -> dict[str, Any]:
    """The JSON body of a call."""
    sent = request_of(chat_request, service).body
    assert isinstance(sent, bytes)
    body: dict[str, Any] = json.loads(sent)
    return body


@obligations(1, 2, 9)
@pytest.mark.parametrize(
    ("service", "path", "authorization", "signature"),
    [
        (SERVICE, "chat-anonymous", "Bearer null", "2d067f6fb396f263d5cd8f86783da105"),
        (MEMBER, "chat", "Bearer member-token", "08f7199114cab47675a3358ea3d12ae3"),
    ],
)
def test_request_is_signed_with_what_it_sends(
    service: FlowGPT, path: str, authorization: str, signature: str
) -> None:
    """The signatures are the worked vectors of section 4."""
    assert sign(str(NOW_S), NONCE, authorization) == signature
    request = request_of(asking("hi"), service)
    assert (request.method, request.url) == ("POST", f"http://service.example/v3/{path}")
    assert request.headers == {
        "accept": "*/*",
        "authorization": authorization,
        "content-type": "application/json",
        "origin": "https://flowgpt.com",
        "referer": "https://flowgpt.com/",
        "x-flow-device-id": "f-abcdefghij012345678",
        "x-nonce": NONCE,
        "x-signature": signature,
        "x-timestamp": "1713341603",
    }
    assert (request.retry, request.phase) == (RetryWhen.NOT_SENT, "send the message")
    assert TOKEN not in f"{service!r} {request!r}"


@obligations(1, 3)
def test_each_attempt_has_its_own_nonce_and_time() -> None:
    """The nonce does not come from the random numbers, which repeat in a forked process."""
    ids, times = (uuid.UUID(int=n) for n in itertools.count(10)), itertools.count(NOW_S)
    shared = context(new_id=lambda: str(next(ids)), wall_clock=lambda: float(next(times)))
    _, effect = started(asking("hi"), shared=shared)
    attempts = [effect.make_request() for _ in range(3)]
    assert [a.headers["x-nonce"] for a in attempts] == [f"{n:032x}" for n in (10, 11, 12)]
    assert [int(a.headers["x-timestamp"]) - NOW_S for a in attempts] == [0, 1, 2]
    assert len({a.headers["x-signature"] for a in attempts}) == 3
    assert len({(a.body, a.headers["x-flow-device-id"]) for a in attempts}) == 1
    forks = [context(random=random.Random(1), new_id=lambda: str(uuid.uuid4())) for _ in range(2)]
    assert len({request_of(asking("hi"), shared=each).headers["x-nonce"] for each in forks}) == 2


def test_call_ends_with_its_only_answer() -> None:
    """One that was cut is an error, and is not requested again."""
    steps, _ = started(asking("hi"))
    with pytest.raises(StopIteration):
        steps.send(StreamEnd("all of it"))
    cut = errors.StreamInterruptedError("cut")
    steps, _ = started(asking("hi"))
    with pytest.raises(errors.StreamInterruptedError) as caught:
        steps.send(StreamEnd("so far", cut))
    assert caught.value is cut


@obligations(6)
@pytest.mark.parametrize(
    ("service", "advice"),
    [(SERVICE, "anonymous use may be closed"), (MEMBER, "the token may have expired")],
)
@pytest.mark.parametrize("kind", [errors.AuthenticationError, errors.PermissionDeniedError])
def test_refusal_names_its_possible_causes(
    kind: type[errors.APIStatusError], service: FlowGPT, advice: str
) -> None:
    """The service does not tell a wrong clock from a missing login."""
    steps, _ = started(asking("hi"), service)
    with pytest.raises(kind) as caught:
        steps.throw(kind("no", status_code=401, body="no"))
    login = "https://flowgpt.com" if kind is errors.AuthenticationError else None
    hint = f". Run `langchain-g4f login flowgpt --token` with a member's token. Login page: {login}"
    assert str(caught.value) == (
        f"no; {advice}, or this machine's clock is wrong: requests are signed with it"
        + (hint if login else "")
    )
    assert getattr(caught.value, "login_url", None) == login
    assert (caught.value.status_code, caught.value.body) == (401, "no")
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "error",
    [
        errors.ChallengeError("challenge", status_code=403),
        errors.RateLimitError("slowly", status_code=429),
        errors.APIConnectionError("no way"),
    ],
)
def test_other_failures_are_passed_on(error: errors.APIError) -> None:
    """Unchanged."""
    steps, _ = started(asking("hi"))
    said = str(error)
    with pytest.raises(type(error)) as caught:
        steps.throw(error)
    assert (caught.value, str(error)) == (error, said)


# --- the body ------------------------------------------------------------------------------------

GREETED = {"role": "assistant", "content": "Hello!"}


@obligations(9)
def test_body_has_the_fields_of_the_document() -> None:
    """In the order of the recordings."""
    found = body_of(asking("hi", options={"temperature": 0.25}))
    assert list(found.items()) == [
        ("model", "gpt-3.5-turbo"),
        ("nsfw", False),
        ("question", "hi"),
        ("history", [GREETED]),
        ("system", "Be helpful."),
        ("temperature", 0.25),
        ("promptId", "model-gpt-3.5-turbo"),
        ("documentIds", []),
        ("chatFileDocumentIds", []),
        ("generateImage", False),
        ("generateAudio", False),
    ]


def user(text: str) -> dict[str, str]:
    """A message of the user in the history."""
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    """An answer in the history."""
    return {"role": "assistant", "content": text}


ANSWER = Message("assistant", "4")
MAPPED: list[Any] = [
    pytest.param(["a", ANSWER, "b"], [user("a"), assistant("4")], "b", id="multi-turn"),
    pytest.param(["a", "b"], [], "a\nb", id="two questions"),
    pytest.param(
        ["a", ANSWER, Message("tool", "r1"), Message("tool", "r2")],
        [user("a"), assistant("4")],
        "r1\nr2",
        id="tool results last",
    ),
    pytest.param(
        ["a", ANSWER, Message("tool", "r"), "b"],
        [user("a"), assistant("4")],
        "r\nb",
        id="tool result and question last",
    ),
    pytest.param(
        ["a", ANSWER, Message("tool", "r"), ANSWER, "b"],
        [user("a"), assistant("4"), user("r"), assistant("4")],
        "b",
        id="tool result in the history",
    ),
    pytest.param(["a", ANSWER], [user("a"), assistant("4")], GO_ON, id="answer last"),
    pytest.param(["a", ANSWER, ANSWER], [user("a"), *[assistant("4")] * 2], GO_ON, id="answers"),
    pytest.param(["a", ANSWER, ""], [user("a"), assistant("4")], GO_ON, id="nothing said"),
    pytest.param([Message("user", "b", note="You must.")], [], "b\nYou must.", id="note"),
    pytest.param(
        ["a", Message("assistant", "4", note="You must.")],
        [user("a"), assistant("4")],
        f"{GO_ON}\nYou must.",
        id="note of an answer",
    ),
    pytest.param(["zażółć 😃\u2028"], [], "zażółć 😃\u2028", id="unicode"),
]


@pytest.mark.proves("fault:51:FG")
@pytest.mark.parametrize(("messages", "history", "question"), MAPPED)
def test_what_was_not_answered_is_the_question(
    messages: list[Message | str], history: list[Any], question: str
) -> None:
    """The messages after the last answer, and the note; the others are history."""
    found = body_of(asking(*messages))
    assert (found["history"], found["question"]) == ([GREETED, *history], question)


@obligations(9)
@pytest.mark.parametrize(
    ("said", "default", "tools", "sent"),
    [
        ((), "Be helpful.", "", "Be helpful."),
        ((), "", "", ""),
        (("Be brief.",), "Be helpful.", "", "Be brief."),
        (("Be brief.", "Be\n\nkind."), "", "", "Be brief.\nBe\n\nkind."),
        ((), "Be helpful.", "# Tools", "Be helpful.\n\n# Tools"),
        (("Be kind.",), "Be helpful.", "# Tools", "Be kind.\n\n# Tools"),
    ],
)
def test_system_messages_replace_the_default(
    said: tuple[str, ...], default: str, tools: str, sent: str
) -> None:
    """As lines; the tools follow. The greeting may be left out."""
    request = asking("a", system="\n\n".join(said), system_messages=said, tools=tools)
    found = body_of(request, replace(SERVICE, default_system=default, greeting=""))
    assert (found["system"], found["history"], found["question"]) == (sent, [], "a")


@pytest.mark.parametrize(("given", "sent"), [(None, 0.7), (0, 0), (1.5, 1.5), (-1, -1)])
def test_temperature_is_the_callers_or_what_clients_send(given: object, sent: float) -> None:
    """The service decides about its range."""
    assert body_of(asking("a", options={"temperature": given}))["temperature"] == sent


@pytest.mark.parametrize("given", ["0.5", True, float("nan"), float("inf"), [0.5]])
def test_temperature_that_is_no_number_is_refused(given: object) -> None:
    """Before anything is sent."""
    with pytest.raises(errors.ConfigurationError, match="temperature: expected a number"):
        started(asking("a", options={"temperature": given}))


@pytest.mark.proves("fault:49:FG")
@pytest.mark.parametrize(
    "media", [Media(b"\x89PNG", "image/png", "a.png"), RemoteMedia("https://example.org/a.png")]
)
@pytest.mark.parametrize("place", [0, 2])
def test_image_is_refused_wherever_it_is(media: Media | RemoteMedia, place: int) -> None:
    """Before anything is sent or fetched."""
    messages = [Message("user", "a"), ANSWER, Message("user", "b")]
    messages[place] = replace(messages[place], media=(media,))
    with pytest.raises(errors.UnsupportedMediaError, match="takes text only"):
        started(asking(*messages))
