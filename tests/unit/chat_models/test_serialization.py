from __future__ import annotations

import copy
import os
import pickle
import subprocess
import textwrap
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumpd, dumps, loads
from langchain_core.runnables import Runnable, RunnableBinding
from pydantic import SecretStr

from langchain_g4f import ChatHuggingChat, Clocks
from langchain_g4f.chat_models.tool_servers import ToolServer
from langchain_g4f.core.events import Progress
from langchain_g4f.errors import AuthenticationError, ConfigurationError
from langchain_g4f.testing import Sandbox
from tests.strict import STRICT
from tests.unit.chat_models.ways import MODEL, OTHER_MODEL, WAYS, ask

CANARY = "canary-4711"
PROXY = f"http://user:{CANARY}@127.0.0.1:3128"
BASE_URL = "http://127.0.0.1:1/chat"


def model_with_secrets(**settings: Any) -> ChatHuggingChat:
    """Make a model with a secret in each place that has one."""
    given: dict[str, Any] = {
        "base_url": BASE_URL,
        "model": MODEL,
        "cookies": f"hf-chat={CANARY}; token={CANARY}-too",
        "proxy": PROXY,
        "timeout": Clocks(total=60, idle=5),
        "stop": "###",
        "max_retries": 1,
        "mcp_servers": [{"name": "a", "url": BASE_URL, "headers": {"authorization": CANARY}}],
    }
    return ChatHuggingChat(**{**given, **settings})


def reload(model: ChatHuggingChat) -> ChatHuggingChat:
    """Send the model through LangChain's JSON."""
    loaded = loads(
        dumps(model),
        allowed_objects=[ChatHuggingChat],
        valid_namespaces=["langchain_g4f"],
        secrets_from_env=True,
    )
    assert isinstance(loaded, ChatHuggingChat)
    return loaded


@pytest.mark.proves(
    "promise:serialization-without-secrets", "fault:41:HC", "obligation:huggingchat:19"
)
@pytest.mark.parametrize(
    "show",
    [
        pytest.param(dumps, id="dumps"),
        pytest.param(repr, id="repr"),
        pytest.param(str, id="str"),
        pytest.param(ChatHuggingChat.asdict, id="asdict"),
        pytest.param(ChatHuggingChat.model_dump, id="model_dump"),
        pytest.param(ChatHuggingChat.model_dump_json, id="model_dump_json"),
        pytest.param(ChatHuggingChat._get_ls_params, id="ls_params"),
        pytest.param(pickle.dumps, id="pickle"),
        pytest.param(lambda model: repr(vars(model)), id="vars"),
        pytest.param(lambda model: repr(model._client().context.cookies), id="session"),
    ],
)
def test_secrets_are_in_nothing_that_is_written_down(show: Any) -> None:
    """Neither cookies nor the proxy's password are in any form of the model."""
    model = model_with_secrets()
    assert CANARY not in str(show(model))
    model._client()  # the identity in use is none of it either
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


async def trace(way: str, **settings: Any) -> str:
    """All that a tracer gets of a call that the server turned away."""
    tracer = Tracer()
    with Sandbox(login_required=True) as sandbox:
        model = model_with_secrets(base_url=sandbox.base_url, proxy=None, **settings)
        with pytest.raises(AuthenticationError):
            await ask(model, way, "hi", config={"callbacks": [tracer]})
        assert CANARY in str(sandbox.requests[0].cookies)
    assert tracer.seen
    return str(tracer.seen)


@pytest.mark.proves("fault:41:HC", "obligation:huggingchat:19")
@pytest.mark.parametrize("way", WAYS)
async def test_cookies_are_in_no_trace(way: str) -> None:
    """Neither what a tracer gets at the start nor the error with its variables has one."""
    assert CANARY not in await trace(way, mcp_servers=[])


@pytest.mark.proves("fault:41:HC")
@pytest.mark.parametrize("way", WAYS)
async def test_headers_of_tool_servers_are_in_no_trace(way: str) -> None:
    """What a tool server is told about the caller is no business of a tracer either."""
    assert CANARY not in await trace(way, model=OTHER_MODEL)


TOOL_SERVER = {"name": "a", "url": BASE_URL, "headers": {"authorization": CANARY}}
GIVEN: dict[str, Callable[[ChatHuggingChat], Runnable[Any, Any]]] = {
    "call": lambda model: model,
    "with_config": lambda model: model.with_config(tags=["x"]),
    "bind": lambda model: model.bind(mcp_servers=[TOOL_SERVER]),
    "bind_tools": lambda model: model.bind_tools([], mcp_servers=(TOOL_SERVER,)),
}


