"""Everything the command line knows about single providers: one row each in `PROVIDERS`.

Nothing a row names is imported before it is used, so that `--help` stays quick.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_g4f.chat_models.base import BaseChatG4F
    from langchain_g4f.errors import AuthenticationError

PACE_S = 0.02
"""Seconds before each token of a sandbox, so that a person sees it stream."""

_COOKIE_STEPS = """\
Run this, and log in in the window that opens:
  langchain-g4f login huggingchat{base_url_option}
Or, without a window:
  1. Log in with a browser: {login_url}
  2. Copy its cookies hf-chat and token (developer tools, Storage or Application).
  3. {base_url_variable}HUGGINGCHAT_COOKIES='hf-chat=...; token=...' langchain-g4f chat "..."
"""

_HUB_STEPS = """\
  1. Create a token with read access: https://huggingface.co/settings/tokens
  2. Save it: langchain-g4f login gradio --token
It is sent to Spaces on hf.space and to the Hub, and nowhere else.
"""

_FLOWGPT_STEPS = """\
  1. Log in with a browser: {login_url}
  2. Copy its token (developer tools, Network: what follows "Bearer" in the header
     Authorization of a request to the service).
  3. Save it: langchain-g4f login flowgpt --token
     Or put it before the same command: FLOWGPT_TOKEN=... langchain-g4f chat --provider flowgpt ...
