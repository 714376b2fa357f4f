"""The guarded download, through both drivers: where it connects, and where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from langchain_g4f.core.chat_request import Media
from langchain_g4f.core.plan import Plan
from langchain_g4f.errors import APIConnectionError, BlockedURLError
from langchain_g4f.media import download as module
from langchain_g4f.media.download import download
from langchain_g4f.run import arun, run
from langchain_g4f.transport import client
from tests.contract.faults.byte_server import ByteServer, routes
from tests.contract.faults.certificates import Authority
from tests.contract.faults.downloads import HERE, PNG, Resolver, by_driver, context, fetch, give, to
from tests.contract.faults.harness import assert_decent, eventually
from tests.contract.faults.registry import CANARY


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """The names of this test."""
    return Resolver(monkeypatch)


@pytest.fixture
def only_here_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if 127.0.0.1 were on the internet, and nothing else."""
    monkeypatch.setattr(module, "is_public", lambda address: address == "127.0.0.1")


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    """An authority that is trusted."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    client._ssl_context.cache_clear()
    yield authority
    client._ssl_context.cache_clear()


@by_driver
async def test_file_of_a_trusted_host_is_fetched(driver: str) -> None:
    """What the other tests refuse is refused for its fault."""
    with ByteServer(give(PNG, "text/html")) as server:
        media = await fetch(driver, f"{server.url}/a/cat.png?size=1")
        assert media == Media(PNG, "image/png", "cat.png")
        (request,) = server.requests
        assert (request.method, request.path, request.query) == ("GET", "/a/cat.png", "size=1")
        assert request.header("accept-encoding") == "identity"
        assert await eventually(lambda: server.connections_open == 0)


# --- row 45 --------------------------------------------------------------------------------------


@by_driver
@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1:{port}/x.png",
        "data:image/png;base64," + "A" * 1_000_000,
        "http://user@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}/",
        "http://127.0.0.1.:{port}/",
        "http://2130706433:{port}/",
        "http://0177.0.0.1:{port}/",
        "http://0x7f000001:{port}/",
        "http://127.1:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://[64:ff9b::7f00:1]:{port}/",
        "http://[2002:7f00:1::]:{port}/",
        "http://169.254.169.254/latest/meta-data/",
    ],
)
async def test_blocked_url_makes_no_connection(driver: str, url: str, resolver: Resolver) -> None:
    """No look-up either."""
    with ByteServer(give(PNG)) as server:
        with pytest.raises(BlockedURLError) as caught:
            await fetch(driver, url.format(port=server.port), trusted=())
        assert_decent(caught.value)
        assert (server.requests, server.connections_open, server.closings) == ([], 0, {})
        assert resolver.asked == []


@by_driver
@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
async def test_name_of_an_inner_address_makes_no_connection(
    driver: str, address: str, resolver: Resolver
) -> None:
    """Whatever the name is."""
    resolver.names["images.example"] = [[address]]
    with ByteServer(give(PNG)) as server:
        with pytest.raises(BlockedURLError):
            await fetch(driver, f"http://images.example:{server.port}/", trusted=())
        assert (server.requests, server.closings) == ([], {})
        assert resolver.asked == ["images.example"]


# --- row 46 --------------------------------------------------------------------------------------


@by_driver
@pytest.mark.parametrize("target", ["http://127.0.0.2:{port}/b", "http://inner.example:{port}/b"])
async def test_redirect_inward_is_not_followed(
    driver: str, target: str, resolver: Resolver
) -> None:
    """The first host may be fetched from, the second not."""
    resolver.names["inner.example"] = [["127.0.0.1"]]
    with ByteServer(give(PNG)) as server:
        server.handler = to(target.format(port=server.port))
        with pytest.raises(BlockedURLError):
            await fetch(driver, f"{server.url}/a")
        assert [request.path for request in server.requests] == ["/a"]


@by_driver
@pytest.mark.usefixtures("only_here_is_public")
async def test_each_hop_is_looked_up_and_checked(driver: str, resolver: Resolver) -> None:
    """A name that was public a moment ago need not be so now."""
    resolver.names["images.example"] = [["127.0.0.1"], ["127.0.0.2"]]
    with ByteServer(to("/b")) as server:
        with pytest.raises(BlockedURLError):
            await fetch(driver, f"http://images.example:{server.port}/a", trusted=())
        assert [request.path for request in server.requests] == ["/a"]
        assert resolver.asked == ["images.example"] * 2


@by_driver
@pytest.mark.usefixtures("only_here_is_public")
async def test_connection_goes_to_the_address_that_was_checked(
    driver: str, resolver: Resolver
) -> None:
    """Also when it is repeated: the name is looked up once, and the host is told its name."""
    resolver.names["images.example"] = [["127.0.0.1"], ["127.0.0.2"]]
    answers = [lambda exchange: exchange.respond(503), give(PNG)]
    with ByteServer(routes({("GET", "/"): answers})) as server:
        await fetch(driver, f"http://images.example:{server.port}/cat.png", trusted=())
        hosts = [request.header("host") for request in server.requests]
        assert hosts == [f"images.example:{server.port}"] * 2
        assert resolver.asked == ["images.example"]


@by_driver
async def test_next_address_is_tried_where_the_first_does_not_answer(
    driver: str, resolver: Resolver
) -> None:
    """Both were checked."""
    resolver.names["images.example"] = [["::1", "127.0.0.1"]]
    with ByteServer(give(PNG)) as server:
        url = f"http://images.example:{server.port}/cat.png"
        assert (await fetch(driver, url, trusted=["images.example"])).data == PNG


@by_driver
async def test_proxy_is_not_asked(driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one that the environment names nor the model's own: it would look names up again."""
    with ByteServer(give(PNG)) as server, ByteServer(give(PNG)) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        settings = client.ClientSettings(proxy=SecretStr(proxy.url))
        for given in (client.ClientSettings(), settings):
            await fetch(driver, f"{server.url}/", settings=given)
        assert len(server.requests) == 2
        assert (proxy.requests, proxy.closings) == ([], {})


