"""The suites of langchain-tests on ChatG4F, whose provider calls tools itself, or does not."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.load import dumps, loads
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests
from syrupy.assertion import SnapshotAssertion

from langchain_g4f import ChatG4F
from langchain_g4f.core.chat_request import Media
from langchain_g4f.core.plan import PlanOf
from langchain_g4f.g4f_adapter import request
from tests.g4f_standins.providers import StandIn, scripted
from tests.g4f_standins.tool_models import CallsTools, ReadsTools

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154"
    "78da63600000000200015d0b8d330000000049454e44ae426082"
)


@pytest.mark.proves("promise:standard-unit-suite")
class TestG4FUnit(ChatModelUnitTests):
    """What needs no provider that answers.

    Skipped is the environment: what a provider class is called with is no matter of a variable.
    """

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatG4F

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"provider": ReadsTools, "model": "words", "api_key": "made-up"}

    @pytest.mark.xfail(
        strict=True,
        raises=ValueError,
        reason="langchain_core.load with allowed_objects='all' admits only the classes in its own"
        " table; our round trip is beside it",
    )
    def test_serdes(self, model: BaseChatModel, snapshot: SnapshotAssertion) -> None:
        super().test_serdes(model, snapshot)

    @pytest.mark.filterwarnings("ignore:The function `loads` is in beta")
    def test_serialized_model_loads_again(self, model: BaseChatModel) -> None:
        """Its provider is named, and its key is not."""
        written = dumps(model)
        assert "made-up" not in written + repr(model)
        loaded = loads(
            written, allowed_objects=[ChatG4F], valid_namespaces=["langchain_g4f"], secrets_map={}
        )
        assert isinstance(loaded, ChatG4F)
        assert loaded.wrapped is ReadsTools
        assert loaded.invoke("hi").text == "Echo (words, turn 1): hi"


class _Integration(ChatModelIntegrationTests):
    """What asks a provider, here a class of this process, so that there is nothing to record.

    Skipped are PDF and sound, and the test that is played from a cassette.
    """

    base: type[StandIn]
    provider: type[StandIn]

    @pytest.fixture(autouse=True)
    def _with_records_of_its_own(self) -> None:
        type(self).provider = scripted(self.base)

    @pytest.fixture(autouse=True)
    def _without_the_web(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # The suites fetch a picture from the public web, and have us fetch it.
        def get(url: str, **_: Any) -> httpx.Response:
            return httpx.Response(200, content=PNG)

        def download(url: str, **_: Any) -> PlanOf[Media]:
            yield from ()
            return Media(PNG, "image/png", url.rpartition("/")[2])

        monkeypatch.setattr(httpx, "get", get)
        monkeypatch.setattr(request, "download", download)

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatG4F

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"provider": self.provider}

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_urls(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "another"

    def test_profile_says_the_same(self, model: BaseChatModel) -> None:
        """Of images, what is declared here."""
        assert model.profile
        assert model.profile["image_inputs"] is self.supports_image_inputs
        assert model.profile["image_url_inputs"] is self.supports_image_urls

    def test_images_arrive_byte_for_byte(self, model: BaseChatModel) -> None:
        """The provider gets each picture of the suite's tests, of messages and of tools."""
        self.test_image_inputs(model)
        self.test_image_tool_message(model)
        given = [file for call in self.provider.calls for file in call.given["media"] or ()]
        assert [data for data, _ in given] == [PNG] * 5


@pytest.mark.proves("promise:standard-integration-suite", "g4f:8:tools")
class TestG4FEmulated(_Integration):
    """Structured output by a tool call that is asked for in words."""

    base = ReadsTools


@pytest.mark.proves("promise:standard-integration-suite", "g4f:8:structured-output")
class TestG4FEmulatedJsonSchema(_Integration):
    """Structured output by JSON that is asked for."""

    base = ReadsTools

    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        return {"method": "json_schema"}


@pytest.mark.proves("promise:standard-integration-suite", "g4f:8:tools")
class TestG4FNative(_Integration):
    """Structured output by a tool call of the provider's own, which comes in pieces."""

    base = CallsTools


@pytest.mark.proves("promise:standard-integration-suite", "g4f:8:structured-output")
class TestG4FNativeJsonSchema(_Integration):
    """Structured output by the provider's own format."""

    base = CallsTools

    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        return {"method": "json_schema"}
