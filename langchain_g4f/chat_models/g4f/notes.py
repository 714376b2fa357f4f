"""What is said once, at the end of an answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from langchain_g4f.chat_models.g4f.values import finish_reason, pages, plain, usage
from langchain_g4f.core.events import (
    ConversationStarted,
    Event,
    Finish,
    FinishReason,
    Metadata,
    Source,
    Usage,
)

if TYPE_CHECKING:
    from langchain_g4f.core.http import JSON


class Notes:
    """Collects what is said of an answer; where it is said twice, the last time counts.

    Attributes:
        metadata: What has no event of its own.
    """

    def __init__(self) -> None:
        self.metadata: dict[str, JSON] = {}
        self._usage: Usage | None = None
        self._reason: FinishReason = "stop"
        self._conversation: object = None
        self._sources: list[JSON] = []
        self._images: list[JSON] = []
        self._searched: list[JSON] = []

    def usage(self, value: Any) -> None:
        """Token counts."""
        self._usage = usage(value) or self._usage

    def finish(self, value: Any) -> None:
        """Why the answer ended."""
        self._reason = finish_reason(str(getattr(value, "reason", "") or ""))

    def conversation(self, value: Any) -> None:
        """The state that a later call goes on from; a provider may still write to it."""
        self._conversation = value

    def followups(self, value: Any) -> None:
        """What could be asked next."""
        found = getattr(value, "suggestions", None) or ()
        self.metadata["suggested_followups"] = [str(each) for each in found]

    def search(self, value: Any) -> None:
        """The pages of a search."""
        for page in pages(value):
            self._searched.append({"url": page.url, "title": page.title, "snippet": page.snippet})

    def source(self, source: Source) -> None:
        """A page the answer rests on."""
        self._sources.append({"url": source.url, "title": source.title})

    def image(self, url: str) -> None:
        """Where a picture of the answer is."""
        self._images.append(url)

    def parameters(self, value: Any) -> None:
        """The parameters that counted."""
        self.metadata["parameters"] = plain(value)

    def synthesize(self, value: Any) -> None:
        """What the answer can be spoken with."""
        self.metadata["synthesize"] = plain(value)

    def events(self) -> Iterator[Event]:
        """All of it."""
        if self._conversation is not None:
            yield ConversationStarted(plain(self._conversation))
        if self._usage is not None:
            yield self._usage
        named = {
            "sources": self._sources,
            "images": self._images,
            "search_results": self._searched,
        }
        if metadata := self.metadata | {name: found for name, found in named.items() if found}:
            yield Metadata(metadata)
        yield Finish(self._reason)


__all__ = ["Notes"]
