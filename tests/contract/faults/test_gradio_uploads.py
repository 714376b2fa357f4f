"""Files that go to an app first: what it says of them is checked, and passed back as it is."""

from __future__ import annotations

import asyncio
import base64
import threading
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_g4f.core.events import Progress
from langchain_g4f.core.limits import Clocks
from langchain_g4f.errors import APITimeoutError, BadRequestError, MalformedStreamError
from tests.contract.faults import gradio_script as gr
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.contract.faults.downloads import PNG, give
from tests.contract.faults.harness import (
    ask,
    assert_nothing_open,
    by_call,
    by_case,
    by_turns,
    closed,
    eventually,
    fail,
)
from tests.contract.faults.multipart import Uploaded
from tests.contract.faults.registry import Provider, fault

OTHER = PNG + b"other"
UNTIL_UPLOAD = ("config", "upload")


def about(*images: bytes) -> list[HumanMessage]:
    """Ask about these images."""
    blocks: list[str | dict[str, Any]] = [{"type": "text", "text": "What is this?"}]
    for number, image in enumerate(images):
        content = base64.b64encode(image).decode()
        block = {"type": "image", "base64": content, "mime_type": "image/png"}
        blocks.append({**block, "name": f"{number}.png"})
    return [HumanMessage(blocks)]


@fault(48, only="PH")
@pytest.mark.proves("obligation:gradio-space:3")
@by_turns
async def test_files_arrive_byte_for_byte_and_go_by_their_paths(
    provider: Provider, way: str
) -> None:
    """What the other tests refuse is refused for its fault."""
    seen: list[Progress] = []
    with provider.server() as server:
        await ask(provider.model(server, on_progress=seen.append), way, about(PNG, OTHER))
        assert provider.asked(server) == provider.full_call
        files = provider.received(server.requests)
        assert files == [
            Uploaded("0.png", "image/png", PNG),
            Uploaded("1.png", "image/png", OTHER),
        ]
        (predict,) = provider.sent(server, "predict")
        box = gr.said(predict)["data"][1]
    assert [file["meta"] for file in box["files"]] == [{"_type": "gradio.FileData"}] * 2
    assert [file["path"].rpartition("/")[2] for file in box["files"]] == ["0.png", "1.png"]
    sizes = [each.data["sent"] for each in seen if each.kind == "upload"]
    assert sizes == [0, len(PNG) + len(OTHER)]


PATHS: dict[str, Any] = {
    "none": [],
    "three": ["/a/0.png", "/a/1.png", "/a/2.png"],
    "nothing": None,
}


@fault(48, only="PH")
@pytest.mark.proves("obligation:gradio-space:19")
@by_case(PATHS, "paths")
async def test_upload_answered_with_other_than_two_paths_is_malformed(
    provider: Provider, way: str, paths: Any
) -> None:
    """Which path belongs to which file cannot be told: nothing is asked."""
    with provider.server(upload=gr.reply(paths)) as server:
        model = provider.model(server)
        await fail(model, way, MalformedStreamError, about(PNG, OTHER), host=None)
        assert provider.asked(server) == UNTIL_UPLOAD


ELSEWHERE = ["/a/../../etc/passwd", "{url}/x.png"]


@fault(48, only="PH")
@by_case({each: each for each in ELSEWHERE}, "path")
async def test_path_that_leads_elsewhere_is_malformed(
    provider: Provider, way: str, path: str
) -> None:
    """Nothing is fetched from there, and nothing asked about it."""
    with ByteServer(give(PNG)) as other:
        with provider.server(upload=gr.reply([path.format(url=other.url)])) as server:
            await fail(provider.model(server), way, MalformedStreamError, about(PNG), host=None)
            assert provider.asked(server) == UNTIL_UPLOAD
        assert (other.requests, other.closings) == ([], {})


ODD = ["C:\\x y\\z.png", "//127.0.0.1/x", "a?b#c%2e żółć 😀.png"]


