"""ChatMicrosoftPhi4: what it adds to a Gradio Space."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_g4f import ChatMicrosoftPhi4
from langchain_g4f.errors import UnsupportedMediaError
from tests.unit.chat_models.spaces import APP, Space
from tests.unit.chat_models.ways import ask
from tests.unit.providers.gradio_space.apps import assistant, recorded_config, user
from tests.unit.providers.gradio_space.replies import completed, events, reply

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").decode()
PDF = base64.b64encode(b"%PDF-1.7\n").decode()


def phi4(**settings: Any) -> tuple[Space, ChatMicrosoftPhi4]:
    """Make the recorded Space, which answers "ok", and a model on it."""
    shown = [user("hi")]
    space = Space(recorded_config("phi4"))
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


def sent(space: Space) -> list[Any]:
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


async def test_picture_is_uploaded_and_a_document_refused(mode: str) -> None:
    """The model sees and hears, and reads no documents."""
    space, model = phi4()
    block = {"type": "image", "base64": PNG, "mime_type": "image/png"}
    await ask(model, mode, [HumanMessage([{"type": "text", "text": "hi"}, block])])
    assert [file["path"] for file in sent(space)[1]["files"]] == ["/srv/pic.png"]
    asked = len(space.requests)
    block = {"type": "file", "base64": PDF, "mime_type": "application/pdf"}
    with pytest.raises(UnsupportedMediaError, match="application/pdf"):
        await ask(model, mode, [HumanMessage([{"type": "text", "text": "hi"}, block])])
    assert len(space.requests) == asked


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


def test_facts_of_the_class_need_no_object() -> None:
    """What a menu of models shows."""
    assert ChatMicrosoftPhi4.default_vision_model in ChatMicrosoftPhi4.vision_models
    assert ChatMicrosoftPhi4.model_aliases["phi-4"] in ChatMicrosoftPhi4.models
    assert not ChatMicrosoftPhi4.needs_auth
