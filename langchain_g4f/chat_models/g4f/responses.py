"""What a provider yields, as events.

Objects are known by the names of their classes, the most special first, and their attributes
are read with defaults (docs/protocols/g4f-provider-interface.md, sections 5 and 9). Text is
read for ``<think>`` marks, which may be split anywhere. An answer that begins anew after text
was given is an error unless it is to be marked: nothing that was given can be taken back.
"""
# Over 300 lines: the table of all that can be yielded, and what it names, belong together.

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from langchain_g4f.chat_models.g4f.errors import error_in, translated
from langchain_g4f.chat_models.g4f.media import access_to
from langchain_g4f.chat_models.g4f.notes import Notes
from langchain_g4f.chat_models.g4f.values import (
    CallParts,
    audio_file,
    media_files,
    pages,
    plain,
    size_of,
)
from langchain_g4f.core.events import (
    Event,
    File,
    ModelInfo,
    NonStandard,
    Progress,
    Reasoning,
    Source,
    Text,
    Title,
)
from langchain_g4f.core.limits import Sizes
from langchain_g4f.errors import G4FError, StreamInterruptedError, TooLargeError
from langchain_g4f.text.think import ThinkSplitter

_Read = Callable[["ResponseReader", Any], Iterator[Event]]
_FILES_KEPT = 200
_ASIDE = frozenset(
    {
        "PlainTextResponse",
        "VariantResponse",
        "ContinueResponse",
        "DebugResponse",
        "RawResponse",
        "JsonRequest",
        "JsonResponse",
        "HeadersResponse",
    }
)
"""Records of how an answer came about; passed on only where that is asked for."""


