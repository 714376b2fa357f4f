"""Conversations on the current generation: models, creating, reading, changing, limits, owners."""

from __future__ import annotations

import json

import pytest

from langchain_g4f.testing import Prompt, Sandbox, SandboxModel
from tests.unit.testing.chat import Chat


def test_models_are_listed_router_first_without_the_unlisted() -> None:
    """The default list offers router, text, vision and reasoner."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        listed = chat.http.get("/api/v2/models").json()["json"]
        plain = chat.http.get("/api/models").json()
    ids = ["omni", "sandbox/text-small", "sandbox/vision-tools", "sandbox/reasoner"]
    assert [model["id"] for model in listed] == [model["id"] for model in plain] == ids
    assert [model["isRouter"] for model in listed] == [True, False, False, False]
    assert [model["multimodal"] for model in listed] == [True, False, True, False]
    assert [model["supportsReasoning"] for model in listed] == [False, False, False, True]


def test_models_of_ones_own_may_be_plain_names() -> None:
    """A string makes a text model, a SandboxModel says more."""
    models: list[SandboxModel | str] = [
        "first/model",
        SandboxModel("second/model", multimodal=True),
    ]
    with Sandbox(models=models) as sandbox, Chat(sandbox) as chat:
        listed = chat.http.get("/api/v2/models").json()["json"]
        detail = chat.http.get("/api/v2/models/second/model").json()["json"]
        assert chat.http.get("/api/v2/models/third/model").status_code == 404
    assert [model["id"] for model in listed] == ["first/model", "second/model"]
    assert detail["multimodal"] is True
    assert detail["providers"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"model": "no/such"}, "Invalid request"),
        ({"model": 5}, "Invalid request"),
        ({}, "Invalid request"),
        ({"model": "sandbox/text-small", "preprompt": 5}, "Invalid request"),
        ({"model": "sandbox/hidden"}, "Can't start a conversation with an unlisted model"),
    ],
)
def test_creating_with_a_wrong_body_is_a_bad_request(body: dict[str, object], message: str) -> None:
    """Unknown and unlisted models and wrong types are refused with 400."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        answer = chat.http.post("/conversation", json=body)
    assert (answer.status_code, answer.json()) == (400, {"message": message})


def test_create_response_embeds_what_a_read_returns() -> None:
    """The root's id is known without another request."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        created = chat.http.post("/conversation", json={"model": "omni", "preprompt": "Hi."})
        body = created.json()
        read = chat.http.get(f"/api/v2/conversations/{body['conversationId']}").json()
    assert json.loads(body["conversation"]) == read
    root = read["json"]["messages"][0]
    assert (root["id"], root["content"]) == (read["json"]["rootMessageId"], "Hi.")


def test_ids_are_the_same_in_every_run_of_the_same_seed() -> None:
    """Nothing is random: two sandboxes make the same ids, another seed makes others."""
    roots = []
    for seed in (1, 1, 2):
        with Sandbox(seed=seed) as sandbox, Chat(sandbox) as chat:
            roots.append(chat.create())
    assert roots[0] == roots[1] != roots[2]


def test_a_conversation_is_its_owners_alone() -> None:
    """Reading somebody else's is 403 on one path and 404 on all others."""
    with Sandbox() as sandbox, Chat(sandbox) as owner, Chat(sandbox) as other:
        owner.create()
        other.create()
        theirs = owner.id
        assert other.http.get(f"/api/v2/conversations/{theirs}").status_code == 403
        assert other.http.get(f"/api/conversation/{theirs}").status_code == 404
        assert other.http.delete(f"/api/v2/conversations/{theirs}").status_code == 404
        assert other.http.get(f"/conversation/{theirs}/stream").status_code == 404
        other.id = theirs
        assert other.post(inputs="Steal it").status_code == 404
        assert theirs in sandbox.conversations


def test_a_session_is_whatever_value_the_cookie_has() -> None:
    """A value of the client's own choice is a session, and is refreshed on every POST."""
    with Sandbox() as sandbox:
        with Chat(sandbox, {"hf-chat": "chosen"}) as chat:
            answer = chat.http.post("/conversation", json={"model": "omni"})
            listed = chat.http.get("/api/v2/conversations")
        with Chat(sandbox, {"hf-chat": "chosen"}) as again:
            assert again.http.get("/api/v2/conversations").json() == listed.json()
    assert answer.headers["set-cookie"].startswith("hf-chat=chosen; Path=/; Expires=")
    assert "set-cookie" not in listed.headers
    assert len(listed.json()["json"]["conversations"]) == 1


