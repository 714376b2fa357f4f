"""Chat with any Gradio Space: docs/protocols/gradio-space.md as a plan and decoders."""

from langchain_g4f.providers.gradio_space.app import App, Component, Function, read_app
from langchain_g4f.providers.gradio_space.discovery import Chat, find_chat
from langchain_g4f.providers.gradio_space.files import fetch
from langchain_g4f.providers.gradio_space.identity import whoami
from langchain_g4f.providers.gradio_space.offer import models_of, takes_of
from langchain_g4f.providers.gradio_space.plan import plan
from langchain_g4f.providers.gradio_space.space import known_app, open_app
from langchain_g4f.providers.gradio_space.where import HUB, Where

__all__ = [
    "HUB",
    "App",
    "Chat",
    "Component",
    "Function",
    "Where",
    "fetch",
    "find_chat",
    "known_app",
    "models_of",
    "open_app",
    "plan",
    "read_app",
    "takes_of",
    "whoami",
]
