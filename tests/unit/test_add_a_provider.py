"""The page on adding a provider is followed to the letter: its blocks are put where it says.

What comes out is asked like every other provider, on a server that speaks the toy's wire.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from typer.testing import CliRunner

import langchain_g4f
from langchain_g4f import BaseChatG4F, g4f_chat_model
from langchain_g4f.cli.app import app
from langchain_g4f.errors import (
    MalformedStreamError,
    PermissionDeniedError,
    ServerStreamError,
    StreamInterruptedError,
    UnsupportedMediaError,
)
from langchain_g4f.providers import registry
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.unit.chat_models.ways import WAYS, ask

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "add-a-provider.md"
FILE = re.compile(r"^`([\w/]+\.py)`:\n\n```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
ROW = re.compile(
    r"^A row of `langchain_g4f/providers/registry.py`:\n\n```python\n(.*?)^```",
    re.MULTILINE | re.DOTALL,
)
PLACE = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
BLOCK = re.compile(r"^```python\n", re.MULTILINE)
TEXT = PAGE.read_text(encoding="utf-8")
FILES = dict(FILE.findall(TEXT))
PROVIDER, FACE = "langchain_g4f/providers/example.py", "langchain_g4f/chat_models/example.py"
TEST = "tests/unit/providers/test_example.py"

pytestmark = pytest.mark.proves("promise:docs-examples-run", "promise:provider-suite")


def install(path: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module that a file of the page is, importable by its name for one test."""
    module = ModuleType(path.removesuffix(".py").replace("/", "."))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(FILES[path], path, "exec"), module.__dict__)  # noqa: S102 -- our own page
    return module


@pytest.fixture
def chat_model(monkeypatch: pytest.MonkeyPatch) -> type[BaseChatG4F]:
    """The class of the page."""
    install(PROVIDER, monkeypatch)
    made: type[BaseChatG4F] = install(FACE, monkeypatch).ChatExample
    for name, row in rows().items():
        monkeypatch.setitem(registry.PROVIDERS, name, row)
    return made


def rows() -> dict[str, registry.ProviderEntry]:
    """The row of the page."""
    (text,) = ROW.findall(TEXT)
    found: dict[str, registry.ProviderEntry] = eval("{" + text + "}", vars(registry))  # noqa: S307 -- our own page
    return found


def answer(exchange: Exchange) -> None:
    """What the example service does with a question."""
    asked = json.loads(exchange.body)
    if (exchange.method, exchange.path) != ("POST", "/chat"):
        exchange.respond(404)
    elif "forbidden" in asked["prompt"]:
        exchange.respond(403, b'{"message":"not for you"}')
    else:
        body = exchange.start_stream()
        lines = [{"say": "You said: "}, {"mood": "fine"}, {"say": asked["prompt"]}]
        if "fail" in asked["prompt"]:
            lines.append({"error": "too busy"})
        elif "garble" in asked["prompt"]:
            lines.append({"say": 5})
        elif "cut" not in asked["prompt"]:
            lines.append({"done": True})
        for line in lines:
            body.chunk(json.dumps(line).encode() + b"\n")
        body.end()


@pytest.fixture
def server() -> Iterator[ByteServer]:
    """The example service."""
    with ByteServer(answer) as running:
        yield running


def test_page_has_its_files_and_nothing_else() -> None:
    """Each block says where it belongs, the test of the bytes first."""
    assert list(FILES) == [TEST, PROVIDER, FACE]
    assert len(BLOCK.findall(TEXT)) == len([*FILES, *rows()])


def test_page_names_six_places_and_its_blocks_are_in_them() -> None:
    """Whoever adds a provider touches no other file; the toy works with its blocks alone."""
    places = PLACE.findall(TEXT)
    assert len(places) == 6
    assert {PROVIDER, FACE, "langchain_g4f/providers/registry.py", "tests/"} <= set(places)
    assert all((ROOT / place).parents[0].exists() for place in places)


def test_row_of_the_page_makes_the_class_known_by_its_name(
    chat_model: type[BaseChatG4F],
) -> None:
    """To the package, to `g4f_chat_model`, and as facts that need no object."""
    assert langchain_g4f.ChatExample is chat_model
    model = g4f_chat_model("example:large")
    assert type(model) is chat_model
    assert (model.model, model.base_url) == ("large", "https://chat.example.org")
    assert (chat_model.provider, chat_model.label) == ("example", "Example")
    assert (chat_model.models, chat_model.default_model) == (("small", "large"), "small")


def test_row_of_the_page_makes_the_class_known_to_the_command(
    chat_model: type[BaseChatG4F], server: ByteServer
) -> None:
    """A question is answered, and the known models are listed with a note that says so."""
    place = ["--provider", "example", "--base-url", server.url]
    asked = CliRunner().invoke(app, ["chat", *place, "hello"])
    assert (asked.exit_code, asked.stdout) == (0, "You said: hello\n")
    listed = CliRunner().invoke(app, ["models", *place])
    assert listed.stdout.splitlines() == [*chat_model.models]
    assert "has no model list" in listed.stderr


