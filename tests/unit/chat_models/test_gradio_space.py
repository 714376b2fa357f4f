"""ChatGradioSpace and ChatMicrosoftPhi4: addresses, settings, requests and answers."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from pydantic import SecretStr

from langchain_g4f import ChatGradioSpace, ChatMicrosoftPhi4, Clocks
from langchain_g4f.errors import AuthenticationError, ConfigurationError, ModelNotFoundError
from langchain_g4f.providers.gradio_space.provider import (
    GradioApp,
    is_on_hub,
    space_id,
    space_url,
)
from tests.unit.chat_models.spaces import APP, FakeApp
from tests.unit.chat_models.ways import ask
from tests.unit.providers.gradio_space.apps import (
    MULTIMODAL,
    assistant,
    component,
    interface_config,
    page_config,
    recorded_config,
    user,
)
from tests.unit.providers.gradio_space.replies import Reply, completed, events, page, reply

PHI4 = "https://microsoft-phi-4-multimodal.hf.space"


@pytest.mark.parametrize(
    "given",
    [
        "owner/my.Space_1",
        "https://huggingface.co/spaces/owner/my.Space_1",
        "https://huggingface.co/spaces/owner/my.Space_1/",
        "https://huggingface.co/spaces/owner/my.Space_1/tree/main?x=1#y",
        "https://hub.example/spaces/owner/my.Space_1",
        "http://hub.example/owner/my.Space_1",
    ],
)
def test_space_is_named_by_its_id_or_its_page(given: str) -> None:
    """Whatever stands behind it."""
    assert space_id(given) == "owner/my.Space_1"
    assert ChatGradioSpace(space=given).base_url == "https://owner-my-space-1.hf.space"


@pytest.mark.parametrize(
    "given",
    [
        "owner",
        "owner/name/more",
        "/name",
        "owner/",
        "owner /name",
        "öwner/name",
        "https://owner-name.hf.space",
        "https://huggingface.co/spaces/owner",
        "https://huggingface.co",
    ],
)
def test_what_names_no_space_is_refused(given: str) -> None:
    """The address of the app is `base_url`."""
    with pytest.raises(ConfigurationError, match="expected 'owner/name'"):
        space_id(given)
    with pytest.raises(ValueError, match="space: expected"):
        ChatGradioSpace(space=given)


@pytest.mark.parametrize(
    ("space", "url"),
    [
        ("Owner/Name", "https://owner-name.hf.space"),
        ("a.b/c_d--e", "https://a-b-c-d-e.hf.space"),
        ("microsoft/phi-4-multimodal", PHI4),
        ("-a/b-", "https://a-b.hf.space"),
    ],
)
def test_app_of_a_space_is_at_its_name(space: str, url: str) -> None:
    """In small letters, with hyphens for the rest."""
    assert space_url(space) == url


@pytest.mark.parametrize("settings", [{}, {"space": ""}, {"base_url": ""}, {"api_name": "chat"}])
def test_model_without_space_and_address_is_refused(settings: dict[str, Any]) -> None:
    """There is nothing to ask."""
    with pytest.raises(ValueError, match="ChatGradioSpace: give a Space or the base_url"):
        ChatGradioSpace(**settings)


@pytest.mark.parametrize("field", ["base_url", "hub_url"])
@pytest.mark.parametrize(
    "given", ["app.example", "ftp://app.example", "https://user:pw@app.example", "https://x?y"]
)
def test_address_that_is_none_is_refused(field: str, given: str) -> None:
    """And not repeated: it may have a password."""
    settings: dict[str, Any] = {"space": "owner/name", field: given}
    with pytest.raises(ValueError, match=field) as caught:
        ChatGradioSpace(**settings)
    assert "pw" not in str(caught.value)


def test_hub_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless one is given."""
    assert ChatGradioSpace(space="owner/name").hub_url == "https://huggingface.co"
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    assert ChatGradioSpace(space="owner/name").hub_url == "https://mirror.example"
    model = ChatGradioSpace(space="owner/name", hub_url="https://hub.example")
    assert model.hub_url == "https://hub.example"


