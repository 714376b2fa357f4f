"""The media type of some bytes, by the bytes alone; names and servers are not trusted.

Signatures follow the WHATWG MIME Sniffing standard, and check more of a format where two bytes
are not enough. Markup is recognised before plain text, so that a page is never taken for a
document that a person wrote.
"""

from __future__ import annotations

import codecs
import re
from contextlib import suppress

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"II+\0", "image/tiff"),
    (b"MM\0+", "image/tiff"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS\0", "audio/ogg"),
    (b"%PDF-", "application/pdf"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
"""Sizes in bytes that the second header of a BMP can have."""
_BRANDS = {
    "image/avif": (b"avif", b"avis"),
    "image/heic": (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"),
}
_LAYER_III = 0b01

_SPACE = b" \t\r\n\f"
_SKIPPED = ((b"<!--", b"-->"), (b"<?", b"?>"), (b"<!doctype", b">"))
"""Beginning and end of markup that may stand before the first element."""
_ELEMENT = re.compile(rb"<(?:[a-z_][\w.-]*:)?([a-z][a-z0-9]*)(?=[\s/>])")
_HTML = frozenset(
    b"a b blockquote body br div embed font form frameset h1 h2 h3 h4 h5 h6 head html iframe"
    b" img input link meta object ol p pre script span style table title ul video".split()
)
_PIECE = 64 * 1024


def sniff(data: bytes) -> str:
    """The media type of ``data``; an empty string if it is unknown.

    Only images, audio, PDF, markup (HTML, SVG, other XML) and plain text in UTF-8
    are known.
    """
    for start, kind in _STARTS:
        if data.startswith(start):
            return kind
    return _riff(data) or _bmp(data) or _iso(data) or _mp3(data) or _markup(data) or _text(data)


def _riff(data: bytes) -> str:
    return _RIFF.get(data[8:12], "") if data.startswith(b"RIFF") else ""


def _bmp(data: bytes) -> str:
    header = int.from_bytes(data[14:18], "little")
    found = data.startswith(b"BM") and data[6:10] == bytes(4) and header in _BMP_HEADERS
    return "image/bmp" if found else ""


def _iso(data: bytes) -> str:
    """The image formats in the container that MP4 uses, by their brands."""
    if data[4:8] != b"ftyp":
        return ""
    end = min(int.from_bytes(data[:4], "big"), 256)
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, end, 4))]
    major = next((kind for kind, own in _BRANDS.items() if brands[0] in own), "")
    if major and "image/avif" not in major and set(brands) & set(_BRANDS["image/avif"]):
        return "image/avif"
    return major


def _mp3(data: bytes) -> str:
    """An MPEG audio frame header: sync, layer III, no reserved bit rate or frequency."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return ""
    version, layer = data[1] >> 3 & 0b11, data[1] >> 1 & 0b11
    rate, frequency = data[2] >> 4, data[2] >> 2 & 0b11
    valid = version != 0b01 and layer == _LAYER_III and rate not in (0, 15) and frequency != 0b11
    return "audio/mpeg" if valid else ""


def _markup(data: bytes) -> str:
    """HTML, SVG or other XML, by the first element and what stands before it."""
    at = _after_space(data, len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0)
    if data[at : at + 1] != b"<":
        return ""
    beginning = data[at : at + 16].lower()
    while ends := [end for start, end in _SKIPPED if data[at : at + 9].lower().startswith(start)]:
        closed = data.find(ends[0], at)
        if closed < 0:
            at = len(data)
            break
        at = _after_space(data, closed + len(ends[0]))
    element = _ELEMENT.match(data[at : at + 256].lower())
    name = element.group(1) if element else b""
    if name == b"svg":
        return "image/svg+xml"
    if name in _HTML or beginning.startswith((b"<!doctype html", b"<!--")):
        return "text/html"
    return "text/xml" if beginning.startswith((b"<?xml", b"<!doctype")) else ""


def _after_space(data: bytes, at: int) -> int:
    while data[at : at + 1] and data[at] in _SPACE:
        at += 1
    return at


def _text(data: bytes) -> str:
    if not data or b"\0" in data:
        return ""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with suppress(UnicodeDecodeError):
        for at in range(0, len(data), _PIECE):
            decoder.decode(data[at : at + _PIECE])
        decoder.decode(b"", final=True)
        return "text/plain"
    return ""


__all__ = ["sniff"]
