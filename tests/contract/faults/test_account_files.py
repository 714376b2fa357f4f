"""Logins that are kept in a file with which something is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from langchain_g4f import BaseChatG4F
from langchain_g4f.auth import store
from langchain_g4f.auth.store import CredentialFile
from langchain_g4f.errors import AuthenticationError, G4FError
from tests.contract.faults.harness import ask, by_call, fail
from tests.contract.faults.kept_logins import (
    FRESH,
    STALE,
    gated,
    keep,
    model_of,
    values,
)
from tests.contract.faults.registry import (
    CANARY,
    Provider,
    fault,
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for settings of this test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    yield tmp_path
    store._warn_once.cache_clear()


def shared(file: CredentialFile) -> None:
    """Let others read it."""
    file.path.chmod(0o644)


def linked(file: CredentialFile) -> None:
    """Put a link in its place."""
    there = file.path.with_suffix(".there")
    file.path.rename(there)
    file.path.symlink_to(there)


@fault(44)
@pytest.mark.parametrize("harm", [shared, linked])
async def test_login_that_others_can_touch_is_refused_before_anything_is_sent(
    provider: Provider, harm: Callable[[CredentialFile], None]
) -> None:
    """The way to mend it is in the error, the credential is not."""
    with provider.server() as server:
        harm(keep(provider, server, FRESH))
        with pytest.raises(ValueError, match=r"chmod 600|rm ") as caught:
            model_of(provider, server)
        assert server.requests == []
    assert CANARY not in f"{caught.value} {caught.value!r}"


@fault(44)
@by_call
@pytest.mark.parametrize("harm", [shared, linked])
async def test_login_that_others_can_touch_renews_nothing(
    provider: Provider, way: str, harm: Callable[[CredentialFile], None]
) -> None:
    """The service's refusal is the error, and nothing of the file was sent."""
    with provider.server(**gated(provider)) as server:
        keep(provider, server, STALE)
        model = model_of(provider, server)
        harm(keep(provider, server, FRESH))
        await fail(model, way, AuthenticationError, host=None)
        assert values(provider, server) == [STALE]


@fault(44)
@by_call
async def test_login_that_is_half_written_is_ignored_with_a_warning(
    provider: Provider, way: str
) -> None:
    """When a model is made, and when one looks for another login."""
    with provider.server(**gated(provider)) as server:
        file = keep(provider, server, STALE)
        model = model_of(provider, server)
        file.path.write_text(json.dumps({"version": 1, "api_key": FRESH})[:-1])
        with pytest.warns(UserWarning, match="is not what this package writes") as warned:
            await fail(model, way, AuthenticationError, host=None)
        assert CANARY not in str(warned[0].message)
        with pytest.warns(UserWarning, match="is not what this package writes"):
            model = model_of(provider, server)
        await _fail_with_warning(model, way)
        assert FRESH not in values(provider, server)


async def _fail_with_warning(model: BaseChatG4F, way: str) -> None:
    with (
        pytest.warns(UserWarning, match="is not what this package writes"),
        pytest.raises(G4FError),
    ):
        await ask(model, way)


@fault(44)
@by_call
async def test_folder_that_cannot_be_written_does_not_matter_to_a_call(
    provider: Provider, way: str, home: Path
) -> None:
    """The login that was given works, unsaved, and the warning comes once."""
    (home / "langchain-g4f").write_bytes(b"")
    with provider.server() as server:
        model = provider.model(server)
        with pytest.warns(UserWarning, match="sessions are not kept") as warned:
            assert not model.keep_login()
        assert not model.keep_login()
        assert (await ask(model, way)).text == "Hello there"
    assert CANARY not in str(warned[0].message)
