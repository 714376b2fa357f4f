"""Chat with any Gradio Space: docs/protocols/gradio-space.md as a plan and decoders."""

from langchain_g4f.providers.gradio_space.app import App, Component, Function, read_app
from langchain_g4f.providers.gradio_space.capabilities import input_modalities, models_of
from langchain_g4f.providers.gradio_space.config import HUB, SpaceConfig
from langchain_g4f.providers.gradio_space.discovery import Chat, find_chat
from langchain_g4f.providers.gradio_space.files import fetch
from langchain_g4f.providers.gradio_space.identity import whoami
from langchain_g4f.providers.gradio_space.plan import plan
from langchain_g4f.providers.gradio_space.space import cached_app, open_app

__all__ = [
    "HUB",
    "App",
    "Chat",
    "Component",
    "Function",
    "SpaceConfig",
    "cached_app",
    "fetch",
    "find_chat",
    "input_modalities",
    "models_of",
    "open_app",
    "plan",
    "read_app",
    "whoami",
]
