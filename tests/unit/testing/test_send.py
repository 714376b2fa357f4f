"""What a send must look like: every refusal before the stream, and what becomes of files."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from langchain_g4f.testing import Sandbox
from tests.unit.testing.chat import Chat, kinds

UNKNOWN = "00000000-0000-4000-8000-0000000000ff"
PNG = b"\x89PNG\r\n\x1a\n\xff\x00 pixels"


def encoded(content: bytes) -> bytes:
    """Return a file as a send wants it."""
    return base64.b64encode(content)


@pytest.mark.parametrize(
    ("data", "status", "message"),
    [
        ({"inputs": "hi", "id": None}, 500, "An error occurred"),
        ({"inputs": "hi", "id": UNKNOWN}, 500, "An error occurred"),
        ({"inputs": "hi", "id": "not-a-uuid"}, 500, "An error occurred"),
        ({"inputs": ""}, 500, "An error occurred"),
        ({"inputs": 5}, 500, "An error occurred"),
        ({"inputs": None}, 500, "An error occurred"),
        ({"inputs": "hi", "generationId": "5"}, 500, "An error occurred"),
        ({"id": UNKNOWN, "is_retry": True}, 404, "Message not found"),
        ({"is_retry": True, "inputs": "x"}, 500, "Failed to create message"),
    ],
)
def test_a_wrong_payload_is_refused_before_the_stream(
    data: dict[str, Any], status: int, message: str
) -> None:
    """Validation failures are 500; nothing is added to the conversation."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        answer = chat.post(**data)
        assert (answer.status_code, answer.json()["message"]) == (status, message)
        assert "hf-chat" in answer.cookies
        assert len(chat.stored.messages) == 1
    assert sandbox.prompts == []


def test_retrying_a_question_without_text_fails() -> None:
    """An edit needs its new text."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        chat.say("hi")
        answer = chat.post(id=chat.stored.messages[1].id, is_retry=True)
    assert (answer.status_code, answer.json()) == (500, {"message": "Failed to create message"})


def test_a_form_without_data_part_is_a_bad_request() -> None:
    """This one is 400."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        answer = chat.http.post(
            f"/conversation/{chat.id}",
            files={"other": (None, "x")},
            headers={"origin": sandbox.origin},
        )
    assert (answer.status_code, answer.json()) == (400, {"message": "Invalid request"})


@pytest.mark.parametrize("text", ["{not json", "[]"])
def test_a_data_part_that_is_no_object_is_a_server_error(text: str) -> None:
    """As is anything the server did not expect."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        answer = chat.http.post(
            f"/conversation/{chat.id}",
            files={"data": (None, text)},
            headers={"origin": sandbox.origin},
        )
    assert answer.status_code == 500


def test_json_instead_of_a_form_is_a_server_error() -> None:
    """It needs no Origin, but is not understood."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        root = chat.create()
        answer = chat.http.post(f"/conversation/{chat.id}", json={"inputs": "hi", "id": root})
        assert answer.status_code == 500
        assert chat.http.post("/conversation", content=b"{not json").status_code == 500


def test_limits_of_length_and_number_are_refused_with_the_recorded_words() -> None:
    """Too long a message is 400, too many are 429."""
    with Sandbox(max_input_chars=5, max_messages=2) as sandbox, Chat(sandbox) as chat:
        chat.create()
        assert chat.post(inputs="too long").json() == {"message": "Message too long."}
        chat.say("hi")
        answer = chat.post(inputs="hi")
    assert answer.status_code == 429
    assert answer.json()["message"].startswith("This conversation has more than 2 messages.")


def test_the_limit_per_minute_counts_refused_attempts() -> None:
    """The third attempt of two is a 429 without Retry-After."""
    with Sandbox(messages_per_minute=2) as sandbox, Chat(sandbox) as chat:
        chat.create()
        chat.post(inputs="")
        chat.say("hi")
        answer = chat.post(inputs="hi")
    assert answer.status_code == 429
    assert answer.json() == {"message": "You are sending too many messages. Try again later."}
    assert "retry-after" not in answer.headers


