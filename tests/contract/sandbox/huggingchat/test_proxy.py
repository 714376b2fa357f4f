"""Proxies of the environment, and servers on this machine."""

from __future__ import annotations

import os
import subprocess

import pytest

from langchain_g4f.testing import Sandbox
from tests.strict import STRICT

CALLS = """
import asyncio, sys
from langchain_g4f import ChatHuggingChat
model = ChatHuggingChat(base_url=sys.argv[1], model="sandbox/text-small")
print(model.invoke("hi").text)
print(asyncio.run(model.ainvoke("hi")).text)
"""


@pytest.mark.proves("promise:proxy")
def test_proxy_of_the_environment_is_not_used_on_loopback() -> None:
    """Where a proxy is configured, a server on this machine is still reached, sync and async."""
    nobody = "http://127.0.0.1:1"
    environment = {**os.environ, "HTTP_PROXY": nobody, "http_proxy": nobody, "ALL_PROXY": nobody}
    with Sandbox() as sandbox:
        done = subprocess.run(
            [*STRICT, "-c", CALLS, sandbox.base_url],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stderr == ""
    assert done.stdout == "Echo (sandbox/text-small, turn 1): hi\n" * 2
