"""What providers of the older generation yield; classes of others' names and attributes.

An adapter knows them by name, so a class with the right name and the right attributes will do.
"""

from __future__ import annotations

from typing import Any


class ResponseType:
    """Anything that is no text."""


class HiddenResponse(ResponseType):
    """What prints as nothing."""

    def __str__(self) -> str:
        return ""


class JsonMixin:
    """What has any attributes."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def get_dict(self) -> dict[str, Any]:
        return {name: each for name, each in vars(self).items() if not name.startswith("__")}


class Reasoning(ResponseType):
    def __init__(
        self,
        token: str | None = None,
        label: str | None = None,
        status: str | None = None,
        is_thinking: str | None = None,
    ) -> None:
        self.token, self.label, self.status, self.is_thinking = token, label, status, is_thinking


class Sources(ResponseType):
    def __init__(self, sources: list[dict[str, str]]) -> None:
        self.list = sources


class SourceLink(ResponseType):
    def __init__(self, title: str, url: str) -> None:
        self.title, self.url = title, url


class MediaResponse(ResponseType):
    def __init__(
        self, urls: str | list[str], alt: str | None = "", options: dict[str, Any] | None = None
    ) -> None:
        self.urls, self.alt, self.options = urls, alt, options or {}

    def get(self, key: str) -> Any:
        return self.options.get(key)

    def get_list(self) -> list[str]:
        return [self.urls] if isinstance(self.urls, str) else self.urls

    def __str__(self) -> str:
        return "\n".join(f"![{self.alt}]({url})" for url in self.get_list())


class ImageResponse(MediaResponse):
    pass


class ImagePreview(ImageResponse):
    def __str__(self) -> str:
        return ""


class VideoResponse(MediaResponse):
    pass


class AudioResponse(ResponseType):
    def __init__(self, data: bytes | str) -> None:
        self.data = data


class ToolCalls(HiddenResponse):
    def __init__(self, calls: list[dict[str, Any]]) -> None:
        self.list = calls

    def get_list(self) -> list[dict[str, Any]]:
        return self.list


class Usage(JsonMixin, HiddenResponse):
    pass


class FinishReason(HiddenResponse):
    def __init__(self, reason: str | None) -> None:
        self.reason = reason


class JsonConversation(JsonMixin, ResponseType):
    def __str__(self) -> str:
        return ""


class Conversation(JsonConversation):
    """One provider's own."""


class TitleGeneration(HiddenResponse):
    def __init__(self, title: str) -> None:
        self.title = title


class SuggestedFollowups(HiddenResponse):
    def __init__(self, suggestions: list[str]) -> None:
        self.suggestions = suggestions


class RequestLogin(HiddenResponse):
    def __init__(self, label: str, login_url: str) -> None:
        self.label, self.login_url = label, login_url


class AuthResult(JsonMixin, HiddenResponse):
    pass


class ProviderInfo(JsonMixin, HiddenResponse):
    pass


class Parameters(JsonMixin, ResponseType):
    def __str__(self) -> str:
        return ""


class SynthesizeData(JsonMixin, HiddenResponse):
    pass


class PreviewResponse(HiddenResponse):
    def __init__(self, data: str) -> None:
        self.data = data


class PlainTextResponse(HiddenResponse):
    def __init__(self, text: str) -> None:
        self.text = text


class VariantResponse(PlainTextResponse):
    pass


class ContinueResponse(PlainTextResponse):
    pass


class YouTube(HiddenResponse):
    def __init__(self, ids: list[str]) -> None:
        self.ids = ids


class DebugResponse(HiddenResponse):
    def __init__(self, log: str) -> None:
        self.log = log


class RawResponse(JsonMixin, ResponseType):
    pass
