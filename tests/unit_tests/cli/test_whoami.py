"""The commands `whoami` and `logout`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from langchain_g4f.auth.store import CredentialFile
from langchain_g4f.testing import Sandbox
from tests.unit_tests.cli.accounts import CANARY, closed, file_of, header, home, netscape, run

__all__ = ["closed", "home"]


def log_in(sandbox: Sandbox, name: str, folder: Path, *where: str) -> None:
    """Log in with a cookie file."""
    path = folder / f"{name}.txt"
    path.write_text(header(sandbox.login(name)))
    assert run("login", "--cookies", path, *where).exit_code == 0


def test_whoami_fails_for_nobody(closed: Sandbox) -> None:
    """So a script can ask; the server is named."""
    done = run("whoami")
    assert (done.exit_code, done.stdout) == (1, f"{closed.base_url}: not logged in\n")


def test_whoami_names_a_login_that_ended(closed: Sandbox, tmp_path: Path) -> None:
    """What is kept is not what counts, and it says where that is."""
    log_in(closed, "ada", tmp_path)
    closed.expire_sessions()
    done = run("whoami")
    path = file_of(closed.base_url).path
    said = f"not logged in; the login saved in {path} has expired, or is not used"
    assert (done.exit_code, done.stdout) == (1, f"{closed.base_url}: {said}\n")


@pytest.mark.parametrize("provider", ["flowgpt", "gradio"])
def test_whoami_of_a_service_that_does_not_say_fails_without_a_login(provider: str) -> None:
    """There is nothing it could ask, and nothing is kept."""
    done = run("whoami", provider, "--base-url", "http://127.0.0.1:1")
    said = "http://127.0.0.1:1: not logged in\n"
    assert (done.exit_code, done.stdout, done.stderr) == (1, said, "")


def test_whoami_of_a_service_that_does_not_say_names_the_login_that_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A script can still ask whether there is one; its text is not shown."""
    where = ["flowgpt", "--base-url", "http://127.0.0.1:1"]
    monkeypatch.setenv("FLOWGPT_BASE_URL", where[-1])
    monkeypatch.setenv("FLOWGPT_TOKEN", CANARY)
    tail = "the service does not say which user it belongs to\n"
    done = run("whoami", *where)
    assert (done.exit_code, done.stdout) == (0, f"{where[-1]}: a login that is not saved; {tail}")
    monkeypatch.delenv("FLOWGPT_TOKEN")
    assert run("login", *where, "--token", typed=CANARY).exit_code == 0
    kept = CredentialFile.of("flowgpt", where[-1], "default").path
    done = run("whoami", *where)
    assert (done.exit_code, done.stdout) == (0, f"{where[-1]}: the login saved in {kept}; {tail}")


def test_whoami_of_a_login_that_others_can_read_says_how_to_mend_it(
    closed: Sandbox, tmp_path: Path
) -> None:
    """It is not used."""
    log_in(closed, "ada", tmp_path)
    file_of(closed.base_url).path.chmod(0o644)
    asked = len(closed.requests)
    done = run("whoami")
    assert done.exit_code == 1
    assert f"run chmod 600 {file_of(closed.base_url).path}" in done.stderr
    assert len(closed.requests) == asked


def test_logout_forgets_the_login(closed: Sandbox, tmp_path: Path) -> None:
    """A second time there is none, which is no failure."""
    log_in(closed, "ada", tmp_path)
    path = file_of(closed.base_url).path
    done = run("logout")
    assert (done.exit_code, done.stdout) == (0, f"Deleted: {path}\n")
    assert not path.exists()
    assert run("whoami").exit_code == 1
    done = run("logout")
    assert (done.exit_code, done.stdout) == (0, "There was no saved login.\n")


def test_logout_of_a_login_that_others_can_read_is_possible(
    closed: Sandbox, tmp_path: Path
) -> None:
    """One of the ways to mend it."""
    log_in(closed, "ada", tmp_path)
    file_of(closed.base_url).path.chmod(0o644)
    assert run("logout").exit_code == 0


def test_profiles_and_servers_are_accounts_of_their_own(closed: Sandbox, tmp_path: Path) -> None:
    """`--profile` and `--base-url` say which."""
    log_in(closed, "ada", tmp_path)
    log_in(closed, "bea", tmp_path, "--profile", "work")
    with Sandbox(login_required=True) as other:
        log_in(other, "cleo", tmp_path, "--base-url", other.base_url)
        names = [
            run("whoami", *where).stdout.split()[-1]
            for where in ([], ["--profile", "work"], ["--base-url", other.base_url])
        ]
    assert names == ["ada", "bea", "cleo"]
    run("logout", "--profile", "work")
    assert run("whoami", "--profile", "work").exit_code == 1
    assert run("whoami").exit_code == 0


def test_profile_says_who_asks(closed: Sandbox, tmp_path: Path) -> None:
    """`chat`, `models` and `doctor` take it, as `login` does; a kept conversation remembers it."""
    log_in(closed, "bea", tmp_path, "--profile", "work")
    bea = file_of(closed.base_url, "work").load()
    assert bea is not None
    asked_by_bea = 0
    talk = tmp_path / "talk.json"
    for arguments in (
        ["chat", "--profile", "work", "--save", talk, "hello"],
        ["chat", "--save", talk, "again"],
        ["models", "--profile", "work"],
        ["doctor", "--profile", "work"],
    ):
        assert run(*arguments).exit_code == 0
        cookies = [request.headers.get("cookie", "") for request in closed.requests]
        assert len(cookies) > asked_by_bea
        assert all(bea.cookies["hf-chat"] in each for each in cookies[asked_by_bea:])
        asked_by_bea = len(cookies)
    assert run("chat", "hello").exit_code == 1
    assert json.loads(talk.read_text())["place"]["profile"] == "work"


def test_profile_has_no_account_at_the_sandbox() -> None:
    """Which is said in one line."""
    done = run("chat", "--sandbox", "--profile", "work", "hello")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "langchain-g4f: --profile: the sandbox has no accounts\n"


def test_whoami_names_the_user_of_the_environment(
    closed: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who a program that is started here and now would be."""
    cookies = header(closed.login("ada"))
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", cookies)
    assert run("whoami").stdout == f"{closed.base_url}: ada\n"
    assert run("whoami", "--profile", "work").exit_code == 1


@pytest.mark.proves("promise:redaction")
def test_login_in_a_process_of_its_own_shows_no_secret(closed: Sandbox, tmp_path: Path) -> None:
    """Whatever its output is, and whoever logs it."""
    path = tmp_path / "cookies"
    cookies = {**closed.login("ada"), "other": CANARY}
    path.write_text(netscape(cookies))
    command = [sys.executable, "-X", "dev", "-m", "langchain_g4f"]
    for arguments in (["login", "--cookies", str(path)], ["whoami"], ["logout"]):
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert not any(value in done.stdout + done.stderr for value in cookies.values())
