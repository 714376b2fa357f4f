"""Credentials reach a provider, and nothing else."""

from __future__ import annotations

import asyncio
import copy
import logging
import pickle
import traceback
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.load import dumps, loads
from langchain_core.tracers.base import BaseTracer
from pydantic import SecretStr, ValidationError

from langchain_g4f import ChatG4F, g4f_chat_model
from langchain_g4f import errors as ours
from tests.g4f_standins import responses as r
from tests.g4f_standins.families import NEW
from tests.g4f_standins.providers import Fail, Thorough, chat, scripted
from tests.unit.chat_models.g4f.conftest import Ask

KEY = "canary-4711-of-a-key"
SECRETS: dict[str, Any] = {
    "api_key": KEY,
    "cookies": f"session={KEY}; other={KEY}-too",
    "proxy": f"http://user:{KEY}@127.0.0.1:3128",
    "auth_result": {"api_key": KEY, "headers": {"x": KEY}},
    "conversation": {"id": "1", "cookies": {"a": KEY}, "deep": {"access_token": KEY}},
}
in_threads = pytest.mark.parametrize("in_thread", [False, True])


class Keyed(Thorough):
    """Can be imported, as a model has to be that travels."""

    script = (r.ImageResponse("https://a.example/x.png", "", {"cookies": {"c": KEY}}),)


def with_secrets(provider: Any = Keyed, **settings: Any) -> ChatG4F:
    """A model with a secret in each place that has one."""
    return ChatG4F(provider=provider, max_retries=0, **{**SECRETS, **settings})


# -- what is written down of a model ---------------------------------------------------------------


@pytest.mark.proves("g4f:8:secrets")
@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize(
    "show",
    [
        pytest.param(dumps, id="dumps"),
        pytest.param(repr, id="repr"),
        pytest.param(str, id="str"),
        pytest.param(ChatG4F.asdict, id="asdict"),
        pytest.param(ChatG4F.model_dump, id="model_dump"),
        pytest.param(ChatG4F.model_dump_json, id="model_dump_json"),
        pytest.param(ChatG4F._get_ls_params, id="ls_params"),
        pytest.param(lambda model: model.params, id="params"),
        pytest.param(lambda model: model.get_parameters(as_json=True), id="get_parameters"),
        pytest.param(lambda model: repr(model.auth_result), id="auth_result"),
        pytest.param(pickle.dumps, id="pickle"),
        pytest.param(lambda model: pickle.dumps(copy.deepcopy(model)), id="copied"),
    ],
)
def test_secrets_are_in_nothing_that_is_written_down(show: Any, asked: bool) -> None:
    """Nor after a call that got files which take cookies to fetch."""
    model = with_secrets()
    if asked:
        model.invoke("hi")
        assert KEY in repr(model._access)
    assert KEY not in str(show(model))


@pytest.mark.proves("g4f:8:secrets")
@pytest.mark.filterwarnings("ignore:The function `loads` is in beta")
def test_model_travels_without_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its provider is named, and its credentials come from the environment of who loads it."""
    monkeypatch.setenv("G4F_API_KEY", "mine")
    model = with_secrets(cookies=None)
    loaded = loads(
        dumps(model),
        allowed_objects=[ChatG4F],
        valid_namespaces=["langchain_g4f"],
        secrets_from_env=True,
    )
    assert (loaded.wrapped, loaded.api_key) == (Keyed, SecretStr("mine"))
    unpickled = pickle.loads(pickle.dumps(model))  # noqa: S301 -- our own
    assert unpickled.wrapped is Keyed
    assert (unpickled.api_key, unpickled.auth_result) == (None, None)
    assert loaded.conversation == unpickled.conversation == {"id": "1", "deep": {}}
    assert unpickled.proxy == SecretStr("http://127.0.0.1:3128")
    assert model.auth_result.api_key == KEY


@pytest.mark.parametrize("provider", [Keyed(), scripted(Thorough, "a")])
def test_copy_shares_what_belongs_to_the_caller(provider: Any) -> None:
    """The provider, which may be in use, and its credentials."""
    model = with_secrets(provider)
    copied = copy.deepcopy(model)
    assert copied.wrapped is provider
    assert copied.auth_result is model.auth_result
    assert copied.conversation is not model.conversation


# -- what is written down of a call ----------------------------------------------------------------


# -- what is written down of an error --------------------------------------------------------------


class Runs(BaseTracer):
    """Keeps what a tracer writes down of a failure."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[str] = []

    def _persist_run(self, run: Any) -> None:
        self.errors.append(str(run.error))


def everything(error: BaseException) -> str:
    """All that could be written of an error, with the variables of our frames and of `Leaking`."""
    ours_and_theirs = ("/langchain_g4f/", "request", "create_async_generator")
    found, links = [], [error]
    while links:
        link = links.pop()
        shown = traceback.TracebackException.from_exception(link, capture_locals=True)
        found += [
            repr(frame.locals)
            for frame in shown.stack
            if any(name in f"{frame.filename} {frame.name}" for name in ours_and_theirs)
        ]
        found += [*traceback.format_exception(link), repr(link), repr(link.args), repr(vars(link))]
        links += [each for each in (link.__cause__, link.__context__) if each is not None]
    return "".join(found)


