"""Errors of an app, told apart by their text (docs/protocols/gradio-space.md, sections 5, 9)."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f.errors import (
    AppError,
    AuthenticationError,
    QuotaExceededError,
    RateLimitError,
)
from langchain_g4f.providers.gradio_space.failure import (
    app_failure,
    plain,
    try_again_in,
)

LINK = '<a style="color:red" href="https://huggingface.co/join">Create a free account</a>'


@pytest.mark.proves("obligation:gradio-space:17")
def test_error_of_the_app_has_its_text_and_title() -> None:
    """Other than the service's own errors."""
    error = app_failure({"error": "it <b>broke</b>", "title": "Model error"})
    assert type(error) is AppError
    assert str(error) == "the app raised an error: Model error: it broke"
    assert error.title == "Model error"


@pytest.mark.parametrize(
    ("output", "title", "said"),
    [
        ({"error": "x", "title": "A"}, "B", "A: x"),
        ({"error": "x", "title": None}, "B", "B: x"),
        ({"error": "x", "title": ""}, "B", "B: x"),
        ({"error": "x"}, None, "x"),
        ({"error": "x", "title": 7}, 8, "x"),
        ({"error": "x"}, "Error", "x"),
        ({"error": ""}, None, "without a word"),
        ({"error": "x", "visible": False}, None, "x"),
    ],
)
def test_title_stands_in_the_output_or_beside_it(
    output: dict[str, Any], title: Any, said: str
) -> None:
    """After the first chunk it stands in the output alone; "Error" says nothing."""
    assert str(app_failure(output, title)) == f"the app raised an error: {said}"


@pytest.mark.proves("obligation:gradio-space:18")
@pytest.mark.parametrize("output", [{"error": None}, {}, {"error": {"x": 1}}, None, []])
def test_hidden_error_is_explained(output: Any) -> None:
    """The shape of the input may be the cause."""
    error = app_failure(output, "Error")
    assert type(error) is AppError
    assert "does not say why" in str(error)
    assert "shape" in str(error)
    assert error.title == ""


QUOTAS = [
    (
        "You have exceeded your GPU quota (46s left vs. 60s requested). Please retry in 0:09:48.",
        588.0,
    ),
    (f"You have exceeded your GPU quota (60s requested vs. 56s left). {LINK} to get more.", None),
    (
        "You have exceeded your ZeroGPU quota (60s requested vs. 0s left). Try again in 12:34:56.",
        45296.0,
    ),
    ("You have exceeded your free ZeroGPU quota. Try again in 1 day, 2:03:04", 93784.0),
    ("You have exceeded your Pro ZeroGPU quota. Try again in 12 days, 0:00:01.", 1036801.0),
    ("You have reached your ZeroGPU runs limit.", None),
    ("Space app has reached its GPU limit.", None),
]


@pytest.mark.proves("obligation:gradio-space:17")
@pytest.mark.parametrize(("text", "seconds"), QUOTAS)
def test_quota_of_each_era_says_when_to_try_again(text: str, seconds: float | None) -> None:
    """By its text, with or without a title."""
    for title in (None, "ZeroGPU quota exceeded"):
        error = app_failure({"error": text, "title": title})
        assert isinstance(error, QuotaExceededError)
        assert error.retry_after == seconds
        assert "the GPU quota is used up" in str(error)
        assert "<" not in str(error)
        assert error.body == plain(text)


@pytest.mark.parametrize("title", ["ZeroGPU quota exceeded", "ZeroGPU pending credits exceeded"])
def test_title_alone_tells_a_quota(title: str) -> None:
    """The text may change with the next era."""
    assert isinstance(app_failure({"error": "No more.", "title": title}), QuotaExceededError)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Expired ZeroGPU proxy token", AuthenticationError),
        ("The token is not valid: invalid signature", AuthenticationError),
        ("No GPU was available", RateLimitError),
        ("Something else", AppError),
    ],
)
def test_client_error_of_zerogpu_is_told_apart(text: str, kind: type[Exception]) -> None:
    """A new identity helps against one of them, waiting against another."""
    error = app_failure({"error": text, "title": "ZeroGPU client error"})
    assert type(error) is kind
    assert text in str(error)
    if isinstance(error, AuthenticationError):
        assert error.login_url == "https://huggingface.co/login"


@pytest.mark.parametrize("text", ["No GPU was available after 60s", "GPU queue timeout"])
def test_busy_gpus_are_a_rate_limit(text: str) -> None:
    """Trying again may help."""
    error = app_failure({"error": text, "title": "ZeroGPU queue timeout"})
    assert isinstance(error, RateLimitError)
    assert error.is_retryable


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("The requested GPU duration is larger than the maximum", "ZeroGPU illegal duration"),
        ("Expired ZeroGPU proxy token", "Model error"),
        ("No GPU was available", None),
        ("the invite token has expired", None),
    ],
)
def test_what_only_sounds_like_it_is_the_app_s_own_error(text: str, title: str | None) -> None:
    """An app may have tokens of its own."""
    assert type(app_failure({"error": text, "title": title})) is AppError


@pytest.mark.proves("obligation:gradio-space:21")
def test_error_does_not_repeat_a_secret() -> None:
    """Nor is it without an end."""
    secret = "canary-f3a91c77d2"
    for title in (secret, "ZeroGPU quota exceeded", "ZeroGPU client error"):
        given: Any = {"error": f"token {secret} expired " + "x" * 100_000, "title": title}
        error = app_failure(given, None, [secret])
        assert secret not in f"{error!r} {vars(error)}"
        assert len(str(error)) < 5000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Try again in 0:00:00", 0),
        ("try again in 1 days, 1:00:00", 90000),
        ("Please RETRY IN 0:01:00.", 60),
        ("Try again in 12:34", None),
        ("Try again in a while", None),
        ("", None),
    ],
)
def test_timedelta_is_read_where_there_is_one(text: str, seconds: float | None) -> None:
    """As Python writes it."""
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
        ("", ""),
    ],
)
def test_markup_is_taken_out_and_a_lone_sign_stays(text: str, shown: str) -> None:
    """It opens a tag only before a letter, and if it is closed."""
    assert plain(text) == shown
