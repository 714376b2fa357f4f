"""The credentials of ChatGradioSpace: where they go, and where they never stand."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
from langchain_core.load import dumpd, dumps, loads
from pydantic import SecretStr

from langchain_g4f import ChatGradioSpace, ChatMicrosoftPhi4
from tests.unit.chat_models.spaces import APP, HUB, Space
from tests.unit.chat_models.ways import WAYS, ask
from tests.unit.providers.gradio_space.apps import interface_config
from tests.unit.providers.gradio_space.replies import events, failed, reply

CANARY = "canary-f3a91c77d2"
JWT = "api/spaces/owner/name/jwt"
SECRETS: dict[str, Any] = {
    "api_key": f"{CANARY}-key",
    "cookies": f"token={CANARY}-cookie",
    "zerogpu_token": f"{CANARY}-gpu",
    "zerogpu_uuid": f"{CANARY}-uuid",
    "proxy": f"http://user:{CANARY}@127.0.0.1:3128",
}
ENVIRONMENT = {
    "HF_TOKEN": "mine-key",
    "HF_COOKIES": "token=mine",
    "ZEROGPU_TOKEN": "mine-gpu",
    "ZEROGPU_UUID": "mine-uuid",
}


def secretive(kind: type[ChatGradioSpace] = ChatGradioSpace, **settings: Any) -> ChatGradioSpace:
    """Make a model with a secret in each place that has one."""
    return kind(**{"space": "owner/name", "hub_url": HUB, **SECRETS, **settings})


@pytest.mark.proves("promise:serialization-without-secrets", "fault:41:PH")
@pytest.mark.parametrize("kind", [ChatGradioSpace, ChatMicrosoftPhi4])
@pytest.mark.parametrize(
    "show",
    [
        pytest.param(dumps, id="dumps"),
        pytest.param(repr, id="repr"),
        pytest.param(str, id="str"),
        pytest.param(ChatGradioSpace.asdict, id="asdict"),
        pytest.param(ChatGradioSpace.model_dump, id="model_dump"),
        pytest.param(ChatGradioSpace.model_dump_json, id="model_dump_json"),
        pytest.param(ChatGradioSpace._get_ls_params, id="ls_params"),
        pytest.param(pickle.dumps, id="pickle"),
        pytest.param(lambda model: repr(vars(model)), id="vars"),
        pytest.param(lambda model: repr(model._client().context.cookies), id="session"),
        pytest.param(lambda model: repr(model._provider()), id="where"),
    ],
)
def test_secrets_are_in_nothing_that_is_written_down(
    kind: type[ChatGradioSpace], show: Any
) -> None:
    """Neither tokens nor cookies nor the proxy's password."""
    model = secretive(kind)
    assert CANARY not in str(show(model))


