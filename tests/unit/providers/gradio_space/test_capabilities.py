"""What a chat can be given, and the settings of a call."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from langchain_g4f.core.chat_request import Media, Message, RemoteMedia
from langchain_g4f.core.limits import Limits, Sizes
from langchain_g4f.errors import ConfigurationError, MediaTooLargeError, UnsupportedMediaError
from langchain_g4f.providers.gradio_space.app import Component, read_app
from langchain_g4f.providers.gradio_space.capabilities import (
    check_file_types,
    check_files,
    input_modalities,
    models_of,
)
from langchain_g4f.providers.gradio_space.config import CallOptions, SpaceConfig
from langchain_g4f.providers.gradio_space.settings import find_setting
from tests.unit.providers.gradio_space.apps import (
    MULTIMODAL,
    app,
    component,
    config,
    function,
    interface_config,
    page_config,
)
from tests.unit.providers.gradio_space.fake_space import APP, FakeSpace
from tests.unit.providers.gradio_space.replies import completed, events, reply

CANARY = "canary-f3a91c77d2"
ALL = {"image", "audio", "video", "pdf"}
CONFIG = SpaceConfig(base_url=APP)
IMAGE_AND_AUDIO = replace(CONFIG, file_types=("image/", "audio/"))
PNG = Media(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png", "pic.png")
WAV = Media(b"RIFF....WAVE", "audio/wav", "s.wav")
PDF = Media(b"%PDF-1.7", "application/pdf", "d.pdf")
SVG = Media(b"<svg/>", "image/svg+xml", "d.svg")


# --- settings and options ------------------------------------------------------------------------


def test_options_have_defaults() -> None:
    """None counts as not given; an empty conversation does not."""
    names = ("conversation", "history", "inputs", "trusted_media_hosts", "temperature")
    options = CallOptions.read(dict.fromkeys(names))
    assert options == CallOptions.read({})
    assert (options.conversation, options.history, options.inputs) == ("auto", "auto", {})
    assert (options.trusted_hosts, {*options.parameters.values()}) == ((), {None})
    assert CallOptions.read({"conversation": {}}).conversation == {}
    given = {
        "conversation": {"provider": "x"},
        "history": "messages",
        "inputs": MappingProxyType({"a": 1}),
        "trusted_media_hosts": ["intranet"],
        "temperature": 0.0,
        "top_k": 3,
        "other": 1,
    }
    options = CallOptions.read(given)
    assert (options.conversation, options.history) == ({"provider": "x"}, "messages")
    assert (dict(options.inputs), options.trusted_hosts) == ({"a": 1}, ("intranet",))
    parameters = ("temperature", "max_tokens", "top_p", "top_k", "seed")
    assert options.parameters == dict.fromkeys(parameters) | {"temperature": 0.0, "top_k": 3}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"history": "all"}, "history= takes .* not 'all'"),
        ({"inputs": ["a"]}, "inputs= takes names and values, not list"),
        ({"trusted_media_hosts": "intranet"}, "takes a list of names"),
        ({"trusted_media_hosts": 7}, "takes a list of names"),
    ],
)
def test_option_of_the_wrong_kind_is_refused(given: dict[str, Any], said: str) -> None:
    """With the kind that it takes."""
    with pytest.raises(ConfigurationError, match=said):
        CallOptions.read(given)


@pytest.mark.proves("obligation:gradio-space:21")
def test_config_shows_no_credentials_and_sends_no_placeholders() -> None:
    """An input may hold a key, too."""
    found = SpaceConfig(base_url=APP, token=CANARY, gpu_token=CANARY, gpu_uuid=CANARY)
    assert CANARY not in repr(found) + repr(CallOptions.read({"inputs": {"API key": CANARY}}))
    assert APP in repr(found)
    assert found.headers == {"authorization": f"Bearer {CANARY}"}
    assert replace(CONFIG, referer="https://x").headers == {"referer": "https://x"}
    assert CONFIG.headers == {}


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://owner-name.hf.space", "owner-name"),
        ("https://owner-name.hf.space:443/path", "owner-name"),
        ("https://hf.space", ""),
        ("https://evilhf.space", ""),
        ("https://owner-name.hf.space.example", ""),
        ("http://127.0.0.1:7860", ""),
    ],
)
def test_subdomain_of_a_space_is_read_from_its_address(url: str, name: str) -> None:
    """Other hosts have none."""
    assert SpaceConfig(base_url=url).subdomain == name


def models(described: Any, **more: Any) -> list[str]:
    """The models of an app."""
    fake = FakeSpace(
        {"queue/join": reply({"event_id": "e"}), "queue/data": events(completed(LOADED))}
    )
    return fake.result(models_of(read_app(described), replace(CONFIG, **more), fake.context))


LOADED = {"__type__": "update", "choices": ["a", "b"], "value": "a"}


def test_models_are_the_choices_of_the_app() -> None:
    """Without an input for them it is the name of the Space or of the app."""
    described = interface_config(component(10, "radio", "Model", choices=["s", ["Seven", 7]]))
    assert models(described) == ["s", "7"]
    assert models(interface_config()) == ["An app"]
    assert models(interface_config(title="Gradio")) == []
    assert models(interface_config(title="Gradio"), space="owner/name") == ["owner/name"]


def test_models_may_be_filled_in_when_the_page_opens() -> None:
    """The function that fills the input is run; the description has no choices."""
    described = page_config(component(10, "dropdown", "Model", choices=[], value=None))
    described["dependencies"].append(function(9, [], [10], (None, "load"), types={}))
    assert models(described) == ["a", "b"]


def test_app_without_one_chat_has_no_models() -> None:
    """The error says what to choose from."""
    with pytest.raises(ConfigurationError, match="no chat that could be found"):
        models(config([], []))
    with pytest.raises(ConfigurationError, match="no chat named 'other'"):
        models(interface_config(), api_name="other")


# --- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (None, ALL),
        ([], ALL),
        (["file"], ALL),
        (["image", "audio"], {"image", "audio"}),
        (["video/*"], {"video"}),
        ([".png", ".mp3"], {"image", "audio"}),
        ([".pdf"], {"pdf"}),
        (["application/pdf"], {"pdf"}),
        (["text", ".csv", 7], set()),
    ],
)
def test_modalities_follow_the_file_types_of_the_box(types: Any, expected: set[str]) -> None:
    """A Space whose model takes less may be configured; text boxes take no files at all."""
    found = read_app(page_config(box=MULTIMODAL | {"props": {"file_types": types}}))
    assert input_modalities(found, CONFIG) == expected
    assert input_modalities(found, IMAGE_AND_AUDIO) == {"image", "audio"}
    for described in (page_config(), config([], [])):
        assert input_modalities(read_app(described), IMAGE_AND_AUDIO) == set()


def check(*files: Media, config: SpaceConfig = CONFIG, limit: Any = None, **props: Any) -> None:
    """Check the files for a box."""
    box = Component(2, "multimodaltextbox", "", props)
    check_files(files, box, app([], [], max_file_size=limit), config, FakeSpace().context)


@pytest.mark.proves("fault:49:PH")
@pytest.mark.parametrize(
    ("types", "accepted"),
    [
        *((t, True) for t in (None, [], ["file"], ["image"], ["Image/*"], ["image/png"])),
        *((t, True) for t in ([".PNG"], ["audio", ".png"], "image", [7, "image"])),
        *((t, False) for t in (["audio"], [".jpg"], ["image/jpeg"], ["text", ".csv"])),
    ],
)
def test_file_is_accepted_by_family_type_or_ending(types: Any, *, accepted: bool) -> None:
    """The ending may be that of the name or of the type."""
    if accepted:
        check(PNG, replace(PNG, name="picture"), file_types=types)
        return
    said = f"takes {', '.join(types)}, not image/png \\(pic.png\\)"
    with pytest.raises(UnsupportedMediaError, match=said):
        check(PNG, file_types=types)


@pytest.mark.proves("fault:49:PH")
def test_configured_file_types_count_more_than_those_of_the_box() -> None:
    """They are checked before the app is asked; the type of a remote file is not known then."""
    check(PNG, WAV, config=IMAGE_AND_AUDIO, file_types=["video"])
    check_file_types([Message("user", "", (PNG, RemoteMedia("http://x")))], IMAGE_AND_AUDIO)
    check_file_types([Message("user", "", (PDF,))], CONFIG)
    for file in (PDF, SVG):
        said = f"takes image/, audio/, not {file.mime_type}".replace("+", ".")
        with pytest.raises(UnsupportedMediaError, match=said):
            check(file, config=IMAGE_AND_AUDIO)
        with pytest.raises(UnsupportedMediaError, match=said):
            check_file_types([Message("user", ""), Message("user", "", (PNG, file))],
                             IMAGE_AND_AUDIO)  # fmt: skip


@pytest.mark.proves("obligation:gradio-space:19")
def test_number_and_size_of_files_are_limited() -> None:
    """The smaller of the app's limit and ours holds; a text box takes no file."""
    size = len(PNG.data)
    check(PNG, limit=size, file_count="single")
    check(PNG, WAV, file_count="multiple")
    with pytest.raises(UnsupportedMediaError, match="one file in a message, not 2"):
        check(PNG, WAV, file_count="single")
    with pytest.raises(MediaTooLargeError, match=f"pic.png has {size} bytes, .* {size - 1}"):
        check(PNG, limit=size - 1)
    context = FakeSpace(limits=Limits(sizes=Sizes(attachment=size - 1))).context
    box, text = Component(2, "multimodaltextbox", "", {}), Component(2, "textbox", "", {})
    for limit in (100, None):
        with pytest.raises(MediaTooLargeError):
            check_files([PNG], box, app([], [], max_file_size=limit), CONFIG, context)
    check_files([], text, app([], []), CONFIG, context)
    with pytest.raises(UnsupportedMediaError, match="'textbox_2' takes no files"):
        check_files([PNG], text, app([], []), CONFIG, context)


