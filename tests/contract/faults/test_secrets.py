"""Credentials go to their service and nowhere else: canaries in every place that holds one."""

from __future__ import annotations

import base64
import logging
import pickle
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import vcr  # type: ignore[import-untyped]
import yaml
from langchain_core.load import dumps
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.context import collect_runs

from langchain_g4f.core.events import Progress
from langchain_g4f.errors import G4FError
from tests.contract.faults import chat_ui_script as hc
from tests.contract.faults.byte_server import Action, Exchange
from tests.contract.faults.harness import chain, chunks
from tests.contract.faults.registry import CANARY, Provider, fault, reset
from tests.contract.recordings.recording import recording_config

SET_BY_SERVER = f"{CANARY}-set-by-server"
PROXY_PASSWORD = f"{CANARY}-proxy"


@dataclass(repr=False)
class Shown:
    """Everything that a call shows to others than its caller and its service."""

    texts: dict[str, str] = field(default_factory=dict)

    def add(self, where: str, what: object) -> None:
        """Note what is shown somewhere."""
        self.texts[where] = self.texts.get(where, "") + f"\n{what}"

    def add_error(self, error: BaseException) -> None:
        """Note an error in every form in which it travels."""
        for link in chain(error):
            self.add("str", str(link))
            self.add("repr", repr(link))
            self.add("fields", vars(link))
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        self.add("traceback with locals", "".join(shown.format()))
        self.add("pickle", pickle.dumps(error))

    def assert_no_canary(self) -> None:
        """Nothing that is shown holds a credential, plain or in base64."""
        needles = [CANARY, base64.b64encode(CANARY.encode()).decode()[:-4]]
        held = {
            where: text[max(0, text.index(needle) - 200) :][:300]
            for where, text in self.texts.items()
            for needle in needles
            if needle in text
        }
        assert held == {}


@pytest.fixture
def shown(caplog: pytest.LogCaptureFixture) -> Iterator[Shown]:
    """What a test shows, its logs of every level included; no canary in it at the end."""
    caplog.set_level(logging.DEBUG)
    for name in ("langchain_g4f", "httpx", "httpcore", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name)
    found = Shown()
    yield found
    for record in caplog.records:
        found.add(f"log of {record.name}", record.getMessage())
        found.add(f"log of {record.name}, raw", (record.msg, record.args, record.exc_text))
    found.assert_no_canary()


async def show(shown: Shown, model: Any, way: str, prompt: Any = "hi") -> None:
    """Ask inside a traced run, and note the run, the progress, and the error if there is one."""
    shown.add("model", [repr(model), str(model), dumps(model), model._identifying_params])
    shown.add("model", [model._get_ls_params(), model.model_dump(), model.lc_attributes])

    async def call(_: Any) -> str:
        return "".join([chunk.text async for chunk in chunks(model, way, prompt)])

    with collect_runs() as collected, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            await RunnableLambda(call).ainvoke(None)
        except G4FError as error:
            shown.add_error(error)
    assert collected.traced_runs
    for run in collected.traced_runs:
        for each in (run, *run.child_runs):
            shown.add("trace", each.model_dump_json())
            shown.add("trace", repr(each))
    shown.add("warnings", [str(each.message) for each in warned])


def echo_of(exchange: Exchange) -> str:
    """The request's headers, as a careless service writes them into an error."""
    return "\n".join(f"{name}: {value}" for name, value in exchange.headers)


def credentials_of(exchange: Exchange) -> list[str]:
    """The request's credentials, without what they are called."""
    cookies = (exchange.header("cookie") or "").split("; ")
    values = [pair.partition("=")[2] for pair in cookies]
    for name, value in exchange.headers:
        if name.lower() == "authorization" or name.lower().startswith("x-"):
            values.append(value.rpartition(" ")[2])
    return values


def echoing(status: int, form: str) -> Action:
    """Refuse, and quote the request's credentials."""

    def act(exchange: Exchange) -> None:
        text = {
            "text": f"Bad request:\n{echo_of(exchange)}",
            "json": hc.encode({"message": f"Bad request:\n{echo_of(exchange)}"}).decode(),
            "headers": hc.encode({"error": {"headers": dict(exchange.headers)}}).decode(),
            "values": f"sent: {'; '.join(credentials_of(exchange))}",
        }[form]
        kind = "text/plain" if form in {"text", "values"} else "application/json"
        cookie = ("Set-Cookie", f"hf-chat={SET_BY_SERVER}; Path=/")
        exchange.respond(status, text.encode(), [cookie], kind)

    return act


@fault(41, curl=False, form=["text", "json", "headers", "values"])
async def test_error_body_that_echoes_the_credentials(
    provider: Provider, way: str, form: str, shown: Shown
) -> None:
    """The service quotes the Cookie header back; the error, the log and the trace do not."""
    seen: list[Progress] = []
    for status in (400, 429):
        for part in provider.full_call:
            with provider.server(**{part: echoing(status, form)}) as server:
                model = provider.full_model(server, on_progress=seen.append)
                await show(shown, model, way, provider.full_prompt)
                assert CANARY in echo_of(provider.sent(server, part)[-1])
    shown.add("progress", seen)
    assert "Bad request" in shown.texts["str"] or form in {"headers", "values"}


