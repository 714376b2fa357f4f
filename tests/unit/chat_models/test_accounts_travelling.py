"""What of an account travels with a chat model, and what is read where it arrives."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.load import dumps, loads

from langchain_g4f import BaseChatG4F, ChatFlowGpt
from langchain_g4f.auth import store
from tests.unit.chat_models.accounts import Case, by_case

CANARY = "canary-f3a91c77d2"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for settings of this test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    yield tmp_path
    store._warn_once.cache_clear()


def as_pickle(model: BaseChatG4F) -> tuple[str, BaseChatG4F]:
    """A pickle as text, and the model that comes out of it."""
    data = pickle.dumps(model)
    return repr(data), pickle.loads(data)  # noqa: S301 -- our own bytes


def as_json(model: BaseChatG4F) -> tuple[str, BaseChatG4F]:
    """LangChain's JSON, and the model that comes out of it."""
    text = dumps(model)
    found = loads(
        text,
        allowed_objects=[type(model)],
        valid_namespaces=["langchain_g4f"],
        secrets_from_env=True,
    )
    assert isinstance(found, BaseChatG4F)
    return text, found


by_form = pytest.mark.parametrize("form", [as_pickle, as_json])


@pytest.mark.proves("promise:serialization-without-secrets", "promise:pickle")
@by_case
@by_form
def test_login_stays_out_of_what_is_written_and_is_read_again(case: Case, form: Any) -> None:
    """As it is where and when the model is loaded, of the same profile."""
    file = case.keep(CANARY, "work")
    model = case.make(login_profile="work")
    assert case.shown(model) == CANARY
    assert CANARY not in repr(model)
    text, loaded = form(model)
    assert CANARY not in text
    assert loaded.login_profile == "work"
    assert case.shown(loaded) == CANARY
    file.forget()
    assert case.shown(form(model)[1]) is None


@pytest.mark.proves("promise:serialization-without-secrets", "promise:pickle")
@by_case
@by_form
def test_loaded_model_looks_for_its_login_in_the_same_order(
    case: Case, form: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment of the place where it is loaded comes before the file there."""
    case.keep("kept")
    monkeypatch.setenv(*case.environment(CANARY))
    model = case.make()
    assert case.shown(form(model)[1]) == CANARY
    monkeypatch.delenv(case.variable)
    assert CANARY not in form(model)[0]
    assert case.shown(form(model)[1]) == "kept"


@pytest.mark.proves("promise:pickle")
@by_case
def test_argument_does_not_travel_and_is_looked_for_where_the_model_is_loaded(case: Case) -> None:
    """What is found there may be read again, as it was not given."""
    case.keep("kept")
    text, loaded = as_pickle(case.make(**case.given(CANARY)))
    assert CANARY not in text
    assert case.shown(loaded) == "kept"
    assert case.field not in loaded.model_fields_set


@pytest.mark.proves("promise:deep-copy")
@by_case
def test_copies_have_the_account_of_the_model(case: Case) -> None:
    """Until one is given another profile, which is then read."""
    case.keep("kept")
    case.keep("work", "work")
    model = case.make(on_login_required=print)
    for copied in (copy.copy(model), copy.deepcopy(model), model.model_copy()):
        assert case.shown(copied) == "kept"
        assert copied.on_login_required is print
    other = model.model_copy(update={"login_profile": "work"})
    assert case.shown(other) == "work"
    assert case.shown(case.make(**case.given("given")).model_copy()) == "given"


def test_application_that_is_asked_is_not_written_down() -> None:
    """It is the caller's, and a window cannot be opened anywhere else."""
    model = ChatFlowGpt(on_login_required=print)
    assert "on_login_required" not in repr(model) + dumps(model) + str(model.model_dump())
