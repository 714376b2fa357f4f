"""Errors that apps report (docs/protocols/gradio-space.md, sections 5 and 9)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from langchain_g4f.errors import (
    AppError,
    AuthenticationError,
    QuotaExceededError,
    RateLimitError,
)
from langchain_g4f.providers.gradio_space.failure import app_failure, plain, try_again_in

HIDDEN: list[Any] = [{"error": None}, {}, None, []]
LINK = '<a style="color:red" href="https://huggingface.co/join">Create a free account</a>'


@pytest.mark.proves("obligation:gradio-space:17", "obligation:gradio-space:18")
@pytest.mark.parametrize(
    ("output", "title", "heading", "said"),
    [
        ({"error": "it <b>broke</b>", "title": "A"}, "B", "A", "an error: A: it broke"),
        ({"error": "x", "title": None}, "B", "B", "an error: B: x"),
        ({"error": "x", "title": ""}, "B", "B", "an error: B: x"),
        ({"error": "x", "title": 7}, 8, "", "an error: x"),
        ({"error": "x"}, "Error", "Error", "an error: x"),
        ({"error": ""}, None, "", "an error: without a word"),
        *((o, "Error", "", "not say why; .* shape") for o in HIDDEN),
        # these only look like errors of ZeroGPU
        ({"error": "Too large"}, "ZeroGPU illegal duration", "ZeroGPU illegal duration", "Too lar"),
        ({"error": "Expired ZeroGPU proxy token"}, "Model error", "Model error", "Expired"),
        ({"error": "No GPU was available"}, None, "", "No GPU"),
        ({"error": "the invite token has expired"}, None, "", "invite"),
    ],
)
def test_error_of_the_app_has_its_text_and_title(
    output: Any, title: Any, heading: str, said: str
) -> None:
    """The title may be beside the output; a hidden error has neither."""
    error = app_failure(output, title)
    assert type(error) is AppError
    assert re.search(said, str(error))
    assert error.title == heading


@pytest.mark.proves("obligation:gradio-space:17")
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("You have exceeded your GPU quota (46s left). Please retry in 0:09:48.", 588.0),
        (f"You have exceeded your GPU quota (60s requested). {LINK} to get more.", None),
        ("You have exceeded your ZeroGPU quota (0s left). Try again in 12:34:56.", 45296.0),
        ("You have exceeded your free ZeroGPU quota. Try again in 1 day, 2:03:04", 93784.0),
        ("You have exceeded your Pro ZeroGPU quota. Try again in 12 days, 0:00:01.", 1036801.0),
        ("You have reached your ZeroGPU runs limit.", None),
        ("Space app has reached its GPU limit.", None),
    ],
)
def test_quota_says_when_to_try_again(text: str, seconds: float | None) -> None:
    """With or without a title."""
    for title in (None, "ZeroGPU quota exceeded"):
        error = app_failure({"error": text, "title": title})
        assert isinstance(error, QuotaExceededError)
        assert "the GPU quota is used up" in str(error)
        assert "<" not in str(error)
        assert (error.retry_after, error.body) == (seconds, plain(text))


@pytest.mark.parametrize(
    ("title", "text", "kind"),
    [
        ("ZeroGPU quota exceeded", "No more.", QuotaExceededError),
        ("ZeroGPU pending credits exceeded", "No more.", QuotaExceededError),
        ("ZeroGPU client error", "Expired ZeroGPU proxy token", AuthenticationError),
        ("ZeroGPU client error", "The token is not valid: invalid x", AuthenticationError),
        ("ZeroGPU client error", "No GPU was available", RateLimitError),
        ("ZeroGPU client error", "Something else", AppError),
        ("ZeroGPU queue timeout", "No GPU was available after 60s", RateLimitError),
        ("ZeroGPU queue timeout", "GPU queue timeout", RateLimitError),
    ],
)
def test_error_of_zerogpu_has_a_class(title: str, text: str, kind: type[Exception]) -> None:
    """It decides whether another token, or waiting, can help."""
    error = app_failure({"error": text, "title": title})
    assert type(error) is kind
    assert text in str(error)
    assert error.is_retryable or kind is not RateLimitError
    if isinstance(error, AuthenticationError):
        assert error.login_url == "https://huggingface.co/login"


@pytest.mark.proves("obligation:gradio-space:21")
@pytest.mark.parametrize("title", ["canary", "ZeroGPU quota exceeded", "ZeroGPU client error"])
def test_error_has_no_credentials_and_is_short(title: str) -> None:
    """An app may repeat what it was sent."""
    secret = "canary-f3a91c77d2"
    given: Any = {"error": f"token {secret} expired " + "x" * 100_000, "title": title + secret}
    for each in (given, given | {"title": title}):
        error = app_failure(each, None, [secret])
        assert secret not in f"{error!r} {vars(error)}"
        assert len(str(error)) < 5000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Try again in 0:00:00", 0),
        ("try again in 1 days, 1:00:00", 90000),
        ("Please RETRY IN 0:01:00.", 60),
        ("Try again in 12:34", None),
        ("", None),
    ],
)
def test_waiting_time_is_read_as_python_writes_it(text: str, seconds: float | None) -> None:
    """Days, hours, minutes and seconds."""
    assert try_again_in(text) == seconds


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"quota. {LINK} to get more", "quota. Create a free account to get more"),
        ("a < b and c > d", "a < b and c > d"),
        ("1 <2 and 3> 2", "1 <2 and 3> 2"),
        ("x<br>y<BR/>z", "x y z"),
        ("<p>one</p><p>two</p>", "one two"),
        ("<b>bo</b>ld", "bold"),
        ("&lt;b&gt; &amp; &eacute;", "<b> & é"),
        ("a\n  b\tc ", "a b c"),
        ("<preview>", ""),
        ("if x<y", "if x<y"),
    ],
)
def test_markup_is_removed(text: str, shown: str) -> None:
    """A tag begins with a letter, and ends."""
    assert plain(text) == shown
