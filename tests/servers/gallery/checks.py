"""What is asked of every app, and of some; each check is a conversation with a running app."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage

from langchain_g4f import ChatGradioSpace
from langchain_g4f.errors import APIError, G4FError
from tests.contract.faults.harness import chunks
from tests.servers.gallery.gallery import Expected, Server

NOWHERE = "http://127.0.0.1:1"  # no question of an app is for the Hub
THOUGHT = "I look at the question."
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154"
    "789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
_SOON_S = 4.0
_SILENT_S = 0.3  # thirty words
_TAKES_TOKENS = "6.31.0"
_WORDS = itertools.count(1)


class Fault(Exception):  # noqa: N818 - it says what is wrong with an app, not with this program
    """An app was not as it should be."""


def expect(right: object, fault: str) -> None:
    """Say what is wrong, if anything is."""
    if not right:
        raise Fault(fault)


@dataclass(frozen=True)
class Talk:
    """Conversations with an app, in one way.

    Attributes:
        server: The app.
        expected: What is right for it.
        way: ``"stream"`` or ``"astream"``.
        folder: Where files may be put.
    """

    server: Server
    expected: Expected
    way: str
    folder: Path

    def model(self, **settings: Any) -> ChatGradioSpace:
        """A model that was given the address, and what this app needs."""
        named = {**self.expected.settings, **settings}
        given = {name: value for name, value in named.items() if value is not None}
        url = self.server.base_url
        return ChatGradioSpace(base_url=url, hub_url=NOWHERE, timeout=8.0, **given)

    async def pieces(self, model: Any, prompt: Any) -> tuple[list[str], AIMessageChunk]:
        """The texts of a stream, and its chunks as one."""
        whole: Any = None
        texts: list[str] = []
        async for chunk in chunks(model, self.way, prompt):
            texts += [str(chunk.text)] if chunk.text else []
            whole = chunk if whole is None else whole + chunk
        expect(whole is not None, "nothing came")
        return texts, whole

    async def ask(self, model: Any, prompt: Any) -> AIMessage:
        """The answer, as the callers of `invoke` or `ainvoke` get it."""
        awaits = self.way == "astream"
        answer: AIMessage = await model.ainvoke(prompt) if awaits else model.invoke(prompt)
        return answer

    async def call(self, word: str) -> dict[str, Any]:
        """What the app's model was given with the last call that has this word."""
        deadline = time.monotonic() + _SOON_S
        while time.monotonic() < deadline:
            found = [call for call in self.server.calls if word in call["message"]]
            if found:
                return found[-1]
            await asyncio.sleep(0.02)
        raise Fault(f"the app's model was never asked, or never ended: {word}")

    def text(self, call: dict[str, Any]) -> str:
        """What the app made of the words of its model."""
        return str(call["said"]).replace(*self.expected.replaced) + self.expected.appended


def word(name: str) -> str:
    """A word that no other question has."""
    return f"{name}-{next(_WORDS)}"


def final_text(answer: AIMessage) -> str:
    """The text of the answer at its end."""
    return str(answer.response_metadata.get("final_text", answer.text))


def check_answer(talk: Talk, texts: list[str], answer: AIMessage, call: dict[str, Any]) -> None:
    """The text is the app's, came in pieces, and has its thoughts apart."""
    said = "".join(texts)
    whole = str(answer.response_metadata.get("final_text", said))
    expect(whole.strip() == talk.text(call).strip(), f"text: {whole[:90]!r}")
    if talk.expected.streams:
        expect(len(texts) > 1, f"one chunk: {said[:60]!r}")
        again = "restarted" in answer.response_metadata and not talk.expected.appended
        expect(not again, f"the stream began again after {said[:60]!r}")
    thoughts = [b.get("reasoning", "") for b in answer.content_blocks if b["type"] == "reasoning"]
    expect(not talk.expected.thinks or THOUGHT in "".join(thoughts), f"thoughts: {thoughts}")


def check_memory(words: list[str], call: dict[str, Any]) -> None:
    """The app's model knows these words, and has been given no question twice."""
    missing = [each for each in words if each not in call["said"]]
    expect(not missing, f"forgot: {call['said'][:80]!r}")
    past = [text for role, text in call["history"] if role == "user"]
    expect(len(past) == len({*past}), f"a turn twice: {past}")


