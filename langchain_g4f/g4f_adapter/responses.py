"""The objects that a provider yields, as events.

Objects are known by the names of their classes, the most derived first, and their attributes are
read with defaults (docs/protocols/g4f-provider-interface.md, sections 5 and 9). Text is searched
for ``<think>`` marks, which may be split anywhere. If an answer starts again after text was
given, that is an error or is marked, because text that was given cannot be withdrawn.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from langchain_g4f.core.events import (
    ConversationStarted,
    Event,
    File,
    Finish,
    FinishReason,
    Metadata,
    ModelInfo,
    NonStandard,
    Progress,
    Reasoning,
    Source,
    Text,
    Title,
    Usage,
)
from langchain_g4f.core.http import JSON
from langchain_g4f.errors import (
    EmptyResponseError,
    G4FError,
    StreamInterruptedError,
    TooLargeError,
)
from langchain_g4f.g4f_adapter import values
from langchain_g4f.g4f_adapter.errors import error_in, translated
from langchain_g4f.g4f_adapter.request import ProviderCall
from langchain_g4f.g4f_adapter.values import plain
from langchain_g4f.text.think import ThinkSplitter

_FILES_KEPT = 200


class ResponseReader:
    """Reads one answer: `read` each object that is yielded, then `close`.

    Attributes:
        begun: Whether a part of the answer was given.
    """

    def __init__(self, call: ProviderCall) -> None:
        self.begun = False
        self._call = call
        self._around = sys.exception()
        self._failure: Exception | None = None
        self._size = 0
        self._limit = call.limits.sizes.response
        self._splitter = ThinkSplitter()
        self._thinking = False
        self._texts: list[str] = []
        self._tool_calls = values.ToolCallReader()
        self._model = call.model
        self._usage: Usage | None = None
        self._reason: FinishReason = "stop"
        self._conversation: object = None
        self._metadata: dict[str, JSON] = {}
        self._lists: dict[str, list[JSON]] = {"sources": [], "images": [], "search_results": []}

    def read(self, value: object) -> Iterable[Event]:
        """The events of an object that was yielded.

        Raises:
            TooLargeError: The answer is larger than the limit.
        """
        if type(value) is str:  # nearly everything is
            return self._text(value)
        if value is None:
            return ()
        if isinstance(value, Exception):
            self._failure = value
            return ()
        for kind in type(value).__mro__:
            reader = _READERS.get(kind.__name__)
            if reader is not None:
                if kind.__name__ != "Reasoning":  # there are many, and their text is counted
                    self._count(values.size_of(value))
                return reader(self, value)
        if isinstance(value, str):
            return self._text(str.__str__(value))
        if isinstance(value, bytes):
            return self._text(value.decode(errors="replace"))
        return self._unknown(value)

    def close(self) -> list[Event]:
        """The events that end the answer: what is said once, the last of each kind.

        Raises:
            G4FError: There is nothing in the answer.
        """
        if not self.begun and self._failure is not None:
            raise self.failed(self._failure)
        events = [*map(self._given, self._splitter.close())]
        if not (self.begun or self._call.allow_empty):
            provider = self._call.provider
            raise EmptyResponseError(f"{provider}: the answer is empty", provider=provider)
        self._call.done(self._model)
        if self._conversation is not None:  # the provider may have written to it until now
            events.append(ConversationStarted(plain(self._conversation)))
        if self._usage is not None:
            events.append(self._usage)
        if metadata := self._metadata | {n: found for n, found in self._lists.items() if found}:
            events.append(Metadata(metadata))
        return [*events, Finish(self._reason)]

    def failed(self, error: Exception) -> G4FError:
        """Our error for one that ended the answer, with the text that was given before.

        An error that was yielded before is the cause: that of a candidate which was given up.
        """
        if self._failure not in (None, error) and error.__cause__ is None:
            error.__cause__ = self._failure
        call = self._call
        ours = translated(
            error,
            call.provider,
            login=call.login,
            secrets=call.secrets,
            begun=self.begun,
            around=self._around,
        )
        if hasattr(ours, "partial_text"):
            ours.partial_text = "".join(self._texts)
        return ours

    def _given(self, event: Text | Reasoning) -> Event:
        self.begun = True
        if isinstance(event, Text):
            self._texts.append(event.text)
        return event

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > self._limit:
            provider = self._call.provider
            msg = f"{provider}: the answer is larger than {self._limit} bytes"
            raise TooLargeError(msg, provider=provider)

    # -- text and reasoning ----------------------------------------------------

    def _text(self, text: str) -> Iterable[Event]:
        if not text:
            return ()
        self._count(len(text))
        if self._thinking:
            return (self._given(Reasoning(text)),)
        return map(self._given, self._splitter.feed(text))

    def _reasoning(self, value: Any) -> Iterable[Event]:
        mark = getattr(value, "is_thinking", None)
        if mark:
            self._thinking = "</" not in str(mark)
            return ()
        if token := str(getattr(value, "token", None) or ""):
            self._count(len(token))
            return (self._given(Reasoning(token)),)
        status, label = getattr(value, "status", None), getattr(value, "label", None)
        if status is None and not label:
            return ()
        return (Progress("status", str(status or label or ""), {"label": str(label or "")}),)

    # -- files and tool calls --------------------------------------------------

    def _media(self, value: Any) -> Iterator[Event]:
        video = "Video" in "".join(kind.__name__ for kind in type(value).__mro__)
        for file in values.media_files(value, "video" if video else "image"):
            self.begun = True
            if file.url and not video:
                self._lists["images"].append(file.url)
            if file.url and (needed := values.access_to(value)):
                self._call.access[file.url] = needed
                if len(self._call.access) > _FILES_KEPT:
                    del self._call.access[next(iter(self._call.access))]
            yield file

    def _audio(self, value: Any) -> Iterable[Event]:
        self.begun = True
        return (values.audio_file(value),)

    def _preview(self, value: Any) -> Iterable[Event]:
        return (Progress("preview", "", plain(value)),)

    def _videos(self, value: Any) -> Iterator[Event]:
        ids = [str(each) for each in getattr(value, "ids", None) or ()]
        self._metadata["youtube_ids"] = [*ids]
        for each in ids:
            self.begun = True
            yield File("", "", f"https://www.youtube.com/watch?v={each}", kind="video")

    def _calls(self, value: Any) -> Iterator[Event]:
        for part in self._tool_calls.read(value):
            self.begun = True
            yield part

    # -- sources ---------------------------------------------------------------

    def _sources(self, value: Any) -> Iterable[Event]:
        return [self._source(page["url"], page["title"]) for page in values.pages(value)]

    def _source(self, url: str, title: str) -> Source:
        self._lists["sources"].append({"url": url, "title": title})
        return Source(url, title)

    def _link(self, value: Any) -> Iterator[Event]:
        url, title = str(getattr(value, "url", "")), str(getattr(value, "title", "") or "")
        yield from self._text(f" [{title or url}]({url})")
        yield self._source(url, title)

    def _search(self, value: Any) -> Iterable[Event]:
        self._lists["search_results"] += map(dict, values.pages(value))
        return ()

    # -- about the answer ------------------------------------------------------

    def _tokens(self, value: Any) -> Iterable[Event]:
        self._usage = values.usage(value) or self._usage
        return ()

    def _finish(self, value: Any) -> Iterable[Event]:
        self._reason = values.finish_reason(value)
        return ()

    def _state(self, value: Any) -> Iterable[Event]:
        self._conversation = value
        return ()

    def _followups(self, value: Any) -> Iterable[Event]:
        found = getattr(value, "suggestions", None) or ()
        self._metadata["suggested_followups"] = [str(each) for each in found]
        return ()

    def _title(self, value: Any) -> Iterable[Event]:
        return (Title(str(getattr(value, "title", ""))),)

    def _noted(self, value: Any, name: str) -> Iterable[Event]:
        self._metadata[name] = plain(value)
        return ()

    def _login(self, value: Any) -> Iterator[Event]:
        yield from self._restarted()  # after a login the provider asks from the start
        url, label = (str(getattr(value, name, "") or "") for name in ("login_url", "label"))
        said = f"{label or self._call.provider} wants a login"
        yield Progress("login_required", said, {"login_url": url, "label": label})

    def _info(self, value: Any) -> Iterator[Event]:
        yield from self._restarted()
        self._metadata["provider"] = str(getattr(value, "name", "") or "")
        model = str(getattr(value, "model", "") or "")
        self._model = model or self._call.model
        yield ModelInfo(model)

    def _restarted(self) -> Iterator[Event]:
        """The provider asks from the start: nothing is left of an open `<think>` mark."""
        if not self.begun:
            return
        if not self._call.mark_restarts:
            msg = f"{self._call.provider}: the answer started again after a part of it was given"
            raise StreamInterruptedError(msg, provider=self._call.provider) from self._failure
        self._metadata["restarted"] = True
        yield from map(self._given, self._splitter.close())
        self._splitter, self._thinking = ThinkSplitter(), False

    # -- no part of the answer -------------------------------------------------

    def _secret(self, _value: Any) -> Iterable[Event]:
        return ()

    def _aside(self, value: Any) -> Iterable[Event]:
        if not self._call.include_raw:
            return ()
        return (NonStandard({"type": type(value).__name__, **plain(value)}),)

    def _unknown(self, value: object) -> Iterable[Event]:
        if isinstance(value, Mapping):
            error = error_in(value, self._call.provider, self._call.secrets)
            if error is not None:
                raise error
        if self._call.include_raw:
            self._count(values.size_of(value))
            return self._aside(value)
        provider, warned = self._call.provider, self._call.warned
        msg = f"{provider} yields a {type(value).__name__}, which is not known: it is left out"
        if msg not in warned:
            warned.add(msg)
            warnings.warn(msg, stacklevel=2)
        return ()


# ruff: noqa: SLF001 -- the table of the methods above
_Read = Callable[[ResponseReader, Any], Iterable[Event]]
_READERS: dict[str, _Read] = {
    "Reasoning": ResponseReader._reasoning,
    "Sources": ResponseReader._sources,
    "SourceLink": ResponseReader._link,
    "SearchResults": ResponseReader._search,
    "ImagePreview": ResponseReader._preview,
    "PreviewResponse": ResponseReader._preview,
    "ImageResponse": ResponseReader._media,
    "VideoResponse": ResponseReader._media,
    "MediaResponse": ResponseReader._media,
    "AudioResponse": ResponseReader._audio,
    "ToolCalls": ResponseReader._calls,
    "Usage": ResponseReader._tokens,
    "FinishReason": ResponseReader._finish,
    "AuthResult": ResponseReader._secret,
    "JsonConversation": ResponseReader._state,
    "TitleGeneration": ResponseReader._title,
    "SuggestedFollowups": ResponseReader._followups,
    "RequestLogin": ResponseReader._login,
    "ProviderInfo": ResponseReader._info,
    "Parameters": partial(ResponseReader._noted, name="parameters"),
    "SynthesizeData": partial(ResponseReader._noted, name="synthesize"),
    "YouTubeResponse": ResponseReader._videos,
    "YouTube": ResponseReader._videos,
    # records of how an answer came about
    "PlainTextResponse": ResponseReader._aside,
    "VariantResponse": ResponseReader._aside,
    "ContinueResponse": ResponseReader._aside,
    "DebugResponse": ResponseReader._aside,
    "RawResponse": ResponseReader._aside,
    "JsonRequest": ResponseReader._aside,
    "JsonResponse": ResponseReader._aside,
    "HeadersResponse": ResponseReader._aside,
}

__all__ = ["ResponseReader"]
