"""A provider that would end the program, show the key, or never stop."""

from __future__ import annotations

import asyncio
import traceback
from itertools import chain, repeat
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.runnables import Runnable
from langchain_core.tracers.base import BaseTracer
from pydantic import ValidationError

from langchain_g4f import ChatG4F, g4f_chat_model
from langchain_g4f import errors as ours
from langchain_g4f.core.limits import MIB
from tests.g4f_standins import responses_old as old
from tests.g4f_standins.errors import NEW
from tests.g4f_standins.providers_new import (
    AsyncGeneratorProvider,
    AsyncProvider,
    StandIn,
    Thorough,
    scripted,
)
from tests.g4f_standins.providers_old import AbstractProvider
from tests.g4f_standins.script import Fail
from tests.unit.chat_models.ways import WAYS, ask

pytestmark = pytest.mark.proves("fault:68:G4")

KEY = "canary-4711-of-a-key"


class Panic(BaseException):
    """As extensions raise, for which no handler of exceptions is made."""


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("raised", [asyncio.CancelledError, SystemExit, GeneratorExit, Panic])
@pytest.mark.parametrize(
    ("base", "in_thread"),
    [
        (AsyncGeneratorProvider, False),
        (AsyncGeneratorProvider, True),
        (AsyncProvider, False),
        (AsyncProvider, True),
        (AbstractProvider, False),
    ],
)
async def test_provider_that_would_end_the_program_ends_the_answer(
    base: Any, in_thread: bool, raised: type[BaseException], begun: bool, way: str
) -> None:
    """It is an error, with what came before; the caller's task is not cancelled."""
    provider = scripted(base, *["Ray"] * begun, Fail(raised("7")), name="Some")
    model = ChatG4F(provider=provider, run_in_thread=in_thread)
    with pytest.raises(ours.StreamInterruptedError) as caught:
        await ask(model, way, "hi")
    assert str(caught.value) == f"Some: ended by {raised.__name__}: 7"
    assert caught.value.partial_text == ("Ray" if begun and base is not AsyncProvider else "")
    assert type(caught.value.__cause__) is raised
    await asyncio.sleep(0)


def test_interrupt_of_the_user_is_the_users() -> None:
    """It comes wherever the program is, and ends it."""
    model = ChatG4F(provider=scripted(AsyncGeneratorProvider, "Ray", Fail(KeyboardInterrupt())))
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(model.ainvoke("hi"))


@pytest.mark.parametrize("raised", [asyncio.CancelledError, SystemExit, Panic])
async def test_lists_and_modules_do_not_end_the_program_either(
    raised: type[BaseException], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is asked for in code of the provider's."""
    provider = scripted(AsyncGeneratorProvider, get_models=lambda: Fail(raised("7")).play())
    said = f"ended by {raised.__name__}"
    with pytest.raises(ours.StreamInterruptedError, match=said):
        ChatG4F(provider=provider).get_models()
    with pytest.raises(ours.StreamInterruptedError, match=said):
        await ChatG4F(provider=provider).aget_models()
    name = f"exits_with_{raised.__name__}"
    kind = f"{raised.__module__}:{raised.__name__}".replace(":", " import ")
    (tmp_path / f"{name}.py").write_text(f"from {kind} as Raised\nraise Raised('7')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValidationError, match=f"cannot be imported.*{said}"):
        ChatG4F(provider=f"{name}:Some")


class Untidy(StandIn):
    """Ends the program while it cleans up."""

    @classmethod
    async def create_async_generator(cls, model: str, messages: Any, **_: Any) -> Any:
        try:
            yield "one STOP"
            yield "never"
        finally:
            Fail(cls.script[0]).play()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("in_thread", [False, True])
@pytest.mark.parametrize("raised", [asyncio.CancelledError, SystemExit])
async def test_provider_that_exits_while_it_cleans_up_has_answered(
    raised: type[BaseException], in_thread: bool, way: str
) -> None:
    """The answer had ended."""
    model = ChatG4F(provider=scripted(Untidy, raised()), stop="STOP", run_in_thread=in_thread)
    assert (await ask(model, way, "hi")).text == "one "


class Lazy:
    """A module of providers that asks its service when one is named."""

    __all__ = ("Any",)

    def __getattr__(self, name: str) -> Any:
        raise self.error

    def __init__(self, error: Exception) -> None:
        self.error = error


@pytest.mark.proves("g4f:9:by-name", "g4f:7:any-provider")
@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (ConnectionRefusedError("no way"), ours.APIConnectionError),
        (NEW["RateLimitError"]("no way"), ours.RateLimitError),
        (ImportError("no way"), ours.ConfigurationError),
        (LookupError("no way"), ours.ConfigurationError),
    ],
    ids=repr,
)
def test_provider_that_fails_when_it_is_named(error: Exception, wanted: type[Exception]) -> None:
    """By an error of ours."""
    with pytest.raises(wanted, match=r"Any.*no way") as caught:
        g4f_chat_model("Any:gpt", providers=Lazy(error))
    assert caught.value.__cause__ is error


