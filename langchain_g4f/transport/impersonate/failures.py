"""httpx's exception for a code of curl's.

curl's own message is not passed on: it may repeat an address or the name of a user.
"""

from __future__ import annotations

import errno
import ssl
from collections.abc import Callable
from http import HTTPStatus

import httpx
from curl_cffi import CurlECode

Failure = Callable[[], httpx.TransportError]
"""Makes the exception where it is raised, so that none is kept together with its frames."""

_TLS = {
    CurlECode.SSL_CONNECT_ERROR,
    CurlECode.SSL_ENGINE_NOTFOUND,
    CurlECode.SSL_ENGINE_SETFAILED,
    CurlECode.SSL_CERTPROBLEM,
    CurlECode.SSL_CIPHER,
    CurlECode.PEER_FAILED_VERIFICATION,
    CurlECode.USE_SSL_FAILED,
    CurlECode.SSL_ENGINE_INITFAILED,
    CurlECode.SSL_CACERT_BADFILE,
    CurlECode.SSL_CRL_BADFILE,
    CurlECode.SSL_ISSUER_ERROR,
    CurlECode.SSL_PINNEDPUBKEYNOTMATCH,
    CurlECode.SSL_INVALIDCERTSTATUS,
}
_KINDS: dict[int, type[httpx.TransportError]] = {
    CurlECode.UNSUPPORTED_PROTOCOL: httpx.RemoteProtocolError,  # an answer in HTTP/0.9
    CurlECode.URL_MALFORMAT: httpx.LocalProtocolError,
    CurlECode.COULDNT_RESOLVE_PROXY: httpx.ConnectError,
    CurlECode.COULDNT_RESOLVE_HOST: httpx.ConnectError,
    CurlECode.COULDNT_CONNECT: httpx.ConnectError,
    CurlECode.WEIRD_SERVER_REPLY: httpx.RemoteProtocolError,
    CurlECode.HTTP2: httpx.RemoteProtocolError,
    CurlECode.PARTIAL_FILE: httpx.RemoteProtocolError,
    CurlECode.OPERATION_TIMEDOUT: httpx.ConnectTimeout,  # the only clock that curl is given
    CurlECode.GOT_NOTHING: httpx.RemoteProtocolError,
    CurlECode.SEND_ERROR: httpx.WriteError,
    CurlECode.RECV_ERROR: httpx.ReadError,
    CurlECode.SEND_FAIL_REWIND: httpx.ReadError,
    CurlECode.HTTP2_STREAM: httpx.RemoteProtocolError,
    CurlECode.PROXY: httpx.ProxyError,
    CurlECode.TOO_LARGE: httpx.RemoteProtocolError,
}
_BROKEN = {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED}


def failure_of(code: int, *, proxy_status: int, os_error: int) -> Failure:
    """What to raise for ``code``.

    Args:
        code: The result of a transfer.
        proxy_status: What the proxy answered to CONNECT; 0 for nothing.
        os_error: The ``errno`` of the last system call that failed; 0 for none.
    """
    if proxy_status and not HTTPStatus.OK <= proxy_status < HTTPStatus.MULTIPLE_CHOICES:
        return lambda: httpx.ProxyError(_status(proxy_status))
    if code in _TLS and not (code == CurlECode.SSL_CONNECT_ERROR and os_error in _BROKEN):
        return lambda: _tls_error(code)
    kind = httpx.ConnectError if code in _TLS else _KINDS.get(code, httpx.NetworkError)
    return lambda: kind(_words(code))


def _tls_error(code: int) -> httpx.ConnectError:
    error = httpx.ConnectError(_words(code))
    error.__cause__ = ssl.SSLError(_words(code))
    return error


def _words(code: int) -> str:
    if code == CurlECode.PEER_FAILED_VERIFICATION:
        return "CERTIFICATE_VERIFY_FAILED"
    try:
        return CurlECode(code).name.lower().replace("_", " ")
    except ValueError:
        return f"curl {code}"


def _status(code: int) -> str:
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)


__all__ = ["Failure", "failure_of"]
