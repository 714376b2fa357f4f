"""Credentials reach a provider, and nothing else."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumps, loads
from pydantic import SecretStr

from langchain_g4f import ChatG4F
from langchain_g4f.errors import G4FError
from tests.g4f_standins import errors
from tests.g4f_standins import responses_old as old
from tests.g4f_standins.authed import PlainAuthed
from tests.g4f_standins.providers_new import AsyncGeneratorProvider, Thorough, scripted
from tests.g4f_standins.script import Fail
from tests.unit.chat_models.ways import WAYS, ask

CANARY = "canary-4711"
SECRETS: dict[str, Any] = {
    "api_key": CANARY,
    "cookies": f"session={CANARY}; other={CANARY}-too",
    "proxy": f"http://user:{CANARY}@127.0.0.1:3128",
    "auth_result": {"api_key": CANARY, "headers": {"x": CANARY}},
    "conversation": {"id": "1", "cookies": {"a": CANARY}, "deep": {"access_token": CANARY}},
}


class Keyed(Thorough):
    """Can be imported, as a model has to be that travels."""

    script = (old.ImageResponse("https://a.example/x.png", "", {"cookies": {"c": CANARY}}),)


def model_with_secrets(provider: Any = Keyed, **settings: Any) -> ChatG4F:
    """A model with a secret in each place that has one."""
    return ChatG4F(provider=provider, max_retries=0, **{**SECRETS, **settings})


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
    model = model_with_secrets()
    if asked:
        model.invoke("hi")
        assert CANARY in repr(model._access)
    assert CANARY not in str(show(model))


@pytest.mark.proves("g4f:8:secrets")
@pytest.mark.filterwarnings("ignore:The function `loads` is in beta")
def test_model_travels_without_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its provider is named, and its credentials come from the environment of who loads it."""
    monkeypatch.setenv("G4F_API_KEY", "mine")
    model = model_with_secrets(cookies=None)
    loaded = loads(
        dumps(model),
        allowed_objects=[ChatG4F],
        valid_namespaces=["langchain_g4f"],
        secrets_from_env=True,
    )
    assert loaded.wrapped is Keyed
    assert loaded.api_key == SecretStr("mine")
    assert loaded.conversation == {"id": "1", "deep": {}}
    unpickled = pickle.loads(pickle.dumps(model))  # noqa: S301 -- our own
    assert unpickled.wrapped is Keyed
    assert (unpickled.api_key, unpickled.auth_result) == (None, None)
    assert unpickled.conversation == {"id": "1", "deep": {}}
    assert unpickled.proxy == SecretStr("http://127.0.0.1:3128")
    assert model.auth_result.api_key == CANARY


def test_plain_model_travels() -> None:
    """With its provider, and with what it learnt of it left behind."""
    model = ChatG4F(provider=Keyed, seed=7)
    model.invoke("hi")
    found = pickle.loads(pickle.dumps(model))  # noqa: S301 -- our own
    assert (found.wrapped, found.seed, found.conversation) == (Keyed, 7, None)
    assert found.invoke("hi").additional_kwargs["files"]


@pytest.mark.parametrize("provider", [Keyed(), scripted(Thorough, "a")])
def test_copy_shares_what_belongs_to_the_caller(provider: Any) -> None:
    """The provider, which may be in use, and its credentials."""
    model = model_with_secrets(provider)
    copied = copy.deepcopy(model)
    assert copied.wrapped is provider
    assert copied.auth_result is model.auth_result
    assert copied.conversation is not model.conversation


