"""Errors of providers, by the names of their classes."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f import ChatG4F
from langchain_g4f import errors as ours
from tests.g4f_standins import errors
from tests.g4f_standins.errors import GENERATIONS, NEW, OLD
from tests.g4f_standins.providers_new import AsyncGeneratorProvider, AsyncProvider, scripted
from tests.g4f_standins.providers_old import AbstractProvider
from tests.g4f_standins.responses_old import ProviderInfo
from tests.g4f_standins.script import Fail
from tests.unit_tests.chat_models.ways import WAYS, ask

ROWS: list[tuple[str, str, type[ours.G4FError]]] = [
    ("MissingAuthError", "missing-auth", ours.AuthenticationError),
    ("NoValidHarFileError", "no-valid-har-file", ours.AuthenticationError),
    ("PaymentRequiredError", "payment-required", ours.QuotaExceededError),
    ("RateLimitError", "rate-limit", ours.RateLimitError),
    ("CloudflareError", "cloudflare", ours.ChallengeError),
    ("BadRequestError", "bad-request", ours.BadRequestError),
    ("ResponseStatusError", "response-status", ours.ServerError),
    ("ResponseError", "response", ours.ServerStreamError),
    ("ModelNotFoundError", "model-not-found", ours.ModelNotFoundError),
    ("ModelNotAllowedError", "model-not-found", ours.ModelNotFoundError),
    ("ModelNotSupportedError", "model-not-supported", ours.ModelNotFoundError),
    ("ProviderNotFoundError", "provider-configuration", ours.ConfigurationError),
    ("ProviderNotWorkingError", "provider-configuration", ours.ConfigurationError),
    ("StreamNotSupportedError", "stream-not-supported", ours.ConfigurationError),
    ("MissingRequirementsError", "missing-requirements", ours.MissingDependencyError),
    ("NestAsyncioError", "missing-requirements", ours.MissingDependencyError),
    ("RetryProviderError", "retry-provider", ours.ServerStreamError),
    ("RetryNoProviderError", "retry-provider", ours.ServerStreamError),
    ("NoMediaResponseError", "others", ours.ServerStreamError),
    ("ConversationLimitError", "others", ours.ServerStreamError),
    ("VersionNotFoundError", "others", ours.ServerStreamError),
    ("ProviderException", "others", ours.ServerStreamError),
    ("TimeoutError", "timeout", ours.APITimeoutError),
]
CASES = [
    pytest.param(
        GENERATIONS[generation][name],
        wanted,
        id=f"{name}, {generation}",
        marks=pytest.mark.proves(f"g4f:4:{proof}"),
    )
    for name, proof, wanted in ROWS
    for generation in GENERATIONS
    if name in GENERATIONS[generation]
]
KINDS = (AsyncGeneratorProvider, AsyncProvider, AbstractProvider)


def failing(error: BaseException, base: Any = AsyncGeneratorProvider, *before: Any) -> ChatG4F:
    """A model whose provider raises."""
    return ChatG4F(provider=scripted(base, *before, Fail(error), name="Some"), max_retries=0)


@pytest.mark.proves("g4f:4:chained")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("kind", "wanted"), CASES)
async def test_error_is_ours_with_the_original_as_its_cause(
    kind: type[Exception], wanted: type[ours.G4FError], way: str
) -> None:
    """The class follows from the names along its own classes."""
    theirs = kind("it says why")
    with pytest.raises(wanted, match=r"^Some: .*it says why$") as caught:
        await ask(failing(theirs), way, "hi")
    assert type(caught.value) is wanted
    assert caught.value.__cause__ is theirs


@pytest.mark.proves("g4f:4:others", "g4f:4:chained")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("base", KINDS)
@pytest.mark.parametrize(
    ("theirs", "wanted", "said"),
    [
        (ValueError("odd"), ours.ServerStreamError, "Some: ValueError: odd"),
        (KeyError(), ours.ServerStreamError, "Some: KeyError: KeyError"),
        (TimeoutError("slow"), ours.APITimeoutError, "Some: slow"),
        (ConnectionResetError("gone"), ours.APIConnectionError, "Some: gone"),
        (ImportError("no nodriver"), ours.MissingDependencyError, "Some: no nodriver"),
        (type("MyRate", (NEW["RateLimitError"],), {})("x"), ours.RateLimitError, "Some: x"),
        (type("ReadTimeoutError", (Exception,), {})("x"), ours.APITimeoutError, "Some: x"),
        (ours.QueueFullError("full", status_code=503), ours.QueueFullError, "full"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else "",
)
async def test_error_of_any_kind_of_provider_is_ours(
    theirs: Exception, wanted: type[ours.G4FError], said: str, base: Any, way: str
) -> None:
    """Built-in ones too; one of ours stays as it is."""
    with pytest.raises(wanted) as caught:
        await ask(failing(theirs, base), way, "hi")
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


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("MissingAuthError", 401),
        ("PaymentRequiredError", 402),
        ("RateLimitError", 429),
        ("CloudflareError", 403),
        ("BadRequestError", 400),
    ],
)
def test_error_has_the_status_it_stands_for(name: str, status: int) -> None:
    """Where its class says so."""
    with pytest.raises(ours.APIStatusError) as caught:
        failing(NEW[name]("no")).invoke("hi")
    assert caught.value.status_code == status


@pytest.mark.parametrize("way", WAYS)
async def test_error_after_text_has_the_text(way: str) -> None:
    """What was given is not lost with the call, and nothing is tried again."""
    provider = scripted(AsyncGeneratorProvider, "a", "b", Fail(OLD["ResponseError"]("broke")))
    with pytest.raises(ours.ServerStreamError) as caught:
        await ask(ChatG4F(provider=provider), way, "hi")
    assert caught.value.partial_text == "ab"
    assert len(provider.calls) == 1


def body(name: str, proof: str, given: Any, said: str | None) -> Any:
    """A row of the table of objects that report an error."""
    return pytest.param(given, said, id=name, marks=pytest.mark.proves(f"g4f:4:{proof}"))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("given", "said"),
    [
        body("message", "error-message", {"error_message": "why", "error": "x"}, "why"),
        body("text", "error-text", {"error": "why"}, "why"),
        body("true", "error-bool", {"error": True, "id": 1}, "{'error': True, 'id': 1}"),
        body("false", "error-bool", {"error": False}, None),
        body("code", "error-code", {"error": {"code": 7, "message": "why"}}, "Error 7: why"),
        body("code alone", "error-code", {"error": {"code": 7}}, "Error 7: (no message)"),
        body(
            "failed generation",
            "error-code",
            {"error": {"code": "c", "message": "why", "failed_generation": "<f>"}},
            "Error c: why\n<f>",
        ),
        body("no code", "error-object-message", {"error": {"code": 0, "message": "why"}}, "why"),
        body("other", "error-object", {"error": {"why": 1}}, "{'why': 1}"),
        body("list", "error-object", {"error": ["why"]}, "['why']"),
        body("null", "no-error", {"error": None}, None),
        body("empty", "no-error", {"error": {}}, None),
        body("none", "no-error", {"id": 1}, None),
    ],
)
async def test_object_that_reports_an_error_is_one(given: Any, said: str | None, way: str) -> None:
    """Yielded in place of an answer; one that reports none is left out."""
    model = ChatG4F(provider=scripted(AsyncGeneratorProvider, given, "a", name="Some"))
    if said is None:
        with pytest.warns(UserWarning, match="Some yields a dict, which is not known"):
            assert (await ask(model, way, "hi")).text == "a"
        return
    with pytest.raises(ours.ServerStreamError) as caught:
        await ask(model, way, "hi")
    assert str(caught.value) == f"Some: {said}"


@pytest.mark.proves("g4f:5:exception", "g4f:4:retry-provider")
@pytest.mark.parametrize("way", WAYS)
async def test_error_of_a_candidate_is_the_context_of_a_later_failure(way: str) -> None:
    """It is no error of the answer where another candidate gave one."""
    first = errors.OLD["ResponseError"]("first")
    fine = scripted(AsyncGeneratorProvider, first, ProviderInfo(name="B", model="b"), "a")
    assert (await ask(ChatG4F(provider=fine), way, "hi")).text == "a"
    last = errors.OLD["RetryProviderError"]("all failed")
    for script, cause in (((first, Fail(last)), last), ((first,), first)):
        model = ChatG4F(provider=scripted(AsyncGeneratorProvider, *script))
        with pytest.raises(ours.ServerStreamError) as caught:
            await ask(model, way, "hi")
        assert caught.value.__cause__ is cause
        assert cause is not None
        assert cause.__cause__ is (first if cause is last else None)