@pytest.mark.parametrize(
    ("url", "goes"),
    [
        ("https://owner-name.hf.space", True),
        ("https://owner-name.hf.space:443/path", True),
        ("http://owner-name.hf.space", False),
        ("https://hf.space", False),
        ("https://evilhf.space", False),
        ("https://owner-name.hf.space.example", False),
        ("https://example/owner-name.hf.space", False),
        ("http://127.0.0.1:7860", False),
    ],
)
@pytest.mark.proves("obligation:gradio-space:21", "fault:40:PH")
def test_token_of_the_environment_goes_to_spaces_of_the_hub_alone(
    url: str, goes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And over no open line."""
    monkeypatch.setenv("HF_TOKEN", "hf_from-the-environment")
    token = SecretStr("hf_from-the-environment") if goes else None
    assert is_on_hub(url) is goes
    assert ChatGradioSpace(base_url=url, use_environment_token=True).api_key == token
    assert ChatGradioSpace(base_url=url).api_key is None


@pytest.fixture
def no_phi4(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Take away the environment's copy of Phi-4."""
    monkeypatch.delenv("PHI4_BASE_URL", raising=False)
    return monkeypatch


def test_phi4_is_at_its_space(no_phi4: pytest.MonkeyPatch) -> None:
    """The id and the address belong together."""
    model = ChatMicrosoftPhi4()
    assert (model.space, model.base_url) == ("microsoft/phi-4-multimodal", PHI4)
    provider = model._provider()
    assert isinstance(provider, GradioApp)
    where = provider.config
    assert (where.space, where.referer) == (model.space, f"{PHI4}?__theme=light")


def test_copy_of_phi4_on_the_hub_is_named_by_its_id(no_phi4: pytest.MonkeyPatch) -> None:
    """It wins over the environment's."""
    assert ChatMicrosoftPhi4(space="me/phi4").base_url == "https://me-phi4.hf.space"
    no_phi4.setenv("PHI4_BASE_URL", "http://127.0.0.1:7860/")
    assert ChatMicrosoftPhi4(space="me/phi4").base_url == "https://me-phi4.hf.space"


def test_copy_of_phi4_elsewhere_is_no_space(no_phi4: pytest.MonkeyPatch) -> None:
    """What the Hub says of the Space is not of it."""
    no_phi4.setenv("PHI4_BASE_URL", "http://127.0.0.1:7860/")
    for model in (ChatMicrosoftPhi4(), ChatMicrosoftPhi4(base_url="http://127.0.0.1:7860")):
        assert (model.space, model.base_url) == ("", "http://127.0.0.1:7860")
    given = ChatMicrosoftPhi4(base_url="http://127.0.0.1:7860", hub_url="http://127.0.0.1:7861")
    assert given.space == "microsoft/phi-4-multimodal"


TEMPERATURE = component(10, "slider", "Temperature", minimum=0, maximum=2, value=0.7)
TOKENS = component(11, "slider", "Max new tokens", value=512)
TOP_P = component(12, "slider", "Top-p (nucleus sampling)", value=0.9)
TOP_K = component(13, "slider", "Top k", value=50)
SEED = component(14, "number", "Seed", value=0)
STYLE = component(15, "radio", "Style", choices=["plain", "ornate"], value="plain")
MODEL = component(16, "dropdown", "Model", choices=["s", "l"], value="s")
SETTINGS = (TEMPERATURE, TOKENS, TOP_P, TOP_K, SEED, STYLE)


async def test_settings_go_into_the_inputs_of_the_app(mode: str) -> None:
    """Those of the call before those of the object; none of them is warned of."""
    space = FakeApp(interface_config(*SETTINGS))
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
    model = FakeApp(interface_config(TEMPERATURE)).model(top_k=5)
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
    space = FakeApp(interface_config(TEMPERATURE))
    with pytest.raises(ConfigurationError, match=said):
        await ask(space.model(), mode, "hi", **asked)
    assert "queue/join" not in space.asked


async def test_file_of_an_answer_is_a_block_that_can_be_fetched(mode: str) -> None:
    """From the app it is at."""
    space = FakeApp(interface_config())
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
        (interface_config(title="Gradio"), []),
    ],
)
async def test_models_are_those_to_choose_from_or_the_app_itself(
    described: Any, models: list[str], mode: str
) -> None:
    """Each of them can be asked."""
    space = FakeApp(described)
    model = space.model()
    assert (model.get_models() if mode == "invoke" else await model.aget_models()) == models
    for name in models:
        assert model.invoke("hi", model=name).response_metadata["model_name"] == name
    with pytest.raises((ModelNotFoundError, ConfigurationError)):
        model.invoke("hi", model="unknown")


