"""What a server has made to be slow to search stalls no call."""

from __future__ import annotations

import time

import pytest

from langchain_g4f.chat_models.base import BaseChatG4F
from tests.contract.faults.byte_server import Action, ByteServer, routes
from tests.contract.faults.harness import by_call
from tests.contract.faults.registry import Provider, fault

PAGES = ("<form action=", "<form action=/a ", "action=", "<form ")


async def whoami(model: BaseChatG4F, way: str) -> str | None:
    """Who is logged in, blocking or awaiting."""
    return model.whoami() if way == "invoke" else await model.awhoami()


@fault(58, only="HC")
@by_call
@pytest.mark.parametrize("unit", PAGES)
async def test_page_made_to_be_slow_to_search_is_searched_at_once(
    provider: Provider, way: str, unit: str
) -> None:
    """Four sizes, the largest of which took minutes."""
    pages = [unit * (size // len(unit)) for size in (50_000, 100_000, 200_000, 400_000)]
    times = []
    for page in pages:
        handler = routes(
            {
                ("GET", "/api/v2/user$"): lambda x: x.respond(404),
                ("GET", "/chat/$"): _page(page),
            }
        )
        with ByteServer(handler) as server:
            begin = time.thread_time()
            assert await whoami(provider.model(server), way) is None
            times.append(time.thread_time() - begin)
    assert times[-1] < 1, times


def _page(text: str) -> Action:
    return lambda exchange: exchange.respond(200, text.encode(), content_type="text/html")
