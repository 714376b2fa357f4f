"""Property 8, redaction: wherever a credential goes in, it comes out nowhere."""

from __future__ import annotations

import json
import pickle

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_g4f.core.error_mapping import status_error
from langchain_g4f.core.http import Headers, Part, Request, Response, ResponseHead
from langchain_g4f.core.limits import Clocks
from langchain_g4f.core.redact import redact_text, redact_url
from langchain_g4f.errors import G4FError
from langchain_g4f.providers.huggingchat.reader import stream_error
from langchain_g4f.transport.connection_errors import translate

CANARY = "canary0f3a91c77d2"

_token_text = st.text("abcXYZ019-_.~+/%", max_size=6)
_tokens = st.builds("{}{}{}".format, _token_text, st.just(CANARY), _token_text)

_names = st.sampled_from(
    [
        *("cookie", "set-cookie", "authorization", "proxy-authorization", "token", "hf-chat"),
        *("access_token", "refreshToken", "api_key", "apikey", "x-api-key", "secret", "session"),
        *("client_secret", "password", "passwd", "session_id", "sessionid", "x-zerogpu-token"),
    ]
).flatmap(lambda name: st.sampled_from([name, name.upper(), name.title()]))
_forms = st.sampled_from(
    [
        *("{n}={v}", "{n}: {v}", "{n}:{v}", '"{n}": "{v}"', '"{n}":"{v}"', "'{n}': '{v}'"),
        *('{n} = "{v}"', '\\"{n}\\": \\"{v}\\"', "?a=1&{n}={v}&b=2", "{n}=Bearer {v}"),
        *(
            "{n}: Basic {v}",
            "Cookie: a=1; {n}={v}; b=2",
            "set-cookie: {n}={v}; Path=/",
            "{n}='{v}'",
        ),
    ]
)
_pairs = st.builds(lambda form, n, v: form.format(n=n, v=v), _forms, _names, _tokens)
_bare = st.builds(
    "{}{}".format,
    st.sampled_from(["hf_", "sk-", "ghp_", "xoxb-", "Bearer ", "bearer ", "eyJhbGciOiJI.eyJ"]),
    st.just(CANARY),
)
_in_urls = _tokens.map(lambda token: token.replace("/", "%2F"))
_addresses = st.builds(
    "{}://{}{}@host{}".format,
    st.sampled_from(["http", "https", "socks5", "postgres"]),
    st.sampled_from(["user:", "", "us%40er:", ":", "a@b:"]),
    _in_urls,
    st.sampled_from(["", ":3128", "/path", "/?x=1"]),
)
credentials = _pairs | _bare | _addresses
_around = st.text(max_size=12)
_border = st.sampled_from([" ", "\n", ", ", "{", "(", "; ", "&"])
quoting = st.builds(
    "{}{}{}{}{}".format, _around, _border, credentials, st.sampled_from([" ", "\n", "}"]), _around
)
"""What a server might say that repeats a credential."""


def check_hidden(*things: object) -> None:
    """Neither what is shown of them nor what travels of them has the canary."""
    for thing in things:
        assert CANARY not in f"{thing} {thing!r} {thing!s:.4000}"
        if isinstance(thing, G4FError):
            assert CANARY not in repr(vars(thing)) + repr(thing.args)
            assert CANARY.encode() not in pickle.dumps(thing)
            check_hidden(*filter(None, (thing.__cause__, thing.__context__)))


@pytest.mark.proves("property:8-redaction", "obligation:huggingchat:19")
@given(text=quoting)
def test_text_that_quotes_a_credential_is_shown_without_it(text: str) -> None:
    """In whatever form and between whatever else."""
    assert CANARY not in redact_text(text)


_urls = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["http://", "https://", "HTTP://", "//", "socks5://", "", "http:", "user:"]),
    st.builds("{}{}@".format, st.sampled_from(["", "user:", "a@", "a:b@"]), _in_urls)
    | st.sampled_from(["", "user@"]),
    st.sampled_from(
        ["host", "host:80", "[::1]", "[::1]:1", "HOST.example.", "host:x", "[", "ho st"]
    ),
    st.sampled_from(["", "/", "/a/b", "/a@b", "//", "/a;b"]),
    st.builds("{}{}".format, st.sampled_from(["?", "?a=1&t=", "#", "?#", ";jsessionid="]), _tokens)
    | st.just(""),
)