class Leaking(Thorough):
    """Has credentials in its variables when it fails, and in its words."""

    @classmethod
    async def create_async_generator(  # type: ignore[override]
        cls, model: str, messages: Any, *, api_key: str, cookies: Any, proxy: str, **kwargs: Any
    ) -> Any:
        headers = {"authorization": f"Bearer {api_key}", "cookie": str(cookies)}
        cls.calls.append(headers)  # type: ignore[arg-type]
        try:
            cls.request(headers)
        except ValueError as error:
            raise NEW["ResponseError"](f"refused: api_key={api_key}") from error
        yield ""

    @staticmethod
    def request(headers: dict[str, str]) -> None:
        raise ValueError("refused")


@pytest.mark.proves("g4f:8:secrets")
@in_threads
async def test_error_has_no_secret_in_its_text_or_its_frames(
    in_thread: bool, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    """Though the provider's variables and its own words have."""
    caplog.set_level(logging.DEBUG)
    provider = scripted(Leaking)
    settings = {"auth_result": None, "conversation": None, "run_in_thread": in_thread}
    with pytest.raises(ours.G4FError) as caught:
        await ask(with_secrets(provider, **settings))
    assert KEY in repr(provider.calls)
    written = everything(caught.value)
    assert "in request" in written
    assert KEY not in written + caplog.text
    assert KEY not in pickle.dumps(caught.value).decode("latin-1")


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


class SlottedError(ValueError):
    """Fails to say what it holds."""

    @property
    def response(self) -> object:
        raise LookupError(KEY)


def failure_with(where: str) -> BaseException:
    """An exception that has the key somewhere."""
    others = {"mute": MuteError(), "opaque": SlottedError("odd"), "exit": SystemExit(KEY)}
    error: BaseException = others.get(where) or QuotingError(where)
    if where in ("cause", "context", "group"):
        inner, error = QuotingError("words"), ValueError("odd")
        if where == "group":
            return ExceptionGroup("odd", [inner])
        setattr(error, f"__{where}__", inner)
    return error


PLACES = (
    *("words", "note", "attribute", "request", "cause", "context", "group"),
    *("mute", "opaque", "exit"),
)


@pytest.mark.proves("g4f:8:secrets", "g4f:4:chained", "fault:68:G4")
@in_threads
@pytest.mark.parametrize("where", PLACES)
async def test_no_trace_has_the_key(where: str, in_thread: bool, ask: Ask) -> None:
    """A stand-in is chained, which says what it stands for, and where that was raised."""
    model = chat("Ray", Fail(failure_with(where)), api_key=KEY, run_in_thread=in_thread)
    tracer = Runs()
    with pytest.raises(ours.StreamError) as caught:
        await ask(model, config={"callbacks": [tracer]})
    assert KEY not in tracer.errors[0] + everything(caught.value)
    assert "in play" in tracer.errors[0]
    if where in ("words", "cause", "exit"):
        assert ": **********" in tracer.errors[0]


@pytest.mark.proves("g4f:8:secrets", "fault:68:G4")
async def test_error_of_a_candidate_is_not_chained_with_the_key(ask: Ask) -> None:
    """Nor is one that was yielded, nor that of a list of models."""
    restarted = (ValueError(KEY), "a", r.ProviderInfo(name="B", model="b"))
    for script in (restarted, (ValueError(KEY),), (ValueError(KEY), Fail(KeyError("odd")))):
        with pytest.raises(ours.StreamError) as caught:
            await ask(chat(*script, api_key=KEY))
        assert KEY not in everything(caught.value)
        assert "RedactedError: ValueError: *" in everything(caught.value)
    refused = Fail(ValueError(f"refused: {KEY}"))
    listing = ChatG4F(provider=scripted(Thorough, get_models=refused.play), api_key=KEY)
    with pytest.raises(ours.G4FError) as caught_list:
        listing.get_models()
    assert KEY not in everything(caught_list.value)


# -- code of a provider's that is no answer --------------------------------------------------------


@pytest.mark.proves("fault:68:G4")
@pytest.mark.parametrize("raised", [asyncio.CancelledError, SystemExit])
async def test_lists_and_modules_do_not_end_the_program(
    raised: type[BaseException], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is asked for in code of the provider's."""
    model = chat("a")
    model.wrapped.get_models = Fail(raised("7")).play
    said = f"ended by {raised.__name__}"
    with pytest.raises(ours.StreamInterruptedError, match=said):
        model.get_models()
    with pytest.raises(ours.StreamInterruptedError, match=said):
        await model.aget_models()
    name = f"exits_with_{raised.__name__}"
    kind = f"from {raised.__module__} import {raised.__name__} as Raised"
    (tmp_path / f"{name}.py").write_text(f"{kind}\nraise Raised('7')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValidationError, match=f"cannot be imported.*{said}"):
        ChatG4F(provider=f"{name}:Some")


class Lazy:
    """A module of providers that asks its service when one is named."""

    __all__ = ("Any",)

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        raise self.error


@pytest.mark.proves("g4f:9:by-name", "g4f:7:any-provider", "fault:68:G4")
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
    """By an error of ours; the user's interrupt stays one."""
    with pytest.raises(wanted, match=r"Any.*no way") as caught:
        g4f_chat_model("Any:gpt", providers=Lazy(error))
    assert caught.value.__cause__ is error
    with pytest.raises(KeyboardInterrupt):
        g4f_chat_model("Any:gpt", providers=Lazy(KeyboardInterrupt()))


def test_plain_model_travels() -> None:
    """With its provider, and with what it learnt of it left behind."""
    model = ChatG4F(provider=Keyed, seed=7)
    model.invoke("hi")
    found = pickle.loads(pickle.dumps(model))  # noqa: S301 -- our own
    assert (found.wrapped, found.seed, found.conversation) == (Keyed, 7, None)
    assert found.invoke("hi").additional_kwargs["files"]
