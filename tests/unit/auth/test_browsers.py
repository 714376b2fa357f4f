"""The cookies of an installed browser; `tests/servers/browser` reads those of a real one."""

from __future__ import annotations

import hashlib
import http.cookiejar
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from Cryptodome.Cipher import AES
from Cryptodome.Util.Padding import pad

from langchain_g4f.auth.browsers import BROWSERS, read_browser_cookies
from langchain_g4f.errors import ConfigurationError, MissingDependencyError
from tests.unit.traces import assert_tells_nothing

HOST = "chat.example.com"
SERVER = f"https://{HOST}/chat"
CANARY = "canary-f3a91c77d2"
LATER_S = time.time() + 3600
BEFORE_S = time.time() - 3600

Row = tuple[str, str, str, float | None, bool]
"""Host, name, path, when it expires in seconds since 1970, and whether it is for https only."""

ROWS: list[Row] = [
    (HOST, "own", "/", LATER_S, True),
    (f".{HOST}", "wide", "/", LATER_S, True),
    (".example.com", "parent", "/", LATER_S, True),
    ("example.com", "parent-alone", "/", LATER_S, True),
    (".ple.com", "no-parent", "/", LATER_S, True),
    (f"www.{HOST}", "child", "/", LATER_S, True),
    (f"evil{HOST}", "evil", "/", LATER_S, True),
    (HOST, "below", "/chat", LATER_S, True),
    (HOST, "slash", "/chat/", LATER_S, True),
    (HOST, "beside", "/chatter", LATER_S, True),
    (HOST, "old", "/", BEFORE_S, True),
    (HOST, "session", "/", None, True),
    (HOST, "plain", "/", LATER_S, False),
    ("127.0.0.1", "loopback", "/", LATER_S, False),
    ("127.0.0.2", "other", "/", LATER_S, False),
    (".0.0.1", "no-domain", "/", LATER_S, False),
]


def value(row: Row) -> str:
    """A value that tells which cookie it is of."""
    return f"{CANARY}@{row[0]}{row[2]}"


def write_firefox(profile: Path, rows: list[Row], make_value: Callable[[Row], str] = value) -> None:
    """Make a profile as Firefox 142 and later write it, with milliseconds."""
    with closing(sqlite3.connect(profile / "cookies.sqlite")) as jar, jar:
        jar.execute("PRAGMA user_version = 17")
        jar.execute(
            "CREATE TABLE moz_cookies (host, name, value, path, expiry, isSecure, originAttributes)"
        )
        for row in rows:
            host, name, path, expires_s, secure = row
            expiry = None if expires_s is None else expires_s * 1000
            fields = (host, name, make_value(row), path, expiry, secure)
            jar.execute("INSERT INTO moz_cookies VALUES (?, ?, ?, ?, ?, ?, '')", fields)


def write_chromium(profile: Path, rows: list[Row], version: bytes) -> None:
    """Make a profile as Chromium on Linux writes it without a keyring; ``version`` may be wrong."""
    key = hashlib.pbkdf2_hmac("sha1", b"peanuts", b"saltysalt", 1, 16)
    with closing(sqlite3.connect(profile / "Cookies")) as jar, jar:
        jar.execute("CREATE TABLE meta (key, value)")
        jar.execute("INSERT INTO meta VALUES ('version', '24')")
        jar.execute(
            "CREATE TABLE cookies"
            " (host_key, name, value, encrypted_value, path, expires_utc, is_secure)"
        )
        for row in rows:
            host, name, path, expires_s, secure = row
            text = hashlib.sha256(host.encode()).digest() + value(row).encode()
            secret = version + AES.new(key, AES.MODE_CBC, b" " * 16).encrypt(pad(text, 16))
            expires = 0 if expires_s is None else int((expires_s + 11_644_473_600) * 1e6)
            fields = (host, name, "", secret, path, expires, secure)
            jar.execute("INSERT INTO cookies VALUES (?, ?, ?, ?, ?, ?, ?)", fields)