@pytest.mark.proves("fault:41:HC", "obligation:huggingchat:19")
@pytest.mark.parametrize("how", GIVEN)
@pytest.mark.parametrize("way", WAYS)
async def test_headers_of_tool_servers_of_a_call_are_in_no_trace(way: str, how: str) -> None:
    """Neither where the call begins nor in an error; and the server gets them."""
    tracer = Tracer()
    call = {} if "bind" in how else {"mcp_servers": [TOOL_SERVER]}
    with Sandbox() as sandbox:
        asked = GIVEN[how](ChatHuggingChat(base_url=sandbox.base_url, model=OTHER_MODEL))
        await ask(asked, way, "hi", config={"callbacks": [tracer]}, **call)
        assert CANARY in str([request.form for request in sandbox.requests])
        assert "authorization" in str(tracer.seen)
        with pytest.raises(ConfigurationError):
            await ask(asked, way, [], config={"callbacks": [tracer]}, timezone=1, **call)
    assert CANARY not in str(tracer.seen)


@pytest.mark.proves("fault:41:HC", "promise:serialization-without-secrets")
def test_headers_of_tool_servers_that_are_bound_are_in_nothing_that_is_written_down() -> None:
    """A binding that was written down loads again, without them."""
    bound = model_with_secrets().bind(mcp_servers=[TOOL_SERVER])
    for shown in (repr(bound), str(bound), dumps(bound), repr(pickle.dumps(bound))):
        assert CANARY not in shown
    loaded: Any = loads(
        dumps(bound),
        allowed_objects=[ChatHuggingChat, ToolServer, type(bound), RunnableBinding],
        valid_namespaces=["langchain_g4f"],
    )
    assert loaded.kwargs == {"mcp_servers": [ToolServer(name="a", url=BASE_URL)]}


@pytest.mark.proves("fault:41:HC")
def test_headers_of_tool_servers_are_in_no_key_of_a_cache() -> None:
    """A cache may be a file or a server."""
    model = model_with_secrets(cookies=None)
    assert CANARY not in model._get_llm_string(mcp_servers=[TOOL_SERVER])


@pytest.mark.proves("promise:serialization-without-secrets")
def test_serialized_model_loads_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """All settings come back, and the secrets come from the environment of the one who loads."""
    model = model_with_secrets()
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", "hf-chat=mine")
    loaded = reload(model)
    assert loaded.asdict() == model.asdict()
    assert (loaded.timeout, loaded.stop) == (Clocks(total=60, idle=5), ["###"])
    assert loaded.max_retries == 1
    assert loaded.cookies == {"hf-chat": SecretStr("mine")}
    assert loaded.proxy == SecretStr("http://127.0.0.1:3128")
    assert [(server.name, server.headers) for server in loaded.mcp_servers] == [("a", {})]
    assert dumpd(loaded) == dumpd(model)


def test_serialized_model_without_settings_loads_again() -> None:
    """The plainest model makes the same way."""
    model = ChatHuggingChat()
    assert reload(model).model_dump() == model.model_dump()


@pytest.mark.proves("promise:pickle")
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickled_model_keeps_its_settings_and_reads_its_secrets_anew(
    monkeypatch: pytest.MonkeyPatch, protocol: int
) -> None:
    """Where it is unpickled the cookies come from the environment, as for a new model."""
    data = pickle.dumps(model_with_secrets(), protocol)
    monkeypatch.setenv("HUGGINGCHAT_BASE_URL", BASE_URL)
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", "hf-chat=mine; token=too")
    model = pickle.loads(data)  # noqa: S301 -- made three lines above
    assert model.cookies == {"hf-chat": SecretStr("mine"), "token": SecretStr("too")}
    assert (model.timeout, model.stop, model.model) == (Clocks(total=60, idle=5), ["###"], MODEL)
    assert model.proxy == SecretStr("http://127.0.0.1:3128")
    servers = [{"name": "a", "url": BASE_URL}]
    expected = model_with_secrets(cookies=model.cookies, proxy=model.proxy, mcp_servers=servers)
    assert model.model_dump() == expected.model_dump()


def test_pickled_model_that_had_no_secrets_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """An anonymous model does not become somebody on the way."""
    data = pickle.dumps(ChatHuggingChat(cookies=None))
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", "hf-chat=mine")
    assert pickle.loads(data).cookies is None  # noqa: S301 -- made two lines above