@fault(48, only="PH")
@by_case({each: each for each in ODD}, "path")
async def test_odd_path_is_sent_back_as_it_is(provider: Provider, way: str, path: str) -> None:
    """It is the app's own name for the file: never opened, fetched or tidied up."""
    with provider.server(upload=gr.reply([path])) as server:
        await ask(provider.model(server), way, about(PNG))
        assert provider.asked(server) == provider.full_call
        (predict,) = provider.sent(server, "predict")
        (file,) = gr.said(predict)["data"][1]["files"]
    assert file["path"] == path
    assert file["url"].startswith(f"{server.url}/gradio_api/file=")


@fault(48, only="PH")
@pytest.mark.proves("obligation:gradio-space:22")
@by_turns
@pytest.mark.parametrize(
    ("file", "shown"),
    [
        ({"path": "/a/x.png", "url": "{other}/x.png"}, "{own}/gradio_api/file=/a/x.png"),
        ({"path": "/../x y.png"}, "{own}/gradio_api/file=/../x%20y.png"),
        ({"url": "{other}/x.png", "meta": gr.FILE_META}, "{other}/x.png"),
        ({"path": "{other}/x.png"}, "{other}/x.png"),
    ],
    ids=["inner address", "dots", "address alone", "address as path"],
)
async def test_file_of_an_answer_is_shown_and_not_fetched(
    provider: Provider, way: str, file: dict[str, Any], shown: str
) -> None:
    """A path is one of the app's own, whatever address stands beside it."""
    with ByteServer(give(PNG)) as other, provider.server() as server:
        names = {"own": server.url, "other": other.url}
        told = {
            name: value.format(**names) if isinstance(value, str) else value
            for name, value in file.items()
        }
        data = [[*gr.history("Look:"), gr.message("assistant", {"file": told})], None]
        ended = gr.completed_with(gr.output(data, more=False))
        server.handler = provider.serve({"data": provider.answering(*gr.START, ended)})
        answer = await ask(provider.model(server), way)
        (block,) = answer.additional_kwargs["files"]
        assert block["url"] == shown.format(**names)
        assert provider.asked(server) == provider.good_call
        assert (other.requests, other.closings) == ([], {})


@fault(11, only="PH")
@by_turns
async def test_refused_upload_is_a_bad_request_with_the_reason(
    provider: Provider, way: str
) -> None:
    """The server says it in plain text."""
    text = b"File size exceeded maximum allowed size of 2097152 bytes."

    def refuse(exchange: Exchange) -> None:
        exchange.respond(413, text, content_type="text/plain; charset=utf-8")

    with provider.server(upload=refuse) as server:
        error = await fail(provider.model(server), way, BadRequestError, about(PNG), host=None)
        assert provider.asked(server) == UNTIL_UPLOAD
    assert error.body == text.decode()
    assert error.phase == "upload the files"


@fault(2, 36, only="PH")
@pytest.mark.parametrize("way", ["ainvoke", "astream"])
async def test_cancelled_while_uploading(provider: Provider, way: str) -> None:
    """The app does not read what it is sent: closed at once, and nothing was begun."""
    released = threading.Event()

    def read_no_more(exchange: Exchange) -> None:
        gr.config_ok(exchange)
        released.wait(10)

    with provider.server(config=read_no_more) as server:
        big = about(PNG.ljust(9 << 20, b"\0"))
        task = asyncio.create_task(ask(provider.model(server), way, big))
        assert await eventually(lambda: "config" in provider.asked(server))
        await asyncio.sleep(0.2)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 1)
        assert_nothing_open()
        released.set()
        assert await closed(provider, server, "config")
        assert provider.asked(server) == ("config",)


@fault(2, 36, only="PH")
@by_call
async def test_upload_that_nobody_reads_times_out(provider: Provider, way: str) -> None:
    """A write has a clock, too."""
    released = threading.Event()

    def read_no_more(exchange: Exchange) -> None:
        gr.config_ok(exchange)
        released.wait(10)

    with provider.server(config=read_no_more) as server:
        clocks = Clocks(write=0.3)
        model = provider.model(server, timeout=clocks, max_retries=0)
        error = await fail(model, way, APITimeoutError, about(PNG.ljust(9 << 20, b"\0")))
        released.set()
    assert (error.kind, error.request_sent) == ("write", True)
