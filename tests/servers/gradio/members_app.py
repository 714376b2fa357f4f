"""A chat for members, and one for users of Hugging Face; run by test_acceptance_login.py.

Public apps with ``launch(auth=...)``, and those that act on the Hub for their user, are built so.
"""

from __future__ import annotations

import os

import gradio as gr


def answer(message: str, history: list[object], request: gr.Request) -> str:
    """Say who asks."""
    return f"{request.username} said {message}"


def act(message: str, history: list[object], token: gr.OAuthToken) -> str:
    """Say whose token it is."""
    return f"{message} with {token.token[:7]}"


if os.environ["APP"] == "members":
    demo = gr.ChatInterface(answer)
    demo.launch(auth=[("ada", "pass word &"), ("grace", "hopper")])
else:
    demo = gr.ChatInterface(act)
    demo.launch()
