"""The models of a provider, and their names."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from langchain_g4f import ChatG4F
from langchain_g4f.errors import RateLimitError
from tests.g4f_standins import errors, providers_old
from tests.g4f_standins.providers_new import AsyncGeneratorProvider, scripted
from tests.g4f_standins.responses_old import ProviderInfo
from tests.unit.chat_models.ways import WAYS, ask

MODELS = ["big", "small", "org/Nice-7B", "other/nice-7b", "x/free"]
ALIASES = {"large": "big", "any": ["small", "big"], "auto": "small"}


def model_of(**attributes: Any) -> ChatG4F:
    """A model whose provider has these."""
    return ChatG4F(provider=scripted(AsyncGeneratorProvider, "a", **attributes))


def lookup(name: str, proof: str, asked: str | None, found: str, **attributes: Any) -> Any:
    """A row of the table."""
    given = {"models": MODELS, "model_aliases": ALIASES, "default_model": "big", **attributes}
    marks = pytest.mark.proves(f"g4f:3:{proof}")
    return pytest.param(asked, found, given, id=name, marks=marks)


@pytest.mark.parametrize(
    ("asked", "found", "attributes"),
    [
        lookup("nothing", "default", None, "big"),
        lookup("empty", "default", "", "big"),
        lookup("auto", "default", "auto", "big"),
        lookup("default is an alias", "default", None, "big", default_model="large"),
        lookup("no default", "no-default", None, "x/free", default_model=None),
        lookup(
            "no default, auto", "no-default", "", "auto", default_model="", models=["a", "auto"]
        ),
        lookup("no default, no free one", "no-default", "", "", default_model="", models=["a"]),
        lookup("alias", "alias", "large", "big"),
        lookup("alias of several", "alias", "any", "small"),
        lookup("aliases are None", "alias", "large", "large", model_aliases=None),
        lookup("listed", "listed", "small", "small"),
        lookup("ending", "ending", "nice-7b", "org/Nice-7B"),
        lookup("unknown", "unknown", "who?", "who?"),
        lookup("no list", "unknown", "who?", "who?", models=[]),
    ],
)
def test_name_is_looked_up(asked: str | None, found: str, attributes: dict[str, Any]) -> None:
    """As the newer generation does, without a draw, and with nothing written."""
    model = model_of(**attributes)
    assert model.get_model(asked) == found
    assert model.wrapped.default_model == attributes["default_model"]


@pytest.mark.proves("g4f:3:unknown", "g4f:3:last-model")
def test_old_lookup_with_its_errors_and_writes_is_not_asked() -> None:
    """An unknown name is the provider's to refuse, when it is called."""
    provider = type("Old", (providers_old.ProviderModelMixin, AsyncGeneratorProvider), {})
    provider.models = ["a"]  # type: ignore[attr-defined]
    with pytest.raises(errors.OLD["ModelNotSupportedError"]):
        provider.get_model("b")  # type: ignore[attr-defined]
    assert ChatG4F(provider=provider).get_model("b") == "b"
    assert provider.last_model == ""  # type: ignore[attr-defined]


def listing(found: Any, **attributes: Any) -> Any:
    """A provider that lists these, and keeps what it was given."""
    asked: list[dict[str, Any]] = []

    def get_models(**given: Any) -> Any:
        asked.append(given)
        if isinstance(found, Exception):
            raise found
        return found

    async def get_models_later(**given: Any) -> Any:
        return get_models(**given)

    later = attributes.pop("later", False)
    get = staticmethod(get_models_later if later else get_models)
    return scripted(AsyncGeneratorProvider, "a", get_models=get, asked=asked, **attributes)


@pytest.mark.proves("g4f:3:get-models")
@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize(
    ("found", "wanted"),
    [(["a", "b"], ["a", "b"]), ({"a": 1}, ["a"]), ([], ["big"]), (None, ["big"])],
)
async def test_models_are_listed(found: Any, wanted: list[str], later: bool) -> None:
    """Sync or async, in and outside of a loop, and with what the caller is known by."""
    provider = listing(found, default_model="big", later=later)
    model = ChatG4F(provider=provider, api_key="made-up")
    assert model.get_models() == wanted
    assert await model.aget_models() == wanted
    assert await asyncio.to_thread(model.get_models) == wanted
    assert provider.asked == [{"api_key": "made-up"}] * 3


@pytest.mark.proves("g4f:3:get-models")
async def test_models_without_a_method_are_those_of_the_attributes() -> None:
    """And the default, if there are none."""
    assert model_of(models=["a"], image_models=["b"]).get_models() == ["a", "b"]
    assert model_of().get_models() == ["default"]
    assert await model_of(default_model="").aget_models() == []
    strict = scripted(AsyncGeneratorProvider, get_models=staticmethod(lambda: ["a"]))
    assert ChatG4F(provider=strict, api_key="made-up").get_models() == ["a"]


@pytest.mark.proves("g4f:3:get-models")
@pytest.mark.parametrize("later", [False, True])
async def test_service_that_does_not_list_is_an_error(later: bool) -> None:
    """Ours, with its own behind it."""
    failure = errors.NEW["RateLimitError"]("Response 429: slow down")
    model = ChatG4F(provider=listing(failure, later=later))
    with pytest.raises(RateLimitError, match="slow down") as caught:
        model.get_models()
    assert caught.value.__cause__ is failure
    with pytest.raises(RateLimitError):
        await model.aget_models()


@pytest.mark.proves("g4f:3:name-passed", "g4f:3:last-model", "g4f:5:provider-info")
@pytest.mark.parametrize("way", WAYS)
async def test_name_goes_out_as_given_and_metadata_say_who_answered(way: str) -> None:
    """Aliases are the provider's to resolve."""
    provider = scripted(
        AsyncGeneratorProvider,
        ProviderInfo(name="Real", url="", label="Real", model="big-2"),
        "a",
        model_aliases=ALIASES,
    )
    model = ChatG4F(provider=provider, model="large")
    answer = await ask(model, way, "hi")
    assert provider.calls[0].model == "large"
    assert answer.response_metadata["model_name"] == "big-2"
    assert answer.response_metadata["provider"] == "Real"
    assert model.last_model == "big-2"
    plain = model_of()
    assert (await ask(plain, way, "hi", model="m")).response_metadata["model_name"] == "m"
    assert plain.last_model == "m"
