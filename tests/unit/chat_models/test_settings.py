"""Settings, parameters of calls, and the choice of a model."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

import httpx
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler

from langchain_g4f import BaseChatG4F, ChatG4F, ChatGradioSpace, ChatHuggingChat, Clocks
from langchain_g4f.chat_models import client as model_client
from langchain_g4f.errors import APIConnectionError, ModelNotFoundError
from langchain_g4f.testing import Sandbox
from langchain_g4f.tools.prompt import PROTOCOL
from tests.unit.chat_models.ways import MODEL, OTHER_MODEL, ask

BASE_URL = "http://127.0.0.1:1/chat"


@pytest.mark.proves("promise:profile")
def test_profile_says_what_the_model_can_do(model: ChatHuggingChat) -> None:
    """Text goes in and out; what is not there is said to be not there."""
    names = ("text_inputs", "text_outputs", "tool_calling", "tool_choice", "tool_call_streaming")
    assert model.profile is not None
    assert all(model.profile[name] for name in names)  # type: ignore[literal-required]
    assert not model.profile["structured_output"]
    given = ChatHuggingChat(profile={"max_input_tokens": 9})
    assert given.profile == {"max_input_tokens": 9}


@pytest.mark.proves("promise:langsmith-parameters")
def test_tracing_parameters_name_provider_model_and_stop_strings() -> None:
    """They come from the object, and from the call where it says more."""
    model = ChatHuggingChat(model=MODEL, stop=["a"])
    params = model._get_ls_params(stop=["b"], model="other")
    assert model._get_ls_params() == {
        "ls_provider": "huggingchat",
        "ls_model_type": "chat",
        "ls_model_name": MODEL,
        "ls_stop": ["a"],
    }
    assert params["ls_model_name"] == "other"
    assert params["ls_stop"] == ["a", "b"]


def test_identifying_parameters_are_what_changes_the_answer() -> None:
    """Two objects that are told apart by them may answer differently."""
    model = ChatHuggingChat(base_url=BASE_URL + "/", model=MODEL, cookies="hf-chat=1")
    assert model._identifying_params == {
        "model": MODEL,
        "base_url": BASE_URL,
        "tool_protocol": PROTOCOL,
    }
    assert model.asdict() == {**model._identifying_params, "_type": "huggingchat-chat"}
    assert model._llm_type == "huggingchat-chat"


def test_cache_gives_an_answer_to_the_same_call_only(sandbox: Sandbox) -> None:
    """Another model, in the call or in a copy, or a stop string is another question."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, cache=InMemoryCache())
    for _ in range(2):
        model.invoke("hi")
        model.invoke("hi", stop=["no such text"])
        model.invoke("hi", model="omni")
        model.model_copy(update={"model": OTHER_MODEL}).invoke("hi")
    assert len(sandbox.conversations) == 4


@pytest.mark.parametrize("name", ["temperature", "max_tokens"])
async def test_parameter_that_the_service_lacks_warns_once_by_name(
    sandbox: Sandbox, mode: str, name: str
) -> None:
    """Of the object when that is made, of a call with the call; the answer comes."""
    settings: dict[str, Any] = {"base_url": sandbox.base_url, "model": MODEL}
    warned = f"HuggingChat has no parameter '{name}'"
    with pytest.warns(UserWarning, match=warned) as of_the_object:
        model = ChatHuggingChat(**{**settings, name: 1})
    assert model.invoke("hi").text
    with pytest.warns(UserWarning, match=warned) as of_the_call:
        assert (await ask(ChatHuggingChat(**settings), mode, "hi", **{name: 1})).text
    assert (len(of_the_object), len(of_the_call)) == (1, 1)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        pytest.param({"base_url": "huggingface.co/chat"}, "base_url", id="no scheme"),
        pytest.param({"base_url": "ftp://127.0.0.1"}, "base_url", id="not http"),
        pytest.param({"max_retries": -1}, "max_retries", id="negative retries"),
        pytest.param({"cookies": "secret-canary"}, "cookies", id="no pair"),
        pytest.param({"cookies": {"a": "secret-canary\r\nx: y"}}, "cookies", id="line end"),
        pytest.param({"cookies": {"a b": "secret-canary"}}, "cookies", id="bad name"),
        pytest.param({"proxy": "secret-canary"}, "proxy", id="no proxy address"),
        pytest.param({"proxy": "http://user:secret-canary"}, "proxy", id="no proxy host"),
        pytest.param({"timeout": {"total": -1}}, "total", id="negative clock"),
        pytest.param({"timeout": 0}, "timeout|clock", id="no time"),
        pytest.param({"timeout": float("nan")}, "timeout|clock", id="not a number"),
        pytest.param({"timeout": float("inf")}, "timeout|clock", id="endless"),
    ],
)
def test_setting_that_cannot_work_is_refused_by_name_and_without_its_value(
    settings: dict[str, Any], named: str
) -> None:
    """The object is not made, and a mistyped secret is not repeated in the message."""
    with pytest.raises(ValueError, match=named) as caught:
        ChatHuggingChat(**settings)
    assert "secret-canary" not in str(caught.value)
    assert "secret-canary" not in repr(caught.value)


