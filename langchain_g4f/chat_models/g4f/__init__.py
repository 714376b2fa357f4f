"""ChatG4F: other people's provider classes as a chat model."""

from langchain_g4f.chat_models.g4f.model import ChatG4F

__all__ = ["ChatG4F"]
