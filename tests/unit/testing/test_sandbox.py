"""What a user of `langchain_g4f.testing` relies on: starting, stopping, recording, the plugin."""

from __future__ import annotations

import asyncio
import builtins
import itertools
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import langchain_g4f.testing
from langchain_g4f.errors import MissingDependencyError
from langchain_g4f.testing import (
    FlowGptSandbox,
    Prompt,
    RecordedFile,
    RecordedRequest,
    Reply,
    Sandbox,
    echo,
)
from langchain_g4f.testing.script import Splitter, inline_tokens
from tests.unit.testing.chat import Chat, parse_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["pytester"]


@pytest.mark.proves("promise:sandbox-context-manager")
def test_starting_and_stopping_are_quick_and_leave_no_thread() -> None:
    """Both take a fraction of a second, also with a stream that hangs."""
    with Sandbox():
        threads = threading.active_count() - 1  # the first start imports the server
    started_s = time.monotonic()
    with Sandbox() as sandbox:
        assert time.monotonic() - started_s < 0.3
        with Chat(sandbox) as chat, chat.streaming("wait [[hang]]") as response:
            arriving = response.iter_bytes()
            next(arriving)
            assert sandbox.busy
            started_s = time.monotonic()
            sandbox.stop()
            assert time.monotonic() - started_s < 1
            with pytest.raises(httpx.RemoteProtocolError):
                list(arriving)
    assert threading.active_count() == threads


async def test_sandboxes_are_async_context_managers_and_share_nothing() -> None:
    """Each has its own port, conversations and model; all can be read after the end."""
    async with Sandbox(reply="one") as one, Sandbox(reply="two") as two:
        for sandbox in (one, two):
            with Chat(sandbox) as chat:
                await asyncio.to_thread(chat.say, "Hi")
    assert one.base_url != two.base_url
    answers = [next(iter(s.conversations.values())).messages[-1].content for s in (one, two)]
    assert answers == ["one", "two"]
    assert one.prompts == [[{"role": "user", "content": "Hi"}]]
    assert [request.path for request in one.requests] == [
        "/chat/conversation",
        f"/chat/conversation/{next(iter(one.conversations))}",
    ]
    one.stop()


@pytest.mark.proves("promise:sandbox-deterministic")
def test_the_same_seed_makes_the_same_ids_and_cuts() -> None:
    """Random tokens have 1 to 8 characters and depend on seed and text alone."""
    roots = []
    for seed in (1, 1, 2):
        with Sandbox(seed=seed) as sandbox, Chat(sandbox) as chat:
            roots.append(chat.stored.root.id)
    assert roots[0] == roots[1] != roots[2]
    text = "Zażółć gęślą jaźń \N{GRINNING FACE} and some more words"
    cut = Splitter("random", 1)
    assert "".join(cut(text)) == text
    assert {len(token) for token in cut(text)} <= set(range(1, 9))
    assert cut(text) == Splitter("random", 1)(text) != Splitter("random", 2)(text)
    assert Splitter()("one two\nthree  ") == ["one", " two", "\nthree", "  "]
    assert cut("") == Splitter()("") == []


