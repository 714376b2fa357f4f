"""Credentials on disk, and what is wrong with the file, the folder or the disk."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from langchain_g4f.auth import store
from langchain_g4f.auth.store import CredentialFile, Credentials
from langchain_g4f.errors import ConfigurationError
from tests.unit.auth.stored import CANARY, LOGIN, auth_file, file_of, kept
from tests.unit.traces import assert_tells_nothing, frames

# -- refused ------------------------------------------------------------------------------------


@auth_file
@pytest.mark.parametrize("which", ["file", "folder"])
def test_link_is_refused_with_the_way_to_mend_it(which: str, tmp_path: Path) -> None:
    """Another user may have chosen the file it leads to, for reading and for writing."""
    file = kept()
    linked = file.path if which == "file" else file.path.parent
    there = tmp_path / "there"
    linked.rename(there)
    linked.symlink_to(there)
    before = [path.read_bytes() for path in (there, *there.glob("*.json")) if path.is_file()]
    for use in (file.load, lambda: file.save(LOGIN), lambda: file.refresh({}, {"a": "b"})):
        with pytest.raises(ConfigurationError, match=f"is a symbolic link.*rm {linked}") as caught:
            use()
        assert_tells_nothing(caught.value, CANARY)
    assert [p.read_bytes() for p in (there, *there.glob("*.json")) if p.is_file()] == before


@auth_file
def test_link_that_appears_at_the_last_moment_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who looked before it was there does not open it either."""
    file = kept()
    file.path.rename(tmp_path / "there")
    file.path.symlink_to(tmp_path / "there")
    monkeypatch.setattr(CredentialFile, "_refuse_link", lambda self: None)
    with pytest.warns(UserWarning, match=r"cannot be read \(OSError\): it is ignored"):
        assert file.load() is None


@auth_file
def test_link_is_forgotten_and_not_what_it_leads_to(tmp_path: Path) -> None:
    """A log-out takes away what is in the folder."""
    file = kept()
    file.path.rename(tmp_path / "there")
    file.path.symlink_to(tmp_path / "there")
    assert file.forget()
    assert (tmp_path / "there").exists()


@auth_file
@pytest.mark.parametrize(
    ("which", "bits"),
    [
        *(("file", bits) for bits in (0o640, 0o604, 0o620)),
        *(("folder", bits) for bits in (0o770, 0o702)),
    ],
)
def test_place_that_others_can_use_is_refused_with_the_way_to_mend_it(
    which: str, bits: int
) -> None:
    """They may have read the file or put it there; a new login mends that, and the mode."""
    file = kept()
    place, mended = (file.path, 600) if which == "file" else (file.path.parent, 700)
    place.chmod(bits)
    with pytest.raises(ConfigurationError, match=f"chmod {mended} {place}") as caught:
        file.load()
    assert "logging in again" in str(caught.value)
    assert_tells_nothing(caught.value, CANARY)
    assert file.save(LOGIN)
    assert file.load() == LOGIN


