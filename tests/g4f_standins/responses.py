"""What providers of both generations yield: classes with their names and attributes.

The adapter knows objects by the names of their classes, so these will do.
"""

from __future__ import annotations

from typing import Any


class ResponseType:
    """Anything but text."""

    def __str__(self) -> str:
        return "![Markdown for a page](https://page.example)"


class WithAttributes(ResponseType):
    """Has any attributes."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def get_dict(self) -> dict[str, Any]:
        return {name: each for name, each in vars(self).items() if not name.startswith("__")}


def response(name: str, *fields: str, base: type[Any] = ResponseType, **methods: Any) -> Any:
    """A class whose arguments are these fields, in this order; those left out are None."""

    def init(self: Any, *values: Any, **named: Any) -> None:
        given = dict(zip(fields, values, strict=False)) | named
        self.__dict__.update(dict.fromkeys(fields) | given)

    return type(name, (base,), {"__init__": init, **methods})


def _urls(self: Any) -> Any:
    return [self.urls] if isinstance(self.urls, str) else self.urls


MediaResponse = response("MediaResponse", "urls", "alt", "options", get_list=_urls)
ImageResponse = response("ImageResponse", "urls", "alt", "options", base=MediaResponse)
ImagePreview = response("ImagePreview", "urls", "alt", "options", base=ImageResponse)
VideoResponse = response("VideoResponse", "urls", "alt", "options", base=MediaResponse)
AudioResponse = response("AudioResponse", "data", "transcript")
Reasoning = response("Reasoning", "token", "label", "status", "is_thinking")
Sources = response("Sources", "list")
SourceLink = response("SourceLink", "title", "url")
SearchResults = response("SearchResults", "results")
ToolCalls = response("ToolCalls", "list", get_list=lambda self: self.list)
FinishReason = response("FinishReason", "reason")
TitleGeneration = response("TitleGeneration", "title")
SuggestedFollowups = response("SuggestedFollowups", "suggestions")
RequestLogin = response("RequestLogin", "label", "login_url")
PreviewResponse = response("PreviewResponse", "data")
PlainTextResponse = response("PlainTextResponse", "text")
VariantResponse = response("VariantResponse", "text")
ContinueResponse = response("ContinueResponse", "text")
DebugResponse = response("DebugResponse", "log")
YouTube = response("YouTube", "ids")
YouTubeResponse = response("YouTubeResponse", "ids", "add_links")


def _with_attributes(name: str, base: type[Any] = WithAttributes) -> Any:
    return type(name, (base,), {})


Usage = _with_attributes("Usage")
JsonConversation = _with_attributes("JsonConversation")
Conversation = _with_attributes("Conversation", JsonConversation)
AuthResult = _with_attributes("AuthResult")
ProviderInfo = _with_attributes("ProviderInfo")
Parameters = _with_attributes("Parameters")
SynthesizeData = _with_attributes("SynthesizeData")
RawResponse = _with_attributes("RawResponse")
JsonRequest = _with_attributes("JsonRequest")
JsonResponse = _with_attributes("JsonResponse")
HeadersResponse = _with_attributes("HeadersResponse")
