"""The command `login`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from langchain_g4f.auth import browsers
from langchain_g4f.cli.providers import PROVIDERS
from langchain_g4f.sign_in import browser
from langchain_g4f.testing import FlowGptSandbox, Sandbox
from tests.unit_tests.cli.accounts import CANARY, closed, file_of, header, home, netscape, run
from tests.unit_tests.cli.terminal import Terminal

__all__ = ["closed", "home"]

FORMS: dict[str, Callable[[dict[str, str]], str]] = {
    "netscape": netscape,
    "one cookie": lambda cookies: netscape(cookies).splitlines()[-1],
    "json": json.dumps,
    "json list": lambda c: json.dumps([{"name": n, "value": v} for n, v in c.items()], indent=1),
    "header": header,
    "header without its name": lambda cookies: header(cookies).removeprefix("Cookie: "),
}


@pytest.mark.proves("promise:identity")
@pytest.mark.parametrize("form", FORMS)
def test_login_with_a_cookie_file_says_who_it_is_and_where_it_is_kept(
    closed: Sandbox, form: str, tmp_path: Path
) -> None:
    """Later commands are that user; the file is no longer needed, and no cookie is shown."""
    cookies = closed.login("ada")
    path = tmp_path / "cookies"
    path.write_text(FORMS[form](cookies))
    done = run("login", "huggingchat", "--cookies", path)
    path.unlink()
    kept = file_of(closed.base_url).path
    assert done.stdout == f"{closed.base_url}: ada\nSaved in {kept}\n"
    assert (done.exit_code, done.stderr) == (0, "")
    assert run("whoami").stdout == f"{closed.base_url}: ada\n"
    assert run("chat", "hi").stdout.endswith("hi\n")
    assert not any(value in done.output for value in cookies.values())


def test_login_with_cookies_of_nobody_keeps_nothing(closed: Sandbox, tmp_path: Path) -> None:
    """It says so in one line, and repeats no cookie."""
    path = tmp_path / "cookies"
    path.write_text(f"hf-chat={CANARY}")
    done = run("login", "--cookies", path)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert CANARY not in done.stderr
    assert not file_of(closed.base_url).path.exists()


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
    ],
)
def test_login_with_a_file_that_has_no_cookies_is_one_line(
    closed: Sandbox, content: bytes | None, said: str, tmp_path: Path
) -> None:
    """No window is opened instead."""
    path = tmp_path / "cookies"
    if content is not None:
        path.write_bytes(content)
    done = run("login", "--cookies", path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert CANARY not in done.stderr
    assert closed.requests == []


def test_login_with_a_token_reads_it_from_a_pipe() -> None:
    """It stands in no argument, where other users of the machine would see it."""
    with FlowGptSandbox(login_required=True) as sandbox:
        token = sandbox.login(CANARY)
        where = ["flowgpt", "--base-url", sandbox.base_url]
        done = run("login", *where, "--token", typed=f" {token} \n")
        assert done.stdout.startswith(f"{sandbox.base_url}: the login saved in ")
        assert "the service does not say which user it belongs to\nSaved in " in done.stdout
        who = run("whoami", *where)
        assert (who.exit_code, who.stdout) == (0, done.stdout.splitlines(keepends=True)[0])
        assert CANARY not in done.output
        chat = run("chat", "--provider", "flowgpt", "--base-url", sandbox.base_url, "hi")
        assert chat.stdout.endswith("hi\n")
        assert sandbox.requests[-1].headers["authorization"] == f"Bearer {token}"


def test_login_with_a_token_asks_for_it_at_a_terminal() -> None:
    """What is typed is not shown."""
    with FlowGptSandbox(login_required=True) as sandbox:
        where = ["flowgpt", "--base-url", sandbox.base_url, "--token"]
        with Terminal("login", *where) as terminal:
            terminal.expect("Token for flowgpt: ")
            terminal.enter(f"{CANARY}\n")
            assert terminal.exit_code() == 0
        assert "Kept in" in terminal.seen
        assert CANARY not in terminal.seen


@pytest.mark.parametrize("provider", ["flowgpt", "gradio"])
def test_login_without_a_page_opens_no_window_and_says_so(provider: str) -> None:
    """There the way in is a token."""
    done = run("login", provider, "--base-url", "http://127.0.0.1:1")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "has no login in a browser" in done.stderr
    assert "--token" in done.stderr
    assert "window opens" not in done.stderr


@pytest.mark.parametrize("typed", ["", "\n", "  \n"])
def test_login_with_an_empty_token_is_one_line(typed: str) -> None:
    """A variable was not set, perhaps."""
    done = run("login", "flowgpt", "--token", typed=typed)
    assert (done.exit_code, done.stderr) == (1, "langchain-g4f: --token: no token was given\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--cookies", "x", "--token"], "--cookies and --token are two ways to log in; choose one"),
        (["--from-browser", "chrome", "--token"], "--from-browser and --token are two ways"),
        (["--headless"], "--headless shows no page to log in on; add --browser-profile"),
        (["flowgpt", "--profile", "../x", "--token"], "profile: expected a name of letters"),
        (["--token"], "HuggingChat has no 'api_key'"),
        (["flowgpt"], "has no login in a browser: give a token, as api_key= or with"),
        (["gradio", "--base-url", "http://127.0.0.1:1"], "127.0.0.1:1 has no login in a browser"),
        (["--from-browser", "netscape"], "'netscape' is none of brave, chrome"),
    ],
)
def test_login_that_cannot_be_is_one_line(arguments: list[str], said: str) -> None:
    """Before anything is asked or opened."""
    done = run("login", *arguments, typed=f"{CANARY}\n")
    assert (done.exit_code, done.stdout) == (1, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert CANARY not in done.stderr


@pytest.mark.parametrize("command", ["login", "logout", "whoami"])
def test_provider_that_is_none_is_wrong_usage(command: str) -> None:
    """Those that exist are listed."""
    done = run(command, "nobody")
    assert done.exit_code == 2
    assert all(name in done.stderr for name in PROVIDERS)


def test_login_with_an_installed_browser_names_it_and_its_profile(
    closed: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its cookies for the server are what is kept."""
    asked: list[object] = []

    def read(name: str, url: str, *, profile: Path | None = None) -> dict[str, str]:
        asked.append((name, url, profile))
        return closed.login("ada")

    monkeypatch.setattr(browsers, "read_browser_cookies", read)
    done = run("login", "--from-browser", "firefox", "--browser-profile", tmp_path)
    assert done.stdout.startswith(f"{closed.base_url}: ada\nSaved in ")
    assert asked == [("firefox", closed.base_url, tmp_path)]


