"""Apps as people write them, on real Gradio servers of seven versions.

`make test-gallery` builds the environments. ``-k 6.31.0`` and ``-k "qwen and 4.44.1"`` choose.
"""

from __future__ import annotations

import asyncio
import json
import warnings
from pathlib import Path

import pytest

from tests.servers.gallery.checks import Fault, Talk, checks
from tests.servers.gallery.gallery import APPS, REPORTS, VERSIONS, Server

pytestmark = [pytest.mark.gallery, pytest.mark.timeout(150)]

_CHECK_S = 25.0


async def faults_of(server: Server, app: str, folder: Path) -> dict[str, str]:
    """Return what is wrong with the app, by check and way."""
    faults = {}
    for way in ("stream", "astream"):
        talk = Talk(server, APPS[app], way, folder)
        for check in checks(APPS[app]):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    await asyncio.wait_for(check(talk), _CHECK_S)
            except Fault as fault:
                faults[f"{check.__name__}, {way}"] = str(fault)
            except Exception as error:  # noqa: BLE001 - all that an app may cause belongs to the table
                faults[f"{check.__name__}, {way}"] = f"{type(error).__name__}: {error}"
    return faults


@pytest.mark.parametrize(
    ("version", "app"),
    [(version, app) for version in VERSIONS for app in APPS if APPS[app].on(version)],
)
async def test_app_is_as_it_should_be(version: str, app: str, tmp_path: Path) -> None:
    """Streams, memory, branches, settings, four at once, cancelling, and what is special to it."""
    with Server(version, app, tmp_path) as server:
        faults = await faults_of(server, app, tmp_path)
        output = server.output
    report = REPORTS / version / f"{app}.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(faults, indent=1))
    assert faults == {}, output
