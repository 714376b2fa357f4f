"""An app with a login of its own: logged in to when it asks, with a session for it alone."""

from __future__ import annotations

import asyncio
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from langchain_core.load import dumps, loads
from pydantic import SecretStr

from langchain_g4f import ChatGradioSpace, login, logout, whoami
from langchain_g4f.auth.store import CredentialFile
from langchain_g4f.chat_models import client
from langchain_g4f.core.events import Progress
from langchain_g4f.errors import (
    APIError,
    AuthenticationError,
    ChallengeError,
    ConfigurationError,
    ServerError,
)
from langchain_g4f.providers.gradio_space import provider as gradio_provider
from tests.contract.faults import gradio_script as gr
from tests.contract.faults.byte_server import Action, ByteServer, Exchange, routes
from tests.contract.faults.harness import ask, by_call, by_turns, fail
from tests.contract.faults.registry import CANARY, PATIENT, PHI4
from tests.unit.sign_in.logins import assert_shows_nothing, by_way, log_in, who_is

USER, PASSWORD = "ada", f"{CANARY} & password"
AUTH = (USER, PASSWORD)
COOKIE = "access-token-unsecure-8ltq3K4oLqc"
REFUSED: dict[str, Any] = {
    "gradio5": {"detail": "Not authenticated"},
    "gradio6": {"detail": {"error": "Not authenticated", "auth_message": None}},
}
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a folder for settings of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


class Members:
    """An app that answers those who have logged in.

    Attributes:
        sessions: The values of the cookie that it knows.
        login: What it answers instead, if anything.
    """

    def __init__(self, *, prefix: str = "/gradio_api", refusal: Any = REFUSED["gradio6"]) -> None:
        self.sessions: set[str] = set()
        self.login: Action | None = None
        self._count = 0
        self._refusal = refusal
        self._open = serving()
        self._prefix = prefix

    def __call__(self, exchange: Exchange) -> None:
        """Answer a request."""
        known = any(
            f"{COOKIE}={each}" in (exchange.header("cookie") or "") for each in self.sessions
        )
        if exchange.path == "/login":
            (self.login or self._log_in)(exchange)
        elif exchange.path == f"{self._prefix}/user":
            exchange.respond(200, gr.encode(USER if known else None))
        elif exchange.path.endswith("/user"):
            exchange.respond(404, gr.encode({"detail": "Not Found"}))
        elif known:
            self._open(exchange)
        else:
            exchange.respond(401, gr.encode(self._refusal))

    def _log_in(self, exchange: Exchange) -> None:
        form = {name: value for name, (value,) in parse_qs(exchange.body.decode()).items()}
        if form != {"username": USER, "password": PASSWORD}:
            exchange.respond(400, gr.encode({"detail": "Incorrect credentials."}))
            return
        self._count += 1
        session = f"{CANARY}-session-{self._count}"
        self.sessions.add(session)
        cookies = [("Set-Cookie", f"{COOKIE}={session}; HttpOnly; Path=/; SameSite=lax")]
        exchange.respond(200, b'{"success":true}', cookies)


def serving(**changes: Action) -> Action:
    """An app that anybody may ask."""
    good = {"config": gr.config_ok, "app_id": gr.app_id_ok, "predict": gr.predict_ok}
    good |= {"join": gr.join_ok, "data": gr.answer_ok, "cancel": gr.cancel_ok}
    table = {PHI4.parts[name]: action for name, action in (good | changes).items()}
    file: Action = lambda exchange: exchange.respond(200, PNG, content_type="image/png")  # noqa: E731
    return routes(table | {("GET", "/file="): file})


def model_of(server: ByteServer, **settings: Any) -> ChatGradioSpace:
    """A model on the app, which knows nothing else of the caller."""
    return ChatGradioSpace(**{"base_url": server.url, "timeout": PATIENT, "auth": AUTH, **settings})


def asked(server: ByteServer) -> list[str]:
    """The last parts of the paths that were asked, in order."""
    return [exchange.path.rpartition("/")[2] for exchange in tuple(server.requests)]


