"""Which input of an app a standard parameter sets: labels as authors write them."""

from __future__ import annotations

import pytest

from langchain_g4f.providers.gradio_space import Component
from langchain_g4f.providers.gradio_space.capabilities import find_setting

LABELS = {
    "temperature": [
        "Temperature",
        "temperature",
        "TEMPERATURE",
        "Sampling temperature",
        "🌡️ Temperature",
        "Temperature (creativity)",
        "Creativity (temperature)",
        "Temperature: higher is more random",
        "Temperature - creativity of the answer",
        "Temp",
        "LLM temperature",
        "Model Temperature",
        "Temperature value",
    ],
    "max_tokens": [
        "Max new tokens",
        "Max Tokens",
        "max_new_tokens",
        "maxNewTokens",
        "max_tokens",
        "Maximum number of new tokens",
        "Maximum tokens",
        "Max. tokens",
        "Max length",
        "Maximum Length",
        "Max output tokens",
        "Max response length",
        "Max number of tokens",
        "Max tokens to generate",
        "Max generated tokens",
        "Max completion tokens",
        "Number of tokens to generate",
        "Number of new tokens",
        "New tokens",
        "Response length",
        "Token limit",
        "Max token limit",
        "Max New Tokens (1-4096)",
        "Max tokens in the response",
        "Maximum length of the answer",
        "Output length [tokens]",
    ],
    "top_p": [
        "Top P",
        "Top-p",
        "top_p",
        "topP",
        "Top-p (nucleus sampling)",
        "Nucleus sampling (top-p)",
        "Nucleus sampling",
        "Top-p sampling threshold",
        "TopP",
    ],
    "top_k": ["Top K", "top-k", "top_k", "topK", "Top-k sampling", "Top-k (number of candidates)"],
    "seed": ["Seed", "Random seed", "RNG seed", "Seed (-1 for random)", "Seed, 0 is random"],
    "system": [
        "System prompt",
        "System Message",
        "System",
        "System instruction",
        "System instructions",
        "system_prompt",
        "Custom system prompt",
        "System prompt (optional)",
        "System prompt / persona",
        "Enter your system prompt",
        "Assistant system message",
        "SysPrompt",
        "Sys prompt",
        "Prompt (system)",
        "Custom instructions",
    ],
    "model": [
        "Model",
        "model",
        "Model name",
        "Choose a model",
        "Select model",
        "Select the model",
        "Pick an LLM",
        "Which model",
        "LLM",
        "Chat model",
        "Language Model",
        "Models",
        "Model selection",
        "Model to use",
        "Base model (7B or 13B)",
    ],
}
KINDS = {"system": "textbox", "model": "dropdown"}
CASES = [(parameter, label) for parameter, labels in LABELS.items() for label in labels]


def labelled(label: str, kind: str = "slider", id_: int = 1) -> Component:
    """Make an input with this label."""
    return Component(id_, kind, label, {})


@pytest.mark.parametrize(("parameter", "label"), CASES)
def test_parameter_sets_the_input_with_its_label(parameter: str, label: str) -> None:
    """In many spellings, and no other parameter does."""
    component = labelled(label, KINDS.get(parameter, "slider"))
    assert find_setting([component], parameter) is component
    others = [other for other in LABELS if other != parameter]
    assert [other for other in others if find_setting([component], other)] == []


@pytest.mark.parametrize("parameter", LABELS)
@pytest.mark.parametrize(
    "label",
    [
        "",
        "Message",
        "Repetition penalty",
        "Presence penalty",
        "Min p",
        "Beams",
        "Top-k documents",
        "Top k results",
        "Top passages",
        "Number of chunks",
        "Max history length",
        "Max context tokens",
        "Randomize seed",
        "Seed prompt",
        "Temperature schedule",
        "Body temperature of the patient",
        "Operating system",
        "System info",
        "File system",
        "Model size",
        "3D model",
        "Video length",
        "Tokens per second",
        "API key",
    ],
)
def test_label_of_something_else_is_left_alone(parameter: str, label: str) -> None:
    """A wrong guess would be worse than a warning."""
    for kind in ("slider", "textbox", "dropdown"):
        assert find_setting([labelled(label, kind)], parameter) is None


def test_whole_label_goes_before_a_part_of_another() -> None:
    """What is in brackets is a remark."""
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
def test_input_of_another_kind_is_not_taken_for_it(parameter: str, label: str, kind: str) -> None:
    """A checkbox "Random seed" is no seed."""
    assert find_setting([labelled(label, kind)], parameter) is None