@pytest.mark.proves("promise:serialization-without-secrets")
@pytest.mark.parametrize("kind", [ChatGradioSpace, ChatMicrosoftPhi4])
def test_serialized_model_loads_with_the_secrets_of_who_loads_it(
    kind: type[ChatGradioSpace], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All settings come back."""
    model = secretive(kind, top_p=0.5, inputs={"a": 1}, queue_timeout=7)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    loaded = loads(
        dumps(model),
        allowed_objects=[kind],
        valid_namespaces=["langchain_g4f"],
        secrets_from_env=True,
    )
    assert isinstance(loaded, kind)
    assert (loaded.base_url, loaded.space) == (model.base_url, "owner/name")
    assert (loaded.top_p, loaded.inputs, loaded.queue_timeout) == (0.5, {"a": 1}, 7)
    assert loaded.api_key == SecretStr("mine-key")
    assert loaded.cookies == {"token": SecretStr("mine")}
    assert loaded.zerogpu_token == SecretStr("mine-gpu")
    assert loaded.zerogpu_uuid == SecretStr("mine-uuid")
    assert loaded.profile == model.profile
    assert dumpd(loaded) == dumpd(model)


@pytest.mark.proves("promise:pickle")
def test_pickled_model_keeps_its_settings_and_reads_its_token_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where it is unpickled it comes from the environment, as for a new model."""
    data = pickle.dumps(secretive(top_k=3, temperature=0.5, use_environment_token=True))
    monkeypatch.setenv("HF_TOKEN", "mine-key")
    model = pickle.loads(data)  # noqa: S301 -- made two lines above
    assert (model.space, model.top_k, model.temperature) == ("owner/name", 3, 0.5)
    assert model.base_url == "https://owner-name.hf.space"
    assert model.api_key == SecretStr("mine-key")
    assert (model.cookies, model.zerogpu_token, model.zerogpu_uuid) == (None, None, None)


def test_pickled_model_on_another_server_gets_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's is for the Hub."""
    data = pickle.dumps(secretive(base_url=APP, use_environment_token=True))
    monkeypatch.setenv("HF_TOKEN", "mine-key")
    assert pickle.loads(data).api_key is None  # noqa: S301 -- made two lines above


@pytest.mark.proves("promise:deep-copy")
def test_deep_copy_has_the_same_settings_and_a_session_of_its_own() -> None:
    """Its identity is the same."""
    model = secretive()
    copied = copy.deepcopy(model)
    assert copied.model_dump() == model.model_dump()
    assert copied.api_key == model.api_key
    assert copied._state is not model._state


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.proves("obligation:gradio-space:21", "fault:40:PH")
async def test_each_credential_goes_where_it_belongs(way: str) -> None:
    """Cookies to the Hub, GPU tokens to where the function is called, the key to both."""
    space = Space(interface_config(), **{JWT: reply({"token": f"{CANARY}-fetched"})})
    model = space.model(
        space="owner/name",
        api_key=f"{CANARY}-key",
        cookies={"token": f"{CANARY}-cookie"},
        zerogpu_uuid=f"{CANARY}-uuid",
    )
    await ask(model, way, "hi")
    assert space.asked == ["config", JWT, "queue/join", "queue/data"]
    for request, path in zip(space.requests, space.asked, strict=True):
        sent = dict(request.headers)
        assert sent["authorization"] == f"Bearer {CANARY}-key"
        assert (CANARY in sent.get("cookie", "")) is (path == JWT)
        names = {"x-zerogpu-token", "x-zerogpu-uuid"}
        assert (names & sent.keys()) == (names if path == "queue/join" else set())
    join = space.requests[2]
    assert join.headers["x-zerogpu-token"] == f"{CANARY}-fetched"


@pytest.mark.proves("obligation:gradio-space:21")
@pytest.mark.parametrize("way", WAYS)
async def test_nobody_sends_no_credential(way: str) -> None:
    """No place holder stands for it."""
    space = Space(interface_config())
    await ask(space.model(), way, "hi")
    for request in space.requests:
        assert request.headers.keys().isdisjoint({"authorization", "cookie", "referer"})
        assert not [name for name in request.headers if name.startswith("x-")]


@pytest.mark.proves("fault:41:PH")
@pytest.mark.parametrize("way", WAYS)
async def test_error_of_an_app_that_repeats_its_headers_has_no_secret(way: str) -> None:
    """On the stream, and in a refusal."""
    said = " ".join(str(value) for value in SECRETS.values())
    space = Space(interface_config())
    settings = {**SECRETS, "proxy": None}
    for table in (
        {"queue/data": events(failed(said))},
        {"queue/join": reply({"detail": said}, 422)},
    ):
        space.table |= table
        with pytest.raises(Exception, match=r"app|422") as caught:
            await ask(space.model(**settings), way, "hi")
        shown = f"{caught.value} {vars(caught.value)}"
        for name in ("api_key", "zerogpu_token", "zerogpu_uuid"):
            assert SECRETS[name] not in shown


@pytest.mark.parametrize(
    "cookies",
    [
        "a=1; b=2",
        SecretStr("a=1; b=2"),
        {"a": "1", "b": SecretStr("2")},
    ],
)
def test_cookies_may_be_given_in_several_forms(cookies: Any) -> None:
    """As a header a browser shows, or by name."""
    model = ChatGradioSpace(base_url=APP, cookies=cookies)
    assert model.cookies == {"a": SecretStr("1"), "b": SecretStr("2")}
    assert model._client().context.cookies.header_for(f"{model.hub_url}/") == "a=1; b=2"
    assert model._client().context.cookies.header_for(f"{APP}/") == ""


def test_cookie_file_gives_those_of_the_hub(tmp_path: Path) -> None:
    """Not those of the app."""
    path = tmp_path / "cookies.txt"
    lines = (f"{host}\tTRUE\t/\tTRUE\t0\ttoken\t{host}" for host in ("hub.example", "app.example"))
    path.write_text("\n".join(lines))
    model = ChatGradioSpace(base_url=APP, hub_url=HUB, cookies=path)
    assert model.cookies == {"token": SecretStr("hub.example")}


@pytest.mark.parametrize("cookies", [CANARY, {"a": f"{CANARY}\n"}, {"a b": CANARY}])
def test_cookies_that_cannot_be_sent_are_refused_without_their_value(cookies: Any) -> None:
    """When the model is made."""
    with pytest.raises(ValueError, match="cookies") as caught:
        ChatGradioSpace(base_url=APP, cookies=cookies)
    assert CANARY not in str(caught.value)
