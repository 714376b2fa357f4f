"""What the command says to somebody who has to log in."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from langchain_g4f.cli.app import app
from langchain_g4f.cli.failure import report
from langchain_g4f.cli.providers import PROVIDERS, Provider
from langchain_g4f.cli.service import Service
from langchain_g4f.errors import AuthenticationError
from langchain_g4f.providers import registry


@pytest.mark.proves("promise:login-required")
def test_identity_that_is_not_accepted_leads_to_a_token(capsys: pytest.CaptureFixture[str]) -> None:
    """For a Space the way in is a token, not the cookies of another service."""
    for provider in ("microsoft_phi4", "gradio_space"):
        error = AuthenticationError("the GPU identity was not accepted", provider=provider)
        error.login_url = "https://huggingface.co/login"
        report(error)
    for text in capsys.readouterr().err.split("langchain-g4f: ")[1:]:
        assert "not accepted" in text
        assert "langchain-g4f login gradio --token" in text
        assert "HUGGINGCHAT" not in text


@pytest.mark.parametrize("provider", ["nobody", "third", "huggingchat"])
def test_identity_without_a_known_way_in_is_the_error_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    """Where nothing is known of a login, nothing is made up."""
    row = registry.ProviderEntry("BaseChatG4F", "langchain_g4f.chat_models.base")
    monkeypatch.setitem(registry.PROVIDERS, "third", row)
    monkeypatch.setitem(PROVIDERS, "third", Provider("third"))
    monkeypatch.setattr(PROVIDERS["third"].chat_model, "provider", "third")
    report(AuthenticationError("who are you?", provider=provider))
    assert capsys.readouterr().err == "langchain-g4f: who are you?\n"


def sign_in_failed(login_url: str) -> AuthenticationError:
    """What a window ends with in which nobody has signed in."""
    error = AuthenticationError("the window was closed", provider="huggingchat")
    error.login_url = login_url
    return error


@pytest.mark.parametrize("page", ["/login", "/"])
def test_window_in_which_nobody_signed_in_is_told_with_the_steps(
    capsys: pytest.CaptureFixture[str], page: str
) -> None:
    """Why it ended comes first; the server is the one of the login page, of either generation."""
    server = "http://127.0.0.1:3000/chat"
    report(sign_in_failed(f"{server}{page}"))
    said = capsys.readouterr().err
    assert said.startswith("langchain-g4f: the window was closed\n")
    assert f"langchain-g4f login huggingchat --base-url {server}\n" in said
    assert f"HUGGINGCHAT_BASE_URL={server} HUGGINGCHAT_COOKIES=" in said


def test_window_with_a_page_of_the_users_choice_names_no_server_by_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cookies would be sent there."""
    monkeypatch.setenv("G4F_LOGIN_URL", "https://login.example/login")
    report(sign_in_failed("https://login.example/login"))
    assert capsys.readouterr().err == "langchain-g4f: the window was closed\n"


@pytest.mark.proves("promise:login-required", "promise:command-models")
def test_models_without_login_say_how_to_log_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that is not for everybody is refused with the way in."""

    def refuse(*_: object) -> None:
        raise AuthenticationError("the app wants a token", provider="gradio_space")

    monkeypatch.setattr(Service, "live_models", refuse)
    result = CliRunner().invoke(app, ["models", "--space", "owner/name"])
    assert result.exit_code == 1
    assert "langchain-g4f login gradio --token" in result.stderr


@pytest.mark.proves("promise:command-models")
def test_models_of_a_server_without_any_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty list is not passed over in silence."""
    monkeypatch.setattr(Service, "live_models", lambda *_: [])
    result = CliRunner().invoke(app, ["models", "--space", "owner/name"])
    assert result.exit_code == 1
    assert result.stderr == "langchain-g4f: owner/name has no models\n"
