"""The tree of errors."""

from __future__ import annotations

import copy
import pickle

import pytest
from langchain_core import exceptions as lc

from langchain_g4f import errors

CLASSES: list[type[errors.G4FError]] = [getattr(errors, name) for name in errors.__all__]
API_CLASSES = [kind for kind in CLASSES if issubclass(kind, errors.APIError)]

by_class = pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
by_api_class = pytest.mark.parametrize("kind", API_CLASSES, ids=lambda kind: kind.__name__)


@pytest.mark.proves("promise:error-tree")
def test_every_class_is_exported() -> None:
    """Nothing of the tree is missing from `__all__`."""
    defined = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and value.__module__ == errors.__name__
    }
    assert defined == set(errors.__all__)


@pytest.mark.proves("promise:error-tree")
@by_class
def test_class_is_named_error_and_derives_from_the_root(kind: type[errors.G4FError]) -> None:
    """One ``except G4FError`` catches everything."""
    assert kind.__name__.endswith("Error")
    assert issubclass(kind, errors.G4FError)
    assert kind.__doc__


@pytest.mark.proves("promise:error-tree")
@by_class
@pytest.mark.parametrize("duplicate", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy])  # noqa: S301
def test_error_with_all_its_fields_survives_a_pickle(
    kind: type[errors.G4FError], duplicate: object
) -> None:
    """What a worker process raised is the same error in its parent."""
    error = kind("what happened")
    names = ("provider", "phase", "partial_text", "body", "content_type")
    for name in (*names, "login_url", "stage", "title"):
        if hasattr(error, name):
            setattr(error, name, f"the {name}")
    if isinstance(error, errors.APIStatusError):
        error.retry_after = 1.5
    twin = duplicate(error)  # type: ignore[operator]
    assert type(twin) is kind
    assert (str(twin), vars(twin)) == (str(error), vars(error))


@pytest.mark.parametrize(
    ("kind", "parents"),
    [
        (errors.ConfigurationError, (ValueError,)),
        (errors.MissingDependencyError, (ImportError,)),
        (errors.UnsupportedMediaError, (errors.MediaError, ValueError)),
        (errors.MediaTooLargeError, (errors.MediaError, ValueError)),
        (errors.BlockedURLError, (errors.MediaError, ValueError)),
        (errors.APIConnectionError, (lc.ModelConnectionError,)),
        (errors.APITimeoutError, (lc.ModelTimeoutError,)),
        (errors.BadRequestError, (errors.APIStatusError, lc.ModelInvalidRequestError)),
        (errors.AuthenticationError, (errors.APIStatusError, lc.ModelAuthenticationError)),
        (errors.PermissionDeniedError, (errors.APIStatusError, lc.ModelPermissionDeniedError)),
        (errors.ChallengeError, (errors.PermissionDeniedError,)),
        (errors.NotFoundError, (errors.APIStatusError, lc.ModelInvalidRequestError)),
        (errors.ModelNotFoundError, (errors.APIStatusError, lc.ModelNotFoundError)),
        (errors.ConflictError, (errors.APIStatusError, lc.ModelInvalidRequestError)),
        (errors.RateLimitError, (errors.APIStatusError, lc.ModelRateLimitError)),
        (errors.QuotaExceededError, (errors.APIStatusError, lc.ModelRateLimitError)),
        (errors.QueueFullError, (errors.APIStatusError, lc.ModelRateLimitError)),
        (errors.SpaceNotRunningError, (errors.APIStatusError, lc.ModelAPIError)),
        (errors.ServerError, (errors.APIStatusError, lc.ModelAPIError)),
        (errors.StreamInterruptedError, (errors.StreamError, lc.ModelConnectionError)),
        (errors.MalformedStreamError, (errors.StreamError, lc.ModelAPIError)),
        (errors.ServerStreamError, (errors.StreamError, lc.ModelAPIError)),
        (errors.AppError, (errors.ServerStreamError,)),
        (errors.SessionLostError, (errors.StreamError, lc.ModelConnectionError)),
        (errors.EmptyResponseError, (errors.StreamError, lc.ModelAPIError)),
        (errors.TooLargeError, (errors.StreamError, lc.ModelAPIError)),
    ],
)
@pytest.mark.proves("promise:errors-are-langchain-errors")
def test_leaf_is_also_the_standard_class_of_its_meaning(
    kind: type[Exception], parents: tuple[type[Exception], ...]
) -> None:
    """Whoever catches LangChain's or Python's class catches ours."""
    assert all(issubclass(kind, parent) for parent in parents)


@pytest.mark.proves("promise:errors-are-langchain-errors")
@by_api_class
def test_is_retryable_says_whether_trying_again_may_help(kind: type[errors.APIError]) -> None:
    """Retry middleware goes by this flag alone."""
    worth_it = {
        "APIConnectionError",
        "APITimeoutError",
        "RateLimitError",
        "QueueFullError",
        "SpaceNotRunningError",
        "ServerError",
        "StreamInterruptedError",
        "ServerStreamError",
        "AppError",
        "SessionLostError",
        "EmptyResponseError",
    }
    assert kind("x").is_retryable is (kind.__name__ in worth_it)


@pytest.mark.proves("promise:errors-are-langchain-errors")
@by_api_class
def test_api_error_is_a_model_error(kind: type[errors.APIError]) -> None:
    """All that the service fails at is a ``ModelError``."""
    assert issubclass(kind, lc.ModelError)


@pytest.mark.proves("promise:error-without-response")
@by_class
def test_error_has_no_response(kind: type[errors.G4FError]) -> None:
    """langchain-core would copy the headers of a ``.response`` into traces."""
    assert not hasattr(kind("x"), "response")


@by_api_class
def test_api_error_without_arguments_has_empty_fields(kind: type[errors.APIError]) -> None:
    """Every argument is optional, and every field is there."""
    error = kind()
    assert (str(error), error.provider, error.phase) == ("", "", "")
    assert (error.request_id, error.partial_text) == (None, "")


def test_connection_error_keeps_what_it_is_given() -> None:
    """Whether the request may have arrived and whether to try again are per error."""
    error = errors.APIConnectionError(
        "m", request_sent=True, is_retryable=False, provider="p", phase="f"
    )
    assert (error.request_sent, error.is_retryable) == (True, False)
    assert (error.provider, error.phase) == ("p", "f")
    assert errors.APIConnectionError().is_retryable


def test_status_error_keeps_what_it_is_given() -> None:
    """Status, body and waiting time are fields, not only text."""
    error = errors.RateLimitError(
        "m",
        status_code=429,
        body="b",
        content_type="text/plain",
        retry_after=2.0,
        provider="p",
        phase="f",
        request_id="r",
    )
    assert vars(error) == {
        "status_code": 429,
        "body": "b",
        "content_type": "text/plain",
        "retry_after": 2.0,
        "provider": "p",
        "phase": "f",
        "request_id": "r",
        "partial_text": "",
    }
