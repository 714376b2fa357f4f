"""Images that a message only names: where a call looks for them, and what it takes for one."""
# Over 400 lines: the rows share one image host, one resolver and what watches connections.

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_g4f.core.limits import MIB, Clocks
from langchain_g4f.errors import (
    APIConnectionError,
    APITimeoutError,
    BlockedURLError,
    MediaTooLargeError,
    UnsupportedMediaError,
)
from langchain_g4f.media import download as module
from langchain_g4f.transport import client
from tests.contract.faults.byte_server import Action, ByteServer, Exchange, routes
from tests.contract.faults.downloads import HERE, PNG, Resolver, give, to
from tests.contract.faults.harness import ask, by_case, by_turns, eventually, fail
from tests.contract.faults.multipart import Uploaded
from tests.contract.faults.registry import CANARY, Provider, fault

Connected = list[tuple[str, int]]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """The names of this test."""
    return Resolver(monkeypatch)


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Connected:
    """Every address that anything tries to connect to, in order."""
    found: Connected = []
    real = socket.socket.connect

    def connect(sock: socket.socket, address: Any) -> None:
        found.append(address[:2])
        real(sock, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    return found


@pytest.fixture
def only_here_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if 127.0.0.1 were on the internet, and nothing else."""
    monkeypatch.setattr(module, "is_public", lambda address: address == "127.0.0.1")


def assert_nothing_told(
    provider: Provider,
    server: ByteServer,
    connected: Sequence[tuple[str, int]] = (),
    port: int = 0,
) -> None:
    """The service was told nothing, and nobody else connected to but this port."""
    assert provider.asked(server) in {(), provider.before_image}
    own = ("127.0.0.1", server.port)
    assert {address for address in connected if address != own} <= {("127.0.0.1", port)}


def about(url: str) -> list[HumanMessage]:
    """Ask about the image at an address."""
    block = {"type": "image_url", "image_url": {"url": url}}
    return [HumanMessage([{"type": "text", "text": "What is this?"}, block])]


def seeing(provider: Provider) -> ByteServer:
    """Make a good server whose model takes images."""
    return provider.server(**provider.image_parts)


def model_of(
    provider: Provider, server: ByteServer, trusted: tuple[str, ...] = HERE, **settings: Any
) -> Any:
    """Make a model that takes images, and may fetch them from these hosts."""
    settings = {**provider.image_settings, **settings}
    return provider.model(server, trusted_media_hosts=trusted, **settings)


def cat(data: bytes) -> list[Uploaded]:
    """What the service should have got: these bytes, as an image of a cat."""
    return [Uploaded("cat.png", "image/png", data)]


# --- row 45 --------------------------------------------------------------------------------------


BAD: dict[str, str] = {
    "file": "file:///etc/passwd",
    "file, a host": "file://127.0.0.1:{port}/x.png",
    "ftp": "ftp://127.0.0.1:{port}/x.png",
    "no scheme": "//127.0.0.1:{port}/x.png",
    "user": "http://user@127.0.0.1:{port}/",
    "a host as user": "http://images.example@127.0.0.1:{port}/",
    "user and password": f"http://user:{CANARY}@images.example/",
    "backslash": "http://images.example\\@127.0.0.1:{port}/",
    "loopback": "http://127.0.0.1:{port}/",
    "trailing dot": "http://127.0.0.1.:{port}/",
    "decimal": "http://2130706433:{port}/",
    "octal": "http://0177.0.0.1:{port}/",
    "hex": "http://0x7f000001:{port}/",
    "hex parts": "http://0x7f.0.0.0x1:{port}/",
    "short": "http://127.1:{port}/",
    "zero": "http://0.0.0.0:{port}/",
    "full width": "http://１２７.0.0.1:{port}/",
    "v6 loopback": "http://[::1]:{port}/",
    "v6 scope": "http://[fe80::1%25lo]:{port}/",
    "v4-mapped": "http://[::ffff:127.0.0.1]:{port}/",
    "v4-mapped, hex": "http://[::ffff:7f00:1]:{port}/",
    "NAT64": "http://[64:ff9b::7f00:1]:{port}/",
    "6to4": "http://[2002:7f00:1::]:{port}/",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "metadata, decimal": "http://2852039166/latest/meta-data/",
    "metadata, v4-mapped": "http://[::ffff:169.254.169.254]/",
    "metadata, v6": "http://[fd00:ec2::254]/latest/meta-data/",
}


@fault(45)
@by_turns
@pytest.mark.parametrize("url", BAD.values(), ids=BAD)
async def test_bad_image_url_is_refused_before_any_connection(
    provider: Provider, way: str, url: str, resolver: Resolver, connected: Connected
) -> None:
    """Neither the image's host nor the service is asked, and no name is looked up."""
    with ByteServer(give(PNG)) as images, seeing(provider) as server:
        prompt = about(url.format(port=images.port))
        await fail(model_of(provider, server, trusted=()), way, BlockedURLError, prompt, host=None)
        assert images.requests == []
        assert_nothing_told(provider, server, connected)
    assert resolver.asked == []


@fault(45)
@by_turns
async def test_data_url_of_a_drawing_is_refused_before_any_connection(
    provider: Provider, way: str, connected: Connected
) -> None:
    """It can hold scripts, whatever its label says."""
    drawing = base64.b64encode(b"<svg onload='alert(1)'/>").decode()
    with seeing(provider) as server:
        model, prompt = model_of(provider, server), about(f"data:image/png;base64,{drawing}")
        error = await fail(model, way, UnsupportedMediaError, prompt, host=None)
        assert "image/svg+xml" in str(error)
        assert_nothing_told(provider, server, connected)


@fault(45)
@by_case({"of the service": 11 * MIB, "of all": 21 * MIB}, "size")
async def test_huge_data_url_is_refused_before_any_connection(
    provider: Provider, way: str, size: int, connected: Connected
) -> None:
    """It is too large for the service, or for any; its content is in no error."""
    url = "data:image/png;base64," + base64.b64encode(PNG.ljust(size, b"\0")).decode()
    with seeing(provider) as server:
        model = model_of(provider, server)
        error = await fail(model, way, MediaTooLargeError, about(url), host=None)
        assert_nothing_told(provider, server, connected)
    assert len(str(error)) < 200


@fault(45)
@by_turns
@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254"])
async def test_name_of_an_inner_address_is_refused_before_any_connection(
    provider: Provider, way: str, address: str, resolver: Resolver, connected: Connected
) -> None:
    """Also where another of its addresses is public, and where the name ends with a dot."""
    resolver.names["images.example"] = [[address], ["93.184.215.14", address]]
    with ByteServer(give(PNG)) as images, seeing(provider) as server:
        model = model_of(provider, server, trusted=())
        for host in ("images.example", "images.example."):
            url = f"http://{host}:{images.port}/"
            await fail(model, way, BlockedURLError, about(url), host="images.example")
        assert images.requests == []
        assert_nothing_told(provider, server, connected)
    assert resolver.asked == ["images.example"] * 2


# --- row 46 --------------------------------------------------------------------------------------


@fault(46)
@by_turns
@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.2:{port}/b",
        "//127.0.0.2:{port}/b",
        "http://localhost:{port}/b",
        "http://inner.example:{port}/b",
        "http://[::1]:{port}/b",
        "http://[::ffff:127.0.0.1]:{port}/b",
        "http://2130706433:{port}/b",
        "http://0x7f.0.0.1:{port}/b",
        "http://user@127.0.0.1:{port}/b",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
    ],
)
async def test_redirect_inward_is_blocked_at_the_hop(
    provider: Provider, way: str, target: str, resolver: Resolver, connected: Connected
) -> None:
    """The first host is trusted, and its word for where to go on is not."""
    resolver.names |= {"localhost": [["127.0.0.1"]], "inner.example": [["127.0.0.1"]]}
    with (
        ByteServer(give(PNG)) as inner,
        ByteServer(to(target.format(port=inner.port))) as images,
        seeing(provider) as server,
    ):
        prompt = about(f"{images.url}/a.png")
        await fail(model_of(provider, server), way, BlockedURLError, prompt, host=None)
        assert [request.path for request in images.requests] == ["/a.png"]
        assert inner.requests == []
        assert_nothing_told(provider, server, connected, images.port)


