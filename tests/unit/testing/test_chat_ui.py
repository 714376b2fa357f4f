"""What chat-ui does with requests that no chat model of the package sends, and its login pages.

`tests/contract/sandbox/huggingchat` shows what a chat model sends, and `test_held_to_recordings.py`
that the sandbox answers like the recorded servers.
"""

from __future__ import annotations

import base64
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pytest

from langchain_g4f.testing import Reply, Sandbox
from tests.unit.testing.chat import Chat, parse_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from langchain_g4f.testing.sandbox import Generation

UNKNOWN = "00000000-0000-4000-8000-0000000000ff"
RUN = "ed1faa52-43b2-4036-b12b-254062a83a2a"
OTHER_RUN = "ed1faa52-43b2-4036-b12b-254062a83a2b"
BROWSER = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
MIB = 1024 * 1024


@pytest.fixture
def chat() -> Iterator[Chat]:
    """A caller of a current server."""
    with Sandbox(keep_alive_s=0.02) as sandbox, Chat(sandbox) as chat:
        yield chat


def until(arriving: Iterator[str], text: str) -> str:
    """Read until `text` has arrived, and return all of it."""
    return next(body for body in accumulate(arriving) if text in body)


@pytest.mark.parametrize(
    ("data", "status", "message"),
    [
        ({"inputs": "hi", "id": UNKNOWN}, 500, "An error occurred"),
        ({"inputs": "hi", "id": "not-a-uuid"}, 500, "An error occurred"),
        ({"inputs": 5}, 500, "An error occurred"),
        ({"inputs": None}, 500, "An error occurred"),
        ({"inputs": "hi", "generationId": "5"}, 500, "An error occurred"),
        ({"id": UNKNOWN, "is_retry": True}, 404, "Message not found"),
        ({"is_retry": True, "inputs": "x"}, 500, "Failed to create message"),
    ],
)
def test_wrong_payload_is_refused_before_the_stream(
    data: dict[str, Any], status: int, message: str, chat: Chat
) -> None:
    """Failed validation is a 500; nothing is added to the conversation."""
    answer = chat.send(chat.message(**data))
    assert (answer.status_code, answer.json()["message"]) == (status, message)
    assert "hf-chat" in answer.cookies
    assert len(chat.stored.messages) == 1
    assert chat.sandbox.prompts == []


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"other": (None, "x")}, 400),
        ({"data": (None, "{no json")}, 500),
        ({"data": (None, "[]")}, 500),
        (None, 500),
    ],
)
def test_form_without_a_readable_data_part_is_refused(form: Any, status: int, chat: Chat) -> None:
    """As is a body that is no form."""
    headers = {"origin": chat.sandbox.origin}
    body: Any = {"files": form} if form else {"json": {"inputs": "hi"}}
    answer = chat.post(f"/conversation/{chat.id}", headers=headers, **body)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("red.png", b"", 500),
        ("base64;a.png", b"A", 500),
        ("base64;a.bin", b"A" * (10 * MIB // 3 * 4), 200),
        ("base64;a.bin", b"A" * (10 * MIB // 3 * 4 + 8), 413),
        ("base64;a.bin", b"A" * (15 * MIB), 413),
    ],
)
def test_files_must_be_named_encoded_and_small(
    name: str, content: bytes, status: int, chat: Chat
) -> None:
    """No prefix and no base64 are 500; over 10 MiB decoded or 15 MiB in all is 413."""
    request = chat.message((name, content, "x/y"), inputs="What?")
    assert chat.send(request).status_code == status


@pytest.mark.parametrize("generation", ["current", "legacy"])
def test_text_files_are_inlined_and_others_dropped(generation: Generation) -> None:
    """On a legacy server only what was pasted reaches the model."""
    files = [
        ("base64;notes.txt", base64.b64encode(b"note"), "text/plain"),
        ("base64;pasted", base64.b64encode(b"pasted"), "application/vnd.chatui.clipboard"),
        ("base64;a.zip", base64.b64encode(b"PK"), "application/zip"),
    ]
    with Sandbox(generation=generation) as sandbox, Chat(sandbox) as chat:
        chat.say("one\r\ntwo", *files)
    (*parts, text) = sandbox.prompts[0][-1]["content"].split("\n\n")
    assert (parts[-1], text) == ("pasted", "one\ntwo")
    assert ["\nnote\n</document>" in part for part in parts[:-1]] == [True] * (
        generation == "current"
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"model": 5}, "Invalid request"),
        ([], "Invalid request"),
        ({"model": "sandbox/text-small", "preprompt": 5}, "Invalid request"),
        ({"model": "sandbox/hidden"}, "Can't start a conversation with an unlisted model"),
    ],
)
def test_creating_with_a_wrong_body_is_a_bad_request(body: Any, message: str, chat: Chat) -> None:
    """Unlisted models and wrong types are refused with 400."""
    answer = chat.post("/conversation", json=body)
    assert (answer.status_code, answer.json()) == (400, {"message": message})
    assert chat.post("/conversation", content=b"{no json").status_code == 500


