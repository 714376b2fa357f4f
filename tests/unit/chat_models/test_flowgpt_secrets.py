"""The token of ChatFlowGpt: where it comes from, where it goes, and where it is not to be seen."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumps, loads
from pydantic import SecretStr, ValidationError

from langchain_g4f.chat_models.flowgpt import ChatFlowGpt
from langchain_g4f.errors import APIError, AuthenticationError
from langchain_g4f.testing import FlowGptSandbox, Reply
from tests.contract.recordings.flowgpt.marks import obligations
from tests.unit.chat_models.ways import WAYS, ask

CANARY = "canary-4711"
BASE_URL = "http://127.0.0.1:1"


@pytest.fixture
def sandbox() -> Iterator[FlowGptSandbox]:
    """A FlowGPT server for members and strangers."""
    with FlowGptSandbox() as sandbox:
        yield sandbox


def sent(sandbox: FlowGptSandbox) -> tuple[str, str]:
    """Where the last request went, and as whose."""
    request = sandbox.requests[-1]
    return request.path, request.headers["authorization"]


ANONYMOUS = ("/v3/chat-anonymous", "Bearer null")
MEMBER = ("/v3/chat", "Bearer user-token")


# -- whose it is -----------------------------------------------------------------


@obligations(2, 9)
@pytest.mark.parametrize("given", [None, "", "user-token", SecretStr("user-token")])
@pytest.mark.parametrize("way", WAYS)
async def test_token_makes_the_caller_a_member(
    sandbox: FlowGptSandbox, way: str, given: Any
) -> None:
    """Without one, or with an empty one, nobody is signed in."""
    sandbox.login()
    await ask(ChatFlowGpt(base_url=sandbox.base_url, api_key=given), way, "hi")
    assert sent(sandbox) == (MEMBER if given else ANONYMOUS)


@pytest.mark.parametrize("ending", ["", "/", "///"])
@pytest.mark.parametrize("token", ["user-token", " user-token\n"])
@pytest.mark.parametrize("way", WAYS)
async def test_address_and_token_come_from_the_environment(
    sandbox: FlowGptSandbox, monkeypatch: pytest.MonkeyPatch, way: str, ending: str, token: str
) -> None:
    """Nothing has to stand in the code; blanks around a token are those of a file."""
    sandbox.login()
    monkeypatch.setenv("FLOWGPT_BASE_URL", sandbox.base_url + ending)
    monkeypatch.setenv("FLOWGPT_TOKEN", token)
    await ask(ChatFlowGpt(), way, "hi")
    assert sent(sandbox) == MEMBER
    await ask(ChatFlowGpt(base_url=f"{sandbox.base_url}/"), way, "hi")
    assert sent(sandbox) == MEMBER


@obligations(3)
@pytest.mark.parametrize("server", [None, BASE_URL, "https://example.org"])
@pytest.mark.parametrize("way", WAYS)
async def test_token_of_the_environment_is_for_its_own_server(
    sandbox: FlowGptSandbox, monkeypatch: pytest.MonkeyPatch, way: str, server: str | None
) -> None:
    """Whoever names another server is a stranger there."""
    if server:
        monkeypatch.setenv("FLOWGPT_BASE_URL", server)
    monkeypatch.setenv("FLOWGPT_TOKEN", CANARY)
    model = ChatFlowGpt(base_url=sandbox.base_url)
    await ask(model, way, "hi")
    assert sent(sandbox) == ANONYMOUS
    assert model.api_key is None
    own = ChatFlowGpt()
    assert own.api_key == SecretStr(CANARY)
    copied = own.model_copy(update={"base_url": sandbox.base_url})
    await ask(copied, way, "hi")
    assert sent(sandbox) == ANONYMOUS
    assert CANARY not in str([request.headers for request in sandbox.requests])


def test_copy_keeps_a_token_that_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller has said whose it is, and the environment may have changed meanwhile."""
    given = ChatFlowGpt(api_key=CANARY)
    assert given.model_copy(update={"base_url": BASE_URL}).api_key == SecretStr(CANARY)
    assert copy.deepcopy(given).api_key == SecretStr(CANARY)
    monkeypatch.setenv("FLOWGPT_TOKEN", CANARY)
    found = ChatFlowGpt()
    monkeypatch.delenv("FLOWGPT_TOKEN")
    assert found.model_copy(update={"model": "gemini"}).api_key == SecretStr(CANARY)
    assert copy.copy(found).api_key == copy.deepcopy(found).api_key == SecretStr(CANARY)


