"""A loopback stand-in for the chat services, for tests without the network.

    with Sandbox() as sandbox:
        ...                     # talk to sandbox.base_url
        sandbox.requests        # what arrived
        sandbox.prompts         # what the model was given

`FlowGptSandbox` is the same for FlowGPT.

Needs the extra `sandbox` (starlette and uvicorn), which is imported when a sandbox is made.

    with GradioSpace("phi4") as space:
        ...                     # talk to space.base_url, a real Gradio server
        space.calls             # what the app was given

Needs the extra `sandbox-gradio`, or another interpreter that has gradio.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_g4f.testing.chat_ui.options import SandboxModel
    from langchain_g4f.testing.chat_ui.store import Conversation, Message
    from langchain_g4f.testing.flowgpt.sandbox import FlowGptSandbox
    from langchain_g4f.testing.gradio_space.calls import GradioCall, GradioFile
    from langchain_g4f.testing.gradio_space.space import GradioSpace
    from langchain_g4f.testing.recording import RecordedFile, RecordedRequest
    from langchain_g4f.testing.sandbox import Sandbox
    from langchain_g4f.testing.script import Prompt, Reply, Script, echo

__all__ = [
    "Conversation",
    "FlowGptSandbox",
    "GradioCall",
    "GradioFile",
    "GradioSpace",
    "Message",
    "Prompt",
    "RecordedFile",
    "RecordedRequest",
    "Reply",
    "Sandbox",
    "SandboxModel",
    "Script",
    "echo",
]

_HOMES = {
    name: module
    for module, names in {
        "chat_ui.options": ("SandboxModel",),
        "chat_ui.store": ("Conversation", "Message"),
        "flowgpt.sandbox": ("FlowGptSandbox",),
        "gradio_space.calls": ("GradioCall", "GradioFile"),
        "gradio_space.space": ("GradioSpace",),
        "recording": ("RecordedFile", "RecordedRequest"),
        "sandbox": ("Sandbox",),
        "script": ("Prompt", "Reply", "Script", "echo"),
    }.items()
    for name in names
}


def __getattr__(name: str) -> object:
    """Import a public name at its first use."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted(__all__)
