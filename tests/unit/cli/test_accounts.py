"""The commands `login`, `whoami` and `logout`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from langchain_g4f import AuthenticationError
from langchain_g4f.auth import browsers
from langchain_g4f.cli import accounts
from langchain_g4f.cli.providers import chat_model_of, login_help
from langchain_g4f.providers.registry import PROVIDERS, ProviderEntry
from langchain_g4f.sign_in import browser
from langchain_g4f.testing import FlowGptSandbox, Sandbox
from tests.contract.faults.byte_server import ByteServer
from tests.contract.faults.test_gradio_login import PASSWORD, USER, Members
from tests.unit.cli.command import (
    CANARY,
    CLOSED,
    FakeTerminal,
    examine,
    header,
    login_file,
    netscape,
    refused,
    run,
)

FORMS: dict[str, Callable[[dict[str, str]], str]] = {
    "netscape": netscape,
    "one cookie": lambda cookies: netscape(cookies).splitlines()[-1],
    "json": json.dumps,
    "json list": lambda c: json.dumps([{"name": n, "value": v} for n, v in c.items()], indent=1),
    "header": header,
    "header without its name": lambda cookies: header(cookies).removeprefix("Cookie: "),
}


@pytest.fixture
def log_in(tmp_path: Path) -> Callable[..., Any]:
    """Log in to a server with a cookie file."""

    def log_in(server: Sandbox, name: str, *where: str) -> None:
        path = tmp_path / "cookies"
        path.write_text(header(server.login(name)))
        assert run("login", "--cookies", path, *where).exit_code == 0

    return log_in


# -- login -----------------------------------------------------------------------


@pytest.mark.proves("promise:identity", "promise:redaction")
@pytest.mark.parametrize("form", FORMS)
def test_cookie_file_logs_later_commands_in(members: Sandbox, form: str, tmp_path: Path) -> None:
    """The file is no longer needed then, and no command shows a cookie."""
    cookies = members.login("ada")
    path = tmp_path / "cookies"
    path.write_text(FORMS[form](cookies))
    done = run("login", "huggingchat", "--cookies", path)
    path.unlink()
    kept = login_file(members.base_url).path
    assert done.stdout == f"{members.base_url}: ada\nSaved in {kept}\n"
    assert (done.exit_code, done.stderr) == (0, "")
    who = run("whoami")
    assert (who.exit_code, who.stdout) == (0, f"{members.base_url}: ada\n")
    assert run("chat", "hi").stdout.endswith("hi\n")
    out = run("logout")
    assert (out.exit_code, out.stdout) == (0, f"Deleted: {kept}\n")
    shown = done.output + who.output + out.output
    assert not any(value in shown for value in cookies.values())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cookies: No such file or directory"),
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"\xff\xfe", "cookies: it is not a text file"),
        (CANARY.encode(), "expected 'name=value; name=value'"),
        (f"{CANARY}\n{CANARY}".encode(), "has no cookie for 127.0.0.1"),
        (b"{" + CANARY.encode(), "is neither JSON nor in Netscape's form"),
        (f"hf-chat={CANARY}".encode(), "nothing was kept"),
    ],
)
def test_file_without_valid_cookies_saves_nothing(
    members: Sandbox, content: bytes | None, said: str, tmp_path: Path
) -> None:
    """The message repeats no cookie."""
    path = tmp_path / "cookies"
    if content is not None:
        path.write_bytes(content)
    done = run("login", "--cookies", path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert said in done.stderr
    assert CANARY not in done.stderr
    assert bool(members.requests) is ("nothing was kept" in said)
    assert not login_file(members.base_url).path.exists()


def test_token_is_read_from_a_pipe() -> None:
    """As an argument, other users of the machine would see it; no command shows it."""
    with FlowGptSandbox(login_required=True) as sandbox:
        token = sandbox.login(CANARY)
        where = ["flowgpt", "--base-url", sandbox.base_url]
        done = run("login", *where, "--token", typed=f" {token} \n")
        assert done.stdout.startswith(f"{sandbox.base_url}: the login saved in ")
        assert "the service does not say which user it belongs to\nSaved in " in done.stdout
        who = run("whoami", *where)
        assert (who.exit_code, who.stdout) == (0, done.stdout.splitlines(keepends=True)[0])
        assert CANARY not in done.output + who.output
        chat = run("chat", "--provider", "flowgpt", "--base-url", sandbox.base_url, "hi")
        assert chat.stdout.endswith("hi\n")
        assert sandbox.requests[-1].headers["authorization"] == f"Bearer {token}"


def test_token_is_asked_for_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """`getpass` does not show what is typed."""
    monkeypatch.setattr("sys.stdin", FakeTerminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: f" typed after {prompt}")
    assert accounts._token("flowgpt") == "typed after Token for flowgpt:"
    assert accounts._password("ada") == " typed after Password of ada: ", "blanks belong to it"


def test_password_of_an_app_is_read_from_a_pipe() -> None:
    """The session is kept, and used by the other commands; the error names the command."""
    with ByteServer(Members()) as server:
        where = ["gradio", "--base-url", server.url]
        done = run("login", *where, "--user", USER, typed=f"{PASSWORD}\n")
        assert done.stdout.startswith(f"{server.url}: ada\nSaved in "), done.output
        who = run("whoami", *where)
        assert (who.exit_code, who.stdout) == (0, f"{server.url}: ada\n")
        chat = run("chat", "--provider", "gradio", "--base-url", server.url, "hi")
        assert chat.stdout == "Hello there\n"
        findings, code = examine("--provider", "gradio", "--base-url", server.url)
        assert (findings["gradio"]["user"], code) == (USER, 0)
        assert run("logout", *where).stdout.startswith("Deleted: ")
        lost = refused("chat", "--provider", "gradio", "--base-url", server.url, "hi")
        assert f"langchain-g4f login gradio --base-url {server.url} --user NAME" in lost
        findings, code = examine("--provider", "gradio", "--base-url", server.url)
        (problem,) = findings["gradio"]["problems"]
        assert problem["check"] == "signed_in"
        assert problem["advice"].endswith(f"login gradio --base-url {server.url} --user NAME")
        assert PASSWORD not in done.output + who.output + chat.output + lost
        said = refused("login", *where, "--user", USER, typed=f"{CANARY}-wrong\n")
        assert "refused the name or the password" in said
        assert CANARY not in said


@pytest.mark.parametrize(
    ("arguments", "typed", "said"),
    [
        (["gradio", "--user", "ada"], CANARY, "--user: name the app with --space or --base-url"),
        (
            ["gradio", "--base-url", "http://127.0.0.1:1", "--user", "ada"],
            "\n",
            "--user: no password was given",
        ),
        (
            ["huggingchat", "--base-url", "http://127.0.0.1:1", "--user", "ada"],
            CANARY,
            "has no 'auth'",
        ),
        (["gradio", "--token", "--user", "ada"], CANARY, "--token and --user are two ways"),
        (["flowgpt", "--token"], "", "--token: no token was given"),
        (["flowgpt", "--token"], "  \n", "--token: no token was given"),
        (["--cookies", "x", "--token"], CANARY, "--cookies and --token are two ways to log in"),
        (
            ["--from-browser", "chrome", "--token"],
            CANARY,
            "and --token are two ways",
        ),
        (["--headless"], "", "shows no page to log in on; add --browser-profile"),
        (
            ["flowgpt", "--profile", "../x", "--token"],
            CANARY,
            "profile: expected a name",
        ),
        (["--token"], CANARY, "HuggingChat has no 'api_key'"),
        (["flowgpt"], "", "has no login in a browser: give a token, as api_key= or with"),
        (["gradio", "--base-url", CLOSED], "", "has no login in a browser: give a token"),
        (["--from-browser", "netscape"], "", "brave, chrome"),
    ],
)
def test_login_that_cannot_work_is_one_line(arguments: list[str], typed: str, said: str) -> None:
    """No service is asked, and no window opens."""
    line = refused("login", *arguments, typed=f"{typed}\n")
    assert said in line
    assert CANARY not in line


def test_installed_browser_is_read_with_its_profile(
    members: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its cookies for the server are saved."""
    asked: list[object] = []

    def read(name: str, url: str, *, profile: Path | None = None) -> dict[str, str]:
        asked.append((name, url, profile))
        return members.login("ada")

    monkeypatch.setattr(browsers, "read_browser_cookies", read)
    done = run("login", "--from-browser", "firefox", "--browser-profile", tmp_path)
    assert done.stdout.startswith(f"{members.base_url}: ada\nSaved in ")
    assert asked == [("firefox", members.base_url, tmp_path)]


