"""Accounts: where credentials come from, whose they are, and cookies that are given."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from langchain_g4f import ChatFlowGpt, ChatGradioSpace, ChatHuggingChat
from langchain_g4f.auth import browsers, store
from langchain_g4f.auth.given_cookies import named_cookies, sealed
from langchain_g4f.auth.store import Credentials
from langchain_g4f.errors import ConfigurationError
from tests.unit.chat_models.accounts import CASES, Case, by_case, space
from tests.unit.chat_models.ways import ask
from tests.unit.traces import assert_tells_nothing

CANARY = "canary-f3a91c77d2"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Whose cookies were read out of a browser, which has some for everybody."""
    found: list[tuple[str, str]] = []

    def read(browser: str, url: str) -> dict[str, str]:
        found.append((browser, url))
        return {"hf-chat": "browser"}

    monkeypatch.setattr(browsers, "read_browser_cookies", read)
    return found


# -- the order ---------------------------------------------------------------------------------


@pytest.mark.proves("promise:identity")
@by_case
def test_sources_count_in_their_order(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """The argument, the environment, the file: the first that has any is taken."""
    assert case.shown(case.make()) is None
    case.keep("kept")
    assert case.shown(case.make()) == "kept"
    monkeypatch.setenv(*case.environment("environment"))
    assert case.shown(case.make()) == "environment"
    assert case.shown(case.make(**case.given("given"))) == "given"


@by_case
def test_none_that_is_given_is_anonymous(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passing None makes the call anonymous and skips the other sources."""
    case.keep("kept")
    monkeypatch.setenv(*case.environment("environment"))
    assert case.shown(case.make(**{case.field: None})) is None


@by_case
@pytest.mark.parametrize("name", ["profile", "login_profile"])
def test_named_profile_counts_before_the_environment(
    case: Case, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for by name; no other account takes its place."""
    case.keep("kept")
    monkeypatch.setenv(*case.environment("environment"))
    assert case.shown(case.make(**{name: "work"})) is None
    case.keep("work", "work")
    assert case.shown(case.make(**{name: "work"})) == "work"
    assert case.shown(case.make(**{name: "work"}, **case.given("given"))) == "given"
    assert case.shown(case.make(**{name: "default"})) == "environment"
    monkeypatch.delenv(case.variable)
    assert case.shown(case.make(**{name: "default"})) == "kept"


@by_case
def test_profile_of_langchain_is_none_of_ours(case: Case) -> None:
    """What a model can do is a mapping; the account stays the usual one."""
    case.keep("kept")
    model = case.make(profile={"max_input_tokens": 7})
    assert model.profile == {"max_input_tokens": 7}
    assert (model.login_profile, case.shown(model)) == ("default", "kept")
    assert isinstance(case.make(login_profile="work").profile, dict)


@by_case
async def test_profile_that_is_not_kept_is_refused_before_anything_is_sent(
    case: Case, mode: str, home: Path
) -> None:
    """Who names an account does not want to be anonymous; the error names those there are."""
    case.keep("one", "private")
    case.keep("two", "work")
    model = case.make(profile="other")
    with pytest.raises(ConfigurationError, match=r"'other'.* kept are: private, work\.") as caught:
        await ask(model, mode, "hi")
    assert "login" in str(caught.value)


@by_case
def test_profile_that_is_no_name_is_refused(case: Case) -> None:
    """It would be a part of a path."""
    with pytest.raises(ValueError, match="profile: expected a name"):
        case.make(profile="../work")


@pytest.mark.parametrize("make", [ChatHuggingChat, space], ids=["huggingchat", "gradio"])
def test_browser_is_the_last_source(make: Any, asked: list[tuple[str, str]]) -> None:
    """It is opened if it is named and nothing else has any, for the server that knows the user."""
    model = make()
    assert (model.cookies, asked) == (None, [])
    model = make(from_browser="firefox")
    assert model.cookies == {"hf-chat": SecretStr("browser")}
    assert asked == [("firefox", model.account_url)]
    store.CredentialFile(model.get_cache_file()).save(Credentials({"hf-chat": "kept"}))
    model = make(from_browser="firefox")
    assert model.cookies == {"hf-chat": SecretStr("kept")}
    assert len(asked) == 1


def test_login_that_cannot_be_trusted_is_refused_when_the_model_is_made() -> None:
    """The message says how to correct it, and nothing is sent from another account."""
    file = CASES["huggingchat"].keep(CANARY)
    file.path.chmod(0o644)
    with pytest.raises(ValueError, match="chmod 600") as caught:
        ChatHuggingChat()
    assert CANARY not in str(caught.value)
    assert ChatHuggingChat(cookies={"hf-chat": "given"}).cookies is not None


@pytest.mark.parametrize("make", [ChatHuggingChat, space], ids=["huggingchat", "gradio"])
def test_kept_cookie_that_a_header_cannot_carry_is_refused(make: Any) -> None:
    """The file was edited."""
    store.CredentialFile(make().get_cache_file()).save(Credentials({"a": f"{CANARY}\r\nb: c"}))
    with pytest.raises(ValueError, match="not allowed") as caught:
        make()
    assert CANARY not in str(caught.value)


# -- whose account -----------------------------------------------------------------------------


@by_case
def test_file_is_named_for_the_service_its_server_and_the_profile(case: Case, home: Path) -> None:
    """Whether there is one or not."""
    for profile in ("default", "work"):
        path = case.make(login_profile=profile).get_cache_file()
        assert path == home / "langchain-g4f" / f"{case.file}@{profile}.json"
    assert not home.joinpath("langchain-g4f").exists()


@pytest.mark.proves("obligation:huggingchat:1")
@by_case
def test_login_of_one_server_goes_to_no_other(case: Case) -> None:
    """Another host is another account; so is a copy of the model that goes there."""
    case.keep("kept")
    assert case.shown(case.make(base_url="https://elsewhere.example/chat")) is None
    copied = case.make().model_copy(update={"base_url": "https://elsewhere.example/chat"})
    assert case.shown(copied) is None
    assert "elsewhere.example" in copied.get_cache_file().name


@pytest.mark.proves("obligation:huggingchat:1")
@pytest.mark.parametrize("url", ["http://huggingface.co/chat", "https://huggingface.co:8443/chat"])
def test_credentials_do_not_go_over_an_open_line_or_to_another_port(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither those of the environment nor those that were kept."""
    case = CASES["huggingchat"]
    case.keep("kept")
    assert case.shown(ChatHuggingChat(base_url=url)) is None
    monkeypatch.setenv(*case.environment("environment"))
    assert case.shown(ChatHuggingChat(base_url=url)) is None
    assert case.shown(ChatHuggingChat(base_url="https://huggingface.co/other")) == "environment"


@pytest.mark.proves("obligation:gradio-space:21")
def test_app_elsewhere_has_an_account_of_its_own() -> None:
    """A token that was kept for it goes there; cookies of the Hub go nowhere but to the Hub."""
    there = {"space": "", "base_url": "https://app.example"}
    file = store.CredentialFile(space(**there).get_cache_file())
    assert file.path.name == "gradio@app.example@default.json"
    file.save(Credentials({"token": "cookie"}, "own"))
    model = space(**there)
    assert model.api_key == SecretStr("own")
    assert model.cookies is None
    assert model.account_url == "https://app.example"


def test_spaces_of_the_hub_share_an_account() -> None:
    """A token and cookies may be there together."""
    hub = store.CredentialFile(space().get_cache_file())
    hub.save(Credentials({"token": "cookie"}, "key"))
    for model in (space(space="other/one"), CASES["phi4"].make()):
        assert model.get_cache_file() == hub.path
        assert CASES["phi4"].shown(model) == "key"
        assert getattr(model, "cookies", None) == {"token": SecretStr("cookie")}


# -- kept and forgotten ------------------------------------------------------------------------


@by_case
def test_credentials_that_were_given_can_be_kept(case: Case) -> None:
    """Not those that were found: they are kept already, or not meant to be."""
    model = case.make(**case.given("given"))
    assert model.keep_login("ada")
    kept = store.CredentialFile(model.get_cache_file()).load()
    assert kept is not None
    assert kept.user == "ada"
    assert case.shown(case.make()) == "given"
    assert model.forget_login()
    assert not model.forget_login()
    assert case.shown(case.make()) is None


@by_case
def test_credentials_that_were_found_are_not_written(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment's secrets stay in the environment."""
    monkeypatch.setenv(*case.environment(CANARY))
    model = case.make()
    model.keep_login()
    assert CANARY not in model.get_cache_file().read_text()


@by_case
def test_login_that_cannot_be_kept_is_used_all_the_same(case: Case, home: Path) -> None:
    """With one warning."""
    (home / "langchain-g4f").write_bytes(b"")
    model = case.make(**case.given("given"))
    with pytest.warns(UserWarning, match="sessions are not kept"):
        assert not model.keep_login("ada")
    assert not model.keep_login("ada")
    assert case.shown(model) == "given"


URL = "https://hub.example/path"


@pytest.mark.parametrize("wrap", [str, SecretStr])
def test_header_is_taken_apart(wrap: Any) -> None:
    """As a browser shows it."""
    assert named_cookies(wrap("a=1; token=x=y"), URL) == {"a": "1", "token": "x=y"}


def test_file_of_a_browser_gives_the_cookies_of_the_host(tmp_path: Path) -> None:
    """In either form, without those of others and what has expired."""
    cookies = [
        {"name": "mine", "value": "1", "domain": "hub.example"},
        {"name": "other", "value": "2", "domain": "other.example"},
        {"name": "old", "value": "3", "domain": "hub.example", "expirationDate": 5},
    ]
    exported = tmp_path / "cookies.json"
    exported.write_text(json.dumps(cookies))
    assert named_cookies(exported, URL) == {"mine": "1"}
    netscape = tmp_path / "cookies.txt"
    netscape.write_text("# Netscape\n.hub.example\tTRUE\t/\tTRUE\t0\tmine\t1\n")
    assert named_cookies(netscape, URL) == {"mine": "1"}


@pytest.mark.parametrize("wrap", [str, SecretStr])
@pytest.mark.parametrize("form", [list, tuple])
def test_list_of_a_browser_gives_the_cookies_of_the_host(wrap: Any, form: Any) -> None:
    """As its developer tools, an add-on or Playwright give it."""
    exported = form(
        [
            {"name": "mine", "value": wrap("1"), "domain": ".hub.example", "expires": -1},
            {"name": "other", "value": wrap("2"), "domain": "other.example"},
            {"name": "old", "value": wrap("3"), "domain": "hub.example", "expirationDate": 5},
            "no cookie",
            {"name": "none"},
        ]
    )
    assert named_cookies(exported, URL) == {"mine": "1"}
    assert named_cookies(sealed(exported), URL) == {"mine": "1"}


@pytest.mark.parametrize(
    "given", [[], [{"name": "sid", "value": CANARY, "domain": "other.example"}]]
)
def test_list_without_a_cookie_of_the_host_is_refused(given: Any) -> None:
    """Who wants no cookies gives None."""
    with pytest.raises(ConfigurationError, match=r"no cookie for hub\.example") as caught:
        named_cookies(sealed(given), URL)
    assert_tells_nothing(caught.value, CANARY)


BROKEN: dict[str, Any] = {
    "header": f"hf-chat={CANARY}\r\nx: y",
    "text": CANARY,
    "names and values": {"hf-chat": f"{CANARY};"},
    "list": [{"name": "hf-chat", "value": f"{CANARY}\n"}],
    "a number": {"hf-chat": CANARY, "token": 7},
}


@pytest.mark.proves("promise:redaction")
@pytest.mark.parametrize("make", [ChatHuggingChat, ChatGradioSpace])
@pytest.mark.parametrize("given", BROKEN.values(), ids=BROKEN)
def test_refused_cookies_are_in_no_frame(make: Any, given: Any) -> None:
    """Some tracebacks show local variables; the caller's own frame is the caller's."""
    with pytest.raises(ValidationError) as caught:
        make(cookies=given, base_url=URL)
    assert_frames_tell_nothing(caught.value)


@pytest.mark.proves("promise:redaction")
def test_refused_constructor_has_no_credential_in_a_frame() -> None:
    """Whichever of its fields is refused."""
    keys: dict[str, Any] = {
        "api_key": f"{CANARY}\n",
        "proxy": f"http://user:{CANARY}@127.0.0.1:1",
        "base_url": "no address",
    }
    for make in (ChatFlowGpt, ChatGradioSpace):
        with pytest.raises(ValidationError) as caught:
            make(**keys)
        assert_frames_tell_nothing(caught.value)


def assert_frames_tell_nothing(error: ValidationError) -> None:
    """But for this module's: those of the package, of pydantic and of LangChain."""
    links = [error, *(fault["ctx"]["error"] for fault in error.errors() if "ctx" in fault)]
    shown = [str(error)]
    for link in links:
        stack = traceback.StackSummary.extract(
            traceback.walk_tb(link.__traceback__), capture_locals=True
        )
        shown += [str(frame.locals) for frame in stack if frame.filename != __file__]
    assert len(shown) > 1
    assert [text for text in shown if CANARY in text] == []


def test_file_that_cannot_be_read_is_named_without_its_folder(tmp_path: Path) -> None:
    """Nor is anything of what is in it repeated."""
    latin = tmp_path / "latin.txt"
    latin.write_bytes(f"{CANARY}\xe9".encode("latin-1"))
    for path, reason in ((tmp_path / "none.txt", "FileNotFound"), (latin, "UnicodeDecode")):
        with pytest.raises(
            ConfigurationError, match=f"cannot read {path.name}: {reason}"
        ) as caught:
            named_cookies(path, URL)
        assert str(tmp_path) not in str(caught.value)
        assert CANARY not in str(caught.value)
        assert caught.value.__context__ is None


@pytest.mark.parametrize("given", [CANARY, f"; {CANARY}"])
def test_text_that_is_no_header_is_refused_without_it(given: str) -> None:
    """It may be a secret."""
    with pytest.raises(ConfigurationError, match="name=value") as caught:
        named_cookies(given, URL)
    assert CANARY not in str(caught.value)
