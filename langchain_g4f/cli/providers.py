"""Who can be talked to. A provider joins with one line in `PROVIDERS`, and its name.

Nothing of an entry is imported before it is used, so that help is quick.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from langchain_g4f.cli.login import (
    cookies_of_a_browser,
    only_the_error,
    token_of_a_member,
    token_of_the_hub,
)
from langchain_g4f.cli.sandboxes import CHAT_UI, FLOWGPT, Stand, gradio

if TYPE_CHECKING:
    from langchain_g4f.chat_models.base import BaseChatG4F
    from langchain_g4f.errors import AuthenticationError


@dataclass(frozen=True, slots=True)
class Provider:
    """A service, or a kind of server.

    Attributes:
        name: What `--provider` takes.
        sandbox: How its sandbox is started; None if it has none.
        login: What somebody is told who has to log in.
    """

    name: str
    sandbox: Stand | None = None
    login: Callable[[AuthenticationError], str] = only_the_error

    @property
    def chat_model(self) -> type[BaseChatG4F]:
        """The class of its chat models."""
        from langchain_g4f.chat_models.by_name import chat_model_class

        return chat_model_class(self.name)


PROVIDERS = {
    provider.name: provider
    for provider in (
        Provider("huggingchat", CHAT_UI, cookies_of_a_browser),
        Provider("phi4", gradio("phi4"), token_of_the_hub),
        Provider("gradio", gradio("chat_interface"), token_of_the_hub),
        Provider("flowgpt", FLOWGPT, token_of_a_member),
    )
}
"""By the name that `--provider` takes, the default first."""

DEFAULT, ANY_SPACE = "huggingchat", "gradio"
"""Who is talked to if nobody is named, and if only a Space is."""


__all__ = ["ANY_SPACE", "DEFAULT", "PROVIDERS", "Provider"]
