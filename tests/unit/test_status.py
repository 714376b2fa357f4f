"""HTTP status -> error class, and what is told of an error response."""

from __future__ import annotations

import json

import pytest

from langchain_g4f import errors
from langchain_g4f.core.error_mapping import error_class, status_error
from langchain_g4f.core.http import Headers, Response
from langchain_g4f.core.redact import MASK

CANARY = "canary0f3a91c77d2"


def response(
    status: int, body: bytes | object = b"", content_type: str = "application/json", **headers: str
) -> Response:
    """An answer; a body that is no bytes is sent as JSON."""
    found = {name.replace("_", "-"): value for name, value in headers.items()}
    items = [("Content-Type", content_type), *found.items()]
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, Headers(items), "http://127.0.0.1/x", content)


def error_of(
    status: int, body: bytes | object = b"", content_type: str = "application/json", **headers: str
) -> errors.APIStatusError:
    """The error of an answer."""
    return status_error(response(status, body, content_type, **headers), provider="p", phase="work")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (101, errors.APIStatusError),
        (400, errors.BadRequestError),
        (401, errors.AuthenticationError),
        (402, errors.QuotaExceededError),
        (403, errors.PermissionDeniedError),
        (404, errors.NotFoundError),
        (405, errors.BadRequestError),
        (408, errors.BadRequestError),
        (409, errors.ConflictError),
        (410, errors.NotFoundError),
        (413, errors.BadRequestError),
        (422, errors.BadRequestError),
        (429, errors.RateLimitError),
        (499, errors.BadRequestError),
        (500, errors.ServerError),
        (503, errors.ServerError),
        (599, errors.ServerError),
        (0, errors.APIStatusError),
    ],
)
def test_status_has_its_class(status: int, kind: type[errors.APIStatusError]) -> None:
    """The same in HTTP and when a stream reports it."""
    assert error_class(status) is kind
    error = error_of(status)
    assert type(error) is kind
    assert error.status_code == status


def test_error_names_provider_phase_status_and_request() -> None:
    """What a caller needs in order to ask the service about it."""
    error = error_of(500, {"message": "boom"}, x_request_id="r-1")
    assert str(error) == "p: the request to work was answered with 500: boom"
    assert (error.provider, error.phase, error.body) == ("p", "work", "boom")
    assert error.request_id == "r-1"


def test_error_without_provider_phase_and_detail_leaves_them_out() -> None:
    """No empty places in the message."""
    error = status_error(response(500), provider="", phase="")
    assert str(error) == "the request was answered with 500"
    assert (error.body, error.request_id) == ("", None)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"message": "boom"}, "boom"),
        ({"error": "boom"}, "boom"),
        ({"detail": "boom"}, "boom"),
        ({"message": "this", "error": "not this"}, "this"),
        ({"detail": [{"loc": ["body"], "msg": "bad"}]}, '[{"loc": ["body"], "msg": "bad"}]'),
        ({"data": "boom"}, "boom"),
        ({"detail": "this", "data": "not this"}, "this"),
        ({"message": ["no"], "error": {"no": 1}, "data": "this"}, "this"),
        ({"data": {"id": 1}}, '{"id": 1}'),
        ({"message": None, "data": {"id": 1}}, "null"),
        ({"message": None}, "null"),
        ({"other": "x"}, ""),
        ([1, 2], "[1, 2]"),
        (b'"text"', "text"),
        (b"You have to be logged in.", "You have to be logged in."),
        (b"  plain  ", "plain"),
        (b'{"message": "cut', '{"message": "cut'),
        (b'{"message": "\\ud800"}', "\N{REPLACEMENT CHARACTER}"),
        (b"\xff\xfe", "\N{REPLACEMENT CHARACTER}" * 2),
        (b"\x1b[2J", "\N{REPLACEMENT CHARACTER}[2J"),
        (b"1" * 5000, "1" * 500 + "…"),
        (b"", ""),
    ],
)
def test_detail_is_what_the_service_says(body: bytes | object, detail: str) -> None:
    """Out of the wrappers handlers use, or as bare text; any bytes do."""
    assert error_of(400, body).body == detail


def test_detail_too_deep_to_be_read_is_shown_as_it_is() -> None:
    """No recursion error escapes."""
    assert error_of(400, b"[" * 100_000).body == "[" * 500 + "…"


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("text/html; charset=utf-8", "text/html"),
        ("Application/JSON", "application/json"),
        ("", ""),
    ],
)
def test_content_type_tells_whose_answer_it_is(content_type: str, kind: str) -> None:
    """A page is a gatekeeper's, JSON is the service's own."""
    assert error_of(503, b"{}", content_type).content_type == kind