async def turns(talk: Talk) -> None:
    """Streams, remembers three turns, and does not mix in the turns of another branch."""
    model = talk.model()
    words = [word(name) for name in ("alder", "birch", "cedar")]
    history: list[Any] = []
    branch: list[Any] = []
    for turn, each in enumerate(words):
        history.append(HumanMessage(f"My word is {each}."))
        texts, answer = await talk.pieces(model, history)
        call = await talk.call(each)
        check_answer(talk, texts, answer, call)
        check_memory(words[: turn + 1], call)
        history.append(answer)
        branch = branch or [*history]
    other = word("dogwood")
    await talk.ask(model, [*branch, HumanMessage(f"My word is {other}.")])
    call = await talk.call(other)
    check_memory([words[0], other], call)
    expect(words[1] not in call["said"], f"the branch leaks: {call['said']!r}")


async def settings(talk: Talk) -> None:
    """A system prompt and a temperature arrive; a warning names what has no input."""
    rule, each = word("rule"), word("elm")
    prompt = [SystemMessage(f"Keep to {rule}."), HumanMessage(f"My word is {each}.")]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        await talk.ask(talk.model(temperature=0.3), prompt)
    call = await talk.call(each)
    inside, text = rule in str(call["system"]), rule in f"{call['message']} {call['history']}"
    right = {"input": inside and not text, "text": text and not inside, "any": inside or text}
    found = f"system {call['system']!r}, message {call['message'][:60]!r}"
    expect(right[talk.expected.system], f"system prompt: {found}")
    if talk.expected.temperature:
        expect(call["temperature"] == 0.3, f"temperature {call['temperature']}")
    else:
        expect(any("temperature" in str(w.message) for w in warned), "no warning on temperature")


async def at_once(talk: Talk) -> None:
    """Four conversations at once keep to themselves."""
    model, words = talk.model(), [word("fir") for _ in range(4)]
    prompts = [f"My word is {each}." for each in words]
    if talk.way == "astream":
        answers = await asyncio.gather(*map(model.ainvoke, prompts))
    else:
        answers = await asyncio.gather(*(asyncio.to_thread(model.invoke, p) for p in prompts))
    for each, answer in zip(words, answers, strict=True):
        text = final_text(answer)
        expect(each in text, f"no answer of its own: {text!r}")
        expect(not any(w in text for w in words if w != each), f"mixed: {text!r}")


async def cancel(talk: Talk) -> None:
    """The app's model stops when the caller leaves the stream, before the next call is answered."""
    each, model = word("grove"), talk.model()
    stream: Any = chunks(model, talk.way, f"Please count 300 for {each}")
    async for chunk in stream:
        if "2" in chunk.text:
            break
    await stream.aclose()
    await talk.ask(model, f"My word is {word('hazel')}.")
    silent_since = talk.server.last_word
    await asyncio.sleep(_SILENT_S)
    # Some versions of Gradio never close the generator of a cancelled call: it says no more.
    endings = [call["ending"] for call in talk.server.calls if each in call["message"]]
    expect(endings in (["stopped"], []), "went on to the end")
    expect(endings or talk.server.last_word == silent_since, "goes on")


async def error(talk: Talk) -> None:
    """The call fails with the right message."""
    try:
        await talk.ask(talk.model(), "My word is ivy-0.")
    except G4FError as found:
        expect(re.search(talk.expected.error, str(found)), f"another message: {found}")
    else:
        raise Fault("no error")


async def warning(talk: Talk) -> None:
    """The first call warns, or fails with a message of the same content."""
    if talk.way != "stream":
        return  # the app is known
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            await talk.ask(talk.model(), "My word is juniper-0.")
        told = [str(each.message) for each in warned]
    except G4FError as found:
        told = [str(found)]
    expect(any(re.search(talk.expected.warning, each) for each in told), f"no warning: {told}")


async def _sent(talk: Talk, file: Path, **given: Any) -> None:
    each = word("kapok")
    model = talk.model().bind(**(given or {"media": [file]}))
    await talk.ask(model, f"What is this, {each}?")
    files = (await talk.call(each))["files"]
    expect(len(files) == 1 and files[0][1] not in (0, "0"), f"files: {files}")


