"""What providers of the newer generation yield, where it differs from the older."""

from __future__ import annotations

from typing import Any

from tests.g4f_standins import responses_old
from tests.g4f_standins.responses_old import HiddenResponse, JsonMixin, ResponseType


class Sources(responses_old.Sources):
    pass


class SearchResults(ResponseType):
    def __init__(self, results: list[dict[str, str]]) -> None:
        self.results = results


class AudioResponse(ResponseType):
    def __init__(self, data: bytes | str, transcript: str = "", **options: Any) -> None:
        self.data, self.transcript, self.options = data, transcript, options


class ImagePreview(responses_old.ImagePreview, HiddenResponse):
    pass


class YouTubeResponse(HiddenResponse):
    def __init__(self, ids: list[str], add_links: bool = False) -> None:
        self.ids, self.add_links = ids, add_links


class JsonRequest(JsonMixin, ResponseType):
    pass


class JsonResponse(JsonMixin, ResponseType):
    def __str__(self) -> str:
        return str(self.get_dict())


class HeadersResponse(JsonMixin, ResponseType):
    pass
