"""`FlowGptSandbox`: who may ask, what is asked, and how it is answered."""

from __future__ import annotations

import asyncio
import builtins
import json
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from langchain_g4f.chat_models.flowgpt import ChatFlowGpt
from langchain_g4f.errors import MissingDependencyError
from langchain_g4f.testing import FlowGptSandbox, Prompt
from langchain_g4f.testing.flowgpt.sandbox import MODELS
from tests.unit.testing.flowgpt_caller import (
    BODY,
    NOW_S,
    client,
    events,
    post,
    refusal,
    signed,
)


@pytest.fixture
def sandbox() -> Iterator[FlowGptSandbox]:
    """A server whose clock stands still."""
    with FlowGptSandbox(clock=lambda: NOW_S) as sandbox:
        yield sandbox


# -- starting and stopping -------------------------------------------------------


@pytest.mark.proves("promise:sandbox-context-manager")
def test_starting_and_stopping_are_quick_and_leave_no_thread() -> None:
    """Both take a fraction of a second, also with an answer hanging."""
    before = threading.active_count()
    sandbox = FlowGptSandbox(clock=lambda: NOW_S)
    begun_s = time.monotonic()
    with sandbox:
        assert time.monotonic() - begun_s < 0.5
        body = BODY | {"question": "wait [[hang:1]]"}
        with (
            client(sandbox) as http,
            http.stream("POST", "/v3/chat-anonymous", json=body, headers=signed()) as response,
        ):
            arriving = response.iter_bytes()
            next(arriving)
            assert sandbox.busy
            begun_s = time.monotonic()
            sandbox.stop()
            assert time.monotonic() - begun_s < 1
            with pytest.raises(httpx.RemoteProtocolError):
                list(arriving)
        sandbox.wait_until(lambda: not sandbox.busy)
    assert threading.active_count() == before


async def test_sandbox_is_an_async_context_manager_and_outlived_by_what_it_holds() -> None:
    """Requests and prompts can be looked at afterwards; sandboxes share nothing."""
    async with FlowGptSandbox(reply="one", clock=lambda: NOW_S) as one, FlowGptSandbox() as two:
        response = await asyncio.to_thread(post, one)
        assert one.base_url == one.origin != two.base_url
    assert events(response) == [("text", "one")]
    assert one.prompts == [[{"role": "user", "content": "hi"}]]
    (request,) = one.requests
    assert (request.path, request.status, request.finished) == ("/v3/chat-anonymous", 200, True)
    assert (two.requests, two.prompts) == ([], [])


@pytest.mark.proves("promise:missing-extra")
def test_missing_dependency_names_extra_and_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without uvicorn or starlette a sandbox cannot be made, and the error says what to do."""
    real_import = builtins.__import__
    lacking = ""

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == lacking:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real_import(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "langchain_g4f.testing.server", raising=False)
    monkeypatch.delitem(sys.modules, "langchain_g4f.testing.flowgpt.app", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    for lacking in ("uvicorn", "starlette"):
        with pytest.raises(MissingDependencyError, match=rf"{lacking}.*sandbox.*pip install -e"):
            FlowGptSandbox()


def test_models_are_those_the_client_knows() -> None:
    """Both lists were written down from the same document."""
    assert ChatFlowGpt.models == MODELS


# -- who may ask -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        (signed(x_flow_device_id=""), (401, "missing_header", "x-flow-device-id is missing")),
        (signed(x_nonce=""), (401, "missing_header", "x-nonce is missing")),
        (signed(x_signature=""), (401, "missing_header", "x-signature is missing")),
        (signed(x_timestamp="now"), (401, "stale_timestamp", None)),
        (signed(x_timestamp=f"{NOW_S}"), (401, "stale_timestamp", None)),
        (signed(x_timestamp="1" * 5000), (401, "stale_timestamp", None)),
        (signed(at_s=NOW_S - 301), (401, "stale_timestamp", None)),
        (signed(at_s=NOW_S + 301), (401, "stale_timestamp", None)),
        (signed(nonce="0" * 31), (401, "bad_nonce", None)),
        (signed(nonce="A" * 32), (401, "bad_nonce", None)),
        (signed(x_signature="0" * 32), (403, "bad_signature", "signature mismatch")),
        (signed(authorization="Bearer x") | {"authorization": "Bearer null"}, (403, None, None)),
        (signed(x_timestamp=str(int(NOW_S) + 1)), (403, "bad_signature", None)),
    ],
)
def test_request_that_is_not_signed_well_is_refused(
    sandbox: FlowGptSandbox,
    headers: dict[str, str],
    refused: tuple[int, str | None, str | None],
) -> None:
    """The model is not asked; 401 is for what is missing or stale, 403 for what is wrong."""
    found = refusal(post(sandbox, headers=headers))
    assert [(a, b) for a, b in zip(found, refused, strict=True) if b is not None and a != b] == []
    assert not sandbox.prompts


@pytest.mark.parametrize("name", sorted(signed()))
def test_request_without_one_of_the_fields_is_refused(sandbox: FlowGptSandbox, name: str) -> None:
    """Which one it is, is told."""
    headers = {n: value for n, value in signed().items() if n != name}
    assert refusal(post(sandbox, headers=headers)) == (401, "missing_header", f"{name} is missing")


@pytest.mark.parametrize("offset_s", [-300, 0, 300])
def test_clocks_may_differ_by_five_minutes(sandbox: FlowGptSandbox, offset_s: float) -> None:
    """In either direction."""
    assert post(sandbox, headers=signed(at_s=NOW_S + offset_s)).status_code == 200


def test_nonce_is_taken_once_and_remembered_for_ten_minutes() -> None:
    """A request that was refused for another reason does not use it up."""
    now_s = [NOW_S]
    with FlowGptSandbox(clock=lambda: now_s[0]) as sandbox:
        nonce = "0" * 32
        assert post(sandbox, headers=signed(nonce=nonce, x_signature="1")).status_code == 403
        assert post(sandbox, headers=signed(nonce=nonce)).status_code == 200
        used = (403, "nonce_reused", "x-nonce was already used")
        for later_s in (0.0, 1.0, 600.0):
            now_s[0] = NOW_S + later_s
            headers = signed(nonce=nonce, at_s=now_s[0])
            assert refusal(post(sandbox, headers=headers)) == used
        now_s[0] = NOW_S + 601
        assert post(sandbox, headers=signed(nonce=nonce, at_s=now_s[0])).status_code == 200


def test_members_have_a_path_of_their_own(sandbox: FlowGptSandbox) -> None:
    """It takes the token of who is signed in, and nobody else's."""
    ask = {"path": "/v3/chat"}
    refused = (401, "login_required", "this endpoint needs a signed-in bearer token")
    token = f"Bearer {sandbox.login('ada')}"
    assert events(post(sandbox, headers=signed(token), **ask))[0] == ("text", "Echo")
    for stranger in ("Bearer null", "Bearer eve-token", token.removeprefix("Bearer ada"), token):
        if stranger == token:
            sandbox.expire_tokens()
        assert refusal(post(sandbox, headers=signed(stranger), **ask)) == refused
    assert post(sandbox).status_code == 200


