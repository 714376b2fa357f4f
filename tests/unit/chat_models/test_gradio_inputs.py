"""ChatGradioSpace: inputs of an app besides its message box."""

from __future__ import annotations

from pathlib import Path

from tests.unit.chat_models.spaces import FakeApp
from tests.unit.chat_models.ways import ask
from tests.unit.providers.gradio_space.apps import assistant, component, page_config, user
from tests.unit.providers.gradio_space.replies import completed, events, reply


async def test_files_go_into_inputs_beside_the_box(mode: str, tmp_path: Path) -> None:
    """A path by the name of the input; a file of the message into the one that fits."""
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"\x89PNG\r\n\x1a\n")
    parts = component(20, "image", "Picture"), component(21, "file", "Notes", file_count="single")
    space = FakeApp(page_config(*parts), upload=reply(["/up/photo.png"]))
    space.table["queue/data"] = events(completed("", [user("hi"), assistant("ok")]))
    await ask(space.model(conversation="new"), mode, "hi", media=[photo])
    assert [value and value["path"] for value in space.data()[2:]] == ["/up/photo.png", None]
    await ask(space.model(conversation="new"), mode, "hi", inputs={"notes": photo})
    assert [value and value["path"] for value in space.data()[2:]] == [None, "/up/photo.png"]


async def test_inputs_are_known_by_the_names_of_the_functions_parameters(mode: str) -> None:
    """Which the app is asked for where its labels do not say what an input is."""
    space = FakeApp(page_config(component(20, "slider", "温度", value=0.7, minimum=0, maximum=2)))
    space.table["queue/data"] = events(completed("", [user("hi"), assistant("ok")]))
    names = [{"parameter_name": name} for name in ("message", "history", "temperature")]
    space.table["info"] = reply({"named_endpoints": {"/fn_5": {"parameters": names}}})
    model = space.model(temperature=0.2, conversation="new")
    for _ in "ab":
        await ask(model, mode, "hi")
    assert (space.data()[2], space.asked.count("info")) == (0.2, 1)
    described = model.describe() if mode in {"invoke", "stream"} else await model.adescribe()
    assert described == "Gradio 5.22.0\ninput 温度: slider, 0.7 by default"