It is sent to FlowGPT, or to the server that FLOWGPT_BASE_URL names, and nowhere else.
"""


@dataclass(frozen=True, slots=True)
class SandboxServer:
    """A scripted server that the command starts itself, for users without an account.

    Attributes:
        name: Name of its class in `langchain_g4f.testing`.
        arguments: Positional arguments of the class.
        greeting: Text shown before a conversation.
        wait: Text shown while the server starts; empty if it starts at once.
    """

    name: str
    greeting: str
    arguments: tuple[str, ...] = ()
    wait: str = ""

    @contextmanager
    def start(self, make: type[BaseChatG4F]) -> Iterator[dict[str, Any]]:
        """Run the server, and yield the fields of ``make`` that reach it without credentials.

        Raises:
            MissingDependencyError: The extra of the sandbox is not installed.
            RuntimeError: The server does not start.
        """
        from langchain_g4f import testing

        bypass_proxy()
        with getattr(testing, self.name)(*self.arguments, pace_s=PACE_S) as running:
            address = running.base_url
            # Credentials of the environment belong to the real service. The Hub would be sent a
            # token as well, so it is replaced too.
            fields = {"base_url": address, "hub_url": address, "api_key": None, "cookies": None}
            yield {name: value for name, value in fields.items() if name in make.model_fields}


def bypass_proxy() -> None:
    """Reach this machine directly, even if the environment names a proxy."""
    exempt = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = f"{exempt},127.0.0.1".lstrip(",")


_ON_THIS_MACHINE = "You are talking to the sandbox, a scripted server on this machine. It "
_GRADIO_GREETING = (
    "You are talking to a Gradio server on this machine, with a scripted model. It repeats\n"
    "what you say; [[thought]] makes it reason first, [[long:200]] say 200 words."
)
_GRADIO_WAIT = "Starting a Gradio server, which takes a few seconds."


@dataclass(frozen=True, slots=True)
class Provider:
    """A chat service, or a kind of server.

    Attributes:
        name: Value of `--provider`.
        sandbox: How to start its sandbox; None if it has none.
        login_arguments: Arguments of `langchain-g4f login` that log in to it.
        login_note: Text that `doctor` adds to that command.
        login_summary: Template of the line that replaces the error of a server that refuses a
            caller; empty shows the error itself.
        login_steps: Template of the steps that a user takes to log in; empty if none are known.
    """

    name: str
    sandbox: SandboxServer | None = None
    login_arguments: str = ""
    login_note: str = ""
    login_summary: str = ""
    login_steps: str = ""

    @property
    def chat_model(self) -> type[BaseChatG4F]:
        """The class of its chat models."""
        from langchain_g4f.chat_models.names import chat_model_class

        return chat_model_class(self.name)

    @property
    def default_base_url(self) -> str:
        """The address that is used if none is given; empty if one must be given."""
        field = self.chat_model.model_fields["base_url"]
        return str(field.get_default(call_default_factory=True, validated_data={}))

    @property
    def has_model_list(self) -> bool:
        """Whether its servers can be asked for their models."""
        from langchain_g4f.chat_models.service import ServiceModel

        return self.chat_model._models_plan is not ServiceModel._models_plan  # noqa: SLF001

    def login_command(self, model: BaseChatG4F) -> str:
        """The command that logs in to the server of a chat model."""
        home = self.default_base_url
        at_home = model.account_url in (home, getattr(model, "hub_url", home))
        place = "" if at_home else f" --base-url {model.account_url}"
        return f"langchain-g4f login {self.login_arguments or self.name}{place}{self.login_note}"


PROVIDERS = {
    provider.name: provider
    for provider in (
        Provider(
            "huggingchat",
            SandboxServer(
                "Sandbox",
                f"{_ON_THIS_MACHINE}repeats\n"
                "what you say; [[think]] makes it reason first, [[long:200]] say 200 words.",
            ),
            login_summary="{server} requires a login{refused}.",
            login_steps=_COOKIE_STEPS,
        ),
        Provider(
            "phi4",
            SandboxServer("GradioSpace", _GRADIO_GREETING, ("phi4",), _GRADIO_WAIT),
            login_arguments="gradio --token",
            login_steps=_HUB_STEPS,
        ),
        Provider(
            "gradio",
            SandboxServer("GradioSpace", _GRADIO_GREETING, ("chat_interface",), _GRADIO_WAIT),
            login_arguments="gradio --token",
            login_steps=_HUB_STEPS,
        ),
        Provider(
            "flowgpt",
            SandboxServer(
                "FlowGptSandbox",
                f"{_ON_THIS_MACHINE}checks the\nsignature of each question and repeats what you "
                "say; [[long:200]] makes it say 200 words.",
            ),
            login_arguments="flowgpt --token",
            login_note=", and check the clock of this machine",
            login_steps=_FLOWGPT_STEPS,
        ),
    )
}
"""The providers by name, the default first."""

DEFAULT, ANY_SPACE = "huggingchat", "gradio"
"""The provider that is used if none is named, and the one used if only a Space is named."""


def login_help(error: AuthenticationError) -> str:
    """What happened, and the steps to log in where they are known."""
    found = (p for p in PROVIDERS.values() if p.chat_model.provider == error.provider)
    provider = next(found, None)
    # A login page that the user has chosen does not tell which server may get the cookies.
    chosen = error.login_url in ("", os.environ.get("G4F_LOGIN_URL"))
    if provider is None or (chosen and "{login_url}" in provider.login_steps):
        return str(error)
    server = error.login_url.removesuffix("/login").removesuffix("/")
    at_home = server == provider.chat_model.url
    texts = {
        "login_url": error.login_url,
        "server": server,
        "refused": f", and refused the login {error.refused}" if error.refused else "",
        "base_url_option": "" if at_home else f" --base-url {server}",
        # Cookies of the environment are sent to the server of the environment only.
        "base_url_variable": "" if at_home else f"HUGGINGCHAT_BASE_URL={server} ",
    }
    summary = provider.login_summary.format(**texts) if error.status_code else ""
    return f"{summary or error}\n{provider.login_steps.format(**texts)}".rstrip()


async def describe(model: BaseChatG4F) -> str:
    """What the server says it is; empty if it does not say."""
    plan = model._describe_plan(model._session())  # noqa: SLF001 -- there is no public method yet
    return await model._aresult(plan)  # noqa: SLF001