@by_driver
async def test_client_of_the_user_is_not_asked(driver: str) -> None:
    """Nothing is known of where it connects to."""

    def refuse(request: httpx.Request) -> httpx.Response:
        pytest.fail(f"asked for {request.url}")

    found: list[Media] = []

    def plan(url: str) -> Plan:
        found.append((yield from download(url, limit=1000, trusted_hosts=HERE)))

    transport = httpx.MockTransport(refuse)
    with ByteServer(give(PNG)) as server:
        call = plan(server.url), context(server.url)
        if driver == "run":
            with httpx.Client(transport=transport) as own:
                list(run(*call, client.SyncClient(own)))
        else:
            async with httpx.AsyncClient(transport=transport) as other:
                assert [event async for event in arun(*call, client.AsyncClient(other))] == []
    assert found[0].data == PNG


@by_driver
async def test_credentials_stay_at_home(driver: str) -> None:
    """No cookie goes along, not even to the service's own host, and none is kept."""
    cookie = [("Set-Cookie", "hf-chat=other")]
    with ByteServer(lambda exchange: exchange.respond(200, PNG, cookie)) as server:
        own = context(server.url)
        assert CANARY in own.cookies.header_for(server.url)

        def plan() -> Plan:
            yield from download(f"{server.url}/", limit=1000, trusted_hosts=HERE)

        if driver == "run":
            list(run(plan(), own, client.sync_client(client.ClientSettings())))
        else:
            events = arun(plan(), own, client.async_client(client.ClientSettings()))
            assert [event async for event in events] == []
        assert CANARY not in str(server.requests[0].headers)
        assert server.requests[0].header("cookie") is None
        assert own.cookies.header_for(server.url) == f"hf-chat={CANARY}"


@by_driver
async def test_certificate_has_to_be_that_of_the_name(
    driver: str, authority: Authority, resolver: Resolver
) -> None:
    """Not that of the address, and not one that was good for another name at this address."""
    resolver.names |= {"a.example": [["127.0.0.1"]], "b.example": [["127.0.0.1"]]}
    names = ("a.example", "b.example")
    with ByteServer(give(PNG), ssl_context=authority.server("DNS:a.example")) as server:
        good = f"https://a.example:{server.port}/"
        assert (await fetch(driver, good, trusted=names)).data == PNG
        with pytest.raises(APIConnectionError, match="no TLS connection to") as caught:
            await fetch(driver, good.replace("a.example", "b.example"), trusted=names)
        assert "b.example" in str(caught.value)
        assert_decent(caught.value)
        assert (await fetch(driver, good, trusted=names)).data == PNG
        assert [request.request_number for request in server.requests] == [1, 1]
    with ByteServer(give(PNG), ssl_context=authority.server("IP:127.0.0.1")) as server:
        with pytest.raises(APIConnectionError, match="no TLS connection to"):
            await fetch(driver, f"https://a.example:{server.port}/", trusted=names)
        assert (await fetch(driver, f"{server.url}/")).data == PNG