@pytest.mark.parametrize("model_class", [ChatGradioSpace, ChatG4F])
def test_misspelt_setting_is_refused_by_every_class(model_class: Any) -> None:
    """Those of a service of one address are asked in the tests of faults."""
    with pytest.raises(ValueError, match="'baseurl': did you mean 'base_url'"):
        model_class(baseurl="http://intranet")
    with pytest.raises(ValueError, match="'endpoint': did you mean 'base_url'"):
        model_class(endpoint="http://intranet")


def test_settings_have_other_forms() -> None:
    """Names that other integrations use, and a mapping of clocks as in a configuration file."""
    clocks: Any = {"total": 7, "silence": 2}
    model = ChatHuggingChat(model_name=MODEL, stop_sequences="a", timeout=clocks)
    assert (model.model, model.stop) == (MODEL, ["a"])
    assert model.timeout == Clocks(total=7, silence=2)


class Watched:
    """Clients of the caller's own, and the paths that went through them."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.client = httpx.Client(event_hooks={"request": [self._note]})
        self.async_client = httpx.AsyncClient(event_hooks={"request": [self._anote]})

    def _note(self, request: httpx.Request) -> None:
        self.paths.append(request.url.path)

    async def _anote(self, request: httpx.Request) -> None:
        self.paths.append(request.url.path)


@pytest.mark.proves("promise:own-http-client")
async def test_own_client_carries_every_request_and_stays_open(sandbox: Sandbox, mode: str) -> None:
    """The caller's client is used for models and messages, and is the caller's to close."""
    watched = Watched()
    model = ChatHuggingChat(
        base_url=sandbox.base_url,
        http_client=watched.client,
        http_async_client=watched.async_client,
    )
    assert (await ask(model, mode, "hi")).text
    assert watched.paths == [request.path for request in sandbox.requests]
    assert not watched.client.is_closed
    assert not watched.async_client.is_closed
    watched.client.close()
    await watched.async_client.aclose()


@pytest.mark.proves("promise:proxy")
async def test_proxy_that_is_down_is_not_gone_around(sandbox: Sandbox, mode: str) -> None:
    """A call that may not be sent through the proxy is not sent at all."""
    with Sandbox() as gone:
        proxy = gone.origin
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, proxy=proxy, max_retries=0)
    with pytest.raises(APIConnectionError):
        await ask(model, mode, "hi")
    assert not sandbox.requests


LISTED = ["omni", MODEL, OTHER_MODEL, "sandbox/reasoner"]


class Metadata(BaseCallbackHandler):
    """Keeps the metadata a tracer would get."""

    def __init__(self) -> None:
        self.seen: dict[str, Any] = {}

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[Any],
        *,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.seen = metadata or {}


class ChatWithNames(ChatHuggingChat):
    """A service with a fixed list and short names."""

    default_model: ClassVar[str] = MODEL
    models: ClassVar[tuple[str, ...]] = (MODEL, OTHER_MODEL)
    model_aliases: ClassVar[Mapping[str, str]] = {"vision": OTHER_MODEL, "small": MODEL}


def asked_models(sandbox: Sandbox) -> list[str]:
    """The models that conversations were created with."""
    return [r.json["model"] for r in sandbox.requests if r.path == "/chat/conversation"]


@pytest.mark.proves("promise:per-call-model")
async def test_model_of_a_call_goes_into_request_metadata_and_trace(
    model: ChatHuggingChat, sandbox: Sandbox, mode: str
) -> None:
    """`model=` of a call wins over the object's, and only for that call."""
    traced = Metadata()
    answer = await ask(model, mode, "hi", model=OTHER_MODEL, config={"callbacks": [traced]})
    plain = await ask(model, mode, "hi")
    assert asked_models(sandbox) == [OTHER_MODEL, MODEL]
    assert answer.response_metadata["model_name"] == OTHER_MODEL
    assert plain.response_metadata["model_name"] == MODEL
    assert traced.seen["ls_model_name"] == OTHER_MODEL


