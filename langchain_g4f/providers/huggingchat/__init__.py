"""HuggingChat, and any other huggingface/chat-ui server: its wire as plans and decoders.

Follows docs/protocols/huggingchat.md; sections are named where they matter.
"""

from langchain_g4f.providers.huggingchat.answer import NAME
from langchain_g4f.providers.huggingchat.models import list_models
from langchain_g4f.providers.huggingchat.plan import plan

__all__ = ["NAME", "list_models", "plan"]
