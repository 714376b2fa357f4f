"""ChatFlowGpt: its models, settings and parameters."""

from __future__ import annotations

import copy
import re
import warnings
from collections.abc import Iterator

import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from langchain_g4f import BaseChatG4F
from langchain_g4f.chat_models.flowgpt import ChatFlowGpt
from langchain_g4f.testing import FlowGptSandbox, Reply
from tests.contract.recordings.flowgpt.marks import obligations
from tests.unit.chat_models.ways import WAYS, ask

MODELS = [
    "gpt-3.5-turbo",
    "gpt-3.5-long",
    "gpt-4-turbo",
    "google-gemini",
    "claude-instant",
    "claude-v1",
    "claude-v2",
    "llama2-13b",
    "mythalion-13b",
    "pygmalion-13b",
    "chronos-hermes-13b",
    "Mixtral-8x7B",
    "Dolphin-2.6-8x7B",
]


@pytest.fixture
def sandbox() -> Iterator[FlowGptSandbox]:
    """A FlowGPT server that echoes."""
    with FlowGptSandbox(models=[*MODELS, "gpt-9"]) as sandbox:
        yield sandbox


@pytest.fixture
def model(sandbox: FlowGptSandbox) -> ChatFlowGpt:
    """A model on the sandbox that has nothing set but where to ask."""
    return ChatFlowGpt(base_url=sandbox.base_url)


# -- models ----------------------------------------------------------------------


@pytest.mark.proves("promise:provider-facts")
def test_facts_of_the_provider_are_read_from_the_class() -> None:
    """What the service is and can do is known without an object and without asking."""
    facts: type[BaseChatG4F] = ChatFlowGpt
    assert (facts.label, facts.provider) == ("FlowGPT", "flowgpt")
    assert facts.url == "https://flowgpt.com"
    assert facts.needs_auth is False
    assert facts.default_model == "gpt-3.5-turbo"
    assert list(facts.models) == MODELS
    assert facts.vision_models == facts.image_models == ()
    assert set(facts.model_aliases.values()) <= set(facts.models)
    assert ChatFlowGpt().base_url == "https://prod-backend-k8s.flowgpt.com"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (None, "gpt-3.5-turbo"),
        ("gemini", "google-gemini"),
        ("gemini-pro", "google-gemini"),
        ("Mixtral-8x7B", "Mixtral-8x7B"),
    ],
)
async def test_alias_and_default_are_resolved_on_the_way(
    sandbox: FlowGptSandbox, mode: str, asked: str | None, found: str
) -> None:
    """The name of the service is sent, twice, and told with the answer."""
    model = ChatFlowGpt(base_url=sandbox.base_url, model=asked)
    answer = await ask(model, mode, "hi")
    assert model.get_model() == ChatFlowGpt().get_model(asked) == found
    assert answer.response_metadata["model_name"] == found
    body = sandbox.requests[0].json
    assert (body["model"], body["promptId"]) == (found, f"model-{found}")


@pytest.mark.parametrize("where", ["object", "call"])
async def test_unknown_model_is_asked_with_a_warning(
    sandbox: FlowGptSandbox, mode: str, where: str
) -> None:
    """The list is old: a newer name may well be known to the service."""
    model = ChatFlowGpt(base_url=sandbox.base_url, model="gpt-9" if where == "object" else None)
    in_call = {"model": "gpt-9"} if where == "call" else {}
    with pytest.warns(UserWarning, match="FlowGPT: 'gpt-9' is not a known model") as caught:
        answer = await ask(model, mode, "hi", **in_call)
    assert len(caught) == 1
    assert answer.text == "Echo (gpt-9, turn 1): hi"


@pytest.mark.proves("promise:profile", "promise:langsmith-parameters")
def test_profile_and_tracing_parameters_say_what_it_is(model: ChatFlowGpt) -> None:
    """Text goes in and out, and nothing else does."""
    assert model.profile == {
        "text_inputs": True,
        "text_outputs": True,
        "tool_calling": True,
        "tool_choice": True,
        "tool_call_streaming": True,
        "structured_output": False,
    }
    assert model._get_ls_params(model="gemini") == {
        "ls_provider": "flowgpt",
        "ls_model_type": "chat",
        "ls_model_name": "google-gemini",
        "ls_temperature": 0.7,
    }
    assert model._llm_type == "flowgpt-chat"


# -- the device and its requests -------------------------------------------------


@obligations(9)
async def test_device_is_one_for_each_object(sandbox: FlowGptSandbox) -> None:
    """It stays the same over all calls and copies, and is the caller's to choose."""
    first, second = (ChatFlowGpt(base_url=sandbox.base_url) for _ in range(2))
    for model in (first, second, first.model_copy(), copy.deepcopy(first)):
        for mode in WAYS:
            await ask(model, mode, "hi")
    sent = [request.headers["x-flow-device-id"] for request in sandbox.requests]
    assert sent == [first.device_id] * 4 + [second.device_id] * 4 + [first.device_id] * 8
    assert first.device_id != second.device_id
    assert re.fullmatch(r"f-[a-z0-9]{19}", first.device_id)
    chosen = ChatFlowGpt(base_url=sandbox.base_url, device_id="V1StGXR8_Z5jdHi6B-myT")
    chosen.invoke("hi")
    assert sandbox.requests[-1].headers["x-flow-device-id"] == "V1StGXR8_Z5jdHi6B-myT"


@obligations(1, 7)
@pytest.mark.proves("fault:43:FG")
async def test_repeated_request_has_a_nonce_of_its_own(mode: str) -> None:
    """The server takes none twice; body and device are the same."""
    replies = iter([Reply(error=(429, "slowly")), Reply("fine")])
    with FlowGptSandbox(lambda _: next(replies), retry_after_s=0) as sandbox:
        answer = await ask(ChatFlowGpt(base_url=sandbox.base_url), mode, "hi")
    assert answer.text == "fine"
    assert answer.response_metadata["retries"] == 1
    first, second = sandbox.requests
    assert (first.status, second.status) == (429, 200)
    assert first.headers["x-nonce"] != second.headers["x-nonce"]
    assert first.headers["x-signature"] != second.headers["x-signature"]
    assert (first.body, first.headers["x-flow-device-id"]) == (
        second.body,
        second.headers["x-flow-device-id"],
    )


# -- parameters ------------------------------------------------------------------


@obligations(9)
async def test_parameters_go_into_the_request(sandbox: FlowGptSandbox, mode: str) -> None:
    """Of the object, or of the call, which wins."""
    model = ChatFlowGpt(
        base_url=sandbox.base_url, temperature=0.2, greeting="Hey.", default_system="Be brief."
    )
    await ask(model, mode, "hi")
    await ask(model, mode, [SystemMessage("Be kind."), HumanMessage("hi")], temperature=1)
    first, second = (request.json for request in sandbox.requests)
    assert (first["temperature"], second["temperature"]) == (0.2, 1)
    assert (first["system"], second["system"]) == ("Be brief.", "Be kind.")
    assert first["history"] == [{"role": "assistant", "content": "Hey."}]


def test_parameter_the_service_lacks_warns_by_name() -> None:
    """There is no limit of tokens; the temperature is honoured and does not warn."""
    with pytest.warns(UserWarning, match="FlowGPT has no parameter 'max_tokens'") as caught:
        ChatFlowGpt(max_tokens=5)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ChatFlowGpt(temperature=0.1)