# --- labels of inputs ----------------------------------------------------------------------------

LABELS: dict[str, str] = {
    "temperature": """
        Temperature | temperature | TEMPERATURE | Sampling temperature | 🌡️ Temperature |
        Temperature (creativity) | Creativity (temperature) | Temperature: higher is more random |
        Temperature - creativity of the answer | Temp | LLM temperature | Model Temperature |
        Temperature value
    """,
    "max_tokens": """
        Max new tokens | Max Tokens | max_new_tokens | maxNewTokens | max_tokens | Maximum number
        of new tokens | Maximum tokens | Max. tokens | Max length | Maximum Length | Max output
        tokens | Max response length | Max number of tokens | Max tokens to generate | Max
        generated tokens | Max completion tokens | Number of tokens to generate | Number of new
        tokens | New tokens | Response length | Token limit | Max token limit | Max New Tokens
        (1-4096) | Max tokens in the response | Maximum length of the answer | Output length
        [tokens]
    """,
    "top_p": """
        Top P | Top-p | top_p | topP | Top-p (nucleus sampling) | Nucleus sampling (top-p) |
        Nucleus sampling | Top-p sampling threshold | TopP
    """,
    "top_k": """
        Top K | top-k | top_k | topK | Top-k sampling | Top-k (number of candidates)
    """,
    "seed": """
        Seed | Random seed | RNG seed | Seed (-1 for random) | Seed, 0 is random
    """,
    "system": """
        System prompt | System Message | System | System instruction | System instructions |
        system_prompt | Custom system prompt | System prompt (optional) | System prompt / persona
        | Enter your system prompt | Assistant system message | SysPrompt | Sys prompt | Prompt
        (system) | Custom instructions
    """,
    "model": """
        Model | model | Model name | Choose a model | Select model | Select the model | Pick an
        LLM | Which model | LLM | Chat model | Language Model | Models | Model selection | Model
        to use | Base model (7B or 13B)
    """,
}
OTHERS = """
    Message | Repetition penalty | Presence penalty | Min p | Beams | Top-k documents | Top k
    results | Top passages | Number of chunks | Max history length | Max context tokens |
    Randomize seed | Seed prompt | Temperature schedule | Body temperature of the patient |
    Operating system | System info | File system | Model size | 3D model | Video length | Tokens
    per second | API key
"""
"""Labels of inputs that no parameter belongs to."""


