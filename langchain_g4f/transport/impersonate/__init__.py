"""httpx transports on curl_cffi: TLS and HTTP/2 as a browser speaks them.

Only curl's low-level handles are used. A transfer is bounded in memory, keeps the
clocks of its request, and ends at once when its reader gives it up; what curl
reports becomes one of httpx's exceptions, without curl's words, which may hold
addresses and credentials. Redirects are not followed, nothing is decoded, and no
cookie is kept.
"""

from langchain_g4f.transport.impersonate.async_transport import CurlTransport
from langchain_g4f.transport.impersonate.config import ImpersonateConfig
from langchain_g4f.transport.impersonate.sync_transport import SyncCurlTransport

__all__ = ["CurlTransport", "ImpersonateConfig", "SyncCurlTransport"]
