"""The commands and their options. What a command needs is imported when it runs: help is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from langchain_g4f.cli.accounts import login, logout, whoami
from langchain_g4f.cli.doctor import doctor
from langchain_g4f.cli.failure import one_line_failures
from langchain_g4f.cli.options import Profile, known
from langchain_g4f.cli.providers import PROVIDERS

app = typer.Typer(
    name="langchain-g4f",
    help="Talk to chat services of the browser from the terminal.",
    no_args_is_help=True,
    add_completion=False,
    # A traceback is for a fault of ours; typer's would show local variables.
    pretty_exceptions_enable=False,
)


ProviderName = Annotated[
    str | None,
    typer.Option(
        "--provider",
        metavar="NAME",
        callback=known,
        help=f"Whom to talk to: {', '.join(PROVIDERS)}.",
        show_default=False,
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="Another server of this kind, with its path.", show_default=False
    ),
]
Space = Annotated[
    str | None,
    typer.Option(
        metavar="OWNER/NAME",
        help="Gradio Space to talk to; it needs no --provider.",
        show_default=False,
    ),
]
ApiName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Which chat of a Space, if it has several.", show_default=False
    ),
]
UseSandbox = Annotated[
    bool, typer.Option("--sandbox", help="Start a scripted server here, and use it.")
]
Timeout = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="For a whole answer.", show_default=False),
]


def _show_version(wanted: bool) -> None:
    if wanted:
        from langchain_g4f import __version__

        typer.echo(f"langchain-g4f {__version__}")
        raise typer.Exit


@app.callback()
def langchain_g4f(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Talk to chat services of the browser from the terminal."""


@app.command()
def chat(  # noqa: PLR0917 -- one argument per option; typer passes them by name
    question: Annotated[
        str | None,
        typer.Argument(
            help="What to ask; what is piped in is part of it. `-` is standard input alone. "
            "Without a question, you hold a conversation."
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Model to ask; else the server's default.", show_default=False
        ),
    ] = None,
    provider: ProviderName = None,
    base_url: BaseUrl = None,
    space: Space = None,
    api_name: ApiName = None,
    profile: Profile = None,
    sandbox: UseSandbox = False,
    system: Annotated[
        str | None, typer.Option(metavar="TEXT", help="System prompt.", show_default=False)
    ] = None,
    timeout: Timeout = None,
    reasoning: Annotated[
        bool | None,
        typer.Option(
            help="Dimmed on a terminal, where it is shown by default; else on standard error.",
            show_default=False,
        ),
    ] = None,
    image: Annotated[
        list[Path] | None,
        typer.Option(
            "--image",
            "--file",
            metavar="FILE",
            help="Image, sound or text file for the first question; may be given again.",
            show_default=False,
        ),
    ] = None,
    web_search: Annotated[
        bool, typer.Option("--web-search", help="Let the server search the web.")
    ] = False,
    load: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Go on with the conversation of this file, with its server and its model.",
            show_default=False,
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep the conversation in this file; one that is in it already goes on.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Ask a question, or hold a conversation."""
    with one_line_failures():
        from langchain_g4f.cli.chat import ask, converse, read_question
        from langchain_g4f.cli.conversation import open_conversation
        from langchain_g4f.cli.screen import Screen
        from langchain_g4f.cli.service import Choice, open_service

        screen = Screen(reasoning=reasoning)
        conversation = open_conversation(load, save, system=system, model=model, files=image or ())
        question = read_question(question)
        choice = Choice(provider, base_url, space, api_name, profile, sandbox)
        choice = choice.or_else(conversation.place)
        if choice.name != conversation.place.get("provider", choice.name):
            conversation.model = model  # the kept one is another provider's
        stand = PROVIDERS[choice.name].sandbox
        if sandbox and stand and stand.wait:
            screen.hint(stand.wait)
        with open_service(choice) as service:
            chat_model = service.chat_model(
                conversation.model, timeout, screen.progress, web_search=web_search
            )
            conversation.place = service.place(chat_model)
            if question is None:
                screen.hint(service.greeting)
                converse(chat_model, screen, conversation)
            else:
                ask(chat_model, screen, conversation, question)


@app.command()
def models(  # noqa: PLR0917 -- as above
    provider: ProviderName = None,
    base_url: BaseUrl = None,
    space: Space = None,
    api_name: ApiName = None,
    profile: Profile = None,
    sandbox: UseSandbox = False,
    timeout: Timeout = None,
) -> None:
    """List the server's models, its default first."""
    with one_line_failures():
        from langchain_g4f.cli.models import list_models
        from langchain_g4f.cli.service import Choice, open_service

        choice = Choice(provider, base_url, space, api_name, profile, sandbox)
        with open_service(choice) as service:
            list_models(service, timeout)


@app.command()
def demo() -> None:
    """Show the package at work on a scripted server on this machine."""
    with one_line_failures():
        from langchain_g4f.cli.demo import run_demo

        run_demo()


for command in (doctor, login, logout, whoami):
    app.command()(command)

__all__ = ["app"]