def test_conversations_are_listed_newest_first_in_pages_of_thirty() -> None:
    """The second page has the rest and says there is no more."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        for _ in range(32):
            chat.create()
        first = chat.http.get("/api/v2/conversations").json()["json"]
        second = chat.http.get("/api/v2/conversations", params={"p": 1}).json()["json"]
        assert first["conversations"][0]["id"] == chat.id
    assert (len(first["conversations"]), first["hasMore"]) == (30, True)
    assert (len(second["conversations"]), second["hasMore"]) == (2, False)


def test_renaming_and_deleting_work_on_both_paths() -> None:
    """The older path answers with nothing, the newer one with success."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        chat.create()
        older, newer = f"/conversation/{chat.id}", f"/api/v2/conversations/{chat.id}"
        assert chat.http.patch(older, json={"title": "One"}).content == b""
        assert chat.stored.title == "One"
        assert chat.http.patch(newer, json={"title": "Two"}).json() == {"json": {"success": True}}
        assert chat.stored.title == "Two"
        assert chat.http.patch(newer, json={"title": ""}).status_code == 400
        assert chat.http.patch(newer, json={"model": "no/such"}).status_code == 400
        assert chat.http.delete(older).content == b""
        assert chat.http.delete(newer).status_code == 404


def test_a_deleted_message_takes_its_descendants_along() -> None:
    """The tree is cut at the message."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        root = chat.create()
        chat.say("one")
        question = chat.stored.messages[1].id
        address = f"/api/v2/conversations/{chat.id}/message/{question}"
        assert chat.http.delete(address).json() == {"json": {"success": True}}
        assert [message.id for message in chat.stored.messages] == [root]
        assert chat.stored.root.children == []
        assert chat.http.delete(address).status_code == 404


def test_the_limit_of_conversations_is_per_owner() -> None:
    """The operator's limit is a 429 with the recorded words."""
    with Sandbox(max_conversations=1) as sandbox, Chat(sandbox) as chat, Chat(sandbox) as other:
        chat.create()
        other.create()
        answer = chat.http.post("/conversation", json={"model": "omni"})
    assert answer.status_code == 429
    assert "maximum number of conversations" in answer.json()["message"]


def test_a_shared_copy_is_readable_by_all_and_can_be_continued() -> None:
    """A share has seven characters and lives on apart from the original."""
    with Sandbox() as sandbox, Chat(sandbox) as chat, Chat(sandbox) as other:
        chat.create()
        chat.say("Shared words")
        share = chat.http.post(f"/conversation/{chat.id}/share").json()["shareId"]
        copy = other.http.get(f"/api/v2/conversations/{share}").json()["json"]
        other.create(fromShare=share)
        other.say("and more")
        assert len(other.stored.messages) == 5
        assert len(chat.stored.messages) == 3
    assert len(share) == 7
    assert copy["shared"] is True
    assert copy["messages"][1]["content"] == "Shared words"


def test_settings_reach_the_model_and_reset_when_left_out() -> None:
    """A provider override is part of the model name the backend sees."""
    chosen = {
        "providerOverrides": {"sandbox/text-small": "together"},
        "reasoningEffortOverrides": {"sandbox/text-small": "high"},
    }
    efforts = []

    def script(prompt: Prompt) -> str:
        efforts.append(prompt.reasoning_effort)
        return prompt.model

    with Sandbox(script) as sandbox, Chat(sandbox) as chat:
        chat.create()
        chat.http.post("/api/v2/user/settings", json=chosen)
        assert chat.say("Hi")[-2]["text"] == "sandbox/text-small:together"
        chat.http.post("/api/v2/user/settings", json={})
        assert chat.say("Hi")[-2]["text"] == "sandbox/text-small"
        settings = chat.http.get("/api/v2/user/settings").json()["json"]
    assert efforts == ["high", None]
    assert settings["providerOverrides"] == {}


def test_unknown_addresses_are_not_found() -> None:
    """The API answers JSON, everything else a page; a known path keeps to its methods."""
    with Sandbox() as sandbox, Chat(sandbox) as chat:
        assert chat.http.get("/api/v2/nothing").json() == {"message": "Not Found"}
        assert chat.http.get("/nothing").headers["content-type"] == "text/html"
        assert chat.http.get("/nothing").status_code == 404
        assert chat.http.delete("/api/v2/models").status_code == 405
        assert chat.http.get("/healthcheck").text == "OK"
        assert chat.http.get(sandbox.base_url).status_code == 308
