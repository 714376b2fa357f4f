"""Models are written down, loaded elsewhere and copied, with their settings and no secret."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langchain_core.load import dumpd, dumps, loads
from langchain_core.runnables import RunnableBinding
from pydantic import SecretStr

from langchain_g4f import (
    BaseChatG4F,
    ChatFlowGpt,
    ChatGradioSpace,
    ChatHuggingChat,
    ChatMicrosoftPhi4,
    Clocks,
)
from langchain_g4f.chat_models.tool_servers import ToolServer
from langchain_g4f.core.events import Progress
from langchain_g4f.errors import ConfigurationError
from langchain_g4f.testing import Sandbox
from tests.unit.chat_models.accounts import Case, by_case
from tests.unit.chat_models.ways import MODEL

CANARY = "canary-4711"
BASE_URL = "http://127.0.0.1:1/chat"
TOOL_SERVER = {"name": "a", "url": BASE_URL, "headers": {"authorization": CANARY}}
SETTINGS: dict[str, Any] = {
    "proxy": f"http://user:{CANARY}@127.0.0.1:3128",
    "timeout": Clocks(total=60, idle=5),
    "stop": "###",
    "max_retries": 1,
}
GRADIO: dict[str, Any] = {
    "space": "owner/name",
    "api_key": f"{CANARY}-key",
    "cookies": f"token={CANARY}-cookie",
    "zerogpu_token": f"{CANARY}-gpu",
    "zerogpu_uuid": f"{CANARY}-uuid",
    "use_environment_token": True,
    "top_p": 0.5,
    "inputs": {"a": 1},
    "queue_timeout": 7,
}
SECRETS: dict[type[BaseChatG4F], dict[str, Any]] = {
    ChatHuggingChat: {
        "base_url": BASE_URL,
        "model": MODEL,
        "cookies": f"hf-chat={CANARY}; token={CANARY}-too",
        "mcp_servers": [TOOL_SERVER],
    },
    ChatFlowGpt: {"api_key": CANARY, "greeting": "Hey.", "default_system": "Be brief."},
    ChatGradioSpace: GRADIO,
    ChatMicrosoftPhi4: GRADIO,
}
SECRET_FIELDS = {"api_key", "cookies", "proxy", "mcp_servers", "zerogpu_token", "zerogpu_uuid"}
ENVIRONMENT = {
    "HUGGINGCHAT_BASE_URL": BASE_URL,
    "HUGGINGCHAT_COOKIES": "hf-chat=mine",
    "FLOWGPT_TOKEN": "mine",
    "HF_TOKEN": "mine",
    "HF_COOKIES": "token=mine",
    "ZEROGPU_TOKEN": "mine",
    "ZEROGPU_UUID": "mine",
}
MINE = SecretStr("mine")
by_class = pytest.mark.parametrize("kind", SECRETS)


def with_secrets(kind: type[BaseChatG4F] = ChatHuggingChat, **settings: Any) -> Any:
    """Make a model with a secret in each place that has one."""
    return kind(**{**SETTINGS, **SECRETS[kind], **settings})


def as_pickle(model: BaseChatG4F) -> tuple[str, Any]:
    """A pickle as text, and the model that comes out of it."""
    data = pickle.dumps(model)
    return repr(data), pickle.loads(data)  # noqa: S301 -- our own bytes


def as_json(model: BaseChatG4F) -> tuple[str, Any]:
    """LangChain's JSON, and the model that comes out of it."""
    text = dumps(model)
    found = loads(
        text,
        allowed_objects=[type(model)],
        valid_namespaces=["langchain_g4f"],
        secrets_from_env=True,
    )
    return text, found


by_form = pytest.mark.parametrize("form", [as_pickle, as_json])
SHOWN: dict[str, Callable[[Any], object]] = {
    "dumps": dumps,
    "repr": repr,
    "str": str,
    "asdict": BaseChatG4F.asdict,
    "model_dump": BaseChatG4F.model_dump,
    "model_dump_json": BaseChatG4F.model_dump_json,
    "ls_params": BaseChatG4F._get_ls_params,
    "pickle": pickle.dumps,
    "vars": lambda model: repr(vars(model)),
    "session": lambda model: repr(model._client().context.cookies),
    "provider": lambda model: repr(model._provider()),
}


@pytest.mark.proves(
    "promise:serialization-without-secrets",
    *("fault:41:HC", "fault:41:PH", "fault:41:FG"),
    *("obligation:huggingchat:19", "obligation:flowgpt:3"),
)
@by_class
@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN)
def test_secrets_are_in_nothing_that_is_written_down(kind: type[BaseChatG4F], show: Any) -> None:
    """Neither credentials nor the proxy's password, before and after the first use."""
    model = with_secrets(kind)
    assert CANARY not in str(show(model))
    model._client()
    assert CANARY not in str(show(model))


