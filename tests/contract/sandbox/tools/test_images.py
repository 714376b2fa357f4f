"""Images in the results of tools go where the service takes images."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool

from langchain_g4f.errors import UnsupportedMediaError
from langchain_g4f.testing import Sandbox
from tests.contract.sandbox.huggingchat.pictures import base64_of, picture, read, seen, uploads
from tests.contract.sandbox.tools.agents import WAYS, asked, run
from tests.contract.sandbox.tools.service import VISION, Serve, call, service

RED = picture("red")


@tool
def take_photo() -> list[dict[str, Any]]:
    """Take a photo."""
    image = {"type": "image", "base64": base64_of(RED), "mime_type": "image/png"}
    return [{"type": "text", "text": "Here it is."}, image]


@pytest.mark.parametrize("way", WAYS)
async def test_image_of_a_tool_is_uploaded_with_its_result(serve_native: Serve, way: str) -> None:
    """The model sees the very bytes, with the message that has the result, and once."""
    chat = serve_native(call("take_photo"), "It is red.", "Yes, red.", model=VISION)
    sandbox = chat.sandbox
    assert isinstance(sandbox, Sandbox)
    agent = create_agent(chat.model, [take_photo])
    state = await run(agent, way, asked("Take a photo. What is on it?"))
    (result,) = [m for m in state["messages"] if isinstance(m, ToolMessage)]
    assert seen(sandbox) == [RED]
    assert read(sandbox) == (
        f'<tool_response id="{result.tool_call_id}" name="take_photo" status="success">\n'
        "Here it is.\n</tool_response>"
    )
    assert [len(names) for names in uploads(sandbox)] == [0, 1]
    asked_for_models = 2 if chat.kind == "huggingchat-legacy" else 1
    chat.expect_cost(2, asked_for_models)

    state = await run(agent, way, [*state["messages"], *asked("Really?")])
    assert state["messages"][-1].text == "Yes, red."
    assert [len(names) for names in uploads(sandbox)] == [0, 1, 0]
    assert len(sandbox.conversations) == 1
    chat.expect_cost(3, asked_for_models)


@pytest.mark.parametrize("way", WAYS)
async def test_image_of_a_tool_for_a_service_without_images_is_an_error(way: str) -> None:
    """It is not dropped in silence: nothing more is sent."""
    with service("flowgpt", call("take_photo")) as chat:
        agent = create_agent(chat.model, [take_photo])
        with pytest.raises(UnsupportedMediaError, match="text only"):
            await run(agent, way, asked("Take a photo."))
        chat.expect_cost(answers=1)
