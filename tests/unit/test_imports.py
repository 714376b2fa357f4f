from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys

import pytest

import langchain_g4f
from langchain_g4f import errors
from tests.strict import STRICT

PUBLIC = sorted(
    [
        "Account",
        "BaseChatG4F",
        "ChatFlowGpt",
        "ChatG4F",
        "ChatGradioSpace",
        "ChatHuggingChat",
        "ChatMicrosoftPhi4",
        "Clocks",
        "__version__",
        "alogin",
        "awhoami",
        "g4f_chat_model",
        "login",
        "logout",
        "whoami",
        *errors.__all__,
    ]
)

HEAVY = (
    "curl_cffi",
    "h11",
    "httpcore",
    "httpx",
    "langgraph",
    "rich",
    "starlette",
    "typer",
    "uvicorn",
)


def loaded_by(statement: str) -> set[str]:
    """Those of `HEAVY` that a fresh interpreter has imported after `statement`."""
    program = f"import sys\n{statement}\nprint(*(n for n in {HEAVY!r} if n in sys.modules))"
    done = subprocess.run(
        [*STRICT, "-c", program],
        env={**os.environ, "HUGGINGCHAT_COOKIES": "hf-chat=1"},
        capture_output=True,
        check=True,
        text=True,
    )
    return set(done.stdout.split())


@pytest.mark.proves("promise:public-names")
def test_documented_names_and_no_others_are_exported() -> None:
    """The list of the package is the list users were told."""
    assert sorted(langchain_g4f.__all__) == PUBLIC


@pytest.mark.proves("promise:public-names")
@pytest.mark.parametrize("name", PUBLIC)
def test_exported_name_can_be_imported(name: str) -> None:
    """Each name leads to the object of that name."""
    found = getattr(langchain_g4f, name)
    assert getattr(found, "__name__", name) == name


def test_name_that_is_not_there_is_an_attribute_error() -> None:
    """A lazy package fails like any other module."""
    with pytest.raises(AttributeError, match="no attribute 'ChatNobody'"):
        langchain_g4f.ChatNobody  # noqa: B018 -- that it fails is the point


@pytest.mark.parametrize(
    "name", [m.name for m in pkgutil.walk_packages(langchain_g4f.__path__, "langchain_g4f.")]
)
def test_public_names_of_each_module_exist(name: str) -> None:
    """Whatever a module lists in `__all__` is in it."""
    if name.endswith("__main__"):
        return
    module = importlib.import_module(name)
    for public in getattr(module, "__all__", []):
        assert hasattr(module, public)


@pytest.mark.proves("promise:error-tree")
def test_every_error_is_listed_by_its_module() -> None:
    """An error that can be raised can be imported to be caught."""
    raised = {
        name
        for name, found in vars(errors).items()
        if isinstance(found, type) and issubclass(found, errors.G4FError)
    }
    assert raised == set(errors.__all__)
    assert all(name.endswith("Error") for name in raised)


@pytest.mark.proves("promise:light-import")
@pytest.mark.parametrize(
    "statement",
    [
        "import langchain_g4f",
        "from langchain_g4f import ChatHuggingChat, BaseChatG4F, Clocks, G4FError",
        "from langchain_g4f import ChatHuggingChat; ChatHuggingChat(model='x', timeout=3)",
        "from langchain_g4f import ChatGradioSpace; ChatGradioSpace(space='a/b', timeout=3)",
        "from langchain_g4f import ChatMicrosoftPhi4; ChatMicrosoftPhi4(model='phi-4')",
        "import langchain_g4f.errors, langchain_g4f.core.events, langchain_g4f.testing",
        "import langchain_g4f.testing.plugin",
    ],
)
def test_import_loads_no_http_library_and_no_extra(statement: str) -> None:
    """They are loaded at the first call that needs them, not before."""
    assert loaded_by(statement) == set()


@pytest.mark.proves("promise:light-import")
def test_package_alone_does_not_even_load_langchain() -> None:
    """The names are imported when they are asked for."""
    program = "import sys, langchain_g4f; print('langchain_core' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert done.stdout.split() == ["False"]
