"""The suites of langchain-tests on real Gradio servers of both lines.

A media test of the suites asks for no more than that nothing is raised. So beside each stands one
that looks at the bytes which the app received.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.conftest import base_vcr_config
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests
from syrupy.assertion import SnapshotAssertion
from vcr.request import Request  # type: ignore[import-untyped]

from langchain_g4f import ChatGradioSpace, ChatMicrosoftPhi4
from langchain_g4f.core.chat_request import Media
from langchain_g4f.core.plan import PlanOf
from langchain_g4f.providers.gradio_space import files
from langchain_g4f.testing import GradioSpace
from tests.servers.gradio.acceptance import NOWHERE, SOUNDS, last_calls
from tests.servers.gradio.conftest import PNG, Space
from tests.servers.gradio.hub import SPACE

pytestmark = pytest.mark.servers

CASSETTES = Path(__file__).parents[3] / "cassettes" / "standard"
ADDRESS = "http://127.0.0.1:17860"
WAV = SOUNDS["wav"][1]


@pytest.fixture(scope="module")
def vcr_cassette_dir() -> str:
    """Where all cassettes are."""
    return str(CASSETTES)


@pytest.fixture(scope="module")
def vcr_config() -> dict[str, Any]:
    """The suites' own settings; to record again, run with `--record-mode=rewrite`."""
    config = base_vcr_config()
    # These two would be stronger than the fixture above and the command line.
    del config["cassette_library_dir"], config["record_mode"]
    config["before_record_request"] = _settle
    config["before_record_response"] = _without_schemas
    return config


def _settle(request: Request) -> Request:
    """Put fixed values where each run has its own: port and session."""
    request.uri = re.sub(r"(?<=127\.0\.0\.1):\d+", ":17860", request.uri)
    request.uri = re.sub(r"(?<==)[0-9a-f]{32}", "0" * 32, request.uri)
    request.headers = {
        name: re.sub(r"(?<=127\.0\.0\.1):\d+", ":17860", value)
        for name, value in request.headers.items()
    }
    if isinstance(request.body, bytes):
        request.body = re.sub(rb'(?<=")[0-9a-f]{32}(?=")', b"0" * 32, request.body)
    return request


def _without_schemas(response: dict[str, Any]) -> dict[str, Any]:
    """Leave out the time, and what Gradio says of its components' types in `/config`."""
    dropped = {"content-length", "date"}
    kept = {n: v for n, v in response["headers"].items() if n.lower() not in dropped}
    body = response["body"]["string"]
    if body.startswith(b'{"version"'):
        described = json.loads(body)
        for component in described["components"]:
            for name in [n for n in component if n.startswith("api_info") or n == "example_inputs"]:
                del component[name]
        body = json.dumps(described).encode()
    return {**response, "headers": kept, "body": {"string": body}}


class _Unit(ChatModelUnitTests):
    """What holds for both classes, without a server."""

    @property
    def returns_usage_metadata(self) -> bool:
        return False

    @pytest.mark.xfail(
        strict=True,
        raises=ValueError,
        reason="langchain_core.load with allowed_objects='all' admits only the classes in its own"
        " table; our round trip is tests/unit/chat_models/test_serialization.py",
    )
    def test_serdes(self, model: BaseChatModel, snapshot: SnapshotAssertion) -> None:
        super().test_serdes(model, snapshot)


@pytest.mark.proves("promise:standard-unit-suite")
class TestMicrosoftPhi4Unit(_Unit):
    """Phi-4, without a server."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatMicrosoftPhi4

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"base_url": ADDRESS}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        environment = {"PHI4_BASE_URL": "https://a-copy.hf.space", "HF_TOKEN": "hf_made_up"}
        expected = {"base_url": "https://a-copy.hf.space", "api_key": "hf_made_up"}
        return environment, {"use_environment_token": True}, expected


@pytest.mark.proves("promise:standard-unit-suite")
class TestGradioSpaceUnit(_Unit):
    """Any Space, without a server."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatGradioSpace

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"space": SPACE}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        environment = {"HF_ENDPOINT": ADDRESS, "HF_TOKEN": "hf_made_up"}
        expected = {"hub_url": ADDRESS, "api_key": "hf_made_up"}
        own = {**self.chat_model_params, "use_environment_token": True}
        return environment, own, expected


