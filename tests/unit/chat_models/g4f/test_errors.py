"""A provider's exceptions, by the names of their classes, and failures of the network."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from langchain_g4f import ChatG4F
from langchain_g4f import errors as ours
from tests.g4f_standins import network
from tests.g4f_standins.families import GENERATIONS, NEW, OLD, family
from tests.g4f_standins.network import LIBRARIES
from tests.g4f_standins.providers import Fail, chat
from tests.g4f_standins.responses import ProviderInfo
from tests.unit.chat_models.g4f.conftest import Ask

ROWS: list[tuple[str, str, type[ours.G4FError], int]] = [
    # their class, what it shows, ours, the status it stands for
    ("MissingAuthError", "missing-auth", ours.AuthenticationError, 401),
    ("NoValidHarFileError", "no-valid-har-file", ours.AuthenticationError, 401),
    ("PaymentRequiredError", "payment-required", ours.QuotaExceededError, 402),
    ("RateLimitError", "rate-limit", ours.RateLimitError, 429),
    ("CloudflareError", "cloudflare", ours.ChallengeError, 403),
    ("BadRequestError", "bad-request", ours.BadRequestError, 400),
    ("ResponseStatusError", "response-status", ours.ServerError, 0),
    ("ResponseError", "response", ours.ServerStreamError, 0),
    ("ModelNotFoundError", "model-not-found", ours.ModelNotFoundError, 0),
    ("ModelNotAllowedError", "model-not-found", ours.ModelNotFoundError, 0),
    ("ModelNotSupportedError", "model-not-supported", ours.ModelNotFoundError, 0),
    ("ProviderNotFoundError", "provider-configuration", ours.ConfigurationError, 0),
    ("ProviderNotWorkingError", "provider-configuration", ours.ConfigurationError, 0),
    ("StreamNotSupportedError", "stream-not-supported", ours.ConfigurationError, 0),
    ("MissingRequirementsError", "missing-requirements", ours.MissingDependencyError, 0),
    ("NestAsyncioError", "missing-requirements", ours.MissingDependencyError, 0),
    ("RetryProviderError", "retry-provider", ours.ServerStreamError, 0),
    ("RetryNoProviderError", "retry-provider", ours.ServerStreamError, 0),
    ("NoMediaResponseError", "others", ours.ServerStreamError, 0),
    ("ConversationLimitError", "others", ours.ServerStreamError, 0),
    ("VersionNotFoundError", "others", ours.ServerStreamError, 0),
    ("ProviderException", "others", ours.ServerStreamError, 0),
    ("TimeoutError", "timeout", ours.APITimeoutError, 0),
]
CASES = [
    pytest.param(
        GENERATIONS[generation][name],
        wanted,
        status,
        id=f"{name}, {generation}",
        marks=pytest.mark.proves(f"g4f:4:{proof}"),
    )
    for name, proof, wanted, status in ROWS
    for generation in GENERATIONS
    if name in GENERATIONS[generation]
]


def failing(error: BaseException, *before: Any) -> ChatG4F:
    """A model whose provider raises."""
    return chat(*before, Fail(error), name="Some", max_retries=0)


@pytest.mark.proves("g4f:4:chained")
@pytest.mark.parametrize(("kind", "wanted", "status"), CASES)
async def test_error_is_ours_with_the_original_as_its_cause(
    kind: type[Exception], wanted: type[ours.G4FError], status: int, ask: Ask
) -> None:
    """The class follows from the names along its own classes, the status from the class."""
    theirs = kind("it says why")
    with pytest.raises(wanted, match=r"^Some: .*it says why$") as caught:
        await ask(failing(theirs))
    assert type(caught.value) is wanted
    assert getattr(caught.value, "status_code", 0) == status
    assert caught.value.__cause__ is theirs


def with_status(status: int, *, response: bool = False) -> Exception:
    """An error with a status, as aiohttp has it, or with a response, as requests and httpx do."""
    error: Any = type("HTTPError", (Exception,), {})("x")
    if response:
        error.response = SimpleNamespace(status_code=status)
    else:
        error.status = status
    return cast("Exception", error)


@pytest.mark.proves("g4f:4:others", "g4f:4:chained")
@pytest.mark.parametrize(
    ("theirs", "wanted", "said"),
    [
        (ValueError("odd"), ours.ServerStreamError, "Some: ValueError: odd"),
        (KeyError(), ours.ServerStreamError, "Some: KeyError: KeyError"),
        (TimeoutError("slow"), ours.APITimeoutError, "Some: slow"),
        (ConnectionResetError("gone"), ours.APIConnectionError, "Some: gone"),
        (with_status(429), ours.RateLimitError, "Some: x"),
        (with_status(401, response=True), ours.AuthenticationError, "Some: x"),
        (ImportError("no nodriver"), ours.MissingDependencyError, "Some: no nodriver"),
        (type("MyRate", (NEW["RateLimitError"],), {})("x"), ours.RateLimitError, "Some: x"),
        (type("ReadTimeoutError", (Exception,), {})("x"), ours.APITimeoutError, "Some: x"),
        (ours.QueueFullError("full", status_code=503), ours.QueueFullError, "full"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else "",
)
async def test_error_of_any_kind_is_ours(
    theirs: Exception, wanted: type[ours.G4FError], said: str, ask: Ask
) -> None:
    """Built-in ones too; one of ours stays as it is."""
    with pytest.raises(wanted) as caught:
        await ask(failing(theirs))
    assert str(caught.value) == said


@pytest.mark.proves("g4f:4:raise-for-status", "g4f:4:response-status", "g4f:4:error-status")
@pytest.mark.parametrize(
    ("said", "wanted", "status"),
    [
        ("Response 400: no", ours.BadRequestError, 400),
        ("Response 401: no", ours.AuthenticationError, 401),
        ("Response 402: no", ours.QuotaExceededError, 402),
        ("Response 403: no", ours.PermissionDeniedError, 403),
        ("Response 404: no", ours.NotFoundError, 404),
        ("Response 429: no", ours.RateLimitError, 429),
        ("Response 502: Bad Gateway", ours.ServerError, 502),
        ("Error 503: no", ours.ServerError, 503),
        ("no status 5xx in here", ours.ServerError, 0),
    ],
)
@pytest.mark.parametrize("generation", GENERATIONS)
async def test_status_is_read_from_the_words_of_the_error(
    generation: str, said: str, wanted: type[ours.APIStatusError], status: int
) -> None:
    """There is no attribute for it."""
    theirs = GENERATIONS[generation]["ResponseStatusError"](said)
    with pytest.raises(ours.APIStatusError) as caught:
        await failing(theirs).ainvoke("hi")
    assert (type(caught.value), caught.value.status_code) == (wanted, status)


FAILED = {"error": {"code": "c", "message": "why", "failed_generation": "<f>"}}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(given, said, marks=pytest.mark.proves(f"g4f:4:{proof}"))
        for proof, given, said in (
            ("error-message", {"error_message": "why", "error": "x"}, "why"),
            ("error-text", {"error": "why"}, "why"),
            ("error-bool", {"error": True, "id": 1}, "{'error': True, 'id': 1}"),
            ("error-bool", {"error": False}, None),
            ("error-code", {"error": {"code": 7, "message": "why"}}, "Error 7: why"),
            ("error-code", {"error": {"code": 7}}, "Error 7: (no message)"),
            ("error-code", FAILED, "Error c: why\n<f>"),
            ("error-object-message", {"error": {"code": 0, "message": "why"}}, "why"),
            ("error-object", {"error": {"why": 1}}, "{'why': 1}"),
            ("error-object", {"error": ["why"]}, "['why']"),
            ("no-error", {"error": None}, None),
            ("no-error", {"error": {}}, None),
            ("no-error", {"id": 1}, None),
        )
    ],
)
async def test_object_that_reports_an_error_is_one(given: Any, said: str | None, ask: Ask) -> None:
    """Yielded in place of an answer; one that reports none is left out."""
    model = chat(given, "a", name="Some")
    if said is None:
        with pytest.warns(UserWarning, match="Some yields a dict, which is not known"):
            assert (await ask(model)).text == "a"
        return
    with pytest.raises(ours.ServerStreamError) as caught:
        await ask(model)
    assert str(caught.value) == f"Some: {said}"


@pytest.mark.proves("g4f:5:exception", "g4f:4:retry-provider")
async def test_error_of_a_candidate_is_the_context_of_a_later_failure(ask: Ask) -> None:
    """It is no error of the answer where another candidate gave one."""
    first = OLD["ResponseError"]("first")
    assert (await ask(chat(first, ProviderInfo(name="B", model="b"), "a"))).text == "a"
    last = OLD["RetryProviderError"]("all failed")
    for script, cause in (((first, Fail(last)), last), ((first,), first)):
        with pytest.raises(ours.ServerStreamError) as caught:
            await ask(chat(*script))
        assert caught.value.__cause__ is cause is not None
        assert cause.__cause__ is (first if cause is last else None)


# -- without a network: real libraries on loopback -------------------------------------------------

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 100\r\n\r\n"
of_the_network = pytest.mark.proves("fault:69:G4")


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


def asking(library: Any, url: str, **settings: Any) -> ChatG4F:
    """A model whose provider asks there, and is given a key."""
    provider = type(library.__name__, (library,), {"url": url})
    return ChatG4F(provider=provider, api_key=network.KEY, **settings)


@of_the_network
@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    ("reply", "wanted"),
    [
        (None, ours.APIConnectionError),
        (b"", ours.APIConnectionError),
        (HEAD + b"Ray\n", ours.StreamInterruptedError),
    ],
    ids=["no server", "no answer", "cut off"],
)
async def test_connection_that_fails_is_known_in_every_library(
    reply: bytes | None, wanted: type[ours.APIError], library: Any
) -> None:
    """The service is not asked again, as it may have heard the question; the text is kept."""
    streams = library is network.Streams  # it has to begin to read an answer
    with server(reply) as url:
        model = asking(library, url)
        with pytest.raises(ours.APIError, match=f"^{library.__name__}: .") as caught:
            await model.ainvoke("hi")
    cut = reply is not None and streams
    assert type(caught.value) is (ours.StreamInterruptedError if cut else wanted)
    assert model.wrapped.asked == 1
    assert caught.value.partial_text == ("Ray\n" if reply and not streams else "")


AIOHTTP = family(
    "ClientError",
    {
        "ClientPayloadError": "ClientError",
        "ClientConnectionError": "ClientError",
        "ClientConnectorDNSError": "ClientConnectionError",
        "ServerDisconnectedError": "ClientConnectionError",
        "ServerTimeoutError": "ClientConnectionError",
        "InvalidURL": "ClientError",
    },
)
CURL: Any = family("CurlError", {"RequestException": "CurlError"})
CONNECTION, CUT, TIMEOUT, OTHER = (
    ours.APIConnectionError,
    ours.StreamInterruptedError,
    ours.APITimeoutError,
    ours.ServerStreamError,
)


def behind(error: Exception, *, hidden: bool = False) -> Exception:
    """An error that was raised while another one was handled, or ``from None`` then."""
    found: Exception = NEW["ResponseError"]("no luck")
    found.__context__, found.__suppress_context__ = error, hidden
    return found


def curl_error(code: int) -> Exception:
    """An error of libcurl's, with its number."""
    error: Exception = CURL["RequestException"]("x")
    error.code = code  # type: ignore[attr-defined]
    return error


