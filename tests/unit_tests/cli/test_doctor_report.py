"""What `langchain-g4f doctor` shows to people: the table, and nothing that is secret."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from starlette.responses import JSONResponse

from langchain_g4f.cli.doctor import _COLUMNS
from langchain_g4f.testing import FlowGptSandbox, Reply, Sandbox
from tests.unit_tests.cli.doctor import CLOSED, answer_at, run
from tests.unit_tests.cli.terminal import Terminal

pytestmark = pytest.mark.proves("promise:command-doctor")

CANARY = "canary-9f3b7a61c2d84e05"


def test_table_of_doctor_says_in_words_what_its_colours_say(services: dict[str, Any]) -> None:
    """A row for each provider; below the table, one line for what is wrong and what to do."""
    services["flowgpt"].stop()
    result = run("--timeout", "5")
    assert result.exit_code == 1
    rows = _rows(result.stdout)
    assert rows["provider"][0] == "reachable"
    reachable, server, user, models, streaming, first_token = rows["huggingchat"]
    assert (reachable, server, user) == ("ok", "ok chat-ui current", "not asked anonymous")
    assert models == "ok 4 models omni"
    assert re.fullmatch(r"ok \d+ chunks", streaming)
    assert re.fullmatch(r"\d+ ms", first_token)
    models = "not asked 13 models gpt-3.5-turbo"
    away = ["FAIL", "not asked", "not asked anonymous", models, "skipped", "-"]
    assert rows["flowgpt"] == away
    below = result.stdout.splitlines()[-1]
    assert below.startswith("flowgpt: could not connect to 127.0.0.1:")
    assert below.endswith("What to do: check the address, the network and the proxy.")
    assert "\x1b" not in result.stdout


def _rows(table: str) -> dict[str, list[str]]:
    """The cells of each provider, the lines of a cell joined."""
    head, _, rest = table.lstrip("\n ").partition("\n")
    starts = [head.index(title) for title in _COLUMNS]
    rows: dict[str, list[str]] = {}
    name = ""
    for line in [head, *rest.partition("\n\n")[0].splitlines()[1:]]:
        found, *cells = (line[a:b].strip() for a, b in pairwise([*starts, None]))
        name = found or name
        above = rows.get(name, [""] * len(cells))
        rows[name] = [f"{a} {b}".strip() for a, b in zip(above, cells, strict=True)]
    return rows


def test_table_of_doctor_at_a_terminal_is_coloured(services: dict[str, Any]) -> None:
    """At a terminal one sees whom it is waiting for, and red where something is wrong."""
    with Terminal("doctor", "--provider", "flowgpt", "--base-url", CLOSED) as terminal:
        assert terminal.exit_code() == 1
    assert "asking flowgpt" in terminal.seen
    assert "\x1b[1;31mFAIL" in terminal.seen


def test_report_at_a_narrow_terminal_is_a_list(services: dict[str, Any]) -> None:
    """Every column of the table is there, a line for each, and nothing is wider than the screen."""
    with Terminal("doctor", "--provider", "huggingchat", columns=40) as terminal:
        assert terminal.exit_code() == 0
    lines = re.sub(r"\x1b\[[\d;]*m", "", terminal.seen.rpartition("\x1b[2K")[2]).splitlines()
    told = dict(re.split(r" {2,}", line.strip(), maxsplit=1) for line in lines if line.strip())
    assert list(told) == list(_COLUMNS)
    assert told["server"] == "ok, chat-ui current"
    assert told["models"] == "ok, 4 models, omni"
    assert max(map(len, lines)) <= 40


def test_no_credential_is_shown_even_if_the_service_repeats_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the table nor the JSON holds a cookie or a token, whatever a server says."""
    said = Reply("", error=(500, f"who is {CANARY}?"))
    with Sandbox(reply=said) as chat_ui, FlowGptSandbox(reply=said) as flowgpt:
        for name, server in (("HUGGINGCHAT", chat_ui), ("FLOWGPT", flowgpt)):
            monkeypatch.setenv(f"{name}_BASE_URL", server.base_url)
        monkeypatch.setenv("HUGGINGCHAT_COOKIES", f"hf-chat={CANARY}; token=also-{CANARY}")
        monkeypatch.setenv("FLOWGPT_TOKEN", CANARY)
        user = {"json": {"username": f"ada {CANARY}"}}
        answer_at(chat_ui, "/api/v2/user", JSONResponse(user))
        flowgpt._app.tokens.add(CANARY)
        for options in (["--json"], []):
            result = run("--provider", "huggingchat", "--provider", "flowgpt", *options)
            assert result.exit_code == 1
            assert "ada **********" in result.stdout
            assert CANARY not in result.output


def test_what_a_service_says_steers_no_terminal() -> None:
    """Names and errors are shown as text: no escape sequence, and no markup."""
    with Sandbox(reply=Reply("", error=(500, "[bold]broken\x1b[31m\u202e"))) as server:
        name = "[red]\x1b[31mred\nmodel\u202e[/red]"
        answer_at(server, "/models", JSONResponse({"json": [{"id": name}]}))
        result = run("--provider", "huggingchat", "--base-url", server.base_url, "--model", "omni")
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    assert "[red]" in result.stdout
    assert "[bold]broken" in result.stdout
