"""`chat --save` and `chat --load`: conversations that outlive their process."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, messages_from_dict

from langchain_g4f.cli import conversation as module
from langchain_g4f.cli.conversation import Conversation, open_conversation
from langchain_g4f.cli.demo.steps import make_png
from langchain_g4f.cli.failure import CommandError
from langchain_g4f.cli.service import Choice
from langchain_g4f.testing import Sandbox
from tests.gradio_standin import GradioStandin
from tests.unit.cli.command import asked, run

pytestmark = pytest.mark.proves("promise:command-options")

NEW_CONVERSATION = "[this is a new conversation on the server; the history was sent along]\n"


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """A file for a conversation."""
    return tmp_path / "talk.json"


@pytest.mark.proves("promise:native-conversations", "promise:handle")
def test_later_command_continues_the_conversation_on_the_server(
    server: Sandbox, talk: Path, tmp_path: Path
) -> None:
    """Only the new question is sent, also after one with an image; `--load` alone saves nothing."""
    picture = tmp_path / "a.png"
    picture.write_bytes(make_png(2))
    first = ["--system", "Be kind.", "--image", str(picture), "--save", str(talk), "I am Ada"]
    later = (["--load", str(talk), "who am I?"], ["--save", str(talk), "really?"])
    for given in (first, *later):
        done = run("chat", *given)
        assert (done.exit_code, done.stderr) == (0, "")
    (conversation,) = server.conversations.values()
    questions = ["I am Ada", "who am I?", "really?"]
    assert [m.content for m in conversation.messages if m.role == "user"] == questions
    sent: list[Any] = [json.loads(r.form["data"]) for r in server.requests if "data" in r.form]
    assert [each["inputs"] for each in sent] == questions
    roles = [message["role"] for message in server.prompts[-1]]
    assert roles == ["system", "user", "assistant", "user"]
    saved = messages_from_dict(json.loads(talk.read_text())["messages"])
    assert [m.type for m in saved] == ["system", "human", "ai", "human", "ai"]


def test_file_is_private_and_without_secrets(server: Sandbox, talk: Path) -> None:
    """It is replaced as a whole, and a failed question leaves it as it was."""
    talk.touch(mode=0o644)  # an empty file is a new conversation
    assert run("chat", "--save", talk, "hello").exit_code == 0
    saved = talk.read_text()
    assert stat.S_IMODE(talk.stat().st_mode) == 0o600
    assert "6d1f0c2e" not in saved
    assert run("chat", "--save", talk, "[[error:402]]").exit_code == 1
    assert talk.read_text() == saved
    assert list(talk.parent.glob("*talk*")) == [talk]


def test_model_and_server_of_the_file_are_used(
    server: Sandbox, talk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another model or another user starts a new conversation, which is noted."""
    run("chat", "--model", "sandbox/reasoner", "--save", talk, "one")
    same = run("chat", "--load", talk, "two")
    assert (same.stdout, same.stderr) == ("Echo (sandbox/reasoner, turn 2): two\n", "")
    other = run("chat", "--load", talk, "--model", "sandbox/text-small", "two")
    assert other.stderr == NEW_CONVERSATION
    assert "one" in str(server.prompts[-1])
    for name in ("HUGGINGCHAT_BASE_URL", "HUGGINGCHAT_COOKIES"):
        monkeypatch.delenv(name)
    anonymous = run("chat", "--load", talk, "two")
    assert anonymous.stdout.startswith("Echo (sandbox/reasoner, turn 1)")
    assert anonymous.stderr == NEW_CONVERSATION


def test_provider_and_files_are_saved(phi4: GradioStandin, talk: Path, tmp_path: Path) -> None:
    """A later command sends the history, because the session of the app is gone."""
    picture = tmp_path / "a.png"
    picture.write_bytes(make_png(2))
    place = ["--provider", "phi4", "--base-url", phi4.base_url, "--model", "phi-4"]
    run("chat", *place, "--image", picture, "--save", talk, "I am Ada")
    saved = json.loads(talk.read_text())
    assert saved["place"] == {"provider": "phi4", "base_url": phi4.base_url}
    block = saved["messages"][0]["data"]["content"][1]
    assert (block["type"], base64.b64decode(block["base64"])) == ("image", make_png(2))
    done = run("chat", "--load", talk, "who am I?")
    assert (done.exit_code, done.stderr.splitlines()[-1] + "\n") == (0, NEW_CONVERSATION)
    assert "I am Ada" in asked(phi4)[-1]
    assert asked(phi4)[-1].endswith("who am I?")