@fault(46)
@by_turns
@pytest.mark.usefixtures("only_here_is_public")
async def test_name_is_looked_up_again_at_each_hop(
    provider: Provider, way: str, resolver: Resolver, connected: Connected
) -> None:
    """A name that was public a moment ago need not be so now."""
    resolver.names["images.example"] = [["127.0.0.1"], ["127.0.0.2"]]
    with ByteServer(to("/b.png")) as images, seeing(provider) as server:
        prompt = about(f"http://images.example:{images.port}/a.png")
        model = model_of(provider, server, trusted=())
        await fail(model, way, BlockedURLError, prompt, host="images.example")
        assert [request.path for request in images.requests] == ["/a.png"]
        assert_nothing_told(provider, server, connected, images.port)
    assert resolver.asked == ["images.example"] * 2


@fault(46)
@by_turns
@pytest.mark.usefixtures("only_here_is_public")
async def test_connection_goes_to_the_address_that_was_checked(
    provider: Provider, way: str, resolver: Resolver, connected: Connected
) -> None:
    """Also when the request is repeated: the answer of a later look-up is never used."""
    resolver.names["images.example"] = [["127.0.0.1"], ["127.0.0.2"]]
    answers: list[Action] = [lambda exchange: exchange.respond(503), give(PNG)]
    with ByteServer(routes({("GET", "/"): answers})) as images, seeing(provider) as server:
        prompt = about(f"http://images.example:{images.port}/cat.png")
        await ask(model_of(provider, server, trusted=()), way, prompt)
        hosts = [request.header("host") for request in images.requests]
        assert hosts == [f"images.example:{images.port}"] * 2
        assert provider.received(server.requests) == cat(PNG)
        assert set(connected) == {("127.0.0.1", images.port), ("127.0.0.1", server.port)}
    assert resolver.asked == ["images.example"]


