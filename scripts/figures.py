"""Print the size, the call path and the wording of a checkout as one table.

    python scripts/figures.py [ROOT]    # ROOT: a checkout; without it, the one of this script

Lines are lines of `.py` files.

The call path is that of one `astream` of ten chunks, by a new `ChatHuggingChat` from a local
sandbox, after a first model has done the same, so that all modules are loaded. `sys.setprofile`
reports the calls; the resumption of a generator or a coroutine is a call. Functions are code
objects of the package without `testing`, lambdas and comprehensions included. A call is a jump
between files if its nearest caller inside the package stands in another file, or if there is none.
The jumps vary by one or two with the timing; the median of three streams is printed.

A phrase is counted in lower case, as whole words, in Markdown, and in the strings and comments of
Python files. A line break or a comment sign counts as a space; adjacent literals are one string.
"""

from __future__ import annotations

import ast
import asyncio
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from types import CodeType, FrameType

PHRASES = (
    "anew", "is none", "goes on with", "gone on with", "somebody", "nobody", "by now", "for who",
)  # fmt: skip
TEN_WORDS = "one two three four five six seven eight nine ten"
QUOTES = re.compile("""^[a-zA-Z]*(?:\"{3}|'{3}|["'])|(?:\"{3}|'{3}|["'])$""")
SPACE = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
# From Python 3.12 on, an f-string is several tokens.
F_STRING_TEXT = getattr(tokenize, "FSTRING_MIDDLE", None)
F_STRING_ENDS = {getattr(tokenize, "FSTRING_START", None), getattr(tokenize, "FSTRING_END", None)}


def sources(*folders: Path) -> Iterator[Path]:
    return (path for folder in folders for path in sorted(folder.rglob("*.py")))


def lines(*paths: Path) -> int:
    return sum(path.read_text(encoding="utf-8").count("\n") for path in paths)


class CallPath:
    """The calls of one stream inside `package`."""

    def __init__(self, package: Path) -> None:
        self._package = package
        self.functions: set[CodeType] = set()
        self.jumps = 0

    def _is_own(self, frame: FrameType) -> bool:
        name = frame.f_code.co_filename
        return name.startswith(f"{self._package}/") and f"{self._package}/testing/" not in name

    def profile(self, frame: FrameType, event: str, _argument: object) -> None:
        """Take an event of `sys.setprofile`."""
        if event != "call" or not self._is_own(frame):
            return
        self.functions.add(frame.f_code)
        caller = frame.f_back
        while caller is not None and not self._is_own(caller):
            caller = caller.f_back
        if caller is None or caller.f_code.co_filename != frame.f_code.co_filename:
            self.jumps += 1


async def call_path(package: Path) -> tuple[int, int, int]:
    """Return the number of functions, of their files, and of jumps between files."""
    from langchain_g4f import ChatHuggingChat
    from langchain_g4f.testing import Sandbox

    paths = [CallPath(package) for _ in range(4)]
    # With a pause before each word, the client reads one chunk at a time.
    with Sandbox(reply=TEN_WORDS, pace_s=0.02, keep_alive_s=30) as sandbox:
        for path in paths:
            model = ChatHuggingChat(base_url=sandbox.base_url)
            sys.setprofile(path.profile)
            chunks = [chunk async for chunk in model.astream("Count to ten.") if chunk.content]
            sys.setprofile(None)
            assert len(chunks) == 10, f"{len(chunks)} chunks instead of 10"
    functions = paths[-1].functions
    jumps = median(path.jumps for path in paths[1:])
    return len(functions), len({code.co_filename for code in functions}), int(jumps)


def own_classes(name: str) -> int:
    """Count the classes of the package among the class of this name and its bases."""
    import langchain_g4f

    mro = getattr(langchain_g4f, name).__mro__
    return sum(base.__module__.startswith("langchain_g4f") for base in mro)


def repeated_classes(package: Path) -> tuple[int, int]:
    """Count the class names that are defined twice in one folder, and in the whole package."""
    by_folder = Counter(
        (path.parent, node.name)
        for path in sources(package)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    in_one_folder = {name for (_, name), count in by_folder.items() if count > 1}
    folders = Counter(name for _, name in by_folder)
    return len(in_one_folder), len(in_one_folder | {n for n, count in folders.items() if count > 1})


def prose(path: Path) -> str:
    """Return the text of a file; of Python, that of strings and comments."""
    if path.suffix != ".py":
        return path.read_text(encoding="utf-8")
    parts: list[str] = []
    with path.open("rb") as file:
        for kind, text, *_ in tokenize.tokenize(file.readline):
            if kind == tokenize.COMMENT:
                parts.append(text.lstrip("#"))
            elif kind == tokenize.STRING:
                parts.append(QUOTES.sub("", text))
            elif kind == F_STRING_TEXT:
                parts.append(text)
            elif kind in SPACE or kind in F_STRING_ENDS:
                parts.append(" ")
            else:
                parts.append("\0")
    return "".join(parts)


def count_phrases(paths: list[Path]) -> Counter[str]:
    texts = [re.sub(r"\s+", " ", prose(path)) for path in paths if path != Path(__file__).resolve()]
    return Counter({p: sum(len(re.findall(rf"\b{p}\b", t)) for t in texts) for p in PHRASES})


def figures(root: Path) -> Iterator[tuple[str, object]]:
    package = root / "langchain_g4f"
    testing, cli = (lines(*sources(package / name)) for name in ("testing", "cli"))
    yield "lines of the package without testing and cli", lines(*sources(package)) - testing - cli
    yield "lines of testing / cli", f"{testing} / {cli}"
    yield "lines of tests", lines(*sources(root / "tests"))
    yield "lines of pyproject.toml", lines(root / "pyproject.toml")
    functions, files, jumps = asyncio.run(call_path(package))
    yield "astream of ten chunks: functions / files / jumps", f"{functions} / {files} / {jumps}"
    yield "own classes in the MRO of ChatHuggingChat", own_classes("ChatHuggingChat")
    yield "own classes in the MRO of ChatMicrosoftPhi4", own_classes("ChatMicrosoftPhi4")
    in_one_folder, in_all = repeated_classes(package)
    yield "class names defined twice: in one folder / in all", f"{in_one_folder} / {in_all}"
    shipped = [root / "README.md", *sorted((root / "docs").rglob("*.md")), *sources(package)]
    others = sources(*(root / name for name in ("tests", "benchmarks", "examples", "scripts")))
    first, second = count_phrases(shipped), count_phrases(list(others))
    for phrase in PHRASES:
        yield f'"{phrase}": docs and package / other code', f"{first[phrase]} / {second[phrase]}"


if __name__ == "__main__":
    chosen = Path(*sys.argv[1:2] or [__file__, "../.."]).resolve()
    # Before the installed package, so that ROOT is what is measured.
    sys.path.insert(0, str(chosen))
    print("| figure | value |\n| --- | --- |")
    for figure, value in figures(chosen):
        print(f"| {figure} | {value} |")
