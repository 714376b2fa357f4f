"""Files of an answer, fetched with what their provider says is needed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from langchain_g4f import ChatG4F
from langchain_g4f.g4f_adapter import responses
from langchain_g4f.errors import BlockedURLError, ConfigurationError
from tests.g4f_standins import responses_old as old
from tests.g4f_standins.providers_new import AsyncGeneratorProvider, scripted

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
OPTIONS = {"cookies": {"session": "made-up", "b": "2"}, "headers": {"x-key": "made-up"}}
by_kind = pytest.mark.parametrize("kind", ["sync", "async"])


@contextmanager
def server(seen: list[dict[str, str]], redirect: str = "") -> Iterator[str]:
    """A server with a picture, or one that sends to another."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(302 if redirect else 200)
            self.send_header("location", redirect)
            self.send_header("content-length", str(len(PNG)))
            self.end_headers()
            self.wfile.write(PNG)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        thread = threading.Thread(target=found.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}/x.png"
        found.shutdown()
        thread.join()


async def fetch(model: ChatG4F, block: Any, kind: str) -> bytes:
    """The bytes of a block."""
    return model.fetch_file(block) if kind == "sync" else await model.afetch_file(block)


@pytest.mark.proves("g4f:9:fetch-file", "g4f:5:image")
@by_kind
async def test_picture_is_fetched_with_the_cookies_of_its_response(kind: str) -> None:
    """And its headers, which nothing shows; a file of another response goes without."""
    seen: list[dict[str, str]] = []
    with server(seen) as url:
        provider = scripted(
            AsyncGeneratorProvider,
            old.ImageResponse([url, url + "?2"], "", OPTIONS),
            old.ImageResponse(url + "?plain"),
        )
        model = ChatG4F(provider=provider, trusted_media_hosts=["127.0.0.1"])
        answer = await model.ainvoke("hi")
        blocks = answer.additional_kwargs["files"]
        assert [await fetch(model, block, kind) for block in blocks] == [PNG] * 3
        assert await fetch(model, answer.content_blocks[0], kind) == PNG
    assert [each.get("cookie") for each in seen] == [
        "session=made-up; b=2",
        "session=made-up; b=2",
        None,
        "session=made-up; b=2",
    ]
    assert [each.get("x-key") for each in seen] == ["made-up", "made-up", None, "made-up"]
    assert "made-up" not in repr((answer, model))


@pytest.mark.proves("g4f:9:fetch-file", "g4f:8:secrets")
@by_kind
async def test_another_origin_is_told_no_cookies(kind: str) -> None:
    """A redirect may go there, the credentials do not."""
    there: list[dict[str, str]] = []
    here: list[dict[str, str]] = []
    with ExitStack() as stack:
        target = stack.enter_context(server(there))
        url = stack.enter_context(server(here, target))
        provider = scripted(AsyncGeneratorProvider, old.ImageResponse(url, "", OPTIONS))
        model = ChatG4F(provider=provider, trusted_media_hosts=["127.0.0.1"])
        answer = await model.ainvoke("hi")
        assert await fetch(model, answer.content_blocks[0], kind) == PNG
    assert here[0]["cookie"] == "session=made-up; b=2"
    assert "made-up" not in repr(there)
    assert len(there) == 1


@pytest.mark.proves("g4f:9:fetch-file")
@by_kind
async def test_private_address_is_not_fetched(kind: str) -> None:
    """Whoever makes answers may name any; and a block without address has none."""
    model = ChatG4F(provider=scripted(AsyncGeneratorProvider))
    with pytest.raises(BlockedURLError):
        await fetch(model, {"type": "image", "url": "http://127.0.0.1:9/x.png"}, kind)
    with pytest.raises(ConfigurationError, match="URL or base64"):
        await fetch(model, {"type": "image"}, kind)


@pytest.mark.proves("g4f:9:fetch-file")
@by_kind
async def test_bytes_that_came_along_are_not_fetched(kind: str) -> None:
    """Speech for one."""
    model = ChatG4F(provider=scripted(AsyncGeneratorProvider, old.AudioResponse(b"\x00speech")))
    answer = await model.ainvoke("hi")
    assert await fetch(model, answer.content_blocks[0], kind) == b"\x00speech"


@pytest.mark.proves("g4f:8:secrets")
def test_only_so_many_files_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that makes pictures all day does not grow."""
    monkeypatch.setattr(responses, "_FILES_KEPT", 3)
    urls = [f"https://a.example/{n}" for n in range(9)]
    model = ChatG4F(provider=scripted(AsyncGeneratorProvider, old.ImageResponse(urls, "", OPTIONS)))
    model.invoke("hi")
    assert list(model._access) == urls[-3:]
    odd = scripted(AsyncGeneratorProvider, old.ImageResponse("u", "", ["odd"]))  # type: ignore[arg-type]
    assert ChatG4F(provider=odd).invoke("hi").additional_kwargs["files"]