def test_secrets_that_cannot_be_read_where_it_is_unpickled_are_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A broken environment is told at once, without its value."""
    data = pickle.dumps(model_with_secrets())
    monkeypatch.setenv("HUGGINGCHAT_BASE_URL", BASE_URL)
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", CANARY)
    with pytest.raises(ValueError, match="cookies") as caught:
        pickle.loads(data)  # noqa: S301 -- made three lines above
    assert CANARY not in str(caught.value)


def test_pickled_model_says_nothing_of_ignored_parameters_again() -> None:
    """The warning was given where the model was made."""
    with pytest.warns(UserWarning, match="temperature"):
        model = model_with_secrets(temperature=1.0)
    assert pickle.loads(pickle.dumps(model)).temperature == 1.0  # noqa: S301 -- made here


USER = textwrap.dedent(
    """
    import asyncio, pickle, sys
    model = pickle.load(sys.stdin.buffer)
    print(model.invoke("from the second process").text)
    print(asyncio.run(model.ainvoke("and again")).text)
    print("".join(chunk.text for chunk in model.stream("streamed")))
    """
)


@pytest.mark.proves("promise:pickle")
def test_second_process_unpickles_the_model_and_uses_it() -> None:
    """It needs nothing but the pickle, and the server and its cookies in the environment."""
    with Sandbox(login_required=True, require_site_token=True) as sandbox:
        cookies = "; ".join(f"{name}={value}" for name, value in sandbox.login().items())
        model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, cookies=cookies)
        assert model.invoke("from the first process").text
        done = subprocess.run(
            [*STRICT, "-c", USER],
            input=pickle.dumps(model),
            env={
                **os.environ,
                "HUGGINGCHAT_BASE_URL": sandbox.base_url,
                "HUGGINGCHAT_COOKIES": cookies,
            },
            capture_output=True,
            check=False,
        )
        assert done.stderr == b""
        assert done.stdout.decode().splitlines() == [
            f"Echo ({MODEL}, turn 1): from the second process",
            f"Echo ({MODEL}, turn 1): and again",
            f"Echo ({MODEL}, turn 1): streamed",
        ]


@pytest.mark.proves("promise:deep-copy")
def test_deep_copy_works_and_has_a_session_of_its_own(sandbox: Sandbox) -> None:
    """Original and copy answer, each under its own anonymous session."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
    model.invoke("before")
    copied = copy.deepcopy(model)
    assert copied.model_dump() == model.model_dump()
    assert copied._state is not model._state
    assert copied.invoke("copy").text == f"Echo ({MODEL}, turn 1): copy"
    assert model.invoke("original").text == f"Echo ({MODEL}, turn 1): original"
    sessions = [request.cookies["hf-chat"] for request in sandbox.requests]
    assert sessions[:2] == sessions[4:] == [sessions[0]] * 2
    assert sessions[2] == sessions[3] != sessions[0]


def test_deep_copy_tells_the_same_listener() -> None:
    """What belongs to the caller is shared, though a method's object could be copied."""

    class Listener:
        def __call__(self, progress: Progress) -> None:
            raise NotImplementedError

        def told(self, progress: Progress) -> None:
            raise NotImplementedError

    listener = Listener()
    for on_progress in (listener, listener.told):
        copied = copy.deepcopy(ChatHuggingChat(on_progress=on_progress))
        assert copied.on_progress == on_progress


def test_copy_with_other_cookies_is_another_identity() -> None:
    """`model_copy(update=...)` of a model in use does not keep acting as the first user."""
    with Sandbox(login_required=True) as sandbox:
        first, second = sandbox.login("first"), sandbox.login("second")
        model = ChatHuggingChat(
            base_url=sandbox.base_url,
            model=MODEL,
            cookies={name: SecretStr(value) for name, value in first.items()},
        )
        model.invoke("hi")
        others = {name: SecretStr(value) for name, value in second.items()}
        model.model_copy(update={"cookies": others}).invoke("hi")
        copy.copy(model).invoke("hi")
    sessions = [request.cookies["hf-chat"] for request in sandbox.requests]
    assert sessions == [first["hf-chat"]] * 2 + [second["hf-chat"]] * 2 + [first["hf-chat"]] * 2


def test_copy_with_another_setting_is_the_same_anonymous_caller(sandbox: Sandbox) -> None:
    """A copy may go on where the original was, unless it is sent to another server."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
    model.invoke("hi")
    model.model_copy(update={"stop": ["###"]}).invoke("hi")
    model.model_copy(update={"base_url": sandbox.base_url}).invoke("hi")
    first, _, second, _, third, _ = (request.cookies["hf-chat"] for request in sandbox.requests)
    assert first == second != third


def test_model_that_cannot_travel_says_so() -> None:
    """A model with a connection of the caller's own does not lose it in silence."""
    import httpx

    with httpx.Client() as client:
        model = ChatHuggingChat(http_client=client)
        with pytest.raises((TypeError, ConfigurationError)):
            pickle.dumps(model)