@pytest.mark.parametrize(
    ("body", "content_type", "headers"),
    [
        (b"<p>secret page</p>", "text/html", {}),
        (b"plain words", "text/html; charset=utf-8", {}),
        (b"<?xml version='1.0'?>", "application/xml", {}),
        (b"\x1f\x8b compressed", "application/json", {"content-encoding": "gzip"}),
    ],
)
def test_page_or_coded_body_is_not_quoted(
    body: bytes, content_type: str, headers: dict[str, str]
) -> None:
    """It says nothing to a caller."""
    assert error_of(500, body, content_type, **headers).body == ""


@pytest.mark.proves("obligation:huggingchat:19")
def test_secret_with_a_quote_of_its_own_is_masked_where_the_body_quotes_it() -> None:
    """A quote at the end of the secret is not taken for the end of a JSON string."""
    secret = f'{CANARY}"'
    answer = response(400, f'"{secret}'.encode(), "text/plain")
    error = status_error(answer, provider="p", phase="work", secrets=[secret])
    assert CANARY not in str(error)
    assert CANARY not in error.body


def test_credential_in_the_body_is_masked() -> None:
    """Known ones wherever they stand, others by how they look."""
    body = {"message": f"no session {CANARY}; token=abcdef"}
    error = status_error(response(403, body), provider="p", phase="work", secrets=[CANARY])
    assert error.body == f"no session {MASK}; token={MASK}"
    assert CANARY not in str(error)


@pytest.mark.parametrize(
    ("answer", "who"),
    [
        (response(403, b"", cf_mitigated="challenge"), "Cloudflare"),
        (response(503, b"<title>Just a moment...</title>", "text/html"), "Cloudflare"),
        (response(403, b"<script src='/cdn-cgi/challenge-platform/x'>", "text/html"), "Cloudflare"),
        (response(403, b"<div id='cf-chl-x'>", "text/html"), "Cloudflare"),
        (response(405, b"<div class=h-CAPTCHA>", "text/html"), "a captcha"),
        (response(202 + 200, b"<script>awsWAF</script>", "text/html"), "AWS WAF"),
        (response(403, b"<a>DDoS-Guard</a>", "text/html"), "DDoS-Guard"),
        (response(302, b"<title>just a moment", "text/html", location="/x"), "Cloudflare"),
    ],
)
def test_challenge_page_is_a_challenge_error(answer: Response, who: str) -> None:
    """Whatever its status, a protection answered and not the service."""
    error = status_error(answer, provider="p", phase="work")
    assert type(error) is errors.ChallengeError
    assert error.body == f"{who} asks for a challenge in a browser"
    assert error.status_code == answer.status


@pytest.mark.parametrize(
    "answer",
    [
        response(403, {"message": "solve the captcha"}),
        response(403, b"<p>forbidden</p>", "text/html"),
        response(403, b"<p>" + b" " * 9000 + b"captcha", "text/html"),
    ],
)
def test_refusal_that_is_no_challenge_page_is_a_permission_error(answer: Response) -> None:
    """The word alone makes no challenge, nor does a page."""
    assert type(status_error(answer, provider="p", phase="")) is errors.PermissionDeniedError


@pytest.mark.proves("obligation:huggingchat:2")
@pytest.mark.parametrize(
    "location",
    [
        "/login",
        "https://example.com/chat/LOGIN?next=/x",
        "https://id.example.com/oauth/authorize?client_id=1",
        "https://example.com/signin",
        "https://example.com/sign-in#top",
        "/auth/start",
    ],
)
def test_redirect_to_a_login_is_an_authentication_error(location: str) -> None:
    """The caller is not logged in, though no 401 says so."""
    error = error_of(302, location=location)
    assert type(error) is errors.AuthenticationError
    assert error.body == "a redirect to a login page"


@pytest.mark.parametrize(
    ("location", "where"),
    [
        (f"https://elsewhere.example/{CANARY}?t={CANARY}", "https://elsewhere.example"),
        (f"https://u:{CANARY}@elsewhere.example:8443/", "https://elsewhere.example:8443"),
        (f"/{CANARY}", "another address"),
        ("/loginless", "another address"),
        (f"http://[{CANARY}", "another address"),
        (f"http://host:99999/{CANARY}", "another address"),
        (f"ftp://host/{CANARY}", "another address"),
        ("", "another address"),
    ],
)
def test_other_redirect_names_the_host_alone(location: str, where: str) -> None:
    """Links can log in who follows them; one that is no URL is an error of ours, too."""
    error = error_of(307, location=location)
    assert type(error) is errors.APIStatusError
    assert error.body == f"a redirect to {where}, not followed"
    assert CANARY not in str(error)
