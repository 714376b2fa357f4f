"""`FlowGptSandbox`: the recorded answers, and what it refuses that the client never sends.

How it answers a well-behaved client is shown by `tests/contract/sandbox/flowgpt`.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from langchain_g4f import ChatFlowGpt
from langchain_g4f.testing import FlowGptSandbox, Prompt, Reply
from langchain_g4f.testing.flowgpt.sandbox import MODELS
from tests.unit.testing.recordings import load, scenarios

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW_S = 1713341603.0
BODY: dict[str, Any] = {
    "model": "gpt-3.5-turbo",
    "nsfw": False,
    "question": "hi",
    "history": [],
    "system": "",
    "temperature": 0.7,
    "promptId": "model-gpt-3.5-turbo",
    "documentIds": [],
    "generateImage": False,
    "generateAudio": False,
}

RAW = "a script cannot choose the bytes of an answer"
NOT_REPLAYED = {
    "flowgpt/bad_json_line": RAW,
    "flowgpt/image_event_unconfirmed": RAW,
    "flowgpt/midstream_truncated": RAW,
    "flowgpt/unknown_events": RAW,
    "flowgpt/waf_challenge": "no protection stands before the sandbox",
    "flowgpt/legacy_v2_unsigned": "the sandbox has only the endpoints that the client calls",
}
REPLAYED = [name for name in scenarios("flowgpt") if name not in NOT_REPLAYED]
SAID = {
    "[[credit]]": Reply(tokens=["Insufficient credit"]),
    "[[429]]": Reply(error=(429, "forced by the prompt")),
    "[[error]]": Reply(tokens=["Partial "], error=(None, "The model is overloaded"), error_after=1),
    "[[unicode]]": Reply(tokens=["Seg", "ún ", "日本 ", "😃"]),
    "[[empty]]": Reply(),
}


def recorded_script(prompt: Prompt) -> Reply:
    """The model of the recorded server."""
    for mark, reply in SAID.items():
        if mark in prompt.text:
            return reply
    about = f"(model {prompt.model}, turn {prompt.turn}, system: {prompt.system})"
    return Reply(tokens=re.findall(r"\S+\s*", f"You asked: {prompt.text} {about}"))


def client(sandbox: FlowGptSandbox) -> httpx.Client:
    """A client without the environment's proxies; there is no TLS, and its set-up is slow."""
    return httpx.Client(base_url=sandbox.base_url, trust_env=False, verify=False)  # noqa: S501


def signed(
    authorization: str = "Bearer null", *, at_s: float = NOW_S, nonce: str = "", **more: str
) -> dict[str, str]:
    """The headers of a request, signed as the document says."""
    timestamp, nonce = str(int(at_s)), nonce or uuid.uuid4().hex
    text = f"{timestamp}-{nonce}-{authorization}"
    return {
        "authorization": authorization,
        "x-flow-device-id": "f-abcdefghij012345678",
        "x-timestamp": timestamp,
        "x-nonce": nonce,
        "x-signature": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


def post(
    sandbox: FlowGptSandbox,
    headers: dict[str, str] | None = None,
    path: str = "/v3/chat-anonymous",
    **fields: Any,
) -> httpx.Response:
    """Ask, and read the whole answer."""
    with client(sandbox) as http:
        return http.post(path, json=BODY | fields, headers=headers or signed())


def refusal(response: httpx.Response) -> tuple[int, str]:
    """Status and error of a refusal."""
    body = response.json()
    assert (list(body), body["statusCode"]) == (
        ["statusCode", "error", "message"],
        response.status_code,
    )
    return response.status_code, body["error"]


@pytest.fixture
def sandbox() -> Iterator[FlowGptSandbox]:
    """A server whose clock stands still."""
    with FlowGptSandbox(clock=lambda: NOW_S) as sandbox:
        yield sandbox


def test_every_recording_is_replayed_or_listed() -> None:
    """Every reason belongs to a recording; the models are those of the client."""
    assert NOT_REPLAYED.keys() < set(scenarios("flowgpt"))
    assert len(REPLAYED) == 14
    assert ChatFlowGpt.models == MODELS


@pytest.mark.parametrize("scenario", REPLAYED)
def test_sandbox_answers_as_the_recorded_server_did(scenario: str) -> None:
    """To the recorded requests, whose signatures it takes or refuses as that one did."""
    with (
        FlowGptSandbox(recorded_script, retry_after_s=2, clock=lambda: NOW_S) as sandbox,
        client(sandbox) as http,
    ):
        sandbox.login("member")
        for interaction in load(scenario):
            request, recorded = interaction["request"], interaction["response"]
            kept = {n: v[0] for n, v in request["headers"].items() if n != "host"}
            path = httpx.URL(request["uri"]).path
            response = http.post(path, content=request["body"].encode(), headers=kept)
            assert response.status_code == recorded["status"]["code"]
            for name in ("content-type", "retry-after"):
                assert [response.headers.get(name)] == recorded["headers"].get(name, [None])
            # Every error of a scripted model has the same name.
            assert response.text == recorded["body"]["string"].replace("forced_429", "model_error")


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        *((signed() | {name: ""}, (401, "missing_header")) for name in signed()),
        (signed(x_timestamp="now"), (401, "stale_timestamp")),
        (signed(x_timestamp=f"{NOW_S}"), (401, "stale_timestamp")),
        (signed(x_timestamp="1" * 5000), (401, "stale_timestamp")),
        (signed(at_s=NOW_S - 301), (401, "stale_timestamp")),
        (signed(at_s=NOW_S + 301), (401, "stale_timestamp")),
        (signed(nonce="0" * 31), (401, "bad_nonce")),
        (signed(nonce="A" * 32), (401, "bad_nonce")),
        (signed(x_signature="0" * 32), (403, "bad_signature")),
        (signed("Bearer x") | {"authorization": "Bearer null"}, (403, "bad_signature")),
        (signed(x_timestamp=str(int(NOW_S) + 1)), (403, "bad_signature")),
    ],
)
def test_request_without_a_good_signature_is_refused(
    sandbox: FlowGptSandbox, headers: dict[str, str], refused: tuple[int, str]
) -> None:
    """The model is not asked; 401 is for missing or stale fields, 403 for wrong ones."""
    assert refusal(post(sandbox, headers)) == refused
    assert not sandbox.prompts


