"""The commands and their options. Each command imports what it needs, so that help is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from langchain_g4f.cli.accounts import login, logout, whoami
from langchain_g4f.cli.failure import one_line_failures
from langchain_g4f.cli.options import (
    NAMES,
    BaseUrl,
    Impersonate,
    ModelName,
    Profile,
    known_provider,
    known_providers,
)
from langchain_g4f.providers.registry import PROVIDERS

app = typer.Typer(
    name="langchain-g4f",
    help="Talk to web chat services from the terminal.",
    no_args_is_help=True,
    add_completion=False,
    # Only a bug of ours shows a traceback; typer's would show local variables.
    pretty_exceptions_enable=False,
)

ProviderName = Annotated[
    str | None,
    typer.Option(
        "--provider", metavar="NAME", callback=known_provider, help=f"Chat service: {NAMES}."
    ),
]
Space = Annotated[
    str | None,
    typer.Option(metavar="OWNER/NAME", help="Gradio Space to use; it needs no --provider."),
]
ApiName = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Chat of the Space to use, if it has several."),
]
UseSandbox = Annotated[
    bool, typer.Option("--sandbox", help="Start a scripted server on this machine, and use it.")
]
Timeout = Annotated[
    float | None, typer.Option(metavar="SECONDS", help="Time limit for a whole answer.")
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
    """Talk to web chat services from the terminal."""


@app.command()
def chat(  # noqa: PLR0917 -- one argument per option; typer passes them by name
    question: Annotated[
        str | None,
        typer.Argument(
            help="Question to ask; text from a pipe is added to it. `-` asks the text from the "
            "pipe alone. Without a question, you hold a conversation."
        ),
    ] = None,
    model: ModelName = None,
    provider: ProviderName = None,
    base_url: BaseUrl = None,
    space: Space = None,
    api_name: ApiName = None,
    profile: Profile = None,
    sandbox: UseSandbox = False,
    system: Annotated[str | None, typer.Option(metavar="TEXT", help="System prompt.")] = None,
    timeout: Timeout = None,
    reasoning: Annotated[
        bool | None,
        typer.Option(
            help="Show the model's reasoning. A terminal shows it dimmed, and by default; "
            "elsewhere it goes to standard error."
        ),
    ] = None,
    image: Annotated[
        list[Path] | None,
        typer.Option(
            "--image",
            "--file",
            metavar="FILE",
            help="Image, sound or text file for the first question; may be repeated.",
        ),
    ] = None,
    web_search: Annotated[
        bool, typer.Option("--web-search", help="Let the server search the web.")
    ] = False,
    load: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Continue the conversation in this file, on its server and model."
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Save the conversation in this file; continue the one it already holds.",
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
            conversation.model = model  # the saved one is another provider's
        server = PROVIDERS[choice.name].sandbox
        if sandbox and server and server.wait:
            screen.hint(server.wait)
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
        from langchain_g4f.cli.service import Choice, list_models, open_service

        choice = Choice(provider, base_url, space, api_name, profile, sandbox)
        with open_service(choice) as service:
            list_models(service, timeout)


@app.command()
def doctor(  # noqa: PLR0917 -- as above
    provider: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            callback=known_providers,
            help=f"Chat service to check: {NAMES}; may be repeated. By default all of them.",
        ),
    ] = None,
    base_url: BaseUrl = None,
    space: Annotated[
        str | None,
        typer.Option(metavar="OWNER/NAME", help="Gradio Space to check; it needs no --provider."),
    ] = None,
    profile: Profile = None,
    sandbox: Annotated[
        bool,
        typer.Option("--sandbox", help="Start scripted servers on this machine, and check those."),
    ] = False,
    model: ModelName = None,
    impersonate: Impersonate = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="Time limit for each check.")
    ] = 30.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: a list of objects.")] = False,
) -> None:
    """Ask every provider a short question, and say which answer; exit code 1 if one does not."""
    with one_line_failures():
        from langchain_g4f.cli import doctor as doc

        chosen = doc.choose(provider or [], base_url, space, model, profile, sandbox=sandbox)
        findings = doc.examine_all(chosen, timeout, model, impersonate, quiet=as_json)
        (doc.write_json if as_json else doc.write_table)(findings)
        if not all(finding.answers for finding in findings):
            raise typer.Exit(1)


@app.command()
def demo() -> None:
    """Show what the package does, on a scripted server on this machine."""
    with one_line_failures():
        from langchain_g4f.cli.demo import run_demo

        run_demo()


for command in (login, logout, whoami):
    app.command()(command)