@fault(41, only="HC", curl=False)
async def test_error_in_band_that_echoes_the_credentials(
    provider: Provider, way: str, shown: Shown
) -> None:
    """The same, inside an answer, and in a line that cannot be read."""

    def answering(line: Any) -> Action:
        def act(exchange: Exchange) -> None:
            said = [hc.STARTED, hc.token("Hello"), line(echo_of(exchange))]
            provider.answering(*said)(exchange)

        return act

    def report(text: str, **fields: Any) -> bytes:
        return hc.line({"type": "status", "status": "error", "message": text, **fields})

    lines = [
        report,
        lambda text: report(text, statusCode=429),
        lambda text: report(text, statusCode=401),
        lambda text: report(f"No output was generated. {text}"),
        lambda text: text.replace("\n", " ").encode() + b"\n",
        lambda text: hc.line({"type": "stream", "token": [text]}),
        lambda text: hc.line({"type": text}) + hc.line({"type": "status", "status": text}),
    ]
    for line in lines:
        with provider.server(send=answering(line)) as server:
            await show(shown, provider.model(server), way)


@fault(41)
async def test_good_and_broken_answers(provider: Provider, way: str, shown: Shown) -> None:
    """Where nothing echoes, the canaries are in no log and no trace either."""
    with provider.server() as server:
        await show(shown, provider.model(server), way)
    said = [*provider.start, provider.token("Hello")]
    with provider.server(answer=provider.answering(*said, then=reset)) as server:
        await show(shown, provider.model(server), way)
    with provider.server(answer=Exchange.close) as server:
        await show(shown, provider.model(server), way)
    with provider.server() as server:
        url = server.url
    await show(shown, provider.build(url, max_retries=0), way)
    await show(shown, provider.build(f"{url}/\N{SNOWMAN}%", max_retries=0), way)


@fault(41)
async def test_proxy_password(provider: Provider, way: str, shown: Shown) -> None:
    """A proxy that is down, that refuses, and that quotes what it was given."""
    with provider.server(answer=Exchange.reset) as proxy:
        address = proxy.url.replace("http://", f"http://user:{PROXY_PASSWORD}@")
    await show(shown, provider.build("http://service.invalid", proxy=address, max_retries=0), way)
    await show(shown, provider.build("https://service.invalid", proxy=address, max_retries=0), way)
    for status in (407, 502):
        with provider.server() as proxy:
            proxy.handler = echoing(status, "text")
            address = proxy.url.replace("http://", f"http://user:{PROXY_PASSWORD}@")
            for url in ("http://service.invalid", "https://service.invalid"):
                await show(shown, provider.build(url, proxy=address, max_retries=0), way)
            assert any(request.header("Proxy-Authorization") for request in proxy.requests)


@fault(41)
async def test_wrong_settings(provider: Provider, way: str, shown: Shown) -> None:
    """Nor does an error about a setting repeat the setting."""
    wrong: list[dict[str, Any]] = [
        {"cookies": f"no pair {CANARY}"},
        {"cookies": {"hf-chat": f"{CANARY}\r\nX: y"}},
        {"cookies": {f"{CANARY};": "x"}},
        {"base_url": f"http://user:{CANARY}@127.0.0.1:9/chat"},
        {"base_url": f"http://127.0.0.1:9/chat?token={CANARY}"},
        {"proxy": f"nonsense {CANARY}"},
        {"proxy": f"http://user:{CANARY}@[::1"},
    ]
    for settings in wrong:
        try:
            model = provider.build("http://127.0.0.1:9", **settings)
            await show(shown, model, way)
        except (ValueError, UserWarning) as error:
            shown.add("str", error)
            shown.add("repr", repr(error))


@fault(41, curl=False, ways=["invoke", "ainvoke"])  # VCR does not see what curl asks
async def test_cassette(provider: Provider, way: str, shown: Shown, tmp_path: Path) -> None:
    """A recording made with the project's filter holds no credential, and the conversation."""
    secrets = (*provider.credentials, SET_BY_SERVER)
    config = recording_config(*secrets) | {"record_mode": "new_episodes"}
    cassette = tmp_path / "cassette.yaml"
    for answer in (provider.good, echoing(400, "json")):
        with vcr.use_cassette(str(cassette), **config), provider.server(answer=answer) as server:
            await show(shown, provider.model(server), way)
            assert CANARY in echo_of(server.requests[0])
    recorded = cassette.read_text(encoding="utf-8")
    shown.add("cassette", recorded)
    interactions = yaml.safe_load(recorded)["interactions"]
    answer = interactions[provider.good_call.index(provider.answer)]
    assert all(word in answer["response"]["body"]["string"] for word in ("Hello", " there"))
    assert any("Bad request" in each["response"]["body"]["string"] for each in interactions)
