"""Files that the server should have: what it keeps of them is believed only where it fits."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from langchain_g4f.errors import MalformedStreamError
from tests.contract.faults import chat_ui_script as hc
from tests.contract.faults.byte_server import Action, ByteServer, Exchange
from tests.contract.faults.downloads import PNG, give
from tests.contract.faults.harness import ask, assert_given_up, by_turns, fail
from tests.contract.faults.huggingchat_entry import SEEING, list_seeing
from tests.contract.faults.multipart import Uploaded, uploads
from tests.contract.faults.registry import Provider, fault

OTHER_PNG = PNG + b"other"
VALUE = "5e" * 32
QUESTION_ID = "0b6f5a3e-52c5-4d6b-9d5c-6f2f4f0e8a12"
ANSWER_ID = "0b6f5a3e-52c5-4d6b-9d5c-6f2f4f0e8a13"


def sent(provider: Provider, server: ByteServer) -> list[Exchange]:
    """The messages that the server got."""
    return [request for request in server.requests if provider.part_of(request) == "send"]


def new(name: str, data: bytes) -> Uploaded:
    """Make a file that goes with all of its bytes."""
    return Uploaded(f"base64;{name}", "image/png", base64.b64encode(data))


def known(name: str, value: str) -> Uploaded:
    """Make a file that goes as the server's own name for it."""
    return Uploaded(f"hash;{name}", "image/png", value.encode())


def question(text: str, **files: bytes) -> HumanMessage:
    """Make a message with these images."""
    blocks: list[str | dict[str, Any]] = [{"type": "text", "text": text}]
    for name, data in files.items():
        content = base64.b64encode(data).decode()
        block = {"type": "image", "base64": content, "mime_type": "image/png"}
        blocks.append({**block, "name": f"{name}.png"})
    return HumanMessage(blocks)


ENDED = [{"type": "finalAnswer"}, {"type": "status", "status": "finished"}]


def keep(server: ByteServer, files: Any, **answer: Any) -> Action:
    """Tell the conversation after its first answer, with these files at the question.

    Args:
        server: Has the question.
        files: Those of the question.
        answer: What is stored of the answer, in place of what ends it.
    """

    def act(exchange: Exchange) -> None:
        first = next(r for r in server.requests if b'name="data"' in r.body)
        data = json.loads(first.body.partition(b"\r\n\r\n")[2].partition(b"\r\n")[0])
        value = hc.conversation(SEEING, "")
        ancestors = [hc.ROOT_MESSAGE_ID]
        asked = {"id": QUESTION_ID, "from": "user", "content": data["inputs"], "files": files}
        said: dict[str, Any] = {"id": ANSWER_ID, "from": "assistant", "content": "Hello there"}
        said |= {"generationId": data["generationId"], **(answer or {"updates": ENDED})}
        value["json"]["messages"] += [
            {**asked, "ancestors": ancestors},
            {**said, "ancestors": [*ancestors, QUESTION_ID]},
        ]
        exchange.respond(200, json.dumps(value).encode())

    return act


def stored(name: str, **value: Any) -> dict[str, Any]:
    """Make a file as the server tells it."""
    return {"type": "hash", "name": name, "mime": "image/png", **value}


async def begin(
    provider: Provider, server: ByteServer, way: str, files: Any, **images: bytes
) -> tuple[Any, list[BaseMessage]]:
    """Ask about images; the server keeps these files of it."""
    server.handler = provider.serve({"models": list_seeing, "read": keep(server, files)})
    model = provider.model(server, model=SEEING)
    first = question("What is this?", **images)
    answer = await ask(model, way, [first])
    (request,) = sent(provider, server)
    assert uploads(request) == [new(f"{name}.png", data) for name, data in images.items()]
    said = AIMessage(answer.content, response_metadata=answer.response_metadata)
    return model, [first, said, question("And now?", **images)]


@fault(48, only="HC")
@by_turns
async def test_file_that_the_server_has_goes_by_its_own_name_for_it(
    provider: Provider, way: str
) -> None:
    """What the other tests upload again is uploaded again for its fault."""
    files = [stored("cat.png", value=VALUE), stored("dog.png", value="77")]
    with provider.server() as server:
        model, history = await begin(provider, server, way, files, cat=PNG, dog=OTHER_PNG)
        await ask(model, way, history)
        second = sent(provider, server)[1]
        assert uploads(second) == [known("cat.png", VALUE), known("dog.png", "77")]


