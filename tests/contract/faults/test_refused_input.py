"""What cannot be sent is refused before any request, with what is wrong."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_g4f.core.http import Part, Request
from langchain_g4f.errors import ConfigurationError, G4FError, UnsupportedMediaError
from langchain_g4f.transport.request import as_httpx
from tests.contract.faults.downloads import PNG
from tests.contract.faults.harness import ask, fail
from tests.contract.faults.registry import CANARY, PATIENT, Provider, fault

NOTHING_TO_ANSWER: dict[str, list[BaseMessage]] = {
    "no message": [],
    "system alone": [SystemMessage("Be kind.")],
    "no text": [HumanMessage("")],
    "blank text": [HumanMessage(" \n\t")],
    "no blocks": [HumanMessage([])],
    "an empty block": [HumanMessage([{"type": "text", "text": ""}])],
    "system and no text": [SystemMessage("Be kind."), HumanMessage(" ")],
    "an answer alone": [AIMessage("Hello")],
    "tool results alone": [ToolMessage("42", tool_call_id="1")],
}


@fault(49, messages=NOTHING_TO_ANSWER)
async def test_history_with_nothing_to_answer_is_refused(
    provider: Provider, way: str, messages: list[BaseMessage]
) -> None:
    """No conversation is created for nothing."""
    with provider.server() as server:
        model = provider.model(server)
        error = await fail(model, way, G4FError, messages, host=None, subclass=True)
        assert server.requests == []
        assert server.connections_open == 0
    # LangChain itself refuses an empty list in its own words
    assert isinstance(error, ConfigurationError)


@fault(49, each=True, case=lambda provider: provider.unsupported)
async def test_content_that_cannot_be_sent_is_refused(
    provider: Provider, way: str, case: tuple[dict[str, Any], str]
) -> None:
    """Nothing of a message is dropped in silence; the error names the kind."""
    block, named = case
    messages = [HumanMessage([{"type": "text", "text": "What is this?"}, block])]
    with provider.server() as server:
        model = provider.model(server)
        error = await fail(model, way, UnsupportedMediaError, messages, host=None)
        assert server.requests == []
    assert named in str(error)
    assert block.get("base64", "an answer") not in str(error)


@fault(49)
async def test_content_that_cannot_be_sent_is_refused_in_the_history_too(
    provider: Provider, way: str
) -> None:
    """An earlier message counts as much as the last."""
    block, _ = next(iter(provider.unsupported.values()))
    messages: list[BaseMessage] = [
        HumanMessage(["Listen:", block]),
        AIMessage("I hear nothing."),
        HumanMessage("And now?"),
    ]
    with provider.server() as server:
        await fail(provider.model(server), way, UnsupportedMediaError, messages, host=None)
        assert server.requests == []


# --- row 64: what a document says of a file writes no header into the request --------------------

CONTENT = base64.b64encode(b"\x00\x01 no format that is known").decode()
FILE: dict[str, Any] = {"type": "file", "base64": CONTENT, "mime_type": "text/plain"}
BREAKS = {"a header": "\r\nX-Injected: 1", "LF": "\n", "CR": "\r", "NUL": "\0", "DEL": "\x7f"}
NO_TYPES = ["text", "text/plain/x", "text plain", "/", "text/", "a/b\u2028"]  # by RFC 6838


@fault(64, end=BREAKS)
async def test_line_break_in_what_is_said_of_a_file_is_refused(
    provider: Provider, way: str, end: str
) -> None:
    """In its type or its name, whichever form the file has; nothing is sent."""
    with provider.server(**provider.image_parts) as server:
        model = provider.model(server, **provider.image_settings)
        for bad in ({"mime_type": f"text/plain{end}"}, {"filename": f"a{end}.txt"}):
            prompt = [HumanMessage(["hi", {**FILE, **bad}])]
            await fail(model, way, UnsupportedMediaError, prompt, host=None)
        given = model.bind(media=[(PNG, f"cat{end}.png")])
        await fail(given, way, UnsupportedMediaError, host=None)
        assert server.requests == []
        assert (await ask(model, way)).text == "Hello there"


@fault(64)
async def test_type_that_is_none_is_refused(provider: Provider) -> None:
    """A type is a token, a slash, and a token."""
    with provider.server() as server:
        for word in NO_TYPES:
            prompt = [HumanMessage(["hi", {**FILE, "mime_type": word}])]
            model = provider.model(server)
            error = await fail(model, "invoke", UnsupportedMediaError, prompt, host=None)
            assert "media type" in str(error)
        assert server.requests == []


@pytest.mark.parametrize("end", BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize("place", ["filename", "content_type"])
def test_multipart_body_takes_no_line_break(place: str, end: str) -> None:
    """Wherever a type or a name comes from, this is where it would become a header."""
    part = Part("files", b"x", **{"filename": "a", "content_type": "text/plain", place: f"a{end}"})
    with pytest.raises(UnsupportedMediaError, match="control character"):
        as_httpx(Request("POST", "http://x/", body=(part,)), PATIENT)


# --- row 65 --------------------------------------------------------------------------------------

NO_ADDRESSES = (
    "localhost:3000/chat",
    "//host",
    "http://",
    "ftp://host",
    "http://host:port",
    "host",
)
VARIABLES = {"HC": "HUGGINGCHAT_BASE_URL", "PH": "PHI4_BASE_URL", "FG": "FLOWGPT_BASE_URL"}


def makers(model: Any) -> list[Callable[..., object]]:
    """What makes a model out of settings: the class, and copying one."""

    def copy(**update: Any) -> object:
        return model.model_copy(update=update)

    return [type(model), copy]


@fault(65, name=["baseurl", "base-url", "Base_URL", "api_base", "endpoint"])
def test_address_under_another_name_is_refused(provider: Provider, name: str) -> None:
    """The question would go to the public service, and the cookies with it."""
    with provider.server() as server:
        for make in makers(provider.model(server)):
            with pytest.raises(ValueError, match=f"'{name}': did you mean 'base_url'"):
                make(**{name: server.url})
        assert server.requests == []


MISSPELT = {"temprature": "temperature", "stops": "stop", "max_retry": "max_retries"}


@fault(65, each=True)
def test_misspelt_setting_is_refused(provider: Provider) -> None:
    """The error says what was probably meant; what is like no other setting only warns."""
    with provider.server() as server:
        for name, meant in MISSPELT.items():
            with pytest.raises(ValueError, match=f"'{name}': did you mean '{meant}'") as caught:
                provider.model(server, **{name: CANARY})
            assert CANARY not in f"{caught.value} {caught.value!r}"
        with pytest.warns(UserWarning, match="'colour'"):
            provider.model(server, colour="red")


@fault(49, 65)
async def test_misspelt_parameter_of_a_call_is_refused(provider: Provider, way: str) -> None:
    """Before anything is sent."""
    with provider.server() as server:
        model = provider.model(server)
        unknown = await fail(model.bind(temprature=0), way, ConfigurationError, host=None)
        error = await fail(model.bind(medai=["x"]), way, ConfigurationError, host=None)
        assert server.requests == []
    assert "temprature" in str(unknown)
    assert "perhaps 'media' is meant" in str(error)


@fault(65, given=NO_ADDRESSES, each=True)
def test_what_is_no_address_is_refused_by_the_name_of_its_place(
    provider: Provider, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a setting, in a copy, and in the environment."""
    with provider.server() as server:
        model = provider.model(server)
    for make in makers(model):
        with pytest.raises(ValueError, match=r"base_url: expected .* 'http://"):
            make(base_url=given)
    monkeypatch.setenv(VARIABLES[provider.key], given)
    with pytest.raises(ValueError, match=f"{VARIABLES[provider.key]}: expected "):
        makers(model)[0]()


@fault(65, where=lambda provider: provider.key != "PH")
def test_empty_address_is_none(provider: Provider) -> None:
    """An app has that of its Space instead."""
    with provider.server() as server:
        model = provider.model(server)
    with pytest.raises(ValueError, match="base_url: expected an address"):
        makers(model)[0](base_url="")


@fault(65, only="PH")
def test_address_of_the_hub_is_one(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a setting, and in the environment."""
    with provider.server() as server:
        for given in (*NO_ADDRESSES, ""):
            with pytest.raises(ValueError, match="hub_url: expected an address"):
                provider.model(server, hub_url=given)
        monkeypatch.setenv("HF_ENDPOINT", "hf.example")
        with pytest.raises(ValueError, match="HF_ENDPOINT: expected an address"):
            makers(provider.model(server, hub_url=server.url))[0]()