def test_line_ends_become_newlines() -> None:
    """CRLF becomes LF."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        chat.say("one\r\ntwo")
    assert sandbox.prompts[-1][-1]["content"] == "one\ntwo"


def test_an_image_reaches_a_model_that_sees_and_can_be_fetched() -> None:
    """Bytes decide what it is; the hash is of the bytes read as text."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create("sandbox/vision-tools")
        chat.say("What is this?", ("base64;a ; ż.png", encoded(PNG), "application/octet-stream"))
        chat.say("And now?", ("hash;a.png", sha_as_text(PNG).encode(), "image/png"))
        ref = (chat.stored.messages[1].files or [])[0]
        fetched = chat.http.get(f"/conversation/{chat.id}/output/{ref.value}")
        missing = chat.http.get(f"/conversation/{chat.id}/output/{'0' * 64}")
    image = {"type": "image", "mime_type": "image/png", "data": PNG}
    assert sandbox.prompts[0][0]["content"] == [{"type": "text", "text": "What is this?"}, image]
    assert sandbox.prompts[1][-1]["content"][1] == image
    assert (ref.name, ref.value) == ("a ; ż.png", sha_as_text(PNG))
    assert ref.value != hashlib.sha256(PNG).hexdigest()
    assert (fetched.content, missing.status_code) == (PNG, 404)
    assert fetched.headers["content-type"] == "application/octet-stream"


def test_an_image_is_dropped_silently_by_a_text_model() -> None:
    """The message mentions it, the model never sees it."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        chat.say("What?", ("base64;a.png", encoded(PNG), "image/png"))
        assert chat.stored.messages[1].files
    assert sandbox.prompts == [[{"role": "user", "content": "What?"}]]


def test_text_files_are_inlined_before_the_question() -> None:
    """Each as a document; what came from the clipboard without one; other kinds not at all."""
    files = [
        ("base64;notes.txt", encoded("łine".encode()), "text/plain"),
        ("base64;pasted", encoded(b"pasted"), "application/vnd.chatui.clipboard"),
        ("base64;a.zip", encoded(b"PK"), "application/zip"),
    ]
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        chat.say("Read", *files)
    name = f"{chat.id}-{sha_as_text('łine'.encode())}"
    document = f'<document name="{name}" type="text/plain">\nłine\n</document>'
    assert sandbox.prompts[0][0]["content"] == f"{document}\n\npasted\n\nRead"


def test_a_hash_of_nothing_fails_inside_the_stream() -> None:
    """A status without message; the model is not asked."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        lines = chat.say("see?", ("hash;a.png", b"0" * 64, "image/png"))
        assert kinds(lines) == ["started", "error"]
        assert lines[-1] == {"type": "status", "status": "error", "statusCode": 404}
        assert chat.stored.title == "New Chat"
    assert sandbox.prompts == []


@pytest.mark.parametrize(
    ("file", "status"),
    [
        (("red.png", b"", "image/png"), 500),
        (("base64;a.png", b"?", "image/png"), 200),
        (("base64;a.png", b"A", "image/png"), 500),
        (("base64;a.bin", b"A" * (10 * 1024 * 1024 // 3 * 4), "x/y"), 200),
        (("base64;a.bin", b"A" * (10 * 1024 * 1024 // 3 * 4 + 8), "x/y"), 413),
        (("base64;a.bin", b"A" * (15 * 1024 * 1024), "x/y"), 413),
    ],
)
def test_files_must_be_named_encoded_and_small(file: tuple[str, bytes, str], status: int) -> None:
    """No prefix and no base64 are 500, more than 10 MiB decoded or 15 MiB in all are 413."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        assert chat.post(file, inputs="What?").status_code == status


def sha_as_text(content: bytes) -> str:
    """Return the hash the server makes of a file."""
    return hashlib.sha256(content.decode("utf-8", "replace").encode()).hexdigest()
