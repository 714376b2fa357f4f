"""The commands `login`, `logout` and `whoami`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from langchain_g4f.cli.failure import CommandError, one_line_failures
from langchain_g4f.cli.options import Impersonate, Profile, known
from langchain_g4f.cli.providers import DEFAULT, PROVIDERS
from langchain_g4f.cli.terminal import one_line, say, tell

if TYPE_CHECKING:
    from langchain_g4f.sign_in import Account
    from langchain_g4f.sign_in.accounts import Place


Name = Annotated[
    str,
    typer.Argument(metavar="PROVIDER", callback=known, help=f"One of {', '.join(PROVIDERS)}."),
]
Server = Annotated[
    str | None,
    typer.Option(
        "--base-url", metavar="URL", help="Another server of this kind.", show_default=False
    ),
]


def login(  # noqa: PLR0917 -- one argument per option; typer passes them by name
    provider: Name = DEFAULT,
    base_url: Server = None,
    profile: Profile = None,
    cookies: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Take the cookies of this file: Netscape's form, JSON, or a Cookie header.",
            show_default=False,
        ),
    ] = None,
    from_browser: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Take those of an installed browser: chrome, chromium, firefox, ...",
            show_default=False,
        ),
    ] = None,
    token: Annotated[
        bool, typer.Option("--token", help="Ask for a token; or read it from a pipe.")
    ] = False,
    headless: Annotated[
        bool, typer.Option("--headless", help="Show no window; needs --browser-profile.")
    ] = False,
    browser_profile: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Profile of the browser.", show_default=False),
    ] = None,
    browser: Annotated[
        str | None,
        typer.Option(metavar="PROGRAM", help="The browser to start.", show_default=False),
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long the window waits for you.")
    ] = 300.0,
    impersonate: Impersonate = None,
) -> None:
    """Log in, in a browser window or with what a browser has, and keep it for later."""
    with one_line_failures():
        from langchain_g4f.sign_in import login as log_in

        ways = {"--cookies": cookies, "--from-browser": from_browser, "--token": token}
        chosen = [name for name, given in ways.items() if given]
        if len(chosen) > 1:
            raise CommandError(f"{' and '.join(chosen)} are two ways to log in: choose one")
        if headless and browser_profile is None:
            raise CommandError("--headless shows no page to log in on: give a --browser-profile")
        account = log_in(
            provider,
            **_place(base_url, profile, impersonate),
            cookies=_given_cookies(cookies),
            api_key=_token(provider) if token else None,
            from_browser=from_browser,
            browser_profile=browser_profile,
            headless=headless,
            browser=browser,
            timeout=timeout,
            on_window=lambda _: None if headless else _announce_window(),
        )
        say(_described(account))
        if account.kept:
            say(f"Kept in {account.file}")


def logout(provider: Name = DEFAULT, base_url: Server = None, profile: Profile = None) -> None:
    """Forget a login. The session goes on at the service: log out there to end it."""
    with one_line_failures():
        from langchain_g4f.sign_in import logout as log_out

        account = log_out(provider, **_place(base_url, profile))
        say(f"Forgotten: {account.file}" if account.kept else "There was no login.")


def whoami(
    provider: Name = DEFAULT,
    base_url: Server = None,
    profile: Profile = None,
    impersonate: Impersonate = None,
) -> None:
    """Say who a program that is started here and now would be; exit code 1 for nobody."""
    with one_line_failures():
        from langchain_g4f.sign_in import whoami as who_am_i

        account = who_am_i(provider, **_place(base_url, profile, impersonate))
        say(_described(account))
    if account.user is None:
        raise typer.Exit(1)


def _announce_window() -> None:
    tell("A browser window opens: log in there. It closes by itself.")


def _place(base_url: str | None, profile: str | None, impersonate: str | None = None) -> Place:
    place: Place = {}
    if base_url:
        place["base_url"] = base_url
    if profile:
        place["profile"] = profile
    if impersonate:
        place["impersonate"] = impersonate
    return place


def _given_cookies(path: Path | None) -> str | Path | None:
    """A cookie file, or the header that stands in it."""
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise CommandError(f"--cookies: cannot read {path}: {error.strerror}") from None
    except UnicodeError:
        raise CommandError(f"--cookies: cannot read {path}: it is no text") from None
    if not text:
        raise CommandError(f"--cookies: {path} is empty")
    is_header = "\n" not in text and "\t" not in text and text[:1] not in ("[", "{", "#")
    return text if is_header else path


def _token(provider: str) -> str:
    """A token out of a pipe, or typed without being shown."""
    import getpass
    import sys

    if not sys.stdin.isatty():
        token = sys.stdin.readline().strip()
    else:
        token = getpass.getpass(f"Token for {provider}: ").strip()
    if not token:
        raise CommandError("--token: there was none")
    return token


def _described(account: Account) -> str:
    if account.user:
        who = one_line(account.user)
    elif account.user is not None:
        what = f"the login in {account.file}" if account.kept else "a login that is not kept"
        who = f"{what}, and the service does not say whose it is"
    elif account.kept:
        who = f"not logged in; what is kept in {account.file} has ended, or is not used"
    else:
        who = "not logged in"
    return f"{account.server}: {who}"


__all__ = ["login", "logout", "whoami"]
