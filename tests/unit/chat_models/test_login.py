from __future__ import annotations

from collections.abc import Iterator

import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import AuthenticationError
from langchain_g4f.testing import Sandbox
from tests.unit.chat_models.ways import MODEL, ask


@pytest.fixture
def closed() -> Iterator[Sandbox]:
    """A server that turns anonymous callers away, coupled to its site's own cookie."""
    with Sandbox(login_required=True, require_site_token=True) as sandbox:
        yield sandbox


def header(cookies: dict[str, str]) -> str:
    """Write the cookies as a browser shows them."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


@pytest.mark.proves("promise:login-required")
async def test_cookies_of_the_environment_log_in(
    closed: Sandbox, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing has to stand in the code."""
    monkeypatch.setenv("HUGGINGCHAT_BASE_URL", closed.base_url)
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", header(closed.login()))
    model = ChatHuggingChat(model=MODEL)
    assert (await ask(model, mode, "hi")).text == f"Echo ({MODEL}, turn 1): hi"


async def test_models_can_be_listed_without_a_login(closed: Sandbox) -> None:
    """What there is to choose from is no secret."""
    model = ChatHuggingChat(base_url=closed.base_url)
    assert MODEL in model.get_models()
    assert MODEL in await ChatHuggingChat(base_url=closed.base_url).aget_models()


async def test_error_of_another_profile_says_which(closed: Sandbox, mode: str) -> None:
    """The command it names would log in another account otherwise."""
    ended = "hf-chat=ended"
    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL, profile="work", cookies=ended)
    with pytest.raises(AuthenticationError, match="--profile work") as caught:
        await ask(model, mode, "hi")
    assert caught.value.login_url == f"{closed.base_url}/login"


@pytest.mark.proves("promise:login-required")
@pytest.mark.parametrize("named", [False, True], ids=["another server", "the environment's"])
async def test_variable_is_named_where_it_is_read(
    closed: Sandbox, mode: str, named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cookies of the environment are for the environment's server; elsewhere they do not help."""
    if named:
        monkeypatch.setenv("HUGGINGCHAT_BASE_URL", closed.base_url)
    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL)
    with pytest.raises(AuthenticationError) as caught:
        await ask(model, mode, "hi")
    assert ("HUGGINGCHAT_COOKIES" in str(caught.value)) is named


def test_refusal_of_what_is_no_message_says_the_same(closed: Sandbox) -> None:
    """A file or a conversation that is deleted is asked for with the same login."""
    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL, cookies="hf-chat=ended")
    with pytest.raises(AuthenticationError, match="given as cookies= was refused"):
        model.fetch_file({"type": "image", "url": f"{closed.base_url}/conversation/a/output/b"})