async def test_models_of_an_app_that_cannot_be_asked_are_an_error() -> None:
    """Neither none nor the default model stands for a list that was refused."""
    space = FakeApp(interface_config())
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
    space = FakeApp(interface_config(box=box))
    model = space.model()
    assert model.profile is not None
    assert "image_inputs" not in model.profile
    _ = model.get_models() if learn == "models" else model.invoke("hi")
    assert model.profile.items() >= (BLIND | {"image_inputs": True}).items()
    assert model.profile["image_url_inputs"]
    assert model.profile["text_inputs"]
    plain = FakeApp(page_config(app_id=9)).model(base_url=f"{APP}/plain")
    assert plain.profile is not None
    assert "image_inputs" not in plain.profile


def test_profile_is_learnt_from_a_call_that_fails() -> None:
    """The app has described itself before."""
    space = FakeApp(interface_config())
    space.table["queue/data"] = page(500)
    model = space.model(max_retries=0)
    with pytest.raises(Exception, match="500"):
        model.invoke("hi")
    assert model.profile is not None
    assert model.profile.items() >= BLIND.items()


def test_queue_has_a_clock_of_its_own() -> None:
    """Whatever the others are."""
    space = FakeApp(interface_config())
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


PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").decode()
PDF = base64.b64encode(b"%PDF-1.7\n").decode()


def phi4(**settings: Any) -> tuple[FakeApp, ChatMicrosoftPhi4]:
    """Make the recorded Space, which answers "ok", and a model on it."""
    shown = [user("hi")]
    space = FakeApp(recorded_config("phi4"))
    space.table |= {
        "run/predict": reply({"data": [shown, {"__type__": "update"}, None]}),
        "queue/data": events(completed([*shown, assistant("ok")], None)),
        "upload": reply(["/srv/pic.png"]),
    }
    return space, space.phi4(**settings)


@pytest.mark.parametrize("name", [None, "phi-4", "phi-4-multimodal"])
async def test_model_answers_by_each_of_its_names(mode: str, name: str | None) -> None:
    """An alias is known by the model's name."""
    space, model = phi4(model=name)
    found = await ask(model, mode, "hi")
    assert found.text == "ok"
    assert found.response_metadata["model_name"] == "phi-4-multimodal"
    assert found.response_metadata["model_provider"] == "microsoft_phi4"
    assert space.asked == ["config", "run/predict", "queue/join", "queue/data"]
    assert {r.headers["referer"] for r in space.requests} == {f"{APP}?__theme=light"}


def sent(space: FakeApp) -> list[Any]:
    """What the preparation was given the last time."""
    import json

    last = next(r for r in reversed(space.requests) if r.url.path.endswith("run/predict"))
    data: list[Any] = json.loads(last.content)["data"]
    return data


async def test_history_is_sent_in_one_text_unless_asked_otherwise(mode: str) -> None:
    """The only way that is known to work with this Space."""
    space, model = phi4()
    messages = [HumanMessage("a"), AIMessage("b"), HumanMessage("hi")]
    await ask(model, mode, messages)
    history, box, _ = sent(space)
    assert (history, "<assistant>\nb\n</assistant>" in box["text"]) == ([], True)
    await ask(model, mode, messages, history="messages")
    history, box, _ = sent(space)
    assert ([each["content"] for each in history], box["text"]) == (["a", "b"], "hi")


@pytest.mark.proves("promise:profile")
def test_profile_knows_pictures_and_sound_before_the_first_call() -> None:
    """And after it, whatever the box would take."""
    _, model = phi4()
    for _ in range(2):
        assert model.profile is not None
        assert model.profile["image_inputs"]
        assert model.profile["audio_inputs"]
        assert not model.profile.get("pdf_inputs", False)
        model.invoke("hi")
