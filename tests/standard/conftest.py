"""One sandbox for the standard suites, and how their cassettes are written and matched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from langchain_tests.conftest import base_vcr_config
from vcr.request import Request  # type: ignore[import-untyped]

from langchain_g4f.testing import Sandbox

CASSETTES = Path(__file__).parents[2] / "cassettes" / "standard"

# What differs from run to run, and what stands for it in a cassette: of the same length, so that a
# recorded request stays a whole one.
_VARIES = (
    (re.compile(r"(?<=127\.0\.0\.1):\d+"), ":17860"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), f"{UUID(int=0)}"),
    (re.compile(r"(?<=--|y=)[0-9a-f]{32}"), "0" * 32),  # a boundary, in the body and its header
)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A chat-ui server that echoes."""
    with Sandbox(split="random") as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def vcr_cassette_dir() -> str:
    """Where all cassettes are."""
    return str(CASSETTES)


@pytest.fixture(scope="session")
def vcr_config() -> dict[str, Any]:
    """The suites' own settings; to record again, run with `--record-mode=rewrite`."""
    config = base_vcr_config()
    # These two would be stronger than the fixture above and the command line.
    del config["cassette_library_dir"], config["record_mode"]
    config["filter_headers"] += [("cookie", None)]
    config["before_record_request"] = _settle_request
    config["before_record_response"] = _without_identity
    return config


def _settle_request(request: Request) -> Request:
    """Put fixed values where each run has its own: port, ids and boundary."""
    request.uri = _settle(request.uri)
    request.headers = {name: _settle(value) for name, value in request.headers.items()}
    if isinstance(request.body, bytes):
        request.body = _settle(request.body.decode()).encode()
    return request


def _settle(text: str) -> str:
    for varying, fixed in _VARIES:
        text = varying.sub(fixed, text)
    return text


def _without_identity(response: dict[str, Any]) -> dict[str, Any]:
    """Leave out the cookies that the server sets, and the time."""
    dropped = {"set-cookie", "date"}
    kept = {n: v for n, v in response["headers"].items() if n.lower() not in dropped}
    return {**response, "headers": kept}
