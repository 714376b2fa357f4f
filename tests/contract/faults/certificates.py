"""Certificates for loopback servers, made when a test needs them, with the `openssl` command."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest


class Authority:
    """A certificate authority of its own, which signs for any name.

    Attributes:
        file: Its certificate, to be trusted.
    """

    def __init__(self, folder: Path) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("there is no openssl command to make certificates with")
        self._folder = folder
        self.file = folder / "authority.pem"
        self._key = folder / "authority.key"
        _openssl(
            *("req", "-x509", *_NEW_KEY, "-keyout", self._key, "-out", self.file),
            *("-subj", "/CN=Test authority", "-days", "2"),
        )

    def server(self, name: str) -> ssl.SSLContext:
        """A server whose certificate is for this name, signed by the authority."""
        request, certificate, key = (
            self._folder / f"server.{end}" for end in ("csr", "pem", "key")
        )
        names = self._folder / "names.cnf"
        names.write_text(f"subjectAltName = {name}\n", encoding="ascii")
        _openssl(*("req", *_NEW_KEY, "-keyout", key, "-out", request, "-subj", "/CN=server"))
        _openssl(
            *("x509", "-req", "-in", request, "-out", certificate, "-days", "2"),
            *("-CA", self.file, "-CAkey", self._key, "-CAcreateserial", "-extfile", names),
        )
        return _context(certificate, key)


def self_signed(folder: Path, name: str) -> ssl.SSLContext:
    """A server whose certificate is for this name, and signed by itself alone."""
    Authority(folder)
    certificate, key = folder / "self.pem", folder / "self.key"
    _openssl(
        *("req", "-x509", *_NEW_KEY, "-keyout", key, "-out", certificate, "-days", "2"),
        *("-subj", "/CN=server", "-addext", f"subjectAltName = {name}"),
    )
    return _context(certificate, key)


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)  # noqa: S607
