from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from langchain_core.callbacks import BaseCallbackHandler

from langchain_g4f import BaseChatG4F, ChatHuggingChat
from langchain_g4f.chat_models import client as model_client
from langchain_g4f.errors import APIConnectionError, ModelNotFoundError
from langchain_g4f.testing import Sandbox
from tests.unit.chat_models.ways import MODEL, OTHER_MODEL, ask

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


def test_alias_is_resolved_on_the_way_to_the_server(sandbox: Sandbox) -> None:
    """A short name of the class is sent, reported and traced as the name it stands for."""
    model = ChatWithNames(base_url=sandbox.base_url, model="small")
    answer = model.invoke("hi", model="vision")
    assert asked_models(sandbox) == [OTHER_MODEL]
    assert answer.response_metadata["model_name"] == OTHER_MODEL
    assert model._get_ls_params()["ls_model_name"] == MODEL
    assert model._get_ls_params(model="vision")["ls_model_name"] == OTHER_MODEL


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
    monkeypatch.setattr(model_client, "MODELS_TTL_S", 0.0)
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
    monkeypatch.setattr(model_client, "MODELS_TTL_S", 0.0)
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
