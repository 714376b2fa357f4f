"""Credentials on disk that several processes and threads write at once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

from langchain_g4f.auth.store import Credentials
from tests.unit.auth.stored import SERVER, auth_file, file_of, kept

WRITER = """
import sys
from langchain_g4f.auth.store import CredentialFile, Credentials
file = CredentialFile.of("huggingchat", sys.argv[2], "default")
for number in range(20):
    value = f"{sys.argv[1]}-{number}-" + sys.argv[1] * 5_000
    assert file.save(Credentials({"first": value, "second": value}, value, sys.argv[1]))
"""


def assert_whole(found: Credentials | None) -> Credentials:
    """Every part of it was written by one writer at one time."""
    assert found is not None
    value = found.cookies["first"]
    assert found == Credentials({"first": value, "second": value}, value, value[0])
    assert len(value) > 5_000
    return found


@auth_file
def test_two_processes_that_write_at_once_tear_nothing() -> None:
    """Each of 40 writes is whole for a reader at the same time, and the last one stays."""
    file = file_of()
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, name, SERVER], env={**os.environ}, stderr=subprocess.PIPE
        )
        for name in "ab"
    ]
    seen: set[str] = set()
    while any(writer.poll() is None for writer in writers):
        if file.path.exists():
            seen.add(assert_whole(file.load()).cookies["first"][:5])
    assert [writer.communicate()[1] for writer in writers] == [b"", b""]
    assert [writer.returncode for writer in writers] == [0, 0]
    last = assert_whole(file.load())
    assert last.cookies["first"].split("-")[1] == "19"
    assert len(seen) > 1
    assert [found.name for found in file.path.parent.iterdir()] == [file.path.name]


@auth_file
def test_threads_that_write_at_once_tear_nothing() -> None:
    """Nor do they disturb each other."""
    file = kept()
    saved: list[bool] = []

    def write(name: str) -> None:
        value = name * 6_000
        login = Credentials({"first": value, "second": value}, value, name)
        saved.extend(file.save(login) for _ in range(20))

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert saved == [True] * 80
    assert_whole(file.load())