@pytest.mark.parametrize(("given", "path"), [(None, ANONYMOUS), ("user-token", MEMBER)])
def test_token_that_is_given_wins_over_the_environment(
    sandbox: FlowGptSandbox,
    monkeypatch: pytest.MonkeyPatch,
    given: str | None,
    path: tuple[str, str],
) -> None:
    """None is given, too: it means nobody."""
    sandbox.login()
    monkeypatch.setenv("FLOWGPT_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("FLOWGPT_TOKEN", CANARY)
    ChatFlowGpt(api_key=given).invoke("hi")
    assert sent(sandbox) == path


@pytest.mark.parametrize("way", WAYS)
async def test_token_that_expires_is_told_at_the_next_call(
    sandbox: FlowGptSandbox, way: str
) -> None:
    """The caller is not asked as a stranger instead, and the request is not repeated."""
    model = ChatFlowGpt(base_url=sandbox.base_url, api_key=sandbox.login())
    await ask(model, way, "hi")
    sandbox.expire_tokens()
    with pytest.raises(AuthenticationError, match="the token may have expired") as caught:
        await ask(model, way, "hi")
    assert caught.value.login_url == "https://flowgpt.com"
    assert [request.path for request in sandbox.requests] == ["/v3/chat"] * 2


# -- where it is not -------------------------------------------------------------


UNSENDABLE = [f"{CANARY}\r\nx: y", f"{CANARY} ", f"{CANARY}é", f"{CANARY}\0"]


@obligations(3)
@pytest.mark.parametrize("value", UNSENDABLE)
def test_token_that_a_header_cannot_carry_is_refused_without_its_value(value: str) -> None:
    """The object is not made, and no traceback shows what was given."""
    with pytest.raises(ValidationError, match="api_key: it has a character") as caught:
        ChatFlowGpt(api_key=value)
    (ours,) = (each["ctx"]["error"] for each in caught.value.errors(include_input=False))
    shown = traceback.TracebackException.from_exception(ours, capture_locals=True)
    assert CANARY not in f"{caught.value!r} {caught.value} {''.join(shown.format())}"


@pytest.mark.parametrize("value", UNSENDABLE)
def test_device_that_a_header_cannot_carry_is_refused(value: str) -> None:
    """When the object is made, and not at some later call."""
    with pytest.raises(ValueError, match="device_id: it has a character"):
        ChatFlowGpt(device_id=value)


def test_token_of_the_environment_that_cannot_be_sent_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When the object is made, and not at some later call."""
    monkeypatch.setenv("FLOWGPT_TOKEN", f"{CANARY} too")
    with pytest.raises(ValueError, match="api_key: it has a character") as caught:
        ChatFlowGpt()
    assert CANARY not in str(caught.value)


SHOWN: dict[str, Any] = {
    "dumps": dumps,
    "repr": repr,
    "str": str,
    "asdict": ChatFlowGpt.asdict,
    "model_dump": ChatFlowGpt.model_dump,
    "model_dump_json": ChatFlowGpt.model_dump_json,
    "ls_params": ChatFlowGpt._get_ls_params,
    "pickle": pickle.dumps,
    "vars": lambda model: repr(vars(model)),
    "session": lambda model: repr(model._client().context),
}


@obligations(3)
@pytest.mark.proves("promise:serialization-without-secrets", "fault:41:FG")
@pytest.mark.parametrize("source", ["given", "environment"])
@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN)
def test_token_is_in_nothing_that_is_written_down(
    show: Any, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is the password of a proxy."""
    proxy = f"http://user:{CANARY}@127.0.0.1:3128"
    if source == "given":
        model = ChatFlowGpt(api_key=CANARY, proxy=proxy)
    else:
        monkeypatch.setenv("FLOWGPT_TOKEN", CANARY)
        model = ChatFlowGpt(proxy=proxy)
    assert model.api_key == SecretStr(CANARY)
    assert CANARY not in str(show(model))


class Tracer(BaseCallbackHandler):
    """Keeps all that a tracer would send away."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.seen += [args, kwargs]

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        self.seen += [repr(error), vars(error), kwargs, *shown.format()]


@obligations(3)
@pytest.mark.proves("fault:41:FG")
@pytest.mark.parametrize("at", ["gate", "once begun", "in the middle"])
@pytest.mark.parametrize("way", WAYS)
async def test_token_is_in_no_trace_and_no_log(
    way: str, at: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Though the server repeats it, as it is and as the header was."""
    caplog.set_level(logging.DEBUG)
    tracer = Tracer()
    said = f"who is Bearer {CANARY}-token, {CANARY}-token?"
    status, after = {"gate": (403, None), "once begun": (None, None), "in the middle": (None, 1)}[
        at
    ]
    reply = Reply("so far", error=(status, said), error_after=after)
    with FlowGptSandbox(reply=reply) as sandbox:
        model = ChatFlowGpt(base_url=sandbox.base_url, api_key=sandbox.login(CANARY))
        with pytest.raises(APIError, match="who is") as caught:
            await ask(model, way, "hi", config={"callbacks": [tracer]})
        assert CANARY in sandbox.requests[0].headers["authorization"]
    assert tracer.seen
    assert CANARY not in f"{tracer.seen} {caught.value!r} {vars(caught.value)} {caplog.text}"


# -- where it is read again ------------------------------------------------------


@pytest.mark.proves("promise:pickle")
@pytest.mark.parametrize("base_url", [None, BASE_URL])
def test_pickled_model_reads_the_token_of_its_server_anew(
    monkeypatch: pytest.MonkeyPatch, base_url: str | None
) -> None:
    """All other settings come along, the device among them."""
    given = {"base_url": base_url} if base_url else {}
    model = ChatFlowGpt(api_key=CANARY, greeting="Hey.", temperature=0.1, **given)  # type: ignore[arg-type]
    data = pickle.dumps(model)
    monkeypatch.setenv("FLOWGPT_TOKEN", "mine")
    loaded = pickle.loads(data)  # noqa: S301 -- made two lines above
    assert loaded.api_key == (None if base_url else SecretStr("mine"))
    expected = model.model_copy(update={"api_key": loaded.api_key})
    assert loaded.model_dump() == expected.model_dump()


@pytest.mark.proves("promise:pickle")
def test_pickled_stranger_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """An anonymous model does not become somebody on the way."""
    data = pickle.dumps(ChatFlowGpt(api_key=None))
    monkeypatch.setenv("FLOWGPT_TOKEN", "mine")
    assert pickle.loads(data).api_key is None  # noqa: S301 -- made two lines above


@pytest.mark.proves("promise:serialization-without-secrets")
def test_serialized_model_loads_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """All settings come back, and the token from the environment of the one who loads."""
    model = ChatFlowGpt(api_key=CANARY, default_system="Be brief.", stop="###")
    monkeypatch.setenv("FLOWGPT_TOKEN", "mine")
    loaded = loads(
        dumps(model),
        allowed_objects=[ChatFlowGpt],
        valid_namespaces=["langchain_g4f"],
        secrets_from_env=True,
    )
    assert loaded.api_key == SecretStr("mine")
    expected = model.model_copy(update={"api_key": SecretStr("mine")})
    assert loaded.model_dump() == expected.model_dump()
    assert dumps(loaded) == dumps(model)
