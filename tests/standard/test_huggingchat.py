"""The suites of langchain-tests on ChatHuggingChat."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests
from pydantic import SecretStr
from syrupy.assertion import SnapshotAssertion

from langchain_g4f import ChatHuggingChat
from langchain_g4f.core.chat_request import Media
from langchain_g4f.core.plan import PlanOf
from langchain_g4f.providers.huggingchat import files
from langchain_g4f.testing import Prompt, Sandbox

MODEL = "sandbox/vision-tools"
OTHER_MODEL = "sandbox/text-small"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154"
    "78da63600000000200015d0b8d330000000049454e44ae426082"
)


@pytest.mark.proves("promise:standard-unit-suite")
@pytest.mark.filterwarnings("ignore:HuggingChat has no parameter:UserWarning")
class TestHuggingChatUnit(ChatModelUnitTests):
    """What needs no server."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatHuggingChat

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": MODEL, "base_url": "http://127.0.0.1:17860/chat"}

    @property
    def returns_usage_metadata(self) -> bool:
        return False

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        cookies = {"hf-chat": SecretStr("made-up"), "token": SecretStr("too")}
        environment = {
            "HUGGINGCHAT_BASE_URL": "http://127.0.0.1:17860/chat",
            "HUGGINGCHAT_COOKIES": "hf-chat=made-up; token=too",
        }
        return environment, self.chat_model_params, {"cookies": cookies, "model": MODEL}

    @pytest.mark.xfail(
        strict=True,
        raises=ValueError,
        reason="langchain_core.load with allowed_objects='all' admits only the classes in its own"
        " table; our round trip is tests/unit/chat_models/test_serialization.py",
    )
    def test_serdes(self, model: BaseChatModel, snapshot: SnapshotAssertion) -> None:
        super().test_serdes(model, snapshot)


class _Integration(ChatModelIntegrationTests):
    """What talks to a server, here the sandbox, whose model reads what it is told of tools.

    Skipped are PDF and sound, which the service does not take, and the counts of tokens, which it
    does not tell.
    """

    base_url = ""

    @pytest.fixture(autouse=True)
    def _on_the_sandbox(self, sandbox: Sandbox) -> None:
        type(self).base_url = sandbox.base_url

    @pytest.fixture(autouse=True)
    def _without_the_web(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # The suites fetch a picture from the public web, and have us fetch it.
        def get(url: str, **_: Any) -> httpx.Response:
            return httpx.Response(200, content=PNG)

        def download(url: str, **_: Any) -> PlanOf[Media]:
            yield from ()
            return Media(PNG, "image/png", url.rpartition("/")[2])

        monkeypatch.setattr(httpx, "get", get)
        monkeypatch.setattr(files, "download", download)

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatHuggingChat

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": MODEL, "base_url": self.base_url}

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
    def returns_usage_metadata(self) -> bool:
        return False

    @property
    def model_override_value(self) -> str:
        return OTHER_MODEL


@pytest.mark.proves("promise:standard-integration-suite")
@pytest.mark.filterwarnings("ignore:Benchmark fixture was not used")  # while recording
class TestHuggingChatIntegration(_Integration):
    """Structured output by a tool call, which is the default."""

    @property
    def enable_vcr_tests(self) -> bool:
        return True

    def test_image_inputs_arrive_byte_for_byte(
        self, model: BaseChatModel, sandbox: Sandbox
    ) -> None:
        """The model sees each picture of the suite's test: OpenAI's form, ours, and a URL."""
        before = len(sandbox.prompts)
        self.test_image_inputs(model)
        assert [Prompt("", said).images for said in sandbox.prompts[before:]] == [[PNG]] * 3

    def test_images_of_tools_arrive_byte_for_byte(
        self, model: BaseChatModel, sandbox: Sandbox
    ) -> None:
        """The model sees the picture that a tool gave, in OpenAI's form and in ours."""
        before = len(sandbox.prompts)
        self.test_image_tool_message(model)
        assert [Prompt("", said).images for said in sandbox.prompts[before:]] == [[PNG]] * 2


@pytest.mark.proves("promise:standard-integration-suite")
class TestHuggingChatJsonSchema(_Integration):
    """Structured output by JSON that is asked for.

    `test_stream_time` is skipped besides: it is played in the class above.
    """

    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        return {"method": "json_schema"}