@fault(48, only="HC")
@by_turns
@pytest.mark.parametrize("value", [{}, {"value": None}, {"value": 5}, {"value": ["x"]}], ids=str)
async def test_stored_file_without_a_value_is_malformed(
    provider: Provider, way: str, value: dict[str, Any]
) -> None:
    """The error names the key, and no message is sent."""
    with provider.server() as server:
        files = [stored("cat.png", **value)]
        model, history = await begin(provider, server, way, files, cat=PNG)
        error = await fail(model, way, MalformedStreamError, history, host=None)
        assert "'value'" in str(error)
        assert len(sent(provider, server)) == 1
        assert provider.asked(server)[-1] == "read"


@fault(48, only="HC")
@by_turns
@pytest.mark.parametrize(
    "files",
    [
        None,
        [],
        [stored("cat.png", value=VALUE)],
        [stored("dog.png", value=VALUE)],
        [stored("cat.png", value=VALUE), stored("dog.png", value="77"), stored("x", value="78")],
    ],
    ids=["null", "none", "the first", "the second", "one more"],
)
async def test_files_of_another_count_are_uploaded_again(
    provider: Provider, way: str, files: Any
) -> None:
    """Which of the server's names belongs to which file cannot be told: none is used."""
    with provider.server() as server:
        model, history = await begin(provider, server, way, files, cat=PNG, dog=OTHER_PNG)
        await ask(model, way, history)
        second = sent(provider, server)[1]
        assert uploads(second) == [new("cat.png", PNG), new("dog.png", OTHER_PNG)]


@fault(48, only="HC")
@by_turns
@pytest.mark.parametrize(
    "value",
    [
        "../x",
        "../../../../etc/passwd",
        "/etc/passwd",
        "file:///etc/passwd",
        "{url}/x",
        "//127.0.0.1/x?a#b",
        'a\r\nContent-Disposition: form-data; name="data"\r\n\r\n{{}}',
        "é\0 ",
    ],
)
async def test_odd_value_is_sent_back_as_it_is(provider: Provider, way: str, value: str) -> None:
    """It is no path and no address: nothing is opened, and nothing is fetched."""
    with ByteServer(give(OTHER_PNG)) as other, provider.server() as server:
        value = value.format(url=other.url)
        files = [stored("cat.png", value=value)]
        model, history = await begin(provider, server, way, files, cat=PNG)
        await ask(model, way, history)
        assert uploads(sent(provider, server)[1]) == [known("cat.png", value)]
        assert (other.requests, other.closings) == ([], {})
        assert provider.asked(server) == ("models", "create", "send", "read", "send")


@fault(48, only="HC")
@by_turns
async def test_empty_value_is_no_name(provider: Provider, way: str) -> None:
    """The file is uploaded again."""
    with provider.server() as server:
        files = [stored("cat.png", value="")]
        model, history = await begin(provider, server, way, files, cat=PNG)
        await ask(model, way, history)
        assert uploads(sent(provider, server)[1]) == [new("cat.png", PNG)]


@fault(48, only="HC")
@by_turns
@pytest.mark.parametrize("sha", [{}, {"sha": None}, {"sha": 5}], ids=str)
async def test_produced_file_without_a_digest_is_malformed(
    provider: Provider, way: str, sha: dict[str, Any]
) -> None:
    """The error names the key, what came before it is kept, and the run is given up."""
    update = hc.line({"type": "file", "name": "x.png", "mime": "image/png", **sha})
    pieces = (*provider.start, provider.token("Look: "), update)

    def act(exchange: Exchange) -> None:
        stream = exchange.start_stream(content_type=provider.content_type)
        for piece in pieces:
            stream.chunk(piece)
        exchange.never_answer()

    with provider.server(answer=act) as server:
        error = await fail(provider.model(server), way, MalformedStreamError, host=None)
        assert "'sha'" in str(error)
        assert error.partial_text == "Look: "
        await assert_given_up(provider, server)


@fault(48, only="HC")
@by_turns
@pytest.mark.parametrize("sha", ["../../x", "{url}/x", "//127.0.0.1/x"])
async def test_produced_file_with_an_odd_digest_is_not_fetched(
    provider: Provider, way: str, sha: str
) -> None:
    """It is shown as an address of the conversation's server, whatever it says."""
    with ByteServer(give(PNG)) as other, provider.server() as server:
        digest = sha.format(url=other.url)
        update = hc.line({"type": "file", "name": "x.png", "mime": "image/png", "sha": digest})
        pieces = (*provider.start, update, *provider.end("Hello"))
        server.handler = provider.serve({"send": provider.answering(*pieces)})
        answer = await ask(provider.model(server), way)
        (block,) = answer.additional_kwargs["files"]
        assert block["url"].startswith(f"{server.url}/chat/conversation/")
        assert block["url"].endswith(f"/output/{quote(digest, safe='')}")
        assert provider.asked(server) == provider.good_call
        assert (other.requests, other.closings) == ([], {})
