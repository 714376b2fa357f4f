"""Files for the inputs of an app that has a text box (docs/protocols/gradio-space.md, 7)."""

from __future__ import annotations

from functools import reduce
from operator import getitem
from typing import Any

import pytest

from langchain_g4f.core.chat_request import Media, Message
from langchain_g4f.core.http import JSON, Part, Request
from langchain_g4f.errors import UnsupportedMediaError
from tests.unit.providers.gradio_space.apps import (
    PLAIN,
    assistant,
    component,
    function,
    page_config,
    user,
)
from tests.unit.providers.gradio_space.replies import completed, events, reply
from tests.unit.providers.gradio_space.test_plan import answer, space
from tests.unit.providers.gradio_space.test_prepare import MP4, PNG, WAV

IMAGE = component(20, "image", "Picture", value=None)


def paths_of(request: Request) -> list[JSON]:
    """Where the app puts what it is sent."""
    return [f"/up/{part.filename}" for part in request.body if isinstance(part, Part)]


def beside(*inputs: Any, **more: Any) -> Any:
    """A page with inputs for files beside its text box; an upload is answered with its path."""
    fake = space(page_config(*inputs, **more), events(completed("", [user("a"), assistant("ok")])))
    fake.table["upload"] = lambda request: reply(paths_of(request))
    return fake


def value_of(*inputs: Any, files: Any = (PNG,), **more: Any) -> Any:
    """What the first of these inputs is sent."""
    fake = beside(*inputs, **more)
    fake.ask(Message("user", "a", files))
    return fake.sent("queue/join")[0]["data"][2]


@pytest.mark.parametrize(
    ("kind", "file", "version", "path_in"),
    [
        ("image", PNG, "5.22.0", []),
        ("imageeditor", PNG, "5.22.0", ["composite"]),
        ("gallery", PNG, "5.22.0", [0, "image"]),
        ("audio", WAV, "5.22.0", []),
        ("video", MP4, "5.22.0", ["video"]),
        ("video", MP4, "6.31.0", []),
        ("file", PNG, "5.22.0", [0]),
        ("uploadbutton", WAV, "5.22.0", [0]),
    ],
)
def test_file_goes_to_the_input_beside_the_box(
    kind: str, file: Media, version: str, path_in: list[Any]
) -> None:
    """In the form that this version of the component holds."""
    value = value_of(component(20, kind), files=(file,), version=version)
    assert reduce(getitem, path_in, value)["path"] == f"/up/{file.name}"


def test_input_for_one_kind_goes_before_one_for_any_file() -> None:
    """A single file is sent as such where the input takes one."""
    single = component(21, "file", "Any file", file_count="single")
    assert value_of(IMAGE, single)["path"] == "/up/pic.png"
    assert value_of(single, IMAGE, files=(WAV,))["path"] == "/up/s.wav"


def test_input_shows_its_file_in_the_whole_session() -> None:
    """As in a browser, unless the app clears it; a branch is sent the newest file again."""
    fake = beside(IMAGE)
    question = Message("user", "a", (PNG,))
    found = answer(fake.ask(question))
    fake.table["queue/data"] = events(
        completed("", [user("a"), assistant("ok"), user("b"), assistant("ok")])
    )
    fake.ask(question, found, "b")
    fake.ask(question, found, "c")
    assert [body["data"][2]["path"] for body in fake.sent("queue/join")] == ["/up/pic.png"] * 3
    assert fake.asked.count("upload") == 3  # of the branch also for its history


def test_several_inputs_for_a_file_are_named() -> None:
    """`inputs=` decides between them; a text input takes no file, and one image is one."""
    other, note = component(21, "image", "Second"), component(22, "textbox", "Note")
    fake = beside(IMAGE, other, note)
    with pytest.raises(
        UnsupportedMediaError, match="take image/png: 'picture', 'second'; name one"
    ):
        fake.ask(Message("user", "a", (PNG,)))
    for inputs, error in (
        ({"Note": (PNG,)}, "'note' takes no files"),
        ({"Second": (PNG, PNG)}, "one"),
    ):
        with pytest.raises(UnsupportedMediaError, match=error):
            fake.ask("a", inputs=inputs)
    assert fake.asked == ["config"]
    beside(IMAGE).ask("a", inputs={"Picture": ()})  # no file
    fake.ask("a", inputs={"Second": (PNG,)})
    assert [each and each["path"] for each in fake.sent("queue/join")[0]["data"][2:4]] == [
        None,
        "/up/pic.png",
    ]


def test_function_that_works_on_an_upload_is_run_with_it() -> None:
    """Before the message is taken."""
    fake = beside(component(20, "uploadbutton"), component(4, "state"))
    described = page_config(component(4, "state"), component(20, "uploadbutton"))
    described["dependencies"][0]["inputs"] = [2, 1, 4]
    described["dependencies"].append(function(7, [20], [4], (20, "upload"), **PLAIN))
    fake.table |= {"config": reply(described), "run/predict": reply({"data": [None]})}
    fake.ask(Message("user", "a", (PNG,)))
    assert fake.asked == ["config", "upload", "run/predict", "queue/join", "queue/data"]
    assert fake.sent("run/predict")[0]["data"][0][0]["path"] == "/up/pic.png"
