"""A model by the name of its provider, and the parameters it has."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from langchain_g4f import ChatFlowGpt, ChatG4F, ChatHuggingChat, g4f_chat_model
from langchain_g4f.chat_models.parameters import Parameter
from langchain_g4f.errors import ConfigurationError
from tests.g4f_standins import providers_new
from tests.g4f_standins.providers_new import AsyncGeneratorProvider, StandIn, Thorough, scripted

SOME = scripted(AsyncGeneratorProvider, "a", name="Some")


@pytest.mark.proves("g4f:9:by-name")
@pytest.mark.parametrize(
    ("name", "model"), [("Some", None), ("Some:big", "big"), ("Some:org/big:free", "org/big:free")]
)
@pytest.mark.parametrize("form", ["mapping", "module", "imported"])
def test_provider_is_found_by_its_name(
    form: str, name: str, model: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a mapping, in a module, or in that of a g4f that the program has imported."""
    module = ModuleType("g4f.Provider")
    module.__dict__.update(Some=SOME, other=7)
    monkeypatch.setitem(sys.modules, "g4f.Provider", module)
    forms: dict[str, dict[str, Any]] = {
        "mapping": {"providers": {"Some": SOME}},
        "module": {"providers": module},
        "imported": {},
    }
    found = g4f_chat_model(name, **forms[form], run_in_thread=True)
    assert isinstance(found, ChatG4F)
    assert (found.wrapped, found.model, found.run_in_thread) == (SOME, model, True)


@pytest.mark.proves("g4f:9:by-name")
@pytest.mark.parametrize(
    ("name", "given", "model"),
    [
        ("Thorough", {}, None),
        ("Thorough:big", {}, "big"),
        ("Thorough:a:b", {}, "a:b"),
        ("Thorough", {"model": "big"}, "big"),
        ("Thorough:small", {"model": "big"}, "big"),
    ],
)
def test_provider_is_found_where_it_can_be_imported_from(
    name: str, given: dict[str, Any], model: str | None
) -> None:
    """As `module:Name:model`; a model that is given besides wins."""
    found = g4f_chat_model(f"{providers_new.__name__}:{name}", **given)
    assert isinstance(found, ChatG4F)
    assert (found.wrapped, found.model) == (Thorough, model)


@pytest.mark.proves("g4f:9:by-name")
def test_our_own_services_are_found_by_their_names() -> None:
    """They come before classes of that name."""
    assert isinstance(g4f_chat_model("flowgpt:gemini", providers={"flowgpt": SOME}), ChatFlowGpt)
    assert isinstance(g4f_chat_model("huggingchat"), ChatHuggingChat)


@pytest.mark.parametrize("providers", [None, {}, {"Some": SOME}, object()])
def test_name_that_nothing_has_is_refused_with_those_there_are(providers: Any) -> None:
    """Ours, and the classes that can answer."""
    with pytest.raises(
        ConfigurationError, match="no provider 'Other'; there are: huggingchat,"
    ) as c:
        g4f_chat_model("Other:model", providers=providers)
    assert ("Some" in str(c.value)) is (providers == {"Some": SOME})


class Typed(StandIn):
    @classmethod
    async def create_async_generator(  # type: ignore[no-untyped-def]
        cls,
        model: str,
        messages: list[Any],
        temperature: float = 0.7,
        style: str | None = None,
        odd: Any = object,
        *args: Any,
        untyped=3,  # noqa: ANN001 -- that is the case
        guidance_scale: float | None = None,
    ) -> Any:
        yield "a"


@pytest.mark.proves("g4f:9:parameters")
def test_parameters_of_the_signature_are_read() -> None:
    """Those that are no field of ours, with type and default."""
    found = ChatG4F(provider=Typed).get_parameters()
    assert found["style"] == Parameter("style", "str | None", None, supported=True)
    assert found["untyped"] == Parameter("untyped", "any", 3, supported=True)
    assert found["odd"].default is object
    assert not {"model_", "messages", "cls", "args"} & set(found)
    as_json = ChatG4F(provider=Typed).get_parameters(as_json=True)
    assert as_json["untyped"] == {
        "name": "untyped",
        "type": "any",
        "default": 3,
        "supported": True,
    }
    assert as_json["odd"]["default"] == str(object)


@pytest.mark.proves("g4f:9:parameters")
def test_parameters_say_whether_they_count() -> None:
    """Yes where the signature names them, no where it takes nothing else, else perhaps."""
    strict = ChatG4F(provider=Typed)
    vague = ChatG4F(provider=scripted(AsyncGeneratorProvider, "a"))
    for model, named, unnamed in ((strict, True, False), (vague, None, None)):
        found = model.get_parameters()
        assert found["temperature"].supported is named
        assert found["guidance_scale"].supported is named
        assert found["seed"].supported is unnamed
        assert found["stop"].supported is True
        assert found["impersonate"].supported is False
    assert "seed: int | None = None  (has no effect)" in strict.params.splitlines()
    assert "seed: int | None = None  (may have no effect)" in vague.params.splitlines()
    assert "temperature: float | None = None" in strict.params.splitlines()


@pytest.mark.proves("g4f:9:parameters")
def test_entry_point_that_says_nothing_may_take_anything() -> None:
    """As those of built-in types do."""
    facts = ChatG4F(provider=type("S", (), {"create_completion": min})).facts
    assert facts.takes_anything
    assert facts.parameters == {}


@pytest.mark.proves("g4f:9:parameters")
def test_our_own_chat_models_have_them_too() -> None:
    """By the same method."""
    found = ChatHuggingChat().get_parameters(as_json=True)
    assert found["temperature"]["supported"] is False
    assert found["max_retries"] == {
        "name": "max_retries",
        "type": "int",
        "default": 2,
        "supported": True,
    }
