"""Files that a message only names: whether they are fetched, and from where."""

from __future__ import annotations

import pytest
from langchain_core.messages import HumanMessage

from langchain_g4f import ChatG4F
from langchain_g4f.errors import UnsupportedMediaError
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.g4f_standins.providers_new import AsyncGeneratorProvider, Thorough, scripted
from tests.unit.chat_models.ways import WAYS, ask

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


def picture(exchange: Exchange) -> None:
    """Answer with a picture."""
    exchange.respond(200, PNG)


def naming(server: ByteServer) -> HumanMessage:
    """A message that names the picture of a server."""
    return HumanMessage(["?", {"type": "image", "url": f"{server.url}/x.png"}])


@pytest.mark.proves("g4f:6:to-bytes")
@pytest.mark.parametrize("way", WAYS)
async def test_file_of_a_trusted_host_is_fetched(way: str) -> None:
    """Though its address is private: the caller says that it may be."""
    provider = scripted(Thorough, "a")
    with ByteServer(picture) as server:
        model = ChatG4F(provider=provider, trusted_media_hosts=["127.0.0.1"])
        await ask(model, way, [naming(server)])
    assert provider.calls[0].given["media"] == [(PNG, "x.png")]


@pytest.mark.proves("g4f:6:merge-media")
@pytest.mark.parametrize("way", WAYS)
async def test_file_for_a_provider_that_takes_none_is_not_fetched(way: str) -> None:
    """The error comes before a byte is sent, to anybody."""
    provider = scripted(AsyncGeneratorProvider, "a", name="Blind")
    with ByteServer(picture) as server:
        model = ChatG4F(provider=provider, trusted_media_hosts=["127.0.0.1"])
        with pytest.raises(UnsupportedMediaError, match="Blind takes no images"):
            await ask(model, way, [naming(server)])
        assert server.requests == []
    assert provider.calls == []
