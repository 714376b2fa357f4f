"""ChatGradioSpace: what is set, what the app is given, and what comes back."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from langchain_g4f import ChatGradioSpace, Clocks
from langchain_g4f.errors import AuthenticationError, ConfigurationError, ModelNotFoundError
from tests.unit.chat_models.spaces import APP, Space
from tests.unit.chat_models.ways import ask
from tests.unit.providers.gradio_space.apps import (
    MULTIMODAL,
    assistant,
    component,
    config,
    interface_config,
    page_config,
    user,
)
from tests.unit.providers.gradio_space.replies import (
    Reply,
    completed,
    events,
    generating,
    page,
    reply,
)

TEMPERATURE = component(10, "slider", "Temperature", minimum=0, maximum=2, value=0.7)
TOKENS = component(11, "slider", "Max new tokens", value=512)
TOP_P = component(12, "slider", "Top-p (nucleus sampling)", value=0.9)
TOP_K = component(13, "slider", "Top k", value=50)
SEED = component(14, "number", "Seed", value=0)
STYLE = component(15, "radio", "Style", choices=["plain", "ornate"], value="plain")
MODEL = component(16, "dropdown", "Model", choices=["s", "l"], value="s")
SETTINGS = (TEMPERATURE, TOKENS, TOP_P, TOP_K, SEED, STYLE)


async def test_app_is_found_out_and_answers(mode: str) -> None:
    """With nothing but its address."""
    space = Space(interface_config(space_id="owner/app"))
    found = await ask(space.model(), mode, "hi")
    assert found.text == "ok"
    assert found.response_metadata["model_provider"] == "gradio_space"
    assert found.response_metadata["model_name"] == "owner/app"
    assert found.response_metadata["finish_reason"] == "stop"
    assert found.response_metadata["conversation"]["server"] == APP
    assert space.data() == ["hi", None]


async def test_settings_go_into_the_inputs_of_the_app(mode: str) -> None:
    """Those of the call before those of the object; none of them is warned of."""
    space = Space(interface_config(*SETTINGS))
    model = space.model(
        temperature=1.5, max_tokens=64, top_p=0.5, top_k=5, seed=7, inputs={"style": "ornate"}
    )
    await ask(model, mode, "hi")
    assert space.data() == ["hi", None, 1.5, 64, 0.5, 5, 7, "ornate"]
    await ask(model, mode, "hi", temperature=0.0, seed=8, inputs={"Style": "plain"})
    assert space.data() == ["hi", None, 0.0, 64, 0.5, 5, 8, "plain"]
    await ask(space.model(), mode, "hi")
    assert space.data() == ["hi", None, 0.7, 512, 0.9, 50, 0, "plain"]


async def test_parameter_the_app_has_no_input_for_is_warned_of(mode: str) -> None:
    """At the call, for only then it is known."""
    model = Space(interface_config(TEMPERATURE)).model(top_k=5)
    with pytest.warns(UserWarning, match="no input for 'top_k'"):
        assert (await ask(model, mode, "hi")).text == "ok"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"inputs": {"x": 1}}, "no input 'x'; its inputs are: 'temperature'"),
        ({"temperature": 3}, "'temperature' is 2 at most"),
        ({"history": "all"}, "history= takes"),
        ({"conversation": AIMessage("from elsewhere")}, "conversation= takes"),
        ({"colour": "red"}, "unknown parameters of the call: ."),
    ],
)
async def test_what_cannot_be_asked_is_refused(mode: str, asked: Any, said: str) -> None:
    """Nothing is joined."""
    space = Space(interface_config(TEMPERATURE))
    with pytest.raises(ConfigurationError, match=said):
        await ask(space.model(), mode, "hi", **asked)
    assert "queue/join" not in space.asked


async def test_conversation_is_gone_on_with_by_history_or_answer(mode: str) -> None:
    """Only what is new is sent."""
    space = Space(interface_config())
    model = space.model()
    first = await ask(model, mode, "a")
    second = await ask(model, mode, [HumanMessage("a"), first, HumanMessage("b")])
    assert space.data()[0] == "b"
    await ask(model, mode, "c", conversation=second)
    assert space.data()[0] == "c"
    await ask(model, mode, [HumanMessage("a"), first, HumanMessage("d")], conversation="new")
    assert "<conversation>" in space.data()[0]


@pytest.mark.parametrize("mode", ["invoke", "ainvoke"])
async def test_rewritten_answer_is_its_last_version(mode: str) -> None:
    """Its metadata say so."""
    space = Space(interface_config())
    space.table["queue/data"] = events(generating("One", None), completed("Two", None))
    found = await ask(space.model(), mode, "hi")
    assert found.text == "Two"
    assert found.response_metadata["restarted"] is True
    assert found.response_metadata["final_text"] == "Two"


@pytest.mark.parametrize("mode", ["stream", "astream"])
async def test_rewritten_answer_is_not_taken_back_from_a_stream(mode: str) -> None:
    """Its metadata have what the caller was not given."""
    space = Space(interface_config())
    space.table["queue/data"] = events(generating("One", None), completed("Two", None))
    found = await ask(space.model(), mode, "hi")
    assert found.text == "One"
    assert found.response_metadata["final_text"] == "Two"


async def test_file_of_an_answer_is_a_block_that_can_be_fetched(mode: str) -> None:
    """From the app it is at."""
    space = Space(interface_config())
    file = {"path": "/srv/pic.png", "mime_type": "image/png", "meta": {}}
    space.table["queue/data"] = events(completed(file, None))
    space.table["file=/srv/pic.png"] = Reply(b"\x89PNG", kind="image/png")
    model = space.model(api_key="hf_secret-token")
    found = await ask(model, mode, "draw")
    (block,) = [block for block in found.content_blocks if block["type"] == "image"]
    assert block["url"] == f"{APP}/gradio_api/file=/srv/pic.png"
    sync = mode in {"invoke", "stream"}
    assert (model.fetch_file(block) if sync else await model.afetch_file(block)) == b"\x89PNG"
    assert space.requests[-1].headers["authorization"] == "Bearer hf_secret-token"


@pytest.mark.parametrize(
    ("described", "models"),
    [
        (interface_config(MODEL), ["s", "l"]),
        (interface_config(space_id="owner/app"), ["owner/app"]),
        (interface_config(title="A chat"), ["A chat"]),
        (interface_config(title=""), []),
        (config([], [], title="No chat"), ["No chat"]),
    ],
)
async def test_models_are_those_to_choose_from_or_the_app_itself(
    described: Any, models: list[str], mode: str
) -> None:
    """Each of them can be asked."""
    space = Space(described)
    model = space.model()
    assert (model.get_models() if mode == "invoke" else await model.aget_models()) == models
    if described["components"]:
        for name in models:
            assert model.invoke("hi", model=name).response_metadata["model_name"] == name
    with pytest.raises((ModelNotFoundError, ConfigurationError)):
        model.invoke("hi", model="nobody")


async def test_models_of_an_app_that_cannot_be_asked_are_an_error() -> None:
    """Neither none nor the default model stands for a list that was refused."""
    space = Space(interface_config())
    space.table["config"] = reply({"detail": "no"}, 401)
    for model in (space.model(), space.phi4(space="owner/copy")):
        with pytest.raises(AuthenticationError):
            model.get_models()
        with pytest.raises(AuthenticationError):
            await model.aget_models()


BLIND = {"image_inputs": False, "audio_inputs": False, "video_inputs": False, "pdf_inputs": False}


@pytest.mark.proves("promise:profile")
@pytest.mark.parametrize("learn", ["models", "call"])
def test_profile_follows_what_the_app_has_said(learn: str) -> None:
    """Before that nothing is known of files."""
    box = MULTIMODAL | {"props": {"file_types": ["image"]}}
    space = Space(interface_config(box=box))
    model = space.model()
    assert model.profile is not None
    assert "image_inputs" not in model.profile
    _ = model.get_models() if learn == "models" else model.invoke("hi")
    assert model.profile.items() >= (BLIND | {"image_inputs": True}).items()
    assert model.profile["image_url_inputs"]
    assert model.profile["text_inputs"]
    plain = Space(page_config(app_id=9)).model(base_url=f"{APP}/plain")
    assert plain.profile is not None
    assert "image_inputs" not in plain.profile


def test_profile_is_learnt_from_a_call_that_fails() -> None:
    """The app has described itself before."""
    space = Space(interface_config())
    space.table["queue/data"] = page(500)
    model = space.model(max_retries=0)
    with pytest.raises(Exception, match="500"):
        model.invoke("hi")
    assert model.profile is not None
    assert model.profile.items() >= BLIND.items()


async def test_system_message_and_history_of_a_page(mode: str) -> None:
    """They stand in the message and in the chatbot."""
    space = Space(page_config())
    shown = [user("a"), assistant("b"), user("c"), assistant("ok")]
    space.table["queue/data"] = events(completed("", shown))
    messages = [SystemMessage("Be brief."), HumanMessage("a"), AIMessage("b"), HumanMessage("c")]
    assert (await ask(space.model(), mode, messages)).text == "ok"
    text, history = space.data()
    assert "Be brief." in text
    assert [each["content"] for each in history] == ["a", "b"]


def test_queue_has_a_clock_of_its_own() -> None:
    """Whatever the others are."""
    space = Space(interface_config())
    assert space.model()._limits().clocks.queue == 300
    assert space.model(queue_timeout=7)._limits().clocks.queue == 7
    clocks = space.model(queue_timeout=7, timeout=Clocks(idle=3))._limits().clocks
    assert (clocks.queue, clocks.idle) == (7, 3)


@pytest.mark.parametrize(
    "settings", [{"queue_timeout": 0}, {"wake_timeout": -1}, {"history": "all"}]
)
def test_setting_out_of_range_is_refused(settings: dict[str, Any]) -> None:
    """When the model is made."""
    with pytest.raises(ValueError, match=next(iter(settings))):
        ChatGradioSpace(base_url=APP, **settings)