class Runs(BaseTracer):
    """Keeps what a tracer writes down of a failure."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[str] = []

    def _persist_run(self, run: Any) -> None:
        self.errors.append(str(run.error))


class QuotingError(ValueError):
    """Repeats a key in all the ways there are."""

    def __init__(self, where: str) -> None:
        super().__init__(KEY if where == "words" else "odd")
        if where == "note":
            self.add_note(f"with {KEY}")
        if where == "attribute":
            self.given = {"x": KEY}
        if where == "request":
            self.request = SimpleNamespace(headers={"authorization": KEY})


class MuteError(ValueError):
    """Fails to say what it is."""

    def __str__(self) -> str:
        raise LookupError(KEY)


def failure_with(where: str) -> BaseException:
    """An exception that has the key somewhere."""
    error: BaseException = QuotingError(where)
    if where in ("cause", "context", "group"):
        inner, error = QuotingError("words"), ValueError("odd")
        if where == "group":
            return ExceptionGroup("odd", [inner])
        setattr(error, f"__{where}__", inner)
    return MuteError() if where == "mute" else SystemExit(KEY) if where == "exit" else error


PLACES = ("words", "note", "attribute", "request", "cause", "context", "group", "mute", "exit")


@pytest.mark.proves("g4f:8:secrets", "g4f:4:chained")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("in_thread", [False, True])
@pytest.mark.parametrize("where", PLACES)
async def test_no_trace_has_the_key(where: str, in_thread: bool, way: str) -> None:
    """A stand-in is chained, which says what it stands for, and where that was raised."""
    model = ChatG4F(
        provider=scripted(AsyncGeneratorProvider, "Ray", Fail(failure_with(where))),
        api_key=KEY,
        run_in_thread=in_thread,
    )
    tracer = Runs()
    with pytest.raises(ours.StreamError) as caught:
        await ask(model, way, "hi", config={"callbacks": [tracer]})
    written = "".join(chain(tracer.errors, everything(caught.value)))
    assert KEY not in written
    assert "in play" in tracer.errors[0]
    if where in ("words", "cause", "exit"):
        assert ": **********" in tracer.errors[0]


def everything(error: BaseException) -> list[str]:
    """All that could be written of an error, with the variables of our own frames."""
    found, links = [], [error]
    while links:
        link = links.pop()
        shown = traceback.TracebackException.from_exception(link, capture_locals=True)
        found += [
            repr(frame.locals) for frame in shown.stack if "/langchain_g4f/" in frame.filename
        ]
        found += [*traceback.format_exception(link), repr(link), repr(link.args), repr(vars(link))]
        links += [each for each in (link.__cause__, link.__context__) if each is not None]
    return found


@pytest.mark.proves("g4f:8:secrets")
async def test_error_of_a_candidate_is_not_chained_with_the_key() -> None:
    """Nor is one that was yielded, nor that of a list of models."""
    restarted = (ValueError(KEY), "a", old.ProviderInfo(name="B", model="b"))
    for script in (restarted, (ValueError(KEY),), (ValueError(KEY), Fail(KeyError("odd")))):
        model = ChatG4F(provider=scripted(AsyncGeneratorProvider, *script), api_key=KEY)
        for way in WAYS:
            with pytest.raises(ours.StreamError) as caught:
                await ask(model, way, "hi")
            assert KEY not in "".join(everything(caught.value))
            assert "RedactedError: ValueError: *" in "".join(everything(caught.value))
    refused = Fail(ValueError(f"refused: {KEY}"))
    listing = ChatG4F(provider=scripted(Thorough, get_models=refused.play), api_key=KEY)
    with pytest.raises(ours.G4FError) as caught_list:
        listing.get_models()
    assert KEY not in "".join(everything(caught_list.value))


MUCH = "x" * 8 * MIB
ENDLESS: dict[str, Any] = {
    "text": MUCH,
    "bytes": MUCH.encode(),
    "reasoning": old.Reasoning(token=MUCH),
    "image": old.ImageResponse("data:image/png;base64," + MUCH),
    "sound": old.AudioResponse(MUCH.encode()),
    "calls": old.ToolCalls([{"function": {"name": "a", "arguments": f'{{"a": "{MUCH}"}}'}}]),
    "sources": old.Sources([{"url": "https://a.example/" + MUCH}]),
}


@pytest.mark.parametrize("way", ["ainvoke", "stream"])
@pytest.mark.parametrize("base", [AsyncGeneratorProvider, AbstractProvider])
@pytest.mark.parametrize("what", ENDLESS)
async def test_answer_that_never_ends_is_too_large(what: str, base: Any, way: str) -> None:
    """Whatever it is made of; no more of it is kept than the limit of every other answer."""
    provider = scripted(base, *repeat(ENDLESS[what], 9))
    model: Runnable[Any, Any] = ChatG4F(provider=provider, timeout=60)
    with pytest.raises(ours.TooLargeError, match=f"larger than {64 * MIB} bytes") as caught:
        await ask(model, way, "hi")
    assert len(caught.value.partial_text) <= 64 * MIB
    assert provider.closed == ["closed"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", [64, 65])
async def test_whole_answer_has_the_same_limit(size: int, way: str) -> None:
    """All of it at once, up to the last byte."""
    model = ChatG4F(provider=scripted(AsyncProvider, "x" * MIB * size))
    if size == 64:
        assert len((await ask(model, way, "hi")).text) == 64 * MIB
        return
    with pytest.raises(ours.TooLargeError):
        await ask(model, way, "hi")
