"""How cassettes are recorded: vcrpy with a filter that lets pass what is known to be harmless.

Headers are an allow-list, for the next service names its credential as it likes. In addresses and
bodies, which the replay needs, values that are known to be secret are masked.
"""

from __future__ import annotations

from typing import Any

from langchain_tests.conftest import base_vcr_config

from langchain_g4f.core.redact import MASK, redact_url

KEPT_OF_REQUESTS = frozenset({"accept", "content-type", "host", "last-event-id", "origin"})
KEPT_OF_RESPONSES = frozenset({"content-type", "location", "retry-after"})


def recording_config(*secrets: str) -> dict[str, Any]:
    """The configuration of `vcr.VCR` with which recordings for this repository are made."""

    def mask(value: Any) -> Any:
        for secret in secrets:
            if isinstance(value, bytes):
                value = value.replace(secret.encode(), MASK.encode())
            elif isinstance(value, str):
                value = value.replace(secret, MASK)
        return value

    def filter_request(request: Any) -> Any:
        request.headers = _kept(dict(request.headers), KEPT_OF_REQUESTS)
        request.uri, request.body = mask(request.uri), mask(request.body)
        return request

    def filter_response(response: dict[str, Any]) -> dict[str, Any]:
        headers = _kept(response["headers"], KEPT_OF_RESPONSES)
        for name in headers:
            if name.lower() == "location":
                headers[name] = [redact_url(value) for value in headers[name]]
        body = {**response["body"], "string": mask(response["body"]["string"])}
        return {**response, "headers": headers, "body": body}

    return base_vcr_config() | {
        "before_record_request": filter_request,
        "before_record_response": filter_response,
        "match_on": ["method", "uri"],
        "allow_playback_repeats": False,
    }


def _kept(headers: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in headers.items() if name.lower() in names}