def test_login_opens_a_window_and_says_so(
    members: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On standard error; without a window it says nothing."""
    seen: list[dict[str, Any]] = []

    async def window(**settings: Any) -> tuple[dict[str, str], str]:
        seen.append(settings)
        return members.login("ada"), "ada"

    monkeypatch.setattr(browser, "sign_in_with_browser", window)
    done = run("login", "--timeout", "7", "--browser", "chromium")
    assert done.stdout.startswith(f"{members.base_url}: ada\nSaved in ")
    assert done.stderr == "A browser window opens: log in there. It closes by itself.\n"
    assert (seen[0]["timeout_s"], seen[0]["executable"]) == (7, "chromium")
    done = run("login", "--headless", "--browser-profile", tmp_path)
    assert (done.exit_code, done.stderr) == (0, "")
    assert (seen[1]["headless"], seen[1]["profile_dir"]) == (True, tmp_path)


@pytest.mark.filterwarnings("default:sessions are not kept")
def test_login_that_cannot_be_saved_says_so(
    members: Sandbox, tmp_path: Path, no_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line on standard error has the reason, and no file is named."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(no_home))
    path = tmp_path / "cookies"
    path.write_text(header(members.login("ada")))
    done = run("login", "--cookies", path)
    assert (done.exit_code, done.stdout) == (0, f"{members.base_url}: ada\n")
    assert done.stderr.startswith("[sessions are not kept: ")


# -- whoami, logout and profiles -------------------------------------------------


def test_whoami_without_a_valid_login_fails(members: Sandbox, log_in: Callable[..., Any]) -> None:
    """A script can test the exit code; an expired login is told from a missing one."""
    done = run("whoami")
    assert (done.exit_code, done.stdout) == (1, f"{members.base_url}: not logged in\n")
    log_in(members, "ada")
    members.expire_sessions()
    done = run("whoami")
    path = login_file(members.base_url).path
    said = f"not logged in; the login saved in {path} has expired, or is not used"
    assert (done.exit_code, done.stdout) == (1, f"{members.base_url}: {said}\n")


@pytest.mark.parametrize("provider", ["flowgpt", "gradio"])
def test_whoami_of_a_service_that_does_not_say(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No request is sent: the login that would be used decides."""
    done = run("whoami", provider, "--base-url", CLOSED)
    assert (done.exit_code, done.output) == (1, f"{CLOSED}: not logged in\n")
    if provider == "flowgpt":
        monkeypatch.setenv("FLOWGPT_BASE_URL", CLOSED)
        monkeypatch.setenv("FLOWGPT_TOKEN", CANARY)
        done = run("whoami", provider)
        said = "a login that is not saved; the service does not say which user it belongs to"
        assert (done.exit_code, done.output) == (0, f"{CLOSED}: {said}\n")


def test_login_that_others_can_read_is_not_used(
    members: Sandbox, log_in: Callable[..., Any]
) -> None:
    """The message says how to fix it; `logout` is another way, and may be repeated."""
    log_in(members, "ada")
    path = login_file(members.base_url).path
    path.chmod(0o644)
    asked = len(members.requests)
    assert f"run chmod 600 {path}" in refused("whoami")
    assert len(members.requests) == asked
    assert run("logout").exit_code == 0
    done = run("logout")
    assert (done.exit_code, done.stdout) == (0, "There was no saved login.\n")


def test_profiles_and_servers_are_separate_accounts(
    members: Sandbox, log_in: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--profile` and `--base-url` choose one; a named profile goes before the environment."""
    log_in(members, "ada")
    log_in(members, "bea", "--profile", "work")
    with Sandbox(login_required=True) as other:
        log_in(other, "cleo", "--base-url", other.base_url)
        places: list[list[str]] = [[], ["--profile", "work"], ["--base-url", other.base_url]]
        names = [run("whoami", *where).stdout.split()[-1] for where in places]
    assert names == ["ada", "bea", "cleo"]
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", header(members.login("dora")))
    assert run("whoami").stdout == f"{members.base_url}: dora\n"
    run("logout", "--profile", "work")
    assert run("whoami", "--profile", "work").exit_code == 1
    assert run("whoami").exit_code == 0


def test_profile_is_the_user_of_every_command(
    members: Sandbox, log_in: Callable[..., Any], tmp_path: Path
) -> None:
    """Also of a later command that continues a saved conversation."""
    log_in(members, "bea", "--profile", "work")
    bea = login_file(members.base_url, "work").load()
    assert bea is not None
    talk = tmp_path / "talk.json"
    for arguments in (
        ["chat", "--profile", "work", "--save", talk, "hello"],
        ["chat", "--save", talk, "again"],
        ["models", "--profile", "work"],
        ["doctor", "--profile", "work"],
    ):
        before = len(members.requests)
        assert run(*arguments).exit_code == 0
        cookies = [request.headers.get("cookie", "") for request in members.requests[before:]]
        assert cookies
        assert all(bea.cookies["hf-chat"] in each for each in cookies)
    assert run("chat", "hello").exit_code == 1
    assert json.loads(talk.read_text())["place"]["profile"] == "work"


# -- how to log in ---------------------------------------------------------------


def error_of(provider: str, login_url: str = "", status: int = 0) -> AuthenticationError:
    """An error as a provider raises it."""
    error = AuthenticationError("it was refused", provider=provider)
    error.login_url, error.status_code = login_url, status
    return error


SERVER = "http://127.0.0.1:3000/chat"


@pytest.mark.proves("promise:login-required")
@pytest.mark.parametrize("provider", ["microsoft_phi4", "gradio_space"])
def test_space_needs_a_token_of_the_hub(provider: str) -> None:
    """Not the cookies of another service."""
    said = login_help(error_of(provider, "https://huggingface.co/login"))
    assert said.startswith("it was refused\n")
    assert "langchain-g4f login gradio --token" in said
    assert "HUGGINGCHAT" not in said


@pytest.mark.parametrize("page", ["/login", "/"])
def test_failed_window_is_followed_by_the_steps(page: str) -> None:
    """The server is that of the login page, of either generation."""
    said = login_help(error_of("huggingchat", f"{SERVER}{page}"))
    assert said.startswith("it was refused\n")
    assert f"langchain-g4f login huggingchat --base-url {SERVER}\n" in said
    assert f"HUGGINGCHAT_BASE_URL={SERVER} HUGGINGCHAT_COOKIES=" in said


def test_steps_for_the_default_server_do_not_name_it() -> None:
    """A refusal of the server is summed up in a line."""
    said = login_help(error_of("huggingchat", "https://huggingface.co/chat/login", 401))
    assert said.startswith("https://huggingface.co/chat requires a login.\n")
    assert "--base-url" not in said
    assert "HUGGINGCHAT_BASE_URL" not in said


@pytest.mark.parametrize("provider", ["unknown", "third", "huggingchat", "flowgpt"])
def test_error_stands_alone_without_a_known_login_page(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cookies would be sent to a page of the user's choice, so it names no server, either."""
    row = ProviderEntry("BaseChatG4F", "langchain_g4f.chat_models.base")
    monkeypatch.setitem(PROVIDERS, "third", row)
    monkeypatch.setattr(chat_model_of("third"), "provider", "third")
    assert login_help(error_of(provider)) == "it was refused"
    monkeypatch.setenv("G4F_LOGIN_URL", "https://login.example/login")
    assert login_help(error_of(provider, "https://login.example/login")) == "it was refused"
