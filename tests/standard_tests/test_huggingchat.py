"""The suites of langchain-tests on ChatHuggingChat."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests
from pydantic import SecretStr
from syrupy.assertion import SnapshotAssertion

from langchain_g4f import ChatHuggingChat
from langchain_g4f.testing import Sandbox

MODEL = "sandbox/text-small"
OTHER_MODEL = "sandbox/vision-tools"


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
    def has_tool_calling(self) -> bool:
        return False

    @property
    def has_structured_output(self) -> bool:
        return False

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
        " table; our round trip is tests/unit_tests/chat_models/test_serialization.py",
    )
    def test_serdes(self, model: BaseChatModel, snapshot: SnapshotAssertion) -> None:
        super().test_serdes(model, snapshot)


@pytest.mark.proves("promise:standard-integration-suite")
@pytest.mark.filterwarnings("ignore:Benchmark fixture was not used")  # while recording
class TestHuggingChatIntegration(ChatModelIntegrationTests):
    """What talks to a server, here the sandbox."""

    base_url = ""

    @pytest.fixture(autouse=True)
    def _on_the_sandbox(self, sandbox: Sandbox) -> None:
        type(self).base_url = sandbox.base_url

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatHuggingChat

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": MODEL, "base_url": self.base_url}

    @property
    def has_tool_calling(self) -> bool:
        return False

    @property
    def has_structured_output(self) -> bool:
        return False

    @property
    def returns_usage_metadata(self) -> bool:
        return False

    @property
    def model_override_value(self) -> str:
        return OTHER_MODEL

    @property
    def enable_vcr_tests(self) -> bool:
        return True
