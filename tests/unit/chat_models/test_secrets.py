"""Credentials: who a caller is with them, where they go, and that no trace or log has them."""

from __future__ import annotations

import copy
import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import Runnable
from pydantic import SecretStr, ValidationError

from langchain_g4f import ChatFlowGpt, ChatGradioSpace, ChatHuggingChat
from langchain_g4f.errors import APIError, AuthenticationError, ConfigurationError
from langchain_g4f.testing import FlowGptSandbox, Reply, Sandbox
from tests.contract.recordings.flowgpt.marks import obligations
from tests.unit.chat_models.spaces import APP, HUB, FakeApp
from tests.unit.chat_models.ways import OTHER_MODEL, ask
from tests.unit.providers.gradio_space.apps import interface_config
from tests.unit.providers.gradio_space.replies import events, failed, reply

CANARY = "canary-4711"
BASE_URL = "http://127.0.0.1:1"
TOOL_SERVER = {"name": "a", "url": f"{BASE_URL}/chat", "headers": {"authorization": CANARY}}


class Tracer(BaseCallbackHandler):
    """Keeps all that a tracer would send away."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.seen += [args, kwargs]

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        self.seen += [repr(error), vars(error), kwargs, *shown.format()]


# -- HuggingChat ---------------------------------------------------------------------------------


@pytest.mark.proves("fault:41:HC", "obligation:huggingchat:19")
@pytest.mark.parametrize("settings", [{}, {"model": OTHER_MODEL, "mcp_servers": [TOOL_SERVER]}])
async def test_cookies_and_headers_are_in_no_trace(mode: str, settings: Any) -> None:
    """Neither what a tracer gets at the start nor the error with its variables has one."""
    tracer = Tracer()
    with Sandbox(login_required=True) as sandbox:
        cookies = f"hf-chat={CANARY}; token={CANARY}-too"
        model = ChatHuggingChat(base_url=sandbox.base_url, cookies=cookies, **settings)
        with pytest.raises(AuthenticationError):
            await ask(model, mode, "hi", config={"callbacks": [tracer]})
        assert CANARY in str(sandbox.requests[0].cookies)
    assert tracer.seen
    assert CANARY not in str(tracer.seen)


GIVEN: dict[str, Callable[[ChatHuggingChat], Runnable[Any, Any]]] = {
    "call": lambda model: model,
    "with_config": lambda model: model.with_config(tags=["x"]),
    "bind": lambda model: model.bind(mcp_servers=[TOOL_SERVER]),
    "bind_tools": lambda model: model.bind_tools([], mcp_servers=(TOOL_SERVER,)),
}


@pytest.mark.proves("fault:41:HC", "obligation:huggingchat:19")
@pytest.mark.parametrize("how", GIVEN)
async def test_headers_of_tool_servers_of_a_call_are_in_no_trace(mode: str, how: str) -> None:
    """Neither where the call begins nor in an error; and the server gets them."""
    tracer = Tracer()
    call = {} if "bind" in how else {"mcp_servers": [TOOL_SERVER]}
    with Sandbox() as sandbox:
        asked = GIVEN[how](ChatHuggingChat(base_url=sandbox.base_url, model=OTHER_MODEL))
        await ask(asked, mode, "hi", config={"callbacks": [tracer]}, **call)
        assert CANARY in str([request.form for request in sandbox.requests])
        assert "authorization" in str(tracer.seen)
        with pytest.raises(ConfigurationError):
            await ask(asked, mode, [], config={"callbacks": [tracer]}, timezone=1, **call)
    assert CANARY not in str(tracer.seen)


# -- FlowGPT -------------------------------------------------------------------------------------

ANONYMOUS = ("/v3/chat-anonymous", "Bearer null")
MEMBER = ("/v3/chat", "Bearer user-token")


@pytest.fixture
def flowgpt() -> Iterator[FlowGptSandbox]:
    """A FlowGPT server for members and strangers."""
    with FlowGptSandbox() as sandbox:
        sandbox.login()
        yield sandbox


def sent(sandbox: FlowGptSandbox) -> tuple[str, str]:
    """The path of the last request, and the token that was sent."""
    request = sandbox.requests[-1]
    return request.path, request.headers["authorization"]


@obligations(2, 9)
@pytest.mark.parametrize("given", [None, "", "user-token", SecretStr("user-token")])
async def test_token_makes_the_caller_a_member(
    flowgpt: FlowGptSandbox, mode: str, given: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without one, or with an empty one, the call is anonymous; it wins over the environment's."""
    monkeypatch.setenv("FLOWGPT_BASE_URL", flowgpt.base_url)
    monkeypatch.setenv("FLOWGPT_TOKEN", CANARY)
    await ask(ChatFlowGpt(api_key=given), mode, "hi")
    assert sent(flowgpt) == (MEMBER if given else ANONYMOUS)