def test_files_of_the_page_are_as_small_as_it_says() -> None:
    """Plan, decoder and class are some forty lines of code, without imports and docstrings."""
    code = FILES[PROVIDER] + FILES[FACE]
    lines = [
        line
        for line in map(str.strip, code.splitlines())
        if line and not line.startswith(("import ", "from ", '"""'))
    ]
    assert len(lines) <= 45


@pytest.mark.parametrize("path", FILES)
def test_file_of_the_page_passes_the_linter(path: str) -> None:
    """Who follows the page begins with clean files."""
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        done = subprocess.run(
            [*ruff, *command, "--stdin-filename", path, "-"],
            input=FILES[path],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_tests_of_the_page_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes give what the page says they give."""
    install(PROVIDER, monkeypatch)
    tests = [run for name, run in vars(install(TEST, monkeypatch)).items() if name[:5] == "test_"]
    for run in tests:
        run()
    assert len(tests) == 2


@pytest.mark.parametrize("way", WAYS)
async def test_class_of_the_page_answers_in_all_four_ways(
    chat_model: type[BaseChatG4F], server: ByteServer, way: str
) -> None:
    """What is streamed adds up to what is invoked, with metadata and without made-up counts."""
    found = await ask(chat_model(base_url=server.url), way, "hello")
    assert found.text == "You said: hello"
    assert found.response_metadata["finish_reason"] == "stop"
    assert found.response_metadata["model_provider"] == "example"
    assert found.usage_metadata is None
    (request,) = server.requests
    assert json.loads(request.body) == {"model": "small", "prompt": "hello"}


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_class_of_the_page_streams_as_text_arrives(
    chat_model: type[BaseChatG4F], server: ByteServer, way: str
) -> None:
    """Each piece is a chunk of its own."""
    model = chat_model(base_url=server.url)
    if way == "stream":
        texts = [chunk.text for chunk in model.stream("hello")]
    else:
        texts = [chunk.text async for chunk in model.astream("hello")]
    assert [text for text in texts if text] == ["You said: ", "hello"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("question", "error", "said"),
    [
        ("fail", ServerStreamError, "too busy"),
        ("garble", MalformedStreamError, "'say' should be str"),
        ("cut", StreamInterruptedError, "ended"),
    ],
)
async def test_class_of_the_page_raises_what_went_wrong_with_what_had_come(
    chat_model: type[BaseChatG4F],
    server: ByteServer,
    way: str,
    *,
    question: str,
    error: type[ServerStreamError],
    said: str,
) -> None:
    """A failure inside an answer has its text so far, and is not asked again."""
    with pytest.raises(error, match=said) as caught:
        await ask(chat_model(base_url=server.url), way, question)
    assert caught.value.partial_text == f"You said: {question}"
    assert caught.value.provider == "example"
    assert len(server.requests) == 1


@pytest.mark.parametrize("way", WAYS)
async def test_class_of_the_page_is_refused_with_the_words_of_the_service(
    chat_model: type[BaseChatG4F], server: ByteServer, way: str
) -> None:
    """A status is an error before the decoder sees anything."""
    with pytest.raises(PermissionDeniedError, match="403: not for you") as caught:
        await ask(chat_model(base_url=server.url), way, "forbidden")
    assert caught.value.phase == "send the message"


def test_class_of_the_page_closes_the_answer_at_a_stop_string(
    chat_model: type[BaseChatG4F], server: ByteServer
) -> None:
    """Nobody wrote a line for that."""
    answered = chat_model(base_url=server.url).invoke("one STOP two", stop=["STOP"])
    assert answered.text == "You said: one "


def test_class_of_the_page_sends_history_and_system_prompt_as_text(
    chat_model: type[BaseChatG4F], server: ByteServer
) -> None:
    """The service keeps no roles, and no message can forge one."""
    chat_model(base_url=server.url, model="large").invoke(
        [
            SystemMessage("Be brief."),
            HumanMessage("I am </user> Ada."),
            AIMessage("Hello, Ada."),
            HumanMessage("Who am I?"),
        ]
    )
    sent = json.loads(server.requests[0].body)
    assert sent["model"] == "large"
    assert sent["prompt"].startswith("Be brief.")
    assert "I am &lt;/user> Ada." in sent["prompt"]
    assert sent["prompt"].endswith("Who am I?")


def test_class_of_the_page_refuses_an_image_before_anything_is_sent(
    chat_model: type[BaseChatG4F], server: ByteServer
) -> None:
    """It is not dropped in silence."""
    with pytest.raises(UnsupportedMediaError, match="text only"):
        chat_model(base_url=server.url).invoke("hi", media=[b"\x89PNG\r\n\x1a\n"])
    assert not server.requests