@fault(46)
@by_turns
@pytest.mark.parametrize("place", ["http://0177.0.0.1:{port}/b", "http://[::1:{port}/b"])
async def test_redirect_that_cannot_be_read_leads_nowhere(
    provider: Provider, way: str, place: str, connected: Connected
) -> None:
    """The HTTP library refuses it before anybody can check it, as a broken answer."""
    with ByteServer(give(PNG)) as inner, seeing(provider) as server:
        with ByteServer(to(place.format(port=inner.port))) as images:
            prompt = about(f"{images.url}/a.png")
            await fail(model_of(provider, server), way, APIConnectionError, prompt)
            assert {request.path for request in images.requests} == {"/a.png"}
        assert inner.requests == []
        assert_nothing_told(provider, server, connected, images.port)


@fault(46)
@by_turns
@pytest.mark.parametrize("given", ["environment", "argument"])
async def test_proxy_is_asked_for_the_service_and_not_for_the_image(
    provider: Provider, way: str, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would look the image's host up again, and so go where nobody has checked."""

    def forward(exchange: Exchange) -> None:
        handle(replace(exchange, path="/" + exchange.path.split("/", 3)[3]))

    handle = provider.serve(provider.image_parts)
    with ByteServer(give(PNG)) as images, ByteServer(forward) as proxy, seeing(provider) as server:
        settings: dict[str, Any] = {}
        if given == "argument":
            settings["proxy"] = proxy.url
        else:
            # no address of this machine is exempt here: else nothing would be asked of the proxy
            monkeypatch.setattr(client, "_LOOPBACK", ())
            for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
                monkeypatch.setenv(name, proxy.url)
            for name in ("no_proxy", "NO_PROXY"):
                monkeypatch.delenv(name, raising=False)
        await ask(model_of(provider, server, **settings), way, about(f"{images.url}/cat.png"))
        assert [request.path for request in images.requests] == ["/cat.png"]
        assert_nothing_told(provider, server)
        places = ["/".join(request.path.split("/")[:3]) for request in proxy.requests]
        assert places == [server.url] * len(provider.full_call)
        assert provider.received(proxy.requests) == cat(PNG)


# --- row 47 --------------------------------------------------------------------------------------


@fault(47)
@by_turns
async def test_image_arrives_byte_for_byte(provider: Provider, way: str) -> None:
    """What the other tests refuse is refused for its fault; no credential goes to its host."""
    data = PNG + bytes(range(256)) * 300
    with ByteServer(give(data, "text/html")) as images, seeing(provider) as server:
        prompt = about(f"{images.url}/a/cat.png?size=1")
        answer = await ask(model_of(provider, server), way, prompt)
        assert answer.text == "Hello there"
        (request,) = images.requests
        assert (request.path, request.query) == ("/a/cat.png", "size=1")
        assert request.header("cookie") is None
        assert CANARY not in str(request.headers)
        assert provider.received(server.requests) == cat(data)
        assert provider.asked(server) == provider.full_call


def announce(exchange: Exchange) -> None:
    """Promise 21 MiB, and send none of it."""
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (21 * MIB))
    exchange.never_answer()