def test_other_addresses_and_methods_are_not_found(chat: Chat) -> None:
    """The API says so in JSON."""
    assert chat.delete("/healthcheck").text == "DELETE method not allowed"
    assert chat.get("/api/v2/nothing").json() == {"message": "Not Found"}
    assert chat.get("/nothing").status_code == 404


def test_faults_behind_the_last_token_come_at_the_end(chat: Chat) -> None:
    """Short answers break, too, and a mid-answer failure has been tried twice."""
    lines = chat.say("[[say:short]][[error-mid:503]]")
    assert [line["token"].rstrip("\0") for line in lines if "token" in line] == ["short"] * 2
    assert lines[-1]["statusCode"] == 503


def test_with_tools_selected_a_failure_is_not_tried_again() -> None:
    """The first failure ends the answer."""
    with Sandbox(tool_servers=["x"]) as sandbox, Chat(sandbox, "sandbox/vision-tools") as chat:
        lines = chat.say("try [[restart]]", selectedMcpServerNames=["x"])
    assert sum("token" in line for line in lines) == 3
    assert lines[-1] == {"type": "status", "status": "error", "message": "terminated"}


@pytest.mark.parametrize(("generation", "text"), [(RUN, "w1 w2"), (OTHER_RUN, "w1 w2 w3")])
def test_stop_point_cuts_only_the_run_that_it_names(generation: str, text: str, chat: Chat) -> None:
    """Stored text and final answer end there, tokens already streamed do not."""
    with chat.streaming("x [[hang:3]][[long:10]]", generationId=RUN) as response:
        arriving = response.iter_text()
        body = until(arriving, " w3")
        chat.stop(generationId=generation, seenContentLength=5)
        lines = parse_lines(body + "".join(arriving))
    assert lines[-2]["text"] == chat.stored.messages[-1].content == text


def test_of_two_runs_at_once_the_last_writer_wins(chat: Chat) -> None:
    """Its copy of the messages replaces what the other one has added."""
    with chat.streaming("long [[hang:2]]") as response:
        arriving = response.iter_text()
        until(arriving, "sandbox")
        chat.say("short", id=chat.stored.root.id)
        assert "short" in {message.content for message in chat.stored.messages}
        chat.stop()
        assert "finished" in "".join(arriving)
    contents = [message.content for message in chat.stored.messages]
    assert contents == ["", "long [[hang:2]]", "Echo (sandbox/text-small,"]


def test_abandoned_legacy_answer_keeps_its_part_and_cannot_be_stopped() -> None:
    """It is stored without a final answer, and a stop has no effect on the run."""
    with Sandbox(generation="legacy", keep_alive_s=0.02) as sandbox, Chat(sandbox) as chat:
        with chat.streaming("count [[hang:3]][[long:10]]") as response:
            until(response.iter_text(), "w3")
        sandbox.wait_until(lambda: chat.stored.messages[-1].content)
        chat.stop()
        with pytest.raises(TimeoutError):
            sandbox.wait_until(lambda: not sandbox.busy, timeout_s=0.2)
        answer = chat.stored.messages[-1]
        assert (answer.content, answer.interrupted) == ("w1 w2 w3", None)
        assert {update["type"] for update in answer.updates or []} == {"status", "title"}