CALL = ["predict", "join", "data"]


@by_turns
@pytest.mark.parametrize("refusal", REFUSED.values(), ids=REFUSED)
async def test_app_that_asks_is_logged_in_to_once(way: str, refusal: Any) -> None:
    """Later calls, and other models of the process, use the session; others do not."""
    seen: list[Progress] = []
    with ByteServer(app := Members(refusal=refusal)) as server:
        model = model_of(server, on_progress=seen.append)
        assert (await ask(model, way)).text == "Hello there"
        assert asked(server) == ["config", "login", "config", *CALL]
        await ask(model, way)
        other = model_of(server, auth=(USER, SecretStr(PASSWORD)))
        await ask(other, way)
        assert asked(server).count("login") == 1
        error = await fail(model_of(server, auth=None), way, AuthenticationError)
        assert "has a login of its own" in str(error)
    assert len(app.sessions) == 1
    assert [each.kind for each in seen if each.kind == "login_renewed"] == ["login_renewed"]


@by_turns
async def test_session_that_has_ended_is_renewed_once(way: str) -> None:
    """As after a restart of the app; a second refusal is final, and asks nothing more."""
    with ByteServer(app := Members()) as server:
        model = model_of(server)
        await ask(model, way)
        app.sessions.clear()
        assert (await ask(model, way)).text == "Hello there"
        assert asked(server).count("login") == 2
        app.login = gr.reply({"success": True})
        app.sessions.clear()
        for count in (3, 4):
            error = await fail(model, way, AuthenticationError)
            assert "still wants a login" in str(error)
            assert asked(server).count("login") == count


@by_turns
async def test_message_that_the_app_has_is_not_sent_again(way: str) -> None:
    """A session that ends in between costs the answer, and no second one is made."""
    with ByteServer(app := Members()) as server:
        model = model_of(server)
        await ask(model, way)
        joined = gr.join_ok

        def join(exchange: Exchange) -> None:
            joined(exchange)
            app.sessions.clear()

        app._open = serving(join=join)
        error = await fail(model, way, AuthenticationError)
        assert "the message was not sent again" in str(error)
        assert asked(server).count("join") == 2


@pytest.mark.proves("promise:redaction")
@by_turns
async def test_wrong_password_is_told_and_not_sent_again(way: str) -> None:
    """Neither by this model nor by another one: some apps close an account after a few."""
    with ByteServer(Members()) as server:
        wrong = model_of(server, auth=(USER, f"{CANARY}-wrong"), max_retries=3)
        for said in ("refused the name or the password of auth=", "were not sent again"):
            error = await fail(wrong, way, AuthenticationError)
            assert said in str(error)
            assert_shows_nothing(error)
            assert "Hub" not in str(error)
            assert error.login_command.startswith("langchain-g4f login gradio --base-url http://")
        assert asked(server).count("login") == 1
        assert (await ask(model_of(server), way)).text == "Hello there"


@pytest.mark.proves("promise:redaction")
@by_call
@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (gr.reply({"detail": f"crashed on {PASSWORD}"}, 500), ServerError, "login with 500"),
        (gr.reply({"detail": [{"input": PASSWORD}]}, 422), AuthenticationError, "takes no name"),
        (gr.reply({"detail": "Not Found"}, 404), AuthenticationError, "takes no name"),
        (
            lambda exchange: exchange.respond(302, b"", [("Location", "/")]),
            AuthenticationError,
            "takes no name",
        ),
        (
            lambda exchange: exchange.respond(403, b"<p>Just a moment", content_type=gr.HTML),
            ChallengeError,
            "challenge",
        ),
    ],
    ids=["500", "422", "404", "redirect", "challenge"],
)
async def test_login_that_fails_quotes_nothing(
    way: str, answer: Action, kind: type[APIError], said: str
) -> None:
    """What the login answers may have the password in it."""
    with ByteServer(app := Members()) as server:
        app.login = answer
        error = await fail(model_of(server), way, kind, host=None)
    assert said in str(error)
    assert_shows_nothing(error)