@pytest.mark.parametrize(("ending", "token"), [("", "user-token"), ("///", " user-token\n")])
async def test_address_and_token_come_from_the_environment(
    flowgpt: FlowGptSandbox, monkeypatch: pytest.MonkeyPatch, mode: str, ending: str, token: str
) -> None:
    """Blanks around a token and slashes behind an address are left out."""
    monkeypatch.setenv("FLOWGPT_BASE_URL", flowgpt.base_url + ending)
    monkeypatch.setenv("FLOWGPT_TOKEN", token)
    for model in (ChatFlowGpt(), ChatFlowGpt(base_url=f"{flowgpt.base_url}/")):
        await ask(model, mode, "hi")
        assert sent(flowgpt) == MEMBER


@obligations(3)
@pytest.mark.parametrize("server", [None, BASE_URL])
async def test_token_of_the_environment_is_for_its_own_server(
    flowgpt: FlowGptSandbox, monkeypatch: pytest.MonkeyPatch, mode: str, server: str | None
) -> None:
    """A call to another server, also by a copy of the model, is anonymous."""
    if server:
        monkeypatch.setenv("FLOWGPT_BASE_URL", server)
    monkeypatch.setenv("FLOWGPT_TOKEN", CANARY)
    own = ChatFlowGpt()
    assert own.api_key == SecretStr(CANARY)
    named = ChatFlowGpt(base_url=flowgpt.base_url)
    assert named.api_key is None
    for model in (named, own.model_copy(update={"base_url": flowgpt.base_url})):
        await ask(model, mode, "hi")
        assert sent(flowgpt) == ANONYMOUS
    assert CANARY not in str([request.headers for request in flowgpt.requests])


def test_copy_keeps_a_token_that_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller has said whose it is, and the environment may have changed meanwhile."""
    given = ChatFlowGpt(api_key=CANARY)
    assert given.model_copy(update={"base_url": BASE_URL}).api_key == SecretStr(CANARY)
    monkeypatch.setenv("FLOWGPT_TOKEN", CANARY)
    found = ChatFlowGpt()
    monkeypatch.delenv("FLOWGPT_TOKEN")
    assert found.model_copy(update={"model": "gemini"}).api_key == SecretStr(CANARY)
    assert copy.copy(found).api_key == copy.deepcopy(found).api_key == SecretStr(CANARY)


async def test_token_that_expires_is_told_at_the_next_call(
    flowgpt: FlowGptSandbox, mode: str
) -> None:
    """The call does not become anonymous, and the request is not repeated."""
    model = ChatFlowGpt(base_url=flowgpt.base_url, api_key=flowgpt.login())
    await ask(model, mode, "hi")
    flowgpt.expire_tokens()
    with pytest.raises(AuthenticationError, match="the token may have expired") as caught:
        await ask(model, mode, "hi")
    assert caught.value.login_url == "https://flowgpt.com"
    assert [request.path for request in flowgpt.requests] == ["/v3/chat"] * 2


@obligations(3)
@pytest.mark.parametrize("field", ["api_key", "device_id", "environment"])
@pytest.mark.parametrize(
    "value", [f"{CANARY}\r\nx: y", f"{CANARY} too", f"{CANARY}é", f"{CANARY}\x01"]
)
def test_value_that_a_header_cannot_carry_is_refused_without_it(
    field: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The object is not made, and no traceback shows a token that was given."""
    if field == "environment":
        monkeypatch.setenv("FLOWGPT_TOKEN", value)
    settings: dict[str, Any] = {} if field == "environment" else {field: value}
    name = "device_id" if field == "device_id" else "api_key"
    with pytest.raises(ValidationError, match=f"{name}: it has a character") as caught:
        ChatFlowGpt(**settings)
    if name == "api_key":
        (ours,) = (each["ctx"]["error"] for each in caught.value.errors(include_input=False))
        shown = traceback.TracebackException.from_exception(ours, capture_locals=True)
        assert CANARY not in f"{caught.value!r} {caught.value} {''.join(shown.format())}"


