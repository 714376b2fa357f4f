"""HuggingChat, and any other huggingface/chat-ui server: its wire as plans and decoders.

Follows docs/protocols/huggingchat.md; sections are named where they matter.
"""

from langchain_g4f.providers.huggingchat.handle import Handle
from langchain_g4f.providers.huggingchat.login import login_page, whoami
from langchain_g4f.providers.huggingchat.plan import delete, fetch, plan
from langchain_g4f.providers.huggingchat.reader import NAME
from langchain_g4f.providers.huggingchat.server import describe, list_models

__all__ = [
    "NAME",
    "Handle",
    "delete",
    "describe",
    "fetch",
    "list_models",
    "login_page",
    "plan",
    "whoami",
]
