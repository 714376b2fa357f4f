"""A plain caller of the FlowGPT sandbox, who signs as the document says."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

import httpx

from langchain_g4f.testing import FlowGptSandbox

NOW_S = 1713341603.0
"""What these tests take for the time."""

BODY: dict[str, Any] = {
    "model": "gpt-3.5-turbo",
    "nsfw": False,
    "question": "hi",
    "history": [],
    "system": "",
    "temperature": 0.7,
    "promptId": "model-gpt-3.5-turbo",
    "documentIds": [],
    "generateImage": False,
    "generateAudio": False,
}


def signed(
    authorization: str = "Bearer null", *, at_s: float = NOW_S, nonce: str = "", **more: str
) -> dict[str, str]:
    """The headers of a request."""
    timestamp, nonce = str(int(at_s)), nonce or uuid.uuid4().hex
    text = f"{timestamp}-{nonce}-{authorization}"
    return {
        "authorization": authorization,
        "x-flow-device-id": "f-abcdefghij012345678",
        "x-timestamp": timestamp,
        "x-nonce": nonce,
        "x-signature": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


def post(
    sandbox: FlowGptSandbox,
    question: str = "hi",
    *,
    path: str = "/v3/chat-anonymous",
    headers: dict[str, str] | None = None,
    **fields: Any,
) -> httpx.Response:
    """Ask, and read the whole answer."""
    with client(sandbox) as http:
        body = BODY | {"question": question} | fields
        return http.post(path, json=body, headers=signed() if headers is None else headers)


def client(sandbox: FlowGptSandbox) -> httpx.Client:
    """A client without the environment's proxies."""
    return httpx.Client(
        base_url=sandbox.base_url,
        timeout=10,
        trust_env=False,
        verify=False,  # noqa: S501 -- there is no TLS here, and its set-up is slow
    )


def events(response: httpx.Response) -> list[tuple[str, str]]:
    """Kind and data of each event of an answer."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/plain"
    found = [json.loads(line) for line in response.text.split("\n\n") if line]
    return [(event["event"], event["data"]) for event in found]


def refusal(response: httpx.Response) -> tuple[int, str, str]:
    """Status, error and message of a refusal."""
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert list(body) == ["statusCode", "error", "message"]
    assert body["statusCode"] == response.status_code
    return response.status_code, body["error"], body["message"]
