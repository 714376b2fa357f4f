"""The commands `login`, `logout` and `whoami`."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from langchain_g4f.cli.failure import CommandError, one_line_failures
from langchain_g4f.cli.options import NAMES, BaseUrl, Impersonate, Profile, known_provider
from langchain_g4f.cli.providers import DEFAULT
from langchain_g4f.cli.terminal import one_line, say, tell

if TYPE_CHECKING:
    from langchain_g4f.sign_in import Account
    from langchain_g4f.sign_in.accounts import Place

AppSpace = Annotated[
    str | None,
    typer.Option("--space", metavar="OWNER/NAME", help="Space that has a login of its own."),
]
_WINDOW_OPENS = "A browser window opens: log in there. It closes by itself."

Name = Annotated[
    str,
    typer.Argument(metavar="PROVIDER", callback=known_provider, help=f"Chat service: {NAMES}."),
]


def login(  # noqa: PLR0917 -- one argument per option; typer passes them by name
    provider: Name = DEFAULT,
    base_url: BaseUrl = None,
    space: AppSpace = None,
    profile: Profile = None,
    user: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Your name at a Gradio app with a login of its own; asks for the password.",
        ),
    ] = None,
    cookies: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Use the cookies in this file: Netscape, JSON or a Cookie header."
        ),
    ] = None,
    from_browser: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Use the cookies of an installed browser: chrome, chromium, firefox, ...",
        ),
    ] = None,
    token: Annotated[
        bool, typer.Option("--token", help="Ask for a token, or read it from a pipe.")
    ] = False,
    headless: Annotated[
        bool, typer.Option("--headless", help="Show no window; needs --browser-profile.")
    ] = False,
    browser_profile: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Profile folder of the browser.")
    ] = None,
    browser: Annotated[
        str | None, typer.Option(metavar="PROGRAM", help="Browser to start.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long the window waits for you.")
    ] = 300.0,
    impersonate: Impersonate = None,
) -> None:
    """Log in, in a browser window or with cookies, a token or a password, and save the login."""
    with one_line_failures():
        from langchain_g4f.sign_in import login as log_in

        ways = {
            "--cookies": cookies,
            "--from-browser": from_browser,
            "--token": token,
            "--user": user,
        }
        chosen = [name for name, given in ways.items() if given]
        if len(chosen) > 1:
            raise CommandError(f"{' and '.join(chosen)} are two ways to log in; choose one")
        if user and not (base_url or space):
            raise CommandError("--user: name the app with --space or --base-url")
        if headless and browser_profile is None:
            raise CommandError("--headless shows no page to log in on; add --browser-profile")
        account = log_in(
            provider,
            **_place(base_url, profile, impersonate, space),
            auth=(user, _password(user)) if user else None,
            cookies=_given_cookies(cookies),
            api_key=_token(provider) if token else None,
            from_browser=from_browser,
            browser_profile=browser_profile,
            headless=headless,
            browser=browser,
            timeout=timeout,
            on_window=lambda _: None if headless else tell(_WINDOW_OPENS),
        )
        say(_described(account))
        if account.kept:
            say(f"Saved in {account.file}")


def logout(
    provider: Name = DEFAULT,
    base_url: BaseUrl = None,
    space: AppSpace = None,
    profile: Profile = None,
) -> None:
    """Delete a saved login. The session at the service stays open; log out there to end it."""
    with one_line_failures():
        from langchain_g4f.sign_in import logout as log_out

        account = log_out(provider, **_place(base_url, profile, space=space))
        say(f"Deleted: {account.file}" if account.kept else "There was no saved login.")


def whoami(
    provider: Name = DEFAULT,
    base_url: BaseUrl = None,
    space: AppSpace = None,
    profile: Profile = None,
    impersonate: Impersonate = None,
) -> None:
    """Show the user that a program started here would be; exit code 1 if not logged in."""
    with one_line_failures():
        from langchain_g4f.sign_in import whoami as who_am_i

        account = who_am_i(provider, **_place(base_url, profile, impersonate, space))
        say(_described(account))
    if account.user is None:
        raise typer.Exit(1)


def _place(
    base_url: str | None,
    profile: str | None,
    impersonate: str | None = None,
    space: str | None = None,
) -> Place:
    named = {"base_url": base_url, "profile": profile, "impersonate": impersonate, "space": space}
    return cast("Place", {name: value for name, value in named.items() if value})


def _given_cookies(path: Path | None) -> str | Path | None:
    """The path of a cookie file, or the text of a file that holds one Cookie header."""
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise CommandError(f"--cookies: cannot read {path}: {error.strerror}") from None
    except UnicodeError:
        raise CommandError(f"--cookies: cannot read {path}: it is not a text file") from None
    if not text:
        raise CommandError(f"--cookies: {path} is empty")
    is_header = "\n" not in text and "\t" not in text and text[:1] not in ("[", "{", "#")
    return text if is_header else path


def _token(provider: str) -> str:
    """A token from a pipe, or typed without being shown."""
    token = _typed(f"Token for {provider}: ").strip()
    if not token:
        raise CommandError("--token: no token was given")
    return token


def _password(user: str) -> str:
    """A password from a pipe, or typed without being shown; blanks belong to it."""
    password = _typed(f"Password of {user}: ").rstrip("\r\n")
    if not password:
        raise CommandError("--user: no password was given")
    return password


def _typed(prompt: str) -> str:
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline()


def _described(account: Account) -> str:
    if account.user:
        who = one_line(account.user)
    elif account.user is not None:
        where = (
            f"the login saved in {account.file}" if account.kept else "a login that is not saved"
        )
        who = f"{where}; the service does not say which user it belongs to"
    elif account.kept:
        who = f"not logged in; the login saved in {account.file} has expired, or is not used"
    else:
        who = "not logged in"
    return f"{account.server}: {who}"