@pytest.fixture
def firefox(tmp_path: Path) -> Path:
    """A Firefox profile with cookies of several hosts."""
    write_firefox(tmp_path, ROWS)
    return tmp_path


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a desktop, thus without a keyring."""
    for name in ("XDG_CURRENT_DESKTOP", "DESKTOP_SESSION", "KDE_FULL_SESSION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("GNOME_DESKTOP_SESSION_ID", raising=False)


@pytest.mark.parametrize(
    ("url", "names"),
    [
        (SERVER, "own wide parent below session plain"),
        (f"{SERVER}/", "own wide parent below slash session plain"),
        (f"https://{HOST}", "own wide parent session plain"),
        (f"http://{HOST.upper()}:8080/chat", "plain"),
        ("https://example.com/chat", "parent parent-alone"),
        ("http://127.0.0.1:8080/chat", "loopback"),
        ("http://127.0.0.2/chat", "other"),
    ],
)
def test_cookies_are_those_the_browser_would_send(firefox: Path, url: str, names: str) -> None:
    """Host or parent, path, https and age must fit; an address has no parents."""
    found = read_browser_cookies("firefox", url, profile=firefox)
    rows = {row[1]: value(row) for row in ROWS}
    assert found == {name: rows[name] for name in names.split()}


def test_of_one_name_the_most_specific_cookie_is_taken(tmp_path: Path) -> None:
    """The longest path first, then the longest domain."""
    hosts = [(HOST, "/chat"), (HOST, "/"), (".example.com", "/chat"), (".example.com", "/")]
    write_firefox(tmp_path, [(host, "token", path, None, True) for host, path in hosts])
    found = read_browser_cookies("firefox", SERVER, profile=tmp_path)
    assert found == {"token": f"{CANARY}@{HOST}/chat"}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other keys")
def test_chromium_cookies_are_decrypted_and_old_ones_left_out(
    tmp_path: Path, no_keyring: None
) -> None:
    """The hash of the host before the value is not part of it; the clock starts in 1601."""
    write_chromium(tmp_path, ROWS, b"v10")
    found = read_browser_cookies("chromium", SERVER, profile=tmp_path)
    assert set(found) == {"own", "wide", "parent", "below", "session", "plain"}
    assert found["own"] == f"{CANARY}@{HOST}/"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other keys")
def test_chromium_cookies_that_stay_closed_are_an_error(tmp_path: Path, no_keyring: None) -> None:
    """The key is in a keyring that is not there: the message says so, and what else can be done."""
    write_chromium(tmp_path, ROWS, b"v11")
    with pytest.raises(ConfigurationError, match=r"cannot be decrypted.*keyring.*Export") as caught:
        read_browser_cookies("chromium", SERVER, profile=tmp_path)
    assert_tells_nothing(caught.value, CANARY)


@pytest.mark.parametrize("bad", ["", "gr\u00fc\u00dfe", "a;b", "\x17\x80garbage"])
def test_value_that_no_header_can_carry_is_left_out(tmp_path: Path, bad: str) -> None:
    """One decrypted with a wrong key looks like that, too."""
    rows: list[Row] = [(HOST, name, "/", None, True) for name in ("good", "bad")]
    write_firefox(tmp_path, rows, lambda row: "1" if row[1] == "good" else bad)
    assert read_browser_cookies("firefox", SERVER, profile=tmp_path) == {"good": "1"}


def test_value_that_is_no_text_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library passes on undecrypted bytes where it knows no better."""
    jar = http.cookiejar.CookieJar()
    secret: str = b"\x01"  # type: ignore[assignment]
    jar.set_cookie(
        http.cookiejar.Cookie(
            *(0, "bytes", secret, None, False, HOST, False, False, "/", True, True, None, False),
            *(None, None, {}),
        )
    )
    monkeypatch.setattr("yt_dlp.cookies.extract_cookies_from_browser", lambda *_: jar)
    with pytest.raises(ConfigurationError, match="has no cookie"):
        read_browser_cookies("chrome", SERVER, profile=tmp_path)


def test_host_without_cookies_is_named(firefox: Path) -> None:
    """The message says what to do, and shows nothing of the other hosts."""
    message = r"firefox has no cookie for huggingface\.co\. Log in there"
    with pytest.raises(ConfigurationError, match=message) as caught:
        read_browser_cookies("firefox", "https://huggingface.co/chat", profile=firefox)
    assert_tells_nothing(caught.value, CANARY)


@pytest.mark.parametrize("browser", ["lynx", "Chrome", ""])
def test_unknown_browser_is_refused_with_the_known(browser: str) -> None:
    """Names are written as in the list."""
    with pytest.raises(
        ConfigurationError, match=f"{browser!r} is not one of {', '.join(BROWSERS)}"
    ):
        read_browser_cookies(browser, SERVER)