@by_turns
async def test_app_with_a_login_says_how_to_log_in(way: str) -> None:
    """Not with a token of the Hub, which it does not know."""
    with ByteServer(Members()) as server:
        error = await fail(model_of(server, auth=None), way, AuthenticationError)
        assert asked(server) == ["config"]
    assert 'auth=("user", password)' in str(error)
    assert f"langchain-g4f login gradio --base-url {server.url} --user NAME" in str(error)
    assert "Hub" not in str(error)
    assert "api_key" not in str(error)
    assert error.login_url == f"{server.url}/"


@by_turns
async def test_app_that_does_not_ask_gets_no_password(way: str) -> None:
    """Nor does an app at another port get the session."""
    open_app = serving()
    with ByteServer(open_app) as server, ByteServer(Members()) as members:
        await ask(model_of(server), way)
        assert asked(server) == ["config", *CALL]
        model = model_of(members, hub_url=server.url)
        await ask(model, way)
        block = {"type": "image", "url": f"{server.url}/file.png", "mime_type": "image/png"}
        with pytest.raises(APIError):
            model_of(members, trusted_media_hosts=["127.0.0.1"]).fetch_file(block)
        sent = [f"{each.headers} {each.body!r}" for each in server.requests]
    assert CANARY not in "".join(sent)


@by_call
async def test_calls_that_begin_together_log_in_once(way: str) -> None:
    """Of fifty, one sends the password."""
    with ByteServer(Members()) as server:
        models = [model_of(server) for _ in range(10)]
        if way == "ainvoke":
            answers = await asyncio.gather(*(each.ainvoke("hi") for each in models))
        else:
            with ThreadPoolExecutor(10) as threads:
                answers = list(threads.map(lambda each: each.invoke("hi"), models))
        assert asked(server).count("login") == 1
    assert {answer.text for answer in answers} == {"Hello there"}


@by_call
async def test_everything_that_asks_the_app_logs_in(way: str) -> None:
    """The list of models, the description, the user's name, a file."""
    awaited = way == "ainvoke"
    block = {"type": "image", "mime_type": "image/png"}
    for name, more, said in (
        ("get_models", (), ["Phi-4 stand-in"]),
        ("describe", (), "Gradio 5.22.0"),
        ("whoami", (), USER),
        ("fetch_file", (1,), PNG),
    ):
        with ByteServer(Members()) as server:
            model = model_of(server)
            block["url"] = f"{server.url}/gradio_api/file=x.png"
            ask_it = getattr(model, f"a{name}" if awaited else name)
            found = ask_it(*[block for _ in more])
            found = await found if awaited else found
            assert asked(server).count("login") == 1
            assert found == said


@pytest.mark.parametrize("prefix", ["/gradio_api", ""])
@by_way
async def test_login_keeps_the_session_for_later_models(way: str, prefix: str) -> None:
    """The password is not kept; the file belongs to the app's host and port."""
    with ByteServer(app := Members(prefix=prefix)) as server:
        account = await log_in(way, "gradio", base_url=server.url, auth=AUTH)
        assert (account.user, account.kept, account.server) == (USER, True, server.url)
        kept = CredentialFile(account.file).load()
        assert kept is not None
        assert dict(kept.cookies) == {COOKIE: f"{CANARY}-session-1"}
        assert PASSWORD not in account.file.read_text()
        client._cache.clear()  # as in another process
        model = ChatGradioSpace(base_url=server.url)
        assert model.has_login
        assert model.invoke("hi").text == "Hello there"
        assert asked(server).count("login") == 1
        assert await who_is(way, "gradio", base_url=server.url) == account
        assert ChatGradioSpace(base_url=server.url, auth=None).has_login is False
        app.sessions.clear()
        refused = await fail(model, "invoke", AuthenticationError)
        assert refused.refused == f"kept in {account.file.name}"
        assert (await who_is(way, "gradio", base_url=server.url)).user is None
        assert logout("gradio", base_url=server.url).kept
        assert not account.file.exists()


