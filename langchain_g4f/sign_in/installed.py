"""The browser that is installed here, and the screen it needs."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from langchain_g4f.errors import ConfigurationError

_COMMANDS = (
    "google-chrome",
    "google-chrome-stable",
    "chromium",
    "chromium-browser",
    "microsoft-edge",
    "microsoft-edge-stable",
    "brave-browser",
    "brave",
)
_APPLICATIONS = (
    "Google Chrome.app/Contents/MacOS/Google Chrome",
    "Chromium.app/Contents/MacOS/Chromium",
    "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "Brave Browser.app/Contents/MacOS/Brave Browser",
    "Google/Chrome/Application/chrome.exe",
    "Chromium/Application/chrome.exe",
    "Microsoft/Edge/Application/msedge.exe",
    "BraveSoftware/Brave-Browser/Application/brave.exe",
)
_APPLICATION_FOLDERS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")


def find_browser(executable: str | None = None) -> str:
    """Path of a browser built on Chromium.

    Args:
        executable: Path or name of the one to use; by default one in its usual place.

    Raises:
        ConfigurationError: There is none.
    """
    for name in (executable,) if executable else _COMMANDS:
        if path := shutil.which(name):
            return path
    if executable:
        raise ConfigurationError(f"browser: {executable!r} is no program that can be started")
    folders = [Path("/Applications"), Path.home() / "Applications"]
    folders += [Path(os.environ[name]) for name in _APPLICATION_FOLDERS if os.environ.get(name)]
    for application in _APPLICATIONS:
        for folder in folders:
            if (folder / application).is_file():
                return str(folder / application)
    raise ConfigurationError(
        "browser: none found. Install Chrome, Chromium, Edge or Brave (on Debian: apt install"
        " chromium), or say where one is: executable='/path/to/browser'"
    )


def need_screen() -> None:
    """Refuse to open a window where there is none to see.

    Raises:
        ConfigurationError: No screen; the message says what to do instead.
    """
    named = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not named:
        raise ConfigurationError(
            "browser: there is no screen to open a window on (DISPLAY is not set). Sign in on a"
            " computer that has one and bring its cookies as a file (--cookies FILE); or use a"
            " browser profile that is signed in (--headless with its folder), or the cookies of a"
            " browser that is installed here (--from-browser NAME)"
        )


__all__ = ["find_browser", "need_screen"]
