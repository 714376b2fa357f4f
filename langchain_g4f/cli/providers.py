"""What the command line does with the table of providers.

Nothing that a row names is imported before it is used, so that `--help` stays quick.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from langchain_g4f.providers.registry import PROVIDERS, SandboxEntry

if TYPE_CHECKING:
    from langchain_g4f.chat_models.base import BaseChatG4F
    from langchain_g4f.errors import AuthenticationError

PACE_S = 0.02
"""Seconds before each token of a sandbox, so that a person sees it stream."""

DEFAULT, ANY_SPACE = next(iter(PROVIDERS)), "gradio"
"""The provider that is used if none is named, and the one used if only a Space is named."""


def chat_model_of(name: str) -> type[BaseChatG4F]:
    """The class of a provider's chat models."""
    from langchain_g4f.chat_models.by_name import chat_model_class

    return chat_model_class(name)


def default_base_url(name: str) -> str:
    """The address that is used if none is given; empty if one must be given."""
    field = chat_model_of(name).model_fields["base_url"]
    return str(field.get_default(call_default_factory=True, validated_data={}))


@contextmanager
def run_sandbox(sandbox: SandboxEntry, make: type[BaseChatG4F]) -> Iterator[dict[str, Any]]:
    """Run a sandbox, and yield the fields of ``make`` that reach it without credentials.

    Raises:
        MissingDependencyError: The extra of the sandbox is not installed.
        RuntimeError: The server does not start.
    """
    from langchain_g4f import testing

    bypass_proxy()
    with getattr(testing, sandbox.name)(*sandbox.arguments, pace_s=PACE_S) as running:
        address = running.base_url
        # Credentials of the environment belong to the real service. The Hub would be sent a
        # token as well, so it is replaced too.
        fields = {"base_url": address, "hub_url": address, "api_key": None, "cookies": None}
        yield {name: value for name, value in fields.items() if name in make.model_fields}


def bypass_proxy() -> None:
    """Reach this machine directly, even if the environment names a proxy."""
    exempt = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = f"{exempt},127.0.0.1".lstrip(",")


def login_command(name: str, model: BaseChatG4F) -> str:
    """The command that logs in to the server of a chat model."""
    home, row = default_base_url(name), PROVIDERS[name]
    at_home = model.account_url in (home, getattr(model, "hub_url", home))
    place = "" if at_home else f" --base-url {model.account_url}"
    return f"langchain-g4f login {row.login_arguments or name}{place}{row.login_note}"


def login_help(error: AuthenticationError) -> str:
    """What happened, and the steps to log in where they are known."""
    names = (name for name in PROVIDERS if chat_model_of(name).provider == error.provider)
    name = next(names, None)
    # A login page that the user has chosen does not tell which server may get the cookies.
    chosen = error.login_url in ("", os.environ.get("G4F_LOGIN_URL"))
    if (
        name is None
        or error.login_command
        or (chosen and "{login_url}" in PROVIDERS[name].login_steps)
    ):
        return str(error)
    provider = PROVIDERS[name]
    server = error.login_url.removesuffix("/login").removesuffix("/")
    at_home = server == chat_model_of(name).url
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
