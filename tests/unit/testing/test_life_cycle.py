"""Starting, stopping, many at once, and what is left behind: nothing."""

from __future__ import annotations

import asyncio
import builtins
import json
import resource
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from langchain_g4f.errors import MissingDependencyError
from langchain_g4f.testing import Sandbox
from tests.unit.testing.chat import Chat

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["pytester"]


@pytest.mark.proves("promise:sandbox-context-manager")
def test_starting_and_stopping_are_quick_and_leave_no_thread() -> None:
    """Both take a fraction of a second, also with a stream hanging."""
    before = threading.active_count()
    begun_s = time.monotonic()
    with Sandbox() as sandbox:
        assert time.monotonic() - begun_s < 0.3
        with Chat(sandbox) as chat:
            chat.create()
            with chat.streaming("wait [[hang]]") as response:
                arriving = response.iter_bytes()
                next(arriving)
                begun_s = time.monotonic()
                sandbox.stop()
                assert time.monotonic() - begun_s < 1
                with pytest.raises(httpx.RemoteProtocolError):
                    list(arriving)
    assert threading.active_count() == before


def test_what_a_sandbox_holds_outlives_it() -> None:
    """Requests, prompts and conversations can be looked at afterwards."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        chat.say("Hi")
    assert [request.path for request in sandbox.requests] == [
        "/chat/conversation",
        f"/chat/conversation/{chat.id}",
    ]
    assert sandbox.prompts == [[{"role": "user", "content": "Hi"}]]
    assert chat.stored.messages[-1].content == "Echo (sandbox/text-small, turn 1): Hi"
    sandbox.stop()


async def test_a_sandbox_is_an_async_context_manager_too() -> None:
    """The server has a loop of its own, so the caller's stays free."""
    async with Sandbox() as sandbox, httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{sandbox.base_url}/healthcheck")
    assert answer.text == "OK"


def test_sandboxes_side_by_side_share_nothing() -> None:
    """Each has its own port, its own conversations and its own model."""
    with Sandbox(reply="one") as one, Sandbox(reply="two") as two:
        for sandbox, said in ((one, "one"), (two, "two")):
            with Chat(sandbox) as chat:
                chat.create()
                assert chat.say("Hi")[-2]["text"] == said
        assert one.base_url != two.base_url
        assert len(one.conversations) == len(two.conversations) == 1


@pytest.fixture
def many_files() -> Iterator[None]:
    """Allow the files that a thousand ends of connections need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
async def test_five_hundred_streams_run_at_once() -> None:
    """All of them get their whole answer, and all are open at the same time."""
    streams = 500
    with Sandbox(keep_alive_s=5, pace_s=1) as sandbox:
        lines = [await Line.open(sandbox) for _ in range(streams)]
        for line in lines:
            await line.create()
        heads = await asyncio.gather(*(line.say("x [[long:1]]") for line in lines))
        answers = await asyncio.gather(*(line.rest() for line in lines))
        for line in lines:
            await line.close()
    assert all(b"200 OK" in head for head in heads)
    assert all(b'"text":"w1"' in answer for answer in answers)


@dataclass
class Line:
    """One connection, without the pool and the limits of a client library."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    sandbox: Sandbox
    conversation: str = ""

    @classmethod
    async def open(cls, sandbox: Sandbox) -> Line:
        port = int(sandbox.origin.rpartition(":")[2])
        return cls(*await asyncio.open_connection("127.0.0.1", port), sandbox)

    async def create(self) -> None:
        head = await self.post("/conversation", "application/json", '{"model": "omni"}')
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r")[0])
        body = await self.reader.readexactly(length)
        self.conversation = json.loads(body)["conversationId"]

    async def say(self, text: str) -> bytes:
        root = self.sandbox.conversations[self.conversation].root.id
        data = json.dumps({"inputs": text, "id": root})
        head = 'Content-Disposition: form-data; name="data"'
        form = f"--b\r\n{head}\r\n\r\n{data}\r\n--b--\r\n"
        address = f"/conversation/{self.conversation}"
        return await self.post(address, "multipart/form-data; boundary=b", form)

    async def post(self, path: str, kind: str, body: str) -> bytes:
        head = [
            f"POST /chat{path} HTTP/1.1",
            f"host: {self.sandbox.origin.removeprefix('http://')}",
            f"origin: {self.sandbox.origin}",
            "cookie: hf-chat=me",
            f"content-type: {kind}",
            f"content-length: {len(body)}",
        ]
        self.writer.write("\r\n".join([*head, "", body]).encode())
        return await self.reader.readuntil(b"\r\n\r\n")

    async def rest(self) -> bytes:
        return await self.reader.readuntil(b"0\r\n\r\n")

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


def test_a_missing_dependency_names_extra_and_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without uvicorn a sandbox cannot be made, and the error says what to do."""
    real_import = builtins.__import__

    def without_uvicorn(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "uvicorn":
            raise ModuleNotFoundError("No module named 'uvicorn'", name="uvicorn")
        return real_import(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "langchain_g4f.testing.server", raising=False)
    monkeypatch.setattr(builtins, "__import__", without_uvicorn)
    with pytest.raises(MissingDependencyError, match=r"sandbox.*pip install -e"):
        Sandbox()


def test_loading_the_plugin_imports_nothing_heavy() -> None:
    """Every pytest run in an environment with this package loads it."""
    program = (
        "import sys, langchain_g4f.testing.plugin, langchain_g4f.testing;"
        "print([m for m in ('starlette', 'uvicorn', 'httpx', 'langchain_core', 'asyncio')"
        " if m in sys.modules and m not in before])"
    )
    program = "import sys, pytest; before = set(sys.modules); " + program
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


def test_unknown_names_of_the_package_are_attribute_errors() -> None:
    """Names are imported at first use, and only those that exist."""
    import langchain_g4f.testing as package

    assert "Sandbox" in dir(package)
    with pytest.raises(AttributeError, match="nothing"):
        package.nothing  # noqa: B018 -- the access is the point