def test_login_without_a_way_opens_a_window_and_says_so(
    closed: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On standard error; without a window there is nothing to say."""
    seen: list[dict[str, Any]] = []

    async def window(**settings: Any) -> tuple[dict[str, str], str]:
        seen.append(settings)
        return closed.login("ada"), "ada"

    monkeypatch.setattr(browser, "sign_in_with_browser", window)
    done = run("login", "--timeout", "7", "--browser", "chromium")
    assert done.stdout.startswith(f"{closed.base_url}: ada\nSaved in ")
    assert done.stderr == "A browser window opens: log in there. It closes by itself.\n"
    assert (seen[0]["timeout_s"], seen[0]["executable"]) == (7, "chromium")
    done = run("login", "--headless", "--browser-profile", tmp_path)
    assert (done.exit_code, done.stderr) == (0, "")
    assert (seen[1]["headless"], seen[1]["profile_dir"]) == (True, tmp_path)


@pytest.mark.filterwarnings("default:sessions are not kept")
def test_login_that_cannot_be_kept_says_so(
    closed: Sandbox, tmp_path: Path, no_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On standard error, in a line; it names no place where it would be."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(no_home))
    path = tmp_path / "cookies"
    path.write_text(header(closed.login("ada")))
    done = run("login", "--cookies", path)
    assert (done.exit_code, done.stdout) == (0, f"{closed.base_url}: ada\n")
    assert done.stderr.startswith("[sessions are not kept: ")