def test_operator_may_turn_strangers_away() -> None:
    """Anonymous use has ended, by then or by now."""
    with FlowGptSandbox(login_required=True, clock=lambda: NOW_S) as sandbox:
        assert refusal(post(sandbox))[:2] == (401, "login_required")
        headers = signed(f"Bearer {sandbox.login()}")
        assert post(sandbox, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/", "/v3/chat/", "/v2/chat-anonymous", "/v3/models"])
def test_nothing_is_at_other_addresses(sandbox: FlowGptSandbox, path: str) -> None:
    """The error body is the same."""
    assert refusal(post(sandbox, path=path))[:2] == (404, "not_found")


def test_nothing_can_be_read(sandbox: FlowGptSandbox) -> None:
    """Questions are posted."""
    with client(sandbox) as http:
        assert refusal(http.get("/v3/chat"))[:2] == (405, "method_not_allowed")


# -- what is asked ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, None) for name in BODY),
        ("nsfw", "no"),
        ("question", ["hi"]),
        ("history", {}),
        ("history", ["hi"]),
        ("history", [{"role": "system", "content": "hi"}]),
        ("history", [{"role": "tool", "content": "hi"}]),
        ("history", [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]),
        ("history", [{"role": "user"}]),
        ("temperature", "0.7"),
        ("temperature", True),
        ("documentIds", ""),
    ],
)
def test_field_of_the_wrong_kind_is_refused_by_name(
    sandbox: FlowGptSandbox, name: str, value: Any
) -> None:
    """The service takes text only, in two roles."""
    message = f"{name} is missing or of the wrong type"
    assert refusal(post(sandbox, **{name: value})) == (400, "bad_request", message)
    assert not sandbox.prompts


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"hi"'])
def test_body_that_is_no_object_is_refused(sandbox: FlowGptSandbox, content: bytes) -> None:
    """As is one that does not say it is JSON."""
    with client(sandbox) as http:
        kind = {"content-type": "application/json"}
        response = http.post("/v3/chat-anonymous", content=content, headers=signed() | kind)
        assert refusal(response) == (400, "bad_request", "the body is no JSON object")
        text = json.dumps(BODY).encode()
        response = http.post("/v3/chat-anonymous", content=text, headers=signed())
        assert refusal(response)[:2] == (400, "bad_request")


def test_unknown_model_is_refused() -> None:
    """The operator says which there are."""
    with FlowGptSandbox(models=["a"], clock=lambda: NOW_S) as sandbox:
        assert refusal(post(sandbox)) == (400, "bad_request", "unknown model gpt-3.5-turbo")
        assert post(sandbox, model="a").status_code == 200


def test_model_receives_system_text_history_and_question(sandbox: FlowGptSandbox) -> None:
    """In this order; what is empty is left out."""
    history = [{"role": "assistant", "content": "Hello!", "id": 1}, {"role": "user", "content": ""}]
    post(sandbox, "why?", history=history, system="Be brief.")
    post(sandbox)
    assert sandbox.prompts == [
        [
            {"role": "system", "content": "Be brief."},
            {"role": "assistant", "content": "Hello!"},
            {"role": "user", "content": ""},
            {"role": "user", "content": "why?"},
        ],
        [{"role": "user", "content": "hi"}],
    ]


def test_script_is_told_the_model() -> None:
    """And answers in any of the forms of a script."""
    asked: list[Prompt] = []

    def script(prompt: Prompt) -> list[str]:
        asked.append(prompt)
        return ["a", "b"]

    with FlowGptSandbox(script, clock=lambda: NOW_S) as sandbox:
        assert events(post(sandbox, model="claude-v1")) == [("text", "a"), ("text", "b")]
    assert [(prompt.model, prompt.text, prompt.turn) for prompt in asked] == [
        ("claude-v1", "hi", 1)
    ]
