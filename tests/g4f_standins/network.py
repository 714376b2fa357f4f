"""Provider classes that ask a server over HTTP, each with a library of its own."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import curl_cffi
import httpx
import requests

KEY = "canary-4711-of-a-key"
TIMEOUT_S = 5.0


class Asking:
    """Where the server is, and what it is told."""

    url = ""
    headers = {"Authorization": f"Bearer {KEY}"}  # noqa: RUF012 -- a constant
    asked = 0

    @classmethod
    def body(cls, messages: list[dict[str, Any]]) -> bytes:
        cls.asked += 1
        return json.dumps(messages).encode()


class Urllib(Asking):
    @classmethod
    def create_completion(cls, model: str, messages: Any, stream: bool, **_: Any) -> Iterator[str]:
        request = urllib.request.Request(cls.url, cls.body(messages), cls.headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310
            yield response.readline().decode()
            yield response.read().decode()


class Requests(Asking):
    @classmethod
    def create_completion(cls, model: str, messages: Any, stream: bool, **_: Any) -> Iterator[str]:
        data = cls.body(messages)
        with requests.post(
            cls.url, data=data, headers=cls.headers, stream=True, timeout=TIMEOUT_S
        ) as response:
            response.raise_for_status()
            for data in response.iter_content(4):
                yield data.decode()


class Httpx(Asking):
    @classmethod
    async def create_async_generator(cls, model: str, messages: Any, **_: Any) -> Any:
        async with (
            httpx.AsyncClient(timeout=TIMEOUT_S) as client,
            client.stream(
                "POST", cls.url, content=cls.body(messages), headers=cls.headers
            ) as response,
        ):
            response.raise_for_status()
            async for text in response.aiter_text():
                yield text


class Curl(Asking):
    @classmethod
    async def create_async_generator(cls, model: str, messages: Any, **_: Any) -> Any:
        async with curl_cffi.AsyncSession[Any](timeout=TIMEOUT_S) as client:
            response = await client.post(
                cls.url, data=cls.body(messages), headers=cls.headers, stream=True
            )
            try:
                response.raise_for_status()
                async for data in response.aiter_content():
                    yield data.decode()
            finally:
                await response.aclose()


class Streams(Asking):
    """Reads what asyncio gives, and has an error of its own for all that goes wrong."""

    @classmethod
    async def create_async(cls, model: str, messages: Any, **_: Any) -> str:
        address = httpx.URL(cls.url)
        body = cls.body(messages)
        head = f"POST / HTTP/1.1\r\nhost: {address.host}\r\ncontent-length: {len(body)}\r\n\r\n"
        try:
            reader, writer = await asyncio.open_connection(address.host, address.port)
            try:
                writer.write(head.encode() + body)
                await reader.readuntil(b"\r\n\r\n")
                return (await reader.readexactly(100)).decode()
            finally:
                writer.close()
        except (OSError, EOFError) as error:
            raise RuntimeError("the service did not answer") from error


LIBRARIES = (Urllib, Requests, Httpx, Curl, Streams)
