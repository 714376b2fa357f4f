"""What a browser window needs; `tests/servers/browser` opens real ones."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from langchain_g4f.errors import ConfigurationError, MissingDependencyError
from langchain_g4f.sign_in.browser import find_browser, need_screen, sign_in_with_browser

SERVER = "https://chat.example.com/chat"


async def unknown(cookies: Mapping[str, str]) -> str | None:
    """Answer like a service that knows no user."""
    return None


def make_program(path: Path) -> str:
    """Make a file that can be started."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return str(path)


@pytest.fixture
def no_browsers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a browser."""
    for name in ("PATH", "HOME", "PROGRAMFILES", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.delenv("PROGRAMFILES(X86)", raising=False)
    return tmp_path


def test_browser_on_the_path_is_found(no_browsers: Path) -> None:
    """Chrome comes before Chromium."""
    chromium = make_program(no_browsers / "path" / "chromium")
    assert find_browser() == chromium
    chrome = make_program(no_browsers / "path" / "google-chrome")
    assert find_browser() == chrome


@pytest.mark.parametrize(
    "place",
    [
        "home/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "programfiles/Microsoft/Edge/Application/msedge.exe",
        "localappdata/BraveSoftware/Brave-Browser/Application/brave.exe",
    ],
)
def test_browser_among_the_applications_is_found(no_browsers: Path, place: str) -> None:
    """Of one user, or of all."""
    program = make_program(no_browsers / place)
    assert find_browser() == program


@pytest.mark.skipif(sys.platform == "darwin", reason="/Applications may have one")
def test_no_browser_is_an_error_that_says_what_to_install(no_browsers: Path) -> None:
    """Or how to say where one is."""
    with pytest.raises(ConfigurationError, match=r"Install Chrome.*executable='/path/to/browser'"):
        find_browser()


def test_named_browser_is_the_one(no_browsers: Path) -> None:
    """By name or by path; one that is not there is not replaced by another."""
    make_program(no_browsers / "path" / "chromium")
    mine = make_program(no_browsers / "path" / "my-browser")
    assert find_browser("my-browser") == mine
    assert find_browser(mine) == mine
    with pytest.raises(ConfigurationError, match="'other-browser' is not a program"):
        find_browser("other-browser")


@pytest.mark.parametrize("name", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_screen_of_either_kind_is_enough(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """X or Wayland; other systems always have one."""
    for each in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(each, raising=False)
    with monkeypatch.context() as on_mac:
        on_mac.setattr("sys.platform", "darwin")
        need_screen()
    monkeypatch.setenv(name, ":0")
    need_screen()


async def test_window_without_a_screen_is_refused_with_the_ways_out(
    no_browsers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is started."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    program = make_program(no_browsers / "chromium")
    message = r"no screen.*--cookies FILE.*--headless.*--from-browser NAME"
    with pytest.raises(ConfigurationError, match=message):
        await sign_in_with_browser(login_url=SERVER, server=SERVER, who=unknown, executable=program)


async def test_missing_playwright_is_an_error_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It comes with an extra; its own browsers are not wanted."""
    monkeypatch.setitem(sys.modules, "playwright", None)
    with pytest.raises(MissingDependencyError, match=r'pip install -e "\.\[browser\]"'):
        await sign_in_with_browser(login_url=SERVER, server=SERVER, who=unknown)


async def test_profile_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """Before a browser is started."""
    program = make_program(tmp_path / "chromium")
    with pytest.raises(ConfigurationError, match=r"chromium cannot hold a profile: \w+Error"):
        await sign_in_with_browser(
            login_url=SERVER,
            server=SERVER,
            who=unknown,
            headless=True,
            profile_dir=Path(program),
            executable=program,
        )
