"""The model behind every app of the gallery, and the two ways in which chatbots hold messages.

It streams what it knows: every word of the form ``name-1`` in what it was given. One line of JSON
for each call goes to the file named by ``GALLERY_LOG``: what it got, and how it ended. The time of
that file is when the last word was said.
"""

import json
import os
import re
import sys
import tempfile
import threading
import time
from pathlib import Path

import gradio as gr

PAUSE_S = 0.01
LOG = Path(os.environ.get("GALLERY_LOG", f"{tempfile.gettempdir()}/gallery.jsonl"))
LOG.touch()
MAJOR = int(gr.__version__.split(".")[0])
MESSAGES = {"type": "messages"} if MAJOR < 6 else {}  # newer chatbots know nothing else


def reply(message, history=(), system=None, temperature=None, files=()):
    """Yield the answer as far as it is said, after each word."""
    past = turns(history)
    known = re.findall(r"\b[a-z]+-\d+\b", " ".join([*(text for _, text in past), message]))
    said = f"I know: {' | '.join(dict.fromkeys(known))}. That was turn {len(past) // 2 + 1}."
    if count := re.search(r"\bcount (\d+)", message):
        said = " ".join(map(str, range(int(count[1]))))
    call = {"message": message, "history": past, "system": system, "temperature": temperature}
    call |= {"files": [*map(described, files)], "said": said, "words": 0, "ending": "stopped"}
    try:
        for word in re.finditer(r"\S+\s*", said):
            time.sleep(PAUSE_S)
            call["words"] += 1
            os.utime(LOG)
            yield said[: word.end()]
        call["ending"] = "complete"
    finally:
        with LOG.open("a", encoding="utf-8") as log:
            log.write(json.dumps(call) + "\n")


def answer(*args, **named):
    """Return the whole answer."""
    return [*reply(*args, **named)][-1]


def turns(history):
    """Return role and text of each message, whichever way the history is written."""
    found = []
    for each in history or ():
        if isinstance(each, list | tuple):  # a question and its answer
            found += zip(("user", "assistant"), map(text_of, each), strict=True)
        elif isinstance(each, dict):
            found.append((each["role"], text_of(each["content"])))
        else:
            found.append((each.role, text_of(each.content)))
    return [(role, text) for role, text in found if text]


def text_of(content):
    """Return the text of a message's content."""
    if isinstance(content, dict):
        content = content.get("text")
    if isinstance(content, list):
        content = "".join(map(text_of, content))
    return content if isinstance(content, str) else ""


def described(file):
    """Return name and size of a file, or the kind and size of a picture."""
    path = file.get("path") if isinstance(file, dict) else file
    if hasattr(path, "size") and not isinstance(path, str):  # a PIL image or an array
        return [type(file).__name__, str(path.size)]
    path = Path(getattr(path, "name", path))
    return [path.name, path.stat().st_size]


def shown(pairs):
    """Return pairs of question and answer as the chatbot of this version takes them."""
    if MAJOR < 6:
        return pairs
    roles = ("user", "assistant")
    return [
        {"role": role, "content": {"path": text[0]} if isinstance(text, tuple) else text}
        for pair in pairs
        for role, text in zip(roles, pair, strict=True)
        if text is not None
    ]


def pairs(value):
    """Return the value of a chatbot as pairs, the reverse of `shown`."""
    if MAJOR < 6:
        return [[*pair] for pair in value or []]
    found = []
    for message in value or []:
        if message["role"] == "user":
            found.append([text_of(message["content"]), None])
        else:
            found[-1][1] = text_of(message["content"])
    return found


def end_with_parent():
    """End the app when the tests that started it have ended, or were killed."""
    sys.stdin.buffer.read()
    os._exit(0)


if "GALLERY_LOG" in os.environ:
    threading.Thread(target=end_with_parent, daemon=True).start()