def test_missing_library_is_an_error_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes with an extra."""
    monkeypatch.setitem(sys.modules, "yt_dlp.cookies", None)
    with pytest.raises(MissingDependencyError, match=r'pip install -e "\.\[browser\]"'):
        read_browser_cookies("firefox", SERVER)


@pytest.mark.parametrize("browser", ["firefox", "chromium"])
def test_browser_that_is_not_there_is_an_error(
    browser: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profile is named by its folder; the usual place is not."""
    with pytest.raises(ConfigurationError, match=rf"no cookies of {browser} in .*nowhere"):
        read_browser_cookies(browser, SERVER, profile=tmp_path / "nowhere")
    for name in ("HOME", "XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    with pytest.raises(ConfigurationError, match=rf"no cookies of {browser} in its usual place"):
        read_browser_cookies(browser, SERVER)


def test_jar_that_cannot_be_read_says_to_close_the_browser(tmp_path: Path) -> None:
    """A locked file is an error of the system's."""
    (tmp_path / "cookies.sqlite").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read: close the browser"):
        read_browser_cookies("firefox", SERVER, profile=tmp_path)


def test_jar_that_windows_locks_says_to_close_the_browser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library has an error of its own for that, with the system's behind it."""

    def extract(*_: object) -> http.cookiejar.CookieJar:
        error = RuntimeError("cannot copy")
        error.__context__ = PermissionError(13, "in use")
        raise error

    monkeypatch.setattr("yt_dlp.cookies.extract_cookies_from_browser", extract)
    with pytest.raises(ConfigurationError, match="cannot be read: close the browser"):
        read_browser_cookies("chrome", SERVER, profile=tmp_path)


def test_newer_jar_of_firefox_without_the_host_is_not_called_encrypted(tmp_path: Path) -> None:
    """The library warns of a version it does not know, and reads it."""
    write_firefox(tmp_path, ROWS)
    with closing(sqlite3.connect(tmp_path / "cookies.sqlite")) as jar, jar:
        jar.execute("PRAGMA user_version = 99")
    with pytest.raises(ConfigurationError, match="has no cookie for localhost"):
        read_browser_cookies("firefox", "http://localhost", profile=tmp_path)


@pytest.mark.parametrize(("browser", "file"), [("firefox", "cookies.sqlite"), ("edge", "Cookies")])
def test_damaged_jar_is_an_error_that_tells_nothing(
    browser: str, file: str, tmp_path: Path
) -> None:
    """What the library makes of it does not get out."""
    (tmp_path / file).write_text(f"{CANARY} is no database" * 100)
    with pytest.raises(ConfigurationError, match="or the file is damaged") as caught:
        read_browser_cookies(browser, SERVER, profile=tmp_path)
    assert_tells_nothing(caught.value, CANARY)


@pytest.mark.skipif(sys.platform == "darwin", reason="there it is installed")
def test_safari_is_for_macos() -> None:
    """It is refused before anything is looked for."""
    with pytest.raises(ConfigurationError, match="safari keeps its cookies on macOS only"):
        read_browser_cookies("safari", SERVER)


@pytest.mark.parametrize(
    ("browser", "files", "wanted"),
    [
        ("chrome", ["Local State", "Default/Cookies"], "Default"),
        ("chrome", ["Cookies"], ""),
        ("opera", ["Local State", "Cookies"], ""),
        ("firefox", ["cookies.sqlite"], ""),
        ("safari", ["Cookies.binarycookies"], "Cookies.binarycookies"),
        ("safari", [], "Cookies.binarycookies"),
    ],
)
def test_library_is_given_the_folder_it_finds_the_key_by(
    browser: str,
    files: list[str],
    wanted: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On Windows that is the profile below the folder of all; Safari has one file."""
    asked: list[str] = []

    def extract(_browser: str, profile: str, _logger: object) -> http.cookiejar.CookieJar:
        asked.append(profile)
        return http.cookiejar.CookieJar()

    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    monkeypatch.setattr("yt_dlp.cookies.extract_cookies_from_browser", extract)
    monkeypatch.setattr("sys.platform", "darwin")
    for profile in (tmp_path, tmp_path / wanted):
        with pytest.raises(ConfigurationError, match="has no cookie"):
            read_browser_cookies(browser, SERVER, profile=profile)
    assert set(asked) == {str(tmp_path / wanted)}
