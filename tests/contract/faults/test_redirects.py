"""A redirect of a chat request is never followed, wherever it leads."""

from __future__ import annotations

import pytest

from langchain_g4f.errors import APIStatusError, AuthenticationError
from tests.contract.faults.byte_server import Action, ByteServer, Exchange
from tests.contract.faults.harness import by_call, fail
from tests.contract.faults.registry import CANARY, Provider, fault

ELSEWHERE = (
    "http://127.0.0.1:{other}/chat/conversation",  # another port
    "http://localhost:{other}/chat",  # another host
    "https://127.0.0.1:{own}/chat/conversation",  # another scheme
    "//127.0.0.1:{other}/chat",
    "http://127.0.0.1:{own}@127.0.0.1:{other}/",  # another host that looks like the own one
    "/chat/conversation?again=1",  # the same origin: that request was not asked for, either
)


def redirect(status: int, target: str) -> Action:
    """Send the client somewhere else."""
    return lambda exchange: exchange.respond(status, headers=[("Location", target)])


@fault(38)
@by_call
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_to_another_origin_is_not_followed(
    provider: Provider, way: str, status: int
) -> None:
    """Neither cookie nor body arrives anywhere else, whichever request is redirected."""
    for part in provider.full_call:
        with ByteServer(Exchange.close) as other, provider.server() as target:
            where = f"http://127.0.0.1:{other.port}/{CANARY}?{CANARY}"
            with provider.server(**{part: redirect(status, where)}) as server:
                error = await fail(
                    provider.full_model(server),
                    way,
                    APIStatusError,
                    provider.full_prompt,
                    host=None,
                    subclass=True,
                )
                assert provider.asked(server) == provider.refused(part, provider.full_call)
            assert error.status_code == status
            assert (other.requests, target.requests) == ([], [])
            assert not other.closings


@fault(38)
@by_call
@pytest.mark.parametrize("elsewhere", ELSEWHERE)
async def test_answer_request_redirected_is_not_followed(
    provider: Provider, way: str, elsewhere: str
) -> None:
    """Another host, port or scheme, or a look-alike: the message goes to one address only."""
    with ByteServer(Exchange.close) as other:

        def act(exchange: Exchange) -> None:
            redirect(307, elsewhere.format(own=server.port, other=other.port))(exchange)

        with provider.server(answer=act) as server:
            await fail(provider.model(server), way, APIStatusError, host=None, subclass=True)
            assert provider.asked(server) == provider.refused(provider.answer)
        assert other.requests == []
        assert not other.closings


@fault(4)
@by_call
@pytest.mark.parametrize("target", ["/chat/login", "https://id.example/oauth/authorize?state=x"])
async def test_redirect_to_a_login_is_an_authentication_error(
    provider: Provider, way: str, target: str
) -> None:
    """Whichever request is sent to a login page, the caller learns where to log in."""
    for part in provider.full_call:
        with provider.server(**{part: redirect(302, target)}) as server:
            model = provider.full_model(server)
            error = await fail(model, way, AuthenticationError, provider.full_prompt, host=None)
            assert provider.asked(server) == provider.refused(part, provider.full_call)
        assert error.login_url == provider.login(server.url)
        assert error.login_url in str(error)
        assert not error.is_retryable


@fault(4)
@by_call
async def test_401_is_an_authentication_error(provider: Provider, way: str) -> None:
    """It is not repeated, and nothing is stopped that did not begin."""
    for part in provider.good_call:
        with provider.server(**{part: lambda x: x.respond(401, b"log in")}) as server:
            error = await fail(provider.model(server), way, AuthenticationError, host=None)
            assert provider.asked(server) == provider.refused(part)
        assert (error.status_code, error.is_retryable) == (401, False)
        assert error.login_url == provider.login(server.url)
        assert error.login_url in str(error)