@auth_file
@pytest.mark.parametrize("which", ["file", "folder"])
def test_place_of_another_user_is_refused(which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file may hold the session of its owner, who can replace it at any time."""
    file = kept()
    place, other = file.path, file.path.stat().st_uid + 1
    if which == "folder":
        place = place.parent
    else:  # the folder is looked at first
        monkeypatch.setattr(CredentialFile, "_refuse_open_folder", lambda *_: None)
    monkeypatch.setattr(os, "geteuid", lambda: other)
    with pytest.raises(ConfigurationError, match=f"{place} belongs to another user"):
        file.load()


@auth_file
@pytest.mark.parametrize("use", ["load", "save"])
def test_what_a_killed_writer_has_left_is_deleted(use: str) -> None:
    """There are credentials in it; that of a writer at work is not touched."""
    file = kept()
    old, new = (file.path.with_name(f".{name}.part") for name in ("old", "new"))
    for part in (old, new):
        part.write_text(CANARY)
    os.utime(old, (0, 0))
    assert file.load() if use == "load" else file.save(LOGIN)
    assert (old.exists(), new.exists()) == (False, True)


@auth_file
def test_pipe_in_its_place_is_refused_and_not_waited_for() -> None:
    """A read would wait for a writer that may never come."""
    file = kept()
    file.path.unlink()
    os.mkfifo(file.path, 0o600)
    with pytest.raises(ConfigurationError, match="is no file"):
        file.load()


def test_system_without_owners_and_modes_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """There the folder of the user is private by other means."""
    monkeypatch.setattr(store, "_POSIX", False)
    file = kept()
    file.path.chmod(0o644)
    assert file.load() == LOGIN


# -- unreadable ---------------------------------------------------------------------------------

WHOLE = {"version": 1, "user": "ada", "cookies": {"a": CANARY}, "api_key": ""}
BROKEN: list[Any] = [
    b"",
    json.dumps(WHOLE)[:-9].encode(),
    b"\xff\xfe" + CANARY.encode(),
    b"[" * 100_000,
    [WHOLE],
    CANARY,
    {**WHOLE, "version": 2},
    {"cookies": {"a": CANARY}},
    {**WHOLE, "cookies": [CANARY]},
    {**WHOLE, "cookies": {"a": [CANARY]}},
    {**WHOLE, "api_key": None},
    {**WHOLE, "user": [CANARY]},
    {**WHOLE, "padding": "x" * (1 << 20)},
]


@auth_file
@pytest.mark.parametrize("content", BROKEN)
def test_file_that_is_half_written_or_of_another_shape_is_ignored_with_a_warning(
    content: Any,
) -> None:
    """The caller is anonymous then; a new login mends it."""
    file = kept()
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    file.path.write_bytes(data)
    with pytest.warns(UserWarning, match="is not what this package writes") as caught:
        assert file.load() is None
    assert str(file.path) in str(caught[0].message)
    assert CANARY not in str(caught[0].message)
    assert file.save(LOGIN)
    assert file.load() == LOGIN


@auth_file
def test_folder_in_place_of_the_file_is_ignored_with_a_warning() -> None:
    """No descriptor is left open by it."""
    file = kept()
    file.path.unlink()
    file.path.mkdir()
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 -- a folder of numbers
    with pytest.warns(UserWarning, match="cannot be read"):
        assert file.load() is None
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208 -- see above
    with pytest.raises(ConfigurationError, match="cannot be deleted"):
        file.forget()


def test_file_in_place_of_the_folder_holds_no_login(home: Path) -> None:
    """There is nothing to read and nothing to forget."""
    (home / "langchain-g4f").write_bytes(b"")
    assert file_of().load() is None
    assert not file_of().forget()


# -- unwritable ---------------------------------------------------------------------------------


def no_folder(home: Path) -> None:
    """Put a file where the folder should be."""
    (home / "langchain-g4f").write_bytes(b"")


@auth_file
def test_home_that_cannot_be_written_is_worked_with_unsaved_and_warned_of_once(
    home: Path,
) -> None:
    """The session lasts as long as the program."""
    no_folder(home)
    with pytest.warns(UserWarning, match="sessions are not kept") as caught:
        assert not file_of().save(LOGIN)
    assert CANARY not in str(caught[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not file_of().save(LOGIN)
        assert not file_of(profile="work").save(LOGIN)
    assert file_of().load() is None


@auth_file
@pytest.mark.parametrize("step", ["mkstemp", "fsync", "replace"])
def test_write_that_fails_half_way_leaves_the_old_login(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no part of the new one."""
    file = kept()

    def fail(*_: object, **__: object) -> Any:
        raise OSError(28, "No space left on device")

    owner: Any = {"mkstemp": tempfile, "fsync": os, "replace": Path}[step]
    with monkeypatch.context() as patched:
        patched.setattr(owner, step, fail)
        with pytest.warns(UserWarning, match="No space left on device"):
            assert not file.save(Credentials({"a": "new"}))
    assert file.load() == LOGIN
    assert [found.name for found in file.path.parent.iterdir()] == [file.path.name]


def test_folder_that_cannot_be_synchronised_is_written_to_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Some systems open no folders."""
    opened = os.open

    def open_files(path: Any, *args: Any, **kwargs: Any) -> int:
        if Path(path).is_dir():
            raise PermissionError
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", open_files)
    assert kept().load() == LOGIN


# -- shown -------------------------------------------------------------------------------------


def broken_file(file: CredentialFile) -> object:
    """Read a file that is cut off."""
    file.path.write_text(json.dumps(WHOLE)[:-1])
    return file.load()


def full_disk(file: CredentialFile) -> object:
    """Write where there is no room."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", full)
        return file.save(LOGIN)


@auth_file
@pytest.mark.proves("promise:redaction")
@pytest.mark.parametrize("use", [broken_file, full_disk])
def test_warning_that_is_made_an_error_shows_nothing(
    use: Callable[[CredentialFile], object],
) -> None:
    """Tracebacks of ours have no credential among their local variables."""
    file = kept()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning) as caught:
            use(file)
    link: BaseException | None = caught.value
    while link is not None:
        assert CANARY not in f"{link!r} {frames(link.__traceback__)}"
        link = link.__cause__ or link.__context__
