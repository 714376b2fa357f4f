"""Measures what the package requires of a transport, and the CPU per line."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.common import WrongTextError, markdown, middle, note, setting, tell
from benchmarks.server import Shared, serving
from benchmarks.transport.clients import NAMES, PATIENCE_S, Contender
from benchmarks.transport.faults import FaultyServer

_SHORT_S, _FLOOD_S = 0.5, 2.0
_MIB = 1024 * 1024


def _given_up(client: Contender, kind: str) -> str:
    """Milliseconds until the service notices that the client closed or cancelled."""
    server = FaultyServer()
    if kind == "mute":
        if not client.is_async:
            return "-"
        begun = client.cancel(f"{server.url}/mute", server.asked)
    else:
        client.open(f"{server.url}/{kind}")
        client.read()
        begun = time.perf_counter()
        client.close()
    if not server.gone.wait(PATIENCE_S):
        return f"more than {PATIENCE_S:g} s"
    return f"{1e3 * (server.gone_at - begun):.1f}"


def _timeout(client: Contender, kind: str) -> str:
    """The exception of a read timeout, and the seconds until it was raised."""
    begun = time.perf_counter()
    try:
        client.open(f"{FaultyServer().url}/{kind}", _SHORT_S)
        while client.read():
            begun = time.perf_counter()
    except Exception as exc:  # noqa: BLE001 -- which one it is, is the finding
        return f"{type(exc).__name__}, {time.perf_counter() - begun:.2f} s"
    return "nothing"


def _truncated(client: Contender) -> str:
    try:
        client.open(f"{FaultyServer().url}/cut")
        while client.read():
            pass
    except Exception as exc:  # noqa: BLE001 -- which one it is, is the finding
        return type(exc).__name__
    return "nothing"


def _without_timeout(client: Contender) -> str:
    client.open(f"{FaultyServer().url}/idle", None)
    found = "ok" if client.read() else "nothing"
    client.close()
    return found


def _flood(client: Contender) -> str:
    """Growth of resident memory in MiB while the client does not read."""
    client.open(f"{FaultyServer().url}/flood")
    gc.collect()
    before = _resident()
    client.rest(_FLOOD_S)
    growth = (_resident() - before) / _MIB
    client.close()
    return f"{growth:+.1f}"


def _resident() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


ROWS: dict[str, Callable[[Contender], str]] = {
    "close of a flowing stream, ms until the service sees it": lambda c: _given_up(c, "flow"),
    "close of an idle stream, ms": lambda c: _given_up(c, "idle"),
    "cancel before the headers, ms": lambda c: _given_up(c, "mute"),
    "read timeout 0.5 s: headers": lambda c: _timeout(c, "mute"),
    "read timeout 0.5 s: body": lambda c: _timeout(c, "idle"),
    "truncated body": _truncated,
    "no timeout at all": _without_timeout,
    "2 s of a flood that is not read, MiB": _flood,
}
SHAPES = {"bursts": "64 lines a packet", "lines": "one packet a line", "paced": "one line a read"}


def _contenders() -> Iterator[Contender]:
    for name in NAMES:
        client = Contender(name)
        yield client
        client.end()


def measure_cpu(rounds: int, count: int) -> dict[str, dict[str, list[float]]]:
    """Measure the CPU per line in µs, by shape and client, once for each round."""
    found: dict[str, dict[str, list[float]]] = {s: {n: [] for n in NAMES} for s in SHAPES}
    clients = [Contender(name) for name in NAMES]
    with serving(count) as (server, shared):
        for number in range(rounds + 1):
            tell(f"round {number} of {rounds}")
            for shape in SHAPES:
                for client in clients[:: -1 if number % 2 else 1]:
                    cpu_us = _cpu(client, f"{server}/{shape}/chat/conversation/x", shared, count)
                    if number:  # the first round warms up
                        found[shape][client.name].append(cpu_us)
    for client in clients:
        client.end()
    return found


def _cpu(client: Contender, url: str, shared: Shared, count: int) -> float:
    def seen(lines: int) -> None:
        shared.seen.value = lines - 1  # the first line is not a token

    shared.seen.value = 0
    gc.collect()
    begun = time.process_time()
    client.open(url)
    lines = client.read_lines(seen)
    spent = time.process_time() - begun
    client.close()
    if lines != count + 3:
        msg = f"{client.name}: {lines} lines instead of {count + 3}"
        raise WrongTextError(msg)
    return 1e6 * spent / lines


def table(rounds: int, count: int) -> str:
    """The table as Markdown, with a note."""
    columns = []
    for client in _contenders():
        tell(client.name)
        columns.append([measure(client) for measure in ROWS.values()])
    rows = [["", *NAMES]]
    rows += [[name, *found] for name, *found in zip(ROWS, *columns, strict=True)]
    for shape, by_name in measure_cpu(rounds, count).items():
        row = [f"CPU of a line, µs (to httpx): {SHAPES[shape]}"]
        for name in NAMES:
            base = by_name[f"httpx {name.rpartition(' ')[2]}"]
            ratios = [ours / theirs for ours, theirs in zip(by_name[name], base, strict=True)]
            row.append(f"{middle(by_name[name]):.1f} ({middle(ratios):.2f})")
        rows.append(row)
    how = f"{rounds} rounds of {count} lines for the CPU, the rest once"
    return f"{markdown(rows)}\n\n{note(setting(('httpx', 'curl_cffi')), how)}"