@pytest.mark.proves("promise:serialization-without-secrets", "promise:pickle")
@by_class
@by_form
def test_loaded_model_has_the_secrets_of_the_process_that_loads_it(
    kind: type[BaseChatG4F], form: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All settings come back; the environment there gives the credentials."""
    model = with_secrets(kind)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    text, loaded = form(model)
    assert CANARY not in text
    assert loaded.asdict() == model.asdict()
    if form is as_json:
        assert dumpd(loaded) == dumpd(model)
    assert loaded.model_dump(exclude=SECRET_FIELDS) == model.model_dump(exclude=SECRET_FIELDS)
    assert loaded.proxy == SecretStr("http://127.0.0.1:3128")
    if kind is ChatHuggingChat:
        assert loaded.cookies == {"hf-chat": MINE}
        assert [(server.name, server.headers) for server in loaded.mcp_servers] == [("a", {})]
    else:
        assert loaded.api_key == MINE
    if kind in {ChatGradioSpace, ChatMicrosoftPhi4}:
        found = (loaded.cookies, loaded.zerogpu_token, loaded.zerogpu_uuid)
        assert found == (({"token": MINE}, MINE, MINE) if form is as_json else (None, None, None))


@by_form
def test_model_without_settings_loads_again(form: Any) -> None:
    """As it was made."""
    model = ChatHuggingChat()
    assert form(model)[1].model_dump() == model.model_dump()


@pytest.mark.proves("promise:pickle")
@pytest.mark.parametrize(
    ("model", "field"),
    [
        (ChatHuggingChat(cookies=None), "cookies"),
        (ChatFlowGpt(api_key=None), "api_key"),
        (ChatFlowGpt(api_key=CANARY, base_url="http://127.0.0.1:1"), "api_key"),
        (ChatGradioSpace(base_url="https://app.example", use_environment_token=True), "api_key"),
    ],
    ids=["anonymous", "anonymous, token", "other server", "app elsewhere"],
)
def test_pickled_model_takes_no_credential_that_was_not_meant_for_it(
    model: BaseChatG4F, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An anonymous model stays anonymous; the environment's token is for its own server."""
    data = pickle.dumps(model)
    for name in ("HUGGINGCHAT_COOKIES", "FLOWGPT_TOKEN", "HF_TOKEN"):
        monkeypatch.setenv(name, ENVIRONMENT[name])
    assert getattr(pickle.loads(data), field) is None  # noqa: S301 -- made here


def test_secrets_that_cannot_be_read_where_it_is_unpickled_are_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A broken environment is told at once, without its value."""
    data = pickle.dumps(with_secrets())
    monkeypatch.setenv("HUGGINGCHAT_BASE_URL", BASE_URL)
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", CANARY)
    with pytest.raises(ValueError, match="cookies") as caught:
        pickle.loads(data)  # noqa: S301 -- made here
    assert CANARY not in str(caught.value)


def test_pickled_model_does_not_repeat_the_warning_about_ignored_parameters() -> None:
    """The warning was given where the model was made."""
    with pytest.warns(UserWarning, match="temperature"):
        model = with_secrets(temperature=1.0)
    assert as_pickle(model)[1].temperature == 1.0


def test_model_that_cannot_travel_says_so() -> None:
    """A model with a connection of the caller's own does not lose it in silence."""
    with httpx.Client() as client:
        model = ChatHuggingChat(http_client=client)
        with pytest.raises((TypeError, ConfigurationError)):
            pickle.dumps(model)


@pytest.mark.proves("fault:41:HC", "promise:serialization-without-secrets")
def test_headers_of_bound_tool_servers_are_in_nothing_that_is_written_down() -> None:
    """A binding that was written down loads again, without them; no key of a cache has them."""
    bound = with_secrets().bind(mcp_servers=[TOOL_SERVER])
    key = with_secrets(cookies=None)._get_llm_string(mcp_servers=[TOOL_SERVER])
    for shown in (repr(bound), str(bound), dumps(bound), repr(pickle.dumps(bound)), key):
        assert CANARY not in shown
    loaded: Any = loads(
        dumps(bound),
        allowed_objects=[ChatHuggingChat, ToolServer, type(bound), RunnableBinding],
        valid_namespaces=["langchain_g4f"],
    )
    assert loaded.kwargs == {"mcp_servers": [ToolServer(name="a", url=BASE_URL)]}


# -- accounts ------------------------------------------------------------------------------------


@pytest.mark.proves("promise:serialization-without-secrets", "promise:pickle")
@by_case
@by_form
def test_login_stays_out_of_what_is_written_and_is_read_again(
    case: Case, form: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loaded model reads the login of its profile; the environment comes before the file."""
    file = case.keep(CANARY, "work")
    model = case.make(login_profile="work")
    assert case.shown(model) == CANARY
    assert CANARY not in repr(model)
    text, loaded = form(model)
    assert CANARY not in text
    assert loaded.login_profile == "work"
    assert case.shown(loaded) == CANARY
    file.forget()
    assert case.shown(form(model)[1]) is None
    case.keep("kept")
    monkeypatch.setenv(*case.environment(CANARY))
    model = case.make()
    assert case.shown(form(model)[1]) == CANARY
    monkeypatch.delenv(case.variable)
    assert CANARY not in form(model)[0]
    assert case.shown(form(model)[1]) == "kept"


@pytest.mark.proves("promise:pickle")
@by_case
def test_argument_does_not_travel_and_is_looked_for_where_the_model_is_loaded(case: Case) -> None:
    """What is found there may be read again, as it was not given."""
    case.keep("kept")
    text, loaded = as_pickle(case.make(**case.given(CANARY)))
    assert CANARY not in text
    assert case.shown(loaded) == "kept"
    assert case.field not in loaded.model_fields_set


@pytest.mark.proves("promise:deep-copy")
@by_case
def test_copies_have_the_account_of_the_model(case: Case) -> None:
    """Until one is given another profile, which is then read."""
    case.keep("kept")
    case.keep("work", "work")
    model = case.make(on_login_required=print)
    assert "on_login_required" not in repr(model) + dumps(model) + str(model.model_dump())
    for copied in (copy.copy(model), copy.deepcopy(model), model.model_copy()):
        assert case.shown(copied) == "kept"
        assert copied.on_login_required is print
    other = model.model_copy(update={"login_profile": "work"})
    assert case.shown(other) == "work"
    assert case.shown(case.make(**case.given("given")).model_copy()) == "given"


# -- copies --------------------------------------------------------------------------------------


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


class Listener:
    """A callback of the application's, which could be copied."""

    def __call__(self, progress: Progress) -> None:
        raise NotImplementedError


def test_deep_copy_tells_the_same_listener() -> None:
    """What belongs to the caller is shared."""
    listener = Listener()
    for on_progress in (listener, listener.__call__):
        copied = copy.deepcopy(ChatHuggingChat(on_progress=on_progress))
        assert copied.on_progress == on_progress


def test_copy_with_other_cookies_is_another_identity() -> None:
    """`model_copy(update=...)` of a model in use does not keep acting as the first user."""
    with Sandbox(login_required=True) as sandbox:
        first, second = sandbox.login("first"), sandbox.login("second")
        model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, cookies=first)
        model.invoke("hi")
        others = {name: SecretStr(value) for name, value in second.items()}
        model.model_copy(update={"cookies": others}).invoke("hi")
        copy.copy(model).invoke("hi")
    sessions = [request.cookies["hf-chat"] for request in sandbox.requests]
    assert sessions == [first["hf-chat"]] * 2 + [second["hf-chat"]] * 2 + [first["hf-chat"]] * 2


def test_copy_with_another_setting_is_the_same_anonymous_caller(sandbox: Sandbox) -> None:
    """A copy keeps the session of the original, unless it is sent to another server."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
    model.invoke("hi")
    model.model_copy(update={"stop": ["###"]}).invoke("hi")
    model.model_copy(update={"base_url": sandbox.base_url}).invoke("hi")
    first, _, second, _, third, _ = (request.cookies["hf-chat"] for request in sandbox.requests)
    assert first == second != third


@pytest.mark.parametrize(
    ("base_url", "variable"),
    [("https://a-b.hf.space", "HF_TOKEN"), ("http://127.0.0.1:7860", "GRADIO_SPACE_TOKEN")],
)
@pytest.mark.parametrize("kind", [ChatGradioSpace, ChatMicrosoftPhi4])
def test_token_of_the_hub_is_named_for_spaces_of_the_hub_alone(
    kind: type[ChatGradioSpace], base_url: str, variable: str
) -> None:
    """Where the model is loaded, the variable is read and sent to the app."""
    written = dumpd(kind(base_url=base_url, api_key="made-up"))
    assert written["kwargs"]["api_key"]["id"] == [variable]
