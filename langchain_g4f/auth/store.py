"""Credentials on disk: one JSON file for each service, server and profile.

Only the owner can use the folder (0700) and the files (0600). A file is replaced as a whole, so a
reader finds the old one or the new one, never a part; the next use deletes what a killed writer
left. A link in place of the file, a file that others can read and a folder that others can write
raise an error that says how to mend it. Where nothing can be written, sessions are not kept, and
one warning says so.
"""

from __future__ import annotations

import json
import os
import re
import stat
import tempfile
import time
import warnings
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from langchain_g4f.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PROFILE = "default"

_VERSION = 1
_LARGEST = 1 << 20
_PROFILE = re.compile(r"[\w-][\w.-]{0,63}", re.ASCII)
_POSIX = os.name == "posix"
_PART = ".part"
_STALE_S = 60.0
"""Age in seconds at which a half-written file has no writer any more."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What identifies a caller to a service.

    Attributes:
        cookies: Values of cookies by name.
        api_key: A token.
        user: Name of the user at the service, for people to read.
    """

    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    api_key: str = field(default="", repr=False)
    user: str = ""

    def __bool__(self) -> bool:
        return bool(self.cookies or self.api_key)


@dataclass(frozen=True, slots=True)
class CredentialFile:
    """The file of one account.

    Attributes:
        path: Its path; it need not exist.
    """

    path: Path

    @classmethod
    def of(cls, provider: str, server: str, profile: str) -> CredentialFile:
        """The file of a profile at a server.

        Args:
            provider: Name of the service.
            server: Address of the server; an account belongs to a host and port.
            profile: Name of one of the accounts there.

        Raises:
            ConfigurationError: The profile's name cannot be a part of a file name.
        """
        if not _PROFILE.fullmatch(profile):
            msg = f"profile: expected a name of letters, digits, '.', '_' and '-', not {profile!r}"
            raise ConfigurationError(msg)
        return cls(_folder() / f"{provider}@{_place(server)}@{profile}.json")

    def profiles(self) -> list[str]:
        """Names of the accounts that are kept for the same server."""
        begin = self.path.name.rpartition("@")[0] + "@"
        found = (path.name for path in self.path.parent.glob("*@*@*.json"))
        return sorted(n.removeprefix(begin)[: -len(".json")] for n in found if n.startswith(begin))

    def load(self) -> Credentials | None:
        """The stored credentials; None without a file, or if it cannot be read.

        Raises:
            ConfigurationError: The file is a link, or others can read it, or write in its folder.
        """
        problem = "is not what this package writes"
        try:
            found = _parsed(self._read())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            found, problem = None, f"cannot be read ({type(error).__name__})"
        if found is None:
            warnings.warn(f"{self.path} {problem}: it is ignored", stacklevel=3)
        return found

    def save(self, credentials: Credentials) -> bool:
        """Write ``credentials`` in place of what is there; False where nothing can be written.

        Raises:
            ConfigurationError: The file is a link.
        """
        try:
            self._refuse_link()
            self._replace(_encoded(credentials))  # no local variable: tracebacks show those
        except OSError as error:
            problem = error.strerror
        else:
            return True
        _warn_once(f"sessions are not kept: {self.path.parent}: {problem}")
        return False

    def refresh(self, old: Mapping[str, str], new: Mapping[str, str]) -> None:
        """Write cookies that the service has renewed, if the file still has the old ones.

        Args:
            old: Their old values.
            new: Their new values.

        Raises:
            ConfigurationError: See `load`.
        """
        kept = self.load()
        if kept is not None and old.items() <= kept.cookies.items():
            self.save(replace(kept, cookies={**kept.cookies, **new}))

    def forget(self) -> bool:
        """Delete the file; False if there was none.

        Raises:
            ConfigurationError: It cannot be deleted.
        """
        try:
            self.path.unlink()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            problem = error.strerror
        else:
            return True
        raise ConfigurationError(f"{self.path} cannot be deleted: {problem}")

    def _read(self) -> bytes:
        self._refuse_link()
        self._refuse_open_folder(self.path.parent.stat())
        _delete_stale_parts(self.path.parent)
        with open(self.path, "rb", opener=_opened) as file:
            self._refuse_shared(os.fstat(file.fileno()))
            return file.read(_LARGEST)

    def _refuse_link(self) -> None:
        """Refuse a link: another user may have chosen the file it leads to."""
        for path in (self.path, self.path.parent):
            if path.is_symlink():
                raise ConfigurationError(f"{path} is a symbolic link, remove it: rm {path}")

    def _refuse_open_folder(self, found: os.stat_result) -> None:
        """Refuse a folder in which another user can replace a file."""
        if not _POSIX:
            return
        folder = self.path.parent
        if found.st_uid != os.geteuid():
            raise ConfigurationError(f"{folder} belongs to another user, remove it")
        if found.st_mode & 0o022:
            raise ConfigurationError(
                f"{folder} can be written by others: run chmod 700 {folder}, look at what is in"
                " there, and consider logging in again"
            )

    def _refuse_shared(self, found: os.stat_result) -> None:
        if not _POSIX:
            return
        if not stat.S_ISREG(found.st_mode):
            raise ConfigurationError(f"{self.path} is no file")
        if found.st_uid != os.geteuid():
            raise ConfigurationError(f"{self.path} belongs to another user, remove it")
        if found.st_mode & 0o077:
            raise ConfigurationError(
                f"{self.path} can be read by others: run chmod 600 {self.path}, and consider"
                " logging in again"
            )

    def _replace(self, content: bytes) -> None:
        folder = self.path.parent
        _make_private(folder)
        if _POSIX and folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
        _delete_stale_parts(folder)
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=_PART)  # 0600
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123 -- it is open already
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            Path(name).replace(self.path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
        _sync(folder)


def _make_private(folder: Path) -> None:
    """Make a folder and those above it for their owner alone, whatever the umask."""
    if not folder.is_dir():
        if folder.parent != folder:
            _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _delete_stale_parts(folder: Path) -> None:
    """Delete files that killed writers have left: they hold credentials."""
    for part in folder.glob(f".*{_PART}"):
        with suppress(OSError):
            if time.time() - part.stat(follow_symlinks=False).st_mtime > _STALE_S:
                part.unlink()


def _folder() -> Path:
    """The package's part of the platform's folder for settings."""
    from platformdirs import user_config_path

    return user_config_path("langchain-g4f", appauthor=False)


def _place(server: str) -> str:
    """Host and port as a part of a file name; a server without TLS has a name of its own."""
    parts = urlsplit(server)
    name = quote(parts.netloc.lower(), safe="").replace("%3A", "+")
    return name if parts.scheme == "https" else f"{parts.scheme}+{name}"


def _opened(path: str, flags: int) -> int:
    """Open no link, and do not wait for a writer of a pipe."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _encoded(credentials: Credentials) -> bytes:
    content = {
        "version": _VERSION,
        "user": credentials.user,
        "cookies": dict(credentials.cookies),
        "api_key": credentials.api_key,
    }
    return json.dumps(content, indent=1).encode()


def _parsed(text: bytes) -> Credentials | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("version") != _VERSION:
        return None
    cookies, api_key, user = (content.get(name) for name in ("cookies", "api_key", "user"))
    if not isinstance(cookies, dict) or not all(isinstance(v, str) for v in cookies.values()):
        return None
    if not isinstance(api_key, str) or not isinstance(user, str):
        return None
    return Credentials(cookies, api_key, user)


def _sync(folder: Path) -> None:
    """Make the new name last, where folders can be synchronised."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@lru_cache(maxsize=8)
def _warn_once(message: str) -> None:
    warnings.warn(message, stacklevel=4)


__all__ = ["DEFAULT_PROFILE", "CredentialFile", "Credentials"]