@of_the_network
@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize(
    ("theirs", "wanted"),
    [
        (AIOHTTP["ClientConnectorDNSError"]("x"), CONNECTION),
        (AIOHTTP["ServerDisconnectedError"]("x"), CONNECTION),
        (AIOHTTP["ClientPayloadError"]("x"), CUT),
        (AIOHTTP["ServerTimeoutError"]("x"), TIMEOUT),
        (AIOHTTP["InvalidURL"]("x"), OTHER),
        (ConnectionRefusedError("x"), CONNECTION),
        (BrokenPipeError("x"), CONNECTION),
        (socket.gaierror("x"), CONNECTION),
        (ssl.SSLCertVerificationError("x"), CONNECTION),
        (OSError(101, "Network is unreachable"), CONNECTION),
        (OSError("x"), OTHER),
        (FileNotFoundError("x"), OTHER),
        (asyncio.IncompleteReadError(b"", 1), CUT),
        (curl_error(92), CONNECTION),
        (curl_error(23), OTHER),
        (behind(ConnectionResetError("x")), CONNECTION),
        (behind(ConnectionResetError("x"), hidden=True), CONNECTION),
        (behind(TimeoutError("x")), TIMEOUT),
        (behind(KeyError("x")), OTHER),
        (ExceptionGroup("x", [KeyError(), ConnectionResetError()]), CONNECTION),
        (NEW["RateLimitError"]("x"), ours.RateLimitError),
    ],
    ids=repr,
)
async def test_failure_of_the_network_is_known_by_names(
    theirs: Exception, wanted: type[Exception], begun: bool, ask: Ask
) -> None:
    """Wherever it stands in what a provider's exception came from."""
    model = failing(theirs, *["Ray"] * begun)
    with pytest.raises(ours.APIError) as caught:
        await ask(model)
    assert type(caught.value) is (CUT if begun and wanted is CONNECTION else wanted)
    assert caught.value.partial_text == "Ray" * begun


@of_the_network
async def test_error_that_the_caller_handles_is_no_cause(ask: Ask) -> None:
    """A call that is made because another one failed has failures of its own."""
    try:
        raise ConnectionResetError("the first choice")  # noqa: TRY301 -- that is the case
    except ConnectionResetError:
        with pytest.raises(ours.ServerStreamError, match="ValueError: odd"):
            await ask(failing(ValueError("odd")))
