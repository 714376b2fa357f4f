"""Searching foreign text takes time that grows as its length does, whatever is in there."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from langchain_g4f.auth.cookies import Cookies
from langchain_g4f.core.error_mapping import status_error
from langchain_g4f.core.http import Headers, Response
from langchain_g4f.core.redact import redact_text, redact_url
from langchain_g4f.errors import APIError, BlockedURLError
from langchain_g4f.media.download import download
from langchain_g4f.media.sniff import sniff
from langchain_g4f.providers.gradio_space.app import keyword
from langchain_g4f.providers.gradio_space.failure import app_failure
from langchain_g4f.providers.huggingchat.login import whoami
from langchain_g4f.sign_in.browser import _did_not_start
from langchain_g4f.transport.http_library import _HideCookies
from tests.unit.providers.test_huggingchat_login import NOT_THERE, page, result
from tests.unit.timing import assert_grows, cpu_seconds

SHORT, LONG = 25_000, 200_000
"""Characters."""


def older_server(text: str) -> None:
    """Read from its page which user is logged in."""
    assert result(whoami("https://chat.example/chat"), [], NOT_THERE, page(text)) is None


def remote_file(text: str) -> None:
    """Take its address apart."""
    with pytest.raises(BlockedURLError):
        next(download(f"http://{text}", limit=1, trusted_hosts=()))


def refusal(text: str) -> None:
    """Say what a service has answered."""
    headers = Headers([("content-type", "text/plain"), ("location", f"http://{text}")])
    for status in (302, 400):
        error = status_error(
            Response(status, headers, "", text.encode()), provider="p", phase="ask"
        )
        assert isinstance(error, APIError)


def cookie(text: str) -> None:
    """Keep what a server sets."""
    url = "http://127.0.0.1/"
    Cookies(url).store(url, [f"a=1; expires={text[:8000]}", text, f"{text[:8000]}=1"] * 10)


def log(text: str) -> None:
    """Mask what the HTTP library logs."""
    record = logging.LogRecord("httpcore", logging.DEBUG, "", 0, text, (), None)
    assert _HideCookies().filter(record)


CASES: dict[str, tuple[Callable[[str], object], tuple[str, ...]]] = {
    "page of an older server": (
        older_server,
        (
            "<form action=",
            "<form action='/a",
            "<form ",
            "<form\n",
            "action=",
            "/logou",
            " action=/",
            "<form action=/logou/",
            "<",
        ),
    ),
    "error of an app": (
        lambda text: app_failure({"error": text, "title": text}),
        (
            "<br",
            "</p",
            "<a ",
            "exceeded your ",
            "Try again in 1",
            "token ",
            "&#",
            "&#1",
            "&am",
            "<",
        ),
    ),
    "label of an app": (keyword, ("a", "A", "aA", "_", " ", "-a")),
    "refusal": (refusal, ("a", "/", "{", "@", ":1", "[", "://", "Cookie: ", '"token":')),
    "address of a redirect": (
        lambda text: redact_url(f"http://{text}"),
        ("@", ":1", "[", "a", "/"),
    ),
    "file": (lambda text: sniff(text.encode()), ("<", "<a", "<a:", "<!--", "<?", " ", "a", "<a.")),
    "address of a file": (remote_file, ("a.", "1", "0x", "[", ":", "@", "a", "-", "\N{SNOWMAN}")),
    "browser that fails": (
        lambda text: _did_not_start("chromium", text),
        ("[err] [", "[err] [:ERROR:", ":ERROR:", "[err] [x:FATAL:] \n", "] "),
    ),
    "cookie": (cookie, (" ", "1", "1-a-1 ", "a=", ";", '"', "\\", "1-a-1 1:1:1 ")),
    "log": (log, ("(b'set-cookie', b'", "(b'Set-Cookie', b\"\\", "\\", "'", "cookie")),
}


@pytest.mark.parametrize(
    ("read", "unit"),
    [
        pytest.param(read, unit, id=f"{name}-{unit!r}")
        for name, (read, units) in CASES.items()
        for unit in units
    ],
)
def test_hostile_text_takes_linear_time(read: Callable[[str], object], unit: str) -> None:
    """Eight times the length takes far less than 64 times as long."""
    prefix = "<form " if unit == " action=/" else ""
    texts = {size: prefix + unit * (size // len(unit)) for size in (SHORT, LONG)}
    assert_grows(lambda size: read(texts[size]), SHORT, LONG, less_than=20, least_s=0.002)


@pytest.mark.parametrize("unit", ["a ", "&am", "<br>", "eyJ", "token "])
def test_error_of_eight_mebibytes_stalls_no_call(unit: str) -> None:
    """Little of it is shown, so little is looked at."""
    text = unit * ((8 << 20) // len(unit))
    assert cpu_seconds(lambda: app_failure({"error": text})) < 0.3
    assert cpu_seconds(lambda: redact_text(text, "a secret")) < 0.3


def test_credential_at_the_cut_is_not_shown() -> None:
    """Not even its beginning, which looks like none."""
    key = "eyJ" + "a" * 40 + "." + "b" * 40
    for blank in range(2000 - 100, 2000 + 100, 7):
        shown = redact_text(f"{'x ' * (blank // 2)}{key} {'y' * 20_000}", limit=2000)
        assert "eyJ" not in shown
    huge = f"cookie: {'c' * 9000}\n{'x ' * 550}{key}"
    assert "eyJ" not in redact_text(huge + "z" * 20_000, limit=2000)


@pytest.mark.parametrize("text", [f"&#{'9' * 5000};", f"Try again in {'9' * 500} days, 1:00:00"])
def test_error_with_a_huge_number_is_told(text: str) -> None:
    """Python refuses to read it, or has no float for it."""
    error = app_failure({"error": f"You have exceeded your GPU quota. {text}"})
    assert "GPU quota" in str(error)
