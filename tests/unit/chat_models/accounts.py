"""Each service with an account: where its credential may stand, and how a model shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from langchain_g4f import (
    BaseChatG4F,
    ChatFlowGpt,
    ChatGradioSpace,
    ChatHuggingChat,
    ChatMicrosoftPhi4,
)
from langchain_g4f.auth.store import CredentialFile, Credentials


@dataclass(frozen=True)
class Case:
    """A service with an account.

    Attributes:
        make: Makes a model at its usual place.
        field: The argument that has the credential.
        variable: The variable of the environment that has it.
        cookie: Name of the cookie that is the credential; empty for a token.
        file: Name of the file, before the profile.
    """

    make: Callable[..., BaseChatG4F]
    field: str
    variable: str
    cookie: str
    file: str

    def given(self, value: str) -> dict[str, Any]:
        """The argument with this credential."""
        return {self.field: f"{self.cookie}={value}" if self.cookie else value}

    def environment(self, value: str) -> tuple[str, str]:
        """The variable with this credential."""
        return self.variable, f"{self.cookie}={value}" if self.cookie else value

    def keep(self, value: str, profile: str = "default") -> CredentialFile:
        """Write a login with this credential."""
        file = CredentialFile(
            self.make(login_profile=profile, **{self.field: None}).get_cache_file()
        )
        found = Credentials({self.cookie: value}) if self.cookie else Credentials({}, value)
        assert file.save(found)
        return file

    def shown(self, model: object) -> str | None:
        """The credential that a model has."""
        found = getattr(model, self.field)
        if found is None:
            return None
        secret = found[self.cookie] if self.cookie else found
        return str(secret.get_secret_value())


def space(**settings: Any) -> ChatGradioSpace:
    """A model of a Space of the Hub, which may have the environment's token."""
    own = {"space": "owner/name", "use_environment_token": True}
    return ChatGradioSpace(**{**own, **settings})


def phi4(**settings: Any) -> ChatMicrosoftPhi4:
    """A model of Phi-4, which may have the environment's token."""
    return ChatMicrosoftPhi4(**{"use_environment_token": True, **settings})


CASES = {
    "huggingchat": Case(
        ChatHuggingChat, "cookies", "HUGGINGCHAT_COOKIES", "hf-chat", "huggingchat@huggingface.co"
    ),
    "gradio": Case(space, "api_key", "HF_TOKEN", "", "gradio@huggingface.co"),
    "phi4": Case(phi4, "api_key", "HF_TOKEN", "", "gradio@huggingface.co"),
    "flowgpt": Case(
        ChatFlowGpt, "api_key", "FLOWGPT_TOKEN", "", "flowgpt@prod-backend-k8s.flowgpt.com"
    ),
}

by_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