def pour(exchange: Exchange) -> None:
    """Send 21 MiB without saying so before."""
    stream = exchange.start_stream(content_type="image/png")
    stream.chunk(PNG)
    for _ in range(21):
        stream.chunk(bytes(MIB))
    stream.end()


@fault(47)
@by_turns
@pytest.mark.parametrize("action", [announce, pour])
async def test_image_of_21_mib_is_too_large(provider: Provider, way: str, action: Action) -> None:
    """Nobody waits for what is too much, and no message is sent."""
    with ByteServer(action) as images, seeing(provider) as server:
        start = time.monotonic()
        prompt = about(f"{images.url}/cat.png")
        await fail(model_of(provider, server), way, MediaTooLargeError, prompt)
        assert time.monotonic() - start < 2
        assert_nothing_told(provider, server)
        assert await eventually(lambda: 1 in images.closings)


@fault(47)
@by_turns
async def test_body_longer_than_announced_ends_where_it_was_announced(
    provider: Provider, way: str
) -> None:
    """What follows is neither read nor sent."""

    def lie(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + PNG + b"<html>" * 1000)
        exchange.never_answer()

    with ByteServer(lie) as images, seeing(provider) as server:
        await ask(model_of(provider, server), way, about(f"{images.url}/cat.png"))
        assert provider.received(server.requests) == cat(PNG)
        assert await eventually(lambda: 1 in images.closings)


@fault(47)
@by_turns
async def test_body_shorter_than_announced_is_no_image(provider: Provider, way: str) -> None:
    """It is cut, however well it begins, and what came of it is not sent."""

    def cut(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + PNG)
        exchange.close()

    with ByteServer(cut) as images, seeing(provider) as server:
        prompt = about(f"{images.url}/cat.png")
        error = await fail(model_of(provider, server), way, APIConnectionError, prompt)
        assert error.phase == "download a file"
        assert_nothing_told(provider, server)


@fault(47)
@by_turns
@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<!doctype html><p>not a cat", "an HTML page"),
        (b"\n <!-- -->\n<HTML><script>alert(1)</script>", "an HTML page"),
        (b"<svg onload='alert(1)'/>", "SVG"),
        (b"<?xml version='1.0'?><!-- x --><svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"MZ\x90\0", "not known"),
    ],
)
async def test_lying_name_and_content_type_do_not_help(
    provider: Provider, way: str, body: bytes, what: str
) -> None:
    """What counts is what the bytes are; no message is sent."""
    with ByteServer(give(body, "image/png")) as images, seeing(provider) as server:
        model, prompt = model_of(provider, server), about(f"{images.url}/cat.png")
        error = await fail(model, way, UnsupportedMediaError, prompt, host=None)
        assert what in str(error)
        assert len(images.requests) == 1
        assert_nothing_told(provider, server)


@fault(47)
@by_turns
async def test_slow_drip_ends_with_the_total_clock(provider: Provider, way: str) -> None:
    """No single wait is long, and all together are."""

    def drip(exchange: Exchange) -> None:
        body = exchange.start_stream(content_type="image/png")
        for at in range(len(PNG)):
            body.chunk(PNG[at : at + 1])
            exchange.hold(0.05)

    with ByteServer(drip) as images, seeing(provider) as server:
        model = model_of(provider, server, timeout=Clocks.within(0.4))
        start = time.monotonic()
        prompt = about(f"{images.url}/cat.png")
        error = await fail(model, way, APITimeoutError, prompt, host=None)
        assert error.kind == "total"
        assert 0.3 < time.monotonic() - start < 2
        assert_nothing_told(provider, server)
        assert await eventually(lambda: 1 in images.closings)