def split(labels: str) -> list[str]:
    """The labels between the bars."""
    return [" ".join(label.split()) for label in labels.split(" | ")]


def labelled(label: str, kind: str = "slider", id_: int = 1) -> Component:
    """An input with this label."""
    return Component(id_, kind, label, {})


@pytest.mark.parametrize("parameter", LABELS)
def test_parameter_belongs_to_the_input_with_its_label(parameter: str) -> None:
    """In many spellings; other labels are left alone, because a wrong guess does harm."""
    kind = {"system": "textbox", "model": "dropdown"}.get(parameter, "slider")
    for label in split(LABELS[parameter]):
        found = labelled(label, kind)
        assert [other for other in LABELS if find_setting([found], other)] == [parameter], label
    for label in ("", *split(OTHERS)):
        for kind in ("slider", "textbox", "dropdown"):
            assert find_setting([labelled(label, kind)], parameter) is None, label


def test_whole_label_counts_more_than_a_part() -> None:
    """Brackets hold a remark."""
    remark, whole = labelled("Creativity (temperature)"), labelled("Temperature", id_=2)
    assert find_setting([remark, whole], "temperature") is whole
    assert find_setting([remark], "temperature") is remark


@pytest.mark.parametrize(
    ("parameter", "label", "kind"),
    [
        ("seed", "Random seed", "checkbox"),
        ("system", "System prompt", "dropdown"),
        ("system", "System", "checkbox"),
        ("model", "Model", "file"),
        ("model", "Model", "slider"),
        ("temperature", "Temperature", "checkbox"),
    ],
)
def test_component_has_to_be_of_a_fitting_type(parameter: str, label: str, kind: str) -> None:
    """A checkbox "Random seed" holds no seed."""
    assert find_setting([labelled(label, kind)], parameter) is None
