"""Which cookies a service may set, and which ones it is sent."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

import httpx
import pytest

from tests.contract.faults.byte_server import Action, ByteServer, Exchange
from tests.contract.faults.harness import ask
from tests.contract.faults.registry import Provider, fault


def cookies_of(request: Exchange) -> dict[str, str]:
    """The cookies of a request."""
    pairs = (pair.strip().partition("=") for pair in (request.header("Cookie") or "").split(";"))
    return {name: value for name, _, value in pairs if name}


def setting(provider: Provider, *set_cookie: str) -> Action:
    """The good server, which sets these cookies with everything it says."""

    def act(exchange: Exchange) -> None:
        head_end = b"\r\n\r\n"
        send = exchange.send
        lines = "".join(f"\r\nSet-Cookie: {value}" for value in set_cookie).encode()

        def send_with_cookies(data: bytes) -> None:
            if data.startswith(b"HTTP/1.1 "):
                data = data.replace(head_end, lines + head_end, 1)
            send(data)

        object.__setattr__(exchange, "send", send_with_cookies)
        provider.good(exchange)

    return act


FOREIGN = {
    "another domain": "evil=1; Domain=elsewhere.example; Path=/",
    "a parent domain": "evil=1; Domain=0.0.1; Path=/",
    "a top-level domain": "evil=1; Domain=com; Path=/",
    "everything": "evil=1; Domain=.; Path=/",
    "a sibling": "evil=1; Domain=127.0.0.2; Path=/",
    "a suffix of the name": "evil=1; Domain=7.0.0.1; Path=/",
}


@fault(39, evil=FOREIGN)
async def test_cookie_for_another_domain_is_rejected(
    provider: Provider, way: str, evil: str
) -> None:
    """It is neither kept nor sent, and does no harm to a cookie beside it."""
    action = setting(provider, evil, "good=1; Path=/")
    with ByteServer(action) as server:
        model = provider.model(server)
        await ask(model, way)
        await ask(model, way)
        first, *later = [cookies_of(request).keys() for request in server.requests]
    assert first == provider.cookies.keys()
    assert later == [{*provider.cookies, "good"}] * len(later)


@fault(39)
async def test_cookies_are_kept_apart_by_model_object(provider: Provider, way: str) -> None:
    """An identity belongs to a model; models share connections and nothing else."""
    with ByteServer(setting(provider, "given=one; Path=/")) as server:
        await ask(provider.model(server), way)
        seen = len(server.requests)
        await ask(provider.model(server), way)
        assert cookies_of(server.requests[seen]) == dict(provider.cookies)
        assert server.requests[seen].connection_number == 1


@fault(39)
async def test_cookies_are_capped(provider: Provider, way: str) -> None:
    """Thousands of cookies fill neither the memory nor the next request."""
    many = [f"c{{}}x{n}=v; Path=/" for n in range(500)]
    calls = 0

    def act(exchange: Exchange) -> None:
        nonlocal calls
        calls += 1
        setting(provider, *(each.format(calls) for each in many))(exchange)

    with ByteServer(act) as server:
        model = provider.model(server)
        while calls < 4:
            await ask(model, way)
        await ask(model, way)
        kept = cookies_of(server.requests[-1])
    assert provider.cookies.keys() <= kept.keys()
    assert len(provider.cookies) < len(kept) <= 50


@fault(39)
async def test_cookie_that_is_renewed_is_renewed_in_a_full_jar(
    provider: Provider, way: str
) -> None:
    """The cap keeps new cookies out, and not new values of those that are known."""
    name = next(iter(provider.cookies), "route")
    flood = [f"c{n}=v; Path=/" for n in range(60)]
    numbers = itertools.count()

    def act(exchange: Exchange) -> None:
        setting(provider, f"{name}={next(numbers)}; Path=/", *flood)(exchange)

    with ByteServer(act) as server:
        model = provider.model(server)
        await ask(model, way)
        await ask(model, way)
        values = [cookies_of(request)[name] for request in server.requests[1:]]
    assert values == [str(number) for number in range(len(provider.calls(2)) - 1)]


@fault(39)
async def test_cookies_of_another_path_or_for_tls_alone_are_not_sent(
    provider: Provider, way: str
) -> None:
    """What a cookie says of itself is honoured."""
    cookies = ("s=1; Path=/; Secure", "p=1; Path=/elsewhere", "old=1; Path=/; Max-Age=0", "ok=1")
    with ByteServer(setting(provider, *cookies)) as server:
        model = provider.model(server)
        await ask(model, way)
        await ask(model, way)
        names = {name for request in server.requests for name in cookies_of(request)}
    assert not names & {"s", "p", "old"}


UNFIT = {
    "UTF-8": "evil=caf\N{LATIN SMALL LETTER E WITH ACUTE}; Path=/",
    "a name in UTF-8": "\N{SNOWMAN}=1; Path=/",
    "a control character": "evil=a\x01b; Path=/",
    "DEL": "evil=a\x7fb; Path=/",
    "more than 4 KiB": f"evil={'v' * 4093}; Path=/",
    "more than 4 KiB in all": f"{'evil' * 1024}=v; Path=/",
    "long attributes": f"evil=1; Path=/; Comment={'x' * 9000}",
}


@fault(63, evil=UNFIT)
async def test_cookie_that_cannot_be_sent_back_is_left_out(
    provider: Provider, way: str, evil: str
) -> None:
    """Its neighbours are kept, and every later request is as good as the first."""
    large = f"fine={'v' * 4092}; Path=/"  # just 4 KiB, which a browser keeps
    with ByteServer(setting(provider, "good=1; Path=/", evil, large)) as server:
        model = provider.model(server)
        for _ in range(2):
            assert (await ask(model, way)).text == "Hello there"
        names = [cookies_of(request).keys() for request in server.requests[1:]]
    assert names == [{*provider.cookies, "good", "fine"}] * len(names)


@fault(40)
async def test_request_carries_exactly_the_cookies_given(provider: Provider, way: str) -> None:
    """A client of the caller's own may hold cookies of other sites: none of them is sent."""
    foreign = {"session": "of another site", "hf-chat": "of another user"}
    with provider.server() as server, httpx.Client(cookies=foreign) as client:
        async with httpx.AsyncClient(cookies=foreign) as async_client:
            model = provider.model(server, http_client=client, http_async_client=async_client)
            await ask(model, way)
        assert cookies_of(server.requests[0]) == dict(provider.cookies)
        names = [cookies_of(request).keys() for request in server.requests]
        assert names == [provider.cookies.keys()] * len(provider.good_call)


