"""What may be shown of URLs and of a server's text."""

from __future__ import annotations

import json
import time
import traceback
from collections import Counter
from urllib.parse import quote

import pytest

from langchain_g4f.core.redact import (
    KINDS,
    MASK,
    count_kind,
    forget_locals,
    redact_text,
    redact_url,
)
from langchain_g4f.errors import APIError, ConfigurationError

CANARY = "canary0f3a91c77d2"


@pytest.mark.proves("promise:redaction")
@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.com/chat/x", "https://example.com/chat/x"),
        (f"https://user:{CANARY}@example.com/a?t={CANARY}#{CANARY}", "https://example.com/a"),
        (f"https://{CANARY}@example.com", "https://example.com"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("http://example.com:0/x", "http://example.com/x"),
        (f"/login?next={CANARY}", "/login"),
        ("", ""),
        (f"http://example.com/a;jsessionid={CANARY}?b", "http://example.com/a"),
        (f"http://example.com;{CANARY}/", "(no valid URL)"),
        (f"user:{CANARY}@example.com", "(no valid URL)"),
        (f"{CANARY}@example.com/a", "(no valid URL)"),
        (f"data:text/plain,{CANARY}", "(no valid URL)"),
        (f"http://[{CANARY}", "(no valid URL)"),
        (f"http://[::1];jsessionid=/{CANARY}", "(no valid URL)"),
        (f"http://example.com:99999/{CANARY}", "(no valid URL)"),
        (f"http://user:pw@example.com:{CANARY}/", "(no valid URL)"),
        (f"http://exa mple.com {CANARY}/x", "(no valid URL)"),
    ],
)
def test_redact_url_shows_scheme_host_port_and_path(url: str, shown: str) -> None:
    """Nothing that can carry a secret is shown, and of an invalid URL nothing at all."""
    assert redact_url(url) == shown


@pytest.mark.proves("promise:redaction", "obligation:huggingchat:19")
@pytest.mark.parametrize(
    "text",
    [
        "eyJhbGciOiJI.{}.c2ln",
        "eyJhbGciOiJI.{}",
        "hf_{}",
        "the key sk-{} is wrong",
        "ghp_{}",
        "xoxb-{}",
        "Bearer {}",
        "basic {}",
        "Authorization: Bearer {}",
        "authorization={}",
        "Cookie: hf-chat={}",
        "Cookie: a=1; sid={}; b=2",
        "cookie:sid={}\r\nnext: line",
        "Set-Cookie: sid={}; Path=/",
        '{{"cookie": "a=1; sid={}"}}',
        "hf-chat={}",
        "token={}&x=1",
        "access_token: {}",
        '{{"api_key": "{}"}}',
        '{{"api-key":"{}"}}',
        "{{'password': 'with blanks {}'}}",
        '{{"password": "quoted \\" {}"}}',
        '{{"password": "never closed {}',
        "{{'password': 'never closed {}",
        '"{{\\"token\\": \\"{}\\"}}"',
        "client_secret = {}",
        "passwd={},",
        "session={};",
        'x \\\\"token\\\\": \\\\"{}\\\\"',
        "line\\nhf_{}",
        "line\\nCookie: a=1; b={}",
        "http://user:{}@proxy:3128",
        "http://{}@proxy",
        "http://user:p@ss{}@proxy/x",
    ],
)
def test_redact_text_masks_what_looks_like_a_credential(text: str) -> None:
    """Whatever the way in which a service quotes it."""
    shown = redact_text(text.format(CANARY))
    assert CANARY not in shown
    assert MASK in shown


@pytest.mark.parametrize(
    "text",
    [
        "Too many requests. Try again later.",
        "https://example.com/path?x=1",
        "mail someone@example.com",
        "http://example.com/a@b",
        "the tokenizer failed",
        "line one\n\tline two",
        "ein Umlaut, 日本\u3000語, 🙂",
        "",
    ],
)
def test_redact_text_leaves_ordinary_text_as_it_is(text: str) -> None:
    """An explanation that holds no credential reaches the reader whole."""
    assert redact_text(text) == text