def test_nonce_is_taken_once_and_remembered_for_ten_minutes() -> None:
    """A request that was refused for another reason does not use it up; clocks may differ."""
    now_s, nonce = NOW_S, "0" * 32
    with FlowGptSandbox(clock=lambda: now_s) as sandbox:
        assert post(sandbox, signed(nonce=nonce, x_signature="1")).status_code == 403
        assert post(sandbox, signed(nonce=nonce, at_s=NOW_S + 300)).status_code == 200
        for later_s in (0.0, 600.0):
            now_s = NOW_S + later_s
            headers = signed(nonce=nonce, at_s=now_s)
            assert refusal(post(sandbox, headers)) == (403, "nonce_reused")
        now_s = NOW_S + 601
        assert post(sandbox, signed(nonce=nonce, at_s=now_s - 300)).status_code == 200


def test_members_have_a_path_of_their_own(sandbox: FlowGptSandbox) -> None:
    """It takes the token of a signed-in member only."""
    member = f"Bearer {sandbox.login('ada')}"
    assert post(sandbox, signed(member), "/v3/chat").status_code == 200
    sandbox.expire_tokens()
    for authorization in ("Bearer null", "Bearer eve-token", member):
        response = post(sandbox, signed(authorization), "/v3/chat")
        assert refusal(response) == (401, "login_required")


def test_other_addresses_and_methods_are_refused(sandbox: FlowGptSandbox) -> None:
    """The error body is the same."""
    for path in ("/", "/v3/chat/", "/v2/chat-anonymous", "/v3/models"):
        assert refusal(post(sandbox, path=path)) == (404, "not_found")
    with client(sandbox) as http:
        assert refusal(http.get("/v3/chat")) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, None) for name in BODY),
        ("nsfw", "no"),
        ("question", ["hi"]),
        ("history", {}),
        ("history", ["hi"]),
        ("history", [{"role": "system", "content": "hi"}]),
        ("history", [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]),
        ("temperature", "0.7"),
        ("temperature", True),
    ],
)
def test_field_of_the_wrong_type_is_refused_by_name(
    sandbox: FlowGptSandbox, name: str, value: Any
) -> None:
    """The service takes text only, in two roles."""
    response = post(sandbox, **{name: value})
    assert refusal(response) == (400, "bad_request")
    assert response.json()["message"] == f"{name} is missing or of the wrong type"


def test_body_that_is_no_object_and_unknown_model_are_refused() -> None:
    """As is a body that is not declared as JSON."""
    with FlowGptSandbox(models=["a"], clock=lambda: NOW_S) as sandbox, client(sandbox) as http:
        assert refusal(post(sandbox)) == (400, "bad_request")
        assert post(sandbox, model="a").status_code == 200
        for content, kind in ((b"[]", "application/json"), (b"{}", "text/plain")):
            headers = signed() | {"content-type": kind}
            response = http.post("/v3/chat-anonymous", content=content, headers=headers)
            assert response.json()["message"] == "the body is no JSON object"


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (Reply(tokens="ab", error=(500, "no"), error_after=1), ["a", "no"]),
        (Reply(tokens="ab", error=(500, "no"), error_after=9), ["a", "b", "no"]),
        (Reply(tokens="ab", error=(None, "no")), ["no"]),
        (Reply(tokens=["\ud83d"]), ["\ud83d"]),
        (Reply(tokens=(str(1 // n) for n in (1, 0))), None),
    ],
)
def test_errors_and_odd_characters_are_events(reply: Reply, answer: list[str] | None) -> None:
    """A script that raises is reported; half a character is sent as its escape."""
    with FlowGptSandbox(reply=reply, clock=lambda: NOW_S) as sandbox:
        lines = [
            httpx.Response(200, text=line) for line in post(sandbox).text.split("\n\n") if line
        ]
    said = [line.json()["data"] for line in lines]
    assert said == (answer or ["1", said[-1]])
    assert answer or said[-1].startswith("the script failed: ZeroDivisionError")


def test_script_that_raises_at_once_and_rate_limits_are_refusals() -> None:
    """A 429 says when to come back if the operator wants it to."""

    def script(prompt: Prompt) -> Reply:
        if prompt.text == "raise":
            raise LookupError("good")
        return Reply(error=(int(prompt.text), "no"))

    with FlowGptSandbox(script, retry_after_s=0.5, clock=lambda: NOW_S) as sandbox:
        assert refusal(post(sandbox, question="raise")) == (500, "model_error")
        assert post(sandbox, question="429").headers["retry-after"] == "0.5"
        assert "retry-after" not in post(sandbox, question="503").headers