def test_pace_and_keep_alives_follow_the_clock() -> None:
    """Every token waits, and a keep-alive comes per period."""
    reply = Reply(tokens=["a", "b"], pace_s=0.05)
    with Sandbox(reply=reply, keep_alive_s=0.01) as sandbox, Chat(sandbox) as chat:
        lines = chat.say("Hi")
    assert sum(line.get("status") == "keepAlive" for line in lines) >= 4


# -- login -----------------------------------------------------------------------


def submit(chat: Chat, page: httpx.Response, name: str) -> httpx.Response:
    """Send the form of a page as a browser does."""
    headers = {**BROWSER, "origin": chat.sandbox.origin}
    return chat.post(page.url, data={"username": name}, headers=headers)


def test_provider_asks_for_a_name_and_remembers_the_browser() -> None:
    """Its cookie goes to its own page only; with it, a new login needs no form."""
    with (
        Sandbox(login_required=True, require_site_token=True, login_form=True) as sandbox,
        Chat(sandbox, "") as chat,
    ):
        assert chat.get("/").headers["location"].startswith(f"{sandbox.origin}/authorize?")
        chat.follow_redirects = True
        page = chat.get("/login")
        assert (page.url.path, '<form method="post">' in page.text) == ("/authorize", True)
        home = submit(chat, page, "alice")
        assert (str(home.url), "Signed in as alice." in home.text) == (
            f"{sandbox.base_url}/",
            True,
        )
        cookies = {cookie.name: cookie for cookie in chat.cookies.jar}
        assert cookies["sandbox-provider"].path == "/authorize"
        assert cookies["token"].expires
        assert cookies["hf-chat"].expires
        sandbox.expire_sessions()
        assert "Signed in as alice." in chat.get("/login").text


def test_provider_escapes_the_hint_and_refuses_bad_forms() -> None:
    """A form needs a name and must come from the provider's own page."""
    with Sandbox(login_form=True) as sandbox, Chat(sandbox, "") as chat:
        page = chat.get(f"{sandbox.origin}/authorize", params={"login_hint": '"><b>'})
        assert 'value="&quot;&gt;&lt;b&gt;"' in page.text
        assert submit(chat, page, "").status_code == 400
        assert chat.post(page.url, data={"username": "alice"}).status_code == 403
        assert "sandbox-provider" not in chat.cookies
        assert "Not signed in." in chat.get("/").text


@pytest.mark.parametrize("query", ["code=code-of-a&state=x", "code=a&state=eyJuZXh0IjogIi8ifQ=="])
def test_callback_refuses_what_the_provider_did_not_make(query: str, chat: Chat) -> None:
    """Neither a made-up state nor a made-up code opens a session."""
    answer = chat.get(f"/login/callback?{query}")
    assert (answer.status_code, answer.json()["message"]) == (
        403,
        "Invalid or expired CSRF token",
    )


def test_legacy_home_page_logs_in_and_out() -> None:
    """A form post of a browser is redirected; the form to log out shows the user's name."""
    with (
        Sandbox(generation="legacy", login_required=True, login_form=True) as sandbox,
        Chat(sandbox, "") as chat,
    ):
        headers = {**BROWSER, "origin": sandbox.origin}
        login = '<form action="/chat/login" method="POST">'
        assert login in chat.get("/").text
        redirect = chat.post("/login", data={}, headers=headers)
        assert redirect.status_code == 303
        chat.follow_redirects = True
        home = submit(chat, chat.get(redirect.headers["location"]), "<alice>")
        assert '<form action="/chat/logout" method="post"><span>&lt;alice&gt;</span>' in home.text
        assert login in chat.post("/logout", data={}, headers=headers).text