class ResponseReader:
    """Reads one answer; ``read`` what is yielded, then ``close``.

    Args:
        provider: Name of the provider, for errors.
        include_raw: Whether records that are no part of an answer are passed on.
        mark_restarts: Whether an answer that begins anew is marked, and no error.
        access: Grows by what has to be sent to fetch a file, by its address.
        login: What a caller can do about an error that wants a login.
        secrets: What no error may quote.
        warned: Grows by what was warned about.
        limit: How large an answer may be: characters of text, and bytes of files.

    Attributes:
        begun: Whether something of the answer was given.
        model: Who answered, as far as the provider says.
    """

    def __init__(
        self,
        provider: str,
        *,
        include_raw: bool = False,
        mark_restarts: bool = False,
        access: dict[str, dict[str, str]] | None = None,
        login: str = "",
        secrets: Sequence[str] = (),
        warned: set[str] | None = None,
        limit: int = Sizes().response,
    ) -> None:
        self.begun = False
        self.model = ""
        self._size = 0
        self._limit = limit
        self._provider = provider
        self._include_raw = include_raw
        self._mark_restarts = mark_restarts
        self._access = {} if access is None else access
        self._warned = set() if warned is None else warned
        self._translated = partial(
            translated, provider=provider, login=login, secrets=secrets, around=sys.exception()
        )
        self._error_in = partial(error_in, provider=provider, secrets=secrets)
        self._splitter = ThinkSplitter()
        self._thinking = False
        self._pieces: list[str] = []
        self._failure: Exception | None = None
        self._call_parts = CallParts()
        self._notes = Notes()

    def read(self, value: object) -> Iterable[Event]:
        """The events of something that was yielded.

        Raises:
            TooLargeError: The answer is larger than the limit.
        """
        if type(value) is str:  # nearly everything is
            return self._text(value)
        return self._read(value)

    def _read(self, value: object) -> Iterator[Event]:
        if value is None:
            return
        if isinstance(value, Exception):
            self._failure = value
            return
        for kind in type(value).__mro__:
            reader = _READERS.get(kind.__name__)
            if reader is not None:
                if kind.__name__ != "Reasoning":  # there are many, and their text is counted
                    self._count(size_of(value))
                yield from reader(self, value)
                return
        if isinstance(value, str):
            yield from self._text(str.__str__(value))
        elif isinstance(value, bytes):
            yield from self._text(value.decode(errors="replace"))
        else:
            yield from self._unknown(value)

    def close(self) -> Iterator[Event]:
        """What ends the answer, and is said once."""
        for event in self._splitter.close():
            yield self._given(event)
        yield from self._notes.events()

    def failed(self, error: Exception) -> G4FError:
        """Our error for one that ended the answer, with what was given until then."""
        earlier = self._failure
        if earlier not in (None, error) and error.__cause__ is None:
            error.__cause__ = earlier
        ours = self._translated(error, begun=self.begun)
        if hasattr(ours, "partial_text"):
            ours.partial_text = self.said
        return ours

    @property
    def said(self) -> str:
        """The text that was given."""
        return "".join(self._pieces)

    @property
    def failure(self) -> Exception | None:
        """The error of a candidate that a provider went on from."""
        return self._failure

    def _given(self, event: Text | Reasoning) -> Event:
        self.begun = True
        if isinstance(event, Text):
            self._pieces.append(event.text)
        return event

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > self._limit:
            msg = f"{self._provider}: the answer is larger than {self._limit} bytes"
            raise TooLargeError(msg, provider=self._provider)

    def _text(self, text: str) -> Iterable[Event]:
        if not text:
            return ()
        self._count(len(text))
        if self._thinking:
            self.begun = True
            return (Reasoning(text),)
        return map(self._given, self._splitter.feed(text))

    def _unknown(self, value: object) -> Iterator[Event]:
        if isinstance(value, Mapping):
            error = self._error_in(value)
            if error is not None:
                raise error
        if self._include_raw:
            self._count(size_of(value))
            yield from self._aside(value)
            return
        name = type(value).__name__
        msg = f"{self._provider} yields a {name}, which is not known: it is left out"
        if msg not in self._warned:
            self._warned.add(msg)
            warnings.warn(msg, stacklevel=2)

    def _aside(self, value: object) -> Iterator[Event]:
        if self._include_raw:
            yield NonStandard({"type": type(value).__name__, **plain(value)})

    def _reasoning(self, value: Any) -> Iterator[Event]:
        mark = getattr(value, "is_thinking", None)
        if mark:
            self._thinking = "</" not in str(mark)
            return
        if token := str(getattr(value, "token", None) or ""):
            self.begun = True
            self._count(len(token))
            yield Reasoning(token)
            return
        status, label = getattr(value, "status", None), getattr(value, "label", None)
        if status is not None or label:
            yield Progress("status", str(status or label or ""), {"label": str(label or "")})

    def _found(self, value: Any) -> Iterator[Event]:
        for page in pages(value):
            yield self._source(page.url, page.title)

    def _source(self, url: str, title: str) -> Source:
        source = Source(url, title)
        self._notes.source(source)
        return source

    def _link(self, value: Any) -> Iterator[Event]:
        url, title = str(getattr(value, "url", "")), str(getattr(value, "title", "") or "")
        yield from self._text(f" [{title or url}]({url})")
        yield self._source(url, title)

    def _media(self, value: Any) -> Iterator[Event]:
        video = "Video" in "".join(kind.__name__ for kind in type(value).__mro__)
        for file in media_files(value, "video" if video else "image"):
            self.begun = True
            if file.url and not video:
                self._notes.image(file.url)
            if file.url and (needed := access_to(value)):
                self._access[file.url] = needed
                if len(self._access) > _FILES_KEPT:
                    del self._access[next(iter(self._access))]
            yield file

    def _audio(self, value: Any) -> Iterator[Event]:
        self.begun = True
        yield audio_file(value)

    def _preview(self, value: Any) -> Iterator[Event]:
        yield Progress("preview", "", plain(value))

    def _calls(self, value: Any) -> Iterator[Event]:
        for part in self._call_parts.read(value):
            self.begun = True
            yield part

    def _title(self, value: Any) -> Iterator[Event]:
        yield Title(str(getattr(value, "title", "")))

    def _login(self, value: Any) -> Iterator[Event]:
        yield from self._anew()  # who has logged in asks from the start
        url, label = (str(getattr(value, name, "") or "") for name in ("login_url", "label"))
        said = f"{label or self._provider} wants a login"
        yield Progress("login_required", said, {"login_url": url, "label": label})

    def _info(self, value: Any) -> Iterator[Event]:
        yield from self._anew()
        self._notes.metadata["provider"] = str(getattr(value, "name", "") or "")
        self.model = str(getattr(value, "model", "") or "")
        yield ModelInfo(self.model)

    def _anew(self) -> Iterator[Event]:
        """The answer is asked for again, with nothing left of what it was in the midst of."""
        if not self.begun:
            return
        if not self._mark_restarts:
            msg = f"{self._provider}: the answer began anew after a part of it was given"
            raise StreamInterruptedError(msg, provider=self._provider) from self._failure
        self._notes.metadata["restarted"] = True
        yield from map(self._given, self._splitter.close())
        self._splitter, self._thinking = ThinkSplitter(), False

    def _videos(self, value: Any) -> Iterator[Event]:
        ids = [str(each) for each in getattr(value, "ids", None) or ()]
        self._notes.metadata["youtube_ids"] = [*ids]
        for each in ids:
            self.begun = True
            yield File("", "", f"https://www.youtube.com/watch?v={each}", kind="video")


def _noted(note: Callable[[Notes, Any], None]) -> _Read:
    """What is said at the end."""

    def read(reader: ResponseReader, value: object) -> Iterator[Event]:
        note(reader._notes, value)
        yield from ()

    return read


# ruff: noqa: SLF001 -- the table of what is above
_READERS: dict[str, _Read] = {
    "Reasoning": ResponseReader._reasoning,
    "Sources": ResponseReader._found,
    "SourceLink": ResponseReader._link,
    "SearchResults": _noted(Notes.search),
    "ImagePreview": ResponseReader._preview,
    "PreviewResponse": ResponseReader._preview,
    "ImageResponse": ResponseReader._media,
    "VideoResponse": ResponseReader._media,
    "MediaResponse": ResponseReader._media,
    "AudioResponse": ResponseReader._audio,
    "ToolCalls": ResponseReader._calls,
    "Usage": _noted(Notes.usage),
    "FinishReason": _noted(Notes.finish),
    "AuthResult": _noted(lambda _notes, _secret: None),
    "JsonConversation": _noted(Notes.conversation),
    "TitleGeneration": ResponseReader._title,
    "SuggestedFollowups": _noted(Notes.followups),
    "RequestLogin": ResponseReader._login,
    "ProviderInfo": ResponseReader._info,
    "Parameters": _noted(Notes.parameters),
    "SynthesizeData": _noted(Notes.synthesize),
    "YouTubeResponse": ResponseReader._videos,
    "YouTube": ResponseReader._videos,
    **dict.fromkeys(_ASIDE, ResponseReader._aside),
}

__all__ = ["ResponseReader"]
