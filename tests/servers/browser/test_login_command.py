"""`langchain-g4f login` with a real Chromium, and the programs that come after it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from langchain_g4f import login, whoami
from langchain_g4f.cli.failure import INTERRUPTED
from langchain_g4f.providers.huggingchat.login import UNNAMED
from langchain_g4f.testing import Sandbox
from tests.servers.browser.command import Shell, echo
from tests.servers.browser.visitor import MARK, NAME, PATIENCE_S, marked_processes

pytestmark = pytest.mark.browser

KINDS = [
    pytest.param({}, NAME, id="session alone"),
    pytest.param({"require_site_token": True}, NAME, id="coupled to the site"),
    pytest.param({"generation": "legacy"}, UNNAMED, id="legacy"),
]


def mode(path: Path) -> int:
    """Who may do what with it."""
    return path.stat().st_mode & 0o777


@pytest.mark.proves("promise:sign-in-command")
@pytest.mark.parametrize(("sandbox_options", "name"), KINDS)
def test_login_is_kept_for_its_owner_alone_and_later_programs_are_that_user(
    sandbox: Sandbox, shell: Shell, signed_in_profile: Path, name: str
) -> None:
    """Blocking or awaited, they need no argument and no cookie."""
    done = shell.log_in(signed_in_profile)
    kept = shell.file()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{sandbox.base_url}: {name}\nSaved in {kept}\n"
    assert (mode(kept), mode(kept.parent)) == (0o600, 0o700)
    assert shell.chat() == [name, echo("hello"), echo("hello again")]
    owners = {conversation.owner for conversation in sandbox.conversations.values()}
    assert len(owners) == 1
    assert owners.pop().startswith("user:")


@pytest.mark.proves("promise:sign-in-profiles")
def test_profile_is_another_account_beside_the_default(
    sandbox: Sandbox, shell: Shell, signed_in_profile: Path
) -> None:
    """Each is asked for and forgotten by itself."""
    login(cookies=sandbox.login("bob"))
    done = shell.log_in(signed_in_profile, "--profile", "work")
    assert done.stdout == f"{sandbox.base_url}: {NAME}\nSaved in {shell.file('work')}\n"
    assert whoami().user == "bob"
    at_work = shell.at_server("whoami", "--profile", "work")
    assert (at_work.returncode, at_work.stdout) == (0, f"{sandbox.base_url}: {NAME}\n")
    done = shell.at_server("logout")
    assert (done.returncode, done.stdout) == (0, f"Deleted: {shell.file()}\n")
    done = shell.at_server("whoami")
    assert (done.returncode, done.stdout) == (1, f"{sandbox.base_url}: not logged in\n")
    assert not shell.file().exists()
    assert whoami(profile="work").user == NAME


@pytest.mark.proves("promise:sign-in-installed-browser")
def test_cookies_of_an_installed_browser_are_a_login(
    sandbox: Sandbox, shell: Shell, signed_in_profile: Path
) -> None:
    """They are read from its profile, and it is not started."""
    visits = len(sandbox.requests)
    way = ("--from-browser", "chromium")
    done = shell.at_server("login", *way, "--browser-profile", signed_in_profile)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{sandbox.base_url}: {NAME}\nSaved in {shell.file()}\n"
    assert [request.path for request in sandbox.requests[visits:]] == ["/chat/api/v2/user"]
    assert shell.run("chat", "hello").stdout == f"{echo('hello')}\n"


@pytest.mark.proves("promise:sign-in-page")
def test_login_page_of_the_environment_is_the_one_that_is_shown(
    sandbox: Sandbox, shell: Shell, signed_in_profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service is not asked for its own."""
    sandbox.expire_sessions()
    visits = len(sandbox.requests)
    monkeypatch.setenv("G4F_LOGIN_URL", f"{sandbox.base_url}/login?next=/chat/models")
    done = shell.log_in(signed_in_profile)
    assert done.stdout.startswith(f"{sandbox.base_url}: {NAME}\n")
    first = sandbox.requests[visits]
    assert (first.path, first.query) == ("/chat/login", {"next": "/chat/models"})


@pytest.mark.proves("promise:sign-in-ends-clean")
def test_login_that_nobody_completes_fails_with_the_steps(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    """It says that the time was over, and nothing is kept."""
    done = shell.log_in(tmp_path / "profile", "--timeout", "4")
    assert (done.returncode, done.stdout) == (1, "")
    message, steps = done.stderr.split("\n", 1)
    assert message.startswith(
        f"langchain-g4f: 4 s were over before a user was signed in to {sandbox.base_url}."
    )
    assert f"langchain-g4f login huggingchat --base-url {sandbox.base_url}\n" in steps
    assert "Traceback" not in done.stderr
    assert not shell.file().exists()


@pytest.mark.proves("promise:sign-in-ends-clean")
@pytest.mark.parametrize("to_all", [False, True], ids=["the command alone", "the whole terminal"])
def test_interrupted_login_leaves_no_browser(
    sandbox: Sandbox, shell: Shell, tmp_path: Path, to_all: bool
) -> None:
    """Ctrl-C ends it without a word, and nothing is kept; `browsers_end` looks for the browser."""
    with shell.start_login(tmp_path / "profile") as running:
        try:
            sandbox.wait_until(
                lambda: any(request.path == "/authorize" for request in sandbox.requests),
                PATIENCE_S,
            )
            assert len(marked_processes(os.environ[MARK])) > 2
            if to_all:
                os.killpg(running.pid, signal.SIGINT)
            else:
                os.kill(running.pid, signal.SIGINT)
            said = running.communicate(timeout=PATIENCE_S)
        finally:
            running.kill()
    assert running.returncode == INTERRUPTED
    assert said == ("", "")
    assert not shell.file().exists()
