"""Who is let in: logins, the coupled site cookie, the cross-site check."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from langchain_g4f.testing import Sandbox
from tests.unit.testing.chat import Chat

SOME_ID = "0123456789abcdef01234567"


def test_creating_without_login_redirects_and_sets_the_session() -> None:
    """A current server answers 302 to the identity provider, not 401."""
    with Sandbox(login_required=True) as sandbox, Chat(sandbox) as chat:
        answer = chat.http.post("/conversation", json={"model": "omni"})
    assert (answer.status_code, answer.content) == (302, b"")
    assert urlsplit(answer.headers["location"]).path == "/authorize"
    assert set(answer.cookies) == {"hf-chat", "hfChat-codeVerifier"}


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, "You have to be logged in."),
        ({"accept": "application/json"}, '{"error":"You have to be logged in."}'),
    ],
)
def test_other_writes_without_login_are_unauthorized(headers: dict[str, str], body: str) -> None:
    """The body is text or JSON, as the caller prefers, and no cookie is set."""
    with Sandbox(login_required=True) as sandbox, Chat(sandbox) as chat:
        answer = chat.http.delete(f"/api/v2/conversations/{SOME_ID}", headers=headers)
    assert (answer.status_code, answer.text) == (401, body)
    assert "set-cookie" not in answer.headers


def test_reading_without_login_is_allowed_where_nothing_is_owned() -> None:
    """Models and flags are open, the list is empty, and nobody is null."""
    with Sandbox(login_required=True) as sandbox, Chat(sandbox) as chat:
        flags = chat.http.get("/api/v2/feature-flags").json()["json"]
        assert flags["loginEnabled"] is True
        assert chat.http.get("/api/v2/models").status_code == 200
        assert chat.http.get("/api/v2/conversations").json()["json"]["conversations"] == []
        assert chat.http.get("/api/v2/user").json() == {"json": None}
        assert chat.http.get("/api/user").status_code == 401
        assert chat.http.get("/conversation").status_code == 302


def test_a_logged_in_session_chats_until_it_expires() -> None:
    """The cookies of `login` work at once; expired they are worth nothing."""
    with Sandbox(login_required=True) as sandbox, Chat(sandbox, sandbox.login("alice")) as chat:
        chat.create()
        assert chat.say("Hi")[-2]["text"] == "Echo (sandbox/text-small, turn 1): Hi"
        assert chat.http.get("/api/v2/user").json()["json"]["username"] == "alice"
        sandbox.expire_sessions()
        assert chat.http.post("/conversation", json={"model": "omni"}).status_code == 302
        assert chat.post(inputs="Hi").status_code == 401


def test_two_sessions_of_one_user_share_conversations() -> None:
    """Conversations belong to the user, not to the session."""
    with Sandbox(login_required=True) as sandbox:
        with Chat(sandbox, sandbox.login("alice")) as chat:
            chat.create()
        with (
            Chat(sandbox, sandbox.login("alice")) as again,
            Chat(sandbox, sandbox.login("bob")) as bob,
        ):
            address = f"/api/v2/conversations/{chat.id}"
            assert again.http.get(address).status_code == 200
            assert bob.http.get(address).status_code == 403


def test_with_a_coupled_site_cookie_both_are_needed() -> None:
    """The session cookie alone is nobody, and gets a session of its own."""
    with Sandbox(login_required=True, require_site_token=True) as sandbox:
        cookies = sandbox.login()
        assert set(cookies) == {"hf-chat", "token"}
        with Chat(sandbox, cookies) as both:
            both.create()
        with Chat(sandbox, {"hf-chat": cookies["hf-chat"]}) as one:
            answer = one.http.post("/conversation", json={"model": "omni"})
        assert answer.status_code == 302
        assert answer.cookies["hf-chat"] != cookies["hf-chat"]


def test_the_login_flow_ends_in_a_new_session() -> None:
    """Following the redirects with one jar signs in and comes back to where it began."""
    with Sandbox(login_required=True) as sandbox, Chat(sandbox) as chat:
        chat.http.follow_redirects = True
        answer = chat.http.get("/login", params={"next": "/chat/api/v2/user"})
        assert answer.json()["json"]["username"] == "user"
        chat.http.follow_redirects = False
        chat.create()
        left = chat.http.post("/logout", data={}, headers={"origin": sandbox.origin})
        assert left.status_code == 302
        assert chat.http.post("/conversation", json={"model": "omni"}).status_code == 302


def test_a_bearer_token_reads_but_does_not_chat() -> None:
    """It reaches the API only; one of nobody's is a server error."""
    with Sandbox(login_required=True) as sandbox, Chat(sandbox) as chat:
        sandbox.login("alice")
        chat.http.headers["authorization"] = "Bearer hf_sandbox_alice"
        assert chat.http.get("/api/v2/user").json()["json"]["username"] == "alice"
        assert chat.http.post("/conversation", json={"model": "omni"}).status_code == 302
        chat.http.headers["authorization"] = "Bearer hf_unknown"
        chat.http.cookies.clear()
        assert chat.http.get("/api/v2/user").status_code == 500


@pytest.mark.parametrize(
    ("origin", "status", "text"),
    [
        (None, 403, "Non-JSON form requests need to have an origin"),
        ("https://evil.example", 403, "Invalid referer for POST request"),
        ("null", 500, "An error occurred"),
    ],
)
def test_form_posts_from_elsewhere_are_refused(origin: str | None, status: int, text: str) -> None:
    """The Origin header must name the server's own host; refusals set no cookie."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        request = chat.request(inputs="Hi")
        del request.headers["origin"]
        if origin:
            request.headers["origin"] = origin
        answer = chat.http.send(request)
    assert answer.status_code == status
    assert text in answer.text
    assert "set-cookie" not in answer.headers
