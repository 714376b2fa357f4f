"""Apps with users of their own, and apps for users of Hugging Face, on real servers."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from langchain_g4f import ChatGradioSpace, login, logout, whoami
from langchain_g4f.chat_models import client
from langchain_g4f.errors import AppError, AuthenticationError
from tests.contract.faults.harness import ask, by_turns, fail
from tests.servers.gradio.conftest import Line

pytestmark = pytest.mark.servers

ADA = ("ada", "pass word &")
KEY = "hf_made_up_token"
Serve = Callable[[str], str]


@contextmanager
def _running(python: Path, app: str) -> Iterator[str]:
    """The address of the app, in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"APP": app, "GRADIO_SERVER_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False"}
    script = Path(__file__).with_name("members_app.py")
    environment = {**os.environ, **settings, "HF_HUB_OFFLINE": "1"}
    quiet = subprocess.DEVNULL
    with subprocess.Popen([python, script], env=environment, stdout=quiet, stderr=quiet) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(f"{url}/config", process)
            yield url
        finally:
            process.kill()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the app did not start")


def _end_sessions(url: str) -> None:
    """Log the first member out everywhere, as a browser does."""
    with httpx.Client(base_url=url, trust_env=False) as browser:
        browser.post("/login", data={"username": ADA[0], "password": ADA[1]}).raise_for_status()
        assert browser.get("/logout").is_redirect


@pytest.fixture(scope="module")
def members(gradio_python: Path) -> Iterator[str]:
    """Run the app for its own users."""
    with _running(gradio_python, "members") as url:
        yield url


@pytest.fixture(scope="module")
def hub_users(gradio_python: Path) -> Iterator[str]:
    """Run the app for users of Hugging Face."""
    with _running(gradio_python, "hub users") as url:
        yield url


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a process that knows no session, and a folder for settings of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    client._cache.clear()


@by_turns
async def test_member_is_logged_in(way: str, members: str) -> None:
    """Each under the own name; a session that ends is renewed."""
    ada, grace = (ChatGradioSpace(base_url=members, auth=a) for a in (ADA, ("grace", "hopper")))
    assert (await ask(ada, way, "hi")).text == "ada said hi"
    assert (await ask(grace, way, "hi")).text == "grace said hi"
    assert (ada.whoami(), grace.whoami()) == ("ada", "grace")
    _end_sessions(members)
    assert (await ask(ada, way, "ho")).text == "ada said ho"


@by_turns
async def test_caller_who_is_no_member_is_told_so(way: str, members: str) -> None:
    """A wrong password, and none."""
    wrong = ChatGradioSpace(base_url=members, auth=("ada", "wrong"))
    assert "refused the name or the password" in str(await fail(wrong, way, AuthenticationError))
    none = await fail(ChatGradioSpace(base_url=members), way, AuthenticationError)
    assert "has a login of its own" in str(none)


@by_turns
async def test_login_is_kept(way: str, members: str) -> None:
    """As by `langchain-g4f login gradio --user`."""
    assert login("gradio", base_url=members, auth=ADA).user == "ada"
    client._cache.clear()
    assert (await ask(ChatGradioSpace(base_url=members), way, "hi")).text == "ada said hi"
    assert whoami("gradio", base_url=members).user == "ada"
    assert logout("gradio", base_url=members).kept
    assert whoami("gradio", base_url=members).user is None


@by_turns
async def test_app_for_users_of_hugging_face_gets_the_given_token(
    way: str, line: Line, hub_users: str
) -> None:
    """From Gradio 6 on; before, such a function fails unless a person has signed in on a page."""
    model = ChatGradioSpace(base_url=hub_users, api_key=KEY)
    if line == "gradio5":
        await fail(model, way, AppError, host=None)
        return
    assert (await ask(model, way, "hi")).text == "hi with hf_made"
    anonymous = ChatGradioSpace(base_url=hub_users, api_key=None)
    error = await fail(anonymous, way, AuthenticationError, host=None)
    assert "give it as api_key=" in str(error)
