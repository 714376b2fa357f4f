"""``data:`` URLs (RFC 2397): the bytes are in the address itself.

The decoded size is computed before anything is decoded, so that a large URL costs no more than its
text. No error repeats any of it.
"""

from __future__ import annotations

import binascii
import re
from contextlib import suppress
from urllib.parse import unquote_to_bytes

from langchain_g4f.errors import ConfigurationError, MediaTooLargeError

_SPACE = b" \t\r\n\f"
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", re.ASCII)
_SLACK = 1024
"""Characters of white space that a URL of the largest size may have."""


def parse_data_url(url: str, limit: int) -> tuple[bytes, str]:
    """The bytes in ``url``, and the media type it names, without parameters.

    Args:
        url: The URL, which begins with ``data:``.
        limit: Largest size in bytes.

    Raises:
        ConfigurationError: It is no such URL, or not in the encoding it names.
        MediaTooLargeError: There are more bytes than the limit.
    """
    comma = url.find(",")  # not partition: the URL may be large, and is not copied yet
    scheme, _, head = url[: max(comma, 0)].partition(":")
    if scheme.strip().lower() != "data":
        raise ConfigurationError("expected a URL such as 'data:image/png;base64,...'")
    # a byte takes at most four characters: base64, each of them escaped with a percent
    # sign, is 4, and any other form less
    if len(url) - comma > 4 * limit + _SLACK:
        raise _too_large(limit)
    kind, *parameters = (part.strip().lower() for part in head.split(";"))
    if not _MEDIA_TYPE.fullmatch(kind):
        kind = "text/plain"
    data = unquote_to_bytes(url[comma + 1 :].encode("utf-8", "surrogatepass"))
    if parameters and parameters[-1] == "base64":
        data = _base64(data.translate(None, _SPACE).rstrip(b"="), limit)
    elif len(data) > limit:
        raise _too_large(limit)
    return data, kind


def is_media_type(text: str) -> bool:
    """Whether this is a type and a subtype as RFC 6838 has them."""
    return _MEDIA_TYPE.fullmatch(text.strip(" \t")) is not None


def _base64(text: bytes, limit: int) -> bytes:
    """Decode ``text``, which has neither white space nor padding."""
    if len(text) * 3 // 4 > limit:
        raise _too_large(limit)
    with suppress(binascii.Error):
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4), strict_mode=True)
    raise ConfigurationError("the data: URL is not valid base64")


def _too_large(limit: int) -> MediaTooLargeError:
    return MediaTooLargeError(f"the data: URL has more than {limit} bytes")


__all__ = ["is_media_type", "parse_data_url"]
