"""A login, and the file that keeps it."""

from __future__ import annotations

import pytest

from langchain_g4f.auth.store import CredentialFile, Credentials

CANARY = "canary-f3a91c77d2"
SERVER = "https://chat.example.com/chat"
LOGIN = Credentials({"hf-chat": CANARY, "token": f"{CANARY}-too"}, f"{CANARY}-key", "ada")

auth_file = pytest.mark.proves("fault:44:HC", "fault:44:PH")


def file_of(server: str = SERVER, profile: str = "default") -> CredentialFile:
    """The file of an account."""
    return CredentialFile.of("huggingchat", server, profile)


def kept() -> CredentialFile:
    """A file that has a login."""
    file = file_of()
    assert file.save(LOGIN)
    return file
