"""The Space of Phi-4 multimodal (docs/protocols/gradio-space.md, section 1)."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f.core.chat_request import Media, Message
from langchain_g4f.errors import UnsupportedMediaError
from langchain_g4f.providers.gradio_space.config import SpaceConfig
from langchain_g4f.providers.gradio_space.discovery import find_chat
from langchain_g4f.providers.microsoft_phi4 import FILE_TYPES, MODEL, SPACE, fallback_app
from tests.unit.providers.gradio_space.apps import assistant, recorded_config, user
from tests.unit.providers.gradio_space.fake_space import APP, FakeSpace
from tests.unit.providers.gradio_space.replies import completed, events, reply, text_of

WHERE = SpaceConfig(
    base_url=APP, file_types=FILE_TYPES, models=(MODEL,), fallback_app=fallback_app()
)
PNG = Media(b"\x89PNG\r\n\x1a\n", "image/png", "pic.png")
PDF = Media(b"%PDF-1.7", "application/pdf", "d.pdf")


def world(config: Any) -> FakeSpace:
    """The app, which answers "ok"."""
    shown = [user("hi")]
    return FakeSpace(
        {
            "config": config,
            "upload": reply(["/srv/pic.png"]),
            "run/predict": reply({"data": [shown, {"__type__": "update", "value": None}, None]}),
            "queue/join": reply({"event_id": "e"}),
            "queue/data": events(completed([*shown, assistant("ok")], None)),
        }
    )


def test_known_app_is_a_chat_of_two_steps() -> None:
    """As the earlier client knew it: functions 10 and 11, started by component 8."""
    app = fallback_app()
    chat = find_chat(app)
    assert [(each.id, each.queue) for each in chat.functions] == [(10, False), (11, True)]
    assert (chat.box.id, chat.trigger, chat.output) == (8, 8, 0)
    assert (app.api_prefix, app.space_id, app.numbers) == ("/gradio_api", SPACE, (5, 0))
    assert chat.keeps_state
    assert chat.chatbot is not None
    assert app.shape(chat.chatbot) == "strings"


@pytest.mark.proves("obligation:gradio-space:1")
@pytest.mark.parametrize("folder", ["phi4", "phi4/gradio6", None])
def test_app_is_asked_the_same_whether_it_describes_itself_or_not(folder: str | None) -> None:
    """What it says of itself comes first."""
    config = reply(recorded_config(folder)) if folder else reply({"detail": "Not Found"}, 404)
    trial = world(config)
    asked = Message("user", "hi", (PNG,))
    assert text_of(trial.ask(asked, config=WHERE, model=MODEL, history="flattened")) == "ok"
    (prepare,), (join,) = trial.sent("run/predict"), trial.sent("queue/join")
    history, box, state = prepare["data"]
    assert (history, box["text"], state) == ([], "hi", None)
    assert [file["path"] for file in box["files"]] == ["/srv/pic.png"]
    assert join["data"] == [[user("hi")], None]
    assert [body["fn_index"] for body in (prepare, join)] == [10, 11]
    assert [body["trigger_id"] for body in (prepare, join)] == [8, 8]
    assert prepare["session_hash"] == join["session_hash"]


@pytest.mark.proves("fault:49:PH")
def test_file_the_model_cannot_read_is_refused_before_anything_is_sent() -> None:
    """Its box would take any."""
    trial = FakeSpace()
    with pytest.raises(UnsupportedMediaError, match="takes image/, audio/, not application/pdf"):
        trial.ask(Message("user", "hi", (PDF,)), config=WHERE)
    assert trial.requests == []
