"""Where a Space is, and whose credentials go there."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from langchain_g4f import ChatGradioSpace, ChatMicrosoftPhi4
from langchain_g4f.errors import ConfigurationError
from langchain_g4f.providers.gradio_space.provider import (
    GradioSpace,
    is_on_hub,
    space_id,
    space_url,
)

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


def test_addresses_end_without_a_slash() -> None:
    """Paths are appended to them."""
    model = ChatGradioSpace(base_url="https://app.example/", hub_url="https://hub.example//")
    assert (model.base_url, model.hub_url) == ("https://app.example", "https://hub.example")
    assert model.space == ""


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
    assert isinstance(provider, GradioSpace)
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
