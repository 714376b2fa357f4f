"""A provider without a network, and one whose answer is cut off: real libraries on loopback."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from langchain_g4f import ChatG4F
from langchain_g4f import errors as ours
from langchain_g4f.transport import retry
from tests.g4f_standins import network
from tests.g4f_standins.errors import NEW, family
from tests.g4f_standins.network import LIBRARIES
from tests.g4f_standins.providers_new import AsyncGeneratorProvider, scripted
from tests.g4f_standins.script import Fail
from tests.unit.chat_models.ways import WAYS, ask


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_FIRST_S", 0.002)


pytestmark = pytest.mark.proves("fault:69:G4")

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 100\r\n\r\n"


@contextmanager
def server(reply: bytes | None) -> Iterator[str]:
    """The address of a server that sends this and hangs up; of none, without a reply."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        if reply is None:
            listening.close()
            yield address
            return

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:  # it is over
                    return
                with connection:
                    while b"}]" not in connection.recv(65536):
                        pass  # all of the question, or hanging up would be a reset
                    connection.sendall(reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield address
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def asking(library: Any, url: str) -> ChatG4F:
    """A model whose provider asks there, and is given a key."""
    return ChatG4F(provider=type(library.__name__, (library,), {"url": url}), api_key=network.KEY)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("reply", [None, b""], ids=["no server", "no answer"])
async def test_provider_without_a_connection(reply: bytes | None, library: Any, way: str) -> None:
    """The service cannot be reached, and is not asked again: it may have heard the question."""
    with server(reply) as url:
        model = asking(library, url)
        with pytest.raises(ours.APIError, match=f"^{library.__name__}: .") as caught:
            await ask(model, way, "hi")
    if library is network.Streams and reply == b"":  # what it read ended in its midst
        assert type(caught.value) is ours.StreamInterruptedError
    else:
        assert type(caught.value) is ours.APIConnectionError
    assert model.wrapped.asked == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("library", LIBRARIES)
async def test_answer_that_is_cut_off(library: Any, way: str) -> None:
    """What came before is kept."""
    with server(HEAD + b"Ray\n") as url, pytest.raises(ours.StreamInterruptedError) as caught:
        await ask(asking(library, url), way, "hi")
    assert caught.value.partial_text == ("" if library is network.Streams else "Ray\n")


@pytest.mark.proves("g4f:4:others")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("library", [network.Requests, network.Httpx, network.Curl, network.Status])
@pytest.mark.parametrize(
    ("status", "wanted"), [(401, ours.AuthenticationError), (429, ours.RateLimitError)]
)
async def test_status_that_a_library_raises_is_known(
    status: int, wanted: type[ours.APIStatusError], library: Any, way: str
) -> None:
    """What most providers do with a refusal; one that may pass is asked for again."""
    reply = f"HTTP/1.1 {status} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    with server(reply.encode()) as url:
        model = asking(library, url).model_copy(update={"max_retries": 1})
        with pytest.raises(wanted) as caught:
            await ask(model, way, "hi")
    assert caught.value.status_code == status
    assert model.wrapped.asked == (2 if status == 429 else 1)


AIOHTTP = family(
    "ClientError",
    {
        "ClientPayloadError": "ClientError",
        "ClientConnectionError": "ClientError",
        "ClientConnectorError": "ClientConnectionError",
        "ClientConnectorDNSError": "ClientConnectorError",
        "ServerDisconnectedError": "ClientConnectionError",
        "ServerTimeoutError": "ClientConnectionError",
        "InvalidURL": "ClientError",
    },
)
CURL = family("CurlError", {"RequestException": "CurlError"})
CONNECTION, CUT, TIMEOUT = (
    ours.APIConnectionError,
    ours.StreamInterruptedError,
    ours.APITimeoutError,
)


def behind(error: Exception, *, hidden: bool = False) -> Exception:
    """An error that was raised while another one was handled, or ``from None`` then."""
    found: Exception = NEW["ResponseError"]("no luck")
    found.__context__, found.__suppress_context__ = error, hidden
    return found


def with_code(error: Any, code: int) -> Any:
    """An error of libcurl's, with its number."""
    error.code = code
    return error


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize(
    ("theirs", "wanted"),
    [
        (AIOHTTP["ClientConnectorDNSError"]("x"), CONNECTION),
        (AIOHTTP["ServerDisconnectedError"]("x"), CONNECTION),
        (AIOHTTP["ClientPayloadError"]("x"), CUT),
        (AIOHTTP["ServerTimeoutError"]("x"), ours.APITimeoutError),
        (AIOHTTP["InvalidURL"]("x"), ours.ServerStreamError),
        (ConnectionRefusedError("x"), CONNECTION),
        (BrokenPipeError("x"), CONNECTION),
        (socket.gaierror("x"), CONNECTION),
        (ssl.SSLCertVerificationError("x"), CONNECTION),
        (OSError(101, "Network is unreachable"), CONNECTION),
        (OSError("x"), ours.ServerStreamError),
        (FileNotFoundError("x"), ours.ServerStreamError),
        (asyncio.IncompleteReadError(b"", 1), CUT),
        (with_code(CURL["RequestException"]("x"), 92), CONNECTION),
        (with_code(CURL["RequestException"]("x"), 23), ours.ServerStreamError),
        (behind(ConnectionResetError("x")), CONNECTION),
        (behind(ConnectionResetError("x"), hidden=True), CONNECTION),
        (behind(TimeoutError("x")), ours.APITimeoutError),
        (behind(KeyError("x")), ours.ServerStreamError),
        (ExceptionGroup("x", [KeyError(), ConnectionResetError()]), CONNECTION),
        (NEW["RateLimitError"]("x"), ours.RateLimitError),
    ],
    ids=repr,
)
async def test_failure_of_the_network_is_known_by_names(
    theirs: Exception, wanted: type[Exception], begun: bool, way: str
) -> None:
    """Wherever it stands in what a provider's exception came from."""
    provider = scripted(AsyncGeneratorProvider, *["Ray"] * begun, Fail(theirs))
    with pytest.raises(ours.APIError) as caught:
        await ask(ChatG4F(provider=provider, max_retries=0), way, "hi")
    assert type(caught.value) is (CUT if begun and wanted is CONNECTION else wanted)
    assert caught.value.partial_text == "Ray" * begun


@pytest.mark.parametrize("way", WAYS)
async def test_error_that_the_caller_handles_is_no_cause(way: str) -> None:
    """A call that is made because another one failed has failures of its own."""
    model = ChatG4F(provider=scripted(AsyncGeneratorProvider, Fail(ValueError("odd"))))
    try:
        raise ConnectionResetError("the first choice")  # noqa: TRY301 -- that is the case
    except ConnectionResetError:
        with pytest.raises(ours.ServerStreamError, match="ValueError: odd"):
            await ask(model, way, "hi")