@pytest.mark.proves("property:8-redaction", "fault:41:HC")
@given(url=_urls)
def test_url_is_shown_without_the_places_of_a_secret(url: str) -> None:
    """User, password, query, fragment and parameters; in the repr of a request as well."""
    assert CANARY not in redact_url(url)
    response = Response(200, Headers([]), url, b"")
    try:
        response.json()
    except G4FError as error:
        check_hidden(error)
    check_hidden(response, Request("GET", url), ResponseHead(200, Headers([]), url))


@pytest.mark.proves("property:8-redaction", "fault:41:HC")
@given(name=st.text(max_size=8), value=_tokens, body=_tokens)
def test_values_of_headers_and_bodies_are_in_no_repr(name: str, value: str, body: str) -> None:
    """A header is shown by its name, a body not at all."""
    headers = Headers([(name, value), ("cookie", value)])
    check_hidden(headers, ResponseHead(200, headers), Response(200, headers, "http://h/", b"x"))
    parts = (Part("data", body.encode()),)
    check_hidden(Request("POST", "http://h/", {"cookie": value}, parts))
    check_hidden(Request("POST", "http://h/", {"cookie": value}, body.encode()))


def _as_body(text: str, form: str) -> bytes:
    match form:
        case "text":
            return text.encode()
        case "nested":
            return json.dumps({"error": {"message": [text], "more": json.dumps(text)}}).encode()
        case "escaped":
            return json.dumps({"message": text}).encode()
        case "detail":
            return json.dumps({"detail": [{"msg": text}]}, ensure_ascii=False).encode()
        case _:
            return json.dumps({"other": text}).encode()


_body_forms = st.sampled_from(["text", "nested", "escaped", "detail", "other"])


@pytest.mark.proves("property:8-redaction", "fault:41:HC")
@given(
    text=quoting,
    form=_body_forms,
    status=st.sampled_from([302, 400, 401, 402, 403, 404, 413, 429, 500, 503]),
    location=_urls,
    kind=st.sampled_from(["application/json", "text/plain", "text/html", ""]),
)
def test_error_response_that_quotes_a_credential_is_an_error_without_it(
    text: str, form: str, status: int, location: str, kind: str
) -> None:
    """Nor does it quote the address that it redirects to, beyond the host."""
    headers = Headers([("content-type", kind), ("location", location)])
    response = Response(status, headers, "http://h/", _as_body(text, form))
    check_hidden(status_error(response, provider="p", phase="ask"))


_cookie_values = st.text(
    st.characters(min_codepoint=32, max_codepoint=126, exclude_characters=";"), max_size=20
).map(str.strip)


@pytest.mark.proves("property:8-redaction", "fault:41:HC", "obligation:huggingchat:19")
@given(secret=_cookie_values, around=st.tuples(_around, _around), form=_body_forms)
def test_error_response_never_quotes_a_known_secret(
    secret: str, around: tuple[str, str], form: str
) -> None:
    """Whatever the secret is made of and however the service writes it."""
    secret = f"{CANARY}{secret}"
    body = _as_body(around[0] + secret + around[1], form)
    response = Response(400, Headers([]), "http://h/", body)
    check_hidden(status_error(response, provider="p", phase="ask", secrets=[secret]))


@pytest.mark.proves("property:8-redaction", "obligation:huggingchat:19")
@given(text=quoting, status=st.sampled_from([None, 0, 401, 402, 403, 429, 500]))
def test_error_inside_an_answer_is_told_without_a_credential(text: str, status: int | None) -> None:
    """The backend behind the service may quote one, too."""
    check_hidden(stream_error({"type": "status", "message": text, "statusCode": status}))


_foreign = st.sampled_from(
    [
        *(httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.WriteTimeout),
        *(httpx.ReadTimeout, httpx.ProxyError, httpx.ReadError, httpx.RemoteProtocolError),
        *(httpx.UnsupportedProtocol, RuntimeError, UnicodeError),
    ]
)


@pytest.mark.proves("property:8-redaction", "fault:41:HC", "fault:42:HC")
@given(kind=_foreign, text=quoting, opened=st.booleans())
def test_error_of_the_http_library_is_translated_without_a_credential(
    kind: type[Exception], text: str, opened: bool
) -> None:
    """A proxy's address among them; and theirs is not kept in ours."""
    error = translate(kind(text), Clocks(), "host:80", opened=opened, sent=True)
    check_hidden(error)
    assert error.__cause__ is None