@obligations(3)
@pytest.mark.proves("fault:41:FG")
@pytest.mark.parametrize(("status", "after"), [(403, None), (None, None), (None, 1)])
async def test_token_is_in_no_trace_and_no_log(
    mode: str, status: int | None, after: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Though the server repeats it: in a refusal, at the start and in the middle of an answer."""
    caplog.set_level(logging.DEBUG)
    tracer = Tracer()
    said = f"who is Bearer {CANARY}-token, {CANARY}-token?"
    reply = Reply("so far", error=(status, said), error_after=after)
    with FlowGptSandbox(reply=reply) as sandbox:
        model = ChatFlowGpt(base_url=sandbox.base_url, api_key=sandbox.login(CANARY))
        with pytest.raises(APIError, match="who is") as caught:
            await ask(model, mode, "hi", config={"callbacks": [tracer]})
        assert CANARY in sandbox.requests[0].headers["authorization"]
    assert tracer.seen
    assert CANARY not in f"{tracer.seen} {caught.value!r} {vars(caught.value)} {caplog.text}"


# -- Gradio --------------------------------------------------------------------------------------

JWT = "api/spaces/owner/name/jwt"


@pytest.mark.proves("obligation:gradio-space:21", "fault:40:PH")
async def test_each_credential_goes_where_it_belongs(mode: str) -> None:
    """Cookies to the Hub, GPU tokens to where the function is called, the key to both."""
    space = FakeApp(interface_config(), **{JWT: reply({"token": f"{CANARY}-fetched"})})
    model = space.model(
        space="owner/name",
        api_key=f"{CANARY}-key",
        cookies={"token": f"{CANARY}-cookie"},
        zerogpu_uuid=f"{CANARY}-uuid",
    )
    await ask(model, mode, "hi")
    assert space.asked == ["config", JWT, "queue/join", "queue/data"]
    for request, path in zip(space.requests, space.asked, strict=True):
        sent = dict(request.headers)
        assert sent["authorization"] == f"Bearer {CANARY}-key"
        assert (CANARY in sent.get("cookie", "")) is (path == JWT)
        names = {"x-zerogpu-token", "x-zerogpu-uuid"}
        assert (names & sent.keys()) == (names if path == "queue/join" else set())
    assert space.requests[2].headers["x-zerogpu-token"] == f"{CANARY}-fetched"


@pytest.mark.proves("obligation:gradio-space:21")
async def test_anonymous_call_sends_no_credential(mode: str) -> None:
    """No place holder stands for it."""
    space = FakeApp(interface_config())
    await ask(space.model(), mode, "hi")
    for request in space.requests:
        assert request.headers.keys().isdisjoint({"authorization", "cookie", "referer"})
        assert not [name for name in request.headers if name.startswith("x-")]


@pytest.mark.proves("fault:41:PH")
@pytest.mark.parametrize("where", ["queue/data", "queue/join"])
async def test_error_of_an_app_that_repeats_its_headers_has_no_secret(
    mode: str, where: str
) -> None:
    """On the stream, and in a refusal."""
    secrets = {name: f"{CANARY}-{name}" for name in ("api_key", "zerogpu_token", "zerogpu_uuid")}
    said = " ".join(secrets.values())
    replies = {"queue/data": events(failed(said)), "queue/join": reply({"detail": said}, 422)}
    space = FakeApp(interface_config(), **{where: replies[where]})
    with pytest.raises(APIError, match=r"app|422") as caught:
        await ask(space.model(**secrets), mode, "hi")
    assert CANARY not in f"{caught.value} {vars(caught.value)}"


def test_cookies_are_those_of_the_hub(tmp_path: Path) -> None:
    """As a header or from a browser's file; none goes to the app."""
    header = ChatGradioSpace(base_url=APP, cookies="a=1; b=2")
    jar = header._client().context.cookies
    assert jar.header_for(f"{header.hub_url}/") == "a=1; b=2"
    assert jar.header_for(f"{APP}/") == ""
    path = tmp_path / "cookies.txt"
    lines = (f"{host}\tTRUE\t/\tTRUE\t0\ttoken\t{host}" for host in ("hub.example", "app.example"))
    path.write_text("\n".join(lines))
    model = ChatGradioSpace(base_url=APP, hub_url=HUB, cookies=path)
    assert model.cookies == {"token": SecretStr("hub.example")}
