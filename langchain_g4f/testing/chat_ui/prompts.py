"""What the model gets of a conversation: system prompt, branch, documents and images.

Follows docs/protocols/huggingchat.md, section 8, with the quirks seen there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_g4f.testing.script import Prompt

if TYPE_CHECKING:
    from langchain_g4f.testing.chat_ui.models import Catalogue
    from langchain_g4f.testing.chat_ui.store import Conversation, Message
    from langchain_g4f.testing.script import ChatMessage

CLIPBOARD = "application/vnd.chatui.clipboard"

_TEXT_TYPES = {"application/json", "application/xml", "text/csv", "application/csv"}
_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}


@dataclass(frozen=True, slots=True)
class Built:
    """A prompt and how the model was found.

    Attributes:
        prompt: None if a file of the branch is missing.
        route: The router's route, None for a plain model.
        reasons: Whether the model is declared to think.
    """

    prompt: Prompt | None
    route: str | None
    reasons: bool


def build_prompt(
    catalogue: Catalogue,
    conversation: Conversation,
    branch: list[Message],
    settings: dict[str, Any],
    tool_servers: tuple[str, ...] = (),
    *,
    legacy: bool,
) -> Built:
    """Return what the model gets for `branch`, the root first.

    Args:
        catalogue: The models, for routing.
        conversation: Where the files are.
        branch: Messages from the root to the question.
        settings: The caller's settings (section 8).
        tool_servers: Names of the tool servers that were selected.
        legacy: On this generation a system message is sent even when it is empty, and only what
            was pasted reaches the model of the text files.
    """
    model = catalogue.get(conversation.model)
    if model is None:
        return Built(None, None, reasons=False)
    refs = [ref for message in branch for ref in message.files or []]
    if any(ref.value not in conversation.files for ref in refs):
        return Built(None, None, model.supports_reasoning)
    route, tools = None, tool_servers if model.supports_tools else ()
    if model.is_router:
        images = any(_image_type(conversation.files[ref.value].content) for ref in refs)
        route, model = catalogue.route(images=images)
    messages: list[ChatMessage] = []
    preprompt = branch[0].content
    if preprompt or legacy:
        # Seen on both generations: the prompt reaches the model twice.
        both = f"{preprompt}\n\n{preprompt}" if preprompt else ""
        messages.append({"role": "system", "content": both})
    for message in branch[1:]:
        content = _content(conversation, message, images=model.multimodal, legacy=legacy)
        messages.append({"role": message.role, "content": content})
    provider = settings.get("providerOverrides", {}).get(model.id)
    prompt = Prompt(
        model=f"{model.id}:{provider}" if provider else model.id,
        messages=messages,
        reasons=model.supports_reasoning,
        reasoning_effort=settings.get("reasoningEffortOverrides", {}).get(model.id),
        tool_servers=tools,
    )
    return Built(prompt, route, model.supports_reasoning)


def _content(conversation: Conversation, message: Message, *, images: bool, legacy: bool) -> Any:
    documents, pictures = [], []
    for ref in message.files or []:
        content = conversation.files[ref.value].content
        mime = _image_type(content)
        if mime and images:
            pictures.append({"type": "image", "mime_type": mime, "data": content})
        elif ref.mime == CLIPBOARD:
            documents.append(content.decode("utf-8", "replace"))
        elif legacy:
            continue
        elif ref.mime.startswith("text/") or ref.mime in _TEXT_TYPES:
            # The model sees the stored name, not the one the client gave.
            head = f'<document name="{conversation.id}-{ref.value}" type="{ref.mime}">'
            text = content.decode("utf-8", "replace")
            documents.append(f"{head}\n{text}\n</document>")
    text = "\n\n".join([*documents, message.content])
    return [{"type": "text", "text": text}, *pictures] if pictures else text


def _image_type(content: bytes) -> str | None:
    """Return the type of an image by its first bytes; what the client said does not count."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((mime for magic, mime in _MAGIC.items() if content.startswith(magic)), None)
