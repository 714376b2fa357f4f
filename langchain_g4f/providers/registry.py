"""The providers by name: one row each, with all that is known of them by name alone.

A row is text: nothing that it names is imported before it is used, so that ``--help`` is quick.
"""

from __future__ import annotations

from dataclasses import dataclass

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

_ON_THIS_MACHINE = "You are talking to the sandbox, a scripted server on this machine. It "
_GRADIO_GREETING = (
    "You are talking to a Gradio server on this machine, with a scripted model. It repeats\n"
    "what you say; [[thought]] makes it reason first, [[long:200]] say 200 words."
)
_GRADIO_WAIT = "Starting a Gradio server, which takes a few seconds."


@dataclass(frozen=True, slots=True)
class SandboxEntry:
    """A scripted server for users without an account.

    Attributes:
        name: Name of its class in `langchain_g4f.testing`.
        greeting: Text shown before a conversation.
        arguments: Positional arguments of the class.
        wait: Text shown while the server starts; empty if it starts at once.
    """

    name: str
    greeting: str
    arguments: tuple[str, ...] = ()
    wait: str = ""


@dataclass(frozen=True, slots=True)
class ProviderEntry:
    """A row of the table.

    Attributes:
        chat_model: Name of its chat model's class in `langchain_g4f`.
        module: Module that defines the class.
        sandbox: Its sandbox; None if it has none.
        login_arguments: Arguments of `langchain-g4f login` that log in to it; empty for its name.
        login_note: Text that `doctor` adds to that command.
        login_summary: Template of the line that replaces the error of a server that refuses a
            caller; empty shows the error itself.
        login_steps: Template of the steps that a user takes to log in; empty if none are known.
    """

    chat_model: str
    module: str
    sandbox: SandboxEntry | None = None
    login_arguments: str = ""
    login_note: str = ""
    login_summary: str = ""
    login_steps: str = ""


PROVIDERS = {
    "huggingchat": ProviderEntry(
        "ChatHuggingChat",
        "langchain_g4f.chat_models.huggingchat",
        SandboxEntry(
            "Sandbox",
            f"{_ON_THIS_MACHINE}repeats\n"
            "what you say; [[think]] makes it reason first, [[long:200]] say 200 words.",
        ),
        login_summary="{server} requires a login{refused}.",
        login_steps=_COOKIE_STEPS,
    ),
    "phi4": ProviderEntry(
        "ChatMicrosoftPhi4",
        "langchain_g4f.chat_models.microsoft_phi4",
        SandboxEntry("GradioSpace", _GRADIO_GREETING, ("phi4",), _GRADIO_WAIT),
        login_arguments="gradio --token",
        login_steps=_HUB_STEPS,
    ),
    "gradio": ProviderEntry(
        "ChatGradioSpace",
        "langchain_g4f.chat_models.gradio_space",
        SandboxEntry("GradioSpace", _GRADIO_GREETING, ("chat_interface",), _GRADIO_WAIT),
        login_arguments="gradio --token",
        login_steps=_HUB_STEPS,
    ),
    "flowgpt": ProviderEntry(
        "ChatFlowGpt",
        "langchain_g4f.chat_models.flowgpt",
        SandboxEntry(
            "FlowGptSandbox",
            f"{_ON_THIS_MACHINE}checks the\nsignature of each question and repeats what you "
            "say; [[long:200]] makes it say 200 words.",
        ),
        login_arguments="flowgpt --token",
        login_note=", and check the clock of this machine",
        login_steps=_FLOWGPT_STEPS,
    ),
}
"""The rows by name, the default first."""

__all__ = ["PROVIDERS", "ProviderEntry", "SandboxEntry"]
