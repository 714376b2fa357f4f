"""Canaries in every credential of a Space: no log and no error shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_g4f.core.events import Progress
from tests.contract.faults import gradio_script as gr
from tests.contract.faults.byte_server import Exchange
from tests.contract.faults.gradio_entry import HUB_COOKIE, KEY
from tests.contract.faults.harness import by_turns
from tests.contract.faults.registry import CANARY, Part, Provider, fault
from tests.contract.faults.test_gradio_identity import FETCHED, fetching
from tests.contract.faults.test_secrets import Shown, echo_of, show, shown

__all__ = ["shown"]

ONE = f"{CANARY}-fetched"


@fault(41, only="PH", curl=False)
@by_turns
async def test_events_that_echo_the_credentials(provider: Provider, way: str, shown: Shown) -> None:
    """An app may say what it was sent, in every field that is told on: none of it is shown."""

    def echoing(event: Callable[[str], bytes]) -> dict[str, Part]:
        heard: list[str] = []

        def join(exchange: Exchange) -> None:
            bare = [value.rpartition(" ")[2] for _, value in exchange.headers]
            heard.append(f"{echo_of(exchange)}\n{' '.join(bare)}")
            gr.join_ok(exchange)

        def data(exchange: Exchange) -> None:
            provider.answering(*gr.START, gr.token("Hello"), event(heard[-1]))(exchange)

        return {"join": join, "data": data}

    events: list[Callable[[str], bytes]] = [
        gr.failed,
        lambda text: gr.failed("It broke.", text),
        lambda text: gr.failed(text, "ZeroGPU quota exceeded"),
        lambda text: gr.failed(text, "ZeroGPU client error"),
        gr.unexpected,
        lambda text: gr.unexpected(f"404: {text}"),
        lambda text: gr.event("log", log=text, title=text, level="info"),
        lambda text: gr.event("progress", progress_data=[{"desc": text}]),
        lambda text: gr.line(text.replace("\n", " ").encode()),
        gr.event,
        lambda text: gr.event("estimation", rank=text),
        lambda text: gr.edits([text, [text], text]),
    ]
    seen: list[Progress] = []
    for settings in ({}, FETCHED):
        for event in events:
            with provider.server(jwt=gr.jwt(ONE), **echoing(event)) as server:
                model = provider.model(server, on_progress=seen.append, **settings)
                await show(shown, model, way)
                (join,) = provider.sent(server, "join")
                assert CANARY in str(join.headers)
    shown.add("progress", seen)
    assert "**********" in shown.texts["str"]


@fault(41, only="PH", curl=False)
@by_turns
async def test_hub_that_echoes_the_credentials(provider: Provider, way: str, shown: Shown) -> None:
    """What it refuses with is told as progress, or as an error: without what it was sent."""

    def echo(exchange: Exchange) -> None:
        exchange.respond(403, gr.encode({"error": f"sent: {echo_of(exchange)}"}))

    seen: list[Progress] = []
    with provider.server(jwt=echo) as server:
        await show(shown, fetching(server, on_progress=seen.append), way)
        (jwt,) = provider.sent(server, "jwt")
        assert KEY in (jwt.header("authorization") or "")
        assert HUB_COOKIE in (jwt.header("cookie") or "")
    with provider.server(config=gr.page(503), runtime=echo) as server:
        await show(shown, fetching(server, on_progress=seen.append), way)
    shown.add("progress", seen)
    assert "sent: " in shown.texts["progress"]


@fault(41, only="PH", curl=False)
@by_turns
async def test_wrong_credentials_are_not_repeated(
    provider: Provider, way: str, shown: Shown
) -> None:
    """Nor does an error about a setting repeat the setting."""
    wrong: list[dict[str, Any]] = [
        {"api_key": f"{CANARY}\r\nX: y"},
        {"api_key": f"{CANARY} \N{SNOWMAN}"},
        {"zerogpu_token": f"{CANARY}\n"},
        {"zerogpu_uuid": f"{CANARY}\0"},
        {"hub_url": f"http://user:{CANARY}@localhost:9"},
        {"hub_url": f"http://localhost:9/?token={CANARY}"},
        {"cookies": {"token": f"{CANARY}\r\nX: y"}, **FETCHED},
    ]
    with provider.server() as server:
        for settings in wrong:
            try:
                await show(shown, provider.model(server, **settings), way)
            except ValueError as error:
                shown.add("str", error)
                shown.add("repr", repr(error))
        assert [r for r in server.requests if r.header("X")] == []
