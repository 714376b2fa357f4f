"""What the caller wants said."""

from __future__ import annotations

import hashlib

import pytest

from langchain_g4f.turn import Media, RemoteMedia

CANARY = "canary-f3a91c77d2"


def test_digest_tells_media_apart() -> None:
    """By the bytes, or by the address where they are not known."""
    assert Media(b"x", "image/png", "x.png").digest == hashlib.sha256(b"x").hexdigest()
    assert RemoteMedia("http://x").digest == hashlib.sha256(b"http://x").hexdigest()


@pytest.mark.parametrize("media", [Media(CANARY.encode(), "", ""), RemoteMedia(CANARY)])
def test_repr_of_media_shows_neither_bytes_nor_address(media: object) -> None:
    """A signed address is a credential, and bytes are long."""
    assert CANARY not in repr(media)
