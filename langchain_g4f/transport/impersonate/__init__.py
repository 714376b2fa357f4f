"""httpx transports on curl_cffi: TLS and HTTP/2 as a browser speaks them.

Only curl's low-level handles are used. A transfer is bounded in memory, keeps the
clocks of its request, and ends at once when nobody wants it any more; what curl
reports becomes one of httpx's exceptions, without curl's words, which may hold
addresses and credentials. Redirects are not followed, nothing is decoded, and no
cookie is kept.
"""

from langchain_g4f.transport.impersonate.awaited import CurlTransport
from langchain_g4f.transport.impersonate.blocking import SyncCurlTransport
from langchain_g4f.transport.impersonate.way import Way

__all__ = ["CurlTransport", "SyncCurlTransport", "Way"]
