"""What bytes are, whatever they are called."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from langchain_g4f.media.sniff import sniff


def picture(kind: str) -> bytes:
    """A small picture, made by a real encoder."""
    file = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(file, kind)
    return file.getvalue()


def box(major: bytes, *compatible: bytes) -> bytes:
    """The first box of an ISO container with these brands, and something after it."""
    body = b"ftyp" + major + bytes(4) + b"".join(compatible)
    return (len(body) + 4).to_bytes(4, "big") + body + b"\0\0\0\x10avif"


@pytest.mark.parametrize(
    ("encoder", "kind"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
        ("BMP", "image/bmp"),
        ("TIFF", "image/tiff"),
        ("PDF", "application/pdf"),
    ],
)
def test_encoded_picture_is_recognised(encoder: str, kind: str) -> None:
    """By what a real encoder writes."""
    assert sniff(picture(encoder)) == kind


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(b"GIF87a;", "image/gif", id="old-gif"),
        pytest.param(b"MM\0*\0\0\0\x08", "image/tiff", id="big-endian-tiff"),
        pytest.param(b"II+\0\x08\0\0\0", "image/tiff", id="big-tiff"),
        pytest.param(b"MM\0+\0\x08\0\0", "image/tiff", id="big-endian-big-tiff"),
        pytest.param(box(b"avif", b"mif1"), "image/avif", id="avif"),
        pytest.param(box(b"avis"), "image/avif", id="avif-sequence"),
        pytest.param(box(b"mif1", b"miaf", b"avif"), "image/avif", id="avif-by-brand"),
        pytest.param(box(b"mif1", b"heic"), "image/heic", id="heic-by-brand"),
        pytest.param(box(b"heic"), "image/heic", id="heic"),
        pytest.param(box(b"hevx"), "image/heic", id="heic-sequence"),
        pytest.param(box(b"isom", b"avif"), "", id="mp4"),
        pytest.param(b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav", id="wav"),
        pytest.param(b"RIFF\x24\0\0\0AVI LIST", "", id="avi"),
        pytest.param(b"ID3\x04\0\0\0\0\0\0", "audio/mpeg", id="mp3-with-tags"),
        pytest.param(b"\xff\xfb\x90\x64\0", "audio/mpeg", id="mp3"),
        pytest.param(b"\xff\xf3\x40\xc4", "audio/mpeg", id="mp3-of-mpeg-2"),
        pytest.param(b"\xff\xfb\x00\x64", "", id="no-bit-rate"),
        pytest.param(b"\xff\xfb\xf0\x64", "", id="bad-bit-rate"),
        pytest.param(b"\xff\xfb\x9c\x64", "", id="bad-frequency"),
        pytest.param(b"\xff\xeb\x90\x64", "", id="bad-version"),
        pytest.param(b"\xff\xf1\x50\x80", "", id="aac"),
        pytest.param(b"\xff\x1b\x90\x64", "", id="no-sync"),
        pytest.param(b"\xff\xfb", "", id="short"),
        pytest.param(b"fLaC\0\0\0\x22", "audio/flac", id="flac"),
        pytest.param(b"OggS\0\x02", "audio/ogg", id="ogg"),
        pytest.param(b"%PDF-1.7\n", "application/pdf", id="pdf"),
        pytest.param(b"", "", id="nothing"),
        pytest.param(b"\0", "", id="nul"),
        pytest.param(b"PK\x03\x04\x14\0\0\0", "", id="zip"),
        pytest.param(b"\x7fELF\x02\x01\x01\0", "", id="program"),
        pytest.param(b"plain\0text", "", id="text-with-nul"),
        pytest.param(b"caf\xe9", "", id="latin-1"),
        pytest.param("\ufeffhi".encode("utf-16-le"), "", id="utf-16"),
        pytest.param(b"\xe2\x82", "", id="half-a-character"),
        pytest.param(b"BMW is no bitmap", "text/plain", id="text-like-bmp"),
        pytest.param(b"RIFFs are no music", "text/plain", id="text-like-riff"),
        pytest.param(b"II* and MM* are text", "text/plain", id="text-like-tiff"),
        pytest.param("zażółć 🤗".encode(), "text/plain", id="text"),
        pytest.param("\ufeffhi".encode(), "text/plain", id="text-with-bom"),
        pytest.param(b'{"a": 1}', "text/plain", id="json"),
        pytest.param(b"a,b\n1,2\n", "text/plain", id="csv"),
        pytest.param(("ż" * 70_000).encode(), "text/plain", id="text-of-many-pieces"),
        pytest.param(("ż" * 70_000).encode()[:-1], "", id="cut-text-of-many-pieces"),
        pytest.param(b"<3 you", "text/plain", id="heart"),
        pytest.param(b"<abc> is no element of HTML", "text/plain", id="unknown-element"),
        pytest.param(b"a <html> tag in a text", "text/plain", id="tag-inside"),
        pytest.param(b"<", "text/plain", id="less-than"),
        pytest.param(b"   ", "text/plain", id="spaces"),
    ],
)
def test_bytes_are_what_their_signature_says(data: bytes, kind: str) -> None:
    """Two bytes alone are no signature, and what is not known has no name."""
    assert sniff(data) == kind


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(b"<!DOCTYPE html><p>hi", "text/html", id="doctype"),
        pytest.param(b"<!doctype HTML PUBLIC '-//W3C//DTD'>hi", "text/html", id="long-doctype"),
        pytest.param(b"\n\t <HTML lang=en>", "text/html", id="html"),
        pytest.param(b"\xef\xbb\xbf <html>", "text/html", id="bom"),
        pytest.param(b"<script>alert(1)</script>", "text/html", id="script"),
        pytest.param(b"<ScRiPt\n>", "text/html", id="mixed-case"),
        pytest.param(b"<p/>", "text/html", id="closed"),
        pytest.param(b"<iframe src=x>", "text/html", id="iframe"),
        pytest.param(b"<!-- a page --><html>", "text/html", id="comment"),
        pytest.param(b"<!-- only a comment", "text/html", id="open-comment"),
        pytest.param(b"<html>caf\xe9\0", "text/html", id="not-utf-8"),
        pytest.param(b"<?xml version='1.0'?><html xmlns='x'>", "text/html", id="xhtml"),
        pytest.param(b"<?php echo 1 ?><html>", "text/html", id="instruction"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", id="svg"),
        pytest.param(b"<SVG>", "image/svg+xml", id="upper-case"),
        pytest.param(b"<x:svg xmlns:x='y'>", "image/svg+xml", id="prefix"),
        pytest.param(
            b"<?xml version='1.0'?>\n<!-- made by hand -->\n<!DOCTYPE svg PUBLIC 'a' 'b'>\n<svg>",
            "image/svg+xml",
            id="prolog",
        ),
        pytest.param(b"<!doctype html><svg>", "image/svg+xml", id="svg-in-html"),
        pytest.param(b"<?xml version='1.0'?><rss>", "text/xml", id="xml"),
        pytest.param(b"<?xml version='1.0'?>", "text/xml", id="xml-alone"),
        pytest.param(b"<!DOCTYPE note [", "text/xml", id="open-doctype"),
        pytest.param(b"<svgs>", "text/plain", id="longer-name"),
    ],
)
def test_markup_is_recognised_before_text(data: bytes, kind: str) -> None:
    """By its first element and what stands before it, in any encoding like ASCII."""
    assert sniff(data) == kind


def test_comments_before_markup_cost_linear_time() -> None:
    """A hundred thousand of them are skipped."""
    assert sniff(b"<!---->" * 100_000 + b"<svg>") == "image/svg+xml"
    assert sniff(b" " * 1_000_000 + b"<svg>") == "image/svg+xml"