@by_way
async def test_space_with_a_login_of_its_own_has_two_accounts(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session beside the token of the Hub; each is kept and deleted on its own."""
    monkeypatch.setattr(gradio_provider, "is_on_hub", lambda url: True)
    with ByteServer(Members()) as server, ByteServer(gr.reply({"name": "hub-user"})) as hub:
        place: Any = {"base_url": server.url, "hub_url": hub.url}
        token = await log_in(way, "gradio", **place, api_key=f"{CANARY}-token")
        assert (token.user, token.server) == ("hub-user", hub.url)
        account = await log_in(way, "gradio", **place, auth=AUTH)
        assert (account.user, account.server) == (USER, server.url)
        assert account.file != token.file
        client._cache.clear()
        model = ChatGradioSpace(**place, zerogpu_token=SecretStr("made-up"))
        assert model.invoke("hi").text == "Hello there"
        sent = server.requests[-1]
        assert sent.header("authorization") == f"Bearer {CANARY}-token"
        assert f"{CANARY}-session-1" in (sent.header("cookie") or "")
        assert not [each for each in hub.requests if each.header("cookie")]
        assert (await who_is(way, "gradio", **place)).user == USER
        assert logout("gradio", **place).file == account.file
        assert (await who_is(way, "gradio", **place)).user == "hub-user"


@by_turns
async def test_session_that_another_program_renews_is_taken(way: str) -> None:
    """The call is made once more, as with other kept logins."""
    with ByteServer(app := Members()) as server:
        login("gradio", base_url=server.url, auth=AUTH)
        client._cache.clear()
        model = ChatGradioSpace(base_url=server.url, timeout=PATIENT)
        await ask(model, way)
        app.sessions.clear()
        client._cache.clear()
        login("gradio", base_url=server.url, auth=AUTH)
        assert (await ask(model, way)).text == "Hello there"
        assert asked(server).count("login") == 2


def test_login_is_for_one_app_and_for_the_right_user() -> None:
    """All Spaces share an account of the Hub; a name and a password belong to one app."""
    with pytest.raises(ConfigurationError, match="name it with base_url= or space="):
        login("gradio", auth=AUTH)
    with ByteServer(Members()) as server:
        with pytest.raises(AuthenticationError, match="refused the name"):
            login("gradio", base_url=server.url, auth=(USER, f"{CANARY}-wrong"))
        assert whoami("gradio", base_url=server.url).user is None
    open_app = serving()
    with ByteServer(open_app) as server:
        with pytest.raises(AuthenticationError, match="nothing was kept"):
            login("gradio", base_url=server.url, auth=AUTH)
        assert "login" not in asked(server)


@pytest.mark.proves("promise:redaction")
def test_name_and_password_are_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """In no repr, pickle, copy in JSON or cache key; the process that loads it finds its own."""
    model = ChatGradioSpace(base_url="https://app.example", auth=AUTH)
    written = dumps(model)
    texts = (repr(model), str(model), written, pickle.dumps(model).decode("latin-1"))
    assert PASSWORD not in "".join((*texts, model._get_llm_string(), repr(model._provider())))
    assert pickle.loads(pickle.dumps(model)).auth is None  # noqa: S301, our own bytes
    monkeypatch.setenv("GRADIO_SPACE_AUTH", f"{USER}:with:colon")
    loaded = loads(
        written,
        valid_namespaces=["langchain_g4f"],
        allowed_objects=[ChatGradioSpace],
        secrets_from_env=True,
    )
    assert [part.get_secret_value() for part in loaded.auth] == [USER, "with:colon"]
    assert loaded.base_url == "https://app.example"
    assert ChatGradioSpace(base_url="https://app.example").auth is None


@pytest.mark.parametrize("given", ["ada", (USER,), (USER, ""), ("", "x"), (USER, "x", "y")])
def test_half_a_login_is_refused(given: Any) -> None:
    """Nothing is sent, and nothing of it is repeated."""
    with pytest.raises(ValueError, match="auth: expected a name and a password") as caught:
        ChatGradioSpace(base_url="https://app.example", auth=given)
    assert "x" not in str(caught.value).replace("expected", "").replace("example", "")