class _Integration(ChatModelIntegrationTests):
    """What holds for both classes, on a real server, whose model reads what it is told of tools.

    Skipped are PDF, which the services do not take, and the counts of tokens, which they do not
    tell.
    """

    app = ""
    server: GradioSpace

    # Of the class, so that the start of the server is not recorded.
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _on_a_server(cls, space: Space) -> None:
        cls.server = space(cls.app)

    @pytest.fixture(autouse=True)
    def _without_the_web(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # The suites fetch a picture and a sound from the public web, and have us fetch one.
        def get(url: str, **_: Any) -> httpx.Response:
            return httpx.Response(200, content=WAV if url.endswith(".wav") else PNG)

        def download(url: str, **_: Any) -> PlanOf[Media]:
            yield from ()
            return Media(PNG, "image/png", url.rpartition("/")[2])

        monkeypatch.setenv("LANGCHAIN_TESTS_USER_AGENT", "no service is asked")
        monkeypatch.setattr(httpx, "get", get)
        monkeypatch.setattr(files, "download", download)

    @property
    def returns_usage_metadata(self) -> bool:
        return False

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_urls(self) -> bool:
        return True

    @property
    def supports_audio_inputs(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supports_json_mode(self) -> bool:
        return True


class _ByToolCall(_Integration):
    """Structured output by a tool call, which is the default."""

    @property
    def enable_vcr_tests(self) -> bool:
        return True

    def test_image_inputs_arrive_byte_for_byte(self, model: BaseChatModel) -> None:
        """Each picture of the suite's test is at the app as it was: OpenAI's form, ours, a URL."""
        self.test_image_inputs(model)
        received = [call.files for call in last_calls(self.server, 3)]
        assert [[(file.mime_type, file.data) for file in each] for each in received] == [
            [("image/png", PNG)]
        ] * 3

    def test_audio_inputs_arrive_byte_for_byte(self, model: BaseChatModel) -> None:
        """Each sound of the suite's test is at the app as it was: ours and OpenAI's form."""
        self.test_audio_inputs(model)
        received = [call.files for call in last_calls(self.server, 2)]
        assert [[file.data for file in each] for each in received] == [[WAV]] * 2
        assert all(file.name.endswith(".wav") for each in received for file in each)

    def test_images_of_tools_arrive_byte_for_byte(self, model: BaseChatModel) -> None:
        """The picture that a tool gave is at the app as it was: OpenAI's form and ours."""
        self.test_image_tool_message(model)
        received = [call.files for call in last_calls(self.server, 2)]
        assert [[file.data for file in each] for each in received] == [[PNG]] * 2


class _ByJsonSchema(_Integration):
    """Structured output by JSON that is asked for.

    `test_stream_time` is skipped besides: it is played in the other class.
    """

    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        return {"method": "json_schema"}


class _Phi4:
    """Phi-4 on the app that is built like it."""

    app = "phi4"
    server: GradioSpace

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatMicrosoftPhi4

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"base_url": self.server.base_url, "hub_url": NOWHERE, "model": "phi-4"}

    @property
    def model_override_value(self) -> str:
        return "phi-4-multimodal"


class _ChatInterface:
    """A Space on a chat interface with pictures and two inputs."""

    app = "chat_interface"
    server: GradioSpace

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatGradioSpace

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"base_url": self.server.base_url, "hub_url": NOWHERE, "space": SPACE}

    @property
    def model_override_value(self) -> str:
        return SPACE


@pytest.mark.proves("promise:standard-integration-suite")
@pytest.mark.filterwarnings("ignore:the app has no input for:UserWarning")
@pytest.mark.filterwarnings("ignore:Benchmark fixture was not used")  # while recording
class TestMicrosoftPhi4Integration(_Phi4, _ByToolCall):
    """Phi-4."""


@pytest.mark.proves("promise:standard-integration-suite")
@pytest.mark.filterwarnings("ignore:the app has no input for:UserWarning")
class TestMicrosoftPhi4JsonSchema(_Phi4, _ByJsonSchema):
    """Phi-4."""


@pytest.mark.proves("promise:standard-integration-suite")
@pytest.mark.filterwarnings("ignore:the app has no input for:UserWarning")
@pytest.mark.filterwarnings("ignore:Benchmark fixture was not used")  # while recording
class TestGradioSpaceIntegration(_ChatInterface, _ByToolCall):
    """A Space."""

    @property
    def chat_model_params(self) -> dict[str, Any]:
        # the recording was made with the function for callers
        return {**super().chat_model_params, "api_name": "chat"}


@pytest.mark.proves("promise:standard-integration-suite")
@pytest.mark.filterwarnings("ignore:the app has no input for:UserWarning")
class TestGradioSpaceJsonSchema(_ChatInterface, _ByJsonSchema):
    """A Space."""