def test_redact_text_keeps_the_name_and_what_follows_the_credential() -> None:
    """One can still see what the service was talking about."""
    assert redact_text("bad token=abc, try again") == f"bad token={MASK}, try again"
    assert redact_text("a Cookie: x=1\nb") == f"a Cookie: {MASK}\nb"
    assert redact_text("http://u:p@h/x") == f"http://{MASK}@h/x"


def test_redact_text_with_known_secrets_masks_them_wherever_they_stand() -> None:
    """Also where one is a part of another, and where one is empty."""
    assert redact_text("1 abc 2 abcdef 3", "abc", "", "abcdef") == f"1 {MASK} 2 {MASK} 3"


@pytest.mark.parametrize("secret", ['a"b\\c', "a b/c", "ä"])
def test_redact_text_with_known_secrets_masks_their_other_spellings(secret: str) -> None:
    """A server may repeat them in a URL or in JSON, which may stand in JSON again."""
    once = json.dumps(secret, ensure_ascii=False)[1:-1]
    twice = json.dumps(once, ensure_ascii=False)[1:-1]
    for spelling in (secret, quote(secret, safe=""), once, twice):
        assert redact_text(f"<{spelling}>", secret) == f"<{MASK}>"


def test_redact_text_longer_than_the_limit_is_cut_after_masking() -> None:
    """The cut cannot leave half a credential."""
    assert redact_text("x" * 10, limit=10) == "x" * 10
    assert redact_text("x" * 11, limit=10) == "x" * 10 + "…"
    assert redact_text(f"token={CANARY}", limit=10) == "token=****…"


@pytest.mark.parametrize("control", ["\x1b", "\0", "\x07", "\x9b", "\x7f", "\ud800"])
def test_redact_text_with_control_characters_shows_a_replacement(control: str) -> None:
    """A server cannot steer the caller's terminal, nor make a text that cannot be encoded."""
    shown = redact_text(f"a{control}b")
    assert shown == "a\N{REPLACEMENT CHARACTER}b"
    shown.encode()


@pytest.mark.parametrize(
    "piece",
    ["a-", "-eyJ", "eyJ-", "eyJaaaaaaaa.", "token", "token ", "cookie:", '"', "\\", "://a:", "a@",
     "bearer ", "hf_", "token='", 'token=\\"'],
)  # fmt: skip
def test_redact_text_of_hostile_text_takes_linear_time(piece: str) -> None:
    """A server cannot keep the caller busy with an error message."""
    text = piece * (64 * 1024 // len(piece))
    begin = time.thread_time()
    redact_text(text)
    assert time.thread_time() - begin < 2  # what is quadratic takes minutes


def test_forget_locals_empties_the_frames_of_our_errors() -> None:
    """Also of those that an error came from; what is foreign is not touched."""

    def fail() -> None:
        received = CANARY
        raise ConfigurationError(received[:0]) from APIError()

    with pytest.raises(ConfigurationError) as caught:
        fail()
    error = caught.value
    assert CANARY in shown(error)
    forget_locals(error)
    assert CANARY not in shown(error)
    forget_locals(ValueError())


def shown(error: BaseException) -> str:
    """The frames below this file's tests, with their local variables."""
    stack = traceback.StackSummary.extract(
        traceback.walk_tb(error.__traceback__), capture_locals=True
    )
    return str([frame.locals for frame in stack if frame.name == "fail"])


def test_of_very_many_kinds_the_first_are_counted() -> None:
    """A server may think of a new one for every event."""
    counts: Counter[str] = Counter()
    for number in range(3 * KINDS):
        count_kind(counts, f"kind {number}")
        count_kind(counts, "token=hush-hush", "hush-hush")
    assert len(counts) == KINDS
    assert counts["kind 0"] == 1
    assert counts[f"token={MASK}"] == 3 * KINDS
