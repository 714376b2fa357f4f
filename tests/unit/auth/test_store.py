"""Credentials on disk: who may read them, who may write them, and what is refused."""

from __future__ import annotations

import os
import pickle
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from langchain_g4f.auth.store import Credentials
from langchain_g4f.errors import ConfigurationError
from tests.unit.auth.stored import CANARY, LOGIN, SERVER, auth_file, file_of, kept


def mode(path: Path) -> int:
    """Who may do what with it."""
    return stat.S_IMODE(path.stat().st_mode)


# -- kept and read ------------------------------------------------------------------------------


@auth_file
def test_login_that_is_kept_is_read_again() -> None:
    """As it was, by whoever asks for the same account."""
    assert file_of().load() is None
    kept()
    assert file_of().load() == LOGIN


@auth_file
def test_file_and_folder_are_for_their_owner_alone(home: Path) -> None:
    """Also where the folder was there before, and open; nothing else is left in it."""
    (home / "langchain-g4f").mkdir(mode=0o755)
    path = kept().path
    assert path.parent == home / "langchain-g4f"
    assert (mode(path.parent), mode(path)) == (0o700, 0o600)
    assert [found.name for found in path.parent.iterdir()] == [path.name]


@auth_file
def test_file_and_folders_above_are_private_however_open_the_umask_is(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who can write in one of them can put another folder in the place of ours."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "a" / "b"))
    before = os.umask(0)
    try:
        path = kept().path
    finally:
        os.umask(before)
    assert (mode(path.parent), mode(path)) == (0o700, 0o600)
    assert (mode(home / "a"), mode(home / "a" / "b")) == (0o700, 0o700)


def test_login_that_is_forgotten_is_gone() -> None:
    """There may have been none."""
    file = kept()
    assert file.forget()
    assert not file.path.exists()
    assert not file.forget()


def test_credentials_count_if_there_is_a_cookie_or_a_token() -> None:
    """A name alone identifies no caller."""
    assert Credentials({"a": "1"})
    assert Credentials(api_key="1")
    assert not Credentials(user="ada")


# -- one file for each account ------------------------------------------------------------------

ACCOUNTS = [
    ("https://chat.example.com", "default"),
    ("https://chat.example.com", "work"),
    ("https://chat.example.com", "WORK-2"),
    ("https://chat.example.com:8443", "default"),
    ("http://chat.example.com", "default"),
    ("http://chat.example.com:8080", "default"),
    ("http://chat.example.com-8080", "default"),
    ("https://chat.example.com.work", "default"),
    ("https://chat.example.com", "work.default"),
    ("http://[2001:db8::1]:80", "default"),
    ("http://[2001:db8:1::]:80", "default"),
    ("https://bücher.example", "default"),
]


def test_each_account_has_a_file_of_its_own() -> None:
    """Another port is another server; what is kept of TLS does not go over an open line."""
    files = [file_of(server, profile) for server, profile in ACCOUNTS]
    for number, file in enumerate(files):
        file.save(Credentials({"number": str(number)}))
    found = [file.load() for file in files]
    assert [each and each.cookies["number"] for each in found] == list(map(str, range(len(files))))
    assert {file.path.parent for file in files} == {file_of().path.parent}


def test_path_and_case_of_the_address_do_not_matter() -> None:
    """A server knows its callers wherever below it they ask."""
    assert file_of("https://Chat.Example.com/other") == file_of(SERVER)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".hidden", "../x", "a/b", "a\\b", "a b", "a\n", "a\0", "a@b", "ä", "x" * 65],
)
def test_name_that_is_no_part_of_a_file_name_is_refused(name: str) -> None:
    """It might lead elsewhere."""
    with pytest.raises(ConfigurationError, match="profile: expected a name of letters"):
        file_of(profile=name)


@pytest.mark.parametrize("name", ["a", "_", "-", "work", "A.b-c_1", "x" * 64])
def test_name_of_letters_digits_and_marks_is_one(name: str) -> None:
    """Of up to 64 characters."""
    assert file_of(profile=name).path.name.endswith(f"@{name}.json")


# -- refreshed ----------------------------------------------------------------------------------


def test_refreshed_cookie_takes_the_place_of_the_old_one() -> None:
    """All else of the login stays."""
    file = kept()
    file.refresh({"hf-chat": CANARY}, {"hf-chat": "next"})
    assert file.load() == Credentials(
        {**LOGIN.cookies, "hf-chat": "next"}, LOGIN.api_key, LOGIN.user
    )


@auth_file
@pytest.mark.parametrize("old", [{"hf-chat": "another"}, {"other": CANARY}])
def test_refreshed_cookie_of_another_login_is_not_kept(old: dict[str, str]) -> None:
    """Another login was made meanwhile, and that one stays."""
    file = kept()
    file.refresh(old, {"hf-chat": "next"})
    assert file.load() == LOGIN


def test_refreshed_cookie_of_nobody_is_not_kept() -> None:
    """Who has not logged in, or has logged out, is not remembered."""
    file = file_of()
    file.refresh({}, {"hf-chat": "next"})
    assert not file.path.exists()


# -- shown --------------------------------------------------------------------------------------


@auth_file
@pytest.mark.proves("promise:redaction")
def test_login_is_in_nothing_that_is_printed_or_pickled() -> None:
    """The file has it, and what is made of the file to log in."""
    file = kept()
    found = file.load()
    assert CANARY not in f"{found!r} {found} {file!r} {file}"
    assert "ada" in repr(found)
    assert CANARY.encode() not in pickle.dumps(file)


# -- written by several processes ----------------------------------------------------------------

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