def _file(talk: Talk, name: str, data: bytes) -> Path:
    path = talk.folder / name
    path.write_bytes(data)
    return path


async def picture(talk: Talk) -> None:
    """A picture reaches the app, beside its box or in it."""
    await _sent(talk, _file(talk, "photo.png", PICTURE))


async def document(talk: Talk) -> None:
    """A text file reaches the app."""
    await _sent(talk, _file(talk, "notes.txt", b"noted"))


async def ambiguous_picture(talk: Talk) -> None:
    """Where two inputs take a picture an error names them, and `inputs=` decides."""
    file = _file(talk, "photo.png", PICTURE)
    try:
        await _sent(talk, file)
    except G4FError as found:
        named = "first_picture" in str(found).lower().replace(" ", "_")
        expect(named, f"the error does not name the inputs: {found}")
    else:
        raise Fault("no error on an ambiguous picture")
    await _sent(talk, file, inputs={"First picture": file})


async def failure(talk: Talk) -> None:
    """The app's own error reaches the caller, and the next call is answered."""
    model = talk.model()
    try:
        await talk.ask(model, "please fail")
    except APIError as found:
        expect("out of memory" in str(found), f"another message: {found}")
    else:
        raise Fault("no error")
    await talk.ask(model, f"My word is {word('linden')}.")


async def no_login(talk: Talk) -> None:
    """Without a login, and with a wrong one, the error says what to do."""
    wrong = ("user", "wrong")
    for given, pattern in ((None, r"auth="), (wrong, r"(?i)password|refused|incorrect")):
        try:
            await talk.ask(talk.model(auth=given), "hi")
        except G4FError as found:
            named = type(found).__name__ == "AuthenticationError"
            expect(named and re.search(pattern, str(found)), f"{type(found).__name__}: {found}")
        else:
            raise Fault(f"no error with {given}")


async def token(talk: Talk) -> None:
    """A token for an app that acts for its visitor arrives where Gradio takes one from callers."""
    each, given = word("myrtle"), "hf_made-up"
    try:
        await talk.ask(talk.model(api_key=given), f"My word is {each}.")
    except G4FError as found:
        expect(talk.server.version != _TAKES_TOKENS, f"the token does not arrive: {found}")
        expect(re.search(talk.expected.error, str(found)), f"another message: {found}")
    else:
        expect((await talk.call(each))["system"] == given, "another token")


async def no_api_name(talk: Talk) -> None:
    """Of several chats the caller has to choose one; the error lists them."""
    try:
        await talk.ask(talk.model(api_name=None), "hi")
    except G4FError as found:
        listed = all(part in str(found) for part in ("api_name=", "poet", "coder"))
        expect(listed, f"the error does not list the chats: {found}")
    else:
        raise Fault("no error")


async def media_answers(talk: Talk) -> None:
    """Pictures, sounds and files in an answer are content blocks that can be fetched."""
    model = talk.model()
    wanted = {"picture": "image", "sound": "audio", "file": "file", "gallery": "image"}
    for kind, block in wanted.items():
        answer = await talk.ask(model, f"A {kind}, please.")
        blocks: list[Any] = [each for each in answer.content_blocks if each["type"] == block]
        seen = [each["type"] for each in answer.content_blocks]
        expect(blocks, f"{kind}: {seen} {answer.text[:60]!r}")
        fetched = model.fetch_file(blocks[0]) if talk.way == "stream" else None
        expect(fetched or await model.afetch_file(blocks[0]), f"{kind}: no bytes")


Check = Callable[[Talk], Awaitable[None]]
ALSO: dict[str, Check] = {
    each.__name__: each
    for each in (
        ambiguous_picture,
        document,
        failure,
        media_answers,
        no_api_name,
        no_login,
        picture,
        token,
    )
}


def checks(expected: Expected) -> list[Check]:
    """The checks of an app, in order."""
    own = [ALSO[name] for name in expected.also]
    if expected.error:
        return [error, *own]
    if expected.warning:
        return [warning, *own]
    return [turns, settings, at_once, *([cancel] if expected.streams else []), *own]