@pytest.mark.proves("promise:missing-extra")
@pytest.mark.parametrize("sandbox", [Sandbox, FlowGptSandbox])
@pytest.mark.parametrize("missing", ["uvicorn", "starlette"])
def test_missing_dependency_names_extra_and_command(
    sandbox: type[Sandbox | FlowGptSandbox], missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it a sandbox cannot be made, and the error says what to do."""
    real_import = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real_import(name, *args, **kwargs)

    for module in [m for m in sys.modules if m.startswith("langchain_g4f.testing.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match=rf"{missing}.*sandbox.*pip install -e"):
        sandbox()


def test_loading_the_plugin_imports_nothing_heavy() -> None:
    """Every pytest run in an environment with this package loads it."""
    program = (
        "import sys, pytest; before = set(sys.modules);"
        "import langchain_g4f.testing.plugin, langchain_g4f.testing;"
        "print([m for m in ('starlette', 'uvicorn', 'httpx', 'langchain_core', 'asyncio')"
        " if m in sys.modules and m not in before])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.proves("promise:sandbox-fixture")
def test_the_fixture_is_a_started_sandbox(pytester: pytest.Pytester) -> None:
    """A test only names it."""
    pytester.makeconftest("from langchain_g4f.testing.plugin import g4f_sandbox")
    pytester.makepyfile(
        """
        import urllib.request

        def test_it(g4f_sandbox):
            address = g4f_sandbox.base_url + "/healthcheck"
            assert urllib.request.urlopen(address).read() == b"OK"
        """
    )
    pytester.runpytest_inprocess("-p", "no:asyncio").assert_outcomes(passed=1)


def test_names_of_the_package_are_imported_at_first_use() -> None:
    """All that are listed exist, and others are attribute errors."""
    assert dir(langchain_g4f.testing) == sorted(langchain_g4f.testing.__all__)
    assert all(getattr(langchain_g4f.testing, name) for name in langchain_g4f.testing.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        langchain_g4f.testing.nothing  # noqa: B018 -- the access is the point


# -- scripts ---------------------------------------------------------------------


def asked(text: str, *, reasons: bool = False) -> Prompt:
    """A first message that says `text`."""
    return Prompt("m", [{"role": "user", "content": text}], reasons=reasons)


@pytest.mark.parametrize(
    ("directive", "expected"),
    [
        ("[[pace:20]]", {"pace_s": 0.02, "text": "Echo (m, turn 1): x"}),
        ("[[empty]]", {"text": ""}),
        ("[[error:402]]", {"error": (402, "402 backend says 402"), "error_after": None}),
        ("[[error-mid:503]]", {"error": (503, "503 backend says 503"), "error_after": 3}),
        ("[[drop]]", {"drop_after": 3}),
        ("[[drop:0]]", {"drop_after": 0}),
        ("[[restart:1]]", {"restart_after": 1}),
        ("[[hang]]", {"hang_after": 0}),
        ("[[slow-title]]", {"slow_title": True}),
        ("[[provider:together]]", {"provider": "together"}),
    ],
)
def test_echo_turns_a_directive_into_a_field_of_the_reply(
    directive: str, expected: dict[str, object]
) -> None:
    """The directive itself is no part of the answer."""
    reply = echo(asked(f"x {directive}"))
    assert {name: getattr(reply, name) for name in expected} == expected


def test_reasoning_is_text_in_tags_before_the_answer() -> None:
    """A model that always reasons does so without a directive."""
    thought, answer = "First I look at the question. Then I answer it.", "Echo (m, turn 1): a"

    def said(text: str, *, reasons: bool = False) -> str:
        return "".join(inline_tokens(echo(asked(text, reasons=reasons)), Splitter()))

    assert said("a", reasons=True) == said("a [[think]]") == f"<think>{thought}</think>{answer}"
    inline = f"<think>Inline thoughts come first.</think>{answer}"
    assert said("a [[think-inline]]") == inline
    assert said("a [[think-only]]") == f"<think>{thought}"


def test_tokens_are_taken_lazily_and_a_failing_script_is_reported() -> None:
    """An endless answer continues until it is stopped."""

    def script(prompt: Prompt) -> Iterator[str]:
        return (f"{n} " if prompt.text == "go" else str(1 // 0) for n in itertools.count())

    with Sandbox(script) as sandbox, Chat(sandbox) as chat:
        with chat.streaming("go") as response:
            arriving = response.iter_text()
            body = next(text for text in itertools.accumulate(arriving) if "100 " in text)
            chat.stop()
            assert parse_lines(body + "".join(arriving))[-2]["interrupted"] is True
        assert chat.say("x")[-1]["message"].startswith("the script failed: ZeroDivisionError")


# -- recorded requests -----------------------------------------------------------


def received(kind: str, body: bytes) -> RecordedRequest:
    """A request with this body."""
    record = RecordedRequest("POST", "/chat", {}, {"content-type": kind})
    record.take_body(body)
    return record


def test_bodies_are_parsed_where_they_parse() -> None:
    """File names may hold semicolons and any letters; contents may hold line ends."""
    body = (
        b"preamble\r\n--b\r\n"
        b'Content-Disposition: form-data; name="data"\r\n\r\n{"a": 1}\r\n\r\n\r\n--b\r\n'
        b'Content-Disposition: form-data; name="files"; filename="base64;a ; \xc5\xbc%22.png"\r\n'
        b"Content-Type: image/png\r\n\r\nAA\r\n--c\r\n\r\n--b--\r\nepilogue"
    )
    form = received('multipart/form-data; boundary="b"', body)
    assert form.form == {"data": '{"a": 1}\r\n\r\n'}
    assert form.files == [RecordedFile("files", 'base64;a ; ż".png', "image/png", b"AA\r\n--c\r\n")]
    unbounded = received("multipart/form-data", b"--b\r\n")
    assert (unbounded.form, unbounded.files, unbounded.body) == ({}, [], b"--b\r\n")
    assert received("application/json; charset=utf-8", b'{"a": 1}').json == {"a": 1}
    assert received("application/json", b"{").json is None
    assert received("application/x-www-form-urlencoded", b"a=1&b=").form == {"a": "1", "b": ""}


def test_requests_are_recorded_in_order_with_their_outcome() -> None:
    """Method, path, query, headers, cookies, status, and whether the answer was complete."""
    with Sandbox() as sandbox, Chat(sandbox, "") as chat:
        chat.get("/api/v2/models?p=1&q=a%20b", headers={"X-Name": "Value", "cookie": "hf-chat=me"})
        chat.get("/no%20such")
        address = ("127.0.0.1", int(sandbox.origin.rpartition(":")[2]))
        with socket.create_connection(address) as client:
            client.sendall(b"POST /chat/x HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{")
            sandbox.wait_until(lambda: len(sandbox.requests) == 3)
        sandbox.wait_until(lambda: sandbox.requests[2].closed_early)
        with pytest.raises(TimeoutError):
            sandbox.wait_until(lambda: False, timeout_s=0.01)
    first, second, third = sandbox.requests
    assert (first.method, first.path) == ("GET", "/chat/api/v2/models")
    assert first.query == {"p": "1", "q": "a b"}
    assert first.headers["x-name"] == "Value"
    assert first.cookies == {"hf-chat": "me"}
    assert (first.status, first.finished, first.closed_early) == (200, True, False)
    assert (second.path, second.status) == ("/chat/no such", 404)
    assert third.status is None


@pytest.mark.parametrize("answer", ["hi", Reply("hi"), ["h", "i"]])
def test_scripts_may_return_text_reply_or_tokens(answer: Reply | str | list[str]) -> None:
    """The three forms of an answer mean the same."""
    with Sandbox(lambda _: answer) as sandbox, Chat(sandbox) as chat:
        assert chat.say("x")[-2]["text"] == "hi"
