"""Change modules in small ways and count the changes that their tests notice.

    python scripts/mutants.py [--count 25] [--seed 0] [MODULE ...]

Each mutant has one change: a comparison, `and`/`or`, `+`/`-`, a number or a bool is replaced by
another, a condition is negated, a function returns None, or a call whose value is not used is
left out. Mutants are written to a copy of the package, never to the checkout. A mutant that makes
a test fail, or that exceeds the time limit, is killed. The sample depends on the seed and on the
source of the module. Two modules are tested at a time.
"""

from __future__ import annotations

import argparse
import ast
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
UNIT, RECORDED, SANDBOX = "tests/unit", "tests/contract/recordings", "tests/contract/sandbox"

# A module in langchain_g4f -> the tests to run for it, the quick ones first.
TESTS: dict[str, tuple[str, ...]] = {
    "text/think": (f"{UNIT}/text/test_think.py",),
    "codecs/jsonl": (f"{UNIT}/codecs/test_jsonl.py",),
    "codecs/gradio_diff": (f"{UNIT}/codecs/test_gradio_diff.py",),
    "tools/parser": (f"{UNIT}/tools/test_parser.py",),
    "auth/cookies": (f"{UNIT}/auth/test_cookies.py",),
    "transport/retry": (f"{UNIT}/transport/test_retry.py", f"{UNIT}/run/test_retries.py"),
    "providers/huggingchat/handle": (
        f"{RECORDED}/huggingchat/test_conversations.py",
        f"{SANDBOX}/huggingchat/test_handles.py",
        f"{SANDBOX}/huggingchat/test_conversation_argument.py",
        "tests/contract/properties/test_mapping.py",
    ),
    "providers/huggingchat/destination": (
        f"{RECORDED}/huggingchat/test_conversations.py",
        f"{SANDBOX}/huggingchat/test_conversations.py",
        f"{SANDBOX}/huggingchat/test_again.py",
        f"{SANDBOX}/huggingchat/test_conversation_argument.py",
    ),
    "providers/huggingchat/follow": (
        f"{UNIT}/providers/test_huggingchat_reattach.py",
        f"{RECORDED}/huggingchat/test_reattach.py",
    ),
    "providers/gradio_space/discovery": (
        f"{RECORDED}/gradio_space/test_discovery.py",
        f"{RECORDED}/gradio_space/test_interface.py",
    ),
    "providers/gradio_space/sessions": (f"{UNIT}/providers/gradio_space/test_sessions.py",),
}

# Imported once, not for each mutant.
PRELOADED = ("hypothesis", "httpx", "curl_cffi", "uvicorn", "starlette.applications",
             "langchain_core.language_models.chat_models", "langchain_core.runnables")  # fmt: skip
# Tests of the time that something takes are slow, and on a busy machine they fail without a cause.
PYTEST = ("-q", "-x", "-n0", "-p", "no:cacheprovider", "-k", "not linear_time",
          "-W", "ignore::pytest.PytestAssertRewriteWarning")  # fmt: skip

OPPOSITES: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Lt: ast.LtE, ast.LtE: ast.Lt,
    ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add,
}  # fmt: skip

Change = tuple[ast.AST, str, Any]
"""A node, the name of one of its fields, and the field's new value."""


def nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Walk over the code; annotations and decorators are left out."""
    yield node
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns", "decorator_list"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from nodes(child)


def changes(tree: ast.AST) -> Iterator[Change]:
    for node in nodes(tree):
        match node:
            case ast.Compare(ops=[first, *rest]) if type(first) in OPPOSITES:
                yield node, "ops", [OPPOSITES[type(first)](), *rest]
            case ast.BoolOp(op=op) | ast.BinOp(op=op) | ast.AugAssign(op=op):
                if type(op) in OPPOSITES:
                    yield node, "op", OPPOSITES[type(op)]()
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield node, "operand", ast.UnaryOp(ast.Not(), operand)
            case ast.Constant(value=bool(value)):
                yield node, "value", not value
            case ast.Constant(value=int(value) | float(value)):
                yield node, "value", value + 1
            case ast.Return(value=ast.expr() as returned) if ast.unparse(returned) != "None":
                yield node, "value", ast.Constant(None)
            case ast.Expr(value=ast.Call()):
                yield node, "value", ast.Constant(None)


def mutants(source: str, count: int, seed: str) -> Iterator[tuple[str, str]]:
    """Yield descriptions and sources of a sample of mutants, in the order of the lines."""
    tree = ast.parse(source)
    found = list(changes(tree))
    for index in sorted(Random(seed).sample(range(len(found)), min(count, len(found)))):
        node, field, new = found[index]
        place, old, before = getattr(node, "lineno", 0), getattr(node, field), ast.unparse(node)
        setattr(node, field, new)
        yield f"line {place}: {before}  ->  {ast.unparse(node)}", ast.unparse(tree)
        setattr(node, field, old)


@contextmanager
def copied() -> Iterator[Path]:
    """Copy the package and the tests, compiled files included; link to everything else."""
    with tempfile.TemporaryDirectory() as name:
        for path in ROOT.glob("[!.]*"):
            if path.name in ("langchain_g4f", "tests"):
                shutil.copytree(path, Path(name, path.name))
            else:
                Path(name, path.name).symlink_to(path)
        yield Path(name)


def run_tests(copy: Path, paths: tuple[str, ...]) -> None:
    os.setsid()
    os.chdir(copy)
    os.environ |= {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(copy))
    output = os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    code = int(pytest.main([*PYTEST, *paths]))
    tested = Path(str(sys.modules["langchain_g4f"].__file__))
    os._exit(code if tested.is_relative_to(copy) else pytest.ExitCode.INTERNAL_ERROR)


def passes(copy: Path, paths: tuple[str, ...], timeout_s: float) -> bool:
    process = multiprocessing.get_context("fork").Process(target=run_tests, args=(copy, paths))
    process.start()
    process.join(timeout_s)
    if process.exitcode is None:
        os.killpg(process.pid or 0, 9)
        process.join()
    return process.exitcode == 0


def check(module: str, count: int, seed: int) -> tuple[int, list[str]]:
    """Return how many mutants were tested, and those that survived."""
    survivors: list[str] = []
    with copied() as copy:
        path = copy / "langchain_g4f" / f"{module}.py"
        source = path.read_text(encoding="utf-8")
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
            compiled.unlink()
        start = time.monotonic()
        if not passes(copy, TESTS[module], 600):
            sys.exit(f"{module}: fails unchanged:\n{(copy / 'output.txt').read_text()[-3000:]}")
        timeout_s = 30 + 5 * (time.monotonic() - start)
        sample = list(mutants(source, count, f"{seed} {module}"))
        for change, text in sample:
            path.write_text(text, encoding="utf-8")
            if passes(copy, TESTS[module], timeout_s):
                survivors.append(change)
    return len(sample), survivors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("modules", nargs="*", default=list(TESTS), help="of the table, not all")
    parser.add_argument("--count", type=int, default=25, help="mutants a module")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for name in PRELOADED:
        import_module(name)
    killed_in_all = in_all = 0
    # Forked processes have the preloaded modules already.
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
        jobs = {name: pool.submit(check, name, asked.count, asked.seed) for name in asked.modules}
        for name, job in jobs.items():
            total, survivors = job.result()
            killed_in_all, in_all = killed_in_all + total - len(survivors), in_all + total
            print(f"{name}: {total - len(survivors)}/{total} killed", flush=True)
            for change in survivors:
                print(f"  survived: {change}", flush=True)
    print(f"in all: {killed_in_all}/{in_all} killed")


if __name__ == "__main__":
    main()
