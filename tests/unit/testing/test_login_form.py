"""The pages of the sandbox that a person sees: the provider's form, and the home page."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from langchain_g4f.testing import Sandbox
from tests.unit.testing.chat import Chat

BROWSER = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}


def submit(chat: Chat, page: httpx.Response, name: str) -> httpx.Response:
    """Send the form of a page as a browser does."""
    headers = {**BROWSER, "origin": chat.sandbox.origin}
    return chat.http.post(page.url, data={"username": name}, headers=headers)


def test_provider_asks_who_it_is_and_remembers_the_browser() -> None:
    """Its cookie goes to its own page only; with it, a new login needs no form."""
    with Sandbox(login_required=True, login_form=True) as sandbox, Chat(sandbox) as chat:
        chat.http.follow_redirects = True
        page = chat.http.get("/login")
        assert page.url.path == "/authorize"
        assert '<form method="post">' in page.text
        home = submit(chat, page, "alice")
        assert home.url == f"{sandbox.base_url}/"
        assert "Signed in as alice." in home.text
        (remembered,) = (c for c in chat.http.cookies.jar if c.name == "sandbox-provider")
        assert remembered.path == "/authorize"
        assert remembered.has_nonstandard_attr("HttpOnly")
        sandbox.expire_sessions()
        assert "Signed in as alice." in chat.http.get("/login").text


def test_provider_proposes_the_hinted_name_as_text() -> None:
    """What the address says cannot become a part of the page."""
    with Sandbox(login_form=True) as sandbox, Chat(sandbox) as chat:
        page = chat.http.get(f"{sandbox.origin}/authorize", params={"login_hint": '"><b>'})
    assert 'value="&quot;&gt;&lt;b&gt;"' in page.text


def test_provider_refuses_a_form_without_a_name_and_one_from_elsewhere() -> None:
    """Neither is remembered."""
    with Sandbox(login_form=True) as sandbox, Chat(sandbox) as chat:
        page = chat.http.get(f"{sandbox.origin}/authorize")
        assert submit(chat, page, "").status_code == 400
        assert chat.http.post(page.url, data={"username": "alice"}).status_code == 403
        assert "sandbox-provider" not in chat.http.cookies


@pytest.mark.parametrize("generation", ["current", "legacy"])
def test_provider_without_a_form_takes_none(generation: str) -> None:
    """By default it asks nothing."""
    with Sandbox(generation=generation, login_required=True) as sandbox, Chat(sandbox) as chat:  # type: ignore[arg-type]
        assert chat.http.get(f"{sandbox.origin}/authorize").status_code == 302
        headers = {"origin": sandbox.origin}
        posted = chat.http.post(
            f"{sandbox.origin}/authorize", data={"username": "a"}, headers=headers
        )
    assert "sandbox-provider" not in posted.cookies
    assert "location" not in posted.headers


def test_coupled_login_sets_the_cookie_of_the_site() -> None:
    """It outlives the browser, as the session does."""
    with (
        Sandbox(login_required=True, login_form=True, require_site_token=True) as sandbox,
        Chat(sandbox) as chat,
    ):
        chat.http.follow_redirects = True
        submit(chat, chat.http.get("/login"), "alice")
        expires = {cookie.name: cookie.expires for cookie in chat.http.cookies.jar}
        chat.create()
    assert expires["token"]
    assert expires["hf-chat"]


def test_current_home_page_sends_a_stranger_to_the_provider() -> None:
    """Without a required login it says that nobody is signed in."""
    with Sandbox(login_required=True, login_form=True) as sandbox, Chat(sandbox) as chat:
        assert urlsplit(chat.http.get("/").headers["location"]).path == "/authorize"
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        assert "Nobody is signed in." in chat.http.get("/").text


def test_legacy_home_page_logs_in_and_out() -> None:
    """A browser's form post is redirected; who is logged in stands in the form to log out."""
    with (
        Sandbox(generation="legacy", login_required=True, login_form=True) as sandbox,
        Chat(sandbox) as chat,
    ):
        headers = {**BROWSER, "origin": sandbox.origin}
        assert '<form action="/chat/login" method="POST">' in chat.http.get("/").text
        sent_on = chat.http.post("/login", data={}, headers=headers)
        assert sent_on.status_code == 303
        assert "redirect_uri" in parse_qs(urlsplit(sent_on.headers["location"]).query)
        chat.http.follow_redirects = True
        home = submit(chat, chat.http.get(sent_on.headers["location"]), "<alice>")
        assert '<form action="/chat/logout" method="post"><span>&lt;alice&gt;</span>' in home.text
        left = chat.http.post("/logout", data={}, headers=headers)
        assert '<form action="/chat/login" method="POST">' in left.text