class Tracer(BaseCallbackHandler):
    """Keeps all that a tracer would send away."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.seen += [args, kwargs]

    def on_llm_new_token(self, *args: Any, **kwargs: Any) -> None:
        self.seen += [args, kwargs]

    def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        self.seen += [args, kwargs]

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        self.seen += [repr(error), vars(error), *shown.format()]


class Leaking(Thorough):
    """Has credentials in its variables when it fails, and in a cause."""

    @classmethod
    async def create_async_generator(  # type: ignore[override]
        cls, model: str, messages: Any, *, api_key: str, cookies: Any, proxy: str, **kwargs: Any
    ) -> Any:
        headers = {"authorization": f"Bearer {api_key}", "cookie": str(cookies)}
        cls.calls.append(headers)  # type: ignore[arg-type]
        try:
            cls.request(headers)
        except ValueError as error:
            raise errors.NEW["ResponseError"](f"refused: api_key={api_key}") from error
        yield ""

    @staticmethod
    def request(headers: dict[str, str]) -> None:
        raise ValueError("refused")


@pytest.mark.proves("g4f:8:secrets")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("in_thread", [False, True])
async def test_error_has_no_secret_in_its_text_or_its_frames(
    in_thread: bool, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Though the provider's variables and its own words have; those words are its own, behind."""
    caplog.set_level(logging.DEBUG)
    provider = scripted(Leaking)
    model = model_with_secrets(
        provider, auth_result=None, conversation=None, run_in_thread=in_thread
    )
    tracer = Tracer()
    with pytest.raises(G4FError) as caught:
        await ask(model, way, "hi", config={"callbacks": [tracer]})
    assert CANARY in repr(provider.calls)
    error = caught.value
    assert CANARY not in repr((str(error), vars(error), error.args))
    frames: list[str] = []
    link: BaseException | None = error
    while link is not None:
        shown = traceback.TracebackException.from_exception(link, capture_locals=True)
        frames += [repr(frame.locals) for frame in shown.stack if "g4f" in frame.filename]
        link = link.__cause__
    assert frames
    assert CANARY not in "".join(frames)
    assert CANARY not in caplog.text
    assert CANARY not in pickle.dumps(error).decode("latin-1")


@pytest.mark.proves("g4f:8:secrets", "g4f:5:auth-result", "g4f:5:conversation")
@pytest.mark.parametrize("way", WAYS)
async def test_answer_and_trace_have_no_secret(way: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever of it the provider yields."""
    caplog.set_level(logging.DEBUG)
    secret = {"a": CANARY}
    image = ("https://a.example/x.png", "x", {"cookies": secret, "headers": secret})
    yielded = (
        old.AuthResult(api_key=CANARY, cookies=secret),
        old.RequestLogin("Some", "https://login.example"),
        "a",
        old.Conversation(id="1", cookies=secret, headers=secret, auth_result=secret),
        old.Parameters(api_key=CANARY, seed=1),
        old.ImageResponse(*image),
        old.ImagePreview(*image),
        old.RawResponse(set_cookie=CANARY, session_token=CANARY, a=[{"password": CANARY}]),
    )
    tracer = Tracer()
    steps: list[Any] = []
    provider = scripted(PlainAuthed, *yielded)
    model = model_with_secrets(
        provider, include_raw=True, on_progress=steps.append, conversation=None
    )
    answer = await ask(model, way, "hi", config={"callbacks": [tracer]})
    assert answer.text == "a"
    assert CANARY not in repr((answer, steps, tracer.seen))
    assert CANARY not in pickle.dumps(answer).decode("latin-1")
    assert CANARY not in caplog.text
    assert CANARY in repr(vars(provider.calls[0].given["auth_result"]))


@pytest.mark.proves("g4f:8:secrets")
@pytest.mark.parametrize("way", WAYS)
async def test_error_does_not_quote_what_was_given(way: str) -> None:
    """Whatever its words are, raised or yielded; what is too short to be one stays readable."""
    said = f"no such key: <{CANARY}>, <a>"
    for step in (Fail(ValueError(said)), {"error": said}):
        for given in ("api_key", "cookies", "proxy", "auth_result"):
            provider = scripted(PlainAuthed if given == "auth_result" else Keyed, step)
            settings: Any = {given: SECRETS[given]}
            with pytest.raises(G4FError, match=r"no such key: <[*]+>, <a>") as caught:
                await ask(ChatG4F(provider=provider, **settings), way, "hi")
            assert CANARY not in repr((str(caught.value), vars(caught.value)))


async def test_login_that_is_yielded_is_gone_after_a_failure() -> None:
    """An answer that breaks off afterwards does not show it."""
    provider = scripted(
        AsyncGeneratorProvider, old.AuthResult(api_key=CANARY), "a", Fail(ValueError("broke"))
    )
    with pytest.raises(G4FError) as caught:
        await ChatG4F(provider=provider).ainvoke("hi")
    assert CANARY not in repr(vars(caught.value))