def test_another_provider_gets_the_history_but_not_the_model(
    phi4: GradioStandin, server: Sandbox, talk: Path
) -> None:
    """The model and the address of the file belong to the first provider."""
    run("chat", "--model", "sandbox/reasoner", "--save", talk, "I am Ada")
    given = ["--provider", "phi4", "--load", str(talk), "--save", str(talk)]
    assert run("chat", *given, "who am I?").exit_code == 0
    assert "I am Ada" in asked(phi4)[-1]
    assert json.loads(talk.read_text())["place"]["provider"] == "phi4"
    assert len(server.prompts) == 1


PLACE = {"provider": "gradio", "base_url": "http://a", "space": "a/b", "profile": "work"}


@pytest.mark.parametrize(
    ("given", "settings"),
    [
        (Choice(), {"base_url": "http://a", "space": "a/b", "login_profile": "work"}),
        (Choice(base_url="http://b"), {"base_url": "http://b"}),
        (Choice(space="c/d"), {"space": "c/d"}),
        (Choice(sandbox=True), {}),
        (
            Choice(profile="own"),
            {"base_url": "http://a", "space": "a/b", "login_profile": "own"},
        ),
    ],
)
def test_options_complete_or_replace_the_place_of_a_file(
    given: Choice, settings: dict[str, str]
) -> None:
    """An address without a provider is another server of the saved provider."""
    choice = given.or_else(PLACE)
    assert (choice.name, choice.settings) == ("gradio", settings)
    assert Choice("phi4").or_else(PLACE).settings == {}


def test_file_without_a_place_leads_to_the_server_of_its_answer(tmp_path: Path) -> None:
    """A conversation is never sent to another server than the one that had it."""
    path = tmp_path / "talk.json"
    ids = {"server": "http://a", "conversation": "1"}
    answer = AIMessage("yes", response_metadata={"conversation": ids})
    Conversation(saved_in=path).keep([HumanMessage("one")], answer)
    saved = json.loads(path.read_text())
    del saved["place"]
    path.write_text(json.dumps(saved))
    found = open_conversation(path, None)
    assert (found.place, found.questions) == ({"base_url": "http://a"}, 1)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Files in the current folder, most of which hold no conversation."""
    said = [{"type": "human", "data": {"content": "hi"}}]
    places: list[object] = [{"provider": "unknown"}, {"base_url": 1}, ["phi4"], None]
    contents = {"text": "no JSON", "list": '{"messages": [1], "model": 2}'}
    for number, place in enumerate(places):
        contents[f"place{number}"] = json.dumps({"place": place, "messages": said})
    contents["talk"] = json.dumps({"place": {}, "messages": said})
    monkeypatch.chdir(tmp_path)
    for name, content in contents.items():
        Path(name).write_text(content)
    return contents


NO_CONVERSATION = "does not hold a conversation"


@pytest.mark.parametrize(
    ("load", "save", "said"),
    [
        ("missing", None, "cannot read missing: No such file"),
        ("text", None, f"text {NO_CONVERSATION}"),
        (None, "text", f"text {NO_CONVERSATION}"),
        (None, "list", f"list {NO_CONVERSATION}"),
        *((f"place{number}", None, NO_CONVERSATION) for number in range(4)),
        (None, "nowhere/talk", "there is no folder"),
        (None, "folder", "cannot write folder: it is not a file"),
        (None, "read-only/talk", "you may not write to the folder"),
        ("talk", "list", "list already holds another conversation"),
        ("talk", None, "--system is for a new conversation; talk already holds one"),
    ],
)
def test_file_that_cannot_be_used_is_named(
    files: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    load: str | None,
    save: str | None,
    said: str,
) -> None:
    """Nothing is asked before, and the files stay as they are."""
    Path("read-only").mkdir()
    Path("folder").mkdir()
    may = os.access
    monkeypatch.setattr(os, "access", lambda p, m: p.name != "read-only" and may(p, m))
    if save == "folder":
        monkeypatch.setattr(module, "_is_used", lambda path: False)
    source, target = (Path(name) if name else None for name in (load, save))
    with pytest.raises(CommandError, match=said):
        open_conversation(source, target, system="Be kind.")
    assert {name: Path(name).read_text() for name in files} == files


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_failed_write_leaves_the_old_file_alone(
    talk: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    """Only a complete file takes its place."""
    conversation = Conversation(saved_in=talk)
    conversation.keep([HumanMessage("one")], AIMessage("yes"))
    saved = talk.read_text()

    def fail(_: int) -> None:
        raise failure

    monkeypatch.setattr(os, "fsync", fail)
    expected = CommandError if isinstance(failure, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        conversation.keep([*conversation.messages, HumanMessage("two")], AIMessage("no"))
    assert talk.read_text() == saved
    assert list(talk.parent.glob("*talk*")) == [talk]


def test_file_to_send_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """No question is asked before."""
    with pytest.raises(CommandError, match=r"cannot read .*missing\.png: No such file"):
        open_conversation(None, None, files=[tmp_path / "missing.png"])