@pytest.mark.parametrize(
    ("asked", "found"), [("vision", OTHER_MODEL), (MODEL, MODEL), (None, OTHER_MODEL)]
)
def test_get_model_gives_the_services_own_name(asked: str | None, found: str) -> None:
    """A name, an alias or nothing (the object's own) give the name the service knows."""
    assert ChatWithNames(model="vision").get_model(asked) == found


def test_get_model_without_any_name_gives_the_default() -> None:
    """What an object without a model asks is the default; another server's is its own affair."""
    assert ChatHuggingChat().get_model() == "omni"
    assert ChatHuggingChat(base_url="http://127.0.0.1:1/chat").get_model() == ""


@pytest.mark.proves("promise:closest-models")
def test_get_model_of_an_unknown_name_names_the_closest(model: ChatHuggingChat) -> None:
    """A name that the server does not list raises, with those it may have meant."""
    with pytest.raises(ModelNotFoundError, match="'sandbox/reasonner'") as caught:
        model.get_model("sandbox/reasonner")
    assert caught.value.closest[0] == "sandbox/reasoner"
    assert caught.value.provider == "huggingchat"
    assert not caught.value.is_retryable


def test_get_model_asks_about_a_name_the_class_does_not_know(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """The fixed list is no complete one: the server's own list decides, once."""
    assert model.get_model("sandbox/reasoner") == "sandbox/reasoner"
    assert model.get_model("sandbox/vision-tools") == "sandbox/vision-tools"
    assert [request.path for request in sandbox.requests] == ["/chat/api/v2/models"]


@pytest.mark.proves("promise:closest-models")
def test_get_model_knows_no_other_names_where_the_service_cannot_be_asked() -> None:
    """The names of the class need no server; whether there is another one, only it can say."""
    with Sandbox() as sandbox:
        model = ChatWithNames(base_url=sandbox.base_url, max_retries=0)
    assert model.get_model("vision") == OTHER_MODEL
    with pytest.raises(APIConnectionError):
        model.get_model("sandbox/text-smal")


@pytest.mark.proves("promise:closest-models")
async def test_asking_an_unknown_model_names_the_closest(
    model: ChatHuggingChat, sandbox: Sandbox, mode: str
) -> None:
    """The server calls it an invalid request; the caller learns what there is instead."""
    with pytest.raises(ModelNotFoundError) as caught:
        await ask(model, mode, "hi", model="sandbox/reasonner")
    assert caught.value.closest[0] == "sandbox/reasoner"
    assert not sandbox.conversations


@pytest.mark.proves("promise:models-live")
async def test_models_are_asked_for_and_kept_for_a_while(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request serves sync and async callers until the list has become old."""
    model = ChatHuggingChat(base_url=sandbox.base_url)
    assert model.get_models() == LISTED
    assert await model.aget_models() == LISTED
    assert model.get_models() == LISTED
    assert len(sandbox.requests) == 1
    monkeypatch.setattr(model_client._cache, "_clock", lambda: time.monotonic() + 300)
    assert await model.aget_models() == LISTED
    assert len(sandbox.requests) == 2


@pytest.mark.proves("promise:models-live")
async def test_list_that_the_service_does_not_give_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the names of the class nor an old list stand for it."""
    with Sandbox(models=["a", "b"]) as sandbox:
        model = ChatWithNames(base_url=sandbox.base_url, max_retries=0)
        assert model.get_models() == ["a", "b"]
    assert model.get_models() == ["a", "b"]  # not asked
    monkeypatch.setattr(model_client._cache, "_clock", lambda: time.monotonic() + 300)
    with pytest.raises(APIConnectionError):
        model.get_models()
    with pytest.raises(APIConnectionError):
        await model.aget_models()


@pytest.mark.proves("promise:provider-facts")
def test_facts_of_the_provider_are_read_from_the_class() -> None:
    """What the service is and can do is known without an object and without asking."""
    facts: type[BaseChatG4F] = ChatHuggingChat
    assert facts.label == "HuggingChat"
    assert facts.provider == "huggingchat"
    assert facts.url == "https://huggingface.co/chat"
    assert facts.needs_auth is True
    assert facts.supports_stream is True
    assert facts.supports_system_message is True
    assert facts.supports_message_history is True
    assert isinstance(facts.default_model, str)
    assert isinstance(facts.default_vision_model, str)
    for names in (facts.models, facts.image_models, facts.vision_models):
        assert all(isinstance(name, str) for name in names)
    assert set(facts.vision_models) <= set(facts.models)
    assert set(facts.model_aliases.values()) <= set(facts.models)