@fault(40)
async def test_nothing_of_a_netrc_file_is_sent(
    provider: Provider, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The identity is what was given, and not what the machine knows of the host."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login other password guessed\n", encoding="ascii")
    monkeypatch.setenv("NETRC", str(netrc))
    with provider.server() as server:
        await ask(provider.model(server), way)
        sent = {request.header("Authorization") for request in server.requests}
        assert sent == {provider.authorization}


LATER = str(int(time.time()) + 3600)
NETSCAPE = "\n".join(
    [
        "# Netscape HTTP Cookie File",
        f"127.0.0.1\tFALSE\t/\tFALSE\t{LATER}\thf-chat\tours",
        f"#HttpOnly_127.0.0.1\tFALSE\t/\tFALSE\t{LATER}\ttoken\tours, too",
        f".elsewhere.example\tTRUE\t/\tFALSE\t{LATER}\thf-chat\ttheirs",
        f".google.com\tTRUE\t/\tTRUE\t{LATER}\tSID\ttheirs",
        f"127.0.0.10\tFALSE\t/\tFALSE\t{LATER}\tnear\ttheirs",
        f".0.0.1\tTRUE\t/\tFALSE\t{LATER}\twide\ttheirs",
        "",
    ]
)
EXPORTED = json.dumps(
    [
        {"domain": "127.0.0.1", "name": "hf-chat", "value": "ours", "path": "/"},
        {"domain": "127.0.0.1", "name": "token", "value": "ours, too", "path": "/"},
        {"domain": ".elsewhere.example", "name": "hf-chat", "value": "theirs", "path": "/"},
        {"domain": ".google.com", "name": "SID", "value": "theirs", "path": "/"},
    ]
)


@fault(40, only="HC", exported={"netscape": NETSCAPE, "json": EXPORTED})
async def test_exported_jar_of_a_browser_gives_only_the_services_own_cookies(
    provider: Provider, way: str, exported: str, tmp_path: Path
) -> None:
    """Its whole jar may be given, as a file or as the list in it; other sites' cookies stay."""
    jar = tmp_path / "cookies.txt"
    jar.write_text(exported, encoding="utf-8")
    jar.chmod(0o600)
    for cookies in [jar, json.loads(exported)] if exported.startswith("[") else [jar]:
        with provider.server() as server:
            await ask(provider.model(server, cookies=cookies), way)
            expected = {"hf-chat": "ours", "token": "ours, too"}
            assert cookies_of(server.requests[0]) == expected
            assert {"hf-chat", "token"} == set(cookies_of(server.requests[1]))
